// A move is safe once nobody else needs to read its target. What remains when no move is safe is a
// set of disjoint cycles.
#include "compiler/regalloc/moves.h"

#include <bit>
#include <optional>

#include "absl/log/check.h"

namespace precast::regalloc {
namespace {

// Location indexes: 0..31 registers, then int and vector slots in turn.
constexpr uint32_t kFirstSlot = 32;

RegClass ClassOf(uint32_t index) {
  if (index < kFirstSlot) return index < 16 ? RegClass::kInt : RegClass::kVector;
  return (index & 1) ? RegClass::kVector : RegClass::kInt;
}

}  // namespace

uint32_t MoveSequencer::Index(const Location& location, RegClass cls) {
  if (location.kind == Location::Kind::kReg) {
    return location.reg.hw + (location.reg.cls == RegClass::kVector ? 16u : 0u);
  }
  return kFirstSlot + 2 * location.slot + (cls == RegClass::kVector ? 1 : 0);
}

Location MoveSequencer::FromIndex(uint32_t index) {
  Location location;
  if (index < kFirstSlot) {
    location.kind = Location::Kind::kReg;
    location.reg = PReg{ClassOf(index), static_cast<uint8_t>(index & 15)};
  } else {
    location.kind = Location::Kind::kSlot;
    location.slot = (index - kFirstSlot) / 2;
  }
  return location;
}

void MoveSequencer::Grow(uint32_t index) {
  if (index < readers_.size()) return;
  readers_.resize(index + 32, 0);
  source_.resize(index + 32, 0);
  half_.resize(index + 32, false);
}

void MoveSequencer::Sequence(absl::Span<const ParallelMove> moves, InstIndex before,
                             absl::FunctionRef<PRegSet()> free, std::vector<Move>& out) {
  targets_.clear();
  for (const ParallelMove& move : moves) {
    const uint32_t from = Index(move.from, move.cls);
    const uint32_t to = Index(move.to, move.cls);
    if (from == to) continue;
    Grow(from);
    Grow(to);
    if (source_[to] != 0) {
      CHECK_EQ(source_[to], from + 1) << "two values moved to one place before " << before;
      continue;
    }
    source_[to] = from + 1;
    half_[to] = move.half;
    ++readers_[from];
    targets_.push_back(to);
  }
  ready_.clear();
  for (uint32_t to : targets_) {
    if (readers_[to] == 0) ready_.push_back(to);
  }
  while (!ready_.empty()) {
    const uint32_t to = ready_.back();
    ready_.pop_back();
    const uint32_t from = source_[to] - 1;
    source_[to] = 0;
    out.push_back({before, ClassOf(to), FromIndex(from), FromIndex(to), false, half_[to]});
    if (--readers_[from] == 0 && source_[from] != 0) ready_.push_back(from);
  }
  // What is left are cycles.
  std::optional<PRegSet> unused;
  for (uint32_t to : targets_) {
    if (source_[to] == 0) continue;
    if (!unused) {
      unused = free();
      for (uint32_t target : targets_) {
        if (target < kFirstSlot) *unused &= ~(PRegSet{1} << target);
      }
    }
    BreakCycle(to, before, *unused, out);
  }
}

// Every member is read by exactly one other member's move.
void MoveSequencer::BreakCycle(uint32_t member, InstIndex before, PRegSet free,
                               std::vector<Move>& out) {
  // Begin at a register, if there is one.
  uint32_t start = member;
  for (uint32_t m = source_[member] - 1; m != member; m = source_[m] - 1) {
    if (m < start) start = m;
  }
  // cycle[k] has to receive cycle[k + 1]'s value, the last one cycle[0]'s.
  cycle_.clear();
  bool all_half = true;
  for (uint32_t m = start;;) {
    cycle_.push_back(m);
    all_half = all_half && half_[m];
    const uint32_t from = source_[m] - 1;
    source_[m] = 0;
    readers_[m] = 0;
    m = from;
    if (m == start) break;
  }
  const RegClass cls = ClassOf(start);
  auto emit = [&](uint32_t from, uint32_t to, bool half = false) {
    out.push_back({before, cls, FromIndex(from), FromIndex(to), false, half});
  };
  if (cls == RegClass::kInt && free != 0) {
    const uint32_t parked = static_cast<uint32_t>(std::countr_zero(free));
    emit(start, parked, half_[cycle_.back()]);
    for (size_t k = 0; k + 1 < cycle_.size(); ++k) {
      emit(cycle_[k + 1], cycle_[k], half_[cycle_[k]]);
    }
    emit(parked, cycle_.back(), half_[cycle_.back()]);
    return;
  }
  // Exchanging the first member with the last, the last but one, ... brings every value home.
  if (start < kFirstSlot && cls == RegClass::kInt) {
    for (size_t k = cycle_.size(); k-- > 1;) {
      if (cycle_[k] < kFirstSlot) {
        out.push_back({before, cls, FromIndex(start), FromIndex(cycle_[k]), true, all_half});
      } else {
        const uint32_t temporary = TemporarySlot(cls);
        emit(cycle_[k], temporary);
        emit(start, cycle_[k]);
        emit(temporary, start);
      }
    }
    return;
  }
  // Park one value and rotate the others. The scratch register can hold it only if no move from
  // memory to memory, which needs the scratch register itself, comes in between.
  bool memory_to_memory = start >= kFirstSlot;
  for (size_t k = 0; k + 1 < cycle_.size(); ++k) {
    memory_to_memory |= cycle_[k] >= kFirstSlot && cycle_[k + 1] >= kFirstSlot;
  }
  const uint32_t parked = memory_to_memory ? TemporarySlot(cls) : 16u + vector_scratch_.hw;
  emit(start, parked);
  for (size_t k = 0; k + 1 < cycle_.size(); ++k) emit(cycle_[k + 1], cycle_[k]);
  emit(parked, cycle_.back());
}

uint32_t MoveSequencer::TemporarySlot(RegClass cls) {
  uint32_t& slot = temporary_[static_cast<int>(cls)];
  if (slot == kNone) slot = num_slots_[static_cast<int>(cls)]++;
  return kFirstSlot + 2 * slot + (cls == RegClass::kVector ? 1 : 0);
}

}  // namespace precast::regalloc
