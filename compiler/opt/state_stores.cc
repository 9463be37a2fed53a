// See state_stores.h. All sets of slots are 64-bit masks: a guest has 33.
#include "compiler/opt/state_stores.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

using Slots = uint64_t;
constexpr Slots kAll = ~Slots{0};
constexpr ir::StateSlot kNumSlots = 64;
// A loop takes two rounds, one inside another one more. What takes longer is left as it is.
constexpr int kMaxRounds = 8;

Slots Bit(ir::StateSlot slot) { return Slots{1} << slot; }

class Remover {
 public:
  Remover(Function& f, const ir::Cfg& cfg) : f_(f), cfg_(cfg) {}

  bool HasCandidate() const {
    bool any = false;
    for (Block b : cfg_.order()) {
      for (Inst i : f_.block(b).insts) {
        const InstData& d = f_.inst(i);
        if (d.op != Opcode::kStoreState && d.op != Opcode::kLoadState) continue;
        if (d.aux >= kNumSlots) return false;
        any |= d.op == Opcode::kStoreState && IsLoadOf(f_.args(i)[0], d.aux);
      }
    }
    return any;
  }

  // Whether there may be more to do when what nobody sees is gone.
  bool Run() {
    if (FindSeen()) {
      for (Block b : cfg_.order()) WalkBack(b, /*remove=*/true);
    }
    if (!FindUnchanged()) return false;
    for (Block b : cfg_.order()) Walk(b, Change::kStores);
    return any_replaced_;
  }

  void RemoveDeferrals() {
    if (!FindUnchanged()) return;
    for (Block b : cfg_.order()) Walk(b, Change::kDeferrals);
  }

 private:
  bool IsLoadOf(Value v, ir::StateSlot slot) const {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param) return false;
    const InstData& d = f_.inst(Inst(data.def));
    return d.op == Opcode::kLoadState && d.aux == slot;
  }

  // The slots of which somebody may see, at the beginning of `b`, what the context holds. Removes
  // stores if `remove`.
  Slots WalkBack(Block b, bool remove) {
    std::vector<Inst>& insts = f_.block(b).insts;
    // Where a slot is deferred, by instruction that can stop.
    deferred_.assign(insts.size(), 0);
    Slots deferred = 0;
    for (const auto& [slot, v] : f_.block(b).state) deferred |= Bit(slot);
    for (size_t k = 0; k < insts.size(); ++k) {
      const InstData& d = f_.inst(insts[k]);
      deferred_[k] = deferred;
      if (d.op == Opcode::kDeferState) deferred |= Bit(d.aux);
      if (d.op == Opcode::kStoreState) deferred &= ~Bit(d.aux);
      if (ir::IsCall(d.op)) deferred = 0;
    }
    Slots seen = 0;
    for (const Edge& edge : ir::Successors(f_, b)) seen |= seen_[edge.target.index];
    size_t kept = insts.size();
    for (size_t k = insts.size(); k-- > 0;) {
      const InstData& d = f_.inst(insts[k]);
      bool keep = true;
      if (d.op == Opcode::kStoreState) {
        keep = (seen & Bit(d.aux)) != 0;
        seen &= ~Bit(d.aux);
      } else if (d.op == Opcode::kLoadState) {
        seen |= Bit(d.aux);
      } else if (ir::IsCall(d.op) || d.op == Opcode::kRet || d.op == Opcode::kTailCall ||
                 d.op == Opcode::kTailDispatch || d.op == Opcode::kTailPointer) {
        seen = kAll;
      } else if (ir::CanStop(d.op)) {
        seen |= ~deferred_[k];
      }
      if (keep) insts[--kept] = insts[k];
      if (!keep && !remove) insts[--kept] = insts[k];
    }
    insts.erase(insts.begin(), insts.begin() + static_cast<std::ptrdiff_t>(kept));
    return seen;
  }

  bool FindSeen() {
    seen_.assign(f_.num_blocks(), 0);
    for (int round = 0; round < kMaxRounds; ++round) {
      bool changed = false;
      for (size_t k = cfg_.order().size(); k-- > 0;) {
        const Block b = cfg_.order()[k];
        const Slots seen = WalkBack(b, /*remove=*/false);
        changed |= seen != seen_[b.index];
        seen_[b.index] = seen;
      }
      if (!changed || !cfg_.has_cycles()) return true;
    }
    return false;
  }

  // Whether `v` is what the context holds of the slot on entry.
  bool IsOriginal(Value v, ir::StateSlot slot) const {
    return IsLoadOf(v, slot) && original_[f_.value(v).def];
  }

  enum class Change : uint8_t { kNothing, kStores, kDeferrals };

  // The slots that hold in the context what they hold on entry, at the end of `b`.
  Slots Walk(Block b, Change change) {
    Slots unchanged = kAll;
    for (Block from : cfg_.predecessors(b)) unchanged &= unchanged_[from.index];
    if (change == Change::kDeferrals) RemoveDeferrals(b, unchanged);
    for (Inst i : f_.block(b).insts) {
      InstData& d = f_.inst(i);
      if (d.op == Opcode::kLoadState) {
        original_[i.index] = (unchanged & Bit(d.aux)) != 0;
      } else if (d.op == Opcode::kStoreState) {
        if (!IsOriginal(f_.args(i)[0], d.aux)) {
          unchanged &= ~Bit(d.aux);
        } else if ((unchanged & Bit(d.aux)) != 0) {
          // A deferral before it shall not come to life again.
          if (change == Change::kStores) {
            d.op = Opcode::kDeferState;
            any_replaced_ = true;
          }
        } else {
          unchanged |= Bit(d.aux);
        }
      } else if (ir::IsCall(d.op)) {
        unchanged = 0;
      }
    }
    return unchanged;
  }

  // Deferrals in `b` of what the context holds, but those that end another.
  void RemoveDeferrals(Block b, Slots unchanged) {
    ir::BlockData& block = f_.block(b);
    std::erase_if(block.state, [&](const auto& entry) {
      return (unchanged & Bit(entry.first)) != 0 && IsOriginal(entry.second, entry.first);
    });
    Slots deferred = 0;
    for (const auto& [slot, v] : block.state) deferred |= Bit(slot);
    std::erase_if(block.insts, [&](Inst i) {
      const InstData& d = f_.inst(i);
      if (d.op == Opcode::kStoreState) {
        deferred &= ~Bit(d.aux);
        if (!IsOriginal(f_.args(i)[0], d.aux)) unchanged &= ~Bit(d.aux);
      } else if (ir::IsCall(d.op)) {
        deferred = unchanged = 0;
      } else if (d.op == Opcode::kDeferState) {
        if ((unchanged & ~deferred & Bit(d.aux)) != 0 && IsOriginal(f_.args(i)[0], d.aux)) {
          return true;
        }
        deferred |= Bit(d.aux);
      }
      return false;
    });
  }

  bool FindUnchanged() {
    // Entries do not come after one another, so that there is one state of the context to compare
    // with.
    unchanged_.assign(f_.num_blocks(), kAll);
    original_.assign(f_.num_insts(), true);
    for (int round = 0; round < kMaxRounds; ++round) {
      bool changed = false;
      for (Block b : cfg_.order()) {
        const Slots unchanged = Walk(b, Change::kNothing);
        changed |= unchanged != unchanged_[b.index];
        unchanged_[b.index] = unchanged;
      }
      if (!changed || !cfg_.has_cycles()) return true;
    }
    return false;
  }

  Function& f_;
  const ir::Cfg& cfg_;
  std::vector<Slots> seen_;       // by block
  std::vector<Slots> unchanged_;  // by block
  std::vector<Slots> deferred_;   // by instruction of a block
  std::vector<bool> original_;    // by instruction: loads what the slot holds on entry
  bool any_replaced_ = false;
};

