// Finds pairs of i32 values that are the halves of 64-bit numbers: the analysis of
// wide_arithmetic.h.
#ifndef PRECAST_COMPILER_OPT_WIDE_PAIRS_H_
#define PRECAST_COMPILER_OPT_WIDE_PAIRS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
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
      : to_begin_(f.num_blocks() + 1, 0), from_begin_(f.num_blocks(), 0) {
    uint32_t count = 0;
    for (ir::Block b : cfg.order()) {
      from_begin_[b.index] = count;
      for (const ir::Edge& edge : f.edges(f.terminator(b))) {
        ++to_begin_[edge.target.index + 1];
        ++count;
      }
    }
    for (size_t b = 0; b < f.num_blocks(); ++b) to_begin_[b + 1] += to_begin_[b];
    to_.resize(count);
    number_.resize(count);
    std::vector<uint32_t> next(to_begin_.begin(), to_begin_.end() - 1);
    for (ir::Block b : cfg.order()) {
      const absl::Span<const ir::Edge> edges = f.edges(f.terminator(b));
      for (uint32_t e = 0; e < edges.size(); ++e) {
        const uint32_t target = edges[e].target.index, at = next[target]++;
        number_[from_begin_[b.index] + e] = at - to_begin_[target];
        to_[at] = {b, e};
      }
    }
  }

  // The edges to `b`.
  absl::Span<const From> to(ir::Block b) const {
    return absl::MakeConstSpan(to_).subspan(to_begin_[b.index],
                                            to_begin_[b.index + 1] - to_begin_[b.index]);
  }
  // Number of an edge among those to its target.
  uint32_t number(ir::Block from, size_t edge) const {
    return number_[from_begin_[from.index] + edge];
  }

 private:
  std::vector<uint32_t> to_begin_, from_begin_;  // by block, in `to_` and in `number_`
  std::vector<From> to_;
  std::vector<uint32_t> number_;
};

struct WidePairs {
  std::vector<Pair> pairs;
  std::vector<PairUse> uses;
};

// All blocks of `f` must be reachable. Adds a constant that is in no block to `f`.
WidePairs FindWidePairs(ir::Function& f, const ir::Cfg& cfg, const EdgeNumbers& edges);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_WIDE_PAIRS_H_
