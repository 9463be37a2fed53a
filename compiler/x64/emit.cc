// Emission from end to end: which blocks need code, the order of blocks, moves and stubs. See
// emitter.h.
#include "compiler/x64/emit.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/x64/code_buffer.h"
#include "compiler/x64/emitter.h"

namespace precast::x64::emission {
namespace {

// A short jump reaches 127 bytes; the bytes that other jumps take in between are not known yet.
constexpr uint32_t kReach = 105;

}  // namespace

codegen::CompiledFunction Emitter::Run() {
  ThreadJumps();
  FindDispatch();
  CountLookups();
  labels_.reserve(m_.blocks.size());
  for (size_t b = 0; b < m_.blocks.size(); ++b) labels_.push_back(buffer_.NewLabel());
  for (uint32_t b : m_.order) {
    if (thread_[b] != b) continue;
    if (m_.blocks[b].cold && !falls_through_) EmitElsewhere();
    EmitBlock(b);
    if (!falls_through_) {
      EmitTrapStubs();
      EmitElsewhereIfShort();
    }
  }
  EmitElsewhere();
  EmitSharedLookup(calls_, 16 + frame_);
  EmitSharedLookup(jumps_, 8);
  for (size_t i = 0; i < stubs_.size(); ++i) {
    if (!stubs_[i].done) EmitStub(Stub(stubs_[i]));  // which may ask for more
  }
  if (has_miss_) {
    SetCfa(8 + frame_);
    buffer_.Bind(miss_);
    e_.JmpMem(Mem::Rip());
    Relocate(CodeRelocation::Target::kGotRuntime,
             static_cast<uint32_t>(abi::Callback::kDispatchMiss));
  }
  // A return address is inside its function.
  if (!sites_.empty() && sites_.back().at == buffer_.Here()) e_.Hlt();
  return Finish();
}

void Emitter::LayOutFrame() {
  std::vector<uint32_t> uses(s_.num_int_slots, 0);
  auto count = [&](const Location& l) {
    if (l.kind == Location::Kind::kSlot) ++uses[l.slot];
  };
  for (size_t k = 0; k < s_.operands.size(); ++k) {
    if (p_.vreg_class[p_.operands[k].vreg] == RegClass::kInt) count(s_.operands[k]);
  }
  for (const regalloc::Move& move : s_.moves) {
    if (move.cls != RegClass::kInt) continue;
    count(move.from);
    count(move.to);
  }
  std::vector<uint32_t> order(s_.num_int_slots);
  for (uint32_t slot = 0; slot < order.size(); ++slot) order[slot] = slot;
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return uses[a] > uses[b]; });
  int_slot_.resize(order.size());
  uint32_t gap = kNone;  // 4 bytes before a wide slot
  for (uint32_t slot : order) {
    if (s_.int_slot_wide[slot]) {
      if (frame_ % 8 != 0) {
        gap = frame_;
        frame_ += 4;
      }
      int_slot_[slot] = frame_;
      frame_ += 8;
    } else if (gap != kNone) {
      int_slot_[slot] = std::exchange(gap, kNone);
    } else {
      int_slot_[slot] = frame_;
      frame_ += 4;
    }
  }
  frame_ = (frame_ + 7) / 8 * 8;
  if (s_.num_vector_slots != 0) {
    vector_slots_ = (frame_ + 15) / 16 * 16;
    frame_ = vector_slots_ + 16 * s_.num_vector_slots;
  }
  // With the return address, a multiple of 16: the stack pointer is aligned at calls.
  if (m_.aligns_stack && (frame_ != 0 || m_.has_calls) && frame_ % 16 == 0) frame_ += 8;
}

void Emitter::Epilogue(bool scratch) {
  if (frame_ == 8 && scratch) {
    e_.Pop(Reg::r11);
  } else if (frame_ != 0) {
    e_.AluRI(Alu::kAdd, Width::k64, Reg::rsp, static_cast<int32_t>(frame_));
  }
  SetCfa(8);
}

