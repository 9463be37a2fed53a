// Constant folding and the simplifying builder against the reference evaluator.
#include "compiler/ir/fold.h"

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/eval.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/verifier.h"
#include "gtest/gtest.h"

namespace precast::ir {
namespace {

constexpr int64_t kInteresting[] = {0,         1,         2,          3,          7,
                                    8,         15,        16,         24,         31,
                                    32,        33,        48,         56,         63,
                                    64,        127,       128,        255,        0x7fff,
                                    0x8000,    0xffff,    0x7fffffff, -1,         -2,
                                    -7,        -128,      -32768,     INT32_MIN,  INT32_MIN + 1,
                                    INT64_MIN, INT64_MAX, 0x5555555,  0xffffffff, 0xffffff00};
constexpr Type kIntegers[] = {Type::kI32, Type::kI64};

uint64_t Reference(Opcode op, Type type, uint8_t aux, std::vector<int64_t> operands) {
  std::vector<uint64_t> args;
  for (int64_t v : operands) args.push_back(Bits(type, v));
  return EvalPure({.op = op, .type = type, .aux = aux}, args);
}

// All pairs of interesting constants, and random ones.
template <typename Visit>
void ForPairs(Visit visit) {
  for (int64_t a : kInteresting) {
    for (int64_t b : kInteresting) visit(a, b);
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    const int64_t a = static_cast<int64_t>(random());
    visit(a, static_cast<int64_t>(random()));
  }
}

TEST(FoldTest, BinaryAgreesWithEvaluator) {
  for (uint8_t op = static_cast<uint8_t>(Opcode::kAdd); op <= static_cast<uint8_t>(Opcode::kRotr);
       ++op) {
    for (Type type : kIntegers) {
      ForPairs([&](int64_t a, int64_t b) {
        const int64_t folded = FoldBinary(Opcode{op}, type, a, b);
        ASSERT_EQ(folded, Canonical(type, folded));
        ASSERT_EQ(Bits(type, folded), Reference(Opcode{op}, type, 0, {a, b}))
            << Info(Opcode{op}).text << " " << a << " " << b;
      });
    }
  }
}

TEST(FoldTest, DivisionFollowsRiscV) {
  // Unprivileged ISA manual, M extension, "Semantics for division by zero and division overflow".
  for (Type type : kIntegers) {
    const int64_t min = type == Type::kI32 ? INT32_MIN : INT64_MIN;
    EXPECT_EQ(FoldBinary(Opcode::kUdivTotal, type, 5, 0), -1);
    EXPECT_EQ(FoldBinary(Opcode::kUremTotal, type, 5, 0), 5);
    EXPECT_EQ(FoldBinary(Opcode::kSdivTotal, type, 5, 0), -1);
    EXPECT_EQ(FoldBinary(Opcode::kSremTotal, type, -5, 0), -5);
    EXPECT_EQ(FoldBinary(Opcode::kSdivTotal, type, min, -1), min);
    EXPECT_EQ(FoldBinary(Opcode::kSremTotal, type, min, -1), 0);
    EXPECT_EQ(FoldBinary(Opcode::kSdivTotal, type, -7, 2), -3);
    EXPECT_EQ(FoldBinary(Opcode::kSremTotal, type, -7, 2), -1);
  }
}

TEST(FoldTest, IcmpAgreesWithEvaluator) {
  for (uint8_t cond = 0; cond <= static_cast<uint8_t>(IntCond::kUle); ++cond) {
    for (Type type : kIntegers) {
      ForPairs([&](int64_t a, int64_t b) {
        const bool folded = FoldIcmp(IntCond{cond}, type, a, b);
        ASSERT_EQ(uint64_t{folded}, Reference(Opcode::kIcmp, type, cond, {a, b}));
        ASSERT_EQ(folded, !FoldIcmp(Inverted(IntCond{cond}), type, a, b));
        ASSERT_EQ(folded, FoldIcmp(Swapped(IntCond{cond}), type, b, a));
        ASSERT_EQ(FoldIcmpSame(IntCond{cond}), FoldIcmp(IntCond{cond}, type, a, a));
      });
    }
  }
}

TEST(FoldTest, UnaryAgreesWithEvaluator) {
  struct Case {
    Opcode op;
    Type type;
  };
  for (const auto& [op, type] : std::vector<Case>{{Opcode::kClz, Type::kI32},
                                                  {Opcode::kClz, Type::kI64},
                                                  {Opcode::kCtz, Type::kI32},
                                                  {Opcode::kCtz, Type::kI64},
                                                  {Opcode::kPopcnt, Type::kI32},
                                                  {Opcode::kPopcnt, Type::kI64},
                                                  {Opcode::kBswap, Type::kI32},
                                                  {Opcode::kBswap, Type::kI64},
                                                  {Opcode::kExtendU32, Type::kI32},
                                                  {Opcode::kExtendS32, Type::kI32},
                                                  {Opcode::kWrap, Type::kI64},
                                                  {Opcode::kExtendS8, Type::kI32},
                                                  {Opcode::kExtendS8, Type::kI64},
                                                  {Opcode::kExtendS16, Type::kI32},
                                                  {Opcode::kExtendS16, Type::kI64}}) {
    ForPairs([&, op = op, type = type](int64_t a, int64_t) {
      const int64_t folded = FoldUnary(op, type, a);
      ASSERT_EQ(Bits(UnaryResult(op, type), folded), Reference(op, type, 0, {a}));
    });
  }
}

constexpr uint64_t kFloats32[] = {
    0,          0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf7fffff, 0x40200000, 0x4effffff,
    0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0xdf000000,
    0x5f7fffff, 0x5f800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345, 0x7f800001,
    0xff812345, 1,          0x807fffff, 0x00800000, 0x4b000001, 0x7f7fffff, 0xff7fffff};
constexpr uint64_t kFloats64[] = {0,
                                  0x8000000000000000,
                                  0x3ff0000000000000,
                                  0xbff0000000000000,
                                  0xbfefffffffffffff,
                                  0x3fe0000000000000,
                                  0x4004000000000000,
                                  0x41dfffffffc00000,  // 2^31 - 1
                                  0x41dfffffffffffff,
                                  0x41e0000000000000,
                                  0xc1e0000000000000,
                                  0xc1e00000001fffff,
                                  0xc1e0000000200000,  // -2^31 - 1
                                  0x41efffffffe00000,
                                  0x41f0000000000000,
                                  0x43dfffffffffffff,
                                  0x43e0000000000000,
                                  0xc3e0000000000000,
                                  0xc3e0000000000001,
                                  0x43efffffffffffff,
                                  0x43f0000000000000,
                                  0x7ff0000000000000,
                                  0xfff0000000000000,
                                  0x7ff8000000000000,
                                  0xfff8000000000123,
                                  0x7ff0000000000001,
                                  0xfff4000012345678,
                                  1,
                                  0x36a0000000000000,  // half the least f32
                                  0x36a0000000000001,
                                  0x47efffffefffffff,  // just below what rounds to infinity as f32
                                  0x47effffff0000000,
                                  0x7fefffffffffffff};

// Bits of floats: interesting and random ones.
std::vector<uint64_t> Floats(Type type) {
  std::vector<uint64_t> floats;
  std::mt19937_64 random(2);
  if (type == Type::kF32) {
    floats.assign(std::begin(kFloats32), std::end(kFloats32));
    for (int i = 0; i < 100; ++i) floats.push_back(random() & 0xffffffffu);
  } else {
    floats.assign(std::begin(kFloats64), std::end(kFloats64));
    for (int i = 0; i < 100; ++i) floats.push_back(random());
  }
  return floats;
}

TEST(FoldTest, FloatsAgreeWithEvaluator) {
  for (Type type : {Type::kF32, Type::kF64}) {
    for (uint64_t a : Floats(type)) {
      const int64_t ca = static_cast<int64_t>(a);
      for (uint64_t b : Floats(type)) {
        const int64_t cb = static_cast<int64_t>(b);
        for (uint8_t cond = 0; cond <= static_cast<uint8_t>(FloatCond::kGe); ++cond) {
          const InstData inst{.op = Opcode::kFcmp, .type = type, .aux = cond};
          ASSERT_EQ(uint64_t{FoldFcmp(FloatCond{cond}, type, ca, cb)}, EvalPure(inst, {a, b}));
        }
        for (Opcode op = Opcode::kFadd; op <= Opcode::kFcopysign;
             op = static_cast<Opcode>(static_cast<int>(op) + 1)) {
          const std::optional<int64_t> c = FoldFloatBinary(op, type, ca, cb);
          ASSERT_EQ(c.has_value(), op == Opcode::kFcopysign);
          const uint64_t expected = EvalPure({.op = op, .type = type}, {a, b});
          if (c) {
            ASSERT_EQ(static_cast<uint64_t>(*c), expected);
          }
        }
      }
      for (Opcode op = Opcode::kFneg; op <= Opcode::kFnearest;
           op = static_cast<Opcode>(static_cast<int>(op) + 1)) {
        const std::optional<int64_t> c = FoldFloatUnary(op, type, ca);
        const uint64_t expected = EvalPure({.op = op, .type = type}, {a});
        if (c) {
          ASSERT_EQ(static_cast<uint64_t>(*c), expected);
        }
      }
    }
  }
}

TEST(FoldTest, ConversionsAgreeWithEvaluator) {
  int folded = 0;
  const auto check = [&](Opcode op, Type from, Type to, int64_t a, uint64_t bits) {
    const uint64_t expected = EvalPure({.op = op, .type = to}, {bits}, from);
    const std::optional<int64_t> c = FoldConversion(op, from, to, a);
    if (!c) return;
    ++folded;
    ASSERT_EQ(IsInteger(to) ? Bits(to, *c) : static_cast<uint64_t>(*c), expected)
        << Info(op).text << " of " << std::hex << bits;
    if (IsInteger(to)) {
      ASSERT_EQ(*c, Canonical(to, *c));
    }
  };
  for (Type from : {Type::kF32, Type::kF64}) {
    for (uint64_t a : Floats(from)) {
      const int64_t c = static_cast<int64_t>(a);
      for (Type to : kIntegers) {
        check(Opcode::kFtoS, from, to, c, a);
        check(Opcode::kFtoU, from, to, c, a);
      }
      check(Opcode::kBitcast, from, from == Type::kF32 ? Type::kI32 : Type::kI64, c, a);
      if (from == Type::kF32) {
        check(Opcode::kFpromote, from, Type::kF64, c, a);
      } else {
        check(Opcode::kFdemote, from, Type::kF32, c, a);
      }
    }
  }
  for (Type from : kIntegers) {
    ForPairs([&](int64_t v, int64_t) {
      const int64_t c = Canonical(from, v);
      for (Type to : {Type::kF32, Type::kF64}) {
        check(Opcode::kStoF, from, to, c, Bits(from, c));
        check(Opcode::kUtoF, from, to, c, Bits(from, c));
      }
      check(Opcode::kBitcast, from, from == Type::kI32 ? Type::kF32 : Type::kF64, c, Bits(from, c));
    });
  }
  EXPECT_GT(folded, 1000);
}

TEST(EvalTest, FloatingPointFollowsWebAssembly) {
  const auto f32 = [](Opcode op, std::vector<uint64_t> args) {
    return EvalPure({.op = op, .type = Type::kF32}, args);
  };
  constexpr uint64_t kMinusZero = 0x80000000, kInfinity = 0x7f800000, kOne = 0x3f800000;
  EXPECT_EQ(f32(Opcode::kFmin, {0, kMinusZero}), kMinusZero);
  EXPECT_EQ(f32(Opcode::kFmin, {kMinusZero, 0}), kMinusZero);
  EXPECT_EQ(f32(Opcode::kFmax, {0, kMinusZero}), 0u);
  EXPECT_EQ(f32(Opcode::kFmax, {kMinusZero, 0}), 0u);
  EXPECT_EQ(f32(Opcode::kFnearest, {0x40200000}), 0x40000000u);  // 2.5
  EXPECT_EQ(f32(Opcode::kFnearest, {0xbf000000}), kMinusZero);   // -0.5
  EXPECT_EQ(f32(Opcode::kFceil, {0xbf000000}), kMinusZero);
  EXPECT_EQ(f32(Opcode::kFdiv, {kOne, kMinusZero}), 0xff800000u);
  EXPECT_EQ(f32(Opcode::kFsqrt, {kMinusZero}), kMinusZero);
  // NaNs as x86 makes them.
  EXPECT_EQ(f32(Opcode::kFsub, {kInfinity, kInfinity}), 0xffc00000u);
  EXPECT_EQ(f32(Opcode::kFdiv, {0, 0}), 0xffc00000u);
  EXPECT_EQ(f32(Opcode::kFsqrt, {0xbf800000}), 0xffc00000u);
  EXPECT_EQ(f32(Opcode::kFadd, {kOne, 0x7f800001}), 0x7fc00001u);
  EXPECT_EQ(f32(Opcode::kFadd, {0xffc00002, 0x7f800001}), 0xffc00002u);
  EXPECT_EQ(f32(Opcode::kFmin, {kOne, 0x7f800001}), 0x7fc00001u);
  EXPECT_EQ(EvalPure({.op = Opcode::kFpromote, .type = Type::kF64}, {0xff800001}, Type::kF32),
            0xfff8000020000000u);
  EXPECT_EQ(
      EvalPure({.op = Opcode::kFdemote, .type = Type::kF32}, {0x7ff0000020000000}, Type::kF64),
      0x7fc00001u);
}

// A random expression built twice: by the builder, and plainly.
class Expressions {
 public:
  explicit Expressions(uint64_t seed)
      : random_(seed),
        simple_("simple", signature_),
        plain_("plain", signature_),
        builder_(simple_) {
    for (Function* f : {&simple_, &plain_}) {
      const Block b = f->NewBlock();
      f->AddEntry(b);
      for (Type type : signature_.params) f->AddParam(b, type);
    }
    builder_.SetBlock(Block(0));
    for (uint32_t k = 0; k < signature_.params.size(); ++k) {
      values_.push_back({simple_.block(Block(0)).params[k], plain_.block(Block(0)).params[k]});
    }
  }

