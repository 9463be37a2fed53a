// See emit.h. One pass over the blocks in layout order, then the cold stubs, then sizes of jumps
// are settled and positions become offsets.
#include "compiler/x64/emit.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

#include "absl/log/check.h"
#include "compiler/x64/code_buffer.h"

namespace precast::x64 {
namespace {

using codegen::CodeRelocation;
using codegen::Site;
using codegen::StateLocation;
using regalloc::Location;
using regalloc::RegClass;

constexpr uint32_t kNone = 0xffffffffu;
constexpr uint32_t kFarFrame = 32 * 1024;  // larger frames are checked against the limit as a whole

bool FitsInt32(int64_t v) { return v == static_cast<int32_t>(v); }

bool SameState(const StateLocation& a, const StateLocation& b) {
  return a.slot == b.slot && a.kind == b.kind && a.value == b.value;
}

class Emitter {
 public:
  Emitter(const MFunction& m, const regalloc::Solution& s, const codegen::CompileOptions& options)
      : m_(m), p_(m.problem), s_(s), options_(options), e_(buffer_.code()) {
    // Vector slots first: they are 16-aligned relative to rsp.
    const uint32_t slots = 16 * s.num_vector_slots + 8 * s.num_int_slots;
    // With the return address, a multiple of 16: the stack pointer is aligned at calls.
    if (slots != 0 || m.has_calls) frame_ = slots % 16 == 8 ? slots : slots + 8;
    spill_width_ = m.has_wide ? Width::k64 : Width::k32;
  }

  codegen::CompiledFunction Run() {
    ThreadJumps();
    labels_.reserve(m_.blocks.size());
    for (size_t b = 0; b < m_.blocks.size(); ++b) labels_.push_back(buffer_.NewLabel());
    for (uint32_t b = 0; b < m_.blocks.size(); ++b) {
      if (thread_[b] == b) EmitBlock(b);
    }
    for (size_t i = 0; i < stubs_.size(); ++i) EmitStub(stubs_[i]);
    if (has_miss_) {
      SetCfa(8 + frame_);
      buffer_.Bind(miss_);
      e_.JmpMem(Mem::Rip());
      Relocate(CodeRelocation::Target::kGotRuntime,
               static_cast<uint32_t>(abi::Callback::kDispatchMiss));
    }
    // A return address is inside its function.
    if (!sites_.empty() && sites_.back().at == buffer_.Here()) e_.Ud2();
    return Finish();
  }

 private:
  // A place in the code where execution can stop; `state` is a range in state_pool_.
  struct PendingSite {
    CodePosition at;
    Site::Kind kind;
    uint8_t trap_code;
    bool block_start;
    ir::Site ir;
    uint32_t state_begin, state_count;
  };
  struct PendingRelocation {
    CodePosition at;
    CodeRelocation::Target target;
    uint32_t index;
  };
  struct Stub {
    enum class Kind : uint8_t { kSuspend, kStack, kTrap, kDivide };
    Kind kind;
    Label label;
    Label back;  // kDivide: where to go on
    const MInst* inst;
    Reg divisor = Reg::rax;  // kDivide
    uint32_t state_begin = 0, state_count = 0;
  };

  // -- operands

  const Location& Loc(uint32_t i, uint32_t k) const {
    return s_.operands[p_.insts[i].operands_begin + k];
  }
  Reg R(uint32_t i, uint32_t k) const {
    const Location& l = Loc(i, k);
    DCHECK(l.kind == Location::Kind::kReg && l.reg.cls == RegClass::kInt);
    return static_cast<Reg>(l.reg.hw);
  }
  bool IsReg(uint32_t i, uint32_t k) const { return Loc(i, k).kind == Location::Kind::kReg; }
  Mem Slot(const Location& l, RegClass cls = RegClass::kInt) const {
    DCHECK(l.kind == Location::Kind::kSlot);
    return Mem::At(Reg::rsp, SlotDisp(l.slot, cls));
  }
  int32_t SlotDisp(uint32_t slot, RegClass cls) const {
    return static_cast<int32_t>(cls == RegClass::kVector ? 16 * slot
                                                         : 16 * s_.num_vector_slots + 8 * slot);
  }
  Mem M(uint32_t i, uint32_t k) const { return Slot(Loc(i, k)); }

  // -- records

  void SetCfa(uint32_t cfa) {
    if (!frame_rules_.empty() && frame_rules_.back().second == cfa) return;
    const CodePosition here = buffer_.Here();
    if (!frame_rules_.empty() && frame_rules_.back().first == here) {
      frame_rules_.back().second = cfa;
    } else {
      frame_rules_.push_back({here, cfa});
    }
  }
  void SetLine(uint32_t guest_pc) {
    if (guest_pc == 0 || guest_pc == last_line_) return;
    last_line_ = guest_pc;
    lines_.push_back({buffer_.Here(), guest_pc});
  }
  void Relocate(CodeRelocation::Target target, uint32_t index) {
    relocations_.push_back({buffer_.Field(), target, index});
  }
  // A site here. A memory or trap site must not lie at the return address of a call before it.
  void SeparateFromCall() {
    if (!sites_.empty() && sites_.back().at == buffer_.Here()) e_.Nop(1);
  }
  void AddSite(Site::Kind kind, const MInst& m, uint8_t trap_code = 0, uint32_t state_begin = 0,
               uint32_t state_count = 0) {
    sites_.push_back(
        {buffer_.Here(), kind, trap_code, block_start_, m.site, state_begin, state_count});
    block_start_ = false;
  }

