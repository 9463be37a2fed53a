// Breaks every rule that the verifier states, one at a time.
#include "compiler/ir/verifier.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/parser.h"
#include "gtest/gtest.h"

namespace precast::ir {
namespace {

Function MustParse(const std::string& text) {
  absl::StatusOr<Function> f = Parse(text);
  EXPECT_TRUE(f.ok()) << f.status() << "\n" << text;
  return f.ok() ? *std::move(f) : Function("", {});
}

// A function (i32, i64) -> (i32) whose entry, with parameters v0 and v1, goes on with `body`.
Function Body(const std::string& body) {
  return MustParse(
      absl::StrCat("function \"f\"(i32, i64) -> (i32) guest entries block0 {\n"
                   "block0(v0: i32, v1: i64):\n",
                   body, "\n}"));
}

void ExpectViolation(const Function& f, const std::string& rule, const std::string& message) {
  const absl::Status status = Verify(f);
  EXPECT_TRUE(absl::StartsWith(status.message(), rule + ": ")) << rule << " " << message << "\n"
                                                               << status;
  EXPECT_TRUE(absl::StrContains(status.message(), message)) << status;
}

void ExpectViolation(const std::string& body, const std::string& rule, const std::string& message) {
  SCOPED_TRACE(body);
  ExpectViolation(Body(body), rule, message);
}

TEST(VerifierTest, AcceptsGoodFunctions) {
  EXPECT_TRUE(Verify(Body("ret v0")).ok());
  const absl::Status status = Verify(Body(R"(
  v2 = iconst.i32 1
  br block1(v2)
block1(v3: i32) state[x5=v3, x6=v0]:
  v4 = add.i32 v3, v0
  meter 2 @0x4 refund 2
  br_if v4, block1(v4), block2 cold
block2:
  ret v4)"));
  EXPECT_TRUE(status.ok()) << status;
}

TEST(VerifierTest, V1Entries) {
  ExpectViolation(MustParse("function \"f\"() -> () guest {\nblock0:\n ret\n}"), "V1", "no entry");
  ExpectViolation(
      MustParse("function \"f\"() -> () guest entries block0, block0 {\nblock0:\n ret\n}"), "V1",
      "named twice");
  ExpectViolation("br block0(v0, v1)", "V1", "a jump to an entry");
  ExpectViolation(MustParse("function \"f\"(i32) -> () guest entries block0 {\n"
                            "block0(v0: i32) state[x1=v0]:\n ret\n}"),
                  "V1", "deferred state");
}

TEST(VerifierTest, V2EntryParameters) {
  ExpectViolation(
      MustParse("function \"f\"(i32) -> () guest entries block0 {\nblock0(v0: i64):\n ret\n}"),
      "V2", "differ from the signature");
  ExpectViolation(MustParse("function \"f\"(i32) -> () guest entries block0 {\nblock0:\n ret\n}"),
                  "V2", "differ from the signature");
}

TEST(VerifierTest, V3Terminators) {
  ExpectViolation("v2 = iconst.i32 1", "V3", "no terminator");
  ExpectViolation("br block1\ncharge 1\nblock1:\n ret v0", "V3", "not the last");
  Function f = Body("br block1\nblock1:\nret v0");
  f.block(Block(1)).insts.clear();
  ExpectViolation(f, "V3", "empty");
}

TEST(VerifierTest, V4OnePlace) {
  Function f = Body("charge 1\nret v0");
  f.block(Block(0)).insts.insert(f.block(Block(0)).insts.begin(), f.block(Block(0)).insts[0]);
  ExpectViolation(f, "V4", "two places");
}

TEST(VerifierTest, V5Definitions) {
  Function f = Body("v2 = iconst.i32 1\nret v2");
  f.block(Block(0)).insts.erase(f.block(Block(0)).insts.begin());
  ExpectViolation(f, "V5", "v2 is not defined");
  Function g = Body("ret v0");
  g.mutable_args(g.terminator(Block(0)))[0] = Value(77);
  ExpectViolation(g, "V5", "v77 is not defined");
  Function h = Body("br block1(v0)\nblock1(v2: i32):\nret v2");
  h.RemoveParam(Block(1), 0);
  h.mutable_edges(h.terminator(Block(0)))[0].args.clear();
  ExpectViolation(h, "V5", "v2 is not defined");
  Function k = Body("ret v0");
  k.block(Block(0)).params.push_back(Value(0));
  ExpectViolation(k, "V5", "defined twice");
}

TEST(VerifierTest, V6Dominance) {
  ExpectViolation("v2 = add.i32 v0, v3\nv3 = add.i32 v0, v0\nret v2", "V6", "v3 does not dominate");
  ExpectViolation(
      "br_if v0, block1, block2\nblock1:\nv2 = iconst.i32 1\nbr block3\nblock2:\nbr block3\n"
      "block3:\nret v2",
      "V6", "v2 does not dominate");
  ExpectViolation("br block1(v2)\nblock1(v2: i32):\nret v2", "V6", "v2 does not dominate");
  // Reached from two entries, so that neither dominates.
  ExpectViolation(MustParse("function \"f\"(i32) -> (i32) guest entries block0, block1 {\n"
                            "block0(v0: i32):\nbr block2\nblock1(v1: i32):\nbr block2\n"
                            "block2:\nret v0\n}"),
                  "V6", "v0 does not dominate");
  // In unreachable blocks anything defined goes.
  EXPECT_TRUE(Verify(Body("ret v0\nblock1:\nret v2\nblock2:\nv2 = iconst.i32 1\nbr block1")).ok());
}

TEST(VerifierTest, V7Operands) {
  ExpectViolation("v2 = add.i32 v0, v1\nret v0", "V7", "v1 is i64 instead of i32");
  ExpectViolation("v2 = select.i32 v1, v0, v0\nret v0", "V7", "v1 is i64");
  ExpectViolation("v2 = load.i32 u8 v1 @0x0\nret v0", "V7", "v1 is i64");
  ExpectViolation("store_state x1, v1\nret v0", "V7", "v1 is i64");
  ExpectViolation("br_if v1, block1, block1\nblock1:\nret v0", "V7", "v1 is i64");
  ExpectViolation("v2 = wrap.i32 v0\nret v0", "V7", "wraps i64 only");
  ExpectViolation("v2 = extend_u32.i64 v1\nret v0", "V7", "extends i32 only");
  ExpectViolation("v2 = fconst.i32 0x0\nret v0", "V7", "not a float type");
  ExpectViolation("v2 = fconst.f32 0x0\nv3 = add.f32 v2, v2\nret v0", "V7", "not an integer type");
  ExpectViolation("tail_dispatch v1()", "V7", "without a guest pc");
  Function f = Body("ret v0");
  f.Append(Block(0), {.op = Opcode::kAdd}, {Value(0)}, {Type::kI32});
  std::swap(f.block(Block(0)).insts[0], f.block(Block(0)).insts[1]);
  ExpectViolation(f, "V7", "add with 1 operands instead of 2");
  Function g = Body("ret v0");
  g.Append(Block(0), {.op = Opcode::kAdd}, {Value(0), Value(0)}, {Type::kI64});
  std::swap(g.block(Block(0)).insts[0], g.block(Block(0)).insts[1]);
  ExpectViolation(g, "V7", "the result is i32, not i64");
}

TEST(VerifierTest, V8Aux) {
  ExpectViolation("v2 = load.i32 64 v0 @0x0\nret v0", "V8", "does not fit");
  ExpectViolation("v2 = load.v128 u8 v0 @0x0\nret v0", "V8", "does not fit");
  Function f = Body("v2 = icmp.i32 eq v0, v0\nret v0");
  f.inst(f.block(Block(0)).insts[0]).aux = 10;
  ExpectViolation(f, "V8", "no such condition");
  Function g = Body("v2 = load.i32 u8 v0 @0x0\nret v0");
  g.inst(g.block(Block(0)).insts[0]).aux = 99;
  ExpectViolation(g, "V8", "no such access kind");
}

TEST(VerifierTest, V7FloatingPointAndVectors) {
  const std::string head =
      "v2 = fconst.f32 0x0\nv3 = fconst.f64 0x0\nv4 = vconst 0x000102030405060708090a0b0c0d0e0f\n";
  ExpectViolation(head + "v5 = fadd.f32 v2, v3\nret v0", "V7", "v3 is f64 instead of f32");
  ExpectViolation(head + "v5 = fadd.i32 v0, v0\nret v0", "V7", "not a float type");
  ExpectViolation(head + "v5 = fneg.i32 v0\nret v0", "V7", "not a float type");
  ExpectViolation(head + "v5 = clz.f32 v2\nret v0", "V7", "not an integer type");
  ExpectViolation(head + "v5 = fcmp.i32 lt v0, v0\nret v0", "V7", "not a float type");
  ExpectViolation(head + "v5 = f_to_s.i32 v0\nret v0", "V7", "cannot convert i32 to i32");
  ExpectViolation(head + "v5 = s_to_f.f32 v2\nret v0", "V7", "cannot convert f32 to f32");
  ExpectViolation(head + "v5 = fpromote.f64 v3\nret v0", "V7", "cannot convert f64 to f64");
  ExpectViolation(head + "v5 = fdemote.f32 v2\nret v0", "V7", "cannot convert f32 to f32");
  ExpectViolation(head + "v5 = bitcast.i64 v2\nret v0", "V7", "cannot convert f32 to i64");
  ExpectViolation(head + "v5 = simd.i32x4.splat v1\nret v0", "V7", "v1 is i64 instead of i32");
  ExpectViolation(head + "v5 = shuffle v4, v0, 0x00000000000000000000000000000000\nret v0", "V7",
                  "v0 is i32 instead of v128");
  ExpectViolation(head + "v5 = load_at.i32 u8 v1, v0 @0x0\nret v0", "V7", "v0 is i32");
  ExpectViolation(head + "store_at.i32 u8 v1, v1, v1 @0x0\nret v0", "V7", "v1 is i64");
  ExpectViolation(head + "store_context.f32 u32 8, v3\nret v0", "V7", "v3 is f64");
  ExpectViolation(head + "v5 = load_host.i32 u32 v0\nret v0", "V7", "v0 is i32 instead of i64");
  ExpectViolation(head + "store_host.i32 u32 v1, v1\nret v0", "V7", "v1 is i64 instead of i32");
  ExpectViolation(head + "v5 = atomic_rmw.i32 add u8 v1, v0, v0 @0x0\nret v0", "V7", "v0 is i32");
  ExpectViolation(head + "v5 = atomic_cmpxchg.i32 u8 v1, v1, v0, v1 @0x0\nret v0", "V7",
                  "v1 is i64 instead of i32");
  ExpectViolation(head + "call_pointer v1, v0, v0() @0x0\nret v0", "V7", "a call without code");
  ExpectViolation(head + "tail_pointer v1, v1, v1()", "V7", "a call without code");
}

TEST(VerifierTest, V8AccessKindsAndPromises) {
  const std::string head = "v2 = fconst.f32 0x0\nv3 = fconst.f64 0x0\n";
  ExpectViolation(head + "v4 = load_context.f32 64 8\nret v0", "V8", "does not fit");
  ExpectViolation(head + "store_host.f64 u32 v1, v3\nret v0", "V8", "does not fit");
  ExpectViolation(head + "v4 = load_at.f32 s32 v1, v1 @0x0\nret v0", "V8", "does not fit");
  ExpectViolation(head + "v4 = atomic_rmw.i32 add 64 v1, v1, v0 @0x0\nret v0", "V8",
                  "does not fit");
  ExpectViolation(head + "v4 = atomic_rmw.i64 add s8 v1, v1, v1 @0x0\nret v0", "V8",
                  "does not fit");
  ExpectViolation("v2 = add.i32 v0, v0 guarded\nret v0", "V8", "cannot be guarded");
  ExpectViolation(head + "v4 = fpromote.f64 v2 in_range\nret v0", "V8", "cannot be in_range");
  Function f = Body(head + "v4 = atomic_rmw.i32 add u8 v1, v1, v0 @0x0\nret v0");
  f.inst(f.block(Block(0)).insts[2]).imm = 6;
  ExpectViolation(f, "V8", "no such atomic operation");
  Function g = Body(head + "v4 = fcmp.f32 lt v2, v2\nret v0");
  g.inst(g.block(Block(0)).insts[2]).aux = 6;
  ExpectViolation(g, "V8", "no such condition");
  Function h = Body("v2 = simd.i32x4.splat v0\nret v0");
  h.inst(h.block(Block(0)).insts[0]).aux = 255;
  ExpectViolation(h, "V8", "no such vector operation");
}

TEST(VerifierTest, V9VectorConstants) {
  Function f = Body("v2 = vconst 0x000102030405060708090a0b0c0d0e0f\nret v0");
  f.inst(f.block(Block(0)).insts[0]).imm = 1;
  ExpectViolation(f, "V9", "no such constant");
  ExpectViolation(
      "v2 = simd.i32x4.splat v0\nv3 = shuffle v2, v2, 0x00000000000000000000000000000020\nret v0",
      "V9", "0 to 31");
  Function g = Body("v2 = simd.i32x4.splat v0\nv3 = simd.i32x4.extract_lane v2, 3\nret v0");
  g.inst(g.block(Block(0)).insts[1]).imm = 4;
  ExpectViolation(g, "V9", "no such lane");
}

TEST(VerifierTest, V18PassedValues) {
  const auto function = [](const std::string& conv, const std::string& types,
                           const std::string& params) {
    return MustParse(absl::StrCat("function \"f\"(", types, ") -> () ", conv,
                                  " entries block0 {\nblock0(", params, "):\nret\n}"));
  };
  const std::string nine = "i32, i64, i32, i32, i32, i32, i32, i32, i32";
  const std::string nine_params =
      "v0: i32, v1: i64, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32";
  const absl::Status fits = Verify(function("wasm", nine + ", f32", nine_params + ", v9: f32"));
  EXPECT_TRUE(fits.ok()) << fits;
  const Function ten = function("wasm", nine + ", i32", nine_params + ", v9: i32");
  ExpectViolation(ten, "V18", "more parameters");
  EXPECT_TRUE(Verify(function("guest", nine + ", i32", nine_params + ", v9: i32")).ok());
  ExpectViolation(MustParse("function \"f\"(f32) -> () wasm entries block0 {\nblock0(v0: f32):\n"
                            "call @f1(v0, v0, v0, v0, v0, v0, v0, v0, v0) @0x0\nret\n}"),
                  "V18", "more parameters");
}

TEST(VerifierTest, V9Constants) {
  Function f = Body("v2 = iconst.i32 1\nret v0");
  f.inst(f.block(Block(0)).insts[0]).imm = 0xffffffff;
  ExpectViolation(f, "V9", "not an i32");
  ExpectViolation("v2 = fconst.f32 0x100000000\nret v0", "V9", "f32");
}

TEST(VerifierTest, V10Offsets) {
  ExpectViolation("v2 = load.i32 u8 v0 + 2147483648 @0x0\nret v0", "V10", "not an i32");
  ExpectViolation("v2 = context_address 2147483648\nret v0", "V10", "not an i32");
  ExpectViolation("v2 = load_context.i32 u8 2147483648\nret v0", "V10", "not an i32");
}

TEST(VerifierTest, V11Results) {
  ExpectViolation("ret", "V11", "not as many");
  ExpectViolation("ret v1", "V11", "v1 is i64 instead of i32");
}

TEST(VerifierTest, V12EdgeCount) {
  Function f = Body("br block1\nblock1:\nret v0");
  f.inst(f.terminator(Block(0))).op = Opcode::kBrIf;
  ExpectViolation(f, "V12", "br_if with 1 edges");
  Function g = Body("br block1\nblock1:\nret v0");
  g.mutable_edges(g.terminator(Block(0)))[0].target = Block(9);
  ExpectViolation(g, "V12", "no such target");
}

TEST(VerifierTest, V13Arguments) {
  ExpectViolation("br block1\nblock1(v2: i32):\nret v0", "V13", "takes 1 arguments, not 0");
  ExpectViolation("br block1(v1)\nblock1(v2: i32):\nret v0", "V13", "v1 is i64 instead of i32");
  ExpectViolation("br_table v0, [block1(v0)]\nblock1(v2: i32):\nret v0", "V13", "br_table");
}

TEST(VerifierTest, V14Cold) {
  Function f = Body("ret v0");
  f.inst(f.terminator(Block(0))).cold = true;
  ExpectViolation(f, "V14", "only br_if");
}

TEST(VerifierTest, V15State) {
  ExpectViolation("br block1\nblock1 state[x2=v0, x1=v0]:\nret v0", "V15", "ascending");
  ExpectViolation("br block1\nblock1 state[x2=v0, x2=v0]:\nret v0", "V15", "ascending");
  ExpectViolation("br block1\nblock1 state[x2=v1]:\nret v0", "V15", "not an i32");
}

TEST(VerifierTest, V16StateDominance) {
  ExpectViolation("br block1\nblock1 state[x2=v2]:\nv2 = iconst.i32 1\nret v0", "V16",
                  "v2 does not dominate");
}

TEST(VerifierTest, V17Metering) {
  ExpectViolation("meter 3 @0x0 refund 2\nret v0", "V17", "refunds less");
  ExpectViolation("charge 99999999999\nret v0", "V17", "out of range");
}

}  // namespace
}  // namespace precast::ir
