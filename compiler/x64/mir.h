// The machine function between instruction selection and emission: a list of machine instructions
// (MIR) beside the register allocator's description of their operands.
//
// Conventions of all MIR instructions:
//  * Flags never live from one instruction to the next: whoever tests is one instruction with
//    whoever jumps. So the allocator's moves may go anywhere, and materializing zero may clobber
//    flags.
//  * A 32-bit value is zero-extended in its register: every instruction that defines one is a
//    32-bit operation. In a spill slot only the low 4 bytes count.
//  * Each instruction reads its register allocator operands in the order its opcode states.
#ifndef PRECAST_COMPILER_X64_MIR_H_
#define PRECAST_COMPILER_X64_MIR_H_

#include <cstdint>
#include <vector>

#include "compiler/ir/ir.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/x64/encoder.h"

namespace precast::x64 {

// Operands in brackets; `f…` stands for the operands of `flags` (see FlagsFrom); `=` is a
// definition.
enum class MOp : uint8_t {
  kEntry,       // [=params…] function entry: stack check and prologue; site kStack
  kMove,        // [a, =d] copy
  kMovImm,      // [=d] imm
  kAdd,         // [a, b, =d] add or lea
  kAddImm,      // [a, =d] imm; add or lea
  kLea,         // [base, index, =d] base + index * scale
  kScale,       // [a, =d] a << imm (2, 3); shl or lea
  kAlu,         // [a, b, =d reuses a] alu
  kAluImm,      // [a, =d reuses a] alu, imm
  kShiftImm,    // [a, =d reuses a] shift, imm
  kShiftCl,     // [a, amount in rcx, =d reuses a] shift
  kUnary,       // [a, =d reuses a] unary: not, neg
  kImul,        // [a, b, =d reuses a]
  kImulImm,     // [a, =d] imm
  kZeroExtend,  // [a, =d] from `from` (8, 16, 32 bits)
  kSignExtend,  // [a, =d] from `from`
  // High half of 32 × 32 bits in a 64-bit multiplication: the operands are extended as `signs` says
  // (bit 0: a is signed, bit 1: b).
  kMulHi,  // [a, b, =d reuses a, =temporary (if b is signed, or a is and is b)]
  // (a * imm) >> aux, aux >= 32, in 64 bits; imm: int32 range if a is signed, else uint32 range.
  // `d` does not overlap `a` if imm exceeds int32.
  kMulHiImm,       // [a, =d]
  kMulWide,        // [a in rax, b, =high in rdx] unary: mul or imul
  kDivide,         // [a in rax, b, =quotient in rax or remainder in rdx]; unary: div or idiv; total
  kSetCond,        // [f…, =d]
  kSelect,         // [f…, a, b, =d reuses b] d = cond ? a : b
  kLoad,           // [address unless absolute, =d] mem, disp; site kMemory
  kStore,          // [address unless absolute, value] mem, disp; site kMemory
  kStoreImm,       // [address unless absolute] mem, disp, imm; site kMemory
  kLoadState,      // [=d] disp from the context
  kStoreState,     // [a] disp
  kStoreStateImm,  // [] disp, imm
  kCharge,         // [] imm
  kMeter,          // [] imm; site kSuspend
  kMeterCheck,     // [] imm; site kSuspend
  kTrapIf,         // [f…] aux = trap code; site kTrap
  kCall,           // [arguments…, =results…] imm = function; site kCall
  kCallDispatch,   // [pc in rax, arguments…, =results…]; site kCall
  kCallRuntime,    // [arguments…, =results…] aux = callback; site kCall
  // Vectors: select_simd.cc and emit_simd.cc agree on the operands.
  kSimd,     // aux = SimdOp, imm = lane
  kShuffle,  // imm = index in MFunction::v128_constants
  kVconst,   // [=d] imm = index in MFunction::v128_constants
  // Terminators.
  kJump,    // []
  kBranch,  // [f…] first edge if cond, else second
  // imm: number of cases; tables[disp … disp+imm] says which edge each takes, the last is the
  // default.
  kBranchTable,   // [index, =temporary, =temporary]
  kReturn,        // [results…]
  kTailCall,      // [arguments…] imm = function
  kTailDispatch,  // [pc in rax, arguments…]
  kTrap,          // [] aux = trap code; site kTrap
};

// What sets the flags for an instruction that tests `cond`.
enum class FlagsFrom : uint8_t {
  kNone,
  kCompare,     // [a, b] cmp a, b
  kCompareImm,  // [a] cmp a, imm
  kTest,        // [a, b] test a, b
  kTestSelf,    // [a] test a, a
  kTestImm,     // [a] test a, imm
};

struct MInst {
  MOp op = MOp::kJump;
  Width width = Width::k32;  // of the operation: k32 or k64
  Width from = Width::k32;   // source of an extension
  ir::MemKind mem = ir::MemKind::kU32;
  union {
    Alu alu = Alu::kAdd;
    Shift shift;
    Unary unary;
    uint8_t scale;
    uint8_t signs;
  };
  FlagsFrom flags = FlagsFrom::kNone;
  Width flags_width = Width::k32;
  Cond cond = Cond::kO;
  uint8_t aux = 0;
  bool absolute = false;  // loads and stores: no address operand, disp is the whole address
  int32_t disp = 0;
  int32_t flags_imm = 0;
  int64_t imm = 0;
  ir::Site site;  // guest_pc 0: not known
};

struct MBlock {
  ir::Block ir;  // the IR block; invalid for a split edge
  uint32_t guest_pc = 0;
  bool is_entry = false;
  bool cold = false;
  bool align = false;
};

// Deferred state whose value is a constant needs no register: it holds at the sites of [from, to].
struct ConstantState {
  uint8_t slot;
  regalloc::InstIndex from, to;
  int32_t value;
};

struct MFunction {
  std::vector<MInst> insts;    // parallel to problem.insts
  std::vector<MBlock> blocks;  // parallel to problem.blocks: in layout order
  regalloc::Problem problem;
  std::vector<ConstantState> constant_state;  // ascending by `from`
  std::vector<uint32_t> tables;               // edge numbers, see kBranchTable
  std::vector<uint32_t> entry_blocks;         // block of ir::Function::entries()[i]
  std::vector<ir::V128> v128_constants;       // those of the IR function
  bool has_calls = false;
  bool has_wide = false;  // some virtual register holds more than 32 bits
};

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_MIR_H_