  void Build(int operations) {
    for (int k = 0; k < operations; ++k) AddOperation();
    std::vector<Value> simple, plain;
    for (Type type : signature_.results) {
      const Pair p = Any(type);
      simple.push_back(p.simple);
      plain.push_back(p.plain);
    }
    builder_.Ret(simple);
    plain_.Append(Block(0), {.op = Opcode::kRet}, plain, {});
  }

  void Compare() {
    ASSERT_TRUE(Verify(simple_).ok()) << Verify(simple_) << Print(simple_);
    ASSERT_TRUE(Verify(plain_).ok()) << Verify(plain_) << Print(plain_);
    for (int run = 0; run < 20; ++run) {
      std::vector<uint64_t> args;
      for (Type type : signature_.params) {
        args.push_back(Bits(type, Pick(2) == 0 ? Interesting() : static_cast<int64_t>(random_())));
      }
      EvalMachine machine;
      const std::vector<uint64_t> a = Eval(simple_, Block(0), args, machine, {}).values;
      const std::vector<uint64_t> b = Eval(plain_, Block(0), args, machine, {}).values;
      ASSERT_EQ(a, b) << Print(plain_) << Print(simple_);
    }
    ASSERT_LE(simple_.block(Block(0)).insts.size(), 2 * plain_.block(Block(0)).insts.size());
  }

