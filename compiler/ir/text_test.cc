// Printer and parser: exact round trips, precise errors, and no crash on damaged text.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/parser.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/random.h"
#include "compiler/ir/verifier.h"
#include "gtest/gtest.h"

namespace precast::ir {
namespace {

// Everything the text form knows.
constexpr char kAll[] =
    R"(function "all \"of\" it"(i32, i64) -> (i32) guest entries block3, block0 {
block0(v0: i32, v1: i64) pc 0x10000:
  v2 = iconst.i32 -5
  v3 = iconst.i64 -9223372036854775808
  v4 = fconst.f32 0x3f800000
  v5 = fconst.f64 0x3ff0000000000000
  v6 = sumulhi.i64 v1, v3
  v7 = icmp.i64 ule v1, v6
  v8 = select.f64 v7, v5, v5
  v9 = extend_s8.i32 v0
  v10 = wrap.i64 v1
  meter 3 @0x10000 refund 3
  v11 = load.i32 u8 v0 + 12 @0x10008 refund 3
  v12 = load.v128 128 v0 @0x10008
  store.i64 64 v0 - 2147483648, v1 @0x1000c refund 1
  v13 = load_state x10
  store_state x255, v13
  defer_state x10, v11
  charge -7
  meter_check 100 @0x10010
  trap_if v7, 4 @0x10010 refund 1
  v14: i32, v15: i64 = call @f66012(v0, v1) @0x10014
  call_dispatch v0(v0) @0x10018
  v16: i32 = call_runtime 3() @0x1001c
  br_if v16, block2(v3, v14), block1 cold

block1 cold pc 0x10010 depth 2 state[x1=v20, x10=v2]:
  br_table v0, [block4, block4, block5]

block2(v17: i64, v18: i32):
  br block1

block3(v19: i32, v20: i64):
  ret v19

block4:
  tail_call @f0(v0, v1) @0x10020 refund 1

block5:
  tail_dispatch v0(v0, v1)

block6:
  trap 2 @0x0
}
)";

TEST(TextTest, RoundTripsEverything) {
  const absl::StatusOr<Function> f = Parse(kAll);
  ASSERT_TRUE(f.ok()) << f.status();
  EXPECT_EQ(Print(*f), kAll);
  EXPECT_EQ(f->entries()[0], Block(3));
}

// The operations of WebAssembly.
constexpr char kWasm[] =
    R"(function "wasm"(i32, i64, f32, f64, v128) -> (v128) wasm entries block0 {
block0(v0: i32, v1: i64, v2: f32, v3: f64, v4: v128):
  v5 = vconst 0x000102030405060708090a0b0c0d0eff
  v6 = shuffle v4, v5, 0x1f0102030405060708090a0b0c0d0e10
  v7 = simd.i32x4.add v4, v6
  v8 = simd.i8x16.extract_lane_s v7, 15
  v9 = simd.f64x2.replace_lane v7, v3, 1
  v10 = simd.v128.any_true v9
  v11 = simd.v128.bitselect v4, v5, v6
  v12 = sdiv_total.i32 v0, v8 guarded
  v13 = clz.i64 v1
  v14 = fadd.f32 v2, v2
  v15 = fsqrt.f64 v3
  v16 = fcmp.f64 lt v3, v15
  v17 = f_to_s.i64 v2
  v18 = f_to_u.i32 v3 in_range
  v19 = u_to_f.f32 v17
  v20 = fpromote.f64 v2
  v21 = bitcast.i32 v2
  v22 = select.v128 v16, v4, v5
  v23 = load_at.f32 u32 v1, v13 + 8 @0x10
  store_at.v128 128 v1, v13 - 8, v22 @0x11 refund 2
  v24 = atomic_rmw.i64 xchg u16 v1, v13, v1 @0x12
  v25 = atomic_cmpxchg.i32 u8 v1, v13, v0, v12 @0x13
  fence
  v26 = context_address -16
  v27 = load_context.v128 128 4096
  store_context.f64 64 8, v3
  v28 = load_host.i64 64 v26 + 24
  store_host.i32 u32 v26 - 4, v0
  v29: f32, v30: v128 = call_pointer v28, v26, v0(v2, v4) @0x14
  br_if v10, block1, block2

block1:
  tail_pointer v28, v26, v0(v0, v1, v2, v3, v4)

block2:
  ret v30
}
)";

TEST(TextTest, RoundTripsWebAssembly) {
  const absl::StatusOr<Function> f = Parse(kWasm);
  ASSERT_TRUE(f.ok()) << f.status();
  EXPECT_EQ(Print(*f), kWasm);
  EXPECT_TRUE(Verify(*f).ok()) << Verify(*f);
  EXPECT_EQ(f->signature().conv, CallConv::kWasm);
}

TEST(TextTest, RoundTripsRandomFunctions) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Function f = RandomFunction(seed, {.wasm = seed % 2 != 0});
    const std::string text = Print(f);
    const absl::StatusOr<Function> parsed = Parse(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << text;
    ASSERT_EQ(Print(*parsed), text);
    ASSERT_TRUE(Verify(*parsed).ok()) << Verify(*parsed);
  }
}

