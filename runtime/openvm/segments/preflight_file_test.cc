#include "runtime/openvm/segments/preflight_file.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace precast::runtime {
namespace {

std::string TemporaryFile(const char* name) { return absl::StrCat(testing::TempDir(), name); }

// More instructions than fit in one block.
TEST(PreflightFile, ManyPlaces) {
  const std::string path = TemporaryFile("many_places");
  const PreflightHeader header{.segment = 3, .initial_pc = 8, .chips = {"BaseAlu"}};
  absl::StatusOr<std::unique_ptr<PreflightWriter>> writer = PreflightWriter::Create(path, header);
  ASSERT_TRUE(writer.ok()) << writer.status();
  std::map<uint32_t, uint32_t> frequencies;
  for (uint32_t i = 0; i < (1 << 22) + 5; ++i)
    frequencies.emplace_hint(frequencies.end(), 4 * i, i + 1);
  ASSERT_TRUE((*writer)->Finish(frequencies, {7}, 16).ok());
  const absl::StatusOr<PreflightSummary> read = ReadPreflight(path, nullptr, nullptr);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->header.segment, 3u);
  EXPECT_EQ(read->final_pc, 16u);
  EXPECT_EQ(read->frequencies.size(), frequencies.size());
  EXPECT_TRUE(read->frequencies == frequencies);
}

}  // namespace
}  // namespace precast::runtime
