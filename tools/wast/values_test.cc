#include "tools/wast/values.h"

#include <array>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace precast::wast {
namespace {

using runtime::wasm::Value;

Pattern P(const std::string& text) {
  absl::StatusOr<Pattern> pattern =
      ParsePattern(nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false));
  EXPECT_TRUE(pattern.ok()) << pattern.status();
  return pattern.ok() ? *pattern : Pattern();
}

TEST(ValuesTest, NumbersMatchByBits) {
  EXPECT_TRUE(Matches(Value::I32(0xffffffff), P(R"({"type":"i32","value":"4294967295"})")));
  EXPECT_FALSE(Matches(Value::I32(1), P(R"({"type":"i32","value":"2"})")));
  EXPECT_FALSE(Matches(Value::I64(1), P(R"({"type":"i32","value":"1"})")));
  EXPECT_FALSE(Matches(Value::F32(0.0f), P(R"({"type":"f32","value":"2147483648"})")));
  EXPECT_TRUE(Matches(Value::F64(1.0), P(R"({"type":"f64"})")));
}

TEST(ValuesTest, NansMatchByKind) {
  const auto f32 = [](uint32_t bits) { return Value::Of(runtime::wasm::ValType::kF32, bits); };
  const Pattern canonical = P(R"({"type":"f32","value":"nan:canonical"})");
  const Pattern arithmetic = P(R"({"type":"f32","value":"nan:arithmetic"})");
  EXPECT_TRUE(Matches(f32(0x7fc00000), canonical));
  EXPECT_TRUE(Matches(f32(0xffc00000), canonical));
  EXPECT_FALSE(Matches(f32(0x7fc00001), canonical));
  EXPECT_TRUE(Matches(f32(0x7fc00001), arithmetic));
  EXPECT_FALSE(Matches(f32(0x7fa00000), arithmetic));
  EXPECT_FALSE(Matches(f32(0x7f800000), arithmetic));
}

TEST(ValuesTest, VectorsMatchLaneByLane) {
  const Pattern p =
      P(R"({"type":"v128","lane_type":"f64","value":["nan:canonical","4607182418800017408"]})");
  std::array<uint8_t, 16> bits = {};
  const uint64_t lanes[] = {0xfff8000000000000u, 0x3ff0000000000000u};
  std::memcpy(bits.data(), lanes, 16);
  EXPECT_TRUE(Matches(Value::V128(bits), p));
  bits[15] ^= 1;
  EXPECT_FALSE(Matches(Value::V128(bits), p));
}

TEST(ValuesTest, References) {
  EXPECT_TRUE(Matches(Value::ExternRef(0), P(R"({"type":"externref","value":"null"})")));
  EXPECT_TRUE(
      Matches(Value::ExternRef(ExternReference(0)), P(R"({"type":"externref","value":"0"})")));
  EXPECT_FALSE(Matches(Value::ExternRef(0), P(R"({"type":"externref","value":"0"})")));
  EXPECT_FALSE(Matches(Value::FuncRef(0), P(R"({"type":"funcref"})")));
  EXPECT_TRUE(Matches(Value::FuncRef(16), P(R"({"type":"funcref"})")));
}

TEST(ValuesTest, SaysWhatIsNoValue) {
  for (const char* text :
       {R"({"type":"i33","value":"1"})", R"({"type":"i32","value":"x"})", "[]",
        R"({"type":"v128","lane_type":"i32","value":["1"]})", R"({"type":"i32","value":1})"}) {
    EXPECT_FALSE(ParsePattern(nlohmann::json::parse(text, nullptr, false)).ok()) << text;
  }
}

}  // namespace
}  // namespace precast::wast
