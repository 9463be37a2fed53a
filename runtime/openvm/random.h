// The random bytes that `hintrandom` gives: those of Rust's rand::rngs::StdRng made by
// seed_from_u64, so that a guest sees here what it sees under OpenVM.
//
// Source of fact: rand_core, SeedableRng::seed_from_u64.
#ifndef PRECAST_RUNTIME_OPENVM_RANDOM_H_
#define PRECAST_RUNTIME_OPENVM_RANDOM_H_

#include <cstdint>

#include "absl/types/span.h"
#include "openvm/primitives/chacha12.h"

namespace precast::runtime {

// The generator that SeedableRng::seed_from_u64 makes.
openvm::ChaCha12Rng RandomFromSeed(uint64_t seed);

// One byte per word, its lowest: as `rng.random::<u8>()`.
void FillRandom(openvm::ChaCha12Rng& rng, absl::Span<uint8_t> out);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_RANDOM_H_