  // The state map at instruction `i`, into state_pool_. Called with ascending i.
  std::pair<uint32_t, uint32_t> CaptureState(uint32_t i) {
    while (next_tracked_ < s_.tracked.size() && s_.tracked[next_tracked_].from <= i) {
      const regalloc::TrackedLocation& t = s_.tracked[next_tracked_++];
      StateLocation where{.slot = t.label, .kind = StateLocation::Kind::kRegister, .value = 0};
      if (t.location.kind == Location::Kind::kReg) {
        where.value = t.location.reg.hw;
      } else {
        DCHECK(t.location.kind == Location::Kind::kSlot);
        where.kind = StateLocation::Kind::kFrame;
        where.value = SlotDisp(t.location.slot, RegClass::kInt);
      }
      SetState(where, t.to);
    }
    while (next_constant_ < m_.constant_state.size() &&
           m_.constant_state[next_constant_].from <= i) {
      const ConstantState& c = m_.constant_state[next_constant_++];
      SetState({c.slot, StateLocation::Kind::kConstant, c.value}, c.to);
    }
    const uint32_t begin = static_cast<uint32_t>(state_pool_.size());
    for (size_t word = 0; word < 4; ++word) {
      for (uint64_t bits = live_slots_[word]; bits != 0; bits &= bits - 1) {
        const size_t slot = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (state_until_[slot] < i) {
          live_slots_[word] &= ~(uint64_t{1} << (slot % 64));
        } else {
          state_pool_.push_back(state_[slot]);
        }
      }
    }
    return {begin, static_cast<uint32_t>(state_pool_.size()) - begin};
  }
  void SetState(const StateLocation& where, uint32_t until) {
    state_[where.slot] = where;
    state_until_[where.slot] = until;
    live_slots_[where.slot / 64] |= uint64_t{1} << (where.slot % 64);
  }

  // -- control flow

  // Blocks that only jump are seen through: thread_[b] is where a jump to b ends.
  void ThreadJumps() {
    const uint32_t n = static_cast<uint32_t>(m_.blocks.size());
    std::vector<uint32_t> first_move(n, 0), num_moves(n, 0);
    {
      uint32_t b = 0;
      for (uint32_t k = 0; k < s_.moves.size(); ++k) {
        while (p_.blocks[b].end <= s_.moves[k].before) ++b;
        if (num_moves[b]++ == 0) first_move[b] = k;
      }
    }
    thread_.assign(n, kNone);
    ShareEdgeCode(first_move, num_moves);
    std::vector<uint32_t> path;
    std::vector<uint8_t> on_path(n, 0);
    for (uint32_t start = 0; start < n; ++start) {
      path.clear();
      uint32_t b = start;
      while (thread_[b] == kNone && !on_path[b]) {
        const regalloc::Block& block = p_.blocks[b];
        const bool only_jump = block.end - block.begin == 1 && num_moves[b] == 0 &&
                               m_.insts[block.begin].op == MOp::kJump && !m_.blocks[b].is_entry &&
                               b != 0;
        if (!only_jump) {
          thread_[b] = b;
          break;
        }
        on_path[b] = 1;
        path.push_back(b);
        b = p_.edges[block.succs_begin].target;
      }
      if (thread_[b] == kNone) thread_[b] = b;  // an endless loop of nothing
      for (uint32_t x : path) {
        thread_[x] = thread_[b];
        on_path[x] = 0;
      }
    }
  }

  // Edges out of different blocks often need the same moves to the same target: one copy serves
  // all.
  void ShareEdgeCode(absl::Span<const uint32_t> first_move, absl::Span<const uint32_t> num_moves) {
    std::unordered_multimap<uint64_t, uint32_t> known;  // by hash of target and moves
    for (uint32_t b = 0; b < m_.blocks.size(); ++b) {
      const regalloc::Block& block = p_.blocks[b];
      if (m_.blocks[b].ir.valid() || block.end - block.begin != 1 || num_moves[b] == 0) continue;
      const uint32_t target = p_.edges[block.succs_begin].target;
      if (target == b + 1) continue;  // falls through
      uint64_t hash = target;
      auto mix = [&](uint64_t v) { hash = (hash ^ v) * 0x9e3779b97f4a7c15u; };
      auto moves = absl::MakeConstSpan(s_.moves);
      const auto mine = moves.subspan(first_move[b], num_moves[b]);
      for (const regalloc::Move& m : mine) {
        mix(m.from.reg.hw | m.from.slot << 4);
        mix(m.to.reg.hw | m.to.slot << 4);
      }
      auto [begin, end] = known.equal_range(hash);
      for (auto it = begin; it != end && thread_[b] == kNone; ++it) {
        const uint32_t other = it->second;
        const auto theirs = moves.subspan(first_move[other], num_moves[other]);
        if (p_.edges[p_.blocks[other].succs_begin].target == target &&
            m_.blocks[other].cold == m_.blocks[b].cold &&
            std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                       [&](const regalloc::Move& x, const regalloc::Move& y) {
                         return x.cls == y.cls && x.swap == y.swap && x.from == y.from &&
                                x.to == y.to;
                       })) {
          thread_[b] = other;
        }
      }
      if (thread_[b] == kNone) known.emplace(hash, b);
    }
  }

