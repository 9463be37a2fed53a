// Problems and solutions as text, for error messages and debugging.
#ifndef PRECAST_COMPILER_REGALLOC_PROBLEM_TEXT_H_
#define PRECAST_COMPILER_REGALLOC_PROBLEM_TEXT_H_

#include <string>

#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// "r3" and "x3" are registers, "[3]" is a spill slot, "-" nowhere.
std::string ToString(const Location& location);
// "use v3 reg", "late use v3 any", "def v4 fixed r0", "early def v5 reg", "def v6 reuse 0".
std::string ToString(const Operand& operand);
std::string ToString(const Move& move);

// Block by block. With a solution, shows moves and the location of each operand ("@r3").
std::string ToString(const Problem& problem, const Solution* solution = nullptr);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_PROBLEM_TEXT_H_
