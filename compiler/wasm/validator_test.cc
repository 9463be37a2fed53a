#include "compiler/wasm/validator.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/testing/module_builder.h"
#include "compiler/wasm/testing/mutator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::wasm {
namespace {

using testing::Body;
using testing::Bytes;
using testing::Concat;
using testing::FunctionType;
using ::testing::HasSubstr;
using testing::Leb;
using testing::Section;
using testing::String;
using testing::Vector;

constexpr uint8_t kI = 0x7f, kL = 0x7e, kF = 0x7d, kD = 0x7c, kV = 0x7b, kFunc = 0x70,
                  kExtern = 0x6f;

absl::Status Check(const Bytes& bytes, const Features& features, int threads = 1) {
  const absl::StatusOr<Module> module = ReadModule(bytes, features);
  if (!module.ok()) return module.status();
  return Validate(*module, features, threads);
}

// "" if valid, else the error.
std::string CheckSections(const std::vector<Bytes>& sections,
                          const Features& features = Features()) {
  return std::string(Check(testing::Module(sections), features).message());
}

// A module to put a function in: types 0 [] -> [], 1 [i32] -> [i32 i32], 2 [i32 i64] -> [i64], 3 []
// -> [i32]; function 0 of type 2 (declared), function 1 of the given type and code (not declared);
// table 0 funcref, 1 externref, 2 64-bit funcref; memory 0 32-bit, 1 64-bit; global 0 mutable i32,
// 1 constant externref; one element segment of functions, one data segment.
std::vector<Bytes> Around(const Bytes& params, const Bytes& results,
                          const std::vector<Bytes>& locals, const Bytes& code,
                          bool data_count = true) {
  std::vector<Bytes> out = {
      Section(1, Vector({FunctionType({}, {}), FunctionType({kI}, {kI, kI}),
                         FunctionType({kI, kL}, {kL}), FunctionType({}, {kI}),
                         FunctionType(params, results)})),
      Section(3, {2, 2, 4}),
      Section(4, Vector({{kFunc, 0, 1}, {kExtern, 0, 1}, {kFunc, 4, 1}})),
      Section(5, Vector({{0, 1}, {4, 1}})),
      Section(6, Vector({{kI, 1, 0x41, 0, 0x0b}, {kExtern, 0, 0xd0, kExtern, 0x0b}})),
      Section(9, Vector({{1, 0, 1, 0}}))};
  if (data_count) out.push_back(Section(12, {1}));
  out.push_back(Section(10, Vector({Body({}, {0x00, 0x0b}), Body(locals, code)})));
  out.push_back(Section(11, Vector({{1, 0}})));
  return out;
}

// The verdict on a function with these results, whose code is `code` and `end`.
std::string Code(const Bytes& results, const Bytes& code) {
  return CheckSections(Around({}, results, {}, Concat({code, {0x0b}})));
}

TEST(ValidatorTest, BuiltInModules) {
  for (const Bytes& bytes : testing::BuiltInModules()) {
    EXPECT_EQ(Check(bytes, Features()), absl::OkStatus());
  }
}

TEST(ValidatorTest, Operands) {
  EXPECT_EQ(Code({kI}, {0x41, 0}), "");
  EXPECT_THAT(Code({kI}, {}),
              HasSubstr("type mismatch: expected i32, actual an empty stack (end)"));
  EXPECT_THAT(Code({kI}, {0x42, 0}), HasSubstr("type mismatch: expected i32, actual i64 (end)"));
  EXPECT_THAT(Code({}, {0x41, 0}),
              HasSubstr("type mismatch: expected 0 values at the end of the block"));
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x42, 0, 0x6a}),
              HasSubstr("type mismatch: expected i32, actual i64 (i32.add)"));
  EXPECT_THAT(Code({}, {0x1a}), HasSubstr("type mismatch"));
}

TEST(ValidatorTest, ErrorsNameTheOffset) {
  const std::vector<Bytes> sections = Around({}, {}, {}, {0x01, 0x1a, 0x0b});
  Bytes bytes = testing::Module(sections);
  size_t drop = bytes.size() - 5;
  while (bytes[drop] != 0x1a) --drop;
  EXPECT_THAT(CheckSections(sections), HasSubstr(absl::StrCat("at offset 0x", absl::Hex(drop))));
}

