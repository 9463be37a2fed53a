// memory.atomic.wait and notify (threads proposal): who waits for which host address, in the whole
// process, because threads have stores of their own.
#ifndef PRECAST_RUNTIME_WASM_ATOMIC_WAIT_H_
#define PRECAST_RUNTIME_WASM_ATOMIC_WAIT_H_

#include <atomic>
#include <cstdint>

namespace precast::runtime::wasm {

enum class WaitResult : uint32_t { kWoken = 0, kNotEqual = 1, kTimedOut = 2, kInterrupted = 3 };

// Waits until notified if the `size` (4 or 8) bytes at `address`, aligned, are `expected`.
// `timeout_ns` < 0: for ever. Ends early when WakeInterrupted(interrupted) finds the flag set.
WaitResult AtomicWait(const uint8_t* address, int size, uint64_t expected, int64_t timeout_ns,
                      const std::atomic<bool>* interrupted);
// Wakes up to `count` waiters, the longest waiting first. Returns how many.
uint32_t AtomicNotify(const uint8_t* address, uint32_t count);
void WakeInterrupted(const std::atomic<bool>* interrupted);

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_ATOMIC_WAIT_H_
