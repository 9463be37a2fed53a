#include "runtime/wasm/atomic_wait.h"

#include <list>
#include <unordered_map>

#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace precast::runtime::wasm {

namespace {

struct Waiter {
  const std::atomic<bool>* interrupted = nullptr;
  bool woken = false;
  absl::CondVar changed;
};
using Queue = std::list<Waiter*>;

// One lock for comparing, sleeping and waking, so that no wake-up is lost.
ABSL_CONST_INIT absl::Mutex mutex(absl::kConstInit);

std::unordered_map<const uint8_t*, Queue>& Queues() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  static auto* const queues = new std::unordered_map<const uint8_t*, Queue>;
  return *queues;
}

uint64_t Load(const uint8_t* address, int size) {
  if (size == 4)
    return __atomic_load_n(reinterpret_cast<const uint32_t*>(address), __ATOMIC_SEQ_CST);
  return __atomic_load_n(reinterpret_cast<const uint64_t*>(address), __ATOMIC_SEQ_CST);
}

}  // namespace

WaitResult AtomicWait(const uint8_t* address, int size, uint64_t expected, int64_t timeout_ns,
                      const std::atomic<bool>* interrupted) {
  const absl::Time deadline =
      timeout_ns < 0 ? absl::InfiniteFuture() : absl::Now() + absl::Nanoseconds(timeout_ns);
  absl::MutexLock lock(&mutex);
  if (Load(address, size) != expected) return WaitResult::kNotEqual;
  Waiter waiter;
  waiter.interrupted = interrupted;
  Queue& queue = Queues()[address];
  const auto self = queue.insert(queue.end(), &waiter);
  bool timed_out = false;
  while (!waiter.woken && !timed_out && !interrupted->load())
    timed_out = waiter.changed.WaitWithDeadline(&mutex, deadline);
  // Whoever wakes takes the waiter off the queue, and the queue from the table if it was the last.
  if (waiter.woken) return WaitResult::kWoken;
  queue.erase(self);
  if (queue.empty()) Queues().erase(address);
  return interrupted->load() ? WaitResult::kInterrupted : WaitResult::kTimedOut;
}

uint32_t AtomicNotify(const uint8_t* address, uint32_t count) {
  absl::MutexLock lock(&mutex);
  auto it = Queues().find(address);
  if (it == Queues().end()) return 0;
  uint32_t woken = 0;
  Queue& queue = it->second;
  while (woken < count && !queue.empty()) {
    Waiter* waiter = queue.front();
    queue.pop_front();
    waiter->woken = true;
    waiter->changed.Signal();
    ++woken;
  }
  if (queue.empty()) Queues().erase(it);
  return woken;
}

void WakeInterrupted(const std::atomic<bool>* interrupted) {
  absl::MutexLock lock(&mutex);
  for (auto& [address, queue] : Queues()) {
    for (Waiter* waiter : queue) {
      if (waiter->interrupted == interrupted) waiter->changed.Signal();
    }
  }
}

}  // namespace precast::runtime::wasm