  Label LabelOf(uint32_t block) const { return labels_[thread_[block]]; }

  uint32_t NextEmitted(uint32_t b) const {
    for (++b; b < m_.blocks.size(); ++b) {
      if (thread_[b] == b) return b;
    }
    return kNone;
  }

  void JumpUnlessNext(uint32_t b, uint32_t target) {
    if (thread_[target] != NextEmitted(b)) buffer_.Jump(LabelOf(target));
  }

  void EmitBlock(uint32_t b) {
    const MBlock& info = m_.blocks[b];
    const regalloc::Block& block = p_.blocks[b];
    if (info.align && options_.align_loops) buffer_.Align(16);
    SetCfa(info.is_entry ? 8 : 8 + frame_);
    SetLine(info.guest_pc);
    block_start_ = true;
    live_slots_[0] = live_slots_[1] = live_slots_[2] = live_slots_[3] = 0;
    buffer_.Bind(labels_[b]);
    block_begin_ = buffer_.Here();
    for (uint32_t i = block.begin; i < block.end; ++i) {
      const MInst& m = m_.insts[i];
      SetLine(m.site.guest_pc);
      while (next_move_ < s_.moves.size() && s_.moves[next_move_].before <= i) {
        const regalloc::Move& move = s_.moves[next_move_++];
        if (move.before == i) EmitMove(move);  // else of a block whose code is shared
      }
      EmitInst(b, i, m);
    }
  }

  void EmitMove(const regalloc::Move& move) {
    const bool from_reg = move.from.kind == Location::Kind::kReg;
    const bool to_reg = move.to.kind == Location::Kind::kReg;
    if (move.cls == RegClass::kInt) {
      const Reg from = static_cast<Reg>(move.from.reg.hw), to = static_cast<Reg>(move.to.reg.hw);
      if (move.swap) {
        e_.Xchg(spill_width_, from, to);
      } else if (from_reg && to_reg) {
        if (from != to) e_.Mov(spill_width_, to, from);
      } else if (from_reg) {
        e_.Store(spill_width_, Slot(move.to), from);
      } else if (to_reg) {
        e_.Load(spill_width_, to, Slot(move.from));
      } else {
        e_.MovqToXmm(spill_width_, kVectorScratch, Slot(move.from));
        e_.MovqFromXmm(spill_width_, Slot(move.to), kVectorScratch);
      }
      return;
    }
    const Xmm from = static_cast<Xmm>(move.from.reg.hw), to = static_cast<Xmm>(move.to.reg.hw);
    if (from_reg && to_reg) {
      if (from != to) e_.MovdqaRR(to, from);
    } else if (from_reg) {
      e_.MovdquStore(Slot(move.to, RegClass::kVector), from);
    } else if (to_reg) {
      e_.MovdquLoad(to, Slot(move.from, RegClass::kVector));
    } else {
      e_.MovdquLoad(kVectorScratch, Slot(move.from, RegClass::kVector));
      e_.MovdquStore(Slot(move.to, RegClass::kVector), kVectorScratch);
    }
  }

  void Epilogue() {
    if (frame_ != 0) e_.AluRI(Alu::kAdd, Width::k64, Reg::rsp, static_cast<int32_t>(frame_));
    SetCfa(8);
  }

  // The instruction just emitted set the flags as `test r, r` would; the overflow and carry flags
  // only if `all`.
  void FlagsShow(Reg r, Width w, bool all) { flags_ = {buffer_.Here(), r, w, all}; }
  bool FlagsAlreadyShow(Reg r, Width w, Cond cond) const {
    const bool zero_or_sign =
        cond == Cond::kE || cond == Cond::kNe || cond == Cond::kS || cond == Cond::kNs;
    return flags_.at == buffer_.Here() && flags_.reg == r && flags_.width == w &&
           (flags_.all || zero_or_sign) && flags_.at != block_begin_;
  }

  // Sets the flags for m.cond. Operands start at 0; returns how many there were.
  uint32_t EmitTest(uint32_t i, const MInst& m) {
    const Width w = m.flags_width;
    switch (m.flags) {
      case FlagsFrom::kNone:
        return 0;
      case FlagsFrom::kCompare:
        if (IsReg(i, 1)) {
          e_.AluRR(Alu::kCmp, w, R(i, 0), R(i, 1));
        } else {
          e_.AluRM(Alu::kCmp, w, R(i, 0), M(i, 1));
        }
        return 2;
      case FlagsFrom::kTest:
        if (IsReg(i, 1)) {
          e_.TestRR(w, R(i, 0), R(i, 1));
        } else {
          e_.TestMR(w, M(i, 1), R(i, 0));
        }
        return 2;
      case FlagsFrom::kCompareImm:
        if (IsReg(i, 0)) {
          e_.AluRI(Alu::kCmp, w, R(i, 0), m.flags_imm);
        } else {
          e_.AluMI(Alu::kCmp, w, M(i, 0), m.flags_imm);
        }
        return 1;
      case FlagsFrom::kTestSelf:
        if (IsReg(i, 0)) {
          if (!FlagsAlreadyShow(R(i, 0), w, m.cond)) e_.TestRR(w, R(i, 0), R(i, 0));
        } else {
          e_.AluMI(Alu::kCmp, w, M(i, 0), 0);
        }
        return 1;
      case FlagsFrom::kTestImm: {
        // Only zero or not is asked: a small mask needs only the low byte, a positive one only 32
        // bits.
        const int32_t imm = m.flags_imm;
        const Width narrow = imm >= 0 && imm <= 0xff ? Width::k8 : imm >= 0 ? Width::k32 : w;
        const int32_t field = narrow == Width::k8 ? static_cast<int8_t>(imm) : imm;
        if (IsReg(i, 0)) {
          e_.TestRI(narrow, R(i, 0), field);
        } else {
          e_.TestMI(narrow, M(i, 0), field);
        }
        return 1;
      }
    }
    return 0;
  }

