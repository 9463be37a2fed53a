// Conditions: a comparison is not computed where it is defined but tested where it is used, in the
// cheapest way that sets the flags.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/fold.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {
namespace {

// What is charged a few instructions earlier, together with a condition.
constexpr size_t kMaxApart = 32;
constexpr int64_t kMaxLate = 1 << 20;

Cond ToCond(IntCond c) {
  switch (c) {
    case IntCond::kEq:
      return Cond::kE;
    case IntCond::kNe:
      return Cond::kNe;
    case IntCond::kSlt:
      return Cond::kL;
    case IntCond::kSge:
      return Cond::kGe;
    case IntCond::kSgt:
      return Cond::kG;
    case IntCond::kSle:
      return Cond::kLe;
    case IntCond::kUlt:
      return Cond::kB;
    case IntCond::kUge:
      return Cond::kAe;
    case IntCond::kUgt:
      return Cond::kA;
    case IntCond::kUle:
      return Cond::kBe;
  }
  return Cond::kE;
}

}  // namespace

std::optional<Inst> Selector::FusableCompare(Value v) const {
  const InstData* d = DefOf(v);
  if (d == nullptr || (d->op != Opcode::kIcmp && d->op != Opcode::kFcmp)) return std::nullopt;
  const Inst inst(f_.value(v).def);
  // Testing again costs no more than testing the result; but do not stretch operands over blocks.
  if (inst_block_[inst.index] != block_.index) return std::nullopt;
  return inst;
}

Test Selector::MatchCondition(Value v) const {
  bool invert = false, once = true;
  std::optional<Inst> compare;
  while (true) {
    const std::optional<Inst> inst = FusableCompare(v);
    if (!inst.has_value()) break;
    compare = inst;
    once &= uses_[v.index] == 1;
    const InstData& d = f_.inst(*inst);
    const IntCond c = static_cast<IntCond>(d.aux);
    const Value a = f_.args(*inst)[0];
    // A test of a test: (x < y) == 0.
    if (d.op == Opcode::kFcmp || (c != IntCond::kEq && c != IntCond::kNe) || d.type != Type::kI32 ||
        ConstantOf(f_.args(*inst)[1]) != 0 || !FusableCompare(a).has_value()) {
      break;
    }
    if (c == IntCond::kEq) invert = !invert;
    v = a;
  }
  Test t = !compare.has_value()                    ? MatchNonZero(v, Width::k32)
           : f_.inst(*compare).op == Opcode::kFcmp ? MatchFloatCompare(*compare)
                                                   : MatchCompare(*compare);
  if (invert) t.Invert();
  t.once = once;
  return t;
}

Test Selector::MatchNonZero(Value v, Width w) const {
  v = Low(v, w);
  Test t{.width = w, .cond = Cond::kNe};
  if (const std::optional<Inst> and_inst = SingleUse(v, Opcode::kAnd)) {
    Value a = f_.args(*and_inst)[0], b = f_.args(*and_inst)[1];
    if (Constant32Of(a).has_value()) std::swap(a, b);
    a = Low(a, w);
    b = Low(b, w);
    t.a = a;
    if (const std::optional<int32_t> mask = Constant32Of(b)) {
      t.flags = FlagsFrom::kTestImm;
      t.imm = *mask;
    } else {
      t.flags = FlagsFrom::kTest;
      t.b = b;
    }
    return t;
  }
  t.flags = FlagsFrom::kTestSelf;
  t.a = v;
  return t;
}

// Whether `v` is the fuel that there is where a test is being made, and needed for nothing else.
bool Selector::IsFuelHere(Value v) const {
  const std::optional<Inst> load = SingleUse(v, Opcode::kLoadFuel);
  return load.has_value() && inst_block_[load->index] == block_.index &&
         effects_before_[load->index] + 1 == effects_before_[inst_.index];
}

