#include "openvm/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::openvm {
namespace {

TEST(Config, NumbersDecimalAndHex) {
  EXPECT_EQ(*ParseNumber("258"), (Number{2, 1}));
  EXPECT_EQ(*ParseNumber("0x0102"), (Number{2, 1}));
  EXPECT_EQ(*ParseNumber("0"), Number{});
  EXPECT_EQ(FormatNumber({2, 1}), "0x102");
  EXPECT_EQ(FormatNumber({}), "0x0");
  EXPECT_EQ(FormatNumber(*ParseNumber("2305843009213693951")), "0x1fffffffffffffff");
  EXPECT_FALSE(ParseNumber("").ok());
  EXPECT_FALSE(ParseNumber("0x").ok());
  EXPECT_FALSE(ParseNumber("12a").ok());
  EXPECT_FALSE(ParseNumber(std::string(200, '9')).ok());
}

TEST(Config, TextRoundTrip) {
  Config config;
  config.memory_bits = 20;
  config.public_values = 64;
  config.extensions = {"keccak", "rv32io"};
  config.moduli = {*ParseNumber("65521"), *ParseNumber("0x1fffffffffffffff")};
  config.fp2_moduli = {*ParseNumber("65519")};
  config.curves = {
      {"C", *ParseNumber("65521"), *ParseNumber("7"), *ParseNumber("0"), *ParseNumber("5")}};
  config.pairings = {PairingCurve::kBn254, PairingCurve::kBls12_381};
  config.deferrals = 2;
  EXPECT_EQ(*FromText(ToText(config)), config);
  EXPECT_EQ(*FromText(ToText({})), Config{});
}

TEST(Config, GuestSection) {
  const std::vector<uint8_t> good = {1, 1, 2, 0, 0, 0, 7, 0, 0, 1, 0, 3, 0, 0, 0, 1, 2, 3};
  EXPECT_EQ(*ParseGuestSection(good), (std::vector<Number>{{1, 2, 3}, {7}}));
  EXPECT_TRUE(ParseGuestSection({})->empty());
  for (size_t size = 1; size < good.size(); ++size) {
    (void)ParseGuestSection(absl::MakeConstSpan(good).subspan(0, size));
  }
  EXPECT_FALSE(ParseGuestSection(std::vector<uint8_t>{2}).ok());
  EXPECT_FALSE(ParseGuestSection(std::vector<uint8_t>{1, 0, 1, 0, 0, 0}).ok());
  EXPECT_FALSE(ParseGuestSection(std::vector<uint8_t>{1, 0, 255, 255, 255, 255, 1}).ok());
  EXPECT_FALSE(ParseGuestSection(std::vector<uint8_t>{1, 1, 1, 0, 0, 0, 7}).ok());
  EXPECT_FALSE(ParseGuestSection(std::vector<uint8_t>{1, 0, 1, 0, 0, 0, 0}).ok());
}

TEST(Config, FaultsNameTheLine) {
  for (const char* text :
       {"memory_bits 40", "public_values 12", "modulus", "modulus x", "modulus 1 2",
        "curve a 1 2 3", "pairing P", "deferrals -1", "nonsense", "extension"}) {
    EXPECT_THAT(std::string(FromText(std::string("memory_bits 29\n") + text).status().message()),
                testing::AnyOf(testing::HasSubstr("line 2"), testing::HasSubstr("number")))
        << text;
  }
}

}  // namespace
}  // namespace precast::openvm
