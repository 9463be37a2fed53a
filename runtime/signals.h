// Faults of guest code become traps: one process-wide handler for SIGSEGV, SIGBUS, SIGILL and
// SIGFPE looks whether the faulting instruction belongs to the guest code this thread is running;
// if so, it stores the machine state into the `VmContext` and leaves guest code through
// `precast_exit_guest`. Everything else goes to the handler that was installed before.
#ifndef PRECAST_RUNTIME_SIGNALS_H_
#define PRECAST_RUNTIME_SIGNALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/abi/vm_context.h"

namespace precast::runtime {

// Installs the handlers (once per process) and makes sure that this thread has an alternate signal
// stack, because a fault may come on a guest's native stack with no room left. A stack that is
// there already (installed by a sanitizer or the host program) is kept if it is large enough; one
// that we install is freed when the thread ends.
absl::Status PrepareThreadForGuestCode();

// While it exists, faults at native pcs in [code_begin, code_end) on this thread are traps of
// `context`. Nests: a host call may run another guest.
class GuestCodeScope {
 public:
  GuestCodeScope(abi::VmContext* context, uint64_t code_begin, uint64_t code_end);
  ~GuestCodeScope();
  GuestCodeScope(const GuestCodeScope&) = delete;
  GuestCodeScope& operator=(const GuestCodeScope&) = delete;

  abi::VmContext* context() const { return context_; }
  bool Contains(uint64_t native_pc) const { return native_pc - code_begin_ < code_size_; }

 private:
  abi::VmContext* context_;
  uint64_t code_begin_;
  uint64_t code_size_;
  const GuestCodeScope* outer_;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_SIGNALS_H_
