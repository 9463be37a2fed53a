// See repair_values.h.
#include "compiler/opt/repair_values.h"

#include <algorithm>
#include <cstddef>

#include "absl/types/span.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {

using ir::Block;
using ir::Cfg;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Value;

namespace {

// Parameters that mean what others mean are found in so many rounds; some may stay.
constexpr int kMostRounds = 8;

uint64_t Key(Block b, Value v) { return uint64_t{b.index} << 32 | v.index; }

// Calls visit(value) for each operand, edge argument and deferred value of `b`.
template <typename Visit>
void ForEachUse(Function& f, Block b, Visit visit) {
  for (auto& [slot, v] : f.block(b).state) visit(v);
  for (Inst i : f.block(b).insts) {
    for (Value& v : f.mutable_args(i)) visit(v);
    for (Edge& edge : f.mutable_edges(i)) {
      for (Value& v : edge.args) visit(v);
    }
  }
}

}  // namespace

void ValueRepair::Run() {
  const Cfg cfg(f_);
  uses_.resize(values_.size());
  for (Block b : cfg.order()) {
    ForEachUse(f_, b, [&](Value v) {
      const auto it = index_.find(v.index);
      if (it == index_.end()) return;
      const Definitions& d = values_[it->second];
      std::vector<Block>& uses = uses_[it->second];
      if (d.home == b || d.other_home == b || (!uses.empty() && uses.back() == b)) return;
      uses.push_back(b);
    });
  }
  lives_.assign(f_.num_blocks(), 0);
  for (size_t k = 0; k < values_.size(); ++k) {
    if (!uses_[k].empty()) Repair(cfg, values_[k], uses_[k], static_cast<uint32_t>(k) + 1);
  }
  for (Block b : cfg.order()) {
    ForEachUse(f_, b, [&](Value& v) {
      if (!index_.contains(v.index)) return;
      if (const auto it = at_.find(Key(b, v)); it != at_.end()) v = it->second;
    });
  }
  RemoveNeedless(cfg);
}

void ValueRepair::Repair(const Cfg& cfg, const Definitions& d, std::vector<Block> work,
                         uint32_t stamp) {
  std::vector<Block> live;  // where it is needed from the beginning
  while (!work.empty()) {
    const Block b = work.back();
    work.pop_back();
    if (b == d.home || b == d.other_home || lives_[b.index] == stamp) continue;
    lives_[b.index] = stamp;
    live.push_back(b);
    for (Block p : cfg.predecessors(b)) work.push_back(p);
  }
  std::sort(live.begin(), live.end(),
            [&](Block a, Block b) { return cfg.index(a) < cfg.index(b); });
  const auto end_of = [&](Block b) {
    if (b == d.home) return d.value;
    return b == d.other_home ? d.other : at_.at(Key(b, d.value));
  };
  // A single predecessor comes before.
  std::vector<Block> joins;
  for (Block b : live) {
    if (cfg.predecessors(b).size() == 1) {
      at_[Key(b, d.value)] = end_of(cfg.predecessors(b)[0]);
      continue;
    }
    const Value param = f_.AddParam(b, f_.type(d.value));
    at_[Key(b, d.value)] = param;
    joins.push_back(b);
    made_.push_back({b, param});
  }
  for (Block b : joins) {
    for (Block p : cfg.predecessors(b)) {
      // Of two edges one at a time: the first that has no argument yet.
      for (Edge& edge : f_.mutable_edges(f_.terminator(p))) {
        if (edge.target != b || edge.args.size() == f_.block(b).params.size()) continue;
        edge.args.push_back(end_of(p));
        break;
      }
    }
  }
}

void ValueRepair::RemoveNeedless(const Cfg& cfg) {
  Replacements same(f_.num_values());
  bool any = false, changed = true;
  for (int round = 0; round < kMostRounds && changed; ++round) {
    changed = false;
    for (const auto& [b, param] : made_) {
      if (same.Contains(param)) continue;
      Value only;
      bool needed = false;
      for (Block p : cfg.predecessors(b)) {
        for (const Edge& edge : ir::Successors(f_, p)) {
          if (edge.target != b) continue;
          const Value v = same.Get(edge.args[f_.value(param).index]);
          if (v == param) continue;
          needed |= only.valid() && v != only;
          only = v;
        }
      }
      if (needed || !only.valid()) continue;
      same.Set(param, only);
      changed = any = true;
    }
  }
  if (!any) return;
  same.Apply(f_);
  RetainParams(f_, [&](Value v) { return !same.Contains(v); });
}

}  // namespace precast::opt
