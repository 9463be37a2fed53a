#include "compiler/driver/profile_file.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "loader/format/guid.h"

namespace precast::driver {
namespace {

using ::testing::HasSubstr;

constexpr char kGuid[] = "01234567-89ab-cdef-0123-456789abcdef";

std::string Good() {
  return absl::StrCat(R"({"format": "precast-profile", "version": 1, "guid": ")", kGuid,
                      R"(", "counts": [[65536, 18446744073709551615], [4, 0]]})");
}

TEST(ProfileFile, Reads) {
  const absl::StatusOr<GuestProfile> read = ReadProfile(Good());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->guid, format::ParseGuid(kGuid));
  const opt::Profile& profile = read->profile;
  EXPECT_EQ(profile.counts.size(), 2u);
  EXPECT_EQ(profile.counts.at(65536), UINT64_MAX);
  EXPECT_EQ(profile.counts.at(4), 0u);
  EXPECT_EQ(profile.hottest, UINT64_MAX);
  opt::Profile other = profile;
  EXPECT_EQ(ProfileDigest(other), ProfileDigest(profile));
  other.counts[4] = 1;
  EXPECT_NE(ProfileDigest(other), ProfileDigest(profile));
}

TEST(ProfileFile, SaysWhatIsWrong) {
  const struct {
    const char *from, *to, *message;
  } cases[] = {
      {"precast-profile", "gprof", "format: expected \"precast-profile\", actual \"gprof\""},
      {"\"version\": 1", "\"version\": 2", "version: expected 1, actual 2"},
      {"\"guid\": \"", "\"guid\": \"0", "guid: expected a GUID"},
      {"[4, 0]", "[4]", "counts[1]: expected [place, times], actual [4]"},
      {"[4, 0]", "[-4, 0]", "counts[1]"},
      {"[4, 0]", "[4, 0.5]", "counts[1]"},
      {"[4, 0]", "[4294967296, 0]", "counts[1]"},
      {"[4, 0]", "[65536, 0]", "counts[1]: expected each place once"},
      {"\"counts\": [", "\"counts\": 7, \"x\": [", "counts: expected an array, actual 7"},
      {"}", "", "line 1, column 1"},
      {"{", "[{", "expected JSON"},
  };
  for (const auto& c : cases) {
    const std::string text = absl::StrReplaceAll(Good(), {{c.from, c.to}});
    const absl::StatusOr<GuestProfile> profile = ReadProfile(text);
    ASSERT_FALSE(profile.ok()) << text;
    EXPECT_THAT(std::string(profile.status().message()), HasSubstr(c.message));
  }
}

TEST(ProfileFile, TakesNestingOfAnyDepth) {
  const std::string deep = absl::StrCat(std::string(300000, '['), std::string(300000, ']'));
  const absl::StatusOr<GuestProfile> profile =
      ReadProfile(absl::StrReplaceAll(Good(), {{"[4, 0]", deep}}));
  EXPECT_THAT(std::string(profile.status().message()), HasSubstr("levels of nesting"));
}

}  // namespace
}  // namespace precast::driver
