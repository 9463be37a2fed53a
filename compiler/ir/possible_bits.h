// Which bits of an integer may be other than 0, by what defines it: the rules of each operation,
// for whoever follows definitions in whatever order (opt/known_bits through the whole function,
// instruction selection a few steps back).
#ifndef PRECAST_COMPILER_IR_POSSIBLE_BITS_H_
#define PRECAST_COMPILER_IR_POSSIBLE_BITS_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"

namespace precast::ir {

// All bits of a type, zero-extended to 64; of what is no integer, 64.
inline constexpr uint64_t AllBits(Type type) {
  return type == Type::kI32 ? 0xffffffffu : ~uint64_t{0};
}

namespace possible_bits_internal {

// Ones in the lowest n bits.
inline uint64_t Low(int n) { return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1; }

// All numbers that are not above one with these bits have only bits of the result.
inline uint64_t UpTo(uint64_t bits) { return Low(64 - std::countl_zero(bits)); }

inline bool IsLoad(Opcode op) {
  return op == Opcode::kLoad || op == Opcode::kLoadAt || op == Opcode::kLoadContext ||
         op == Opcode::kLoadHost || op == Opcode::kAtomicRmw || op == Opcode::kAtomicCmpxchg;
}

}  // namespace possible_bits_internal

// Bits that `v` may have, zero-extended to 64, where bits(Value) tells it of what defines it. Of a
// parameter, or of one of several results, nothing is known.
template <typename BitsOf>
uint64_t PossibleBits(const Function& f, Value v, const BitsOf& bits) {
  const Type type = f.type(v);
  if (f.value(v).is_param || !IsInteger(type)) return AllBits(type);
  const Inst i(f.value(v).def);
  const InstData& inst = f.inst(i);
  if (inst.results_count != 1) return AllBits(type);
  const uint64_t all = AllBits(type);
  const absl::Span<const Value> args = f.args(i);
  if (possible_bits_internal::IsLoad(inst.op)) {
    switch (static_cast<MemKind>(inst.aux)) {
      case MemKind::kU8:
        return 0xff;
      case MemKind::kU16:
        return 0xffff;
      case MemKind::kU32:
        return 0xffffffffu;
      default:
        return all;
    }
  }
  const auto constant = [&](size_t k) { return ConstantOf(f, args[k]); };
  const uint64_t sign = all ^ (all >> 1);
  switch (inst.op) {
    case Opcode::kIconst:
      return Bits(type, inst.imm);
    case Opcode::kIcmp:
    case Opcode::kFcmp:
      return 1;
    case Opcode::kClz:
    case Opcode::kCtz:
    case Opcode::kPopcnt:
      return 0x7f;
    case Opcode::kBswap:
      return inst.type == Type::kI64 ? __builtin_bswap64(bits(args[0]))
                                     : __builtin_bswap64(bits(args[0])) >> 32;
    case Opcode::kAnd:
      return bits(args[0]) & bits(args[1]);
    case Opcode::kOr:
    case Opcode::kXor:
      return bits(args[0]) | bits(args[1]);
    case Opcode::kSelect:
      return bits(args[1]) | bits(args[2]);
    case Opcode::kAdd: {
      const uint64_t a = bits(args[0]);
      const uint64_t b = bits(args[1]);
      if ((a & b) == 0) return a | b;  // nothing is carried
      const uint64_t below = ~possible_bits_internal::Low(std::countr_zero(a | b));
      return possible_bits_internal::Low(64 - std::countl_zero(a | b) + 1) & below & all;
    }
    case Opcode::kMul: {
      const uint64_t a = bits(args[0]);
      const uint64_t b = bits(args[1]);
      if (a == 0 || b == 0) return 0;
      return possible_bits_internal::Low(128 - std::countl_zero(a) - std::countl_zero(b)) &
             ~possible_bits_internal::Low(std::min(63, std::countr_zero(a) + std::countr_zero(b))) &
             all;
    }
    case Opcode::kUdivTotal:
      // The quotient of a division by 0 has all bits.
      if (inst.aux == 0 && constant(1).value_or(0) == 0) return all;
      return possible_bits_internal::UpTo(bits(args[0]));
    case Opcode::kUremTotal: {
      const std::optional<int64_t> c = constant(1);
      if (!c || *c == 0) return possible_bits_internal::UpTo(bits(args[0]));
      return possible_bits_internal::UpTo(bits(args[0])) &
             possible_bits_internal::UpTo(Bits(type, *c) - 1);
    }
    case Opcode::kShl:
    case Opcode::kShrU:
    case Opcode::kShrS:
    case Opcode::kRotl: {
      const uint64_t a = bits(args[0]);
      const std::optional<int64_t> c = constant(1);
      if (!c) {
        const bool right =
            inst.op == Opcode::kShrU || (inst.op == Opcode::kShrS && (a & sign) == 0);
        return right ? possible_bits_internal::UpTo(a) : all;
      }
      const uint32_t width = BitWidth(type);
      const uint32_t n = static_cast<uint32_t>(*c) % width;
      switch (inst.op) {
        case Opcode::kShl:
          return (a << n) & all;
        case Opcode::kShrU:
          return a >> n;
        case Opcode::kShrS:
          return (a & sign) == 0 ? a >> n : (a >> n) | (all & ~(all >> n));
        default:
          return n == 0 ? a : ((a << n) | (a >> (width - n))) & all;
      }
    }
    case Opcode::kExtendU32:
    case Opcode::kWrap:
      return bits(args[0]) & 0xffffffffu;
    case Opcode::kExtendS32:
      return (bits(args[0]) & 0x80000000u) == 0 ? bits(args[0]) & 0xffffffffu : all;
    case Opcode::kExtendS8:
      return (bits(args[0]) & 0x80u) == 0 ? bits(args[0]) & 0xffu : all;
    case Opcode::kExtendS16:
      return (bits(args[0]) & 0x8000u) == 0 ? bits(args[0]) & 0xffffu : all;
    case Opcode::kSimd:
      switch (static_cast<SimdOp>(inst.aux)) {
        case SimdOp::kV128AnyTrue:
        case SimdOp::kI8x16AllTrue:
        case SimdOp::kI16x8AllTrue:
        case SimdOp::kI32x4AllTrue:
        case SimdOp::kI64x2AllTrue:
          return 1;
        default:
          return all;
      }
    default:
      return all;
  }
}

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_POSSIBLE_BITS_H_
