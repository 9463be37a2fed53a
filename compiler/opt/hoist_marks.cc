// See hoist_marks.h.
#include "compiler/opt/hoist_marks.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "absl/types/span.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/mark_mode.h"

namespace precast::opt {

using ir::Block;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

namespace {

// Marks that are made instead of one.
constexpr size_t kMostHoisted = 6;
// Instructions of a test that are executed twice.
constexpr size_t kMostCopies = 4;

}  // namespace

bool HoistedMarks::Find() {
  bool any = false;
  for (Block b : cfg_.order()) {
    Guard guard;
    if (cfg_.predecessors(b).size() == 1) guard = GuardOf(b);
    const size_t ways = cfg_.predecessors(guard.block.valid() ? guard.block : b).size();
    if (ways < 2 || ways > kMostMarkedWays) continue;
    const BlockMarks needed = MarksOf(f_, positions_, facts_, b);
    const std::vector<Mark>& marks = needed.marks;
    const size_t count = needed.first_group;
    bool asks = needed.asks;
    if (asks && guard.block.valid()) continue;  // fuel is not that before the guard
    asks |= guard.asks;
    for (size_t k = 0; k < count; ++k) {
      if (k + 1 == count || marks[k].root != marks[k + 1].root ||
          marks[k + 1].at - marks[k].at > kMarkedPage) {
        any |= Hoist(b, guard, marks[k], asks, false, nullptr);
        continue;
      }
      // The end of a range that a loop moves on with is enough: the rest is between that and what
      // has been touched.
      const Mark &low = marks[k], &high = marks[k + 1];
      any |= Hoist(b, guard, high, asks, true, nullptr);
      any |= Hoist(b, guard, low, asks, true, IsStride(b, high, ir::kMarkUp) ? &high : nullptr);
      if (IsStride(b, low, ir::kMarkDown)) any |= Hoist(b, guard, high, asks, true, &low);
      ++k;
    }
  }
  return any;
}

std::vector<Mark> HoistedMarks::Remaining(Block b) const {
  std::vector<Mark> marks = MarksOf(f_, positions_, facts_, b).marks;
  for (Mark& mark : marks) {
    const auto stride = strides_.find({b.index, {mark.root, mark.at}});
    if (stride != strides_.end()) mark.mode = stride->second;
  }
  const std::vector<Mark> all = marks;
  std::erase_if(marks, [&](const Mark& mark) {
    const auto granted = granted_.find({b.index, {mark.root, mark.at}});
    return granted != granted_.end() && std::any_of(all.begin(), all.end(), [&](const Mark& m) {
             return m.root == mark.root && m.at == granted->second;
           });
  });
  return marks;
}

bool HoistedMarks::IsStride(Block b, const Mark& mark, uint8_t mode) const {
  const auto it = strides_.find({b.index, {mark.root, mark.at}});
  return it != strides_.end() && (it->second & mode) != 0;
}

HoistedMarks::Guard HoistedMarks::GuardOf(Block b) const {
  const Block g = cfg_.predecessors(b)[0];
  const absl::Span<const Block> from = cfg_.predecessors(g);
  if (std::none_of(from.begin(), from.end(), [&](Block p) { return cfg_.IsRetreating(p, g); }))
    return {};
  const Inst branch = f_.terminator(g);
  if (f_.inst(branch).op != Opcode::kBrIf ||
      f_.edges(branch)[0].target == f_.edges(branch)[1].target)
    return {};
  Guard guard{.block = g, .edge = f_.edges(branch)[0].target == b ? size_t{0} : size_t{1}};
  bool charged = false;
  for (Inst i : f_.block(g).insts) {
    const InstData& inst = f_.inst(i);
    charged |= inst.op == Opcode::kCharge;
    if (inst.op == Opcode::kMeter || inst.op == Opcode::kMeterCheck) {
      if (guard.asks || charged || !IsExactMeter(f_, i)) return {};
      guard.asks = true;
    } else if (i != branch && !ir::IsPure(inst.op) && inst.op != Opcode::kCharge &&
               inst.op != Opcode::kDeferState && inst.op != Opcode::kCountRows) {
      return {};
    }
  }
  size_t copies = 0;
  return CanCopy(g, f_.args(branch)[0], copies) ? guard : Guard{};
}

// Whether what `g` makes `v` of can be computed at the ends of its predecessors.
bool HoistedMarks::CanCopy(Block g, Value v, size_t& copies) const {
  const ir::ValueData& data = f_.value(v);
  if (data.is_param || !positions_.IsDefinedIn(g, v)) return true;
  const Inst i(data.def);
  const InstData& inst = f_.inst(i);
  if (inst.op == Opcode::kIconst) return true;
  if (++copies > kMostCopies) return false;
  if ((!ir::IsBinary(inst.op) || ir::IsDivision(inst.op)) && inst.op != Opcode::kIcmp) return false;
  return CanCopy(g, f_.args(i)[0], copies) && CanCopy(g, f_.args(i)[1], copies);
}

// Of a mark at the end of `from`: near to what is marked there it is another page seldom.
uint8_t HoistedMarks::ModeAhead(Block from, const Position& there) const {
  if (!there.root.valid()) return ir::kMarkAlways;
  const MarkedFacts::Near near = facts_.FindNear(from, there);
  int64_t step = near.below <= near.above ? near.below : -near.above;
  const auto marks = ahead_.find(from.index);
  if (marks != ahead_.end()) {
    for (const Mark& mark : marks->second) {
      const bool is_certain = !mark.guard.valid() && mark.mode != ir::kMarkAhead;
      const int64_t distance = there.at - mark.at;
      if (mark.root == there.root && is_certain && std::abs(distance) < std::abs(step))
        step = distance;
    }
  }
  return std::abs(step) <= kMarkedPage / 2 ? StepMode(step) : ir::kMarkAlways;
}

// `other`: of the same root, and marked by `b` in any case; or null. With a guard: on the ways to
// that.
bool HoistedMarks::Hoist(Block b, const Guard& guard, const Mark& mark, bool asks, bool in_pair,
                         const Mark* other) {
  const Block head = guard.block.valid() ? guard.block : b;
  const Position here{mark.root, mark.at};
  if (granted_.contains({b.index, here})) return false;
  if (other == nullptr && strides_.contains({b.index, here})) return false;
  if (!positions_.NumberOf(here).has_value()) return false;
  Position at_head = here;
  if (guard.block.valid() && mark.root.valid() && positions_.IsDefinedIn(b, mark.root)) {
    if (!f_.value(mark.root).is_param) return false;
    at_head = positions_.PositionOf(
        f_.edges(f_.terminator(head))[guard.edge].args[f_.value(mark.root).index], mark.at);
  }
  const Value root = at_head.root;
  const bool is_param =
      root.valid() && f_.value(root).is_param && Block(f_.value(root).def) == head;
  if (root.valid() && !is_param && positions_.IsDefinedIn(head, root)) return false;
  std::vector<std::pair<Block, Position>> lacking;
  bool possible = true, known = false;
  int64_t below = 0, above = 0;  // how far it is from what is known, at most
  positions_.ForEachEdge(head, [&](Block from, const ir::Edge& edge) {
    const Position there =
        is_param ? positions_.PositionOf(edge.args[f_.value(root).index], at_head.at) : at_head;
    const MarkedFacts::Near near = facts_.FindNear(from, there);
    const int64_t to_other = other == nullptr      ? MarkedFacts::kFar
                             : other->at > mark.at ? near.below + (other->at - mark.at)
                                                   : near.above + (mark.at - other->at);
    if (near.Covers() || to_other <= kMarkedPage) {
      known = true;
    } else if (!cfg_.IsRetreating(from, head) && f_.inst(f_.terminator(from)).op == Opcode::kBr) {
      lacking.emplace_back(from, there);
    } else if (near.below <= kMarkedPage / 2) {
      below = std::max(below, near.below);
    } else if (near.above <= kMarkedPage / 2) {
      above = std::max(above, near.above);
    } else {
      possible = false;
    }
  });
  const bool is_stride = below != 0 || above != 0;
  if (is_stride && !mark.root.valid()) return false;
  if (!guard.block.valid()) {
    for (const auto& [from, there] : lacking) possible &= positions_.NumberOf(there).has_value();
  }
  if (!possible || (below != 0 && above != 0) || lacking.size() > kMostHoisted) return false;
  if (other != nullptr) {
    if (is_stride || !known) return false;
    granted_[{b.index, here}] = other->at;
  } else if (is_stride ? !in_pair && mark.mode != ir::kMarkAlways : !known || lacking.empty()) {
    return false;
  }
  if (is_stride) {
    strides_[{b.index, here}] = StepMode(below != 0 ? below : -above);
  } else if (guard.block.valid() && other == nullptr) {
    facts_.GiveBefore(b, *positions_.NumberOf(here));
  }
  for (const auto& [from, there] : lacking) {
    Mark ahead{.before = f_.terminator(from),
               .address = there.root,
               .displacement = there.at,
               .root = there.root,
               .at = there.at,
               .mode = asks ? ir::kMarkAhead : ModeAhead(from, there),
               .guard = guard.block,
               .guarded = guard.edge};
    if (is_param && there.root.valid()) {
      ahead.address = ir::Successors(f_, from)[0].args[f_.value(root).index];
      ahead.displacement = at_head.at;
    } else if (!is_param && mark.address.valid() && !guard.block.valid() &&
               !positions_.IsDefinedIn(b, mark.address)) {
      ahead.address = mark.address;
      ahead.displacement = mark.displacement;
    }
    ahead_[from.index].push_back(ahead);
    if (guard.block.valid()) continue;  // of the guard nothing is known
    positions_.Add(from, *positions_.NumberOf(there));
    facts_.SetBehind(from, *positions_.NumberOf(there));
  }
  return true;
}

}  // namespace precast::opt
