// See move_invariants.h.
#include "compiler/opt/move_invariants.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr uint32_t kNone = 0xffffffffu;
constexpr uint32_t kMaxNesting = 8;
constexpr size_t kMaxOperands = 16;
// So many values may be kept in registers across a loop: integers; floats and vectors. The rest is
// for what the loop computes.
constexpr uint32_t kMaxInts = 8, kMaxVectors = 11;

enum class Worth : uint8_t {
  kNever,   // stays
  kWith,    // goes with an instruction that needs it
  kCheap,   // goes if that does not take another register
  kAlways,  // goes if there is a register
};

bool IsConstant(Opcode op) {
  return op == Opcode::kIconst || op == Opcode::kFconst || op == Opcode::kVconst;
}

bool IsVector(Type type) { return type != Type::kI32 && type != Type::kI64; }

class Mover {
 public:
  Mover(Function& f, const ir::Cfg& cfg, const ir::Loops& loops)
      : f_(f), cfg_(cfg), loops_(loops) {}

  void Run() {
    if (!FindCandidates()) return;
    const ir::Dominators dominators(f_, cfg_);
    dominators_ = &dominators;
    if (std::none_of(candidates_.begin(), candidates_.end(),
                     [&](const Candidate& c) { return IsMovable(c); })) {
      return;
    }
    FindUses();
    Choose();
    Move();
  }

  // Whether there may be anything to do, at a glance: an instruction in a loop, as far as the order
  // of the blocks shows, that is worth a register, and whose operands come from other blocks. Most
  // functions have none.
  static bool MayMove(const Function& f) {
    std::vector<int32_t> depth(f.num_blocks() + 1, 0);
    bool loops = false;
    for (uint32_t b = 0; b < f.num_blocks(); ++b) {
      for (const Edge& e : ir::Successors(f, Block(b))) {
        if (e.target.index > b) continue;
        ++depth[e.target.index];
        --depth[b + 1];
        loops = true;
      }
    }
    if (!loops) return false;
    // First without looking at operands.
    int32_t around = 0;
    bool any = false;
    for (uint32_t b = 0; b < f.num_blocks() && !any; ++b) {
      around += depth[b];
      if (around == 0) continue;
      const std::vector<Inst>& insts = f.block(Block(b)).insts;
      any = std::any_of(insts.begin(), insts.end(),
                        [&](Inst i) { return WorthOf(f, i) == Worth::kAlways; });
    }
    if (!any) return false;
    std::vector<uint32_t> last(
        f.num_values(), kNone);  // by value: the block where it is made, if that is in a loop
    around = 0;
    for (uint32_t b = 0; b < f.num_blocks(); ++b) {
      around += depth[b];
      if (around == 0) continue;
      for (Value v : f.block(Block(b)).params) last[v.index] = b;
      for (Inst i : f.block(Block(b)).insts) {
        const InstData& d = f.inst(i);
        // What comes from elsewhere counts as made there.
        const Worth worth = WorthOf(f, i);
        bool stays = worth == Worth::kNever;
        for (Value v : f.args(i)) stays |= last[v.index] == b && !IsConstantValue(f, v);
        if (!stays && worth == Worth::kAlways) return true;
        for (uint32_t k = 0; stays && k < d.results_count; ++k) last[d.results_begin + k] = b;
      }
    }
    return false;
  }

 private:
  // An instruction that computes the same in each round of a loop.
  struct Candidate {
    Inst inst;
    Block block;
    Block loop;  // its head, the outermost one
    Worth worth;
    bool chosen = false;
  };