TEST(ValidatorTest, Polymorphic) {
  EXPECT_EQ(Code({kI}, {0x00}), "");
  EXPECT_EQ(Code({kI}, {0x00, 0x6a}), "");
  EXPECT_EQ(Code({kI}, {0x00, 0x1b}), "");                    // select of unknown
  EXPECT_EQ(Code({kI}, {0x00, 0x41, 0, 0x1b}), "");           // its condition is known
  EXPECT_EQ(Code({kL}, {0x00, 0x42, 0, 0x41, 0, 0x1b}), "");  // one operand is known
  EXPECT_THAT(Code({kI}, {0x00, 0x42, 0, 0x41, 0, 0x1b}), HasSubstr("type mismatch"));
  EXPECT_THAT(Code({kI}, {0x00, 0x42, 0, 0x6a}), HasSubstr("type mismatch"));
  EXPECT_THAT(Code({}, {0x00, 0x41, 0}), HasSubstr("type mismatch"));
  EXPECT_EQ(Code({}, {0x00, 0xd1, 0x1a}), "");  // ref.is_null of unknown
  // br_if leaves its label's types, not unknown ones.
  EXPECT_EQ(Code({kI}, {0x00, 0x0d, 0}), "");
  EXPECT_THAT(Code({kI}, {0x02, kI, 0x00, 0x0d, 0, 0xa7, 0x0b}), HasSubstr("type mismatch"));
  // A block inside unreachable code is reachable.
  EXPECT_THAT(Code({}, {0x00, 0x02, 0x40, 0x1a, 0x0b}), HasSubstr("type mismatch"));
  EXPECT_EQ(Code({}, {0x02, 0x40, 0x0c, 0, 0x1a, 0x0b}), "");
}

TEST(ValidatorTest, Blocks) {
  EXPECT_EQ(Code({kI, kI}, {0x41, 0, 0x02, 1, 0x41, 1, 0x0b}), "");
  EXPECT_THAT(Code({kI, kI}, {0x02, 1, 0x41, 1, 0x0b}), HasSubstr("type mismatch"));
  EXPECT_THAT(Code({}, {0x02, 9, 0x0b}), HasSubstr("unknown type 9"));
  EXPECT_THAT(Code({}, {0x02, 0x41, 0x0b}), HasSubstr("malformed block type 0x41 at"));
  EXPECT_THAT(Code({}, {0x02, 0x63, 0x70, 0x0b}),
              HasSubstr("malformed block type 0x63 (typed function references, not supported)"));
  EXPECT_THAT(Code({}, {0x06, 0x40, 0x0b, 0x0b}),
              HasSubstr("illegal opcode 0x06 (exception handling, not supported)"));
  EXPECT_THAT(Code({}, {0x02, 0x40}), HasSubstr("unexpected end: END opcode expected"));
  EXPECT_THAT(Code({}, {0x0b}), HasSubstr("section size mismatch"));
  EXPECT_THAT(Code({}, {0x05}), HasSubstr("else without if"));
  EXPECT_EQ(Code({kI}, {0x41, 0, 0x04, kI, 0x41, 1, 0x05, 0x41, 2, 0x0b}), "");
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x04, kI, 0x41, 1, 0x0b}), HasSubstr("if without else"));
  EXPECT_THAT(Code({}, {0x41, 0, 0x04, 0x40, 0x05, 0x05, 0x0b}), HasSubstr("else without if"));
  EXPECT_THAT(Code({}, {0x42, 0, 0x04, 0x40, 0x0b}), HasSubstr("type mismatch"));
  // A block does not see the operands outside.
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x02, kI, 0x0b}), HasSubstr("type mismatch"));
}