Test Selector::MatchCompare(Inst inst) const {
  const InstData& d = f_.inst(inst);
  IntCond c = static_cast<IntCond>(d.aux);
  Value a = f_.args(inst)[0], b = f_.args(inst)[1];
  const Width w = WidthOf(d.type);
  a = Low(a, w);
  b = Low(b, w);
  if (Constant32Of(a).has_value() && !Constant32Of(b).has_value()) {
    std::swap(a, b);
    c = ir::Swapped(c);
  }
  const std::optional<int32_t> k = Constant32Of(b);
  if (k.has_value() && c == IntCond::kSlt && IsFuelHere(a)) {
    return {.flags = FlagsFrom::kFuel, .width = w, .cond = Cond::kL, .imm = *k};
  }
  if (!k.has_value()) {
    if (FoldableLoad(a, w).has_value() && !FoldableLoad(b, w).has_value()) {
      std::swap(a, b);
      c = ir::Swapped(c);
    }
    return {.flags = FlagsFrom::kCompare, .width = w, .cond = ToCond(c), .a = a, .b = b};
  }
  // x <u 1 is x == 0; x >=u 1 and x >u 0 are x != 0; x <=u 0 is x == 0.
  if ((*k == 1 && c == IntCond::kUlt) || (*k == 0 && c == IntCond::kUle))
    c = IntCond::kEq;
  else if ((*k == 1 && c == IntCond::kUge) || (*k == 0 && c == IntCond::kUgt))
    c = IntCond::kNe;
  else if (*k != 0 || c == IntCond::kUlt || c == IntCond::kUge) {
    return {.flags = FlagsFrom::kCompareImm, .width = w, .cond = ToCond(c), .a = a, .imm = *k};
  }
  if (c == IntCond::kEq || c == IntCond::kNe) {
    Test t = MatchNonZero(a, w);
    if (c == IntCond::kEq) t.cond = Cond::kE;
    return t;
  }
  // test x, x clears the overflow and carry flags: the signed conditions against zero hold.
  Cond cond = ToCond(c);
  if (c == IntCond::kSlt) cond = Cond::kS;
  if (c == IntCond::kSge) cond = Cond::kNs;
  return {.flags = FlagsFrom::kTestSelf, .width = w, .cond = cond, .a = a};
}

// ucomis a, b: ZF, PF, CF are 111 if unordered, 000 if a > b, 001 if a < b, 100 if equal.
Test Selector::MatchFloatCompare(Inst inst) const {
  const InstData& d = f_.inst(inst);
  ir::FloatCond c = static_cast<ir::FloatCond>(d.aux);
  Value a = f_.args(inst)[0], b = f_.args(inst)[1];
  Test t{.flags = FlagsFrom::kFloat, .width = WidthOf(f_.type(a))};
  switch (c) {
    case ir::FloatCond::kLt:
    case ir::FloatCond::kGt:
      t.cond = Cond::kA;
      break;
    case ir::FloatCond::kLe:
    case ir::FloatCond::kGe:
      t.cond = Cond::kAe;
      break;
    case ir::FloatCond::kEq:
    case ir::FloatCond::kNe:
      if (a == b) {
        t.cond = c == ir::FloatCond::kEq ? Cond::kNp : Cond::kP;
      } else {
        t.cond = c == ir::FloatCond::kEq ? Cond::kE : Cond::kNe;
        t.parity = true;
        if (FloatConstantOf(a).has_value()) std::swap(a, b);
      }
      break;
  }
  if (c == ir::FloatCond::kLt || c == ir::FloatCond::kLe) std::swap(a, b);
  t.a = a;
  t.b = b;
  if (const std::optional<int64_t> bits = FloatConstantOf(b); bits.has_value() && a != b) {
    t.flags = FlagsFrom::kFloatConst;
    t.bits = *bits;
  }
  return t;
}

