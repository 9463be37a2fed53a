// Selection from end to end: count uses, lay out, select every block, then turn what was built
// backwards into the final order and place the deferred state. See selector.h.
#include "compiler/x64/select.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/stable_sort.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {

MFunction Selector::Run() {
  m_.problem.allocatable = kAllocatable;
  m_.problem.vector_scratch = {regalloc::RegClass::kVector, Number(kVectorScratch)};
  m_.v128_constants = f_.v128_constants();
  m_.unpaid = f_.unpaid();
  m_.aligns_stack = f_.signature().conv != ir::CallConv::kGuest;
  for (Block b : cf_.rpo) CountUses(b);
  FindReceivers();
  LayOut();
  for (size_t i = cf_.rpo.size(); i-- > 0;) SelectBlock(cf_.rpo[i]);
  Assemble();
  PlaceState();
  return std::move(m_);
}

void Selector::Assemble() {
  regalloc::Problem& p = m_.problem;
  m_.insts.reserve(insts_.size());
  p.insts.reserve(insts_.size());
  p.blocks.resize(pieces_.size());
  m_.blocks.resize(pieces_.size());
  for (uint32_t k = 0; k < pieces_.size(); ++k) {
    const Piece& piece = pieces_[k];
    regalloc::Block& block = p.blocks[k];
    MBlock& info = m_.blocks[k];
    block.begin = static_cast<uint32_t>(m_.insts.size());
    for (uint32_t i = piece.end; i-- > piece.begin;) {
      m_.insts.push_back(insts_[i].mir);
      p.insts.push_back(insts_[i].ra);
    }
    block.end = static_cast<uint32_t>(m_.insts.size());
    block.params_begin = static_cast<uint32_t>(p.block_params.size());
    block.succs_begin = static_cast<uint32_t>(p.edges.size());
    if (piece.ir.valid()) {
      const ControlFlow::BlockInfo& cf = cf_.info[piece.ir.index];
      const ir::BlockData& data = f_.block(piece.ir);
      info = {piece.ir, data.guest_pc, cf.is_entry, cf.cold, cf.align};
      block.frequency = cf.frequency;
      if (!cf.is_entry && !receives_[piece.ir.index]) {
        for (Value v : data.params) p.block_params.push_back(VRegOf(v));
      }
      const SuccessorRange range = successors_of_[piece.ir.index];
      for (uint32_t s = range.begin; s < range.end; ++s) {
        const Successor& successor = successors_[s];
        if (successor.piece != kNone) {
          p.edges.push_back({.target = successor.piece});
        } else {
          AddEdge(f_.terminator(piece.ir), successor);
        }
      }
    } else {
      const Successor& successor = successors_[piece.edge];
      const Inst terminator = f_.terminator(piece.from);
      const Block to = f_.edges(terminator)[successor.ir_edge].target;
      const ControlFlow::BlockInfo &source = cf_.info[piece.from.index],
                                   &target = cf_.info[to.index];
      info.cold = source.cold || target.cold;
      info.align = piece.align;
      block.frequency = 0.5f * std::min(source.frequency, target.frequency);
      AddEdge(terminator, successor);
    }
    block.params_count = static_cast<uint32_t>(p.block_params.size()) - block.params_begin;
    block.succs_count = static_cast<uint32_t>(p.edges.size()) - block.succs_begin;
  }
  // Predecessors.
  std::vector<uint32_t> count(pieces_.size() + 1, 0);
  for (const regalloc::Edge& e : p.edges) ++count[e.target];
  uint32_t total = 0;
  for (uint32_t k = 0; k < pieces_.size(); ++k) {
    p.blocks[k].preds_begin = total;
    total += count[k];
  }
  p.pred_blocks.resize(total);
  for (uint32_t k = 0; k < pieces_.size(); ++k) {
    for (uint32_t e = 0; e < p.blocks[k].succs_count; ++e) {
      regalloc::Block& target = p.blocks[p.edges[p.blocks[k].succs_begin + e].target];
      p.pred_blocks[target.preds_begin + target.preds_count++] = k;
    }
  }
  for (Block e : f_.entries()) m_.entry_blocks.push_back(piece_of_[e.index]);
  m_.tables = std::move(tables_);
}

void Selector::AddEdge(Inst terminator, const Successor& s) {
  regalloc::Problem& p = m_.problem;
  const Block to = f_.edges(terminator)[s.ir_edge].target;
  regalloc::Edge edge{.target = piece_of_[to.index],
                      .args_begin = static_cast<uint32_t>(p.edge_args.size()),
                      .args_count = s.args_count};
  for (uint32_t a = 0; a < s.args_count; ++a) {
    p.edge_args.push_back(successor_args_[s.args_begin + a]);
  }
  p.edges.push_back(edge);
}

void Selector::PlaceState() {
  for (uint32_t k = 0; k < pieces_.size(); ++k) {
    const Piece& piece = pieces_[k];
    if (!piece.ir.valid()) continue;
    const uint32_t block_begin = m_.problem.blocks[k].begin;
    auto position = [&](uint32_t ir_inst) {
      return block_begin + (piece.end - 1 - site_at_[ir_inst]);
    };
    const auto [begin, end] = deferrals_of_[piece.ir.index];
    const size_t first_tracked = m_.problem.tracked.size();
    const size_t first_constant = m_.constant_state.size();
    for (uint32_t i = begin; i < end; ++i) {
      const Deferral& d = deferrals_[i];
      const uint32_t from = position(d.first), to = position(d.last);
      if (const std::optional<int64_t> c = ConstantOf(d.value)) {
        m_.constant_state.push_back(
            {d.slot, from, to, static_cast<int32_t>(d.high ? *c >> 32 : *c)});
      } else {
        m_.problem.tracked.push_back({VRegOf(d.value), from, to, StateLabel(d.slot, d.high)});
      }
    }
    auto by_from = [](const auto& a, const auto& b) { return a.from < b.from; };
    StableSort(m_.problem.tracked.begin() + static_cast<ptrdiff_t>(first_tracked),
               m_.problem.tracked.end(), by_from);
    StableSort(m_.constant_state.begin() + static_cast<ptrdiff_t>(first_constant),
               m_.constant_state.end(), by_from);
  }
}

}  // namespace precast::x64::selection

namespace precast::x64 {

MFunction Select(const ir::Function& function, const ControlFlow& control_flow,
                 uint64_t cpu_features) {
  return selection::Selector(function, control_flow, cpu_features).Run();
}

}  // namespace precast::x64
