// Register allocation over an abstract machine function.
//
// The allocator knows no target: a back end describes its instructions as operands with
// constraints, and gets back a location per operand and a list of moves to insert. The same
// description is what the independent checker (checker.h) verifies the answer against. The shape of
// this interface follows regalloc2 (bytecodealliance/regalloc2, doc/DESIGN.md); the algorithm is
// our own choice.
#ifndef PRECAST_COMPILER_REGALLOC_REGALLOC_H_
#define PRECAST_COMPILER_REGALLOC_REGALLOC_H_

#include <cstdint>
#include <vector>

namespace precast::regalloc {

enum class RegClass : uint8_t { kInt, kVector };
inline constexpr int kNumClasses = 2;

// A virtual register: one SSA value of the machine function. Defined exactly once, by an operand or
// as a block parameter; the definition dominates all uses.
using VReg = uint32_t;
using InstIndex = uint32_t;  // index into Problem::insts; blocks own contiguous ranges
using BlockIndex = uint32_t;

// A physical register: hardware number 0..15 within its class.
struct PReg {
  RegClass cls;
  uint8_t hw;
  bool operator==(const PReg&) const = default;
};

// A set of physical registers: bit hw (int) or 16 + hw (vector).
using PRegSet = uint32_t;
constexpr PRegSet Bit(PReg r) { return 1u << (r.hw + (r.cls == RegClass::kVector ? 16 : 0)); }

struct Operand {
  enum class Constraint : uint8_t {
    kAny,    // register or spill slot
    kReg,    // any register of the class
    kFixed,  // exactly `fixed`
    kReuse,  // late definition only: the same register as input operand number `reuse` of this
             // instruction (which is an early kReg use that only one definition reuses; the
             // allocator copies if the input is needed afterwards)
  };
  enum class Kind : uint8_t { kUse, kDef };
  // An instruction has two points, early and late. Uses normally happen early, definitions late, so
  // a definition may share a register with a use that ends here. A late use stays intact to the end
  // of the instruction; an early definition interferes with all uses (a temporary is an early
  // definition whose value is never used).
  enum class Pos : uint8_t { kEarly, kLate };

  VReg vreg;
  Constraint constraint;
  Kind kind;
  Pos pos;
  uint8_t reuse = 0;  // kReuse: operand index relative to the instruction's first operand
  PReg fixed{};       // kFixed
};

struct Inst {
  uint32_t operands_begin = 0;  // range in Problem::operands
  uint16_t operands_count = 0;
  // Operands: [0] use, [1] def: a plain copy the allocator tries to coalesce. The definition is
  // always in a register, even if it is kAny.
  bool is_move = false;
  PRegSet clobbers = 0;  // written at the late point besides the definitions (e.g. by calls)
};

struct Block {
  // [begin, end); the last instruction is the block's only terminator. What a terminator defines
  // cannot be used afterwards: only temporaries.
  InstIndex begin = 0;
  InstIndex end = 0;
  uint32_t params_begin = 0, params_count = 0;  // range in Problem::block_params
  uint32_t succs_begin = 0, succs_count = 0;    // range in Problem::edges
  uint32_t preds_begin = 0, preds_count = 0;    // range in Problem::pred_blocks
  float frequency = 1.0f;  // estimated executions; entry 1, loops ×8 or so a level, cold ≈ 0
};

// Edge from a block to a successor. There are no critical edges: of an edge, the source has one
// successor or the target has one predecessor. The moves of an edge are placed at the start of the
// target if that has one predecessor, or else before the terminator of the source, which then has
// no operands and no clobbers.
struct Edge {
  BlockIndex target;
  uint32_t args_begin = 0, args_count = 0;  // range in Problem::edge_args; one per target parameter
};

// "While execution is in [from, to] (instructions of one block; both inclusive, at their early
// points), the location of `vreg` must be known": the value is kept alive through the early point
// of `to`, in any location. Used for deferred guest state: side tables then say where each guest
// register is. Nothing is promised at the terminator of a block with one successor: edge moves may
// stand before it, and a jump is not a place where anybody looks.
struct TrackedRange {
  VReg vreg;
  InstIndex from, to;
  uint16_t label;  // whose meaning is the caller's: which guest register it is
};

// The input. Block 0 is the first in layout order; the order given is the final layout order and is
// a good linear order (loops contiguous). Entry blocks have no predecessors and no parameters
// (their first instruction defines the ABI registers by fixed definitions).
struct Problem {
  std::vector<RegClass> vreg_class;  // one per virtual register
  // One per virtual register, or empty if all are wide. What is not wide is an int value whose
  // upper half is zero in a register, and no operand reads more than the lower half of its slot.
  std::vector<bool> vreg_wide;
  std::vector<Operand> operands;
  std::vector<Inst> insts;
  std::vector<Block> blocks;
  std::vector<VReg> block_params;
  std::vector<Edge> edges;
  std::vector<VReg> edge_args;
  std::vector<BlockIndex> pred_blocks;
  std::vector<TrackedRange> tracked;  // ascending by `from`; `vreg` is defined before `from`
  PRegSet allocatable = 0;            // registers the allocator may use
  // One vector register outside `allocatable`: cycles of vector moves go through it explicitly, and
  // the emitter expands a slot-to-slot move (of either class) through it.
  PReg vector_scratch{RegClass::kVector, 15};
};

// Where a value is: nowhere (dead), a register, or a spill slot.
struct Location {
  enum class Kind : uint8_t { kNone, kReg, kSlot };
  Kind kind = Kind::kNone;
  PReg reg{};
  uint32_t slot = 0;  // index of a spill slot; int slots are 4 or 8 bytes, vector slots 16
  bool operator==(const Location&) const = default;
};

struct Move {
  // Inserted before instruction `before` (at a block's first instruction: on entry to the block;
  // before a terminator: on the block's only outgoing edge). Moves with the same `before` are in
  // execution order, already sequentialized. From and to are of class `cls`; at most one is a slot,
  // or both are (see vector_scratch). A target outside `allocatable` is vector_scratch or a
  // register that an operand of `before` is fixed to.
  InstIndex before;
  RegClass cls;
  Location from, to;
  bool swap = false;  // exchange two int registers instead of moving (cycles)
  // Between two int registers: the upper halves need not be moved and become zero.
  bool half = false;
};

struct TrackedLocation {
  uint16_t label;
  InstIndex from, to;  // inclusive, at the early points, after the moves inserted before each
  Location location;
  VReg vreg;
};

struct Solution {
  std::vector<Location> operands;        // parallel to Problem::operands
  std::vector<Move> moves;               // ascending by `before`
  std::vector<TrackedLocation> tracked;  // ascending by `from`
  uint32_t num_int_slots = 0;
  uint32_t num_vector_slots = 0;
  // By int slot: whether it has to hold 8 bytes, or only the lower halves of registers, which a
  // move out of it zero-extends.
  std::vector<bool> int_slot_wide;
};

inline bool IsWide(const Problem& p, VReg v) { return p.vreg_wide.empty() || p.vreg_wide[v]; }

// Allocates. Deterministic. The problem must be well-formed (our own bug otherwise: CHECK).
Solution Allocate(const Problem& problem);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_REGALLOC_H_
