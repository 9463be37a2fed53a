// The simplifying builder; see builder.h for the normal forms it produces.
#include "compiler/ir/builder.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/log/check.h"

namespace precast::ir {
namespace {

bool IsShift(Opcode op) {
  return op == Opcode::kShl || op == Opcode::kShrU || op == Opcode::kShrS || op == Opcode::kRotl ||
         op == Opcode::kRotr;
}

// Loads that extend as their MemKind says.
bool IsLoad(Opcode op) {
  return op == Opcode::kLoad || op == Opcode::kLoadAt || op == Opcode::kLoadContext ||
         op == Opcode::kLoadHost;
}

uint64_t WidthMask(Type type) { return type == Type::kI32 ? 0xffffffffu : ~uint64_t{0}; }

// k if `bits` is 2^k.
std::optional<int> Log2(uint64_t bits) {
  if (!std::has_single_bit(bits)) return std::nullopt;
  return std::countr_zero(bits);
}

uint64_t Mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

}  // namespace

void Builder::SetBlock(Block b) {
  block_ = b;
  ++epoch_;
}

const InstData* Builder::Def(Value v) const {
  const ValueData& data = f_.value(v);
  return data.is_param ? nullptr : &f_.inst(Inst(data.def));
}

bool Builder::IsOp(Value v, Opcode op) const {
  const InstData* def = Def(v);
  return def != nullptr && def->op == op;
}

std::optional<Builder::WithConstant> Builder::MatchConstant(Value v, Opcode op) const {
  if (!IsOp(v, op)) return std::nullopt;
  const absl::Span<const Value> args = f_.args(Inst(f_.value(v).def));
  const std::optional<int64_t> c = ConstantOf(args[1]);
  if (!c) return std::nullopt;
  return WithConstant{args[0], *c};
}

uint64_t Builder::PossibleBits(Value v) const {
  const uint64_t bits = BitsOfDefinition(v);
  return bits_ != nullptr && v.index < bits_->size() ? bits & (*bits_)[v.index] : bits;
}

bool Builder::IsNonNegative(Value v) const {
  const uint64_t all = WidthMask(f_.type(v));
  return (PossibleBits(v) & (all ^ (all >> 1))) == 0;
}

uint64_t Builder::BitsOfDefinition(Value v) const {
  const Type type = f_.type(v);
  const uint64_t all = WidthMask(type);
  const InstData* def = Def(v);
  if (def == nullptr) return all;
  switch (def->op) {
    case Opcode::kIconst:
      return Bits(type, def->imm);
    case Opcode::kIcmp:
    case Opcode::kFcmp:
      return 1;
    case Opcode::kSimd:
      switch (static_cast<SimdOp>(def->aux)) {
        case SimdOp::kV128AnyTrue:
        case SimdOp::kI8x16AllTrue:
        case SimdOp::kI16x8AllTrue:
        case SimdOp::kI32x4AllTrue:
        case SimdOp::kI64x2AllTrue:
          return 1;
        default:
          return all;
      }
    case Opcode::kClz:
    case Opcode::kCtz:
    case Opcode::kPopcnt:
      return 0x7f;
    case Opcode::kExtendU32:
      return 0xffffffffu;
    case Opcode::kLoad:
    case Opcode::kLoadAt:
    case Opcode::kLoadContext:
    case Opcode::kLoadHost:
    case Opcode::kAtomicRmw:
    case Opcode::kAtomicCmpxchg:
      switch (static_cast<MemKind>(def->aux)) {
        case MemKind::kU8:
          return 0xff;
        case MemKind::kU16:
          return 0xffff;
        case MemKind::kU32:
          return 0xffffffffu;
        default:
          return all;
      }
    case Opcode::kAnd:
      if (auto m = MatchConstant(v, Opcode::kAnd)) return Bits(type, m->constant);
      return all;
    case Opcode::kShrU:
      if (auto m = MatchConstant(v, Opcode::kShrU)) {
        return all >> (Bits(type, m->constant) % BitWidth(type));
      }
      return all;
    default:
      return all;
  }
}

bool Builder::Same(const InstData& inst, Opcode op, Type type, uint8_t aux, int64_t imm,
                   absl::Span<const Value> args) const {
  if (inst.op != op || inst.type != type || inst.aux != aux || inst.imm != imm ||
      inst.args_count != args.size()) {
    return false;
  }
  return f_.args(Inst(f_.value(Value(inst.results_begin)).def)) == args;
}

Value Builder::Emit(Opcode op, Type type, uint8_t aux, int64_t imm, absl::Span<const Value> args,
                    Type result) {
  uint64_t h = Mix(static_cast<uint64_t>(op) | static_cast<uint64_t>(type) << 8 |
                       static_cast<uint64_t>(aux) << 16,
                   static_cast<uint64_t>(imm));
  for (Value v : args) h = Mix(h, v.index);
  Slot& slot = table_[(h >> 32) % kTableSize];
  if (slot.epoch == epoch_ && Same(*Def(slot.value), op, type, aux, imm, args)) return slot.value;

  if (values_ != nullptr) {
    if (const std::optional<Value> v = values_->Find({op, type, aux, imm, args})) {
      slot = {epoch_, *v};
      return *v;
    }
  }
  Inst inst;
  if (readd_.valid() && Same(f_.inst(readd_), op, type, aux, imm, args)) {
    inst = std::exchange(readd_, Inst());
    f_.block(block_).insts.push_back(inst);
  } else {
    inst = f_.Append(block_, {.op = op, .type = type, .aux = aux, .imm = imm}, args, {result});
  }
  slot = {epoch_, f_.result(inst)};
  if (values_ != nullptr) values_->Add({op, type, aux, imm, args}, slot.value);
  return slot.value;
}

Value Builder::Iconst(Type type, int64_t value) {
  return Emit(Opcode::kIconst, type, 0, Canonical(type, value), {}, type);
}

Value Builder::Fconst(Type type, uint64_t bits) {
  DCHECK(IsFloat(type));
  if (type == Type::kF32) bits &= 0xffffffffu;
  return Emit(Opcode::kFconst, type, 0, static_cast<int64_t>(bits), {}, type);
}

Value Builder::Vconst(const V128& bytes) {
  return Emit(Opcode::kVconst, Type::kV128, 0, f_.AddV128(bytes), {}, Type::kV128);
}

Value Builder::Constant(Type type, int64_t imm) {
  return IsInteger(type) ? Iconst(type, imm) : Fconst(type, static_cast<uint64_t>(imm));
}

Value Builder::ContextAddress(int64_t displacement) {
  return Emit(Opcode::kContextAddress, Type::kI32, 0, displacement, {}, Type::kI64);
}

Value Builder::Binary(Opcode op, uint8_t aux, Value a, Value b) {
  DCHECK(IsBinary(op) && (aux == 0 || IsDivision(op)));
  const Type type = f_.type(a);
  DCHECK(IsInteger(type) && type == f_.type(b));
  std::optional<int64_t> ca = ConstantOf(a);
  std::optional<int64_t> cb = ConstantOf(b);
  if (ca && cb) return Iconst(type, FoldBinary(op, type, *ca, *cb));
  if (ca && IsCommutative(op)) {
    std::swap(a, b);
    std::swap(ca, cb);
  }
  if (cb) {
    if (std::optional<Value> v = SimplifyConstant(op, type, a, *cb)) return *v;
  } else if (ca && *ca == 0) {
    // 0 shifted, rotated, or divided by anything but 0. (Division by 0 depends on the divisor.)
    if (IsShift(op) || op == Opcode::kSumulHi) return a;
  }
  if (a == b) {
    if (std::optional<Value> v = SimplifySame(op, aux, type, a)) return *v;
  }
  if (reassociate_ && !cb) {
    if (std::optional<Value> v = Reassociate(op, type, a, b)) return *v;
  }
  // Signed and unsigned agree.
  if (op == Opcode::kShrS && IsNonNegative(a)) return Binary(Opcode::kShrU, a, b);
  if ((op == Opcode::kSdivTotal || op == Opcode::kSremTotal) && IsNonNegative(a) &&
      IsNonNegative(b)) {
    return Binary(op == Opcode::kSdivTotal ? Opcode::kUdivTotal : Opcode::kUremTotal, aux, a, b);
  }
  if (op == Opcode::kOr || op == Opcode::kXor || op == Opcode::kAdd) {
    if (std::optional<Value> v = SimplifyRotate(type, a, b)) return *v;
  }
  // Where the quotient is known, a multiplication takes less time than another division. It holds
  // for division by 0 and for the quotient that overflows, too.
  if (op == Opcode::kSremTotal || op == Opcode::kUremTotal) {
    if (const std::optional<Value> q = KnownQuotient(op, a, b)) {
      return Binary(Opcode::kSub, a, Binary(Opcode::kMul, *q, b));
    }
  }
  // One order for operands that may be exchanged, so that value numbering finds both.
  if (IsCommutative(op) && !cb && b < a) std::swap(a, b);
  return Emit(op, type, aux, 0, {a, b}, type);
}

// Of the remainder `op`.
std::optional<Value> Builder::KnownQuotient(Opcode op, Value a, Value b) {
  if (values_ == nullptr) return std::nullopt;
  const Opcode division = op == Opcode::kSremTotal ? Opcode::kSdivTotal : Opcode::kUdivTotal;
  for (const uint8_t aux : {0, 1}) {
    if (const auto q = values_->Find({division, f_.type(a), aux, 0, {a, b}})) return q;
  }
  return std::nullopt;
}

// `a op c`.
std::optional<Value> Builder::SimplifyConstant(Opcode op, Type type, Value a, int64_t c) {
  const uint32_t width = BitWidth(type);
  const uint64_t bits = Bits(type, c);
  const auto constant = [&](uint64_t v) { return Iconst(type, static_cast<int64_t>(v)); };
  const auto again = [&](Opcode o, Value left, uint64_t v) { return Binary(o, left, constant(v)); };
  switch (op) {
    case Opcode::kAdd:
      if (c == 0) return a;
      if (auto m = MatchConstant(a, Opcode::kAdd)) {
        return again(Opcode::kAdd, m->left, bits + Bits(type, m->constant));
      }
      break;
    case Opcode::kSub:
      return again(Opcode::kAdd, a, ~bits + 1);
    case Opcode::kMul:
      if (c == 0) return constant(0);
      if (c == 1) return a;
      if (c == -1) return Binary(Opcode::kSub, constant(0), a);
      if (auto k = Log2(bits)) return again(Opcode::kShl, a, static_cast<uint64_t>(*k));
      break;
    case Opcode::kSmulHi:
      if (c == 0) return constant(0);
      if (c == 1) return again(Opcode::kShrS, a, width - 1);
      break;
    case Opcode::kUmulHi:
      if (c == 0 || c == 1) return constant(0);
      if (auto k = Log2(bits)) {
        return again(Opcode::kShrU, a, width - static_cast<uint64_t>(*k));
      }
      break;
    case Opcode::kSumulHi:
      if (c == 0) return constant(0);
      break;
    case Opcode::kSdivTotal:
      if (c == 0) return constant(~uint64_t{0});
      if (c == 1) return a;
      if (c == -1) return Binary(Opcode::kSub, constant(0), a);
      break;
    case Opcode::kUdivTotal:
      if (c == 0) return constant(~uint64_t{0});
      if (auto k = Log2(bits)) return again(Opcode::kShrU, a, static_cast<uint64_t>(*k));
      break;
    case Opcode::kSremTotal:
      if (c == 0) return a;
      if (c == 1 || c == -1) return constant(0);
      break;
    case Opcode::kUremTotal:
      if (c == 0) return a;
      if (std::has_single_bit(bits)) return again(Opcode::kAnd, a, bits - 1);
      break;
    case Opcode::kAnd:
      if (c == 0) return constant(0);
      if ((PossibleBits(a) & ~bits) == 0) return a;
      if (auto m = MatchConstant(a, Opcode::kAnd)) {
        return again(Opcode::kAnd, m->left, bits & Bits(type, m->constant));
      }
      break;
    case Opcode::kOr:
      if (c == 0) return a;
      if (c == -1) return constant(~uint64_t{0});
      if (auto m = MatchConstant(a, Opcode::kOr)) {
        return again(Opcode::kOr, m->left, bits | Bits(type, m->constant));
      }
      break;
    case Opcode::kXor:
      if (c == 0) return a;
      if (c == 1 && type == Type::kI32 && IsOp(a, Opcode::kIcmp)) {
        return Icmp(IntCond::kEq, a, constant(0));
      }
      if (auto m = MatchConstant(a, Opcode::kXor)) {
        return again(Opcode::kXor, m->left, bits ^ Bits(type, m->constant));
      }
      break;
    case Opcode::kShl:
    case Opcode::kShrU:
    case Opcode::kShrS:
    case Opcode::kRotl:
    case Opcode::kRotr: {
      const uint32_t amount = static_cast<uint32_t>(bits % width);
      if (amount == 0) return a;
      if (amount != bits) return again(op, a, amount);
      if (op == Opcode::kRotr) return again(Opcode::kRotl, a, width - amount);
      // An earlier shift in the same direction: amounts add up.
      if (auto m = MatchConstant(a, op)) {
        const uint64_t sum = amount + Bits(type, m->constant) % width;
        if (op == Opcode::kRotl || sum < width) return again(op, m->left, sum % width);
        if (op == Opcode::kShrS) return again(op, m->left, width - 1);
        return constant(0);
      }
      const uint64_t mask = WidthMask(type);
      if (op == Opcode::kShrU) {
        if (auto m = MatchConstant(a, Opcode::kShl); m && m->constant == c) {
          return again(Opcode::kAnd, m->left, mask >> amount);
        }
      } else if (op == Opcode::kShl) {
        for (Opcode right : {Opcode::kShrU, Opcode::kShrS}) {
          if (auto m = MatchConstant(a, right); m && m->constant == c) {
            return again(Opcode::kAnd, m->left, (mask << amount) & mask);
          }
        }
      } else if (op == Opcode::kShrS) {
        if (auto m = MatchConstant(a, Opcode::kShl); m && m->constant == c) {
          if (amount == width - 8) return Unary(Opcode::kExtendS8, m->left);
          if (amount == width - 16) return Unary(Opcode::kExtendS16, m->left);
          if (amount == 32) return Unary(Opcode::kExtendS32, Unary(Opcode::kWrap, m->left));
        }
      }
      break;
    }
    default:
      break;
  }
  return std::nullopt;
}

// `a op a`.
std::optional<Value> Builder::SimplifySame(Opcode op, uint8_t aux, Type type, Value a) {
  switch (op) {
    case Opcode::kSdivTotal:
    case Opcode::kUdivTotal:
      if (aux == 0) return std::nullopt;  // 0 / 0 is not 1
      return Iconst(type, 1);
    case Opcode::kSub:
    case Opcode::kXor:
    case Opcode::kSremTotal:  // 0 % 0 = 0
    case Opcode::kUremTotal:
      return Iconst(type, 0);
    case Opcode::kAnd:
    case Opcode::kOr:
      return a;
    default:
      return std::nullopt;
  }
}

// a + b or a - b of which one is a value and a constant.
std::optional<Value> Builder::Reassociate(Opcode op, Type type, Value a, Value b) {
  if (op != Opcode::kAdd && op != Opcode::kSub) return std::nullopt;
  const std::optional<WithConstant> left = MatchConstant(a, Opcode::kAdd);
  const std::optional<WithConstant> right = MatchConstant(b, Opcode::kAdd);
  if (!left && !right) return std::nullopt;
  uint64_t constant = left ? Bits(type, left->constant) : 0;
  if (right) {
    const uint64_t c = Bits(type, right->constant);
    constant += op == Opcode::kAdd ? c : ~c + 1;
  }
  const Value inner = Binary(op, left ? left->left : a, right ? right->left : b);
  return Binary(Opcode::kAdd, inner, Iconst(type, static_cast<int64_t>(constant)));
}

// (x << k) | (x >> width-k), or ^ or +: the two have no bit in common.
std::optional<Value> Builder::SimplifyRotate(Type type, Value a, Value b) {
  if (IsOp(b, Opcode::kShl)) std::swap(a, b);
  const std::optional<WithConstant> left = MatchConstant(a, Opcode::kShl);
  const std::optional<WithConstant> right = MatchConstant(b, Opcode::kShrU);
  if (!left || !right || left->left != right->left) return std::nullopt;
  const uint32_t width = BitWidth(type);
  const uint64_t k = Bits(type, left->constant);
  if (k == 0 || k >= width || Bits(type, right->constant) != width - k) return std::nullopt;
  return Binary(Opcode::kRotl, left->left, Iconst(type, left->constant));
}

Value Builder::Unary(Opcode op, Value a) {
  DCHECK(IsUnary(op));
  const Type type = f_.type(a);
  const Type result = UnaryResult(op, type);
  if (const std::optional<int64_t> c = ConstantOf(a)) {
    return Iconst(result, FoldUnary(op, type, *c));
  }
  switch (op) {
    case Opcode::kWrap:
      if (IsOp(a, Opcode::kExtendU32) || IsOp(a, Opcode::kExtendS32)) {
        return f_.args(Inst(f_.value(a).def))[0];
      }
      break;
    case Opcode::kExtendS32:
      if (IsNonNegative(a)) return Unary(Opcode::kExtendU32, a);
      break;
    case Opcode::kExtendS8:
      if (PossibleBits(a) <= 0x7f || IsOp(a, Opcode::kExtendS8)) return a;
      if (const InstData* def = Def(a);
          def != nullptr && IsLoad(def->op) && static_cast<MemKind>(def->aux) == MemKind::kS8) {
        return a;
      }
      break;
    case Opcode::kExtendS16:
      if (PossibleBits(a) <= 0x7fff || IsOp(a, Opcode::kExtendS8) || IsOp(a, Opcode::kExtendS16)) {
        return a;
      }
      if (const InstData* def = Def(a); def != nullptr && IsLoad(def->op)) {
        const MemKind kind = static_cast<MemKind>(def->aux);
        if (kind == MemKind::kS8 || kind == MemKind::kS16) return a;
      }
      break;
    default:
      break;
  }
  return Emit(op, type, 0, 0, {a}, result);
}

Value Builder::Icmp(IntCond cond, Value a, Value b) {
  const Type type = f_.type(a);
  DCHECK(IsInteger(type) && type == f_.type(b));
  if (a == b) return Iconst(Type::kI32, FoldIcmpSame(cond) ? 1 : 0);
  std::optional<int64_t> ca = ConstantOf(a);
  std::optional<int64_t> cb = ConstantOf(b);
  if (ca && cb) return Iconst(Type::kI32, FoldIcmp(cond, type, *ca, *cb) ? 1 : 0);
  // A constant goes right, and otherwise the older value left.
  if (ca || (!cb && b < a)) {
    std::swap(a, b);
    std::swap(ca, cb);
    cond = Swapped(cond);
  }
  // A chain of operations is looked through only so far: it may be as long as the function.
  constexpr uint32_t kMaxDepth = 16;
  if (cb && icmp_depth_ < kMaxDepth) {
    ++icmp_depth_;
    const std::optional<Value> v = SimplifyIcmpConstant(cond, type, a, *cb);
    --icmp_depth_;
    if (v) return *v;
  }
  if (values_ != nullptr) {
    if (const std::optional<bool> known = values_->Compare(cond, a, b)) {
      return Iconst(Type::kI32, *known ? 1 : 0);
    }
  }
  return Emit(Opcode::kIcmp, type, static_cast<uint8_t>(cond), 0, {a, b}, Type::kI32);
}

// `a cond c`.
std::optional<Value> Builder::SimplifyIcmpConstant(IntCond cond, Type type, Value a, int64_t c) {
  const uint64_t bits = Bits(type, c);
  const uint64_t all = WidthMask(type);
  const int64_t min = Canonical(type, static_cast<int64_t>(all / 2 + 1));
  const int64_t max = Canonical(type, static_cast<int64_t>(all / 2));
  const auto boolean = [&](bool v) { return Iconst(Type::kI32, v ? 1 : 0); };
  const auto again = [&](IntCond o, int64_t v) { return Icmp(o, a, Iconst(type, v)); };
  switch (cond) {
    case IntCond::kUlt:
      if (bits == 0) return boolean(false);
      if (bits == 1) return again(IntCond::kEq, 0);
      if (PossibleBits(a) < bits) return boolean(true);
      return std::nullopt;
    case IntCond::kUge:
      if (bits == 0) return boolean(true);
      if (bits == 1) return again(IntCond::kNe, 0);
      if (PossibleBits(a) < bits) return boolean(false);
      return std::nullopt;
    case IntCond::kUgt:
      if (bits == all) return boolean(false);
      return again(IntCond::kUge, static_cast<int64_t>(bits + 1));
    case IntCond::kUle:
      if (bits == all) return boolean(true);
      return again(IntCond::kUlt, static_cast<int64_t>(bits + 1));
    case IntCond::kSlt:
      if (c == min) return boolean(false);
      return std::nullopt;
    case IntCond::kSge:
      if (c == min) return boolean(true);
      return std::nullopt;
    case IntCond::kSgt:
      if (c == max) return boolean(false);
      return again(IntCond::kSge, c + 1);
    case IntCond::kSle:
      if (c == max) return boolean(true);
      return again(IntCond::kSlt, c + 1);
    case IntCond::kEq:
    case IntCond::kNe:
      break;
  }
  // Equality.
  const bool equal = cond == IntCond::kEq;
  if ((bits & ~PossibleBits(a)) != 0) return boolean(!equal);
  if (IsBoolean(a) && type == Type::kI32) {
    // a == 1 and a != 0 are a; the others its opposite.
    if (equal == (c == 1)) return a;
    if (const InstData* def = Def(a); def != nullptr && def->op == Opcode::kIcmp) {
      const absl::Span<const Value> args = f_.args(Inst(f_.value(a).def));
      const Value x = args[0];
      const Value y = args[1];
      return Icmp(Inverted(static_cast<IntCond>(def->aux)), x, y);
    }
    // Only of equality the opposite is a comparison too: all others are false for NaN.
    if (const InstData* def = Def(a); def != nullptr && def->op == Opcode::kFcmp) {
      const FloatCond f = static_cast<FloatCond>(def->aux);
      if (f == FloatCond::kEq || f == FloatCond::kNe) {
        const absl::Span<const Value> args = f_.args(Inst(f_.value(a).def));
        const Value x = args[0];
        const Value y = args[1];
        return Fcmp(f == FloatCond::kEq ? FloatCond::kNe : FloatCond::kEq, x, y);
      }
    }
    if (c == 1) return again(IntCond::kEq, 0);  // a != 1
  }
  if (auto m = MatchConstant(a, Opcode::kAdd)) {
    return Icmp(cond, m->left, Iconst(type, static_cast<int64_t>(bits - Bits(type, m->constant))));
  }
  if (auto m = MatchConstant(a, Opcode::kXor)) {
    return Icmp(cond, m->left, Iconst(type, c ^ m->constant));
  }
  if (c == 0 && (IsOp(a, Opcode::kSub) || IsOp(a, Opcode::kXor))) {
    const absl::Span<const Value> args = f_.args(Inst(f_.value(a).def));
    const Value x = args[0];
    const Value y = args[1];
    return Icmp(cond, x, y);
  }
  return std::nullopt;
}

Value Builder::Select(Value cond, Value if_true, Value if_false) {
  if (const std::optional<int64_t> c = ConstantOf(cond)) return *c != 0 ? if_true : if_false;
  if (if_true == if_false) return if_true;
  const Type type = f_.type(if_true);
  if (type == Type::kI32) {
    const std::optional<int64_t> t = ConstantOf(if_true);
    const std::optional<int64_t> e = ConstantOf(if_false);
    if (t && e && *t == 1 && *e == 0) return Icmp(IntCond::kNe, cond, if_false);
    if (t && e && *t == 0 && *e == 1) return Icmp(IntCond::kEq, cond, if_true);
  }
  return Emit(Opcode::kSelect, type, 0, 0, {cond, if_true, if_false}, type);
}

Value Builder::FloatBinary(Opcode op, Value a, Value b) {
  DCHECK(IsFloatBinary(op));
  const Type type = f_.type(a);
  DCHECK(IsFloat(type) && type == f_.type(b));
  const std::optional<int64_t> ca = ScalarConstantOf(f_, a);
  const std::optional<int64_t> cb = ScalarConstantOf(f_, b);
  if (ca && cb) {
    if (const std::optional<int64_t> c = FoldFloatBinary(op, type, *ca, *cb)) {
      return Constant(type, *c);
    }
  }
  if (op == Opcode::kFcopysign && a == b) return a;
  return Emit(op, type, 0, 0, {a, b}, type);
}

Value Builder::FloatUnary(Opcode op, Value a) {
  DCHECK(IsFloatUnary(op));
  const Type type = f_.type(a);
  DCHECK(IsFloat(type));
  if (const std::optional<int64_t> c = ScalarConstantOf(f_, a)) {
    if (const std::optional<int64_t> folded = FoldFloatUnary(op, type, *c)) {
      return Constant(type, *folded);
    }
  }
  // These change the sign alone.
  if (op == Opcode::kFneg && IsOp(a, Opcode::kFneg)) return f_.args(Inst(f_.value(a).def))[0];
  if (op == Opcode::kFabs) {
    if (IsOp(a, Opcode::kFabs)) return a;
    if (IsOp(a, Opcode::kFneg)) a = f_.args(Inst(f_.value(a).def))[0];
  }
  return Emit(op, type, 0, 0, {a}, type);
}

Value Builder::Fcmp(FloatCond cond, Value a, Value b) {
  const Type type = f_.type(a);
  DCHECK(IsFloat(type) && type == f_.type(b));
  const std::optional<int64_t> ca = ScalarConstantOf(f_, a);
  const std::optional<int64_t> cb = ScalarConstantOf(f_, b);
  if (ca && cb) return Iconst(Type::kI32, FoldFcmp(cond, type, *ca, *cb) ? 1 : 0);
  return Emit(Opcode::kFcmp, type, static_cast<uint8_t>(cond), 0, {a, b}, Type::kI32);
}

Value Builder::Convert(Opcode op, Type type, Value a, bool in_range) {
  DCHECK(IsConversion(op));
  if (const std::optional<int64_t> c = ScalarConstantOf(f_, a)) {
    if (const std::optional<int64_t> folded = FoldConversion(op, f_.type(a), type, *c)) {
      return Constant(type, *folded);
    }
  }
  if (op == Opcode::kBitcast && IsOp(a, Opcode::kBitcast)) {
    const Value original = f_.args(Inst(f_.value(a).def))[0];
    if (f_.type(original) == type) return original;
  }
  return Emit(op, type, in_range ? 1 : 0, 0, {a}, type);
}

Value Builder::Simd(SimdOp op, absl::Span<const Value> args, uint8_t lane) {
  const Type type = Info(op).result;
  return Emit(Opcode::kSimd, type, static_cast<uint8_t>(op), lane, args, type);
}

Value Builder::Shuffle(Value a, Value b, const V128& pattern) {
  return Emit(Opcode::kShuffle, Type::kV128, 0, f_.AddV128(pattern), {a, b}, Type::kV128);
}

Value Builder::Readd(Inst i) {
  const InstData data = f_.inst(i);  // a copy: building may move the original
  DCHECK(IsPure(data.op));
  const absl::InlinedVector<Value, 4> args(f_.args(i).begin(), f_.args(i).end());
  readd_ = i;
  Value result;
  if (IsBinary(data.op)) {
    result = Binary(data.op, data.aux, args[0], args[1]);
  } else if (IsFloatBinary(data.op)) {
    result = FloatBinary(data.op, args[0], args[1]);
  } else if (IsFloatUnary(data.op)) {
    result = FloatUnary(data.op, args[0]);
  } else if (data.op == Opcode::kFcmp) {
    result = Fcmp(static_cast<FloatCond>(data.aux), args[0], args[1]);
  } else if (IsConversion(data.op)) {
    result = Convert(data.op, data.type, args[0], data.aux != 0);
  } else if (IsUnary(data.op)) {
    result = Unary(data.op, args[0]);
  } else if (data.op == Opcode::kIcmp) {
    result = Icmp(static_cast<IntCond>(data.aux), args[0], args[1]);
  } else if (data.op == Opcode::kSelect) {
    result = Select(args[0], args[1], args[2]);
  } else {
    result = Emit(data.op, data.type, data.aux, data.imm, args, f_.type(f_.result(i)));
  }
  readd_ = Inst();
  return result;
}

}  // namespace precast::ir
