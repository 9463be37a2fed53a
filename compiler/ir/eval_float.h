// Floating-point operations for the reference evaluator: what WebAssembly defines (core
// specification, section 4.3.2), with the NaNs that x86 makes, which WebAssembly leaves open: the
// first operand that is a NaN, made quiet; if none is, the default NaN, whose sign is set. (Intel
// SDM volume 1, section 4.8.3.5 and table 4-7.)
#ifndef PRECAST_COMPILER_IR_EVAL_FLOAT_H_
#define PRECAST_COMPILER_IR_EVAL_FLOAT_H_

#include <cstdint>

#include "compiler/ir/ir.h"

namespace precast::ir {

// Values are their bits, those of f32 zero-extended.

// `op` is one of kFadd … kFcopysign.
uint64_t EvalFloatBinary(Opcode op, Type type, uint64_t a, uint64_t b);
// `op` is one of kFneg … kFnearest.
uint64_t EvalFloatUnary(Opcode op, Type type, uint64_t a);
bool EvalFcmp(FloatCond cond, Type type, uint64_t a, uint64_t b);
// `op` is one of kFtoS … kBitcast.
uint64_t EvalConversion(Opcode op, Type from, Type to, uint64_t a);

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_EVAL_FLOAT_H_
