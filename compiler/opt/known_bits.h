// Which bits of integer values may be other than 0: an analysis. The builder makes use of it
// (Builder::SetPossibleBits) when a pass rebuilds the function.
//
// Time: linear; values around loops are followed a few times, and then given up.
#ifndef PRECAST_COMPILER_OPT_KNOWN_BITS_H_
#define PRECAST_COMPILER_OPT_KNOWN_BITS_H_

#include <cstdint>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// By value: bits that may be set, zero-extended to 64. All bits for what is not an integer. `f` has
// no unreachable blocks.
std::vector<uint64_t> PossibleBits(const ir::Function& f, const ir::Cfg& cfg);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_KNOWN_BITS_H_
