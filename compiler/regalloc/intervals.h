// Live ranges, use positions, register hints and fixed-register reservations, by linear position.
#ifndef PRECAST_COMPILER_REGALLOC_INTERVALS_H_
#define PRECAST_COMPILER_REGALLOC_INTERVALS_H_

#include <cstdint>
#include <vector>

#include "compiler/regalloc/liveness.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// A point of the linear program. Instruction i has four:
//   4i    gap: moves between split parts of a value, and edge moves at the beginning of a block
//   4i+1  constraint copies: into fixed registers, into the register of a reusing definition
//   4i+2  early: uses are read, early definitions written
//   4i+3  late: late uses end, clobbers happen, late definitions are written
using Pos = uint32_t;
inline constexpr Pos kNever = ~Pos{0};
constexpr Pos GapOf(InstIndex i) { return 4 * i; }
constexpr Pos CopyOf(InstIndex i) { return 4 * i + 1; }
constexpr Pos EarlyOf(InstIndex i) { return 4 * i + 2; }
constexpr Pos LateOf(InstIndex i) { return 4 * i + 3; }
constexpr InstIndex InstOf(Pos p) { return p / 4; }
constexpr Pos GapAtOrBefore(Pos p) { return p & ~3u; }
constexpr Pos GapAtOrAfter(Pos p) { return (p + 3) & ~3u; }

// Half-open.
struct Range {
  Pos from, to;
};

enum class UseKind : uint8_t {
  kWeak,    // read by a copy or an edge move: a slot costs nothing extra
  kShould,  // better in a register
  kMust,    // an operand that has to be in a register
};

struct Use {
  Pos pos;
  UseKind kind;
};

// "It saves a move if this vreg is, around `pos`, in register `preg`, or where `vreg` is."
struct Hint {
  Pos pos;
  bool is_vreg;
  uint32_t target;  // vreg, or register index 0..31
  float weight;     // executions of the move that would be saved
};

constexpr uint32_t RegIndex(PReg r) { return r.hw + (r.cls == RegClass::kVector ? 16u : 0u); }
constexpr PReg RegFromIndex(uint32_t index) {
  return PReg{index < 16 ? RegClass::kInt : RegClass::kVector, static_cast<uint8_t>(index & 15)};
}

// Items grouped by key: those of key k are items[begin[k] .. begin[k + 1]).
template <typename T>
struct Grouped {
  std::vector<uint32_t> begin;
  std::vector<T> items;
};

struct Intervals {
  Grouped<Range> ranges;  // by vreg, ascending, not touching; empty if the vreg is never live
  Grouped<Use> uses;      // by vreg, ascending
  Grouped<Hint> hints;    // by vreg, ascending
  std::vector<Range>
      reserved[32];  // by register index: where it belongs to fixed operands or clobbers
  // Register that a fixed definition leaves the value in (a move in the next gap takes it from
  // there to where the vreg is); -1 if the definition is not fixed.
  std::vector<int8_t> fixed_def;
  // Where the live range begins in time, by vreg. In an unusual block order it may also have parts
  // at earlier positions.
  std::vector<Pos> def_pos;
  // By operand: of the following what holds.
  std::vector<uint8_t> facts;
};
inline constexpr uint8_t kIsReused = 1;  // an input whose register a definition reuses
inline constexpr uint8_t kEndsHere = 2;  // an input: the vreg is not live after the instruction
inline constexpr uint8_t kLivesOn = 4;   // a definition: the vreg is live after the instruction

Intervals BuildIntervals(const Problem& problem, const Liveness& live);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_INTERVALS_H_