TEST(ValidatorTest, Branches) {
  EXPECT_EQ(Code({kI}, {0x41, 0, 0x0c, 0}), "");
  EXPECT_EQ(Code({kI}, {0x41, 0, 0x0f}), "");
  EXPECT_THAT(Code({}, {0x0c, 1}), HasSubstr("unknown label 1"));
  EXPECT_THAT(Code({}, {0x41, 0, 0x0d, 1}), HasSubstr("unknown label 1"));
  EXPECT_THAT(Code({kI}, {0x0c, 0}), HasSubstr("type mismatch"));
  EXPECT_EQ(Code({}, {0x03, 0x40, 0x0c, 0, 0x0b}), "");
  EXPECT_EQ(Code({kI}, {0x03, kI, 0x0c, 0, 0x0b}), "");  // to a loop's beginning: no operand
  EXPECT_EQ(Code({}, {0x02, 0x40, 0x41, 0, 0x0e, 2, 0, 1, 0, 0x0b}), "");
  EXPECT_THAT(Code({}, {0x02, kI, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x1a}),
              HasSubstr("type mismatch: br_table label 0 expected 0 values, actual 1"));
  EXPECT_THAT(Code({kI}, {0x02, kL, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x1a}),
              HasSubstr("type mismatch: expected i64, actual i32"));
  EXPECT_EQ(Code({kI}, {0x02, kL, 0x00, 0x0e, 1, 0, 1, 0x0b, 0x1a, 0x00}), "");
  EXPECT_THAT(Code({}, {0x41, 0, 0x0e, 1, 3, 0}), HasSubstr("unknown label 3"));
  EXPECT_THAT(Code({}, Concat({{0x41, 0, 0x0e}, Leb(70'000), Bytes(70'001, 0)})),
              HasSubstr("br_table targets: 70000, at most 65520"));
}

