// Vector instructions, one or more of each kind, and the table's shape.

#include "runtime/wasm/interpreter/simd.h"

#include <cstdint>
#include <ios>
#include <ostream>
#include <string_view>

#include "gtest/gtest.h"
#include "runtime/wasm/interpreter/interpreter.h"
#include "runtime/wasm/interpreter/slot.h"
#include "runtime/wasm/interpreter/test_instance.h"

namespace precast::runtime::wasm::interpreter {
namespace {

using testing::kV128;

struct V {
  uint64_t low = 0, high = 0;
  bool operator==(const V&) const = default;
};
void PrintTo(const V& v, std::ostream* out) { *out << std::hex << v.high << ":" << v.low; }

V Apply(uint32_t number, const V& a, const V& b = {}, const V& c = {}, uint32_t lane = 0) {
  const SimdOperation* const operation = FindSimdOperation(number);
  if (operation == nullptr) {
    ADD_FAILURE() << number;
    return {};
  }
  Slot slots[3];
  Put(slots[0], a);
  Put(slots[1], b);
  Put(slots[2], c);
  operation->run(slots, lane);
  V result = Get<V>(slots[0]);
  if (operation->result != 'v') result.high = 0;
  return result;
}

TEST(SimdTest, TableIsComplete) {
  int operations = 0, relaxed = 0;
  for (uint32_t i = 0; i < 0x1000; ++i) {
    const SimdOperation* const operation = FindSimdOperation(i);
    if (operation == nullptr) continue;
    (i < 0x100 ? operations : relaxed)++;
    const std::string_view operands = operation->operands;
    EXPECT_GE(operands.size(), 1u);
    EXPECT_LE(operands.size(), 3u);
    EXPECT_EQ(operands.find_first_not_of("vilfd"), std::string_view::npos) << i;
    EXPECT_NE(std::string_view("vilfd").find(operation->result), std::string_view::npos) << i;
  }
  // 236 of the standard, without 22 that access memory, v128.const and i8x16.shuffle.
  EXPECT_EQ(operations, 236 - 24);
  EXPECT_EQ(relaxed, 20);
}

struct Case {
  uint32_t number;
  V a, b, c, result;
  uint32_t lane = 0;
};

constexpr uint64_t kOnes = ~uint64_t{0};

TEST(SimdTest, IntegerLanes) {
  const V bytes = {0x8786858483828180, 0x0706050403020100};
  for (const Case& c : {
           Case{0x0e, bytes, {0x100f0f00ff010203, 0}, {}, {0x0007078000818283, 0x8080808080808080}},
           Case{0x0f, {0x1234, 0}, {}, {}, {0x3434343434343434, 0x3434343434343434}},
           Case{0x15, bytes, {}, {}, {0xffffff83, 0}, 3},
           Case{0x16, bytes, {}, {}, {0x83, 0}, 3},
           Case{0x1d, bytes, {}, {}, {0x0706050403020100, 0}, 1},
           Case{0x17, {}, {0x1ff, 0}, {}, {0, 0xff00}, 9},
           Case{0x25, {0x80, 0}, {1, 0}, {}, {0xff, 0}},
           Case{0x26, {0x80, 0}, {1, 0}, {}, {0, 0}},
           Case{0xd6, {1, 2}, {1, 3}, {}, {kOnes, 0}},
           Case{0xdb, {uint64_t{1} << 63, 3}, {0, 3}, {}, {0, kOnes}},
           Case{0x52, {0xff00, 1}, {0x00ff, 2}, {0xf0f0, kOnes}, {0xf00f, 1}},
           Case{0x53, {0, 1}, {}, {}, {1, 0}},
           Case{0x60, {0x80ff, 0}, {}, {}, {0x8001, 0}},
           Case{0x62, {0xff03, 0}, {}, {}, {0x0802, 0}},
           Case{0x63, {kOnes, kOnes - 0xff}, {}, {}, {0, 0}},
           Case{0x63, {kOnes, kOnes}, {}, {}, {1, 0}},
           Case{0x64, {0x80, uint64_t{1} << 63}, {}, {}, {0x8001, 0}},
           Case{0xc4, {0, kOnes}, {}, {}, {2, 0}},
           Case{0x65, {0x8000007f00801234, 0}, {0xffff, 0}, {}, {0x807f7f7f, 0xff}},
           Case{0x66, {0x8000007f01801234, 0}, {0xffff, 0}, {}, {0x007fffff, 0}},
           Case{0x6b, {0x8181, 0}, {9, 0}, {}, {0x0202, 0}},
           Case{0x6c, {0x8081, 0}, {1, 0}, {}, {0xc0c0, 0}},
           Case{0xcd, {uint64_t{1} << 63, 4}, {65, 0}, {}, {uint64_t{1} << 62, 2}},
           Case{0x6e, {0xff01, 0}, {0x0102, 0}, {}, {0x0003, 0}},
           Case{0x6f, {0x807f, 0}, {0xff01, 0}, {}, {0x807f, 0}},
           Case{0x73, {0x0105, 0}, {0x0203, 0}, {}, {0x0002, 0}},
           Case{0x7b, {0x0102, 0}, {0x0205, 0}, {}, {0x0204, 0}},
           Case{0x82, {0x80007fff, 0}, {0x80007fff, 0}, {}, {0x7fff7ffe, 0}},
           Case{0x88, {0, 0xff80}, {}, {}, {0xffffff80, 0}},
           Case{0x9f, {0, 0xffff}, {0, 0x02ff}, {}, {0x01fefe01, 0}},
           Case{0xde, {0xffffffff, 0}, {0xffffffff, 0}, {}, {0xfffffffe00000001, 0}},
           Case{
               0xba, {0x8000800000020003, 0}, {0x8000800000040005, 0}, {}, {0x8000000000000017, 0}},
           Case{0x7c, {0x0180ff80, 0}, {}, {}, {0xff81ff7f, 0}},
           Case{0xd5, {3, kOnes}, {uint64_t{1} << 63, 5}, {}, {uint64_t{1} << 63, kOnes - 4}},
           Case{0x112, {0x8080, 0}, {0x8080, 0}, {}, {0x8000, 0}},
           Case{0x113, {0x01028080, 0}, {0x03048080, 0}, {5, 0}, {0xffff8010, 0}},
       }) {
    EXPECT_EQ(Apply(c.number, c.a, c.b, c.c, c.lane), c.result) << std::hex << c.number;
  }
}

TEST(SimdTest, FloatLanes) {
  constexpr uint64_t kOne = 0x3f800000, kTwo = 0x40000000, kThree = 0x40400000,
                     kMinus = uint64_t{1} << 31;
  for (const Case& c : {
           Case{0x41,
                {kOne << 32 | 0x7fc00000, 0},
                {kOne << 32 | 0x7fc00000, 0},
                {},
                {uint64_t{0xffffffff} << 32, kOnes}},
           Case{0xe4,
                {kTwo << 32 | kOne, 0},
                {kOne << 32 | kTwo, 0},
                {},
                {kThree << 32 | kThree, 0}},
           Case{0xe7, {kOne, 0x7f800001}, {0, kOne}, {}, {0xffc000007f800000, 0xffc000007fc00001}},
           Case{0xe8, {kMinus, kOne}, {0, 0x7fa00000}, {}, {kMinus, 0x7fe00000}},
           Case{0xea, {kMinus, kOne}, {0, 0x7fa00000}, {}, {kMinus, kOne}},
           Case{0xeb, {0, 0x7fa00000}, {kMinus, kOne}, {}, {0, 0x7fa00000}},
           Case{0x6a,
                {0x40200000 | (uint64_t{0xbf000000} << 32), 0},
                {},
                {},
                {kTwo | (kMinus << 32), 0}},
           Case{0xf8,
                {0xcf800000 | (uint64_t{0x7fc00000} << 32), 0x4f800000},
                {},
                {},
                {0x80000000, 0x7fffffff}},
           Case{0xfd, {0x41efffffffe00000, 0xbff0000000000000}, {}, {}, {0xffffffff, 0}},
           Case{
               0xff, {0x00000002ffffffff, kOnes}, {}, {}, {0x41efffffffe00000, 0x4000000000000000}},
           Case{0x5e,
                {0x3ff0000000000000, 0x7ff0000000000001},
                {},
                {},
                {uint64_t{0x7fc00000} << 32 | kOne, 0}},
           Case{0x5f, {kTwo << 32 | kOne, kOnes}, {}, {}, {0x3ff0000000000000, 0x4000000000000000}},
           // 2 * 3 + 1 and 1 - 2 * 3
           Case{0x105, {kTwo, 0}, {kThree, 0}, {kOne, 0}, {0x40e00000, 0}},
           Case{0x106, {kTwo, 0}, {kThree, 0}, {kOne, 0}, {0xc0a00000, 0}},
       }) {
    EXPECT_EQ(Apply(c.number, c.a, c.b, c.c, c.lane), c.result) << std::hex << c.number;
  }
}

TEST(SimdTest, ThroughTheDecoder) {
  // i8x16.shuffle, then v128.or with what f32x4.div gives under the option for canonical NaNs.
  const Bytes zero = {0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const Bytes code = Code({Bytes{0x20, 0,  0x20, 0,  0xfd, 0x0d, 31, 30, 29, 28, 27,
                                 26,   25, 24,   23, 22,   21,   20, 19, 18, 17, 16},
                           zero,
                           zero,
                           {0xfd, 0xe7, 1, 0xfd, 0x50}});
  TestInstance instance(Single({kV128}, {kV128}, {0}, code).Build(), {.canonical_nans = true});
  for (uint8_t i = 0; i < 16; ++i) instance.values[0].bytes[i] = i;
  ASSERT_EQ(instance.Run(0, instance.values).kind, InterpreterStop::Kind::kReturned);
  const V expected = {0x08090a0b0c0d0e0f | 0x7fc000007fc00000,
                      0x0001020304050607 | 0x7fc000007fc00000};
  EXPECT_EQ(Get<V>(instance.values[0]), expected);
}

}  // namespace
}  // namespace precast::runtime::wasm::interpreter
