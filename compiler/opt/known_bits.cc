#include "compiler/opt/known_bits.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/types/span.h"
#include "compiler/ir/fold.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::MemKind;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr uint64_t kAllBits = ~uint64_t{0};

uint64_t AllOf(Type type) { return type == Type::kI32 ? 0xffffffffu : kAllBits; }

// Ones in the lowest n bits.
uint64_t Low(int n) { return n >= 64 ? kAllBits : (uint64_t{1} << n) - 1; }

// All numbers that are not above one with these bits have only bits of the result.
uint64_t UpTo(uint64_t bits) { return Low(64 - std::countl_zero(bits)); }

class Analysis {
 public:
  Analysis(const Function& f, const ir::Cfg& cfg)
      : f_(f), cfg_(cfg), bits_(f.num_values(), 0), is_entry_(f.num_blocks(), false) {
    for (Block e : f.entries()) is_entry_[e.index] = true;
  }

  std::vector<uint64_t> Run() {
    // Parameters begin with no bits and collect those of their arguments, round by round.
    constexpr int kMaxRounds = 4;
    for (int round = 0; round < kMaxRounds; ++round) {
      if (!Round(/*give_up=*/false)) return std::move(bits_);
    }
    Round(/*give_up=*/true);
    return std::move(bits_);
  }

 private:
  // Whether anything changed that has been used already.
  bool Round(bool give_up) {
    bool changed = false;
    for (Block b : cfg_.order()) {
      const std::vector<Value>& params = f_.block(b).params;
      for (size_t k = 0; k < params.size(); ++k) {
        if (is_entry_[b.index] || give_up) bits_[params[k].index] = AllOf(f_.type(params[k]));
      }
    }
    for (Block b : cfg_.order()) {
      for (Inst i : f_.block(b).insts) {
        const InstData& inst = f_.inst(i);
        if (inst.results_count == 1 && (ir::IsPure(inst.op) || IsLoad(inst.op))) {
          bits_[inst.results_begin] = Evaluate(i, inst);
        } else {
          for (uint32_t k = 0; k < inst.results_count; ++k) {
            bits_[inst.results_begin + k] = AllOf(f_.type(f_.result(i, k)));
          }
        }
      }
      for (const Edge& edge : ir::Successors(f_, b)) {
        const std::vector<Value>& params = f_.block(edge.target).params;
        for (size_t k = 0; k < params.size(); ++k) {
          uint64_t& to = bits_[params[k].index];
          const uint64_t from = bits_[edge.args[k].index];
          if ((from & ~to) == 0) continue;
          to |= from;
          changed |= cfg_.IsRetreating(b, edge.target);
        }
      }
    }
    return changed;
  }

  static bool IsLoad(Opcode op) {
    return op == Opcode::kLoad || op == Opcode::kLoadAt || op == Opcode::kLoadContext ||
           op == Opcode::kLoadHost || op == Opcode::kAtomicRmw || op == Opcode::kAtomicCmpxchg;
  }

  uint64_t Bits(Value v) const { return bits_[v.index]; }

  uint64_t Evaluate(Inst i, const InstData& inst) const {
    const Type type = f_.type(f_.result(i));
    if (!ir::IsInteger(type)) return kAllBits;
    const uint64_t all = AllOf(type);
    const absl::Span<const Value> args = f_.args(i);
    if (IsLoad(inst.op)) {
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
    const auto constant = [&](size_t k) { return ir::ConstantOf(f_, args[k]); };
    const uint64_t sign = all ^ (all >> 1);
    switch (inst.op) {
      case Opcode::kIconst:
        return ir::Bits(type, inst.imm);
      case Opcode::kIcmp:
      case Opcode::kFcmp:
        return 1;
      case Opcode::kClz:
      case Opcode::kCtz:
      case Opcode::kPopcnt:
        return 0x7f;
      case Opcode::kBswap:
        return inst.type == Type::kI64 ? __builtin_bswap64(Bits(args[0]))
                                       : __builtin_bswap64(Bits(args[0])) >> 32;
      case Opcode::kAnd:
        return Bits(args[0]) & Bits(args[1]);
      case Opcode::kOr:
      case Opcode::kXor:
        return Bits(args[0]) | Bits(args[1]);
      case Opcode::kSelect:
        return Bits(args[1]) | Bits(args[2]);
      case Opcode::kAdd: {
        const uint64_t a = Bits(args[0]);
        const uint64_t b = Bits(args[1]);
        if ((a & b) == 0) return a | b;  // nothing is carried
        const uint64_t below = ~Low(std::countr_zero(a | b));
        return Low(64 - std::countl_zero(a | b) + 1) & below & all;
      }
      case Opcode::kMul: {
        const uint64_t a = Bits(args[0]);
        const uint64_t b = Bits(args[1]);
        if (a == 0 || b == 0) return 0;
        return Low(128 - std::countl_zero(a) - std::countl_zero(b)) &
               ~Low(std::min(63, std::countr_zero(a) + std::countr_zero(b))) & all;
      }
      case Opcode::kUdivTotal:
        // The quotient of a division by 0 has all bits.
        if (inst.aux == 0 && constant(1).value_or(0) == 0) return all;
        return UpTo(Bits(args[0]));
      case Opcode::kUremTotal: {
        const std::optional<int64_t> c = constant(1);
        if (!c || *c == 0) return UpTo(Bits(args[0]));
        return UpTo(Bits(args[0])) & UpTo(ir::Bits(type, *c) - 1);
      }
      case Opcode::kShl:
      case Opcode::kShrU:
      case Opcode::kShrS:
      case Opcode::kRotl: {
        const uint64_t a = Bits(args[0]);
        const std::optional<int64_t> c = constant(1);
        if (!c) {
          const bool right =
              inst.op == Opcode::kShrU || (inst.op == Opcode::kShrS && (a & sign) == 0);
          return right ? UpTo(a) : all;
        }
        const uint32_t width = ir::BitWidth(type);
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
        return Bits(args[0]) & 0xffffffffu;
      case Opcode::kExtendS32:
        return (Bits(args[0]) & 0x80000000u) == 0 ? Bits(args[0]) & 0xffffffffu : all;
      case Opcode::kExtendS8:
        return (Bits(args[0]) & 0x80u) == 0 ? Bits(args[0]) & 0xffu : all;
      case Opcode::kExtendS16:
        return (Bits(args[0]) & 0x8000u) == 0 ? Bits(args[0]) & 0xffffu : all;
      case Opcode::kSimd:
        switch (static_cast<ir::SimdOp>(inst.aux)) {
          case ir::SimdOp::kV128AnyTrue:
          case ir::SimdOp::kI8x16AllTrue:
          case ir::SimdOp::kI16x8AllTrue:
          case ir::SimdOp::kI32x4AllTrue:
          case ir::SimdOp::kI64x2AllTrue:
            return 1;
          default:
            return all;
        }
      default:
        return all;
    }
  }

  const Function& f_;
  const ir::Cfg& cfg_;
  std::vector<uint64_t> bits_;
  std::vector<bool> is_entry_;
};

}  // namespace

std::vector<uint64_t> PossibleBits(const Function& f, const ir::Cfg& cfg) {
  return Analysis(f, cfg).Run();
}

}  // namespace precast::opt