TEST(TextTest, KeepsNumbersWithGaps) {
  constexpr char kText[] = R"(function "f"(i32) -> () guest entries block0 {
block0(v7: i32):
  v3 = add.i32 v7, v7
  ret
}
)";
  const absl::StatusOr<Function> f = Parse(kText);
  ASSERT_TRUE(f.ok()) << f.status();
  EXPECT_EQ(Print(*f), kText);
  EXPECT_EQ(f->num_values(), 8u);
  EXPECT_TRUE(Verify(*f).ok()) << Verify(*f);
}

TEST(TextTest, AcceptsCommentsSpacesAndSeveralFunctions) {
  const absl::StatusOr<std::vector<Function>> f = ParseFunctions(
      "// a\nfunction \"f\" ( ) -> ( ) guest { block0 : ret // b\n}"
      "function \"g\"()->()guest{block0:ret}");
  ASSERT_TRUE(f.ok()) << f.status();
  EXPECT_EQ(f->size(), 2u);
}

struct ErrorCase {
  const char* text;
  const char* error;
};

TEST(TextTest, SaysWhatIsWrongAndWhere) {
  const std::string head = "function \"f\"(i32) -> () guest entries block0 {\nblock0(v0: i32):\n";
  const ErrorCase kCases[] = {
      {"  v1 = add.i32 v0, v9\n  ret\n}", "line 3, column 20: v9 is not defined"},
      {"  v0 = add.i32 v0, v0\n  ret\n}", "line 3, column 3: v0 is defined twice"},
      {"  v1 = frob.i32 v0\n}", "line 3, column 8: expected an instruction, found 'frob.i32'"},
      {"  v1 = add v0, v0\n}", "line 3, column 8: add needs a type"},
      {"  ret.i32\n}", "line 3, column 3: ret takes no type"},
      {"  v1 = add.i31 v0, v0\n}",
       "line 3, column 8: expected a type after the '.', found 'add.i31'"},
      {"  br block1\n}", "line 3, column 6: block1 is not defined"},
      {"  ret\nblock2:\n  ret\n}",
       "line 4, column 1: blocks come in order: expected block1, found block2"},
      {"  v1 = iconst.i32 4294967295\n}", "line 3, column 19: constant is not an i32: 4294967295"},
      {"  v1 = icmp.i32 lt v0, v0\n}", "line 3, column 17: expected a condition, found 'lt'"},
      {"  trap 2\n}",
       "line 4, column 1: expected the site of trap ('@' and a guest pc), found '}'"},
      {"  trap 256 @0x0\n}", "line 3, column 8: a trap code must be at most 255, found 256"},
      {"  store_state x256, v0\n}", "line 3, column 15: state slot must be at most 255, found 256"},
      {"  v4294967294 = add.i32 v0, v0\n}",
       "line 3, column 3: value number 4294967294 is out of proportion to the text"},
      {"  v1, v2 = add.i32 v0, v0\n}", "line 3, column 12: add has 1 results, found 2"},
      {"  v1 = call @f1() @0x0\n}", "line 3, column 3: results of calls name their type"},
      {"  v1: i32, v3: i32 = call @f1() @0x0\n}",
       "line 3, column 12: numbers of an instruction's results must be consecutive"},
      {"  v1 = simd.i32x4.frob v0\n}",
       "line 3, column 8: expected a vector operation after the '.', found 'simd.i32x4.frob'"},
      {"  v1 = simd.i32x4.extract_lane v0, 4\n}",
       "line 3, column 36: a lane must be at most 3, found 4"},
      {"  v1 = vconst 0x0001\n}",
       "line 3, column 15: expected 16 bytes (0x and 32 digits), found '0x0001'"},
      {"  ret", "line 3, column 6: expected an instruction, found the end of the text"},
  };
  for (const ErrorCase& c : kCases) {
    const absl::StatusOr<Function> f = Parse(head + c.text);
    ASSERT_FALSE(f.ok()) << c.text;
    EXPECT_EQ(f.status().message(), c.error) << c.text;
  }
  EXPECT_EQ(Parse("").status().message(), "expected one function, found 0");
  EXPECT_EQ(Parse("function \"abc").status().message(), "line 1, column 10: string without end");
}

// Damaged text gives an error or a function that the verifier and the printer survive.
TEST(TextTest, SurvivesDamage) {
  std::mt19937_64 random(1);
  int parsed = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string text = i % 4 == 0   ? kAll
                       : i % 4 == 1 ? kWasm
                                    : Print(RandomFunction(random() % 50, {.wasm = i % 4 == 2}));
    const int edits = 1 + static_cast<int>(random() % 4);
    for (int k = 0; k < edits && !text.empty(); ++k) {
      const size_t at = random() % text.size();
      switch (random() % 5) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text[at] = "0123456789vx@().,:"[random() % 18];
          break;
        case 2:
          text.erase(at, 1 + random() % 10);
          break;
        case 3:
          text.insert(at, text.substr(random() % text.size(), random() % 30));
          break;
        default:
          text.resize(at);
          break;
      }
    }
    const absl::StatusOr<std::vector<Function>> functions = ParseFunctions(text);
    if (!functions.ok()) continue;
    for (const Function& f : *functions) {
      ++parsed;
      Verify(f).IgnoreError();
      const std::string again = Print(f);
      const absl::StatusOr<Function> reparsed = Parse(again);
      ASSERT_TRUE(reparsed.ok()) << reparsed.status() << "\n" << again;
      ASSERT_EQ(Print(*reparsed), again);
    }
  }
  EXPECT_GT(parsed, 50);  // some damage is in names and numbers only
}

}  // namespace
}  // namespace precast::ir
