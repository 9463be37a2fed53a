// Splitting off entries, see resume_entries.h.
#include "compiler/opt/resume_entries.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/opt/dce.h"
#include "runtime/abi/vm_context.h"

namespace precast::opt {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Value;

namespace {

// Of a trap that is none: the runtime goes on by interpretation.
constexpr ir::TrapCode kInterpret = 0;

// The block that entry `e` leads to without a choice.
Block TargetOf(const Function& f, Block e) {
  const Inst last = f.terminator(e);
  return f.inst(last).op == Opcode::kBr ? f.edges(last)[0].target : Block();
}

// Makes `b` go on at the entry `pc` of another function, with the registers as they are at its
// beginning. Does nothing if one of those that travel in machine registers is not known.
void LeaveAt(Function& f, Block b, uint32_t pc) {
  std::vector<Value> passed(abi::kNumPassed);
  std::vector<std::pair<uint8_t, Value>> stored;
  for (const auto& [slot, v] : f.block(b).state) {
    const auto* at = std::find(std::begin(abi::kPassed), std::end(abi::kPassed), slot);
    if (at != std::end(abi::kPassed)) {
      passed[static_cast<size_t>(at - std::begin(abi::kPassed))] = v;
    } else {
      stored.push_back({slot, v});
    }
  }
  if (!std::all_of(passed.begin(), passed.end(), [](Value v) { return v.valid(); })) return;
  f.block(b).insts.clear();
  ir::Builder builder(f);
  builder.SetBlock(b);
  for (const auto& [slot, v] : stored) builder.StoreState(slot, v);
  builder.TailCall(ir::FuncRef(pc), passed, {.guest_pc = pc});
}

// Makes the interpreter go on at the beginning of `b`, if all registers that travel in machine
// registers are known there.
void Interpret(Function& f, Block b) {
  const ir::BlockData& block = f.block(b);
  const auto passed = std::count_if(block.state.begin(), block.state.end(), [](const auto& known) {
    return std::find(std::begin(abi::kPassed), std::end(abi::kPassed), known.first) !=
           std::end(abi::kPassed);
  });
  if (passed != abi::kNumPassed) return;
  f.block(b).insts.clear();
  ir::Builder builder(f);
  builder.SetBlock(b);
  builder.Trap(kInterpret, {.guest_pc = f.block(b).guest_pc});
}

// Makes calls jumps. Whoever is called returns to one of the frames below, none of which wants to
// go on there, and at last to the dispatcher, which enters the function.
void JumpInsteadOfCalls(Function& f) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    std::vector<Inst>& insts = f.block(Block(n)).insts;
    const auto call = std::find_if(insts.begin(), insts.end(), [&](Inst i) {
      return f.inst(i).op == Opcode::kCall || f.inst(i).op == Opcode::kCallDispatch;
    });
    if (call == insts.end()) continue;
    const ir::InstData data = f.inst(*call);
    const std::vector<Value> args(f.args(*call).begin(), f.args(*call).end());
    insts.erase(call, insts.end());
    ir::Builder builder(f);
    builder.SetBlock(Block(n));
    if (data.op == Opcode::kCall) {
      builder.TailCall(ir::FuncRef(static_cast<uint32_t>(data.imm)), args, data.site);
    } else {
      builder.TailDispatch(args[0], absl::MakeConstSpan(args).subspan(1), data.site);
    }
  }
}

}  // namespace

std::optional<Function> SplitResumeEntries(Function& f, bool counts_rows,
                                           const ir::Graphs& graphs) {
  if (f.signature().conv != ir::CallConv::kGuest || f.entries().size() < 3) return std::nullopt;
  if (!graphs.cfg(f).has_cycles()) return std::nullopt;
  const ir::Loops& loops = graphs.loops(f);
  const ir::Cfg& cfg = graphs.cfg(f);
  std::vector<bool> is_entered(f.num_blocks(), false);
  for (Block e : f.entries()) {
    if (const Block to = TargetOf(f, e); to.valid()) is_entered[to.index] = true;
  }
  // By block: whether it is the head of a loop inside one that is entered. An outer head comes
  // before an inner one in the order.
  std::vector<bool> is_inside(f.num_blocks(), false);
  // And whether it, or a head around it, is where an entry goes that moves.
  std::vector<bool> is_resumed(f.num_blocks(), false);
  for (Block h : cfg.order()) {
    if (loops.head(h) != h) continue;
    const Block outer = loops.parent(h);
    if (!outer.valid()) continue;
    is_inside[h.index] = is_inside[outer.index] || is_entered[outer.index];
    is_resumed[h.index] = is_resumed[outer.index] || (is_inside[h.index] && is_entered[h.index]);
  }
  const auto in_main = std::make_unique<bool[]>(f.num_blocks());
  const auto in_copy = std::make_unique<bool[]>(f.num_blocks());
  std::fill_n(in_main.get(), f.num_blocks(), true);
  std::fill_n(in_copy.get(), f.num_blocks(), true);
  bool any = false;
  for (Block e : f.entries()) {
    const Block to = TargetOf(f, e);
    const bool moves = e != f.entries()[0] && to.valid() && is_inside[to.index];
    (moves ? in_main : in_copy)[e.index] = false;
    any |= moves;
  }
  if (!any) return std::nullopt;
  Function copy = f;
  std::vector<bool> is_left(f.num_blocks(), false), is_entry(f.num_blocks(), false);
  for (Block e : f.entries()) is_entry[e.index] = true;
  // Where the function can be entered, the copy goes back to it.
  for (Block e : f.entries()) {
    if (in_copy[e.index]) continue;
    const Block to = TargetOf(f, e);
    if (to.valid()) {
      LeaveAt(copy, to, f.block(e).guest_pc);
      is_left[to.index] = true;
    }
  }
  // Out of the loops, an entry is near. Where rows are counted, such a trap would have to be a
  // jump.
  for (uint32_t n = 0; n < f.num_blocks() && !counts_rows; ++n) {
    const Block h = loops.head(Block(n));
    const bool stays = h.valid() && is_resumed[h.index];
    if (!stays && !is_left[n] && !is_entry[n]) Interpret(copy, Block(n));
  }
  JumpInsteadOfCalls(copy);
  copy.RetainBlocks(absl::MakeConstSpan(in_copy.get(), f.num_blocks()));
  f.RetainBlocks(absl::MakeConstSpan(in_main.get(), f.num_blocks()));
  // What only the entries that went led to.
  RemoveUnreachableBlocks(copy);
  RemoveUnreachableBlocks(f);
  return copy;
}

}  // namespace precast::opt
