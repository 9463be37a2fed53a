// Finds pairs of i32 values that are the halves of 64-bit numbers: the analysis of wide_arithmetic.h.
#ifndef PRECAST_COMPILER_OPT_WIDE_PAIRS_H_
#define PRECAST_COMPILER_OPT_WIDE_PAIRS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

inline constexpr uint32_t kNoPair = 0xffffffffu;

// How the 64-bit value of a pair is made.
enum class PairKind : uint8_t {
  kJoin,      // of two values that have nothing to do with each other
  kConstant,  // both halves are constants
  kZeroExtended,
  kSignExtended,
  kWide,    // the halves of an i64 value that exists: `existing`
  kParam,   // two parameters of one block; `inputs`: the pairs on its edges
  kLoad,    // two words side by side; `first` is the first of the two loads
  kBinary,  // `op` of pairs inputs[0] and inputs[1]
  kShift,   // `op` of inputs[0] by `amount`
  kSelect,  // of inputs[0] and inputs[1] by `existing`
};

struct Pair {
  ir::Value lo, hi;
  PairKind kind = PairKind::kJoin;
  ir::Opcode op = ir::Opcode::kAdd;
  uint32_t amount = 0;
  ir::Value existing;
  ir::Inst first;
  std::vector<uint32_t> inputs;
  // Where it can be made: after instruction `index` of `block`, or at its start if -1. Not for
  // constants.
  ir::Block block;
  int32_t index = -1;
  int32_t saved = 0;  // instructions saved by making it at once
  uint32_t web = kNoPair;
  ir::Value wide;  // once it is made
};

// Something that uses a pair and gains from having it as one value.
struct PairUse {
  enum class Kind : uint8_t { kStore, kFunnel, kCompare, kJoin } kind;
  uint32_t pair;
  ir::Block block;
  ir::Inst inst;    // kStore: the first of the two stores; otherwise the instruction replaced
  ir::Inst second;  // kStore: the other one
  ir::Inst low;     // kStore: that of the low half
  uint32_t amount = 0;
  uint32_t other = kNoPair;  // kCompare: the pair compared with
  int32_t saved = 0;
};

// The edges of a function by where they lead, and the number of each among those to its target.
class EdgeNumbers {
 public:
  struct From {
    ir::Block block;
    uint32_t edge;
  };

  EdgeNumbers(const ir::Function& f, const ir::Cfg& cfg)
      : to_(f.num_blocks()), number_(f.num_blocks()) {
    for (ir::Block b : cfg.order()) {
      const absl::Span<const ir::Edge> edges = f.edges(f.terminator(b));
      for (uint32_t e = 0; e < edges.size(); ++e) {
        std::vector<From>& to = to_[edges[e].target.index];
        number_[b.index].push_back(static_cast<uint32_t>(to.size()));
        to.push_back({b, e});
      }
    }
  }

  const std::vector<From>& to(ir::Block b) const { return to_[b.index]; }
  uint32_t number(ir::Block from, size_t edge) const { return number_[from.index][edge]; }

 private:
  std::vector<std::vector<From>> to_;
  std::vector<std::vector<uint32_t>> number_;
};

struct WidePairs {
  std::vector<Pair> pairs;
  std::vector<PairUse> uses;
};

// All blocks of `f` must be reachable. Adds a constant that is in no block to `f`.
WidePairs FindWidePairs(ir::Function& f, const ir::Cfg& cfg, const EdgeNumbers& edges);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_WIDE_PAIRS_H_
