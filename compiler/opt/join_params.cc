// Joining parameters, see join_params.h.
#include "compiler/opt/join_params.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Value;

class ParamJoiner {
 public:
  ParamJoiner(Function& f, const ir::Cfg& cfg)
      : f_(f), cfg_(cfg), replaced_(f.num_values()), is_entry_(f.num_blocks(), false) {
    for (Block e : f.entries()) is_entry_[e.index] = true;
  }

  void Run() {
    // Parameters joined in one block make arguments equal in the next.
    for (Block b : cfg_.order()) {
      if (!is_entry_[b.index] && f_.block(b).params.size() > 1) Join(b);
    }
    if (!any_) return;
    replaced_.Apply(f_);
    RetainParams(f_, [&](Value v) { return !replaced_.Contains(v); });
  }

 private:
  void Join(Block b) {
    const std::vector<Value>& params = f_.block(b).params;
    // The edges to `b`. Edges of one predecessor are looked at together, once.
    edges_.clear();
    Block previous;
    for (Block p : cfg_.predecessors(b)) {
      if (p == previous) continue;
      previous = p;
      for (const Edge& edge : ir::Successors(f_, p)) {
        if (edge.target == b) edges_.push_back(&edge);
      }
    }
    hashes_.clear();
    for (uint32_t k = 0; k < params.size(); ++k) {
      uint64_t h = static_cast<uint64_t>(f_.type(params[k]));
      for (const Edge* edge : edges_) {
        h = (h ^ Argument(*edge, k, params)) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
      }
      hashes_.push_back({h, k});
    }
    std::sort(hashes_.begin(), hashes_.end());
    for (size_t n = 1, first = 0; n < hashes_.size(); ++n) {
      // Of different parameters with one hash (there are none) only neighbours are compared.
      if (hashes_[n].first != hashes_[first].first ||
          !SameArguments(hashes_[first].second, hashes_[n].second, params)) {
        first = n;
        continue;
      }
      replaced_.Set(params[hashes_[n].second], params[hashes_[first].second]);
      any_ = true;
    }
  }

  // A parameter that gets itself is as good as one that gets another.
  static constexpr uint32_t kItself = 0xfffffffeu;
  uint32_t Argument(const Edge& edge, uint32_t k, const std::vector<Value>& params) {
    const Value v = replaced_.Get(edge.args[k]);
    return v == params[k] ? kItself : v.index;
  }

  bool SameArguments(uint32_t a, uint32_t b, const std::vector<Value>& params) {
    if (f_.type(params[a]) != f_.type(params[b])) return false;
    return std::all_of(edges_.begin(), edges_.end(), [&](const Edge* edge) {
      return Argument(*edge, a, params) == Argument(*edge, b, params);
    });
  }

  Function& f_;
  const ir::Cfg& cfg_;
  Replacements replaced_;
  std::vector<bool> is_entry_;
  std::vector<const Edge*> edges_;
  std::vector<std::pair<uint64_t, uint32_t>> hashes_;  // and the parameter's position
  bool any_ = false;
};

}  // namespace

void JoinParams(Function& f, const ir::Graphs& graphs) { ParamJoiner(f, graphs.cfg(f)).Run(); }

}  // namespace precast::opt
