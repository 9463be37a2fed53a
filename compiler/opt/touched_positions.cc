// See touched_positions.h.
#include "compiler/opt/touched_positions.h"

#include <set>

#include "compiler/ir/fold.h"

namespace precast::opt {

using ir::Block;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

TouchedPositions::TouchedPositions(const ir::Function& f, const ir::Cfg& cfg) : f_(f), cfg_(cfg) {
  Collect();
  FindTranslations();
}

Position TouchedPositions::PositionOf(Value v, int64_t displacement) const {
  for (int depth = 0; depth < 8; ++depth) {
    if (const std::optional<int64_t> c = ir::ConstantOf(f_, v)) {
      return {Value(), static_cast<uint32_t>(*c + displacement)};
    }
    const ir::ValueData& data = f_.value(v);
    if (data.is_param) break;
    const Inst def(data.def);
    if (f_.inst(def).op != Opcode::kAdd) break;
    const std::optional<int64_t> c = ir::ConstantOf(f_, f_.args(def)[1]);
    if (!c.has_value()) break;
    displacement += *c;
    v = f_.args(def)[0];
  }
  return {v, static_cast<int32_t>(displacement)};
}

std::optional<uint32_t> TouchedPositions::NumberOf(const Position& p) const {
  const auto it = std::lower_bound(positions_.begin(), positions_.end(), p);
  if (it == positions_.end() || *it != p) return std::nullopt;
  return static_cast<uint32_t>(it - positions_.begin());
}

// Calls visit(predecessor, position) for what `p`, whose root is a parameter, is at the end of each
// predecessor of its block.
template <typename Visit>
void TouchedPositions::ForEachSource(const Position& p, Visit visit) const {
  if (!p.root.valid() || !f_.value(p.root).is_param) return;
  const ir::ValueData& data = f_.value(p.root);
  if (cfg_.predecessors(Block(data.def)).size() > kMostMarkedWays) return;
  ForEachEdge(Block(data.def), [&](Block from, const ir::Edge& edge) {
    visit(from, PositionOf(edge.args[data.index], p.at));
  });
}

// The positions that are touched, and what they are on the way to the blocks of whose parameters
// they are.
void TouchedPositions::Collect() {
  home_.assign(f_.num_insts(), UINT32_MAX);
  for (Block b : cfg_.order()) {
    for (Inst i : f_.block(b).insts) home_[i.index] = b.index;
  }
  std::vector<std::vector<Position>> touched(f_.num_blocks());
  std::set<Position> all;
  std::vector<Position> work;
  const auto add = [&](const Position& p) {
    if (all.insert(p).second) work.push_back(p);
  };
  for (Block b : cfg_.order()) {
    for (Inst i : f_.block(b).insts) {
      ForEachPosition(i, [&](const Position& p) {
        touched[b.index].push_back(p);
        add(p);
      });
    }
  }
  // Where each round of a loop adds something, there is no end of them.
  const size_t most = 4 * all.size();
  for (size_t k = 0; k < work.size() && all.size() < most; ++k) {
    const Position p = work[k];
    ForEachSource(p, [&](Block, const Position& source) {
      if (source.root != p.root) add(source);
    });
  }
  positions_.assign(all.begin(), all.end());
  words_ = (positions_.size() + 63) / 64;
  constexpr size_t kMostWords = size_t{1} << 22;
  if (words_ * cfg_.order().size() > kMostWords) words_ = 0;  // block by block
  touched_.resize(f_.num_blocks());
  for (Block b : cfg_.order()) {
    std::vector<uint32_t>& numbers = touched_[b.index];
    for (const Position& p : touched[b.index]) numbers.push_back(*NumberOf(p));
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  }
}

// Of the positions relative to parameters, and of those that a block touches where ways meet.
void TouchedPositions::FindTranslations() {
  translations_.resize(f_.num_blocks());
  if (words_ == 0) return;
  for (uint32_t n = 0; n < positions_.size(); ++n) {
    const Value root = positions_[n].root;
    if (!root.valid() || !f_.value(root).is_param) continue;
    Translation t{.number = n, .sources = {}};
    ForEachSource(positions_[n], [&](Block from, const Position& source) {
      t.sources.emplace_back(from, source);
    });
    translations_[f_.value(root).def].push_back(std::move(t));
  }
  for (Block b : cfg_.order()) {
    const size_t ways = cfg_.predecessors(b).size();
    if (ways < 2 || ways > kMostMarkedWays) continue;
    for (uint32_t n : touched_[b.index]) {
      const Position& p = positions_[n];
      if (p.root.valid() && IsDefinedIn(b, p.root)) continue;
      Translation t{.number = n, .sources = {}};
      ForEachEdge(b, [&](Block from, const ir::Edge&) { t.sources.emplace_back(from, p); });
      translations_[b.index].push_back(std::move(t));
    }
  }
}

}  // namespace precast::opt
