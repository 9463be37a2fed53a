// A running guest: its state, its memory, its host, and the code that executes it (native code from
// an image where there is some, the interpreter elsewhere). Either way it computes the same,
// instruction for instruction, and counts the same.
//
// One thread at a time may use an instance; several instances may run in several threads.
#ifndef PRECAST_RUNTIME_INSTANCE_H_
#define PRECAST_RUNTIME_INSTANCE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/image.h"
#include "runtime/abi/ahead_marks.h"
#include "runtime/abi/meter_area.h"
#include "runtime/abi/vm_context.h"
#include "runtime/host/host_abi.h"
#include "runtime/interpreter/interpreter.h"
#include "runtime/memory.h"
#include "runtime/program.h"
#include "runtime/trampolines.h"

namespace precast::runtime {

// What reports call a trap, for example "memory-fault".
const char* TrapName(abi::TrapCode code);

struct InstanceOptions {
  bool interpret_only = false;    // ignore native code
  bool strict_alignment = false;  // for the interpreter; native code has it compiled in, or not
  uint64_t native_stack_size = uint64_t{1}
                               << 20;  // bytes, rounded up to whole pages; at least 128 KiB
  bool huge_pages = true;  // ask for them where the guest's memory is large (huge_pages.h)
  // Binds PLT entry `index` of the image and returns its native code; needed only where the loader
  // left entries unbound.
  std::function<const void*(uint32_t index)> resolve_plt;
};

struct RunResult {
  enum class Reason : uint8_t {
    kExited,     // exit_code; pc is that of the ecall
    kTrapped,    // trap, fault_address; pc is that of the instruction
    kSuspended,  // the limit is reached; Run() goes on
    kFailed,  // `failure`: the image's code or tables broke the contract; the state is not usable
  };
  Reason reason = Reason::kSuspended;
  uint32_t exit_code = 0;
  abi::TrapCode trap = abi::TrapCode::kNone;
  uint32_t fault_address = 0;  // as InterpreterResult::fault_address
  absl::Status failure;
};

// For --stats. They depend on what is native and what is not; the guest cannot see them.
struct RunStatistics {
  uint64_t interpreted = 0;  // instructions retired in the interpreter; all others were native
  uint64_t native_entries = 0;
  uint64_t host_calls = 0;
  uint64_t custom_calls = 0;      // custom instructions that native code called for
  uint64_t native_exits[6] = {};  // by abi::ExitReason
};

class Instance final : private NativeCallbacks {
 public:
  static constexpr int64_t kUnlimited = int64_t{1} << 62;

  // Maps the program and lets the host set it up. `image` may be null (then everything is
  // interpreted); otherwise `program` must be that of the image.
  static absl::StatusOr<std::unique_ptr<Instance>> Create(
      ProgramImage program, std::shared_ptr<const loader::Image> image,
      std::unique_ptr<HostAbi> host, InstanceOptions options);
  // The usual case: the program of an image.
  static absl::StatusOr<std::unique_ptr<Instance>> Create(
      std::shared_ptr<const loader::Image> image, std::unique_ptr<HostAbi> host,
      InstanceOptions options);
  ~Instance() override;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Runs until the guest ends or traps or, having retired exactly `limit` more instructions, is
  // suspended. The limit comes first: a guest that would trap at the next instruction, or has no
  // next instruction, is suspended. After kTrapped, running again tries the same instruction again;
  // after kExited the result stays that. `limit` is at most kUnlimited.
  RunResult Run(int64_t limit = kUnlimited);

  // The same, without native code.
  RunResult RunInterpreted(int64_t limit = kUnlimited);

  // Whether native code counts rows and marks pages (loader::Image::counts_rows); the memory's
  // meter area is mapped then.
  bool counts_rows() const { return image_ != nullptr && image_->counts_rows(); }
  // A run ends early, once native code has called for so many custom instructions: where the rest
  // of its limit is a multiple of `unit`, and less than that would have been left. 0 calls: no
  // longer.
  void LimitCustomCalls(uint64_t calls, int64_t unit) {
    custom_calls_left_ = calls;
    custom_calls_unit_ = unit;
  }
  // Then: marks and logs a page of guest memory, as native code does before it touches one that is
  // not marked.
  void TouchPage(uint32_t page);
  // What native code has counted since it was last taken.
  struct Rows {
    std::array<uint64_t, abi::kRowLanes> lanes = {};
    // Instructions that it has executed, and counted in no lane; but for those that the runtime has
    // executed for it. After a trap these are too many, as rows in lanes may be.
    uint64_t uncounted = 0;
  };
  Rows TakeRows() { return std::exchange(rows_, {}); }