void Selector::AddTestOperands(Test& t, std::vector<Operand>& operands) {
  switch (t.flags) {
    case FlagsFrom::kNone:
    case FlagsFrom::kFuel:
      break;
    case FlagsFrom::kCompare:
    case FlagsFrom::kTest:
    case FlagsFrom::kFloat: {
      if (t.once && t.flags != FlagsFrom::kTest && t.a != t.b) {
        t.folded = FoldableLoad(t.b, t.width);
        if (t.folded.has_value()) {
          operands.push_back(Use(Reg(t.a)));
          t.place = Fold(*t.folded, operands);
          break;
        }
      }
      const VReg a = Reg(t.a), b = Reg(t.b);
      operands.push_back(Use(a));
      operands.push_back(UseAny(b));
      break;
    }
    case FlagsFrom::kCompareImm:
    case FlagsFrom::kTestSelf:
      if (t.once) {
        t.folded = FoldableCompare(t.a, t.imm, t.width, t.cond);
        if (t.folded.has_value()) {
          t.flags = FlagsFrom::kCompareImm;
          t.place = Fold(*t.folded, operands);
          break;
        }
      }
      operands.push_back(UseAny(Reg(t.a)));
      break;
    case FlagsFrom::kTestImm:
      operands.push_back(UseAny(Reg(t.a)));
      break;
    case FlagsFrom::kFloatConst:
      operands.push_back(Use(Reg(t.a)));
      break;
  }
}

void Selector::SelectSetCond(Inst i, const InstData& d, VReg result) {
  const absl::Span<const Value> args = f_.args(i);
  if (d.op == Opcode::kIcmp && static_cast<IntCond>(d.aux) == IntCond::kSlt &&
      ConstantOf(args[1]) == 0) {
    return EmitShiftImm(Shift::kShr, Reg(args[0]), d.type == Type::kI64 ? 63 : 31, WidthOf(d.type),
                        result);
  }
  Test t = MatchCondition(f_.result(i));
  std::vector<Operand>& operands = ScratchOperands();
  AddTestOperands(t, operands);
  operands.push_back(DefEarly(result));  // zeroed before the comparison reads its operands
  if (t.parity) operands.push_back(DefEarly(NewVReg()));
  SetTest(t, Emit(MOp::kSetCond, operands));
}

bool Selector::SelectAddCondition(Alu op, Value a, Value b, Width w, VReg d) {
  if (const std::optional<Inst> extend = SingleUse(b, Opcode::kExtendU32)) b = f_.args(*extend)[0];
  if (!SingleUse(b, Opcode::kIcmp).has_value() || ConstantOf(a).has_value()) return false;
  Test t = MatchCondition(b);
  // As below (carry) or not below.
  switch (t.flags) {
    case FlagsFrom::kTestSelf:
      // x == 0 is x <u 1.
      if (t.cond != Cond::kE && t.cond != Cond::kNe) return false;
      t.flags = FlagsFrom::kCompareImm;
      t.imm = 1;
      t.cond = t.cond == Cond::kE ? Cond::kB : Cond::kAe;
      break;
    case FlagsFrom::kCompareImm:
      if (t.cond == Cond::kBe || t.cond == Cond::kA) {
        // x <=u c is x <u c + 1.
        if (t.imm == -1 || t.imm == std::numeric_limits<int32_t>::max()) return false;
        ++t.imm;
        t.cond = t.cond == Cond::kBe ? Cond::kB : Cond::kAe;
      }
      break;
    case FlagsFrom::kCompare:
      if (t.cond == Cond::kBe || t.cond == Cond::kA) {
        std::swap(t.a, t.b);
        t.cond = t.cond == Cond::kA ? Cond::kB : Cond::kAe;
      }
      break;
    default:
      return false;
  }
  if (t.cond != Cond::kB && t.cond != Cond::kAe) return false;
  std::vector<Operand>& operands = ScratchOperands();
  AddTestOperands(t, operands);
  operands.push_back(Use(Reg(a)));
  operands.push_back(DefReuse(d, static_cast<uint8_t>(operands.size() - 1)));
  MInst& m = Emit(MOp::kAddCarry, operands);
  SetTest(t, m);
  m.width = w;
  // Without carry, one more: the other way around from -1.
  m.alu = (op == Alu::kAdd) == (t.cond == Cond::kB) ? Alu::kAdc : Alu::kSbb;
  m.imm = t.cond == Cond::kB ? 0 : -1;
  return true;
}

