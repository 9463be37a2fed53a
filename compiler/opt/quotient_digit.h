// A digit of a long quotient, as RV32 code computes it: by `udiv_qrnnd_c` in GCC's longlong.h
// (Knuth 4.3.1, algorithm D).
#ifndef PRECAST_COMPILER_OPT_QUOTIENT_DIGIT_H_
#define PRECAST_COMPILER_OPT_QUOTIENT_DIGIT_H_

#include <cstdint>
#include <optional>

#include "compiler/ir/ir.h"

namespace precast::opt {

// A digit of the quotient of upper * 2^16 + next by d, which is at least 2^31.
struct QuotientDigit {
  ir::Value upper, next, d;
  ir::Value high, low;  // halves of d
  ir::Value estimate;   // upper / high
};

// The digit, if m is the lower half of d times q = upper / (d >> 16), and r is (upper % (d >> 16))
// * 2^16 + next.
std::optional<QuotientDigit> MatchDigit(const ir::Function& f, ir::Value r, ir::Value m,
                                        ir::Value d);

// x if `v` is x >> 16, or x & 0xffff.
std::optional<ir::Value> HighHalfOf(const ir::Function& f, ir::Value v);
std::optional<ir::Value> LowHalfOf(const ir::Function& f, ir::Value v);

// Bits of an i32 that are certain to be set.
uint32_t CertainOnes(const ir::Function& f, ir::Value v);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_QUOTIENT_DIGIT_H_
