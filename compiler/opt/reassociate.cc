// See reassociate.h.
#include "compiler/opt/reassociate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/stable_sort.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

constexpr size_t kMaxLeaves = 32;

bool IsAssociative(const InstData& d) {
  switch (d.op) {
    case Opcode::kAdd:
    case Opcode::kMul:
    case Opcode::kAnd:
    case Opcode::kOr:
    case Opcode::kXor:
      return d.type == ir::Type::kI32 || d.type == ir::Type::kI64;
    default:
      return false;
  }
}

// Cycles from the operands to the result; only their order of magnitude matters.
uint32_t Latency(const InstData& d) {
  switch (d.op) {
    case Opcode::kIconst:
    case Opcode::kExtendU32:
    case Opcode::kWrap:
      return 0;
    case Opcode::kMul:
      return 3;
    case Opcode::kSdivTotal:
    case Opcode::kUdivTotal:
    case Opcode::kSremTotal:
    case Opcode::kUremTotal:
      return 12;
    case Opcode::kLoad:
    case Opcode::kLoadAt:
    case Opcode::kLoadContext:
    case Opcode::kLoadHost:
      return 4;
    default:
      return 1;
  }
}

class Pass {
 public:
  explicit Pass(ir::Function& f) : f_(f) {}

  void Run(const ir::Graphs& graphs) {
    if (!FindTrees()) return;
    FindUses();
    const ir::Cfg& cfg = graphs.cfg(f_);
    size_t num_blocks = 0;  // up to the last with a tree
    for (const Tree& tree : trees_) {
      if (uses_[tree.inner.index] != 1 || !cfg.reachable(tree.block)) continue;
      num_blocks = std::max<size_t>(num_blocks, cfg.index(tree.block) + 1);
    }
    if (num_blocks == 0) return;
    ready_.assign(f_.num_values(), kFast);
    position_.assign(f_.num_insts(), kElsewhere);
    for (Block b : absl::MakeConstSpan(cfg.order()).first(num_blocks)) {
      SetParams(cfg, b);
      RunBlock(b);
    }
  }

 private:
  static constexpr uint32_t kElsewhere = 0xffffffffu;
  // When a value is ready, in cycles after what its loop carries around. Fast is what depends on
  // counters and on values from outside alone: the processor has it long before.
  static constexpr int32_t kFast = -1;

  struct Leaf {
    int32_t ready;
    uint32_t order;  // of equals, the one found first comes first
    uint32_t at;     // position of the definition, or of what comes first in the block
    Value value;
    bool operator<(const Leaf& other) const {
      return ready != other.ready ? ready < other.ready : order < other.order;
    }
  };
  struct Tree {
    Block block;
    Value inner;  // an operand of the same operation
  };
  struct Moved {
    uint32_t behind;  // a position
    Inst inst;
  };

