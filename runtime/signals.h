// Faults of guest code become traps: one process-wide handler for SIGSEGV, SIGBUS, SIGILL and
// SIGFPE looks whether the faulting instruction belongs to the guest code this thread is running;
// if so, it stores the machine state into the `VmContext` and leaves guest code through
// `precast_exit_guest`. Everything else goes to the handler that was installed before. One more
// signal asks a thread to leave its guest code.
#ifndef PRECAST_RUNTIME_SIGNALS_H_
#define PRECAST_RUNTIME_SIGNALS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "runtime/abi/vm_context.h"

namespace precast::runtime {

// Installs the handlers (once per process) and makes sure that this thread has an alternate signal
// stack, because a fault may come on a guest's native stack with no room left. A stack that is
// there already (installed by a sanitizer or the host program) is kept if it is large enough; one
// that we install is freed when the thread ends.
absl::Status PrepareThreadForGuestCode();

// Native code of guests, by address; half-open.
struct NativeCode {
  uint64_t begin, end;
  bool Contains(uint64_t pc) const { return pc - begin < end - begin; }
};

// A set of them that may grow while a scope uses it, on the thread of the scope. Only for a few
// images: it is searched from end to end.
class NativeCodeSet {
 public:
  // `code` must stay in place until the next call of this, or the end of the set.
  void Set(const NativeCode* code, size_t size) {
    size_ = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    code_ = code;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    size_ = size;
  }
  bool Contains(uint64_t pc) const {
    const NativeCode* code = code_;
    for (size_t i = 0, n = size_; i < n; ++i) {
      if (code[i].Contains(pc)) return true;
    }
    return false;
  }

 private:
  const NativeCode* volatile code_ = nullptr;
  volatile size_t size_ = 0;
};

// While it exists, faults at native pcs in its code on this thread are traps of `context`. Nests: a
// host call may run another guest.
class GuestCodeScope {
 public:
  GuestCodeScope(abi::VmContext* context, uint64_t code_begin, uint64_t code_end);
  // All of `code`. If `interrupt` is set when this thread gets InterruptSignal() in guest code, the
  // guest leaves with ExitReason::kInterrupted.
  GuestCodeScope(abi::VmContext* context, const NativeCodeSet* code,
                 const std::atomic<bool>* interrupt);
  ~GuestCodeScope();
  GuestCodeScope(const GuestCodeScope&) = delete;
  GuestCodeScope& operator=(const GuestCodeScope&) = delete;

  abi::VmContext* context() const { return context_; }
  bool Contains(uint64_t native_pc) const {
    return set_ != nullptr ? set_->Contains(native_pc) : code_.Contains(native_pc);
  }
  bool Interrupted() const {
    return interrupt_ != nullptr && interrupt_->load(std::memory_order_relaxed);
  }

 private:
  abi::VmContext* context_;
  NativeCode code_ = {0, 0};
  const NativeCodeSet* set_ = nullptr;
  const std::atomic<bool>* interrupt_ = nullptr;
  const GuestCodeScope* outer_;
};

// The signal that interrupts; a real-time one, so not one that debuggers and libraries care about.
// Harmless to threads that run no guest code, once PrepareThreadForGuestCode has run in the
// process.
int InterruptSignal();

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_SIGNALS_H_