TEST(ValidatorTest, Locals) {
  const auto check = [](const std::vector<Bytes>& locals, const Bytes& code) {
    return CheckSections(Around({kI, kL}, {}, locals, Concat({code, {0x0b}})));
  };
  EXPECT_EQ(check({}, {0x20, 0, 0xa7}).substr(0, 13), "type mismatch");
  EXPECT_EQ(check({}, {0x20, 1, 0xa7, 0x21, 0}), "");
  EXPECT_EQ(check({{2, kF}, {1, kD}}, {0x20, 3, 0x22, 2, 0x1a, 0x20, 4, 0x1a}), "");
  EXPECT_THAT(check({{2, kF}, {1, kD}}, {0x20, 5, 0x1a}),
              HasSubstr("unknown local 5: there are 5"));
  EXPECT_THAT(check({{2, kF}}, {0x20, 2, 0x21, 0}), HasSubstr("expected i32, actual f32"));
  // Far locals, which are not expanded.
  const std::vector<Bytes> many = {Concat({Leb(40'000), {kI}}), Concat({Leb(5'000), {kV}})};
  EXPECT_EQ(check(many, Concat({{0x20}, Leb(40'001), {0x21}, Leb(39'000)})), "");
  EXPECT_EQ(check(many, Concat({{0x20}, Leb(40'002), {0x21}, Leb(45'001)})), "");
  EXPECT_THAT(check(many, Concat({{0x20}, Leb(45'002), {0x1a}})), HasSubstr("unknown local 45002"));
  EXPECT_THAT(check({Concat({Leb(50'001), {kI}})}, {}), HasSubstr("too many locals: 50001"));
  EXPECT_THAT(check({Concat({Leb(49'999), {kI}})}, {}),
              HasSubstr("too many locals and parameters"));
  EXPECT_THAT(check({{1, kI}, Concat({Leb(0xffffffff), {kI}})}, {}), HasSubstr("too many locals"));
  EXPECT_THAT(check({{1, 0x40}}, {}), HasSubstr("malformed value type 0x40"));
}

TEST(ValidatorTest, Select) {
  EXPECT_EQ(Code({kF}, {0x43, 0, 0, 0, 0, 0x43, 0, 0, 0, 0, 0x41, 0, 0x1b}), "");
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x42, 0, 0x41, 0, 0x1b}), HasSubstr("type mismatch"));
  EXPECT_THAT(Code({kFunc}, {0xd0, kFunc, 0xd0, kFunc, 0x41, 0, 0x1b}), HasSubstr("type mismatch"));
  EXPECT_EQ(Code({kFunc}, {0xd0, kFunc, 0xd0, kFunc, 0x41, 0, 0x1c, 1, kFunc}), "");
  EXPECT_THAT(Code({}, {0x00, 0x1c, 0}), HasSubstr("invalid result arity"));
  EXPECT_THAT(Code({}, {0x00, 0x1c, 2, kI, kI}), HasSubstr("invalid result arity"));
}

TEST(ValidatorTest, CallsAndReferences) {
  EXPECT_EQ(Code({kL}, {0x41, 0, 0x42, 0, 0x10, 0}), "");
  EXPECT_THAT(Code({kL}, {0x41, 0, 0x10, 0}), HasSubstr("type mismatch"));
  EXPECT_THAT(Code({}, {0x10, 2}), HasSubstr("unknown function 2: there are 2"));
  EXPECT_EQ(Code({}, {0x41, 0, 0x11, 0, 0}), "");
  EXPECT_EQ(Code({}, {0x42, 0, 0x11, 0, 2}), "");  // 64-bit table
  EXPECT_THAT(Code({}, {0x41, 0, 0x11, 0, 2}),
              HasSubstr("type mismatch: expected i64, actual i32"));
  EXPECT_THAT(Code({}, {0x41, 0, 0x11, 0, 1}), HasSubstr("type mismatch: expected funcref"));
  EXPECT_THAT(Code({}, {0x41, 0, 0x11, 0, 3}), HasSubstr("unknown table 3"));
  EXPECT_THAT(Code({}, {0x41, 0, 0x11, 7, 0}), HasSubstr("unknown type 7"));
  EXPECT_EQ(Code({kL}, {0x41, 0, 0x42, 0, 0x12, 0}), "");
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x42, 0, 0x12, 0}), HasSubstr("type mismatch: tail call"));
  EXPECT_EQ(Code({kI}, {0x41, 0, 0x13, 3, 0}), "");
  EXPECT_EQ(Code({kFunc}, {0xd2, 0}), "");
  EXPECT_THAT(Code({kFunc}, {0xd2, 1}), HasSubstr("undeclared function reference 1"));
  EXPECT_THAT(Code({kFunc}, {0xd2, 2}), HasSubstr("unknown function 2"));
  EXPECT_THAT(Code({kFunc}, {0xd0, kI}), HasSubstr("malformed reference type"));
  EXPECT_THAT(Code({kI}, {0x41, 0, 0xd1}), HasSubstr("type mismatch: expected a reference"));
}

TEST(ValidatorTest, Globals) {
  EXPECT_EQ(Code({}, {0x23, 0, 0x24, 0}), "");
  EXPECT_THAT(Code({}, {0x23, 1, 0x24, 1}), HasSubstr("global is immutable"));
  EXPECT_THAT(Code({}, {0x23, 2}), HasSubstr("unknown global 2"));
  EXPECT_THAT(Code({}, {0x42, 0, 0x24, 0}), HasSubstr("type mismatch"));
}

TEST(ValidatorTest, Memory) {
  EXPECT_EQ(Code({kI}, {0x41, 0, 0x28, 2, 0}), "");
  EXPECT_EQ(Code({kI}, {0x42, 0, 0x28, 0x42, 1, 0}), "");  // memory 1
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x28, 0x42, 1, 0}), HasSubstr("expected i64, actual i32"));
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x28, 0x42, 2, 0}), HasSubstr("unknown memory 2"));
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x28, 3, 0}),
              HasSubstr("alignment must not be larger than natural"));
  EXPECT_THAT(Code({kI}, {0x41, 0, 0x28, 0x80, 1, 0}), HasSubstr("malformed memop flags"));
  EXPECT_THAT(Code({kI}, Concat({{0x41, 0, 0x28, 2}, Leb(uint64_t{1} << 32)})),
              HasSubstr("offset out of range"));
  EXPECT_EQ(Code({kI}, Concat({{0x42, 0, 0x28, 0x42, 1}, Leb(~uint64_t{0})})), "");
  EXPECT_EQ(Code({kI}, {0x3f, 0}), "");
  EXPECT_EQ(Code({kL}, {0x42, 1, 0x40, 1}), "");
  // memory.copy between a 32-bit and a 64-bit one: the length is 32-bit.
  EXPECT_EQ(Code({}, {0x42, 0, 0x41, 0, 0x41, 0, 0xfc, 10, 1, 0}), "");
  EXPECT_EQ(Code({}, {0x42, 0, 0x42, 0, 0x42, 0, 0xfc, 10, 1, 1}), "");
  EXPECT_THAT(Code({}, {0x42, 0, 0x41, 0, 0x42, 0, 0xfc, 10, 1, 0}), HasSubstr("type mismatch"));
  EXPECT_EQ(Code({}, {0x42, 0, 0x41, 0, 0x42, 0, 0xfc, 11, 1}), "");
  EXPECT_EQ(Code({}, {0x42, 0, 0x41, 0, 0x41, 0, 0xfc, 8, 0, 1, 0xfc, 9, 0}), "");
  EXPECT_THAT(Code({}, {0xfc, 9, 1}), HasSubstr("unknown data segment 1"));
  EXPECT_THAT(CheckSections(Around({}, {}, {}, {0xfc, 9, 0, 0x0b}, /*data_count=*/false)),
              HasSubstr("data count section required"));
}

TEST(ValidatorTest, Tables) {
  EXPECT_EQ(Code({kExtern}, {0x41, 0, 0x25, 1}), "");
  EXPECT_THAT(Code({kExtern}, {0x41, 0, 0x25, 0}), HasSubstr("type mismatch"));
  EXPECT_EQ(Code({kL}, {0xd0, kFunc, 0x42, 1, 0xfc, 15, 2}), "");
  EXPECT_EQ(Code({kL}, {0xfc, 16, 2}), "");
  EXPECT_EQ(Code({}, {0x42, 0, 0xd0, kFunc, 0x42, 0, 0xfc, 17, 2}), "");
  EXPECT_EQ(Code({}, {0x42, 0, 0x41, 0, 0x41, 0, 0xfc, 14, 2, 0}), "");
  EXPECT_THAT(Code({}, {0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 14, 0, 1}), HasSubstr("type mismatch"));
  EXPECT_EQ(Code({}, {0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 12, 0, 0, 0xfc, 13, 0}), "");
  EXPECT_THAT(Code({}, {0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 12, 0, 1}), HasSubstr("type mismatch"));
  EXPECT_THAT(Code({}, {0xfc, 13, 1}), HasSubstr("unknown elem segment 1"));
  EXPECT_THAT(Code({}, {0xfc, 16, 3}), HasSubstr("unknown table 3"));
}

TEST(ValidatorTest, Vectors) {
  const Bytes vector = Concat({{0xfd, 12}, Bytes(16, 1)});
  EXPECT_EQ(Code({kI}, Concat({vector, {0xfd, 21, 15}})), "");
  EXPECT_THAT(Code({kI}, Concat({vector, {0xfd, 21, 16}})), HasSubstr("invalid lane index 16"));
  EXPECT_THAT(Code({kL}, Concat({vector, {0xfd, 29, 2}})), HasSubstr("invalid lane index 2"));
  EXPECT_EQ(Code({kV}, Concat({vector, vector, {0xfd, 13}, Bytes(16, 31)})), "");
  EXPECT_THAT(Code({kV}, Concat({vector, vector, {0xfd, 13}, Bytes(16, 32)})),
              HasSubstr("invalid lane index 32"));
  EXPECT_EQ(Code({kV}, Concat({{0x41, 0}, vector, {0xfd, 87, 3, 0, 1}})), "");
  EXPECT_THAT(Code({kV}, Concat({{0x41, 0}, vector, {0xfd, 87, 3, 0, 2}})),
              HasSubstr("invalid lane"));
  EXPECT_THAT(Code({kV}, {0x41, 0, 0xfd, 0, 5, 0}), HasSubstr("alignment"));
  EXPECT_THAT(Code({kV}, {0xfd, 154, 1}), HasSubstr("illegal opcode 0xfd 0x9a"));
}

TEST(ValidatorTest, Atomics) {
  EXPECT_EQ(Code({kI}, {0x41, 0, 0xfe, 0x10, 2, 0}), "");
  EXPECT_THAT(Code({kI}, {0x41, 0, 0xfe, 0x10, 1, 0}), HasSubstr("alignment must be natural"));
  EXPECT_EQ(Code({}, {0xfe, 3, 0}), "");
  EXPECT_THAT(Code({}, {0xfe, 3, 1}), HasSubstr("zero byte expected"));
}

TEST(ValidatorTest, Only2_0) {
  const auto check = [](const Bytes& code) {
    return CheckSections({Section(1, Vector({FunctionType({}, {})})), Section(3, {1, 0}),
                          Section(5, Vector({{0, 1}})), Section(10, Vector({Body({}, code)}))},
                         Features::Wasm2());
  };
  EXPECT_EQ(check({0x3f, 0, 0x1a, 0x0b}), "");
  EXPECT_THAT(check({0x3f, 0x80, 0, 0x1a, 0x0b}), HasSubstr("zero byte expected"));
  EXPECT_THAT(check({0x41, 0, 0x28, 0x42, 0, 0, 0x1a, 0x0b}),
              HasSubstr("malformed memop flags 0x42"));
  EXPECT_THAT(check(Concat({{0x41, 0, 0x28, 2}, Leb(uint64_t{1} << 32), {0x1a, 0x0b}})),
              HasSubstr("integer too large"));
  EXPECT_THAT(check({0x12, 0, 0x0b}), HasSubstr("illegal opcode 0x12"));
  EXPECT_THAT(check({0x00, 0xfd, 0x80, 2, 0x0b}), HasSubstr("illegal opcode 0xfd 0x100"));
  EXPECT_THAT(check({0xfe, 3, 0, 0x0b}), HasSubstr("illegal opcode 0xfe 0x03"));
  EXPECT_THAT(check({0x00, 0xfc, 19, 0x0b}), HasSubstr("illegal opcode 0xfc 0x13"));
  EXPECT_THAT(CheckSections({Section(5, Vector({{0, 1}, {0, 1}}))}, Features::Wasm2()),
              HasSubstr("multiple memories"));
}

TEST(ValidatorTest, ConstantExpressions) {
  const auto global = [](uint8_t type, const Bytes& code, const Features& features = Features()) {
    return CheckSections(
        {Section(2, Vector({Concat({String("m"), String("c"), {3, kI, 0}}),
                            Concat({String("m"), String("v"), {3, kI, 1}})})),
         Section(6, Vector({{kI, 0, 0x41, 0, 0x0b}, Concat({{type, 0}, code, {0x0b}})}))},
        features);
  };
  EXPECT_EQ(global(kI, {0x23, 0}, Features::Wasm2()), "");
  EXPECT_THAT(global(kI, {0x23, 2}, Features::Wasm2()), HasSubstr("unknown global 2"));
  EXPECT_EQ(global(kI, {0x23, 2}), "");
  EXPECT_THAT(global(kI, {0x23, 3}), HasSubstr("unknown global 3"));  // itself
  EXPECT_THAT(global(kI, {0x23, 1}),
              HasSubstr("constant expression required: global 1 is mutable"));
  EXPECT_EQ(global(kI, {0x41, 1, 0x41, 2, 0x6a}), "");
  EXPECT_THAT(global(kI, {0x41, 1, 0x41, 2, 0x6a}, Features::Wasm2()),
              HasSubstr("constant expression required"));
  EXPECT_THAT(global(kI, {0x41, 1, 0x42, 2, 0x6a}), HasSubstr("type mismatch"));
  EXPECT_THAT(global(kI, {0x6a}), HasSubstr("type mismatch"));
  EXPECT_THAT(global(kI, {}), HasSubstr("expected i32, actual 0 values"));
  EXPECT_THAT(global(kI, {0x41, 0, 0x41, 0}), HasSubstr("actual 2 values"));
  EXPECT_THAT(global(kL, {0x41, 0}), HasSubstr("type mismatch"));
  EXPECT_THAT(global(kI, {0x01, 0x41, 0}), HasSubstr("constant expression required, actual nop"));
  EXPECT_THAT(global(kI, {0x02, 0x40, 0x0b, 0x41, 0}), HasSubstr("constant expression required"));
  EXPECT_EQ(global(kV, Concat({{0xfd, 12}, Bytes(16, 0)})), "");
  EXPECT_THAT(global(kFunc, {0xd2, 0}), HasSubstr("unknown function 0"));
}

TEST(ValidatorTest, LimitsOfMemoriesAndTables) {
  const auto memory = [](const Bytes& limits) {
    return CheckSections({Section(5, Vector({limits}))});
  };
  EXPECT_EQ(memory(Concat({{0}, Leb(65536)})), "");
  EXPECT_THAT(memory(Concat({{0}, Leb(65537)})),
              HasSubstr("memory size must be at most 65536 pages (4GiB)"));
  EXPECT_THAT(memory(Concat({{1, 0}, Leb(65537)})), HasSubstr("memory size must be at most 65536"));
  EXPECT_EQ(memory(Concat({{4}, Leb(uint64_t{1} << 48)})), "");
  EXPECT_THAT(memory(Concat({{4}, Leb((uint64_t{1} << 48) + 1)})),
              HasSubstr("memory size must be at most"));
  EXPECT_THAT(memory({1, 2, 1}),
              HasSubstr("size minimum must not be greater than maximum: 2 and 1"));
  EXPECT_THAT(memory({2, 1}), HasSubstr("shared memory must have maximum"));
  EXPECT_THAT(CheckSections({Section(4, Vector({{kFunc, 1, 2, 1}}))}),
              HasSubstr("size minimum must not be greater than maximum"));
}

TEST(ValidatorTest, IndicesOfAModule) {
  const Bytes types = Section(1, Vector({FunctionType({}, {}), FunctionType({kI}, {})}));
  const Bytes functions = Section(3, {2, 0, 1});
  const Bytes code = Section(10, Vector({Body({}, {0x0b}), Body({}, {0x0b})}));
  const auto check = [&](const std::vector<Bytes>& more) {
    return CheckSections({types, functions, Concat(more), code});
  };
  const auto exported = [](std::string_view name, uint8_t kind, uint8_t index) {
    return Concat({String(name), {kind, index}});
  };
  EXPECT_THAT(CheckSections({types, Section(3, {1, 2}), Section(10, Vector({Body({}, {0x0b})}))}),
              HasSubstr("unknown type 2"));
  EXPECT_EQ(check({Section(7, Vector({exported("a", 0, 0), exported("b", 0, 0)}))}), "");
  EXPECT_THAT(check({Section(7, Vector({exported("a", 0, 0), exported("a", 0, 1)}))}),
              HasSubstr("duplicate export name \"a\""));
  EXPECT_THAT(check({Section(7, Vector({exported("a", 0, 2)}))}), HasSubstr("unknown function 2"));
  EXPECT_THAT(check({Section(7, Vector({exported("a", 1, 0)}))}), HasSubstr("unknown table 0"));
  EXPECT_THAT(check({Section(7, Vector({exported("a", 2, 0)}))}), HasSubstr("unknown memory 0"));
  EXPECT_THAT(check({Section(7, Vector({exported("a", 3, 0)}))}), HasSubstr("unknown global 0"));
  EXPECT_EQ(check({Section(8, {0})}), "");
  EXPECT_THAT(check({Section(8, {1})}), HasSubstr("start function must have neither"));
  EXPECT_THAT(check({Section(8, {2})}), HasSubstr("unknown function 2"));
  EXPECT_THAT(check({Section(9, {1, 0, 0x41, 0, 0x0b, 0})}), HasSubstr("unknown table 0"));
  EXPECT_THAT(check({Section(9, {1, 1, 0, 1, 2})}), HasSubstr("unknown function 2"));
  EXPECT_THAT(check({Section(4, {1, kExtern, 0, 1}), Section(9, {1, 0, 0x41, 0, 0x0b, 0})}),
              HasSubstr("type mismatch: element segment, expected externref, actual funcref"));
  EXPECT_THAT(check({Section(4, {1, kFunc, 0, 1}), Section(9, {1, 0, 0x42, 0, 0x0b, 0})}),
              HasSubstr("type mismatch: constant expression, expected i32, actual i64"));
  EXPECT_THAT(CheckSections({Section(11, {1, 0, 0x41, 0, 0x0b, 0})}),
              HasSubstr("unknown memory 0"));
}

// Every instruction with a fixed type is accepted with its operands, gives its results, and lacks
// them without.
TEST(ValidatorTest, EveryInstructionOfTheTable) {
  const auto type_of = [](char letter) -> uint8_t {
    return letter == 'l' ? kL : letter == 'f' ? kF : letter == 'd' ? kD : letter == 'v' ? kV : kI;
  };
  for (const OpInfo& info : kOpInfo) {
    if (info.params == "*") continue;
    Bytes params, results, code;
    for (const char letter : info.params) {
      code.insert(code.end(), {0x20, static_cast<uint8_t>(params.size())});
      params.push_back(type_of(letter));
    }
    for (const char letter : info.results) results.push_back(type_of(letter));
    if (info.prefix != 0) code.push_back(info.prefix);
    code =
        Concat({code, info.prefix != 0 ? Leb(info.code) : Bytes{static_cast<uint8_t>(info.code)}});
    switch (info.immediate) {
      case Immediate::kMemArg:
        code.insert(code.end(), {info.natural_align, 0});
        break;
      case Immediate::kMemArgLane:
        code.insert(code.end(), {info.natural_align, 0, 0});
        break;
      case Immediate::kTwoIndices:
        code.insert(code.end(), {0, 0});
        break;
      case Immediate::kF32:
        code.resize(code.size() + 4);
        break;
      case Immediate::kF64:
        code.resize(code.size() + 8);
        break;
      case Immediate::kV128:
        code.resize(code.size() + 16);
        break;
      case Immediate::kNone:
        break;
      default:
        code.push_back(0);
    }
    code.push_back(0x0b);
    EXPECT_EQ(CheckSections(Around(params, results, {}, code)), "") << info.text;
    if (!params.empty()) {
      const Bytes lacking(code.begin() + 2, code.end());
      EXPECT_THAT(CheckSections(Around(params, results, {}, lacking)), HasSubstr("type mismatch"))
          << info.text;
    }
    if (info.feature != Feature::kCore) {
      const Bytes bytes =
          testing::Module({Section(1, Vector({FunctionType(params, results)})), Section(3, {1, 0}),
                           Section(5, {1, 0, 1}), Section(10, Vector({Body({}, code)}))});
      EXPECT_EQ(Check(bytes, Features()), absl::OkStatus()) << info.text;
      EXPECT_THAT(std::string(Check(bytes, Features::Wasm2()).message()),
                  HasSubstr("illegal opcode"))
          << info.text;
    }
  }
}

TEST(ValidatorTest, Nesting) {
  const auto nested = [](size_t depth) {
    Bytes code;
    for (size_t i = 0; i < depth; ++i) code.insert(code.end(), {0x02, 0x40});
    return Concat({code, Bytes(depth, 0x0b)});
  };
  EXPECT_EQ(Code({}, nested(50'000)), "");
  EXPECT_THAT(Code({}, nested(50'001)), HasSubstr("nested blocks"));
}

// Bodies whose checking would take quadratic time if done without care. A minute is what they would
// take.
TEST(ValidatorTest, HostileBodiesTakeLinearTime) {
  const auto start = std::chrono::steady_clock::now();
  const Bytes thousand(1000, kI);
  {
    // br_tables of very many targets, all with a thousand operands.
    Bytes table = Concat({{0x0e}, Leb(65'520), Bytes(65'521, 0)});
    Bytes code = {0x00};
    for (int i = 0; i < 20; ++i) code = Concat({code, table});
    EXPECT_EQ(CheckSections(Around({}, thousand, {}, Concat({code, {0x0b}}))), "");
  }
  {
    // Tens of thousands of small functions with tens of thousands of locals each.
    const Bytes body = Body({Concat({Leb(49'000), {kI}})}, {0x20, 0, 0x1a, 0x0b});
    const size_t count = 50'000;
    std::vector<Bytes> bodies(count, body);
    EXPECT_EQ(CheckSections({Section(1, Vector({FunctionType({}, {})})),
                             Section(3, Concat({Leb(count), Bytes(count, 0)})),
                             Section(10, Vector(bodies))}),
              "");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(ValidatorTest, FirstFaultWhateverTheThreads) {
  std::vector<Bytes> bodies(2000, Body({}, {0x0b}));
  bodies[700] = Body({}, {0x1a, 0x0b});
  bodies[701] = Body({}, {0x20, 0, 0x0b});
  bodies[1999] = Body({}, {0xff, 0x0b});
  const Bytes bytes = testing::Module({Section(1, Vector({FunctionType({}, {})})),
                                       Section(3, Concat({Leb(2000), Bytes(2000, 0)})),
                                       Section(10, Vector(bodies))});
  const absl::Status one = Check(bytes, Features(), 1);
  EXPECT_THAT(std::string(one.message()), HasSubstr("(drop)"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Check(bytes, Features(), 4), one);
}

TEST(ValidatorTest, Mutations) {
  const std::vector<Bytes> corpus = testing::BuiltInModules();
  int accepted = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    testing::Verdict verdict;
    const absl::Status status = testing::CheckVerdicts(testing::Mutate(corpus, seed), verdict);
    ASSERT_TRUE(status.ok()) << seed << ": " << status;
    accepted += verdict.accepted ? 1 : 0;
  }
  // Else the mutations are too crude to reach what lies behind the validator.
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace precast::wasm