  // Where there may be anything to do, at a glance. A tree of three leaves that are no constants
  // has an operation of two operands that are none, of which one is the same operation.
  bool FindTrees() {
    position_.assign(f_.num_insts(), kElsewhere);  // here the number of the block
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      for (Inst i : f_.block(Block(b)).insts) {
        const InstData& d = f_.inst(i);
        if (!IsAssociative(d)) continue;
        position_[i.index] = b;
        const absl::Span<const Value> args = f_.args(i);
        for (size_t k = 0; k < 2; ++k) {
          if (!IsOp(args[k], d.op) || IsConstant(args[1 - k])) continue;
          if (position_[f_.value(args[k]).def] == b) trees_.push_back({Block(b), args[k]});
        }
      }
    }
    return !trees_.empty();
  }

  void FindUses() {
    uses_.assign(f_.num_values(), 0);
    user_.assign(f_.num_values(), Inst());
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      for (const auto& [slot, value] : f_.block(Block(b)).state) ++uses_[value.index];
      for (Inst i : f_.block(Block(b)).insts) {
        for (Value v : f_.args(i)) {
          ++uses_[v.index];
          user_[v.index] = i;
        }
        for (const ir::Edge& e : f_.edges(i)) {
          for (Value v : e.args) uses_[v.index] += 2;  // no part of a tree
        }
      }
    }
  }

  // Whether some edge to `b` brings parameter `k` changed by a constant.
  bool IsCounter(const ir::Cfg& cfg, Block b, size_t k) const {
    const Value p = f_.block(b).params[k];
    for (Block pred : cfg.predecessors(b)) {
      for (const ir::Edge& e : ir::Successors(f_, pred)) {
        if (e.target != b) continue;
        const ir::ValueData& value = f_.value(e.args[k]);
        if (value.is_param) continue;
        const Inst i(value.def);
        if (f_.inst(i).op == Opcode::kAdd && f_.args(i)[0] == p && IsConstant(f_.args(i)[1])) {
          return true;
        }
      }
    }
    return false;
  }

  void SetParams(const ir::Cfg& cfg, Block b) {
    const absl::Span<const Block> preds = cfg.predecessors(b);
    const bool is_head =
        std::any_of(preds.begin(), preds.end(), [&](Block p) { return cfg.IsRetreating(p, b); });
    for (size_t k = 0; k < f_.block(b).params.size(); ++k) {
      int32_t& ready = ready_[f_.block(b).params[k].index];
      if (is_head || preds.empty()) {
        ready = is_head && IsCounter(cfg, b, k) ? kFast : 0;
        continue;
      }
      for (Block pred : preds) {
        for (const ir::Edge& e : ir::Successors(f_, pred)) {
          if (e.target == b) ready = std::max(ready, ready_[e.args[k].index]);
        }
      }
    }
  }

  void RunBlock(Block b) {
    std::vector<Inst>& insts = f_.block(b).insts;
    for (size_t k = 0; k < insts.size(); ++k) position_[insts[k].index] = static_cast<uint32_t>(k);
    moved_.clear();
    for (Inst i : insts) {
      if (IsRoot(i)) Rebuild(i);
      const InstData& d = f_.inst(i);
      int32_t ready = kFast;
      for (Value v : f_.args(i)) ready = std::max(ready, ready_[v.index]);
      if (ready != kFast) ready += static_cast<int32_t>(Latency(d));
      for (uint32_t k = 0; k < d.results_count; ++k) ready_[f_.result(i, k).index] = ready;
    }
    for (Inst i : insts) position_[i.index] = kElsewhere;
    if (!moved_.empty()) Place(insts);
  }

  bool IsOp(Value v, Opcode op) const {
    const ir::ValueData& value = f_.value(v);
    return !value.is_param && f_.inst(Inst(value.def)).op == op;
  }
  bool IsConstant(Value v) const { return IsOp(v, Opcode::kIconst); }

  // Whether `inner` only computes what `outer` goes on with: both are part of one tree.
  bool Continues(Inst inner, Inst outer) const {
    if (position_[inner.index] == kElsewhere || position_[outer.index] == kElsewhere) return false;
    const InstData &a = f_.inst(inner), &b = f_.inst(outer);
    return a.op == b.op && a.type == b.type && uses_[f_.result(inner).index] == 1;
  }

  bool IsRoot(Inst i) const {
    if (!IsAssociative(f_.inst(i))) return false;
    const Value v = f_.result(i);
    return uses_[v.index] != 1 || !user_[v.index].valid() || !Continues(i, user_[v.index]);
  }

  void Rebuild(Inst root) {
    leaves_.clear();
    inner_.clear();
    constant_ = Value();
    first_ = position_[root.index];
    if (!Collect(root, root) || leaves_.size() < 3) return;
    const int32_t before = ReadyOf(root);
    // The time the new order takes.
    std::vector<Leaf> heap = leaves_;
    const auto later = [](const Leaf& a, const Leaf& b) { return b < a; };
    std::make_heap(heap.begin(), heap.end(), later);
    const auto pop = [&] {
      std::pop_heap(heap.begin(), heap.end(), later);
      const Leaf leaf = heap.back();
      heap.pop_back();
      return leaf;
    };
    const int32_t latency = static_cast<int32_t>(Latency(f_.inst(root)));
    // First without changing anything.
    while (heap.size() > 1) {
      pop();
      const Leaf b = pop();
      heap.push_back({b.ready == kFast ? kFast : b.ready + latency, b.order, 0, Value()});
      std::push_heap(heap.begin(), heap.end(), later);
    }
    const int32_t after = heap[0].ready + (constant_.valid() ? latency : 0);
    if (after >= before) return;
    heap = leaves_;
    std::make_heap(heap.begin(), heap.end(), later);
    size_t next = 0;  // in inner_, whose instructions are used again
    while (heap.size() > 1) {
      const Leaf a = pop(), b = pop();
      const bool last = heap.empty() && !constant_.valid();
      const Inst i = last ? root : inner_[next++];
      Combine(i, a.value, b.value, last ? kElsewhere : std::max({a.at, b.at, first_}));
      const int32_t ready = b.ready == kFast ? kFast : b.ready + latency;
      ready_[f_.result(i).index] = ready;
      heap.push_back({ready, b.order, std::max({a.at, b.at, first_}), f_.result(i)});
      std::push_heap(heap.begin(), heap.end(), later);
    }
    if (constant_.valid()) Combine(root, heap[0].value, constant_, kElsewhere);
  }

  // When the tree's value is ready as things are.
  int32_t ReadyOf(Inst i) const {
    int32_t ready = kFast;
    for (Value v : f_.args(i)) ready = std::max(ready, ready_[v.index]);
    return ready == kFast ? kFast : ready + static_cast<int32_t>(Latency(f_.inst(i)));
  }

  // False if there are too many leaves.
  bool Collect(Inst root, Inst at) {
    work_.assign(1, at);
    while (!work_.empty()) {
      const Inst i = work_.back();
      work_.pop_back();
      const absl::Span<const Value> args = f_.args(i);
      for (size_t k = args.size(); k-- > 0;) {
        const ir::ValueData& value = f_.value(args[k]);
        const Inst def(value.def);
        if (!value.is_param && Continues(def, i)) {
          inner_.push_back(def);
          first_ = std::min(first_, position_[def.index]);
          work_.push_back(def);
        } else if (IsConstant(args[k])) {
          if (constant_.valid()) return false;  // to be folded elsewhere
          constant_ = args[k];
        } else {
          const uint32_t place =
              value.is_param || position_[def.index] == kElsewhere ? 0 : position_[def.index];
          leaves_.push_back(
              {ready_[args[k].index], static_cast<uint32_t>(leaves_.size()), place, args[k]});
        }
      }
      if (leaves_.size() > kMaxLeaves) return false;
    }
    return f_.result(root).valid();
  }

  // `i` becomes a and b; behind position `behind`, unless it stays.
  void Combine(Inst i, Value a, Value b, uint32_t behind) {
    f_.mutable_args(i)[0] = a;
    f_.mutable_args(i)[1] = b;
    user_[a.index] = i;
    user_[b.index] = i;
    if (behind != kElsewhere) moved_.push_back({behind, i});
  }

  void Place(std::vector<Inst>& insts) {
    // Of those behind one position, the order in which they were made is right.
    StableSort(moved_.begin(), moved_.end(),
               [](const Moved& a, const Moved& b) { return a.behind < b.behind; });
    gone_.resize(f_.num_insts(), false);
    for (const Moved& m : moved_) gone_[m.inst.index] = true;
    std::vector<Inst> result;
    result.reserve(insts.size());
    size_t next = 0;
    for (size_t k = 0; k < insts.size(); ++k) {
      if (!gone_[insts[k].index]) result.push_back(insts[k]);
      for (; next < moved_.size() && moved_[next].behind == k; ++next) {
        result.push_back(moved_[next].inst);
      }
    }
    insts = std::move(result);
  }

  ir::Function& f_;
  std::vector<Tree> trees_;         // there may be
  std::vector<uint32_t> uses_;      // by value
  std::vector<Inst> user_;          // by value: the last one met
  std::vector<int32_t> ready_;      // by value
  std::vector<uint32_t> position_;  // by instruction, of the block being worked on
  std::vector<Moved> moved_;
  std::vector<bool> gone_;  // by instruction: moved
  // Of the tree being worked on.
  std::vector<Leaf> leaves_;
  std::vector<Inst> inner_, work_;
  Value constant_;
  uint32_t first_ = 0;
};

}  // namespace

void Reassociate(ir::Function& f, const ir::Graphs& graphs) { Pass(f).Run(graphs); }

}  // namespace precast::opt
