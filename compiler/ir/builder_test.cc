// The builder's normal forms, one by one. That they mean the same is tested in fold_test.cc.
#include "compiler/ir/builder.h"

#include <cstdint>
#include <string>

#include "compiler/ir/ir.h"
#include "compiler/ir/printer.h"
#include "gtest/gtest.h"

namespace precast::ir {
namespace {

class BuilderTest : public testing::Test {
 protected:
  BuilderTest() {
    f_.AddEntry(f_.NewBlock());
    x_ = f_.AddParam(Block(0), Type::kI32);
    y_ = f_.AddParam(Block(0), Type::kI32);
    b_.SetBlock(Block(0));
  }

  Value C(int64_t v) { return b_.Iconst(Type::kI32, v); }

  // The value as an expression.
  std::string Text(Value v) {
    if (v == x_) return "x";
    if (v == y_) return "y";
    if (f_.value(v).is_param) return "?";
    const Inst i(f_.value(v).def);
    const InstData& inst = f_.inst(i);
    if (inst.op == Opcode::kIconst) return std::to_string(inst.imm);
    std::string text = Info(inst.op).text;
    if (inst.op == Opcode::kIcmp) {
      static constexpr const char* kConds[] = {"eq",  "ne",  "slt", "sge", "sgt",
                                               "sle", "ult", "uge", "ugt", "ule"};
      text = kConds[inst.aux];
    }
    text += "(";
    for (Value a : f_.args(i)) {
      if (text.back() != '(') text += " ";
      text += Text(a);
    }
    return text + ")";
  }