void Emitter::ThreadJumps() {
  const uint32_t n = static_cast<uint32_t>(m_.blocks.size());
  position_.resize(n);
  for (uint32_t k = 0; k < n; ++k) position_[m_.order[k]] = k;
  first_move_.assign(n, 0);
  num_moves_.assign(n, 0);
  {
    uint32_t b = 0;
    for (uint32_t k = 0; k < s_.moves.size(); ++k) {
      while (p_.blocks[b].end <= s_.moves[k].before) ++b;
      if (num_moves_[b]++ == 0) first_move_[b] = k;
    }
  }
  thread_.assign(n, kNone);
  ShareEdgeCode();
  std::vector<uint32_t> path;
  std::vector<uint8_t> on_path(n, 0);
  for (uint32_t start = 0; start < n; ++start) {
    path.clear();
    uint32_t b = start;
    while (thread_[b] == kNone && !on_path[b]) {
      const regalloc::Block& block = p_.blocks[b];
      const bool only_jump = block.end - block.begin == 1 && num_moves_[b] == 0 &&
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

void Emitter::ShareEdgeCode() {
  std::unordered_multimap<uint64_t, uint32_t> known;  // by hash of target and moves
  for (uint32_t b : m_.order) {
    const regalloc::Block& block = p_.blocks[b];
    if (block.end - block.begin != 1) continue;
    // Blocks that do nothing but return, too: where calls have returned to somewhere else.
    const bool returns = m_.insts[block.begin].op == MOp::kReturn;
    if (returns ? m_.blocks[b].is_entry || !m_.blocks[b].cold
                : m_.blocks[b].ir.valid() || num_moves_[b] == 0) {
      continue;
    }
    const uint32_t target = returns ? kNone : p_.edges[block.succs_begin].target;
    if (!returns && position_[target] == position_[b] + 1) continue;  // falls through
    uint64_t hash = target;
    auto mix = [&](uint64_t v) { hash = (hash ^ v) * 0x9e3779b97f4a7c15u; };
    auto moves = absl::MakeConstSpan(s_.moves);
    const auto mine = moves.subspan(first_move_[b], num_moves_[b]);
    for (const regalloc::Move& m : mine) {
      mix(m.from.reg.hw | m.from.slot << 4);
      mix(m.to.reg.hw | m.to.slot << 4);
    }
    auto [begin, end] = known.equal_range(hash);
    for (auto it = begin; it != end && thread_[b] == kNone; ++it) {
      const uint32_t other = it->second;
      const auto theirs = moves.subspan(first_move_[other], num_moves_[other]);
      const bool other_returns = m_.insts[p_.blocks[other].begin].op == MOp::kReturn;
      if (returns == other_returns &&
          (returns || p_.edges[p_.blocks[other].succs_begin].target == target) &&
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

uint32_t Emitter::NextEmitted(uint32_t b) const {
  for (uint32_t k = position_[b] + 1; k < m_.order.size(); ++k) {
    if (thread_[m_.order[k]] == m_.order[k]) return m_.order[k];
  }
  return kNone;
}

void Emitter::EmitBlock(uint32_t b) {
  const MBlock& info = m_.blocks[b];
  // The code of an edge back, right before the head, is what is aligned in its stead.
  const uint32_t before = position_[b] == 0 ? b : m_.order[position_[b] - 1];
  const bool is_behind =
      m_.blocks[before].align && !m_.blocks[before].ir.valid() && thread_[before] == before;
  if (info.align && options_.align_loops && !is_behind) {
    if (options_.opt_level >= 2) {
      buffer_.AlignLoop(labels_[b]);
    } else {
      buffer_.Align(16);
    }
  }
  SetCfa(info.is_entry ? 8 : 8 + frame_);
  buffer_.Bind(labels_[b]);
  block_begin_ = buffer_.Here();
  EmitBody(b, NextEmitted(b));
}

void Emitter::EmitBody(uint32_t b, uint32_t next, uint32_t from) {
  const regalloc::Block& block = p_.blocks[b];
  SetLine(m_.blocks[b].guest_pc);
  next_ = next;
  falls_through_ = true;
  skip_until_ = from;
  block_start_ = true;
  StartState(block.begin);
  uint32_t move = first_move_[b];
  const uint32_t last_move = move + num_moves_[b];
  while (move < last_move && s_.moves[move].before < from) ++move;
  for (uint32_t i = block.begin; i < block.end; ++i) {
    const MInst& m = m_.insts[i];
    if (i < skip_until_) continue;
    SetLine(m.site.guest_pc);
    for (; move < last_move && s_.moves[move].before == i; ++move) EmitMove(s_.moves[move]);
    EmitInst(b, i, m);
  }
}

void Emitter::EmitMove(const regalloc::Move& move) {
  const bool from_reg = move.from.kind == Location::Kind::kReg;
  const bool to_reg = move.to.kind == Location::Kind::kReg;
  if (move.cls == RegClass::kInt) {
    const Reg from = static_cast<Reg>(move.from.reg.hw), to = static_cast<Reg>(move.to.reg.hw);
    const Width width = move.half ? Width::k32 : Width::k64;
    if (move.swap) {
      e_.Xchg(width, from, to);
    } else if (from_reg && to_reg) {
      if (from != to) e_.Mov(width, to, from);
    } else if (from_reg) {
      e_.Store(SlotWidth(move.to), Slot(move.to), from);
    } else if (to_reg) {
      e_.Load(SlotWidth(move.from), to, Slot(move.from));
    } else {
      e_.MovqToXmm(SlotWidth(move.from), kVectorScratch, Slot(move.from));
      e_.MovqFromXmm(SlotWidth(move.to), Slot(move.to), kVectorScratch);
    }
    return;
  }
  const Xmm from = static_cast<Xmm>(move.from.reg.hw), to = static_cast<Xmm>(move.to.reg.hw);
  if (from_reg && to_reg) {
    if (from != to) e_.MovapsRR(to, from);
  } else if (from_reg) {
    e_.MovupsStore(Slot(move.to, RegClass::kVector), from);
  } else if (to_reg) {
    e_.MovupsLoad(to, Slot(move.from, RegClass::kVector));
  } else {
    e_.MovupsLoad(kVectorScratch, Slot(move.from, RegClass::kVector));
    e_.MovupsStore(Slot(move.to, RegClass::kVector), kVectorScratch);
  }
}

void Emitter::EmitTrapStubs() {
  const uint32_t here = buffer_.Here().raw;
  while (first_stub_ < stubs_.size() && stubs_[first_stub_].at + kReach < here) ++first_stub_;
  for (size_t i = first_stub_; i < stubs_.size(); ++i) {
    Stub& stub = stubs_[i];
    const bool is_trap = stub.kind == Stub::Kind::kTrap || stub.kind == Stub::Kind::kSuspend;
    if (!is_trap || stub.done) continue;
    EmitStub(stub);
    stub.done = true;
  }
}

void Emitter::EmitStub(const Stub& stub) {
  const MInst& m = *stub.inst;
  SetCfa(8 + frame_);
  SetLine(m.site.guest_pc);
  switch (stub.kind) {
    case Stub::Kind::kSuspend:
      SeparateFromCall();
      buffer_.Bind(stub.label);
      AddSite(Site::Kind::kSuspend, m, 0, stub.state_begin, stub.state_count);
      e_.Hlt();
      return;
    case Stub::Kind::kTrap:
      SeparateFromCall();
      buffer_.Bind(stub.label);
      AddSite(Site::Kind::kTrap, m, m.aux, stub.state_begin, stub.state_count);
      e_.Hlt();
      return;
    case Stub::Kind::kDivide:
      return EmitDivideStub(stub);
    case Stub::Kind::kFloatMinMax:
      return EmitFloatMinMaxStub(stub);
    case Stub::Kind::kFloatToInt:
      return EmitFloatToIntStub(stub);
    case Stub::Kind::kIntToFloat:
      return EmitIntToFloatStub(stub);
    case Stub::Kind::kMarkPage:
      return EmitMarkPageStub(stub);
    case Stub::Kind::kUnpaid:
      return EmitUnpaidStub(stub);
  }
}

void Emitter::EmitReturn() {
  if (from_.empty()) elsewhere_ = buffer_.NewLabel();
  from_.clear();
  buffer_.Bind(elsewhere_);
  return_ = elsewhere_;
  return_at_ = buffer_.Here().raw;
  Epilogue(/*scratch=*/true);
  e_.Ret();
}

Label Emitter::Elsewhere() {
  const uint32_t here = buffer_.Here().raw;
  if (return_at_ != kNone && here - return_at_ <= kReach) return return_;
  if (from_.empty()) elsewhere_ = buffer_.NewLabel();
  from_.push_back(here);
  return elsewhere_;
}

void Emitter::EmitElsewhere() {
  if (from_.empty()) return;
  SetCfa(8 + frame_);
  EmitReturn();
}

void Emitter::EmitElsewhereIfShort() {
  // A short jump saves four bytes. While all that are near can still wait, a return of the guest's
  // may come.
  constexpr uint32_t kWait = 64;
  const uint32_t here = buffer_.Here().raw;
  const auto near = std::partition_point(from_.begin(), from_.end(),
                                         [&](uint32_t at) { return at + kReach < here; });
  if (near == from_.end() || *near + kWait > here) return;
  const size_t size = frame_ == 0 ? 1 : frame_ == 8 ? 3 : frame_ <= 127 ? 5 : 8;
  if (4 * static_cast<size_t>(from_.end() - near) > size) EmitElsewhere();
}

bool Emitter::MeterFollows(uint32_t b, uint32_t i, int64_t amount) const {
  if (i + 1 >= p_.blocks[b].end) return false;
  // Not where guest state is known at one of them.
  const auto begins = [&](const auto& ranges, size_t next) {
    return next < ranges.size() && ranges[next].from <= i + 1;
  };
  if (std::any_of(std::begin(live_slots_), std::end(live_slots_),
                  [](uint64_t w) { return w != 0; }) ||
      begins(s_.tracked, next_tracked_) || begins(m_.constant_state, next_constant_)) {
    return false;
  }
  const MInst& next = m_.insts[i + 1];
  if (next.op != MOp::kMeter || amount + next.imm > INT32_MAX / 2) return false;
  for (uint32_t k = first_move_[b]; k < first_move_[b] + num_moves_[b]; ++k) {
    if (s_.moves[k].before == i + 1) return false;
  }
  return true;
}

void Emitter::EmitDivideStub(const Stub& stub) {
  const MInst& m = *stub.inst;
  const bool both = (m.aux & kDivideBoth) != 0;
  const bool remainder = both || (m.aux & kDivideRemainder) != 0;
  const bool quotient = both || !remainder;
  const Reg divisor = R(stub.index, 1);
  buffer_.Bind(stub.label);
  if (m.unary == Unary::kIdiv) {
    const Label zero = buffer_.NewLabel();
    const bool guarded = (m.aux & kDivideGuarded) != 0;  // the divisor is -1
    if (!guarded) {
      e_.TestRR(m.width, divisor, divisor);
      buffer_.Jump(Cond::kE, zero);
    }
    // x % -1 = 0, x / -1 = -x
    if (remainder) e_.AluRR(Alu::kXor, Width::k32, Reg::rdx, Reg::rdx);
    if (quotient) e_.UnaryR(Unary::kNeg, m.width, Reg::rax);
    buffer_.Jump(stub.back);
    if (guarded) return;
    buffer_.Bind(zero);
  }
  // x % 0 = x, x / 0 = all ones
  if (remainder) e_.Mov(m.width, Reg::rdx, Reg::rax);
  if (quotient) e_.MovImm(Reg::rax, m.width == Width::k64 ? ~uint64_t{0} : 0xffffffffu);
  buffer_.Jump(stub.back);
}

}  // namespace precast::x64::emission

namespace precast::x64 {

codegen::CompiledFunction Emit(const std::string& name, const MFunction& function,
                               const regalloc::Solution& solution,
                               const codegen::CompileOptions& options) {
  codegen::CompiledFunction out = emission::Emitter(function, solution, options).Run();
  out.name = name;
  return out;
}

}  // namespace precast::x64