  static Worth WorthOf(const Function& f, Inst i) {
    const InstData& d = f.inst(i);
    if (!ir::IsPure(d.op)) return Worth::kNever;
    switch (d.op) {
      case Opcode::kIconst:
      case Opcode::kFconst:
      case Opcode::kVconst:
      case Opcode::kContextAddress:
        return Worth::kNever;
      case Opcode::kSdivTotal:
      case Opcode::kUdivTotal:
      case Opcode::kSremTotal:
      case Opcode::kUremTotal:
        return d.aux == 0 ? Worth::kAlways : Worth::kNever;
      case Opcode::kIcmp:
      case Opcode::kFcmp:
      case Opcode::kExtendU32:
      case Opcode::kWrap:
      case Opcode::kBitcast:
        return Worth::kWith;
      case Opcode::kAdd:
      case Opcode::kSub:
        if (IsConstantValue(f, f.args(i)[1])) return Worth::kWith;
        [[fallthrough]];
      case Opcode::kAnd:
      case Opcode::kOr:
      case Opcode::kXor:
      case Opcode::kShl:
      case Opcode::kShrU:
      case Opcode::kShrS:
      case Opcode::kRotl:
      case Opcode::kRotr:
      case Opcode::kExtendS32:
      case Opcode::kExtendS8:
      case Opcode::kExtendS16:
      case Opcode::kSelect:
        return Worth::kCheap;
      default:
        return Worth::kAlways;
    }
  }

  static bool IsConstantValue(const Function& f, Value v) {
    const ir::ValueData& data = f.value(v);
    return !data.is_param && IsConstant(f.inst(Inst(data.def)).op);
  }
  bool IsConstantValue(Value v) const { return IsConstantValue(f_, v); }

  bool Inside(Block head, Block b) const {
    if (loops_.depth(b) > loops_.depth(head) + kMaxNesting) return true;
    return loops_.Contains(head, b);
  }

  bool FindCandidates() {
    block_of_.assign(f_.num_values(), kNone);
    candidate_of_.assign(f_.num_values(), kNone);
    bool any = false;
    for (Block b : cfg_.order()) {
      for (Value v : f_.block(b).params) block_of_[v.index] = b.index;
      for (Inst i : f_.block(b).insts) {
        const InstData& d = f_.inst(i);
        for (uint32_t k = 0; k < d.results_count; ++k) {
          block_of_[d.results_begin + k] = b.index;
        }
        if (!loops_.head(b).valid() || f_.block(b).cold || d.results_count != 1) continue;
        const Worth worth = WorthOf(f_, i);
        if (worth == Worth::kNever) continue;
        const Block loop = OutermostLoop(i, b);
        if (!loop.valid()) continue;
        candidate_of_[d.results_begin] = static_cast<uint32_t>(candidates_.size());
        candidates_.push_back({i, b, loop, worth});
        any |= worth >= Worth::kCheap;
      }
    }
    return any;
  }

  // The outermost loop around `b` that does not change the operands of `i`, which count as computed
  // where they would be.
  Block OutermostLoop(Inst i, Block b) const {
    Block found;
    Block head = loops_.head(b);
    for (uint32_t steps = 0; head.valid() && steps < kMaxNesting; ++steps) {
      for (Value v : f_.args(i)) {
        if (IsConstantValue(v)) continue;
        const uint32_t candidate = candidate_of_[v.index];
        const bool outside = candidate != kNone ? !InsideProperly(head, candidates_[candidate].loop)
                                                : !Inside(head, Block(block_of_[v.index]));
        if (!outside) return found;
      }
      found = head;
      head = loops_.parent(head);
    }
    return found;
  }
  // Whether loop `inner` is inside of that of `head`, and is not the same.
  bool InsideProperly(Block head, Block inner) const {
    return head != inner && Inside(head, inner);
  }

  void Use(Value v, Block b) {
    if (IsConstantValue(v)) return;
    uses_[v.index].push_back(b.index);
    Block head = loops_.head(b);
    for (uint32_t steps = 0; head.valid() && steps < kMaxNesting; ++steps) {
      if (Inside(head, Block(block_of_[v.index]))) return;
      if (seen_.insert(uint64_t{head.index} << 32 | v.index).second) ++Kept(head, f_.type(v));
      head = loops_.parent(head);
    }
  }

  uint32_t& Kept(Block head, Type type) {
    return kept_[head.index * 2u + (IsVector(type) ? 1 : 0)];
  }

