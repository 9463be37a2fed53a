// Reporting faults earlier, see late_state.h.
#include "compiler/opt/late_state.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/ir/cfg.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::MemKind;
using ir::Opcode;
using ir::Site;
using ir::StateSlot;
using ir::Value;

constexpr size_t kSlots = 256;
// So much at most is executed by interpretation before a fault, in bytes of code.
constexpr uint32_t kMaxDistance = 1024;

class StateDelayer {
 public:
  explicit StateDelayer(Function& f)
      : f_(f), needs_(f.num_values()), declares_(f.num_blocks(), 0), makes_(f.num_blocks(), 0) {}

  void Run(const ir::Cfg& cfg) {
    FindUsed(cfg);
    for (Block b : cfg.order()) {
      if (declares_[b.index] == 0) continue;
      may_move_ = makes_anywhere_ || makes_[b.index] != 0;
      Delay(b);
    }
  }

 private:
  // Values that are needed for more than being declared in their block, those that are used in
  // other blocks than the one that makes them, and where the others are needed last. Walked
  // backwards, each block after those it leads to, uses come before definitions: what an edge
  // passes is needed whether its parameter is or not.
  void FindUsed(const ir::Cfg& cfg) {
    for (auto b = cfg.order().rbegin(); b != cfg.order().rend(); ++b) {
      const std::vector<Inst>& insts = f_.block(*b).insts;
      for (const ir::Edge& edge : ir::Successors(f_, *b)) {
        for (Value v : edge.args) needs_[v.index].used = needs_[v.index].elsewhere = true;
      }
      for (size_t k = insts.size(); k-- > 0;) {
        const InstData& d = f_.inst(insts[k]);
        for (uint32_t n = 0; n < d.results_count; ++n) Define(Value(d.results_begin + n), *b);
        const bool needed = IsNeededItself(d);
        if (d.op == Opcode::kDeferState) {
          declares_[b->index] = 1;
        } else if (!needed && d.op != Opcode::kIconst) {
          makes_[b->index] = 1;
          makes_anywhere_ |= needs_[d.results_begin].elsewhere;
        }
        for (Value v : f_.args(insts[k])) {
          Need& need = needs_[v.index];
          const uint32_t user = std::exchange(need.user, b->index);
          if (user != b->index && user != Block::kNone) need.elsewhere = true;
          if (!needed) continue;
          need.used = true;
          need.last = std::max(need.last, static_cast<int>(k));
        }
      }
      for (const auto& [slot, v] : f_.block(*b).state) {
        const ir::ValueData& data = f_.value(v);
        if (!data.is_param || data.def != b->index)
          needs_[v.index].used = needs_[v.index].elsewhere = true;
      }
      for (Value v : f_.block(*b).params) Define(v, *b);
    }
  }
  // `b` defines `v`, and all uses have been met.
  void Define(Value v, Block b) {
    Need& need = needs_[v.index];
    if (need.user != Block::kNone && need.user != b.index) need.elsewhere = true;
  }
  // For what it does, or for a result.
  bool IsNeededItself(const InstData& d) const {
    const ir::OpcodeInfo& info = ir::Info(d.op);
    if (info.has_side_effect || info.is_terminator) return d.op != Opcode::kDeferState;
    for (uint32_t k = 0; k < d.results_count; ++k) {
      if (needs_[d.results_begin + k].used) return true;
    }
    return false;
  }

  // The i64 of which `v` is a half, or `v`: a half of what is there costs nothing to declare.
  Value Whole(Value v) const {
    for (int k = 0; k < 2; ++k) {
      const ir::ValueData& data = f_.value(v);
      if (data.is_param) return v;
      const InstData& d = f_.inst(Inst(data.def));
      if (d.op != (k == 0 ? Opcode::kWrap : Opcode::kShrU)) return v;
      v = f_.args(Inst(data.def))[0];
    }
    return v;
  }
  // Whether `v` is made only to be declared.
  bool IsMadeForState(Value v) const {
    const Value whole = Whole(v);
    if (needs_[v.index].used || needs_[whole.index].used || f_.value(whole).is_param) return false;
    const InstData& d = f_.inst(Inst(f_.value(whole).def));
    return d.op != Opcode::kIconst && !ir::Info(d.op).has_side_effect;
  }
  bool IsConstant(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return !data.is_param && f_.inst(Inst(data.def)).op == Opcode::kIconst;
  }
  bool IsOfCall(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return !data.is_param && f_.inst(Inst(data.def)).op == Opcode::kCallRuntime;
  }
  // Whether `v` is kept for something behind position `at` of the current block.
  bool IsKept(Value v, int at) const {
    return IsConstant(v) || IsNeeded(v, at) || IsNeeded(Whole(v), at);
  }
  bool IsNeeded(Value v, int at) const {
    return needs_[v.index].elsewhere || needs_[v.index].last > at;
  }

  void Delay(Block b) {
    std::vector<Inst>& insts = f_.block(b).insts;
    for (StateSlot slot : slots_) declared_[slot] = before_[slot] = Value();
    slots_.clear();
    later_.clear();
    for (const auto& [slot, v] : f_.block(b).state) Declare(slot, v);
    TakeDeclared();
    place_.reset();
    start_ = f_.block(b).guest_pc;
    pending_.clear();
    out_.clear();
    out_.reserve(insts.size());
    for (size_t k = 0; k < insts.size(); ++k) Visit(insts[k], static_cast<int>(k), out_);
    insts.swap(out_);
  }