  // The guest memory operand of a load or store; sets `next` to the operand after the address.
  Mem GuestMem(uint32_t i, const MInst& m, uint32_t* next) const {
    if (m.absolute) {
      *next = 0;
      return Mem::At(kMemory, m.disp);
    }
    *next = 1;
    return Mem::At(kMemory, R(i, 0), 1, m.disp);
  }

  void EmitSetReg(Reg r, uint64_t value) {
    if (value == 0) {
      e_.AluRR(Alu::kXor, Width::k32, r, r);
    } else {
      e_.MovImm(r, value);
    }
  }

  void EmitInst(uint32_t b, uint32_t i, const MInst& m) {
    const Width w = m.width;
    const regalloc::Block& block = p_.blocks[b];
    switch (m.op) {
      case MOp::kEntry:
        EmitEntry(m);
        return;
      case MOp::kMove:
        if (R(i, 0) != R(i, 1)) e_.Mov(spill_width_, R(i, 1), R(i, 0));
        return;
      case MOp::kMovImm:
        EmitSetReg(R(i, 0), static_cast<uint64_t>(m.imm));
        return;
      case MOp::kAdd: {
        const Reg x = R(i, 0), y = R(i, 1), d = R(i, 2);
        if (d == x) {
          e_.AluRR(Alu::kAdd, w, d, y);
          FlagsShow(d, w, false);
        } else if (d == y) {
          e_.AluRR(Alu::kAdd, w, d, x);
          FlagsShow(d, w, false);
        } else if ((Number(x) & 7) == 5) {
          e_.Lea(w, d, Mem::At(y, x, 1, 0));  // rbp as a base would need a displacement
        } else {
          e_.Lea(w, d, Mem::At(x, y, 1, 0));
        }
        return;
      }
      case MOp::kAddImm: {
        const Reg x = R(i, 0), d = R(i, 1);
        const int32_t c = static_cast<int32_t>(m.imm);
        if (d != x) {
          e_.Lea(w, d, Mem::At(x, c));
          return;
        }
        if (c == 128) {
          e_.AluRI(Alu::kSub, w, d, -128);  // fits 8 bits
        } else {
          e_.AluRI(Alu::kAdd, w, d, c);
        }
        FlagsShow(d, w, false);
        return;
      }
      case MOp::kLea:
        e_.Lea(w, R(i, 2), Mem::At(R(i, 0), R(i, 1), m.scale, 0));
        return;
      case MOp::kAlu:
        if (IsReg(i, 1)) {
          e_.AluRR(m.alu, w, R(i, 2), R(i, 1));
        } else {
          e_.AluRM(m.alu, w, R(i, 2), M(i, 1));
        }
        FlagsShow(R(i, 2), w, m.alu != Alu::kSub);
        return;
      case MOp::kAluImm:
        e_.AluRI(m.alu, w, R(i, 1), static_cast<int32_t>(m.imm));
        FlagsShow(R(i, 1), w, m.alu != Alu::kSub);
        return;
      case MOp::kShiftImm:
        e_.ShiftImm(m.shift, w, R(i, 1), static_cast<uint8_t>(m.imm));
        return;
      case MOp::kScale:
        if (R(i, 0) == R(i, 1)) {
          e_.ShiftImm(Shift::kShl, w, R(i, 1), static_cast<uint8_t>(m.imm));
        } else {
          e_.Lea(w, R(i, 1), Mem::Scaled(R(i, 0), static_cast<uint8_t>(1 << m.imm), 0));
        }
        return;
      case MOp::kShiftCl:
        e_.ShiftCl(m.shift, w, R(i, 2));
        return;
      case MOp::kUnary:
        e_.UnaryR(m.unary, w, R(i, 1));
        return;
      case MOp::kImul:
        if (IsReg(i, 1)) {
          e_.Imul(w, R(i, 2), R(i, 1));
        } else {
          e_.Imul(w, R(i, 2), M(i, 1));
        }
        return;
      case MOp::kImulImm:
        if (IsReg(i, 0)) {
          e_.ImulImm(w, R(i, 1), R(i, 0), static_cast<int32_t>(m.imm));
        } else {
          e_.ImulImm(w, R(i, 1), M(i, 0), static_cast<int32_t>(m.imm));
        }
        return;
      case MOp::kZeroExtend:
        EmitZeroExtend(i, m);
        return;
      case MOp::kSignExtend:
        if (IsReg(i, 0)) {
          e_.Movsx(m.from, w, R(i, 1), R(i, 0));
        } else {
          e_.Movsx(m.from, w, R(i, 1), M(i, 0));
        }
        return;
      case MOp::kMulHi: {
        const Reg y = R(i, 1), d = R(i, 2);
        if (m.signs & 2) {
          const Reg t = R(i, 3);
          e_.Movsx(Width::k32, Width::k64, t, y);
          e_.Movsx(Width::k32, Width::k64, d, d);
          e_.Imul(Width::k64, d, t);
        } else {
          Reg factor = y;
          if ((m.signs & 1) && y == d) {  // x * x, one of them signed
            factor = R(i, 3);
            e_.Mov(Width::k32, factor, y);
          }
          if (m.signs & 1) e_.Movsx(Width::k32, Width::k64, d, d);
          e_.Imul(Width::k64, d, factor);
        }
        e_.ShiftImm(Shift::kShr, Width::k64, d, 32);
        return;
      }
      case MOp::kMulHiImm: {
        const Reg x = R(i, 0), d = R(i, 1);
        if (!FitsInt32(m.imm)) {
          e_.MovImm(d, static_cast<uint64_t>(m.imm));
          e_.Imul(Width::k64, d, x);
        } else if (m.signs & 1) {
          e_.Movsx(Width::k32, Width::k64, d, x);
          e_.ImulImm(Width::k64, d, d, static_cast<int32_t>(m.imm));
        } else {
          e_.ImulImm(Width::k64, d, x, static_cast<int32_t>(m.imm));
        }
        e_.ShiftImm(Shift::kShr, Width::k64, d, m.aux);
        return;
      }
      case MOp::kMulWide:
        if (IsReg(i, 1)) {
          e_.UnaryR(m.unary, w, R(i, 1));
        } else {
          e_.UnaryM(m.unary, w, M(i, 1));
        }
        return;
      case MOp::kDivide:
        EmitDivide(i, m);
        return;
      case MOp::kSetCond: {
        const uint32_t d = p_.insts[i].operands_count - 1u;
        e_.AluRR(Alu::kXor, Width::k32, R(i, d), R(i, d));
        EmitTest(i, m);
        e_.Setcc(m.cond, R(i, d));
        return;
      }
      case MOp::kSelect: {
        const uint32_t n = EmitTest(i, m);
        if (IsReg(i, n)) {
          e_.Cmov(m.cond, w, R(i, n + 2), R(i, n));
        } else {
          e_.Cmov(m.cond, w, R(i, n + 2), M(i, n));
        }
        return;
      }
      case MOp::kLoad:
        EmitLoad(i, m);
        return;
      case MOp::kStore:
      case MOp::kStoreImm:
        EmitStore(i, m);
        return;
      case MOp::kLoadState:
        e_.Load(Width::k32, R(i, 0), Mem::At(kContext, m.disp));
        return;
      case MOp::kStoreState:
        e_.Store(Width::k32, Mem::At(kContext, m.disp), R(i, 0));
        return;
      case MOp::kStoreStateImm:
        e_.StoreImm(Width::k32, Mem::At(kContext, m.disp), static_cast<int32_t>(m.imm));
        return;
      case MOp::kCharge:
        e_.AluRI(Alu::kSub, Width::k64, kFuel, static_cast<int32_t>(m.imm));
        return;
      case MOp::kMeter:
      case MOp::kMeterCheck: {
        e_.AluRI(m.op == MOp::kMeter ? Alu::kSub : Alu::kCmp, Width::k64, kFuel,
                 static_cast<int32_t>(m.imm));
        const auto [begin, count] = CaptureState(i);
        Stub stub{.kind = Stub::Kind::kSuspend,
                  .label = buffer_.NewLabel(),
                  .back = {},
                  .inst = &m,
                  .state_begin = begin,
                  .state_count = count};
        buffer_.Jump(Cond::kL, stub.label);
        stubs_.push_back(stub);
        return;
      }
      case MOp::kTrapIf: {
        EmitTest(i, m);
        const auto [begin, count] = CaptureState(i);
        Stub stub{.kind = Stub::Kind::kTrap,
                  .label = buffer_.NewLabel(),
                  .back = {},
                  .inst = &m,
                  .state_begin = begin,
                  .state_count = count};
        buffer_.Jump(m.cond, stub.label);
        stubs_.push_back(stub);
        return;
      }
      case MOp::kCall:
        e_.CallRel32();
        Relocate(CodeRelocation::Target::kFunction, static_cast<uint32_t>(m.imm));
        AddSite(Site::Kind::kCall, m);
        return;
      case MOp::kCallDispatch:
        EmitDispatch();
        e_.CallReg(Reg::r12);
        AddSite(Site::Kind::kCall, m);
        return;
      case MOp::kCallRuntime:
        e_.CallRel32();
        Relocate(CodeRelocation::Target::kPltRuntime, m.aux);
        AddSite(Site::Kind::kCall, m);
        return;
      case MOp::kJump:
        JumpUnlessNext(b, p_.edges[block.succs_begin].target);
        return;
      case MOp::kBranch: {
        const uint32_t yes = p_.edges[block.succs_begin].target;
        const uint32_t no = p_.edges[block.succs_begin + 1].target;
        if (thread_[yes] == thread_[no]) return JumpUnlessNext(b, yes);
        EmitTest(i, m);
        if (thread_[yes] == NextEmitted(b)) {
          buffer_.Jump(Invert(m.cond), LabelOf(no));
        } else {
          buffer_.Jump(m.cond, LabelOf(yes));
          JumpUnlessNext(b, no);
        }
        return;
      }
      case MOp::kBranchTable:
        EmitBranchTable(i, m, block);
        return;
      case MOp::kReturn:
        Epilogue();
        e_.Ret();
        return;
      case MOp::kTailCall:
        Epilogue();
        e_.JmpRel32();
        Relocate(CodeRelocation::Target::kFunction, static_cast<uint32_t>(m.imm));
        return;
      case MOp::kTailDispatch:
        EmitDispatch();
        Epilogue();
        e_.JmpReg(Reg::r12);
        return;
      case MOp::kTrap: {
        const auto [begin, count] = CaptureState(i);
        SeparateFromCall();
        AddSite(Site::Kind::kTrap, m, m.aux, begin, count);
        e_.Ud2();
        return;
      }
    }
  }

