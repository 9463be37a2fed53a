// Guarded entries, see resume_guards.h.
#include "compiler/opt/resume_guards.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/opt/constants.h"

namespace precast::opt {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

namespace {

constexpr ir::TrapCode kInterpret = 0;

// What the entry `e`, which leads to `to` and nowhere else, knows of the guest's registers at its
// end.
void DeferAll(Function& f, Block to, const std::vector<Value>& args, ir::Builder& builder) {
  const ir::BlockData& block = f.block(to);
  for (const auto& [slot, v] : block.state) {
    for (size_t k = 0; k < block.params.size(); ++k) {
      if (block.params[k] == v) builder.DeferState(slot, args[k]);
    }
  }
}

void Guard(Function& f, Block e, const ConstantPropagation& known) {
  const Block to = f.edges(f.terminator(e))[0].target;
  const std::vector<Value> args = f.edges(f.terminator(e))[0].args;
  const Inst last = f.terminator(e);
  f.block(e).insts.pop_back();
  ir::Builder builder(f);
  builder.SetBlock(e);
  std::vector<Value> passed = args;
  std::optional<Value> differs;
  for (size_t k = 0; k < args.size(); ++k) {
    const std::optional<int64_t> c = known.Constant(f.block(to).params[k]);
    if (!c || f.type(args[k]) != Type::kI32) continue;
    passed[k] = builder.Iconst(Type::kI32, *c);
    const Value bits = builder.Xor(args[k], passed[k]);
    differs = differs ? builder.Or(*differs, bits) : bits;
  }
  if (differs) {
    DeferAll(f, to, args, builder);
    builder.TrapIf(*differs, kInterpret, {.guest_pc = f.block(e).guest_pc});
  }
  f.block(e).insts.push_back(last);
  f.mutable_edges(last)[0].args = std::move(passed);
}

}  // namespace

void GuardResumeEntries(Function& f, const ir::Graphs& graphs) {
  if (f.signature().conv != ir::CallConv::kGuest || f.entries().size() < 2) return;
  if (!graphs.cfg(f).has_cycles()) return;
  const ir::Loops& loops = graphs.loops(f);
  const ir::Cfg& cfg = graphs.cfg(f);
  std::vector<Block> guarded;
  for (size_t k = 1; k < f.entries().size(); ++k) {
    const Block e = f.entries()[k];
    const Inst last = f.terminator(e);
    if (f.inst(last).op != Opcode::kBr) continue;
    const Block to = f.edges(last)[0].target;
    if (loops.head(to) == to) guarded.push_back(e);
  }
  while (!guarded.empty()) {
    const ConstantPropagation known(f, cfg, guarded);
    // What only such an entry leads to says nothing of what comes another way.
    const size_t removed = std::erase_if(
        guarded, [&](Block e) { return !known.executable(f.edges(f.terminator(e))[0].target); });
    if (removed != 0) continue;
    for (Block e : guarded) Guard(f, e, known);
    return;
  }
}

}  // namespace precast::opt