bool Selector::ChargesValueBefore() const {
  const std::vector<Inst>& insts = f_.block(block_).insts;
  for (size_t k = at_; k > 0 && at_ - k < kMaxApart; --k) {
    const Opcode op = f_.inst(insts[k - 1]).op;
    if (op == Opcode::kChargeValue) return true;
    if (!ir::IsPure(op) && op != Opcode::kCharge && op != Opcode::kDeferState) return false;
  }
  return false;
}

void Selector::SelectCharge(int64_t amount) {
  CHECK(FitsInt32(amount)) << f_.name() << ": charge of " << amount;
  const int64_t all = amount + charge_late_;
  if (std::abs(all) <= kMaxLate && ChargesValueBefore()) {
    charge_late_ = all;
    return;
  }
  Emit(MOp::kCharge, {}).imm = amount;
}

void Selector::SelectChargeValue(Value v) {
  int64_t more = std::exchange(charge_late_, 0);
  // 32 bits are held zero-extended.
  if (!SelectChargeIf(v, more)) Emit(MOp::kChargeValue, {Use(Reg(v))});
  if (more != 0) SelectCharge(more);
}

bool Selector::SelectChargeIf(Value v, int64_t& more) {
  // n - bit * charge is n - charge, and `charge` without the bit.
  bool without = false;
  int64_t constant = 0, charge = 1;
  if (const std::optional<Inst> difference = SingleUse(v, Opcode::kSub)) {
    const std::optional<int64_t> n = ConstantOf(f_.args(*difference)[0]);
    if (!n.has_value() || *n < 0 || *n > kMaxLate) return false;
    without = true;
    constant = *n;
    v = f_.args(*difference)[1];
  }
  if (const std::optional<Inst> shift = SingleUse(v, Opcode::kShl)) {
    const std::optional<int64_t> amount = ConstantOf(f_.args(*shift)[1]);
    if (!amount.has_value() || *amount < 0 || *amount > 16) return false;
    charge = int64_t{1} << *amount;
    v = f_.args(*shift)[0];
  } else if (const std::optional<Inst> product = SingleUse(v, Opcode::kMul)) {
    const std::optional<int64_t> factor = ConstantOf(f_.args(*product)[1]);
    if (!factor.has_value() || *factor <= 0 || *factor > kMaxLate) return false;
    charge = *factor;
    v = f_.args(*product)[0];
  }
  int64_t rest = more;
  if (without) {
    // It must not wrap around.
    if (charge > constant) return false;
    rest += constant - charge;
    if (SelectGiveBack(v, charge, rest)) {
      more = rest;
      return true;
    }
  } else if (!SingleUse(v, Opcode::kIcmp).has_value()) {
    return false;
  }
  if (!FusableCompare(v).has_value()) return false;
  Test t = MatchCondition(v);
  t.once = false;  // no load is put off
  if (without) t.Invert();
  const bool is_compare = t.flags == FlagsFrom::kCompare || t.flags == FlagsFrom::kCompareImm;
  const bool is_test = t.flags == FlagsFrom::kTestSelf || t.flags == FlagsFrom::kTest ||
                       t.flags == FlagsFrom::kTestImm;
  if (t.parity || (!is_compare && !is_test)) return false;
  const bool carry = is_compare && charge == 1 && (t.cond == Cond::kB || t.cond == Cond::kAe);
  if (!carry && rest == -charge) {
    // To give back if not is the same.
    t.Invert();
    charge = std::exchange(rest, 0);
  }
  std::vector<Operand>& operands = ScratchOperands();
  AddTestOperands(t, operands);
  if (!carry) operands.push_back(Def(NewVReg(Width::k64)));
  MInst& m = Emit(MOp::kChargeIf, operands);
  SetTest(t, m);
  m.alu = !carry ? Alu::kAdd : t.cond == Cond::kB ? Alu::kSbb : Alu::kAdc;
  // Without carry, one more: the other way around from -1.
  m.imm = !carry ? charge : t.cond == Cond::kB ? rest : -1 - rest;
  more = carry ? 0 : rest;
  return true;
}