  void EmitEntry(const MInst& m) {
    entry_positions_.push_back({m.site.guest_pc, buffer_.Here()});
    if (frame_ == 0) return;
    const Mem limit = Mem::At(kContext, offsetof(abi::VmContext, native_stack_limit));
    if (frame_ > kFarFrame) {
      e_.Lea(Width::k64, Reg::r11, Mem::At(Reg::rsp, -static_cast<int32_t>(frame_)));
      e_.AluRM(Alu::kCmp, Width::k64, Reg::r11, limit);
    } else {
      e_.AluRM(Alu::kCmp, Width::k64, Reg::rsp, limit);
    }
    Stub stub{.kind = Stub::Kind::kStack, .label = buffer_.NewLabel(), .back = {}, .inst = &m};
    buffer_.Jump(Cond::kB, stub.label);
    stubs_.push_back(stub);
    e_.AluRI(Alu::kSub, Width::k64, Reg::rsp, static_cast<int32_t>(frame_));
    SetCfa(8 + frame_);
  }

  void EmitZeroExtend(uint32_t i, const MInst& m) {
    const Reg d = R(i, 1);
    const bool reg = IsReg(i, 0);
    if (m.from == Width::k32) {
      if (reg) {
        e_.Mov(Width::k32, d, R(i, 0));
      } else {
        e_.Load(Width::k32, d, M(i, 0));
      }
    } else if (reg) {
      e_.Movzx(m.from, d, R(i, 0));
    } else {
      e_.Movzx(m.from, d, M(i, 0));
    }
  }

