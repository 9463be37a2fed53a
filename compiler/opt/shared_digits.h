// A digit of a quotient that two ways end in is made on each of them.
#ifndef PRECAST_COMPILER_OPT_SHARED_DIGITS_H_
#define PRECAST_COMPILER_OPT_SHARED_DIGITS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// libgcc's 64-bit division has two cases, by whether the dividend's upper word is less than the divisor, and gcc lets both of them
// end in the same code, right behind the estimate of the last digit. So what that code corrects is a parameter, of which
// if_conversion.h cannot tell that it is a digit, and that two of them are one division.
//
// Requires: a function in which meters have been placed.
// Does: where two ways that make a product of an estimated digit meet and nothing but the comparison of it with what is left
//   follows, each way gets that.
// Keeps: everything observable.
//
// Time: linear; where something is done, that of ValueRepair.
void SeparateDigits(ir::Function& f, const ir::Graphs& graphs);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_SHARED_DIGITS_H_
