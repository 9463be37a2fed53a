// Replacing values and dropping parameters; see rewrite.h.
#include "compiler/opt/rewrite.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/types/span.h"

namespace precast::opt {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Value;

void Replacements::Set(Value v, Value by) {
  if (v == by) return;
  if (to_.size() <= v.index) to_.resize(v.index + 1);
  to_[v.index] = by;
}

Value Replacements::Follow(Value v) {
  Value end = v;
  while (Contains(end)) end = to_[end.index];
  while (Contains(v)) v = std::exchange(to_[v.index], end);  // shorten the chain
  return end;
}

void Replacements::ApplyToInst(Function& f, Inst i) {
  for (Value& v : f.mutable_args(i)) v = Get(v);
  for (Edge& edge : f.mutable_edges(i)) {
    for (Value& v : edge.args) v = Get(v);
  }
}

void Replacements::Apply(Function& f) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    for (auto& [slot, v] : f.block(Block(n)).state) v = Get(v);
    for (Inst i : f.block(Block(n)).insts) ApplyToInst(f, i);
  }
}

void RetainParams(Function& f, absl::FunctionRef<bool(Value)> keep) {
  // Which parameters of all blocks, one after the other, to keep.
  std::vector<uint32_t> first(f.num_blocks());
  uint32_t count = 0;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    first[n] = count;
    count += static_cast<uint32_t>(f.block(Block(n)).params.size());
  }
  const auto kept = std::make_unique<bool[]>(count);
  std::vector<uint8_t> loses(f.num_blocks(), 0);
  bool any = false;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    bool* keeps = kept.get() + first[n];
    for (Value v : f.block(Block(n)).params) {
      *keeps = keep(v);
      if (!*keeps++) loses[n] = any = true;
    }
  }
  for (Block e : f.entries()) loses[e.index] = false;
  if (!any) return;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (f.block(Block(n)).insts.empty()) continue;
    for (Edge& edge : f.mutable_edges(f.terminator(Block(n)))) {
      if (loses[edge.target.index] == 0) continue;
      const bool* const keeps = kept.get() + first[edge.target.index];
      size_t out = 0;
      for (size_t k = 0; k < edge.args.size(); ++k) {
        if (keeps[k]) edge.args[out++] = edge.args[k];
      }
      edge.args.resize(out);
    }
  }
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (loses[n] == 0) continue;
    f.RetainParams(Block(n),
                   absl::MakeConstSpan(kept.get() + first[n], f.block(Block(n)).params.size()));
  }
}

}  // namespace precast::opt