  // Total division: the machine's would trap on a divisor of 0 and on MIN / -1.
  void EmitDivide(uint32_t i, const MInst& m) {
    Stub stub{.kind = Stub::Kind::kDivide,
              .label = buffer_.NewLabel(),
              .back = buffer_.NewLabel(),
              .inst = &m,
              .divisor = R(i, 1)};
    if (m.unary == Unary::kIdiv) {
      // divisor + 1 <= 1, unsigned: it is -1 or 0. rdx is free until the dividend is extended into
      // it.
      e_.Lea(m.width, Reg::rdx, Mem::At(stub.divisor, 1));
      e_.AluRI(Alu::kCmp, m.width, Reg::rdx, 1);
      buffer_.Jump(Cond::kBe, stub.label);
      e_.SignExtendRax(m.width);
    } else {
      e_.TestRR(m.width, stub.divisor, stub.divisor);
      buffer_.Jump(Cond::kE, stub.label);
      e_.AluRR(Alu::kXor, Width::k32, Reg::rdx, Reg::rdx);
    }
    e_.UnaryR(m.unary, m.width, stub.divisor);
    buffer_.Bind(stub.back);
    stubs_.push_back(stub);
  }

  void EmitLoad(uint32_t i, const MInst& m) {
    uint32_t k;
    const Mem mem = GuestMem(i, m, &k);
    const auto [begin, count] = CaptureState(i);
    SeparateFromCall();
    AddSite(Site::Kind::kMemory, m, 0, begin, count);
    const Reg d = R(i, k);
    switch (m.mem) {
      case ir::MemKind::kU8:
        return e_.Movzx(Width::k8, d, mem);
      case ir::MemKind::kU16:
        return e_.Movzx(Width::k16, d, mem);
      case ir::MemKind::kS8:
        return e_.Movsx(Width::k8, m.width, d, mem);
      case ir::MemKind::kS16:
        return e_.Movsx(Width::k16, m.width, d, mem);
      case ir::MemKind::kU32:
        return e_.Load(Width::k32, d, mem);
      case ir::MemKind::kS32:
        if (m.width == Width::k64) return e_.Movsx(Width::k32, Width::k64, d, mem);
        return e_.Load(Width::k32, d, mem);
      case ir::MemKind::k64:
        return e_.Load(Width::k64, d, mem);
      case ir::MemKind::k128:
        CHECK(false) << "rejected by the selector";
    }
  }