bool Selector::SelectGiveBack(Value v, int64_t scale, int64_t& more) {
  if (scale > 8 || !std::has_single_bit(static_cast<uint64_t>(scale)) || !IsBit(v)) return false;
  // A comparison that nobody else wants in a register is made for its flags.
  if (const InstData* d = DefOf(v); d->op == Opcode::kIcmp && !Needed(v)) return false;
  MInst& m = Emit(MOp::kGiveBack, {Use(Reg(v))});
  m.aux = static_cast<uint8_t>(std::countr_zero(static_cast<uint64_t>(scale)));
  m.imm = -scale - std::exchange(more, 0);
  return true;
}

bool Selector::IsBit(Value v) const {
  const InstData* d = DefOf(v);
  if (d == nullptr || f_.type(v) != Type::kI32) return false;
  if (d->op == Opcode::kIcmp) return true;
  // The carry of a sum.
  if (d->op != Opcode::kWrap) return false;
  v = f_.args(Inst(f_.value(v).def))[0];
  d = DefOf(v);
  if (d == nullptr || d->op != Opcode::kShrU || ConstantOf(f_.args(Inst(f_.value(v).def))[1]) != 32)
    return false;
  v = f_.args(Inst(f_.value(v).def))[0];
  d = DefOf(v);
  const auto is_word = [&](Value term) {
    const InstData* def = DefOf(term);
    return def != nullptr && def->op == Opcode::kExtendU32;
  };
  return d != nullptr && d->op == Opcode::kAdd && is_word(f_.args(Inst(f_.value(v).def))[0]) &&
         is_word(f_.args(Inst(f_.value(v).def))[1]);
}

void Selector::SelectSelect(Inst i, const InstData& d) {
  const absl::Span<const Value> args = f_.args(i);
  const Width w = WidthOf(d.type);
  const VReg result = VRegOf(f_.result(i));
  Test t = MatchCondition(args[0]);
  // The result starts as `start` and is replaced by `from`.
  Value from = args[1], start = args[2];
  if (t.flags == FlagsFrom::kFloat && t.cond == Cond::kA && WidthOf(d.type) == t.width &&
      (d.type == Type::kF32 || d.type == Type::kF64) && f_.type(t.a) == d.type) {
    // a > b ? a : b is exactly maxs a, b, and a > b ? b : a is mins b, a.
    if (from == t.a && start == t.b) return EmitSse(Sse::kMax, t.a, t.b, w, result);
    if (from == t.b && start == t.a) return EmitSse(Sse::kMin, t.b, t.a, w, result);
  }
  const bool swap = t.parity ? t.cond != (HeldInInt(d.type) ? Cond::kNe : Cond::kE)
                             : UsedLater(start) && !UsedLater(from);
  if (swap) {
    std::swap(from, start);
    t.Invert();
  }
  std::vector<Operand>& operands = ScratchOperands();
  AddTestOperands(t, operands);
  const VReg a = Reg(from), b = Reg(start);
  operands.push_back(UseAny(a));
  operands.push_back(Use(b));
  operands.push_back(DefReuse(result, static_cast<uint8_t>(operands.size() - 1)));
  MInst& m = Emit(MOp::kSelect, operands);
  m.width = w;
  SetTest(t, m);
}

}  // namespace precast::x64::selection