// So far up at most.
constexpr int kMaxSteps = 256;

class Mover {
 public:
  Mover(Function& f, const ir::Cfg& cfg) : f_(f), cfg_(cfg), is_entry_(f.num_blocks(), false) {
    for (Block e : f.entries()) is_entry_[e.index] = true;
  }

  void Run() {
    for (Block b : cfg_.order()) {
      for (size_t k = 0; k < f_.block(b).insts.size(); ++k) {
        if (f_.inst(f_.block(b).insts[k]).op != Opcode::kStoreState) continue;
        // If it goes to another block, the next one is there now.
        if (MoveUp(b, k) != b) --k;
      }
    }
  }

 private:
  // The block that always comes right before `b`, and leads nowhere else.
  Block Before(Block b) const {
    if (is_entry_[b.index] || cfg_.predecessors(b).size() != 1) return Block();
    const Block before = cfg_.predecessors(b)[0];
    return f_.inst(f_.terminator(before)).op == Opcode::kBr ? before : Block();
  }

  bool Stays(const InstData& d, ir::StateSlot slot) const {
    return ir::CanStop(d.op) || ir::IsCall(d.op) ||
           ((d.op == Opcode::kStoreState || d.op == Opcode::kLoadState ||
             d.op == Opcode::kDeferState) &&
            d.aux == slot);
  }

  // The block in which it is then.
  Block MoveUp(Block b, size_t k) {
    const Inst store = f_.block(b).insts[k];
    const ir::StateSlot slot = f_.inst(store).aux;
    const Value v = f_.args(store)[0];
    if (f_.value(v).is_param) return b;
    const Inst def(f_.value(v).def);
    if (f_.inst(def).op == Opcode::kIconst) return b;  // takes no register
    Block to = b;
    size_t at = k;
    for (int step = 0; step < kMaxSteps; ++step) {
      if (at == 0) {
        const auto& state = f_.block(to).state;
        const bool deferred = std::any_of(state.begin(), state.end(),
                                          [&](const auto& entry) { return entry.first == slot; });
        to = deferred ? Block() : Before(to);
        if (!to.valid()) return b;
        at = f_.block(to).insts.size() - 1;
        continue;
      }
      const Inst i = f_.block(to).insts[at - 1];
      if (i == def) break;
      if (Stays(f_.inst(i), slot)) return b;
      --at;
    }
    if (at == 0 || f_.block(to).insts[at - 1] != def || (to == b && at == k)) return b;
    std::vector<Inst>& from = f_.block(b).insts;
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(k));
    std::vector<Inst>& insts = f_.block(to).insts;
    insts.insert(insts.begin() + static_cast<std::ptrdiff_t>(at), store);
    return to;
  }

  Function& f_;
  const ir::Cfg& cfg_;
  std::vector<bool> is_entry_;
};

}  // namespace

bool RemoveStateStores(Function& f, const ir::Graphs& graphs) {
  Remover remover(f, graphs.cfg(f));
  return remover.HasCandidate() && remover.Run();
}

void RemoveUnchangedState(Function& f, const ir::Graphs& graphs) {
  Remover(f, graphs.cfg(f)).RemoveDeferrals();
}

void MoveStateStores(Function& f, const ir::Graphs& graphs) { Mover(f, graphs.cfg(f)).Run(); }

}  // namespace precast::opt