  // What is not in the guest's memory and the host, to be put back.
  struct Checkpoint {
    uint32_t x[32];
    uint32_t pc;
    uint64_t retired;
    bool exited;
    uint32_t exit_code;
    RunStatistics statistics;
  };
  Checkpoint SaveCheckpoint() const;
  void RestoreCheckpoint(const Checkpoint& checkpoint);

  // Instructions retired since the guest started (in another process, if it was restored from
  // there).
  uint64_t retired() const { return retired_; }
  const RunStatistics& statistics() const { return statistics_; }
  // Guest registers and pc; exact whenever Run() is not running.
  const uint32_t* registers() const { return context_.x; }
  uint32_t pc() const { return context_.pc; }
  bool exited() const { return exited_; }

  abi::VmContext& context() { return context_; }
  GuestMemory& memory() { return *memory_; }
  HostAbi& host() { return *host_; }
  const HostAbi& host() const { return *host_; }
  // For an observer of everything that is interpreted, and of the custom instructions of native
  // code.
  Interpreter& interpreter() { return *interpreter_; }
  const ProgramImage& program() const { return program_; }
  // For restoring.
  void set_retired(uint64_t retired) { retired_ = retired; }

 private:
  Instance() = default;

  RunResult Run(int64_t limit, bool interpret);
  absl::Status AllocateNativeStack(uint64_t size);
  // Each returns true when `result` says why the run is over.
  bool RunNative(const void* entry, RunResult& result);
  bool RunInterpreter(bool until_limit, RunResult& result);
  // What RunNative() consists of.
  struct NativeRun;
  struct NativeStop;
  void EnterNative(const void* entry, NativeRun& run);
  absl::StatusOr<NativeStop> FindStop();
  absl::Status BringBackState(NativeStop& stop, int64_t fuel_before);
  void CountRows(const NativeStop& stop, NativeRun& run);
  bool GoOn(const NativeStop& stop, const NativeRun& run, RunResult& result);
  // False: the guest has exited.
  bool HostCall() override;
  const void* ResolvePlt(uint32_t index) override;
  uint64_t Custom(uint32_t pc, uint32_t rd, uint32_t rs1, uint32_t rs2) override;
  CustomResult ExecuteCustom(CustomSite& site, const precast::openvm::Operands& operands);
  // Brings the state at a native site into x[], pc and fuel.
  absl::Status Materialize(const loader::SiteInfo& site);
  bool ConfirmTrap(std::optional<uint8_t> code, RunResult& result);
  abi::AheadMarks& ahead_marks();
  void ForgetAheadMarks();
  static bool Failed(absl::Status status, RunResult& result);
  static bool Trapped(const InterpreterResult& stop, RunResult& result);
  bool Exited(RunResult& result) const;

  ProgramImage program_;
  std::shared_ptr<const loader::Image> image_;  // null where everything is interpreted
  std::unique_ptr<HostAbi> host_;
  CustomInstructions* custom_ = nullptr;  // the host's
  InstanceOptions options_;
  std::unique_ptr<GuestMemory> memory_;
  std::unique_ptr<Interpreter> interpreter_;
  abi::VmContext context_ = {};
  uint8_t* native_stack_ = nullptr;  // a guard page, then the stack
  uint64_t native_stack_size_ = 0;   // with the guard page
  uint64_t retired_ = 0;
  bool exited_ = false;
  uint32_t exit_code_ = 0;
  RunStatistics statistics_;
  Rows rows_;
  uint64_t executed_for_native_ = 0;  // instructions: custom ones, host calls
  uint64_t custom_calls_left_ = 0;    // 0: any number
  int64_t custom_calls_unit_ = 1;
  int64_t withheld_ = 0;  // of the limit of the run at hand
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_INSTANCE_H_
