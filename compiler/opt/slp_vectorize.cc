// See slp_vectorize.h.
#include "compiler/opt/slp_vectorize.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/opt/counted_loop.h"
#include "compiler/opt/fold_addresses.h"
#include "compiler/opt/slp_packs.h"
#include "compiler/opt/value_homes.h"
#include "runtime/abi/vm_context.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::MemKind;
using ir::Opcode;
using ir::SimdOp;
using ir::Type;
using ir::Value;

struct LaneOps {
  SimdOp splat, replace;
};
LaneOps LaneOpsOf(Type type) {
  switch (type) {
    case Type::kF64:
      return {SimdOp::kF64x2Splat, SimdOp::kF64x2ReplaceLane};
    case Type::kF32:
      return {SimdOp::kF32x4Splat, SimdOp::kF32x4ReplaceLane};
    case Type::kI64:
      return {SimdOp::kI64x2Splat, SimdOp::kI64x2ReplaceLane};
    default:
      return {SimdOp::kI32x4Splat, SimdOp::kI32x4ReplaceLane};
  }
}

// One loop.
class Loop {
 public:
  // `before`: where the loop is entered from.
  Loop(Function& f, ValueUses& facts, Block block, Block before, bool bounded_memory)
      : f_(f),
        facts_(facts),
        block_(block),
        before_(before),
        bounded_memory_(bounded_memory),
        loop_(f, facts, block) {}

  // Finds what to do; nothing is changed.
  bool Plan() { return loop_.Find(); }

  // Does it, and returns the block that follows the loops. `replaced` gets what users behind them
  // have to use instead, by value.
  Block Rewrite(std::vector<Value>& replaced) {
    const Block vector_loop = f_.NewBlock();
    const Block check = f_.NewBlock();
    for (Block b : {vector_loop, check}) {
      f_.block(b).guest_pc = f_.block(block_).guest_pc;
      f_.block(b).cold = f_.block(block_).cold;
    }
    const Block exit = MergeExits(replaced);
    Check(check);
    vectors_.resize(loop_.packs().size());
    for (size_t n = 0; n < vectors_.size(); ++n) {
      const SlpPack& pack = loop_.packs()[n];
      if (pack.kind == SlpPack::Kind::kOutside) vectors_[n] = Gather(check, pack);
    }
    if (bounded_memory_) FindBases(check);
    CopyLoop(vector_loop);
    if (const auto counted = CountedLoop::Find(f_, block_, initial_)) {
      const Block pay = f_.NewBlock();
      Branch(check, {pay, {}});
      counted->PayBefore(f_, pay, vector_loop, block_, initial_);
    } else {
      Branch(check, {vector_loop, initial_});
    }
    return exit;
  }

 private:
  Value Append(Block b, const InstData& d, absl::Span<const Value> args) {
    const Type type = d.type;
    return f_.result(f_.Append(b, d, args, absl::MakeConstSpan(&type, 1)));
  }
  Value Constant(Block b, int64_t c) {
    return Append(b, {.op = Opcode::kIconst, .imm = ir::Canonical(Type::kI32, c)}, {});
  }
  Value Simd(Block b, SimdOp op, absl::Span<const Value> args, int64_t lane = 0) {
    const Type type = Type::kV128;
    return f_.result(f_.Append(
        b, {.op = Opcode::kSimd, .type = type, .aux = static_cast<uint8_t>(op), .imm = lane}, args,
        absl::MakeConstSpan(&type, 1)));
  }
  Value Two(Block b, Opcode op, Value x, Value y, Type type = Type::kI32) {
    const std::array<Value, 2> args = {x, y};
    return Append(b, {.op = op, .type = type}, args);
  }
  Value Extended(Block b, Value v) {
    const Type type = Type::kI64;
    return f_.result(f_.Append(b, {.op = Opcode::kExtendU32}, {v}, absl::MakeConstSpan(&type, 1)));
  }