  void Visit(Inst i, int at, std::vector<Inst>& out) {
    InstData& d = f_.inst(i);
    switch (d.op) {
      case Opcode::kDeferState:
        Declare(d.aux, f_.args(i)[0]);
        pending_.push_back(i);
        return;
      case Opcode::kLoad:
      case Opcode::kStore: {
        const Site own = d.site;
        if (start_.has_value()) SetPlaceAtStart(own);
        if (may_move_ && place_.has_value() && !pending_.empty() &&
            own.guest_pc - place_->guest_pc <= kMaxDistance && IsWorthIt(at)) {
          d.site = *place_;
        } else {
          Flush(out);
          SetPlace(own);
        }
        out.push_back(i);
        if (d.op == Opcode::kStore) {
          Flush(out);
          // Behind a store begins the next instruction; behind two that became one does not.
          if (static_cast<MemKind>(d.aux) == MemKind::k64) {
            place_.reset();
          } else {
            SetPlace({own.guest_pc + 4, own.refund != 0 ? own.refund - 1 : 0});
          }
        }
        return;
      }
      case Opcode::kMeter:
      case Opcode::kMeterCheck:
      case Opcode::kTrapIf:
        Flush(out);
        SetPlace(d.site);
        // Whether an instruction that the runtime has executed has trapped: if not, it must not be
        // executed again.
        if (d.op == Opcode::kTrapIf && IsOfCall(f_.args(i)[0])) place_.reset();
        out.push_back(i);
        return;
      case Opcode::kCharge:
        if (place_.has_value()) {
          const int64_t refund = int64_t{place_->refund} + d.imm;
          if (refund >= 0 && refund <= INT32_MAX) {
            place_->refund = static_cast<uint32_t>(refund);
          } else {
            place_.reset();
          }
        }
        out.push_back(i);
        return;
      default:
        if (ir::Info(d.op).has_side_effect || ir::IsTerminator(d.op)) {
          Flush(out);
          start_.reset();
          place_.reset();
        }
        out.push_back(i);
        return;
    }
  }

  void Flush(std::vector<Inst>& out) {
    out.insert(out.end(), pending_.begin(), pending_.end());
    pending_.clear();
  }
  // The block's first instruction, if `own` is the first site of the block. Instructions between
  // are executed one after the other, and count one each. Not if halves of a parameter or constants
  // are declared: other passes declare those for the start of the block (wide pairs, guards of
  // resumption).
  void SetPlaceAtStart(Site own) {
    const uint32_t distance = own.guest_pc - *start_;
    const bool of_start = std::any_of(pending_.begin(), pending_.end(), [&](Inst i) {
      const Value whole = Whole(f_.args(i)[0]);
      return IsConstant(whole) || (f_.value(whole).is_param && f_.type(whole) == ir::Type::kI64);
    });
    if (!of_start && distance <= kMaxDistance && distance % 4 == 0) {
      place_ = Site{*start_, own.refund != 0 ? own.refund + distance / 4 : 0};
    }
    start_.reset();
  }
  void SetPlace(Site site) {
    start_.reset();
    place_ = site;
    TakeDeclared();
  }

  void Declare(StateSlot slot, Value v) {
    declared_[slot] = v;
    slots_.push_back(slot);
    later_.push_back(slot);
  }
  void TakeDeclared() {
    for (StateSlot slot : later_) before_[slot] = declared_[slot];
    later_.clear();
  }

  // Whether more values are made only for the state at position `at` than must be kept, instead of
  // them, for that of the earlier place.
  bool IsWorthIt(int at) {
    int made = 0, kept = 0;
    std::bitset<kSlots> seen;
    for (auto i = pending_.rbegin(); i != pending_.rend(); ++i) {
      const uint8_t slot = f_.inst(*i).aux;
      if (seen[slot]) continue;  // declared again later
      seen.set(slot);
      if (IsMadeForState(f_.args(*i)[0])) ++made;
      const Value old = before_[slot];
      // What nothing else has ever needed lies in the frame, and stays there.
      if (old.valid() && (needs_[old.index].used || needs_[Whole(old).index].used) &&
          !IsKept(old, at))
        ++kept;
    }
    return made > kept;
  }

  struct Need {
    uint32_t user = Block::kNone;  // the block of the use met last
    // If it is not used elsewhere: position in its block of its last use but for declarations.
    int last = -1;
    bool used = false, elsewhere = false;
  };

  Function& f_;
  std::vector<Need> needs_;  // by value
  // By block: whether it declares anything, and whether it makes a value that is declared in it and
  // nothing else.
  std::vector<uint8_t> declares_, makes_;
  bool makes_anywhere_ = false;  // whether such a value is declared in another block

  // Of the block at hand.
  bool may_move_ = false;  // whether moving a site may be worth it
  // Guest pc of the block, if nothing has been done since its start.
  std::optional<uint32_t> start_;
  std::optional<Site> place_;                    // a place from which execution may go on
  std::array<Value, kSlots> before_, declared_;  // what is declared there, and here
  std::vector<StateSlot> slots_, later_;  // all of declared_; where it may differ from before_
  std::vector<Inst> pending_;             // declarations since then that have been held back
  std::vector<Inst> out_;  // what it has now; the next one gets the room of what it had
};

}  // namespace

void DelayState(Function& f, const ir::Graphs& graphs) { StateDelayer(f).Run(graphs.cfg(f)); }

}  // namespace precast::opt