  void EmitStore(uint32_t i, const MInst& m) {
    uint32_t k;
    const Mem mem = GuestMem(i, m, &k);
    const auto [begin, count] = CaptureState(i);
    SeparateFromCall();
    AddSite(Site::Kind::kMemory, m, 0, begin, count);
    Width w = Width::k32;
    switch (m.mem) {
      case ir::MemKind::kU8:
      case ir::MemKind::kS8:
        w = Width::k8;
        break;
      case ir::MemKind::kU16:
      case ir::MemKind::kS16:
        w = Width::k16;
        break;
      case ir::MemKind::kU32:
      case ir::MemKind::kS32:
        break;
      case ir::MemKind::k64:
        w = Width::k64;
        break;
      case ir::MemKind::k128:
        CHECK(false) << "rejected by the selector";
    }
    if (m.op == MOp::kStoreImm) {
      e_.StoreImm(w, mem, static_cast<int32_t>(m.imm));
    } else {
      e_.Store(w, mem, R(i, k));
    }
  }

  // r12 := the native entry of the guest pc in eax, or away to the runtime.
  void EmitDispatch() {
    if (!has_miss_) {
      has_miss_ = true;
      miss_ = buffer_.NewLabel();
    }
    e_.Lea(Width::k32, Reg::r12,
           Mem::At(Reg::rax, static_cast<int32_t>(0u - options_.dispatch_base)));
    e_.ShiftImm(Shift::kRor, Width::k32, Reg::r12, 2);  // a misaligned pc becomes huge
    e_.AluRI(Alu::kCmp, Width::k32, Reg::r12, static_cast<int32_t>(options_.dispatch_count));
    buffer_.Jump(Cond::kAe, miss_);
    e_.Lea(Width::k64, Reg::r11, Mem::Rip());
    Relocate(CodeRelocation::Target::kDispatchTable, 0);
    e_.Movsx(Width::k32, Width::k64, Reg::r12, Mem::At(Reg::r11, Reg::r12, 4, 0));
    e_.TestRR(Width::k32, Reg::r12, Reg::r12);
    buffer_.Jump(Cond::kE, miss_);
    e_.AluRR(Alu::kAdd, Width::k64, Reg::r12, Reg::r11);
  }

  void EmitBranchTable(uint32_t i, const MInst& m, const regalloc::Block& block) {
    const Reg index = R(i, 0), table = R(i, 1), target = R(i, 2);
    const uint32_t cases = static_cast<uint32_t>(m.imm);
    auto edge_target = [&](uint32_t c) {
      const uint32_t edge = m_.tables[static_cast<uint32_t>(m.disp) + c];
      return p_.edges[block.succs_begin + edge].target;
    };
    e_.AluRI(Alu::kCmp, Width::k32, index, static_cast<int32_t>(cases));
    buffer_.Jump(Cond::kAe, LabelOf(edge_target(cases)));
    e_.Lea(Width::k64, table, Mem::Rip());
    const uint32_t base = table_size_;
    Relocate(CodeRelocation::Target::kConstants, base);
    e_.Movsx(Width::k32, Width::k64, target, Mem::At(table, index, 4, 0));
    e_.AluRR(Alu::kAdd, Width::k64, target, table);
    e_.JmpReg(target);
    for (uint32_t c = 0; c < cases; ++c) {
      table_entries_.push_back({LabelOf(edge_target(c)), base});
    }
    table_size_ += 4 * cases;
  }

  // -- cold code

  void EmitStub(const Stub& stub) {
    const MInst& m = *stub.inst;
    SetCfa(stub.kind == Stub::Kind::kStack ? 8 : 8 + frame_);
    SetLine(m.site.guest_pc);
    switch (stub.kind) {
      case Stub::Kind::kSuspend:
        buffer_.Bind(stub.label);
        e_.CallMem(Mem::Rip());
        Relocate(CodeRelocation::Target::kGotRuntime,
                 static_cast<uint32_t>(abi::Callback::kSuspend));
        AddSite(Site::Kind::kSuspend, m, 0, stub.state_begin, stub.state_count);
        return;
      case Stub::Kind::kStack:
        buffer_.Bind(stub.label);
        e_.CallMem(Mem::Rip());
        Relocate(CodeRelocation::Target::kGotRuntime,
                 static_cast<uint32_t>(abi::Callback::kStackExhausted));
        AddSite(Site::Kind::kStack, m);
        return;
      case Stub::Kind::kTrap:
        SeparateFromCall();
        buffer_.Bind(stub.label);
        AddSite(Site::Kind::kTrap, m, m.aux, stub.state_begin, stub.state_count);
        e_.Ud2();
        return;
      case Stub::Kind::kDivide: {
        const bool remainder = m.aux != 0;
        buffer_.Bind(stub.label);
        if (m.unary == Unary::kIdiv) {
          const Label zero = buffer_.NewLabel();
          e_.TestRR(m.width, stub.divisor, stub.divisor);
          buffer_.Jump(Cond::kE, zero);
          if (remainder) {  // x % -1 = 0
            e_.AluRR(Alu::kXor, Width::k32, Reg::rdx, Reg::rdx);
          } else {  // x / -1 = -x
            e_.UnaryR(Unary::kNeg, m.width, Reg::rax);
          }
          buffer_.Jump(stub.back);
          buffer_.Bind(zero);
        }
        if (remainder) {  // x % 0 = x
          e_.Mov(m.width, Reg::rdx, Reg::rax);
        } else {  // x / 0 = all ones
          e_.MovImm(Reg::rax, m.width == Width::k64 ? ~uint64_t{0} : 0xffffffffu);
        }
        buffer_.Jump(stub.back);
        return;
      }
    }
  }