  // What leaves the loop goes through one block, whose parameters stand for the loop's values.
  Block MergeExits(std::vector<Value>& replaced) {
    std::vector<Value> escaping;
    const auto add = [&](Value v) {
      if (facts_.escapes[v.index]) escaping.push_back(v);
    };
    for (Value v : f_.block(block_).params) add(v);
    for (Inst i : f_.block(block_).insts) {
      for (uint32_t k = 0; k < f_.inst(i).results_count; ++k) add(f_.result(i, k));
    }
    const Block exit = f_.NewBlock();
    f_.block(exit).guest_pc = f_.block(block_).guest_pc;
    f_.block(exit).cold = f_.block(block_).cold;
    for (Value v : escaping) replaced[v.index] = f_.AddParam(exit, f_.type(v));
    const absl::Span<Edge> edges = f_.mutable_edges(f_.terminator(block_));
    Edge& edge = edges[0].target == block_ ? edges[1] : edges[0];
    std::vector<Value> args;
    for (Value v : edge.args) args.push_back(f_.AddParam(exit, f_.type(v)));
    edge.args.insert(edge.args.begin(), escaping.begin(), escaping.end());
    const Block target = std::exchange(edge.target, exit);
    f_.Append(exit, {.op = Opcode::kBr}, {}, {}, {Edge{target, args}});
    return exit;
  }

  Edge& EntryEdge() {
    const absl::Span<Edge> edges = f_.mutable_edges(f_.terminator(before_));
    const auto found = std::find_if(edges.begin(), edges.end(),
                                    [&](const Edge& edge) { return edge.target == block_; });
    CHECK(found != edges.end()) << f_.name() << ": no edge into the loop";
    return *found;
  }

  // Begins `check`: whether everything is aligned.
  void Check(Block check) {
    initial_ = EntryEdge().args;
    EntryEdge() = Edge{check, {}};
    for (Value v : initial_) {
      if (v.index < facts_.escapes.size()) facts_.escapes[v.index] = true;
    }
    absl::flat_hash_set<uint32_t> asked;  // roots
    Value low;
    for (const SlpPack& pack : loop_.packs()) {
      if (pack.kind != SlpPack::Kind::kLoad && pack.kind != SlpPack::Kind::kStore) continue;
      if (!asked.insert(loop_.AccessOf(pack.insts[0]).root.index).second) continue;
      const MemoryAccess& a = loop_.AccessOf(pack.insts[0]);
      Value address = First(check, a);
      if (a.displacement != 0) {
        address = Two(check, Opcode::kAdd, address, Constant(check, a.displacement));
      }
      low = low.valid() ? Two(check, Opcode::kOr, low, address) : address;
    }
    misaligned_ = Two(check, Opcode::kAnd, low, Constant(check, kVectorBytes - 1));
  }

  void Branch(Block check, const Edge& if_aligned) {
    f_.Append(check, {.op = Opcode::kBrIf}, absl::MakeConstSpan(&misaligned_, 1), {},
              {Edge{block_, initial_}, if_aligned});
  }

  // What the root of an access is in the first round.
  Value First(Block check, const MemoryAccess& a) {
    Value& sum = first_[a.root.index];
    if (sum.valid()) return sum;
    for (const LinearAddress::Term& term : a.linear->terms) {
      Value v = loop_.InLoop(term.value) ? initial_[f_.value(term.value).index] : term.value;
      if (term.shift != 0) v = Two(check, Opcode::kShl, v, Constant(check, term.shift));
      sum = sum.valid() ? Two(check, Opcode::kAdd, sum, v) : v;
    }
    const uint32_t constant = a.linear->constant;
    if (!sum.valid()) return sum = Constant(check, constant);
    if (constant != 0) sum = Two(check, Opcode::kAdd, sum, Constant(check, constant));
    return sum;
  }

  // -- one offset for all addresses. A sum that is one grows by a small step each round, and does
  // not wrap around 2^32, since where the round before accessed memory is below kMaxMemory. So its
  // distance from anything else that grows like that is the same in all rounds, and known before
  // the loop.

  // Whether each access to this root shows that.
  bool StaysInMemory(Value root) {
    const auto accesses = loop_.accesses();
    return std::all_of(accesses.begin(), accesses.end(), [&](const MemoryAccess& a) {
      return a.root != root || (a.pack != kNoPack && a.displacement <= INT32_MAX);
    });
  }

  // A parameter that counts by `step` from one constant to another, without wrapping around either.
  Value FindCounter(uint32_t step) const {
    const auto counter = CountedLoop::FindCounter(f_, block_);
    if (!counter.has_value() || counter->step != step || counter->bound.valid()) return {};
    const std::optional<int64_t> first = ir::ConstantOf(f_, initial_[counter->param]);
    if (!first.has_value()) return {};
    const uint32_t begin = static_cast<uint32_t>(*first);
    const uint32_t distance = counter->constant_bound - begin;
    if (distance == 0 || distance % step != 0 || uint64_t{begin} + distance > uint64_t{1} << 32)
      return {};
    return f_.block(block_).params[counter->param];
  }