  // What is used where, and how many values each loop keeps.
  void FindUses() {
    uses_.resize(f_.num_values());
    for (Block b : cfg_.order()) {
      if (loops_.head(b) == b) {
        for (Value v : f_.block(b).params) ++Kept(b, f_.type(v));
      }
      for (const auto& [slot, v] : f_.block(b).state) Use(v, b);
      for (Inst i : f_.block(b).insts) {
        for (Value v : f_.args(i)) Use(v, b);
        for (const Edge& e : f_.edges(i)) {
          for (Value v : e.args) Use(v, b);
        }
      }
    }
  }

  // The uses of `v` in the loop, up to two.
  size_t UsesInside(Value v, Block head) const {
    size_t n = 0;
    for (uint32_t b : uses_[v.index]) {
      if (Inside(head, Block(b)) && ++n == 2) break;
    }
    return n;
  }

  // The block behind which, or on whose edge to the head, instructions can be put that are to come
  // before the loop; not valid if there is none.
  Block Before(Block head) const {
    Block before;
    for (Block p : cfg_.predecessors(head)) {
      if (dominators_->Dominates(head, p)) continue;
      if (before.valid()) return Block();
      before = p;
    }
    if (!before.valid() || cfg_.IsRetreating(before, head)) return Block();
    return before;
  }

  // Whether what is in `b` is done in each round of its loop that goes on, or most.
  bool IsUsual(Block b) const {
    const Block head = loops_.head(b);
    for (Block p : cfg_.predecessors(head)) {
      if (dominators_->Dominates(head, p) && dominators_->Dominates(b, p)) return true;
    }
    return false;
  }

  bool IsMovable(const Candidate& c) const {
    return c.worth >= Worth::kCheap && dominators_->Dominates(c.loop, c.block) &&
           Before(c.loop).valid() && IsUsual(c.block);
  }

  void Choose() {
    for (Candidate& c : candidates_) {
      if (!IsMovable(c)) continue;
      const Value result = f_.result(c.inst);
      // Values that nobody but this instruction needs in the loop any more.
      uint32_t freed = 0;
      absl::Span<const Value> args = f_.args(c.inst);
      bool simple = true;  // all operands are there before the loop
      for (size_t k = 0; k < args.size(); ++k) {
        if (IsConstantValue(args[k])) continue;
        const uint32_t operand = candidate_of_[args[k].index];
        if (operand != kNone && !candidates_[operand].chosen) simple = false;
        if (std::find(args.begin(), args.begin() + static_cast<ptrdiff_t>(k), args[k]) !=
            args.begin() + static_cast<ptrdiff_t>(k)) {
          continue;
        }
        if (IsVector(f_.type(args[k])) == IsVector(f_.type(result)) &&
            UsesInside(args[k], c.loop) == 1) {
          ++freed;
        }
      }
      if (!MayTakeOperands(c)) continue;
      if (freed == 0 || !simple) {
        if (c.worth == Worth::kCheap || !TakeRegister(c, f_.type(result))) continue;
      }
      ChooseWith(c);
    }
  }

  // Whether a value of `type` can be kept in a register across all the loops that are left; then it
  // is.
  bool TakeRegister(const Candidate& c, Type type) {
    const uint32_t most = IsVector(type) ? kMaxVectors : kMaxInts;
    for (const bool take : {false, true}) {
      for (Block head = loops_.head(c.block);; head = loops_.parent(head)) {
        uint32_t& kept = Kept(head, type);
        if (!take && kept >= most) return false;
        if (take) ++kept;
        if (head == c.loop) break;
      }
    }
    return true;
  }

  // Whether what only goes along is needed by nobody who stays.
  bool MayTakeOperands(Candidate& root) {
    stack_ = {&root};
    while (!stack_.empty()) {
      const Candidate& c = *stack_.back();
      stack_.pop_back();
      for (Value v : f_.args(c.inst)) {
        if (candidate_of_[v.index] == kNone) continue;
        Candidate& operand = candidates_[candidate_of_[v.index]];
        if (operand.chosen) continue;
        if (operand.worth == Worth::kWith && uses_[v.index].size() > 1) return false;
        if (stack_.size() >= kMaxOperands) return false;
        stack_.push_back(&operand);
      }
    }
    return true;
  }

