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
//  * An instruction with `folded` has the operands of a load in the place of its operand b: it
//    reads b from there, and may have the load's site. (kAlu, kImul, kFloat, and tests kCompare and
//    kFloat; the test kCompareImm has them in the place of a.)
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
  kReceive,     // [=params…] what calls leave in registers, and entries too: see select_return.cc
  kMove,        // [a, =d] copy
  kMovImm,      // [=d] imm
  kAdd,         // [a, b, =d] add or lea
  kAddImm,      // [a, =d] imm; add or lea
  kLea,         // [base, index, =d] base + index * scale + disp
  kScale,       // [a, =d] (a << imm (1, 2, 3)) + disp; shl or lea
  kAlu,         // [a, b, =d reuses a] alu
  kAluImm,      // [a, =d reuses a] alu, imm
  kShiftImm,    // [a, =d reuses a] shift, imm
  kShiftCl,     // [a, amount in rcx, =d reuses a] shift
  kRotate,      // [a, =d] shift (kRol or kRor), imm: BMI2's where the two registers differ
  kShiftX,      // [a any, amount, =d] shift: BMI2's
  kAndNot,      // [a, b any, =d] ~a & b: BMI1's
  kLowBit,      // [a any, =d] low_bit: BMI1's
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
  kMulHiImm,  // [a, =d]
  kMulWide,   // [a in rax, b, =high in rdx] unary: mul or imul
  // [a in rax, b, =quotient in rax or remainder in rdx]; unary: div or idiv; aux: kDivideRemainder,
  // kDivideGuarded, else total; kDivideBoth: [a in rax, b, =quotient in rax, =remainder in rdx]
  kDivide,
  kBitScan,   // [a, =d, not a's] aux: 0 leading zeros, 1 trailing zeros
  kBitCount,  // [a any, =d] likewise: lzcnt or tzcnt
  kPopcnt,    // [a, =d]
  kByteSwap,  // [a, =d reuses a]
  kSetCond,   // [f…, =d, =temporary if parity]
  // d = cond ? a : b. With parity, cond is kNe for integers, kE for vectors.
  kSelect,    // [f…, a, b, =d reuses b]
  kAddCarry,  // [f…, a, =d reuses a] a + carry + imm (alu: kAdc) or a - carry - imm (kSbb)
  kLoad,      // [place…, =d] mem, disp; site kMemory if can_fault
  kStore,     // [place…, value] mem, disp; likewise
  kStoreImm,  // [place…] mem, disp, imm; likewise
  kAddress,   // [=d] address of the context + disp
  // Atomics; site kMemory.
  kAtomicAdd,       // [place…, value, =d reuses value]
  kAtomicExchange,  // [place…, value, =d reuses value]
  kAtomicLoop,      // [place…, value, =d in rax, =temporary] alu; all uses late
  kAtomicAlu,       // [place…, value] alu; the old value is not wanted
  kAtomicAluImm,    // [place…] alu, imm
  kAtomicCompare,   // [place…, expected in rax, replacement, =d in rax, =temporary if narrow]
  kFence,           // []
  // Scalar floating point. Values are in the low lane of vector registers; the other lanes are
  // anything.
  kFconst,  // [=d] imm: the bits
  // "=d may reuse a" is "=d reuses a" without AVX.
  kFloat,         // [a, b, =d may reuse a] sse
  kFloatConst,    // [a, =d may reuse a] sse with constant imm
  kFloatMask,     // [a, =d may reuse a] bits with constant imm
  kFloatMinMax,   // [a, b, =d reuses a] sse: kMin or kMax; as WebAssembly defines them
  kCopysign,      // [a, b, =d may reuse a, =temporary]
  kSqrt,          // [a, =d may reuse a]
  kRound,         // [a, =d may reuse a] rounding
  kFloatConvert,  // [a, =d may reuse a] between f32 and f64, from `from`
  // Integer `width` from float `from`, toward zero; aux: kConvertUnsigned, kConvertInRange.
  kFloatToInt,  // [a, =d, =temporary if to u32 and not in range]
  // Float `width` from integer `from`; aux: kConvertUnsigned.
  kIntToFloat,     // [a, =d, =temporary (integer) if from u64]
  kBitcast,        // [a, =d] between the classes
  kLoadState,      // [=d] disp from the context
  kStoreState,     // [a] disp
  kStoreStateImm,  // [] disp, imm
  kCharge,         // [] imm
  kChargeValue,    // [a]
  kChargeIf,       // [f…, =temporary if alu is kAdd] imm if cond; kSbb, kAdc: of imm, with carry
  kGiveBack,       // [a] the fuel becomes fuel + a << aux + imm
  kLoadFuel,       // [=d]
  kMeter,          // [] imm; site kSuspend
  kMeterCheck,     // [] imm; site kSuspend
  kCountRows,      // [] aux = row register, imm = four counts of 16 bits
  kMarkPage,       // [address, =temporary, not address's] disp; aux: ir/mark_mode.h
  kMarkPageAbsolute,  // [] imm: the page; aux likewise
  kTrapIf,            // [f…] aux = trap code; site kTrap
  kCall,              // [arguments…, =results…] imm = function; site kCall
  kCallDispatch,      // [pc in rax, arguments…, =results…]; site kCall
  kCallRuntime,       // [arguments…, =results…] aux = callback; site kCall
  kCallPointer,  // [code in r11, record in rax, type in r12, arguments…, =results…]; site kCall
  // Vectors. Constants are named by their index in MFunction::v128_constants.
  // operands: simd_lowering.h; aux = SimdOp, imm = lane or amount of a shift. With `constant_b` the
  // second input is no operand but constant disp; with `folded` the operands of a load are in the
  // place of the only or the second input.
  kSimd,
  kShuffle,  // see ShuffleForm
  kVconst,   // [=d] imm = constant
  // Terminators.
  kJump,    // []
  kBranch,  // [f…] first edge if cond, else second
  // imm: number of cases; tables[disp … disp+imm] says which edge each takes, the last is the
  // default.
  kBranchTable,  // [index, =temporary, =temporary]
  // [] block disp comes next, which begins with kReceive. After a call (aux = 1), if that has
  // returned to imm; or else this function returns what the call has returned.
  kReceived,
  kReturn,        // [results…]
  kTailCall,      // [arguments…] imm = function
  kTailDispatch,  // [pc in rax, arguments…]
  kTailPointer,   // [code in r11, record in rax, type in r12, arguments…]
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
  kFloat,       // [a, b] ucomis a, b
  kFloatConst,  // [a] ucomis a, constant MInst::imm
  kFuel,        // [] cmp fuel, imm; for kL
};