  // Gives roots that are sums a base each, if there is something to add to it: a counter, a
  // pointer, or one of them.
  void FindBases(Block check) {
    // A place in the round before, and a step from there, is below 2^32.
    constexpr uint32_t kMaxStep = static_cast<uint32_t>((uint64_t{1} << 32) - kMaxMemory);
    std::vector<const MemoryAccess*> sums;
    Value pointer;
    uint32_t step = 0;
    for (const MemoryAccess& a : loop_.accesses()) {
      if (a.pack == kNoPack || a.linear == nullptr || !loop_.InLoop(a.root) ||
          !StaysInMemory(a.root)) {
        continue;
      }
      if (a.linear->step == 0 || a.linear->step > kMaxStep) continue;
      if (step == 0) step = a.linear->step;
      if (a.linear->step != step) continue;
      if (f_.value(a.root).is_param) {
        pointer = a.root;
      } else if (std::none_of(sums.begin(), sums.end(),
                              [&](const MemoryAccess* other) { return other->root == a.root; })) {
        sums.push_back(&a);
      }
    }
    if (sums.empty()) return;
    offset_ = FindCounter(step);
    if (!offset_.valid()) offset_ = pointer;
    if (!offset_.valid()) offset_ = sums[0]->root;
    if (offset_ == sums[0]->root && sums.size() == 1) return;
    const Value memory = Append(check,
                                {.op = Opcode::kLoadContext,
                                 .type = Type::kI64,
                                 .aux = static_cast<uint8_t>(MemKind::k64),
                                 .imm = offsetof(abi::VmContext, memory_base)},
                                {});
    const Value begin =
        f_.value(offset_).is_param ? initial_[f_.value(offset_).index] : First(check, *sums[0]);
    for (const MemoryAccess* a : sums) {
      if (a->root == offset_) continue;
      Value base = Two(check, Opcode::kAdd, memory, Extended(check, First(check, *a)), Type::kI64);
      if (ir::ConstantOf(f_, begin) != 0) {
        base = Two(check, Opcode::kSub, base, Extended(check, begin), Type::kI64);
      }
      bases_[a->root.index] = base;
    }
  }

  // The vector of values that are there before the loop.
  Value Gather(Block check, const SlpPack& pack) {
    std::vector<Value> lanes;
    for (Value v : pack.outside) {
      if (loop_.InLoop(v)) v = Append(check, InstData(*loop_.DefinedBy(v)), {});  // a constant
      lanes.push_back(v);
    }
    const LaneOps ops = LaneOpsOf(pack.type);
    Value vector = Simd(check, ops.splat, {lanes[0]});
    for (size_t k = 1; k < lanes.size(); ++k) {
      if (pack.outside[k] == pack.outside[0]) continue;
      vector = Simd(check, ops.replace, {vector, lanes[k]}, static_cast<int64_t>(k));
    }
    return vector;
  }

  void CopyLoop(Block to) {
    absl::flat_hash_map<uint32_t, Value> copy;
    const auto copied = [&](Value v) {
      const auto it = copy.find(v.index);
      return it == copy.end() ? v : it->second;
    };
    const std::vector<Value> params = f_.block(block_).params;
    for (Value v : params) copy[v.index] = f_.AddParam(to, f_.type(v));
    Value offset;  // offset_, extended
    MakeReady(to);
    const std::vector<Inst> insts = f_.block(block_).insts;
    for (Inst i : insts) {
      if (const LoopPacks::Member* member = loop_.MemberOf(i)) {
        const bool is_access = loop_.packs()[member->pack].kind != SlpPack::Kind::kOperation;
        if (member->lane != 0 || !is_access) continue;
        const Value root = f_.args(i)[0];
        const auto base = bases_.find(root.index);
        if (base == bases_.end()) {
          AccessVector(to, member->pack, {copied(root)});
        } else {
          if (!offset.valid()) offset = Extended(to, copied(offset_));
          AccessVector(to, member->pack, {base->second, offset});
        }
        continue;
      }
      std::vector<Value> args;
      for (Value v : f_.args(i)) args.push_back(copied(v));
      std::vector<Type> results;
      for (uint32_t k = 0; k < f_.inst(i).results_count; ++k)
        results.push_back(f_.type(f_.result(i, k)));
      std::vector<Edge> edges;
      for (const Edge& edge : f_.edges(i)) {
        Edge& other = edges.emplace_back(Edge{edge.target == block_ ? to : edge.target, {}});
        for (Value v : edge.args) other.args.push_back(copied(v));
      }
      const Inst made = f_.Append(to, InstData(f_.inst(i)), args, results, std::move(edges));
      for (uint32_t k = 0; k < results.size(); ++k)
        copy[f_.result(i, k).index] = f_.result(made, k);
    }
  }

