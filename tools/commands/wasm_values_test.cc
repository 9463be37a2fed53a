#include "tools/commands/wasm_values.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace precast::aotc {
namespace {

using runtime::wasm::ExternKind;
using runtime::wasm::ExternType;
using runtime::wasm::ValType;

std::string RoundTrip(ValType type, std::string_view text) {
  const auto value = ParseValue(type, text);
  if (!value.ok()) return "error";
  EXPECT_EQ(value->type, type);
  return ValueText(*value);
}

TEST(ParseValue, Integers) {
  EXPECT_EQ(RoundTrip(ValType::kI32, "0"), "0");
  EXPECT_EQ(RoundTrip(ValType::kI32, "+7"), "7");
  EXPECT_EQ(RoundTrip(ValType::kI32, "-2147483648"), "-2147483648");
  EXPECT_EQ(RoundTrip(ValType::kI32, "4294967295"), "-1");
  EXPECT_EQ(RoundTrip(ValType::kI32, "0xFFFF_fffe"), "-2");
  EXPECT_EQ(RoundTrip(ValType::kI32, "-0x80000000"), "-2147483648");
  EXPECT_EQ(RoundTrip(ValType::kI64, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(RoundTrip(ValType::kI64, "18446744073709551615"), "-1");
  EXPECT_EQ(RoundTrip(ValType::kI64, "1_000"), "1000");
  for (std::string_view text : {"", "-", "0x", "x", "1.0", "4294967296", "-2147483649", "--1", "1 ",
                                " 1", "_1", "1_", "1__1", "0x1g", "-0x80000001", "1e3"}) {
    EXPECT_EQ(RoundTrip(ValType::kI32, text), "error") << text;
  }
  EXPECT_EQ(RoundTrip(ValType::kI64, "18446744073709551616"), "error");
}

TEST(ParseValue, Floats) {
  EXPECT_EQ(RoundTrip(ValType::kF32, "0.1"), "0.1");
  EXPECT_EQ(RoundTrip(ValType::kF64, "0.1"), "0.1");
  EXPECT_EQ(RoundTrip(ValType::kF64, "-0"), "-0");
  EXPECT_EQ(RoundTrip(ValType::kF64, "1e300"), "1e+300");
  EXPECT_EQ(RoundTrip(ValType::kF64, "-0x1.8p+1"), "-3");
  EXPECT_EQ(RoundTrip(ValType::kF32, "inf"), "inf");
  EXPECT_EQ(RoundTrip(ValType::kF32, "-inf"), "-inf");
  EXPECT_EQ(RoundTrip(ValType::kF64, "nan"), "nan");
  EXPECT_EQ(RoundTrip(ValType::kF64, "-nan"), "-nan");
  EXPECT_EQ(RoundTrip(ValType::kF32, "nan:0x200000"), "nan:0x200000");
  EXPECT_EQ(RoundTrip(ValType::kF64, "-nan:0x1"), "-nan:0x1");
  EXPECT_EQ(ParseValue(ValType::kF32, "nan")->As<uint32_t>(), 0x7fc00000u);
  EXPECT_EQ(ParseValue(ValType::kF64, "-nan")->As<uint64_t>(), 0xfff8000000000000u);
  for (std::string_view text :
       {"", "-", "x", "1.0x", "nan:0", "nan:0x800000", "1e999", "infinit", "--1", "0x", "1,5"}) {
    EXPECT_EQ(RoundTrip(ValType::kF32, text), "error") << text;
  }
}

TEST(ParseValue, VectorsAndReferences) {
  EXPECT_EQ(RoundTrip(ValType::kV128, "0x1"), "0x00000000000000000000000000000001");
  EXPECT_EQ(RoundTrip(ValType::kV128, "0x00112233445566778899aabbccddeeff"),
            "0x00112233445566778899aabbccddeeff");
  EXPECT_EQ(ParseValue(ValType::kV128, "0x0102")->bits.bytes[0], 2);
  EXPECT_EQ(RoundTrip(ValType::kV128, "0x100112233445566778899aabbccddeeff"), "error");
  EXPECT_EQ(RoundTrip(ValType::kV128, "12"), "error");
  EXPECT_EQ(RoundTrip(ValType::kV128, "0x"), "error");
  EXPECT_EQ(RoundTrip(ValType::kV128, "0xg"), "error");
  EXPECT_EQ(RoundTrip(ValType::kFuncRef, "null"), "null");
  EXPECT_EQ(RoundTrip(ValType::kFuncRef, "1"), "error");
  EXPECT_EQ(RoundTrip(ValType::kExternRef, "null"), "null");
  EXPECT_EQ(RoundTrip(ValType::kExternRef, "17"), "17");
}

TEST(TypeText, Everything) {
  ExternType type;
  type.function.params = {ValType::kI32, ValType::kV128};
  EXPECT_EQ(TypeText(type), "function (i32, v128) -> ()");
  type.function.results = {ValType::kF64};
  EXPECT_EQ(TypeText(type), "function (i32, v128) -> f64");
  type.function.results = {ValType::kF64, ValType::kFuncRef};
  EXPECT_EQ(TypeText(type), "function (i32, v128) -> (f64, funcref)");
  type.kind = ExternKind::kMemory;
  type.memory.limits = {1, 16};
  type.memory.shared = true;
  EXPECT_EQ(TypeText(type), "memory 1..16 pages, shared");
  type.kind = ExternKind::kTable;
  type.table.limits.min = 10;
  EXPECT_EQ(TypeText(type), "table 10.. of funcref");
  type.kind = ExternKind::kGlobal;
  type.global = {ValType::kI64, true};
  EXPECT_EQ(TypeText(type), "global mutable i64");
}

}  // namespace
}  // namespace precast::aotc