  Function f_{"test", {.params = {Type::kI32, Type::kI32}, .results = {}}};
  Builder b_{f_};
  Value x_, y_;
};

TEST_F(BuilderTest, FoldsConstants) {
  EXPECT_EQ(Text(b_.Add(C(2), C(3))), "5");
  EXPECT_EQ(Text(b_.Add(C(0x7fffffff), C(1))), "-2147483648");
  EXPECT_EQ(Text(b_.Icmp(IntCond::kUlt, C(-1), C(1))), "0");
  EXPECT_EQ(Text(b_.Select(C(1), x_, y_)), "x");
  EXPECT_EQ(Text(b_.Unary(Opcode::kExtendS8, C(0x80))), "-128");
}

TEST_F(BuilderTest, UsesIdentities) {
  EXPECT_EQ(Text(b_.Add(x_, C(0))), "x");
  EXPECT_EQ(Text(b_.Add(C(0), x_)), "x");
  EXPECT_EQ(Text(b_.And(x_, C(0))), "0");
  EXPECT_EQ(Text(b_.And(x_, C(-1))), "x");
  EXPECT_EQ(Text(b_.Or(x_, C(-1))), "-1");
  EXPECT_EQ(Text(b_.Xor(x_, x_)), "0");
  EXPECT_EQ(Text(b_.Sub(x_, x_)), "0");
  EXPECT_EQ(Text(b_.Mul(x_, C(0))), "0");
  EXPECT_EQ(Text(b_.Mul(x_, C(1))), "x");
  EXPECT_EQ(Text(b_.Mul(C(8), x_)), "shl(x 3)");
  EXPECT_EQ(Text(b_.Binary(Opcode::kUdivTotal, x_, C(16))), "shr_u(x 4)");
  EXPECT_EQ(Text(b_.Binary(Opcode::kUremTotal, x_, C(16))), "and(x 15)");
  EXPECT_EQ(Text(b_.Binary(Opcode::kUdivTotal, C(0), x_)), "udiv_total(0 x)");
  EXPECT_EQ(Text(b_.Binary(Opcode::kUdivTotal, x_, C(0))), "-1");
  EXPECT_EQ(Text(b_.Shl(x_, C(32))), "x");
  EXPECT_EQ(Text(b_.Shl(x_, C(33))), "shl(x 1)");
  EXPECT_EQ(Text(b_.Select(y_, x_, x_)), "x");
}

TEST_F(BuilderTest, JoinsChains) {
  EXPECT_EQ(Text(b_.Add(b_.Add(x_, C(1)), C(2))), "add(x 3)");
  EXPECT_EQ(Text(b_.Sub(b_.Add(x_, C(1)), C(1))), "x");
  EXPECT_EQ(Text(b_.Sub(x_, C(3))), "add(x -3)");
  EXPECT_EQ(Text(b_.And(b_.And(x_, C(0xff)), C(0xf0f))), "and(x 15)");
  EXPECT_EQ(Text(b_.Shl(b_.Shl(x_, C(3)), C(4))), "shl(x 7)");
  EXPECT_EQ(Text(b_.Shl(b_.Shl(x_, C(30)), C(4))), "0");
  EXPECT_EQ(Text(b_.ShrS(b_.ShrS(x_, C(30)), C(4))), "shr_s(x 31)");
}

TEST_F(BuilderTest, RecognizesExtensionsAndRotates) {
  EXPECT_EQ(Text(b_.ShrS(b_.Shl(x_, C(24)), C(24))), "extend_s8(x)");
  EXPECT_EQ(Text(b_.ShrS(b_.Shl(x_, C(16)), C(16))), "extend_s16(x)");
  EXPECT_EQ(Text(b_.ShrU(b_.Shl(x_, C(16)), C(16))), "and(x 65535)");
  EXPECT_EQ(Text(b_.Shl(b_.ShrU(x_, C(2)), C(2))), "and(x -4)");
  EXPECT_EQ(Text(b_.Or(b_.ShrU(x_, C(7)), b_.Shl(x_, C(25)))), "rotl(x 25)");
  EXPECT_EQ(Text(b_.Or(b_.Shl(x_, C(25)), b_.ShrU(x_, C(7)))), "rotl(x 25)");
  EXPECT_EQ(Text(b_.Binary(Opcode::kRotr, x_, C(8))), "rotl(x 24)");
  EXPECT_EQ(Text(b_.Or(b_.Shl(x_, C(25)), b_.ShrU(y_, C(7)))), "or(shl(x 25) shr_u(y 7))");
}

TEST_F(BuilderTest, NormalizesComparisons) {
  const Value less = b_.Icmp(IntCond::kSlt, x_, y_);
  EXPECT_EQ(Text(b_.Icmp(IntCond::kEq, less, C(0))), "sge(x y)");
  EXPECT_EQ(Text(b_.Icmp(IntCond::kNe, less, C(0))), "slt(x y)");
  EXPECT_EQ(Text(b_.Xor(less, C(1))), "sge(x y)");
  EXPECT_EQ(Text(b_.And(less, C(1))), "slt(x y)");
  EXPECT_EQ(Text(b_.Icmp(IntCond::kUlt, x_, C(1))), "eq(x 0)");  // seqz
  EXPECT_EQ(Text(b_.Icmp(IntCond::kUlt, C(0), x_)), "ne(x 0)");  // snez
  EXPECT_EQ(Text(b_.Icmp(IntCond::kEq, b_.Sub(x_, y_), C(0))), "eq(x y)");
  EXPECT_EQ(Text(b_.Icmp(IntCond::kEq, b_.Add(x_, C(3)), C(5))), "eq(x 2)");
  EXPECT_EQ(Text(b_.Icmp(IntCond::kSgt, C(5), x_)), "slt(x 5)");
  EXPECT_EQ(Text(b_.Icmp(IntCond::kUlt, x_, C(0))), "0");
  EXPECT_EQ(Text(b_.Icmp(IntCond::kEq, y_, x_)), "eq(x y)");
  EXPECT_EQ(Text(b_.Select(less, C(1), C(0))), "slt(x y)");
  EXPECT_EQ(Text(b_.Select(less, C(0), C(1))), "sge(x y)");
}

TEST_F(BuilderTest, KnowsTheBitsOfLoads) {
  const Value byte = b_.Load(MemKind::kU8, Type::kI32, x_, 0, {});
  EXPECT_EQ(b_.And(byte, C(0xff)), byte);
  EXPECT_EQ(Text(b_.Icmp(IntCond::kUlt, byte, C(256))), "1");
  const Value sign = b_.Load(MemKind::kS8, Type::kI32, x_, 0, {});
  EXPECT_EQ(b_.ShrS(b_.Shl(sign, C(24)), C(24)), sign);
}

TEST_F(BuilderTest, SharesValuesWithinABlockOnly) {
  const Value a = b_.Add(x_, y_);
  EXPECT_EQ(b_.Add(y_, x_), a);
  EXPECT_NE(b_.Sub(x_, y_), b_.Sub(y_, x_));
  EXPECT_EQ(C(17), C(17));
  b_.SetBlock(f_.NewBlock());
  EXPECT_NE(b_.Add(x_, y_), a);
}

TEST_F(BuilderTest, KeepsThePromiseOfCheckedDivisions) {
  const Value checked = b_.Divide(Opcode::kSdivTotal, x_, y_, true);
  const Value total = b_.Binary(Opcode::kSdivTotal, x_, y_);
  EXPECT_NE(checked, total);
  EXPECT_EQ(b_.Divide(Opcode::kSdivTotal, x_, y_, true), checked);
  EXPECT_EQ(PrintInst(f_, Inst(f_.value(checked).def)), "v2 = sdiv_total.i32 v0, v1 guarded");
  EXPECT_EQ(Text(b_.Divide(Opcode::kUdivTotal, x_, C(8), true)), "shr_u(x 3)");
  EXPECT_EQ(Text(b_.Divide(Opcode::kUdivTotal, x_, x_, true)), "1");
  EXPECT_EQ(Text(b_.Binary(Opcode::kUdivTotal, x_, x_)), "udiv_total(x x)");
  EXPECT_EQ(Text(b_.Divide(Opcode::kSremTotal, C(-7), C(2), true)), "-1");
}

TEST_F(BuilderTest, FloatingPoint) {
  const Value one = b_.Fconst(Type::kF32, 0x3f800000);
  const Value zero = b_.Fconst(Type::kF32, 0);
  const Value f = b_.Convert(Opcode::kBitcast, Type::kF32, x_);
  EXPECT_EQ(Text(b_.FloatBinary(Opcode::kFadd, f, zero)), "fadd(bitcast(x) fconst())");
  EXPECT_EQ(Text(b_.FloatBinary(Opcode::kFadd, one, one)), "fadd(fconst() fconst())");
  EXPECT_NE(b_.FloatBinary(Opcode::kFadd, f, one), b_.FloatBinary(Opcode::kFadd, one, f));
  EXPECT_EQ(b_.FloatUnary(Opcode::kFneg, b_.FloatUnary(Opcode::kFneg, f)), f);
  EXPECT_EQ(Text(b_.FloatUnary(Opcode::kFabs, b_.FloatUnary(Opcode::kFneg, f))),
            "fabs(bitcast(x))");
  EXPECT_EQ(b_.Convert(Opcode::kBitcast, Type::kI32, f), x_);
  EXPECT_EQ(Text(b_.Convert(Opcode::kBitcast, Type::kI32, b_.FloatUnary(Opcode::kFneg, one))),
            std::to_string(static_cast<int32_t>(0xbf800000)));
  EXPECT_EQ(Text(b_.Fcmp(FloatCond::kLt, zero, one)), "1");
  EXPECT_EQ(Text(b_.Convert(Opcode::kFtoS, Type::kI32, one)), "1");
  EXPECT_EQ(b_.Convert(Opcode::kStoF, Type::kF32, C(1)), one);
  EXPECT_NE(b_.Convert(Opcode::kFtoS, Type::kI32, f, true),
            b_.Convert(Opcode::kFtoS, Type::kI32, f, false));
  // The opposite of "less" is not a comparison, that of "equal" is.
  const Value eq = b_.Icmp(IntCond::kEq, b_.Fcmp(FloatCond::kEq, f, one), C(0));
  EXPECT_EQ(Text(eq), "fcmp(bitcast(x) fconst())");
  EXPECT_EQ(f_.inst(Inst(f_.value(eq).def)).aux, static_cast<uint8_t>(FloatCond::kNe));
  const Value lt = b_.Icmp(IntCond::kEq, b_.Fcmp(FloatCond::kLt, f, one), C(0));
  EXPECT_EQ(Text(lt), "eq(fcmp(bitcast(x) fconst()) 0)");
}

TEST_F(BuilderTest, VectorsAndHostMemory) {
  V128 p{};
  p[3] = 7;
  const Value c = b_.Vconst(p);
  EXPECT_EQ(b_.Vconst(p), c);
  EXPECT_NE(b_.Vconst(V128{}), c);
  EXPECT_EQ(f_.v128_constants().size(), 2u);
  const Value lane0 = b_.Simd(SimdOp::kI32x4ExtractLane, {c}, 0);
  EXPECT_EQ(b_.Simd(SimdOp::kI32x4ExtractLane, {c}, 0), lane0);
  EXPECT_NE(b_.Simd(SimdOp::kI32x4ExtractLane, {c}, 1), lane0);
  EXPECT_NE(b_.Simd(SimdOp::kI16x8ExtractLaneU, {c}, 0), lane0);
  EXPECT_NE(b_.Shuffle(c, c, V128{}), b_.Shuffle(c, c, p));
  EXPECT_EQ(f_.type(b_.Select(x_, c, b_.Vconst(V128{}))), Type::kV128);
  const Value any = b_.Simd(SimdOp::kV128AnyTrue, {c});
  EXPECT_EQ(b_.Icmp(IntCond::kNe, any, C(0)), any);
  EXPECT_EQ(b_.ContextAddress(8), b_.ContextAddress(8));
  EXPECT_NE(b_.ContextAddress(8), b_.ContextAddress(16));
  // Loads are never shared.
  const Value a = b_.LoadContext(MemKind::kU8, Type::kI32, 8);
  EXPECT_NE(b_.LoadContext(MemKind::kU8, Type::kI32, 8), a);
  EXPECT_EQ(b_.And(a, C(0xff)), a);
}

// Looking through what is compared ends somewhere, however long the chain.
TEST_F(BuilderTest, LongChains) {
  Value v = x_;
  for (int i = 0; i < 100000; ++i) v = i % 2 == 0 ? b_.Add(v, C(3)) : b_.Xor(v, C(5));
  const size_t before = f_.num_insts();
  for (int i = 0; i < 100; ++i) b_.Icmp(IntCond::kEq, v, C(i));
  EXPECT_LT(f_.num_insts(), before + 10000);
}

TEST_F(BuilderTest, DecidesBranches) {
  const Block p = f_.NewBlock(), q = f_.NewBlock();
  const Block from = f_.NewBlock();
  b_.SetBlock(from);
  b_.BrIf(C(1), {p}, {q});
  EXPECT_EQ(PrintInst(f_, f_.terminator(from)), "br block1");
  const Block other = f_.NewBlock();
  b_.SetBlock(other);
  b_.BrIf(x_, {q}, {q});
  EXPECT_EQ(PrintInst(f_, f_.terminator(other)), "br block2");
  const Block table = f_.NewBlock();
  b_.SetBlock(table);
  b_.BrTable(C(7), {{p}, {p}, {q}});
  EXPECT_EQ(PrintInst(f_, f_.terminator(table)), "br block2");
  const size_t before = f_.num_insts();
  b_.TrapIf(C(0), 1, {});
  EXPECT_LE(f_.num_insts(), before + 1);  // no more than the constant
}

}  // namespace
}  // namespace precast::ir