  // At an address, or at an offset from a base.
  void AccessVector(Block to, uint32_t number, std::vector<Value> args) {
    const SlpPack& pack = loop_.packs()[number];
    InstData d = f_.inst(pack.insts[0]);
    d.type = Type::kV128;
    d.aux = static_cast<uint8_t>(MemKind::k128Aligned);
    const bool at = args.size() == 2;
    if (pack.kind == SlpPack::Kind::kLoad) {
      if (at) d.op = Opcode::kLoadAt;
      vectors_[number] = Append(to, d, args);
      MakeReady(to);
    } else {
      if (at) d.op = Opcode::kStoreAt;
      args.push_back(vectors_[pack.operands[0]]);
      f_.Append(to, d, args, {});
    }
  }

  // Computes what can be computed by now: a load right before its user becomes that one's operand.
  void MakeReady(Block to) {
    for (size_t n = 0; n < vectors_.size(); ++n) {
      const SlpPack& pack = loop_.packs()[n];
      if (pack.kind != SlpPack::Kind::kOperation || vectors_[n].valid()) continue;
      std::vector<Value> args;
      for (uint32_t operand : pack.operands) args.push_back(vectors_[operand]);
      if (std::all_of(args.begin(), args.end(), [](Value v) { return v.valid(); })) {
        vectors_[n] = Simd(to, pack.op, args);
      }
    }
  }

  Function& f_;
  ValueUses& facts_;
  const Block block_;
  const Block before_;
  const bool bounded_memory_;
  LoopPacks loop_;
  std::vector<Value> vectors_;                  // by pack, once it is made
  std::vector<Value> initial_;                  // arguments of the way into the loop
  Value misaligned_;                            // zero if the vector loop can be used
  Value offset_;                                // see FindBases
  absl::flat_hash_map<uint32_t, Value> bases_;  // by root
  absl::flat_hash_map<uint32_t, Value> first_;  // by root
};

// Whether `b` ends in a branch to itself or out, and stores enough.
bool MayVectorize(const Function& f, Block b) {
  if (f.block(b).insts.empty()) return false;
  const Inst last = f.terminator(b);
  if (f.inst(last).op != Opcode::kBrIf) return false;
  const absl::Span<const Edge> edges = f.edges(last);
  if ((edges[0].target == b) == (edges[1].target == b)) return false;
  size_t stores = 0;
  for (Inst i : f.block(b).insts) {
    if (f.inst(i).site.IsUnpaid()) return false;
    stores += f.inst(i).op == Opcode::kStore;
  }
  return stores >= 2;
}

// Values are used as parameters of what is behind their loop.
void Replace(Function& f, const ValueUses& facts, const std::vector<Value>& replaced) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    const auto replace = [&](Value& v) {
      if (v.index >= replaced.size() || !replaced[v.index].valid()) return;
      if (facts.home[v.index] != n) v = replaced[v.index];
    };
    for (auto& [slot, v] : f.block(Block(n)).state) replace(v);
    for (Inst i : f.block(Block(n)).insts) {
      for (Value& v : f.mutable_args(i)) replace(v);
      for (Edge& edge : f.mutable_edges(i)) {
        for (Value& v : edge.args) replace(v);
      }
    }
  }
}

}  // namespace

void VectorizeLoops(Function& f, bool bounded_memory) {
  std::vector<Block> candidates;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (MayVectorize(f, Block(n))) candidates.push_back(Block(n));
  }
  if (candidates.empty()) return;
  const ir::Cfg cfg(f);
  ValueUses facts(f);
  std::vector<Value> replaced(f.num_values());
  std::vector<Block> exit(f.num_blocks());  // by loop that has been changed
  bool changed = false;
  for (Block b : candidates) {
    if (!cfg.reachable(b)) continue;
    const absl::Span<const Block> predecessors = cfg.predecessors(b);
    if (predecessors.size() != 2) continue;
    Block before = predecessors[0] == b ? predecessors[1] : predecessors[0];
    if (exit[before.index].valid()) before = exit[before.index];
    Loop loop(f, facts, b, before, bounded_memory);
    if (!loop.Plan()) continue;
    exit[b.index] = loop.Rewrite(replaced);
    changed = true;
  }
  if (changed) Replace(f, facts, replaced);
}

}  // namespace precast::opt