 private:
  struct Pair {
    Value simple, plain;
  };

  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  int64_t Interesting() { return kInteresting[Pick(std::size(kInteresting))]; }

  Pair Constant(Type type) {
    const int64_t c = Canonical(type, Interesting());
    return {builder_.Iconst(type, c),
            Plain({.op = Opcode::kIconst, .type = type, .imm = c}, {}, type)};
  }

  Pair Any(Type type) {
    if (Pick(100) < 30) return Constant(type);
    for (int tries = 0; tries < 20; ++tries) {
      const size_t n = values_.size();
      const size_t window = Pick(2) == 0 ? std::min<size_t>(3, n) : n;
      const Pair p = values_[n - 1 - Pick(static_cast<uint32_t>(window))];
      if (plain_.type(p.plain) == type) return p;
    }
    return Constant(type);
  }

  Value Plain(const InstData& data, std::vector<Value> args, Type result) {
    return plain_.result(plain_.Append(Block(0), data, args, {result}));
  }

  void AddOperation() {
    const Type type = Pick(4) == 0 ? Type::kI64 : Type::kI32;
    Pair result;
    switch (Pick(10)) {
      case 0:
      case 1: {
        const Pair a = Any(type), b = Any(type);
        const uint8_t cond = static_cast<uint8_t>(Pick(10));
        result = {builder_.Icmp(IntCond{cond}, a.simple, b.simple),
                  Plain({.op = Opcode::kIcmp, .type = type, .aux = cond}, {a.plain, b.plain},
                        Type::kI32)};
        break;
      }
      case 2: {
        const Pair c = Any(Type::kI32), a = Any(type), b = Any(type);
        result = {builder_.Select(c.simple, a.simple, b.simple),
                  Plain({.op = Opcode::kSelect, .type = type}, {c.plain, a.plain, b.plain}, type)};
        break;
      }
      case 3: {
        static constexpr Opcode kOps[] = {Opcode::kExtendU32, Opcode::kExtendS32, Opcode::kWrap,
                                          Opcode::kExtendS8, Opcode::kExtendS16};
        const Opcode op = kOps[Pick(5)];
        const Type operand = op == Opcode::kWrap                                    ? Type::kI64
                             : op == Opcode::kExtendU32 || op == Opcode::kExtendS32 ? Type::kI32
                                                                                    : type;
        const Pair a = Any(operand);
        result = {builder_.Unary(op, a.simple),
                  Plain({.op = op, .type = operand}, {a.plain}, UnaryResult(op, operand))};
        break;
      }
      default: {
        const Opcode op = static_cast<Opcode>(static_cast<uint32_t>(Opcode::kAdd) + Pick(18));
        const Pair a = Any(type), b = Any(type);
        result = {builder_.Binary(op, a.simple, b.simple),
                  Plain({.op = op, .type = type}, {a.plain, b.plain}, type)};
        break;
      }
    }
    values_.push_back(result);
  }

  std::mt19937_64 random_;
  const Signature signature_{.params = {Type::kI32, Type::kI32, Type::kI64},
                             .results = {Type::kI32, Type::kI32, Type::kI64}};
  Function simple_, plain_;
  Builder builder_;
  std::vector<Pair> values_;
};

TEST(BuilderTest, SimplifiedExpressionsMeanTheSame) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    Expressions expressions(seed);
    expressions.Build(1 + static_cast<int>(seed % 25));
    ASSERT_NO_FATAL_FAILURE(expressions.Compare()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace precast::ir