  // `root` and what it is computed from.
  void ChooseWith(Candidate& root) {
    stack_ = {&root};
    while (!stack_.empty()) {
      Candidate& c = *stack_.back();
      stack_.pop_back();
      if (c.chosen) continue;
      c.chosen = true;
      for (Value v : f_.args(c.inst)) {
        if (candidate_of_[v.index] != kNone) stack_.push_back(&candidates_[candidate_of_[v.index]]);
      }
    }
  }

  void Move() {
    std::vector<bool> moved(f_.num_insts(), false);
    std::vector<bool> changed(f_.num_blocks(), false);
    for (Candidate& c : candidates_) {
      // An operand may have found no place, because of a way into its loop that only it would have
      // come after.
      if (!c.chosen || !dominators_->Dominates(c.loop, c.block)) continue;
      bool ready = Before(c.loop).valid();
      for (Value v : f_.args(c.inst)) {
        const uint32_t operand = candidate_of_[v.index];
        ready &= operand == kNone || moved[candidates_[operand].inst.index];
      }
      if (!ready) continue;
      moved[c.inst.index] = true;
      changed[c.block.index] = true;
    }
    const uint32_t num_blocks = static_cast<uint32_t>(f_.num_blocks());
    for (uint32_t b = 0; b < num_blocks; ++b) {
      if (!changed[b]) continue;
      std::vector<Inst>& insts = f_.block(Block(b)).insts;
      std::erase_if(insts, [&](Inst i) { return moved[i.index]; });
    }
    for (const Candidate& c : candidates_) {
      if (moved[c.inst.index]) Put(c);
    }
  }

  void Put(const Candidate& c) {
    const Block to = PreheaderOf(c.loop);
    std::vector<Inst>& insts = f_.block(to).insts;
    const Inst terminator = insts.back();
    insts.pop_back();
    // Constants are made in each block that uses them.
    for (size_t k = 0; k < f_.inst(c.inst).args_count; ++k) {
      const Value v = f_.args(c.inst)[k];
      if (!IsConstantValue(v)) continue;
      const InstData d = f_.inst(Inst(f_.value(v).def));
      InstData copy{.op = d.op, .type = d.type, .aux = d.aux};
      copy.imm = d.imm;
      const Value made = f_.result(f_.Append(to, copy, {}, {f_.type(v)}));
      f_.mutable_args(c.inst)[k] = made;
    }
    f_.block(to).insts.push_back(c.inst);
    f_.block(to).insts.push_back(terminator);
  }

  Block PreheaderOf(Block head) {
    const auto [it, is_new] = preheader_.try_emplace(head.index);
    if (!is_new) return it->second;
    const Block before = Before(head);
    const Inst terminator = f_.terminator(before);
    if (f_.edges(terminator).size() == 1) return it->second = before;
    const Block block = f_.NewBlock();
    it->second = block;
    f_.block(block).guest_pc = f_.block(head).guest_pc;
    for (Edge& edge : f_.mutable_edges(terminator)) {
      if (edge.target != head) continue;
      std::vector<Value> args = std::move(edge.args);
      edge = {.target = block};
      f_.Append(block, {.op = Opcode::kBr}, {}, {}, {Edge{head, std::move(args)}});
      break;
    }
    return block;
  }

  Function& f_;
  const ir::Cfg& cfg_;
  const ir::Loops& loops_;
  const ir::Dominators* dominators_ = nullptr;
  std::vector<uint32_t> block_of_;           // by value
  std::vector<uint32_t> candidate_of_;       // by value
  std::vector<Candidate> candidates_;        // definitions before uses
  std::vector<std::vector<uint32_t>> uses_;  // by value: blocks, one for each use
  absl::flat_hash_set<uint64_t> seen_;
  absl::flat_hash_map<uint32_t, uint32_t> kept_;
  absl::flat_hash_map<uint32_t, Block> preheader_;
  std::vector<Candidate*> stack_;
};

}  // namespace

void MoveInvariants(Function& f, const ir::Graphs& graphs) {
  if (!Mover::MayMove(f) || !graphs.cfg(f).has_cycles()) return;
  const ir::Loops& loops = graphs.loops(f);
  Mover(f, graphs.cfg(f), loops).Run();
}

}  // namespace precast::opt
