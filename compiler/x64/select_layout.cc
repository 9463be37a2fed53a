// What selection must know before it begins: how often each value is used, which sites see deferred
// state, and in which order blocks and split edges lie.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "compiler/x64/selector.h"

namespace precast::x64::selection {

void Selector::CountUses(Block b) {
  const ir::BlockData& block = f_.block(b);
  // Deferrals in force, by slot, and the last site so far. Sites are numbered by position.
  std::vector<OpenDeferral>& open = open_;
  if (open.size() < 256) open.resize(256);
  std::vector<uint8_t>& slots = open_slots_;
  slots.clear();
  std::vector<uint32_t>& sites = sites_;
  sites.clear();
  const uint32_t begin = static_cast<uint32_t>(deferrals_.size());
  auto close = [&](uint8_t slot) {
    OpenDeferral& o = open[slot];
    if (o.value.valid() && o.since < sites.size()) {
      deferrals_.push_back({slot, o.value, o.high, sites[o.since], sites.back()});
      ++uses_[o.value.index];
    }
    o.value = Value();
  };
  auto defer = [&](uint8_t slot, Value v) {
    close(slot);
    // Half of a 64-bit value need not be taken out of it for sites.
    const auto [value, high] = WholeOf(v);
    open[slot].value = value;
    open[slot].high = high;
    open[slot].since = static_cast<uint32_t>(sites.size());
    slots.push_back(slot);
  };
  for (const auto& [slot, value] : block.state) defer(slot, value);
  uint32_t effects = 0;
  for (Inst i : block.insts) {
    const InstData& d = f_.inst(i);
    inst_block_[i.index] = b.index;
    effects_before_[i.index] = effects;
    if (ir::Info(d.op).has_side_effect) ++effects;
    // Its users read a 32-bit value's register or slot as 64 bits.
    if (d.op == Opcode::kExtendU32) {
      const uint32_t narrow = Resolve(f_.result(i)).index;
      read_wide_[narrow] = true;
      if (vreg_of_[narrow] != kNoVReg) m_.problem.vreg_wide[vreg_of_[narrow]] = true;
    }
    switch (d.op) {
      case Opcode::kDeferState:
        defer(d.aux, f_.args(i)[0]);
        continue;  // not a use unless a site sees it
      case Opcode::kStoreState:
        close(d.aux);
        break;
      case Opcode::kCall:
      case Opcode::kCallDispatch:
      case Opcode::kCallRuntime:
      case Opcode::kCallPointer:
        for (uint8_t slot : slots) close(slot);
        slots.clear();
        break;
      default:
        if (ir::CanStop(d.op)) sites.push_back(i.index);
        break;
    }
    if (d.op == Opcode::kLoad || d.op == Opcode::kStore) ++address_uses_[f_.args(i)[0].index];
    for (Value v : f_.args(i)) ++uses_[v.index];
    for (const ir::Edge& e : f_.edges(i)) {
      for (Value v : e.args) ++uses_[v.index];
    }
  }
  for (uint8_t slot : slots) close(slot);
  deferrals_of_[b.index] = {begin, static_cast<uint32_t>(deferrals_.size())};
  for (uint32_t k = begin; k < deferrals_.size(); ++k) {
    if (!ConstantOf(deferrals_[k].value).has_value()) VRegOf(deferrals_[k].value);
  }
}

void Selector::LayOut() {
  std::vector<uint32_t> position(f_.num_blocks(), kNone);
  for (uint32_t i = 0; i < cf_.layout.size(); ++i) position[cf_.layout[i].index] = i;
  successors_of_.resize(f_.num_blocks());
  struct Split {
    Block from;
    uint32_t successor;  // in successors_
    bool aside = false;  // something else falls through to the target
  };
  std::vector<std::vector<Split>> before(cf_.layout.size() + 1), after(cf_.layout.size() + 1);
  std::vector<Split> cold_end;
  std::vector<uint32_t> number_of(f_.num_blocks(), kNone);
  for (uint32_t at = 0; at < cf_.layout.size(); ++at) {
    const Block b = cf_.layout[at];
    if (role_[b.index] == Role::kCalls || role_[b.index] == Role::kEnters) continue;
    const Inst terminator = f_.terminator(b);
    const auto edges = f_.edges(terminator);
    const uint32_t begin = static_cast<uint32_t>(successors_.size());
    const bool is_table = f_.inst(terminator).op == Opcode::kBrTable;
    for (uint32_t e = 0; e < edges.size(); ++e) {
      if (is_table) {
        uint32_t& number = number_of[edges[e].target.index];
        if (number == kNone) {
          number = static_cast<uint32_t>(successors_.size()) - begin;
          successors_.push_back({.ir_edge = e});
        }
        tables_.push_back(number);
      } else if (e == 1 && edges[1].target == edges[0].target && edges[0].args == edges[1].args) {
        continue;  // br_if with two equal edges: an unconditional jump
      } else {
        successors_.push_back({.ir_edge = e});
      }
    }
    if (is_table) {
      for (const ir::Edge& e : edges) number_of[e.target.index] = kNone;
    }
    const uint32_t end = static_cast<uint32_t>(successors_.size());
    successors_of_[b.index] = {begin, end,
                               static_cast<uint32_t>(tables_.size()) -
                                   (is_table ? static_cast<uint32_t>(edges.size()) : 0)};
    if (end - begin < 2) continue;
    for (uint32_t s = begin; s < end; ++s) {
      const ir::Edge& edge = edges[successors_[s].ir_edge];
      const ControlFlow::BlockInfo& target = cf_.info[edge.target.index];
      if (target.num_preds == 1 && edge.args.empty()) continue;
      const ControlFlow::BlockInfo& source = cf_.info[b.index];
      const uint32_t to = position[edge.target.index];
      if (source.cold != target.cold) {
        cold_end.push_back({b, s});
      } else if (to == at + 1) {
        after[at].push_back({b, s});
      } else if (to <= at) {
        after[at].insert(after[at].begin(), {b, s});  // the back edge of a loop
      } else if (!FlowsTo(cf_.layout[to - 1], edge.target)) {
        before[to].push_back({b, s});
      } else if (source.cold) {
        cold_end.push_back({b, s});
      } else {
        before[to].push_back({b, s, /*aside=*/true});
      }
    }
  }
  auto place = [&](const std::vector<Split>& splits) {
    for (const Split& s : splits) {
      successors_[s.successor].piece = static_cast<uint32_t>(pieces_.size());
      pieces_.push_back({.ir = Block(), .from = s.from, .edge = s.successor, .aside = s.aside});
    }
  };
  piece_of_.assign(f_.num_blocks(), kNone);
  uint32_t hot_end = kNone;
  for (uint32_t at = 0; at < cf_.layout.size(); ++at) {
    const Block b = cf_.layout[at];
    if (role_[b.index] == Role::kElsewhere) continue;
    if (cf_.info[b.index].cold && hot_end == kNone && at != 0) {
      hot_end = static_cast<uint32_t>(pieces_.size());
    }
    place(before[at]);
    piece_of_[b.index] = static_cast<uint32_t>(pieces_.size());
    pieces_.push_back({.ir = b, .from = Block()});
    place(after[at]);
  }
  if (hot_end == kNone) hot_end = static_cast<uint32_t>(pieces_.size());
  place(cold_end);
  OrderCode(hot_end);
}

void Selector::OrderCode(uint32_t hot_end) {
  const uint32_t n = static_cast<uint32_t>(pieces_.size());
  // By head of a loop: of the edges back to it the one that is taken most. Right before the head,
  // it needs no jump of its own in each round, and what leads into the loop jumps over it.
  std::vector<uint32_t> back(n, kNone);
  // By piece: the last one before it that is not aside.
  std::vector<uint32_t> above(n, 0);
  for (uint32_t k = 1; k < n; ++k) above[k] = pieces_[k - 1].aside ? above[k - 1] : k - 1;
  for (uint32_t k = 0; k < n; ++k) {
    const Piece& edge = pieces_[k];
    if (edge.ir.valid()) continue;
    const Block to = f_.edges(f_.terminator(edge.from))[successors_[edge.edge].ir_edge].target;
    const uint32_t head = piece_of_[to.index];
    const ControlFlow::BlockInfo& source = cf_.info[edge.from.index];
    const ControlFlow::BlockInfo& target = cf_.info[to.index];
    if (head > piece_of_[edge.from.index] || head == 0 || source.cold != target.cold) continue;
    // Nothing of the loop falls into the head.
    const Piece& before = pieces_[above[head]];
    const Block outside = before.ir.valid() ? before.ir : before.from;
    if (cf_.info[outside.index].loop_depth >= target.loop_depth) continue;
    if (back[head] == kNone ||
        source.frequency >= cf_.info[pieces_[back[head]].from.index].frequency) {
      back[head] = k;
    }
  }
  std::vector<bool> placed(n, false);
  for (uint32_t head = 0; head < n; ++head) {
    if (back[head] == kNone) continue;
    placed[back[head]] = true;
    pieces_[back[head]].align = cf_.info[pieces_[head].ir.index].align;
  }
  m_.order.reserve(n);
  const auto put = [&](uint32_t begin, uint32_t end) {
    for (uint32_t k = begin; k < end; ++k) {
      if (back[k] != kNone) m_.order.push_back(back[k]);
      if (!placed[k] && !pieces_[k].aside) m_.order.push_back(k);
    }
  };
  put(0, hot_end);
  for (uint32_t k = 0; k < n; ++k) {
    if (pieces_[k].aside) m_.order.push_back(k);
  }
  put(hot_end, n);
}

bool Selector::FlowsTo(Block from, Block to) const {
  for (const ir::Edge& e : f_.edges(f_.terminator(from))) {
    if (e.target == to) return true;
  }
  return false;
}

}  // namespace precast::x64::selection
