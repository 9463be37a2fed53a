#include "compiler/opt/known_bits.h"

#include <cstddef>
#include <utility>

#include "compiler/ir/possible_bits.h"

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
        if (is_entry_[b.index] || give_up) bits_[params[k].index] = ir::AllBits(f_.type(params[k]));
      }
    }
    for (Block b : cfg_.order()) {
      for (Inst i : f_.block(b).insts) {
        const InstData& inst = f_.inst(i);
        for (uint32_t k = 0; k < inst.results_count; ++k) {
          bits_[inst.results_begin + k] =
              ir::PossibleBits(f_, f_.result(i, k), [&](Value v) { return bits_[v.index]; });
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
