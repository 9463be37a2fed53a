// Two kinds of dispatch. That of an interpreter loop in the guest, of which copies are made: see
// Emitter::FindDispatch. After register allocation a copy is the same instructions once more, since
// where all values are depends on the block alone. And that of guest addresses through the image's
// table, of which a function has one copy for all places outside of loops.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "compiler/x64/emitter.h"

namespace precast::x64::emission {
namespace {

// A table with fewer cases is hardly an interpreter's.
constexpr int64_t kMinCases = 4;
// Loops whose dispatch is long gain little by a copy, and code grows; in instructions and moves.
constexpr uint32_t kMaxChain = 40, kMaxCopied = 4000;

// Whether the instruction neither stops nor asks what has been charged: some of those that may
// stand at the end of a block.
bool IsComputation(MOp op) {
  switch (op) {
    case MOp::kMove:
    case MOp::kMovImm:
    case MOp::kAdd:
    case MOp::kAddImm:
    case MOp::kLea:
    case MOp::kScale:
    case MOp::kAlu:
    case MOp::kAluImm:
    case MOp::kShiftImm:
    case MOp::kZeroExtend:
    case MOp::kSignExtend:
      return true;
    default:
      return false;
  }
}

// Whether what has been charged matters to nobody while the instruction is executed, but for its
// site.
bool KnowsNoFuel(const MInst& m) {
  if (m.flags == FlagsFrom::kFuel) return false;
  switch (m.op) {
    case MOp::kLoad:
    case MOp::kStore:
    case MOp::kStoreImm:
    case MOp::kShiftCl:
    case MOp::kRotate:
    case MOp::kShiftX:
    case MOp::kUnary:
    case MOp::kImul:
    case MOp::kImulImm:
    case MOp::kByteSwap:
    case MOp::kSetCond:
    case MOp::kSelect:
    case MOp::kFconst:
    case MOp::kFloat:
    case MOp::kFloatConst:
    case MOp::kBitcast:
      return true;
    default:
      return IsComputation(m.op);
  }
}

}  // namespace

void Emitter::FindDispatch() {
  if (options_.opt_level < 2 || m_.tables.empty()) return;
  const uint32_t n = static_cast<uint32_t>(m_.blocks.size());
  dispatch_.assign(n, {});
  // A round for each block of the longest chain, the last one first.
  for (int round = 0; round < 4; ++round) {
    bool changed = false;
    for (uint32_t b = 1; b < n; ++b) {
      const regalloc::Block& block = p_.blocks[b];
      if (dispatch_[b].size != 0 || thread_[b] != b || m_.blocks[b].is_entry || m_.blocks[b].cold ||
          block.frequency < 4) {
        continue;
      }
      uint32_t size = block.end - block.begin + num_moves_[b], next = kNone;
      const MInst& last = m_.insts[block.end - 1];
      switch (last.op) {
        case MOp::kBranchTable:
          if (last.imm < kMinCases) continue;
          break;
        case MOp::kJump:
        case MOp::kBranch: {
          const uint32_t edges = last.op == MOp::kBranch ? 2 : 1;
          for (uint32_t e = 0; e < edges && next == kNone; ++e) {
            const uint32_t to = thread_[p_.edges[block.succs_begin + e].target];
            if (to != b && dispatch_[to].size != 0) next = to;
          }
          if (next == kNone) continue;
          size += dispatch_[next].size;
          break;
        }
        default:
          continue;
      }
      if (size > kMaxChain) continue;
      bool calls = false;
      for (uint32_t i = block.begin; i < block.end; ++i) calls |= p_.insts[i].clobbers != 0;
      if (calls) continue;
      dispatch_[b] = {size, next};
      changed = true;
    }
    if (!changed) break;
  }
}

bool Emitter::Copies(uint32_t target) const {
  const uint32_t to = thread_[target];
  return may_copy_ && to != next_ && !dispatch_.empty() && dispatch_[to].size != 0 &&
         copied_ + dispatch_[to].size <= kMaxCopied;
}

bool Emitter::MeterPays(uint32_t b, uint32_t i) const {
  const regalloc::Block& block = p_.blocks[b];
  if (m_.insts[block.end - 1].op != MOp::kJump) return false;
  for (uint32_t k = i + 1; k + 1 < block.end; ++k) {
    if (!IsComputation(m_.insts[k].op)) return false;
  }
  const uint32_t target = p_.edges[block.succs_begin].target;
  return Copies(target) && m_.insts[p_.blocks[thread_[target]].begin].op == MOp::kMeter;
}

int64_t Emitter::Prepays(uint32_t b, uint32_t i) const {
  const regalloc::Block& block = p_.blocks[b];
  // Not where sites show guest state.
  if (dispatch_.empty() || m_.insts[block.end - 1].op != MOp::kJump || counts_rows_ ||
      m_.blocks[b].cold || !s_.tracked.empty() || !m_.constant_state.empty()) {
    return 0;
  }
  const uint32_t target = thread_[p_.edges[block.succs_begin].target];
  const uint32_t size = block.end - i;
  if (!Copies(target) || size > kMaxChain || copied_ + size + dispatch_[target].size > kMaxCopied) {
    return 0;
  }
  int64_t sum = 0;
  for (uint32_t k = i + 1; k + 1 < block.end; ++k) {
    if (m_.insts[k].op == MOp::kMeter) {
      sum += m_.insts[k].imm;
    } else if (!KnowsNoFuel(m_.insts[k]) || p_.insts[k].clobbers != 0) {
      return 0;
    }
  }
  bool asks = false;
  for (uint32_t k = p_.blocks[target].begin; k < p_.blocks[target].end; ++k) {
    const MInst& m = m_.insts[k];
    if (m.op == MOp::kMeter) {
      asks = true;
      sum += m.imm;
    } else if (!IsComputation(m.op)) {
      break;
    }
  }
  return asks && sum + m_.insts[i].imm <= INT32_MAX / 2 ? sum : 0;
}

void Emitter::EmitUnpaidStub(const Stub& stub) {
  const MInst& m = *stub.inst;
  DCHECK_EQ(prepaid_, 0);
  SeparateFromCall();
  buffer_.Bind(stub.label);
  // Less a negative number: a byte of it is no instruction.
  const int32_t back = -static_cast<int32_t>(stub.prepaid);
  e_.AluRI(Alu::kSub, Width::k64, kFuel, back);
  TrapInside(Cond::kL, FuelByte(back), Site::Kind::kSuspend, m);
  may_copy_ = false;
  EmitBody(stub.block, kNone, stub.index + 1);
  may_copy_ = true;
}

void Emitter::JumpUnlessNext(uint32_t target) {
  const uint32_t to = thread_[target];
  if (to == next_) return;
  falls_through_ = false;
  if (!Copies(target)) return buffer_.Jump(LabelOf(target));
  EmitDispatchCopy(to);
}

void Emitter::EmitDispatchCopy(uint32_t b) {
  copied_ += dispatch_[b].size;
  for (; b != kNone; b = dispatch_[b].next) EmitBody(b, dispatch_[b].next);
}

void Emitter::EmitLookup() {
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

void Emitter::CountLookups() {
  for (uint32_t b : m_.order) {
    const regalloc::Block& block = p_.blocks[b];
    if (block.frequency >= 4 || thread_[b] != b) continue;
    if (m_.insts[block.end - 1].op == MOp::kTailDispatch) ++jumps_.count;
    // Behind a call, only where it returns to.
    const uint32_t last_two = block.end - std::min(block.end - block.begin, 2u);
    if (m_.insts[last_two].op == MOp::kCallDispatch) ++calls_.count;
  }
}

bool Emitter::SharesLookup(uint32_t b, const SharedLookup& lookup) const {
  return lookup.count >= 2 && p_.blocks[b].frequency < 4;
}

Label Emitter::LabelOf(SharedLookup& lookup) {
  if (!std::exchange(lookup.used, true)) lookup.label = buffer_.NewLabel();
  return lookup.label;
}

void Emitter::EmitSharedLookup(const SharedLookup& lookup, uint32_t cfa) {
  if (!lookup.used) return;
  SetCfa(cfa);
  buffer_.Bind(lookup.label);
  EmitLookup();
  e_.JmpReg(Reg::r12);
}

}  // namespace precast::x64::emission
