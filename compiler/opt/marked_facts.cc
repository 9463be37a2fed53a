// See marked_facts.h.
#include "compiler/opt/marked_facts.h"

#include <algorithm>
#include <utility>

namespace precast::opt {

using ir::Block;
using ir::Value;

MarkedFacts::Near MarkedFacts::FindNear(const Facts& facts, const Position& p) const {
  const std::vector<Position>& positions = positions_.all();
  Near near{kFar, kFar};
  const auto at = std::lower_bound(positions.begin(), positions.end(), p);
  for (auto it = at; it != positions.end() && it->root == p.root && it->at - p.at < kFar; ++it) {
    if (!IsFact(facts, static_cast<size_t>(it - positions.begin()))) continue;
    near.above = it->at - p.at;
    break;
  }
  for (auto it = at; it != positions.begin();) {
    if (near.above == 0) return {0, 0};
    --it;
    if (it->root != p.root || p.at - it->at >= kFar) break;
    if (!IsFact(facts, static_cast<size_t>(it - positions.begin()))) continue;
    near.below = p.at - it->at;
    break;
  }
  if (near.above == 0) return {0, 0};
  if (!p.root.valid()) {  // pages are known
    const int64_t in_page = p.at & (kMarkedPage - 1);
    if (near.below <= in_page || near.above < kMarkedPage - in_page) return {0, 0};
  }
  return near;
}

// Which positions have been touched before each block. What is relative to a parameter is a matter
// of the edges.
void MarkedFacts::Propagate() {
  const size_t words = positions_.words();
  if (words == 0) return;
  out_.assign(in_.size(), {});
  const Facts all(words, ~uint64_t{0});
  for (Block b : cfg_.order()) {
    out_[b.index] = all;
    in_[b.index].assign(words, 0);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (Block b : cfg_.order()) {
      Facts in(words, 0);
      if (!cfg_.predecessors(b).empty()) {
        in = all;
        for (Block p : cfg_.predecessors(b)) {
          for (size_t w = 0; w < words; ++w) in[w] &= out_[p.index][w];
        }
        for (const TouchedPositions::Translation& t : positions_.translations(b)) {
          SetFact(in, t.number,
                  !t.sources.empty() &&
                      std::all_of(t.sources.begin(), t.sources.end(), [&](const auto& source) {
                        return FindNear(out_[source.first.index], source.second).Covers();
                      }));
        }
      }
      for (uint32_t n : given_[b.index]) SetFact(in, n, true);
      in_[b.index] = in;
      for (uint32_t n : positions_.of(b)) SetFact(in, n, true);
      if (in != out_[b.index]) {
        out_[b.index] = std::move(in);
        changed = true;
      }
    }
  }
}

std::set<int64_t> MarkedFacts::Known(Block b, Value root, const std::set<int64_t>& needed) const {
  std::set<int64_t> known;
  const Facts& facts = in_[b.index];
  if (facts.empty()) return known;
  const std::vector<Position>& positions = positions_.all();
  int64_t seen = INT64_MIN;  // all up to it have been looked at
  for (int64_t at : needed) {
    const Position from{root, std::max(seen, at - kMarkedPage)};
    for (auto it = std::lower_bound(positions.begin(), positions.end(), from);
         it != positions.end() && it->root == root && it->at <= at + kMarkedPage; ++it) {
      if (IsFact(facts, static_cast<size_t>(it - positions.begin()))) known.insert(it->at);
    }
    seen = std::max(seen, at + kMarkedPage);
  }
  return known;
}

}  // namespace precast::opt
