#include "runtime/signals.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "runtime/trampolines.h"

namespace precast::runtime {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
constexpr int kNumSignals = sizeof(kSignals) / sizeof(kSignals[0]);

// The handler runs on it and needs about 1 KiB; the kernel's frame is up to 11 KiB (AMX).
constexpr size_t kAltStackSize = 64 << 10;

// What the handlers replaced. Written before ours are installed.
struct sigaction previous_actions[kNumSignals];

// The scope of the guest code this thread runs. Read in the signal handler: volatile, so that it is
// in memory whenever guest code runs, and initial-exec, so that reading it never allocates.
__attribute__((
    tls_model("initial-exec"))) thread_local const GuestCodeScope* volatile current_scope = nullptr;

// ucontext register indices by hardware number.
constexpr int kGregOf[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                             REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                             REG_R12, REG_R13, REG_R14, REG_R15};

void CallPrevious(int signal, siginfo_t* info, void* ucontext) {
  for (int i = 0; i < kNumSignals; ++i) {
    if (kSignals[i] != signal) continue;
    const struct sigaction& previous = previous_actions[i];
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
      previous.sa_sigaction(signal, info, ucontext);
      return;
    }
    if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
      previous.sa_handler(signal);
      return;
    }
    // A signal that somebody sent may be ignored, a fault may not: it would come again for ever.
    bool sent = info->si_code <= 0;
    if (previous.sa_handler == SIG_IGN && sent) return;
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
    // A fault happens again when we return, now with the default action.
    if (sent) raise(signal);
    return;
  }
}

// Makes the interrupted thread continue in `precast_exit_guest` instead.
void Leave(const GuestCodeScope* scope, abi::ExitReason reason, greg_t* gregs) {
  abi::VmContext* context = scope->context();
  for (int i = 0; i < 16; ++i) context->gpr[i] = static_cast<uint64_t>(gregs[kGregOf[i]]);
  context->stop_rip = static_cast<uint64_t>(gregs[REG_RIP]);
  context->fuel = gregs[kGregOf[abi::kFuelReg]];
  context->exit_reason = static_cast<uint32_t>(reason);
  gregs[kGregOf[abi::kContextReg]] =
      static_cast<greg_t>(reinterpret_cast<uint64_t>(context) + abi::kContextBias);
  gregs[REG_RIP] = static_cast<greg_t>(reinterpret_cast<uint64_t>(&precast_exit_guest));
  // Where `precast_exit_guest` will put it anyway; so the red zone of nobody is ever below it.
  gregs[REG_RSP] = static_cast<greg_t>(context->host_rsp);
  gregs[REG_EFL] &= ~greg_t{1 << 10};  // the direction flag is clear in the C++ calling convention
}

// Async-signal-safe: touches the context, the ucontext and thread-local data, nothing else.
void Handle(int signal, siginfo_t* info, void* ucontext) {
  auto* machine = static_cast<ucontext_t*>(ucontext);
  greg_t* gregs = machine->uc_mcontext.gregs;
  const GuestCodeScope* scope = current_scope;
  bool fault = info->si_code > 0;
  if (scope == nullptr || !fault || !scope->Contains(static_cast<uint64_t>(gregs[REG_RIP]))) {
    CallPrevious(signal, info, ucontext);
    return;
  }
  // Only a page fault has an address of data; of others it is the address of the instruction, or
  // nothing.
  scope->context()->fault_address =
      signal == SIGSEGV || signal == SIGBUS ? reinterpret_cast<uint64_t>(info->si_addr) : 0;
  Leave(scope, abi::ExitReason::kTrap, gregs);
}

// Async-signal-safe. Guest code that is about to be entered, or returned to, will see the flag
// itself; the sender tries again if it did not.
void HandleInterrupt(int /*signal*/, siginfo_t* /*info*/, void* ucontext) {
  greg_t* gregs = static_cast<ucontext_t*>(ucontext)->uc_mcontext.gregs;
  const GuestCodeScope* scope = current_scope;
  if (scope != nullptr && scope->Interrupted() &&
      scope->Contains(static_cast<uint64_t>(gregs[REG_RIP]))) {
    Leave(scope, abi::ExitReason::kInterrupted, gregs);
  }
}

// The alternate signal stack of this thread.
class AltStack {
 public:
  AltStack() = default;
  ~AltStack() {
    if (memory_ == nullptr) return;
    stack_t current = {};
    if (sigaltstack(nullptr, &current) == 0 && current.ss_sp == memory_) {
      stack_t disable = {};
      disable.ss_flags = SS_DISABLE;
      if (sigaltstack(&disable, nullptr) != 0) return;  // still in use: then it must stay
    }
    munmap(memory_, kAltStackSize);
  }
  AltStack(const AltStack&) = delete;
  AltStack& operator=(const AltStack&) = delete;

  absl::Status Install() {
    stack_t current = {};
    if (sigaltstack(nullptr, &current) != 0) return absl::ErrnoToStatus(errno, "sigaltstack");
    if ((current.ss_flags & SS_DISABLE) == 0 && current.ss_size >= kAltStackSize / 4)
      return absl::OkStatus();
    if (memory_ == nullptr) {
      void* memory = mmap(nullptr, kAltStackSize, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
      if (memory == MAP_FAILED)
        return absl::ErrnoToStatus(errno, "cannot map an alternate signal stack");
      memory_ = memory;
    }
    stack_t stack = {};
    stack.ss_sp = memory_;
    stack.ss_size = kAltStackSize;
    if (sigaltstack(&stack, nullptr) != 0) return absl::ErrnoToStatus(errno, "sigaltstack");
    return absl::OkStatus();
  }

 private:
  void* memory_ = nullptr;
};

absl::Status InstallHandlers() {
  for (int i = 0; i < kNumSignals; ++i) {
    // In two steps, so that our handler never runs before it knows whom to pass a signal on to.
    if (sigaction(kSignals[i], nullptr, &previous_actions[i]) != 0)
      return absl::ErrnoToStatus(errno, "sigaction");
    struct sigaction action = {};
    action.sa_sigaction = &Handle;
    // SA_NODEFER: a fault inside the previous handler must reach the default action, not hang.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    if (sigaction(kSignals[i], &action, nullptr) != 0)
      return absl::ErrnoToStatus(errno, "sigaction");
  }
  struct sigaction action = {};
  action.sa_sigaction = &HandleInterrupt;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (sigaction(InterruptSignal(), &action, nullptr) != 0)
    return absl::ErrnoToStatus(errno, "sigaction");
  return absl::OkStatus();
}

}  // namespace

// The C library and debuggers take the first few for themselves.
int InterruptSignal() { return SIGRTMIN + 9; }

absl::Status PrepareThreadForGuestCode() {
  static const absl::Status* const installed = new absl::Status(InstallHandlers());
  if (!installed->ok()) return *installed;
  static thread_local AltStack alt_stack;
  return alt_stack.Install();
}

GuestCodeScope::GuestCodeScope(abi::VmContext* context, uint64_t code_begin, uint64_t code_end)
    : context_(context), code_{code_begin, code_end}, outer_(current_scope) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current_scope = this;
}

GuestCodeScope::GuestCodeScope(abi::VmContext* context, const NativeCodeSet* code,
                               const std::atomic<bool>* interrupt)
    : context_(context), set_(code), interrupt_(interrupt), outer_(current_scope) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current_scope = this;
}

GuestCodeScope::~GuestCodeScope() {
  current_scope = outer_;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace precast::runtime