// Where a load or store goes.
enum class Place : uint8_t {
  kGuest,          // [address] guest memory at address * place_scale + disp
  kGuestAbsolute,  // [] guest memory; disp is the whole address
  kSum,            // [base, offset] base + offset
  kPointer,        // [base]
  kContext,        // []
};
inline constexpr uint32_t NumOperands(Place place) {
  return place == Place::kSum ? 2 : place == Place::kGuest || place == Place::kPointer ? 1 : 0;
}

inline constexpr uint8_t kDivideRemainder = 1, kDivideGuarded = 2, kDivideBoth = 4;
inline constexpr uint8_t kConvertUnsigned = 1, kConvertInRange = 2;

// The forms of kShuffle. aux = VectorOp.
enum class ShuffleForm : uint8_t {
  kUnary,     // [a any, =d] op d, a, disp
  kBinary,    // [a, b any, =d may reuse a] op d, b
  kTwoImm,    // [a, b any, =d may reuse a] op d, b, disp
  kShift,     // [a, =d may reuse a] op d, disp
  kBytes,     // [a, =d may reuse a] pshufb d by constant imm
  kTwoBytes,  // [a, b any, =d may reuse a] bytes of a by constant imm, of b by constant imm + 1
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
    LowBit low_bit;
    Sse sse;
    SseBits bits;
    Rounding rounding;
    uint8_t scale;
    uint8_t signs;
    ShuffleForm shuffle;
  };
  FlagsFrom flags = FlagsFrom::kNone;
  Width flags_width = Width::k32;
  Cond cond = Cond::kO;
  // `cond` is kE and means "equal and ordered", or kNe and means "not equal or unordered".
  bool parity = false;
  uint8_t aux = 0;
  bool constant_b = false;
  Place place = Place::kGuest;  // loads, stores, atomics
  uint8_t place_scale = 1;      // kGuest
  bool can_fault = true;        // loads, stores
  bool folded = false;          // see above
  bool swap = false;            // loads, stores: of bytes in reverse order
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
  bool align = false;  // a loop's head, or the code of an edge back to it
};

// A label of the register allocator's tracked ranges: the guest state slot, and whether it is the
// upper half of the register or slot that the value is in.
inline constexpr uint16_t StateLabel(uint8_t slot, bool high) {
  return static_cast<uint16_t>(slot | (high ? 0x100 : 0));
}

// Deferred state whose value is a constant needs no register: it holds at the sites of [from, to].
struct ConstantState {
  uint8_t slot;
  regalloc::InstIndex from, to;
  int32_t value;
};

struct MFunction {
  std::vector<MInst> insts;     // parallel to problem.insts
  std::vector<MBlock> blocks;   // parallel to problem.blocks
  std::vector<uint32_t> order;  // all blocks, as their code is laid out
  regalloc::Problem problem;
  std::vector<ConstantState> constant_state;  // ascending by `from`
  std::vector<uint32_t> tables;               // edge numbers, see kBranchTable
  std::vector<uint32_t> entry_blocks;         // block of ir::Function::entries()[i]
  std::vector<ir::V128> v128_constants;       // those of the IR function and more
  std::vector<ir::Unpaid> unpaid;             // of the IR function
  bool has_calls = false;
  // Calls are made with an aligned stack pointer. A RISC-V guest's functions need none: what they
  // call of the runtime has a stack of its own.
  bool aligns_stack = true;
};

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_MIR_H_