  // -- the result

  codegen::CompiledFunction Finish() {
    codegen::CompiledFunction out;
    out.code = buffer_.Finish();
    for (const PendingRelocation& r : relocations_) {
      out.relocations.push_back({buffer_.Offset(r.at), r.target, r.index, -4});
    }
    out.constants.resize(table_size_);
    for (uint32_t k = 0; k < table_entries_.size(); ++k) {
      out.constant_relocations.push_back(
          {4 * k, buffer_.Offset(table_entries_[k].first), table_entries_[k].second});
    }
    // Entries were met in layout order; they are wanted in the function's order.
    out.entries.resize(m_.entry_blocks.size());
    std::vector<std::pair<uint32_t, uint32_t>> order;  // block, number
    for (uint32_t k = 0; k < m_.entry_blocks.size(); ++k) order.push_back({m_.entry_blocks[k], k});
    std::sort(order.begin(), order.end());
    CHECK_EQ(order.size(), entry_positions_.size());
    for (size_t k = 0; k < order.size(); ++k) {
      out.entries[order[k].second] = {entry_positions_[k].first,
                                      buffer_.Offset(entry_positions_[k].second)};
    }
    for (const auto& [at, cfa] : frame_rules_) out.frame_rules.push_back({buffer_.Offset(at), cfa});
    for (const auto& [at, pc] : lines_) out.lines.push_back({buffer_.Offset(at), pc});
    FinishSites(out.sites);
    return out;
  }

  // Every site's whole state map is known; writes it as the shorter of the map and the changes
  // since the site before.
  void FinishSites(std::vector<Site>& out) {
    out.reserve(sites_.size());
    absl::Span<const StateLocation> previous;
    std::vector<StateLocation> delta;
    for (const PendingSite& p : sites_) {
      const auto state = absl::MakeConstSpan(state_pool_).subspan(p.state_begin, p.state_count);
      Site site{.code_offset = buffer_.Offset(p.at),
                .kind = p.kind,
                .trap_code = p.trap_code,
                .guest_pc = p.ir.guest_pc,
                .refund = p.ir.refund,
                .reset = p.block_start || out.empty(),
                .state = {}};
      if (!site.reset) {
        delta.clear();
        size_t a = 0, b = 0;
        while (a < previous.size() || b < state.size()) {
          if (b == state.size() || (a < previous.size() && previous[a].slot < state[b].slot)) {
            delta.push_back({previous[a++].slot, StateLocation::Kind::kContext, 0});
          } else if (a == previous.size() || state[b].slot < previous[a].slot) {
            delta.push_back(state[b++]);
          } else {
            if (!SameState(previous[a], state[b])) delta.push_back(state[b]);
            ++a;
            ++b;
          }
        }
        if (delta.size() > state.size() || state.empty()) {
          site.reset = true;
        } else {
          site.state.assign(delta.begin(), delta.end());
        }
      }
      if (site.reset) site.state.assign(state.begin(), state.end());
      previous = state;
      out.push_back(std::move(site));
    }
  }

  const MFunction& m_;
  const regalloc::Problem& p_;
  const regalloc::Solution& s_;
  const codegen::CompileOptions& options_;
  CodeBuffer buffer_;
  Encoder& e_;
  uint32_t frame_ = 0;  // bytes; 0 or 8 modulo 16
  Width spill_width_ = Width::k32;

  std::vector<uint32_t> thread_;  // by block
  std::vector<Label> labels_;     // by block
  std::vector<Stub> stubs_;
  bool has_miss_ = false;
  Label miss_;
  size_t next_move_ = 0;

  size_t next_tracked_ = 0, next_constant_ = 0;
  StateLocation state_[256];
  uint32_t state_until_[256];
  uint64_t live_slots_[4] = {};
  struct {
    CodePosition at;
    Reg reg = Reg::rax;
    Width width = Width::k8;
    bool all = false;
  } flags_;  // see FlagsShow
  CodePosition block_begin_;
  bool block_start_ = true;

  std::vector<StateLocation> state_pool_;
  std::vector<PendingSite> sites_;
  std::vector<PendingRelocation> relocations_;
  std::vector<std::pair<CodePosition, uint32_t>> frame_rules_;
  std::vector<std::pair<CodePosition, uint32_t>> lines_;
  std::vector<std::pair<uint32_t, CodePosition>> entry_positions_;
  std::vector<std::pair<Label, uint32_t>> table_entries_;  // target, start of its table
  uint32_t table_size_ = 0;
  uint32_t last_line_ = 0;
};

}  // namespace

codegen::CompiledFunction Emit(const std::string& name, const MFunction& function,
                               const regalloc::Solution& solution,
                               const codegen::CompileOptions& options) {
  codegen::CompiledFunction out = Emitter(function, solution, options).Run();
  out.name = name;
  return out;
}

}  // namespace precast::x64
