// Constant folding; see fold.h. All arithmetic is on unsigned 64-bit values, so that nothing
// overflows.
#include "compiler/ir/fold.h"

#include <bit>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/numeric/int128.h"

namespace precast::ir {
namespace {

int64_t MinOf(Type type) { return type == Type::kI32 ? INT32_MIN : INT64_MIN; }

int64_t HighHalf(Type type, absl::int128 product) {
  return Canonical(type, static_cast<int64_t>(product >> static_cast<int>(BitWidth(type))));
}

// a >> amount with copies of the sign, amount < 64.
int64_t ShiftRightSigned(int64_t a, uint32_t amount) { return a >> amount; }

}  // namespace

bool IsBinary(Opcode op) { return op >= Opcode::kAdd && op <= Opcode::kRotr; }

bool IsUnary(Opcode op) { return op >= Opcode::kExtendU32 && op <= Opcode::kExtendS16; }

bool IsCommutative(Opcode op) {
  switch (op) {
    case Opcode::kAdd:
    case Opcode::kMul:
    case Opcode::kSmulHi:
    case Opcode::kUmulHi:
    case Opcode::kAnd:
    case Opcode::kOr:
    case Opcode::kXor:
      return true;
    default:
      return false;
  }
}

bool IsPure(Opcode op) { return op <= Opcode::kExtendS16; }
static_assert(Opcode::kIconst == Opcode{0} && Opcode::kExtendS16 < Opcode::kLoad);

Type UnaryResult(Opcode op, Type type) {
  switch (op) {
    case Opcode::kExtendU32:
    case Opcode::kExtendS32:
      return Type::kI64;
    case Opcode::kWrap:
      return Type::kI32;
    default:
      return type;
  }
}

IntCond Inverted(IntCond cond) {
  switch (cond) {
    case IntCond::kEq:
      return IntCond::kNe;
    case IntCond::kNe:
      return IntCond::kEq;
    case IntCond::kSlt:
      return IntCond::kSge;
    case IntCond::kSge:
      return IntCond::kSlt;
    case IntCond::kSgt:
      return IntCond::kSle;
    case IntCond::kSle:
      return IntCond::kSgt;
    case IntCond::kUlt:
      return IntCond::kUge;
    case IntCond::kUge:
      return IntCond::kUlt;
    case IntCond::kUgt:
      return IntCond::kUle;
    case IntCond::kUle:
      return IntCond::kUgt;
  }
  return cond;
}

IntCond Swapped(IntCond cond) {
  switch (cond) {
    case IntCond::kEq:
    case IntCond::kNe:
      return cond;
    case IntCond::kSlt:
      return IntCond::kSgt;
    case IntCond::kSge:
      return IntCond::kSle;
    case IntCond::kSgt:
      return IntCond::kSlt;
    case IntCond::kSle:
      return IntCond::kSge;
    case IntCond::kUlt:
      return IntCond::kUgt;
    case IntCond::kUge:
      return IntCond::kUle;
    case IntCond::kUgt:
      return IntCond::kUlt;
    case IntCond::kUle:
      return IntCond::kUge;
  }
  return cond;
}

int64_t FoldBinary(Opcode op, Type type, int64_t a, int64_t b) {
  const uint32_t width = BitWidth(type);
  a = Canonical(type, a);
  b = Canonical(type, b);
  const uint64_t ua = Bits(type, a);
  const uint64_t ub = Bits(type, b);
  const uint32_t amount = static_cast<uint32_t>(ub % width);
  const auto wrap = [type](uint64_t v) { return Canonical(type, static_cast<int64_t>(v)); };
  switch (op) {
    case Opcode::kAdd:
      return wrap(ua + ub);
    case Opcode::kSub:
      return wrap(ua - ub);
    case Opcode::kMul:
      return wrap(ua * ub);
    case Opcode::kSmulHi:
      return HighHalf(type, absl::int128(a) * absl::int128(b));
    case Opcode::kUmulHi:
      return Canonical(type, static_cast<int64_t>((absl::uint128(ua) * absl::uint128(ub)) >>
                                                  static_cast<int>(width)));
    case Opcode::kSumulHi:
      return HighHalf(type, absl::int128(a) * absl::int128(ub));
    case Opcode::kSdivTotal:
      if (b == 0) return -1;
      if (a == MinOf(type) && b == -1) return a;
      return wrap(static_cast<uint64_t>(a / b));
    case Opcode::kUdivTotal:
      return b == 0 ? -1 : wrap(ua / ub);
    case Opcode::kSremTotal:
      if (b == 0) return a;
      if (b == -1) return 0;
      return wrap(static_cast<uint64_t>(a % b));
    case Opcode::kUremTotal:
      return b == 0 ? a : wrap(ua % ub);
    case Opcode::kAnd:
      return a & b;
    case Opcode::kOr:
      return a | b;
    case Opcode::kXor:
      return a ^ b;
    case Opcode::kShl:
      return wrap(ua << amount);
    case Opcode::kShrU:
      return wrap(ua >> amount);
    case Opcode::kShrS:
      return ShiftRightSigned(a, amount);
    case Opcode::kRotl:
      return type == Type::kI32
                 ? wrap(std::rotl(static_cast<uint32_t>(ua), static_cast<int>(amount)))
                 : wrap(std::rotl(ua, static_cast<int>(amount)));
    case Opcode::kRotr:
      return type == Type::kI32
                 ? wrap(std::rotr(static_cast<uint32_t>(ua), static_cast<int>(amount)))
                 : wrap(std::rotr(ua, static_cast<int>(amount)));
    default:
      break;
  }
  LOG(FATAL) << "not a binary operation: " << Info(op).text;
}

int64_t FoldUnary(Opcode op, Type type, int64_t a) {
  switch (op) {
    case Opcode::kExtendU32:
      return static_cast<int64_t>(Bits(Type::kI32, a));
    case Opcode::kExtendS32:
    case Opcode::kWrap:
      return Canonical(Type::kI32, a);
    case Opcode::kExtendS8:
      return Canonical(type, int64_t{static_cast<int8_t>(static_cast<uint8_t>(a))});
    case Opcode::kExtendS16:
      return Canonical(type, int64_t{static_cast<int16_t>(static_cast<uint16_t>(a))});
    default:
      break;
  }
  LOG(FATAL) << "not a unary operation: " << Info(op).text;
}

bool FoldIcmp(IntCond cond, Type type, int64_t a, int64_t b) {
  a = Canonical(type, a);
  b = Canonical(type, b);
  const uint64_t ua = Bits(type, a);
  const uint64_t ub = Bits(type, b);
  switch (cond) {
    case IntCond::kEq:
      return a == b;
    case IntCond::kNe:
      return a != b;
    case IntCond::kSlt:
      return a < b;
    case IntCond::kSge:
      return a >= b;
    case IntCond::kSgt:
      return a > b;
    case IntCond::kSle:
      return a <= b;
    case IntCond::kUlt:
      return ua < ub;
    case IntCond::kUge:
      return ua >= ub;
    case IntCond::kUgt:
      return ua > ub;
    case IntCond::kUle:
      return ua <= ub;
  }
  LOG(FATAL) << "bad condition " << static_cast<int>(cond);
}

bool FoldIcmpSame(IntCond cond) { return FoldIcmp(cond, Type::kI64, 0, 0); }

std::optional<int64_t> ConstantOf(const Function& f, Value v) {
  const ValueData& data = f.value(v);
  if (data.is_param) return std::nullopt;
  const InstData& inst = f.inst(Inst(data.def));
  if (inst.op != Opcode::kIconst) return std::nullopt;
  return inst.imm;
}

}  // namespace precast::ir
