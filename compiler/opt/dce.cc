// Dead code elimination, see dce.h.
#include "compiler/opt/dce.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Value;

namespace {

// Returns whether there were any.
bool RemoveUnreachableBlocks(Function& f, const ir::Cfg& cfg) {
  if (cfg.order().size() == f.num_blocks()) return false;
  const auto keep = std::make_unique<bool[]>(f.num_blocks());
  for (Block b : cfg.order()) keep[b.index] = true;
  f.RetainBlocks(absl::MakeConstSpan(keep.get(), f.num_blocks()));
  return true;
}

void RemoveRedundantParams(Function& f, const ir::Cfg& cfg) {
  // A replaced parameter can make others redundant; a few rounds find nearly all of them.
  constexpr int kMaxRounds = 8;
  Replacements replaced(f.num_values());
  std::vector<bool> is_entry(f.num_blocks(), false);
  for (Block e : f.entries()) is_entry[e.index] = true;

  bool any = false;
  bool changed = true;
  for (int round = 0; changed && round < kMaxRounds; ++round) {
    changed = false;
    for (Block b : cfg.order()) {
      const std::vector<Value>& params = f.block(b).params;
      if (is_entry[b.index] || params.empty()) continue;
      // For each parameter the one value seen; not valid: none yet; the parameter itself: several.
      absl::InlinedVector<Value, 32> same(params.size());
      Block previous;
      for (Block p : cfg.predecessors(b)) {
        if (p == previous) continue;  // its edges have been looked at
        previous = p;
        for (const Edge& edge : ir::Successors(f, p)) {
          if (edge.target != b) continue;
          for (size_t k = 0; k < params.size(); ++k) {
            const Value v = replaced.Get(edge.args[k]);
            if (v == params[k] || v == same[k]) continue;
            same[k] = same[k].valid() ? params[k] : v;
          }
        }
      }
      for (size_t k = 0; k < params.size(); ++k) {
        // A parameter that has been replaced already meets its replacement again.
        if (!same[k].valid() || same[k] == params[k] || replaced.Contains(params[k])) continue;
        replaced.Set(params[k], same[k]);
        changed = any = true;
      }
    }
  }
  if (!any) return;
  replaced.Apply(f);
  RetainParams(f, [&](Value v) { return !replaced.Contains(v); });
}

void RemoveUnusedValues(Function& f, const ir::Cfg& cfg) {
  std::vector<uint8_t> used(f.num_values(), 0);
  std::vector<Value> work;
  const auto use = [&](Value v) {
    if (used[v.index] != 0) return;
    used[v.index] = 1;
    work.push_back(v);
  };
  const auto removable = [](const ir::InstData& inst) {
    const ir::OpcodeInfo& info = ir::Info(inst.op);
    return !info.has_side_effect && !info.is_terminator;
  };
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    for (const auto& [slot, v] : f.block(Block(n)).state) use(v);
    for (Inst i : f.block(Block(n)).insts) {
      if (removable(f.inst(i))) continue;
      for (Value v : f.args(i)) use(v);
    }
  }
  for (Block e : f.entries()) {
    for (Value v : f.block(e).params) use(v);
  }
  while (!work.empty()) {
    const ir::ValueData& data = f.value(work.back());
    work.pop_back();
    if (!data.is_param) {
      // Effects' operands are in use already.
      for (Value v : f.args(Inst(data.def))) use(v);
      continue;
    }
    const Block b(data.def);
    for (Block p : cfg.predecessors(b)) {
      for (const Edge& edge : ir::Successors(f, p)) {
        if (edge.target == b) use(edge.args[data.index]);
      }
    }
  }
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    std::erase_if(f.block(Block(n)).insts,
                  [&](Inst i) { return removable(f.inst(i)) && used[f.result(i).index] == 0; });
  }
  RetainParams(f, [&](Value v) { return used[v.index] != 0; });
}

}  // namespace

void RemoveUnreachableBlocks(Function& f) { RemoveUnreachableBlocks(f, ir::Cfg(f)); }
void RemoveRedundantParams(Function& f) { RemoveRedundantParams(f, ir::Cfg(f)); }
void RemoveUnusedValues(Function& f) { RemoveUnusedValues(f, ir::Cfg(f)); }

void RemoveUnseenState(Function& f) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    ir::BlockData& block = f.block(Block(n));
    std::bitset<256> seen;             // slots whose deferred value a site further down sees
    size_t kept = block.insts.size();  // from there on
    for (size_t k = block.insts.size(); k-- > 0;) {
      const Inst i = block.insts[k];
      const ir::InstData& inst = f.inst(i);
      switch (inst.op) {
        case Opcode::kDeferState:
          if (!seen[inst.aux]) continue;  // removed
          seen.reset(inst.aux);
          break;
        case Opcode::kStoreState:
          seen.reset(inst.aux);
          break;
        case Opcode::kCall:
        case Opcode::kCallDispatch:
        case Opcode::kCallRuntime:
        case Opcode::kCallPointer:
          seen.reset();  // boundaries end all deferrals
          break;
        default:
          if (ir::CanStop(inst.op)) seen.set();
          break;
      }
      block.insts[--kept] = i;
    }
    block.insts.erase(block.insts.begin(), block.insts.begin() + static_cast<ptrdiff_t>(kept));
    std::erase_if(block.state, [&](const auto& entry) { return !seen[entry.first]; });
  }
}

void EliminateDeadCode(Function& f) {
  std::optional<ir::Cfg> cfg(f);
  if (RemoveUnreachableBlocks(f, *cfg)) cfg.emplace(f);
  // What follows leaves blocks and edges as they are.
  RemoveRedundantParams(f, *cfg);
  RemoveUnseenState(f);
  RemoveUnusedValues(f, *cfg);
}

}  // namespace precast::opt
