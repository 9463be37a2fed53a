// Small OpenVM guests for the tests of metering and continuations.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_TESTING_GUESTS_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_TESTING_GUESTS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "openvm/metering.h"
#include "runtime/instance.h"
#include "runtime/openvm/host.h"
#include "runtime/program.h"

namespace precast::runtime {

inline constexpr uint32_t kGuestMemoryBits = 20;

// Runs `rounds` times over a loop of 11 instructions: arithmetic, a store and a load with `stride`
// bytes between them and those of the round before, a hint of random bytes every 256 rounds, and
// reveals a sum at the end, which it terminates with `exit_code`. About 11 · rounds instructions.
ProgramImage LoopGuest(uint32_t rounds, uint32_t stride, uint8_t exit_code = 0);

// A fresh instance for a program on a machine of 2^kGuestMemoryBits bytes. CHECK-fails if there is
// none.
std::unique_ptr<Instance> StartGuest(const ProgramImage& program);
// The machine that StartGuest gives.
precast::openvm::Config GuestMachine();

// OpenVM's chips with a limit on heights of 2^height_bits rows.
precast::openvm::MeteringConfig SmallMetering(uint32_t height_bits);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_TESTING_GUESTS_H_
