// Copies of the blocks that dispatch an interpreter loop: see Emitter::FindDispatch. After register allocation
// a copy is the same instructions once more, since where all values are depends on the block alone.
#include <cstdint>
#include <vector>

#include "compiler/x64/emitter.h"

namespace precast::x64::emission {
namespace {

// A table with fewer cases is hardly an interpreter's.
constexpr int64_t kMinCases = 4;
// Loops whose dispatch is long gain little by a copy, and code grows; in instructions and moves.
constexpr uint32_t kMaxChain = 40, kMaxCopied = 4000;

// Whether the instruction neither stops nor asks what has been charged: some of those that may stand at the end of a
// block.
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
  return to != next_ && !dispatch_.empty() && dispatch_[to].size != 0 &&
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

}  // namespace precast::x64::emission
