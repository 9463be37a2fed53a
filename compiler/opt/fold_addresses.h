// Puts constants that are added to addresses into the accesses.
//
// Requires: verified IR of a WebAssembly function whose memory 0 never has more than kMaxMemory
// bytes. Does: where p + c is used as an address only, and p, or p + d with d < c, has been
// accessed on every way to there,
//   accesses p with c, or c - d, added to the access's own offset. The sum cannot have wrapped
//   around 2^32: what has been accessed lies below kMaxMemory, and c - d is less than what is
//   above. (A compiler that makes WebAssembly may leave constants out of an access's offset where
//   it does not know that. In unrolled loops it mostly does not.)
// Keeps: everything observable, and the addresses of faults.
// Leaves: constants that nothing uses in place of the additions.
//
// Time: linear, but for a constant number of accesses that each is compared with.
#ifndef PRECAST_COMPILER_OPT_FOLD_ADDRESSES_H_
#define PRECAST_COMPILER_OPT_FOLD_ADDRESSES_H_

#include <cstdint>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// One page of WebAssembly is never there.
inline constexpr uint64_t kMaxMemory = (uint64_t{1} << 32) - (uint64_t{1} << 16);

void FoldAddresses(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_FOLD_ADDRESSES_H_
