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

Value Replacements::Get(Value v) {
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
  std::vector<bool> is_entry(f.num_blocks(), false);
  for (Block e : f.entries()) is_entry[e.index] = true;
  // Arguments first, while parameters still tell which to keep.
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (f.block(Block(n)).insts.empty()) continue;
    for (Edge& edge : f.mutable_edges(f.terminator(Block(n)))) {
      const std::vector<Value>& params = f.block(edge.target).params;
      size_t out = 0;
      for (size_t k = 0; k < edge.args.size(); ++k) {
        if (keep(params[k])) edge.args[out++] = edge.args[k];
      }
      edge.args.resize(out);
    }
  }
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    const std::vector<Value>& params = f.block(Block(n)).params;
    if (is_entry[n] || params.empty()) continue;
    const auto kept = std::make_unique<bool[]>(params.size());
    for (size_t k = 0; k < params.size(); ++k) kept[k] = keep(params[k]);
    f.RetainParams(Block(n), absl::MakeConstSpan(kept.get(), params.size()));
  }
}

}  // namespace precast::opt
