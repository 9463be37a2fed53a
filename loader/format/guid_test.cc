#include "loader/format/guid.h"

#include <gtest/gtest.h>

namespace precast::format {
namespace {

TEST(Guid, IsTheStartOfTheSha256) {
  EXPECT_EQ(GuidToString(GuidOf(std::string_view("abc"))), "ba7816bf-8f01-cfea-4141-40de5dae2223");
}

TEST(Guid, TextRoundTrips) {
  const Guid guid = GuidOf(std::string_view("guest"));
  EXPECT_EQ(ParseGuid(GuidToString(guid)), guid);
  EXPECT_EQ(ParseGuid("BA7816BF-8F01-CFEA-4141-40DE5DAE2223"), GuidOf(std::string_view("abc")));
}

TEST(Guid, OtherTextIsRejected) {
  EXPECT_FALSE(ParseGuid(""));
  EXPECT_FALSE(ParseGuid("ba7816bf-8f01-cfea-4141-40de5dae222"));
  EXPECT_FALSE(ParseGuid("ba7816bf-8f01-cfea-4141-40de5dae22233"));
  EXPECT_FALSE(ParseGuid("ba7816bf08f01-cfea-4141-40de5dae2223"));
  EXPECT_FALSE(ParseGuid("ba7816bf-8f01-cfea-4141-40de5dae222g"));
  EXPECT_FALSE(ParseGuid("{a7816bf-8f01-cfea-4141-40de5dae222}"));
}

TEST(ToHex, IsLowerCase) { EXPECT_EQ(ToHex({0x00, 0xab, 0xff}), "00abff"); }

}  // namespace
}  // namespace precast::format
