#include "runtime/instance.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_format.h"
#include "runtime/abi/helpers.h"
#include "runtime/signals.h"

namespace precast::runtime {

namespace {

// Room that a native function may use below the stack limit, which it checks only at its entry, and
// that a signal handler on the same stack would need.
constexpr uint64_t kNativeStackSlack = 64 << 10;
constexpr uint64_t kMinNativeStack = 2 * kNativeStackSlack;

constexpr int kHostStackPointer = 4;  // rsp, by hardware number

}  // namespace

const char* TrapName(abi::TrapCode code) {
  switch (code) {
#define PRECAST_TRAP(Name, text) \
  case abi::TrapCode::k##Name:   \
    return text;
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
  }
  return "unknown";
}

absl::StatusOr<std::unique_ptr<Instance>> Instance::Create(
    std::shared_ptr<const loader::Image> image, std::unique_ptr<HostAbi> host,
    InstanceOptions options) {
  ProgramImage program = ProgramOf(image);
  return Create(std::move(program), std::move(image), std::move(host), std::move(options));
}

absl::StatusOr<std::unique_ptr<Instance>> Instance::Create(
    ProgramImage program, std::shared_ptr<const loader::Image> image, std::unique_ptr<HostAbi> host,
    InstanceOptions options) {
  if (absl::Status s = Validate(program); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<GuestMemory>> memory = GuestMemory::Create(options.huge_pages);
  if (!memory.ok()) return memory.status();

  std::unique_ptr<Instance> instance(new Instance);
  instance->program_ = std::move(program);
  if (!options.interpret_only) instance->image_ = std::move(image);
  instance->host_ = std::move(host);
  instance->options_ = std::move(options);
  instance->memory_ = *std::move(memory);

  Interpreter::Options interpreter_options;
  interpreter_options.fast_helpers =
      std::find(instance->program_.extensions.begin(), instance->program_.extensions.end(),
                abi::kFastHelpersExtension) != instance->program_.extensions.end();
  interpreter_options.strict_alignment =
      instance->options_.strict_alignment || instance->host_->strict_alignment();
  instance->custom_ = interpreter_options.custom = instance->host_->custom_instructions();
  if (instance->image_ != nullptr) {
    interpreter_options.has_native_entry = [native = instance->image_.get()](uint32_t pc) {
      return native->FindEntry(pc) != nullptr;
    };
    if (absl::Status s = instance->AllocateNativeStack(instance->options_.native_stack_size);
        !s.ok())
      return s;
  }
  instance->interpreter_ =
      std::make_unique<Interpreter>(instance->program_, std::move(interpreter_options));

  abi::VmContext& context = instance->context_;
  context.memory_base = instance->memory_->base();
  context.runtime = static_cast<NativeCallbacks*>(instance.get());
  context.pc = instance->program_.entry_pc;
  if (absl::Status s = instance->memory_->MapProgram(instance->program_); !s.ok()) return s;
  if (absl::Status s = instance->host_->SetUp(instance->program_, *instance->memory_, context);
      !s.ok())
    return s;
  if (instance->counts_rows()) {
    if (absl::Status s =
            instance->memory_->MapMeterArea(instance->host_->memory_bits(), instance->program_);
        !s.ok())
      return s;
  }
  return instance;
}

Instance::~Instance() {
  if (native_stack_ != nullptr) munmap(native_stack_, native_stack_size_);
}

absl::Status Instance::AllocateNativeStack(uint64_t size) {
  if (size > uint64_t{1} << 40) {
    return absl::InvalidArgumentError(
        absl::StrFormat("native stack of %d bytes: expected at most 2^40", size));
  }
  size = std::max(size, kMinNativeStack);
  native_stack_size_ = (size + kPageSize - 1) / kPageSize * kPageSize + kPageSize;
  void* memory = mmap(nullptr, native_stack_size_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map the native stack");
  native_stack_ = static_cast<uint8_t*>(memory);
  if (mprotect(native_stack_, kPageSize, PROT_NONE) != 0) {
    return absl::ErrnoToStatus(errno, "cannot protect the native stack's guard page");
  }
  auto begin = reinterpret_cast<uint64_t>(native_stack_);
  context_.native_stack_top = begin + native_stack_size_;
  context_.native_stack_limit = begin + kPageSize + kNativeStackSlack;
  return absl::OkStatus();
}

void Instance::TouchPage(uint32_t page) {
  memory_->meter_area().page = page;
  precast_mark_page_at(memory_->base());
}

RunResult Instance::Run(int64_t limit) { return Run(limit, /*interpret=*/false); }

RunResult Instance::RunInterpreted(int64_t limit) { return Run(limit, /*interpret=*/true); }

Instance::Checkpoint Instance::SaveCheckpoint() const {
  Checkpoint checkpoint = {.x = {},
                           .pc = context_.pc,
                           .retired = retired_,
                           .exited = exited_,
                           .exit_code = exit_code_,
                           .statistics = statistics_};
  std::memcpy(checkpoint.x, context_.x, sizeof(checkpoint.x));
  return checkpoint;
}

void Instance::RestoreCheckpoint(const Checkpoint& checkpoint) {
  std::memcpy(context_.x, checkpoint.x, sizeof(checkpoint.x));
  context_.pc = checkpoint.pc;
  retired_ = checkpoint.retired;
  exited_ = checkpoint.exited;
  exit_code_ = checkpoint.exit_code;
  statistics_ = checkpoint.statistics;
}

RunResult Instance::Run(int64_t limit, bool interpret) {
  RunResult result;
  if (exited_) {
    Exited(result);
    return result;
  }
  if (image_ != nullptr) {
    if (absl::Status s = PrepareThreadForGuestCode(); !s.ok()) {
      Failed(std::move(s), result);
      return result;
    }
  }
  limit = std::clamp<int64_t>(limit, 0, kUnlimited);
  context_.fuel = limit;
  withheld_ = 0;
  // Code that does not count would not stop at a limit.
  const bool native = image_ != nullptr && !interpret && (limit == kUnlimited || image_->metered());
  for (;;) {
    if (context_.fuel <= 0) {
      result.reason = RunResult::Reason::kSuspended;
      break;
    }
    const void* entry = native ? image_->FindEntry(context_.pc) : nullptr;
    if (entry != nullptr ? RunNative(entry, result)
                         : RunInterpreter(/*until_limit=*/!native, result))
      break;
  }
  retired_ += static_cast<uint64_t>(limit - withheld_ - context_.fuel);
  return result;
}

// What native code was entered with.
struct Instance::NativeRun {
  uint32_t pc;
  int64_t fuel, withheld;
  uint64_t executed_for_native;
  uint64_t in_lanes;  // rows that it has counted in lanes since
};

// Why native code was left, and where, if the image has a site for that.
struct Instance::NativeStop {
  abi::ExitReason reason;
  std::optional<loader::SiteInfo> site;
  // Trapped, but not because there is a trap: the interpreter is to execute the instruction.
  bool interprets = false;
  bool is_custom = false;  // which is a custom one
};

bool Instance::RunNative(const void* entry, RunResult& result) {
  NativeRun run = {.pc = context_.pc,
                   .fuel = context_.fuel,
                   .withheld = withheld_,
                   .executed_for_native = executed_for_native_,
                   .in_lanes = 0};
  EnterNative(entry, run);
  absl::StatusOr<NativeStop> stop = FindStop();
  if (!stop.ok()) return Failed(stop.status(), result);
  if (stop->site.has_value()) {
    if (absl::Status s = BringBackState(*stop, run.fuel); !s.ok())
      return Failed(std::move(s), result);
  }
  CountRows(*stop, run);
  return GoOn(*stop, run, result);
}

void Instance::EnterNative(const void* entry, NativeRun& run) {
  ++statistics_.native_entries;
  auto code_begin = reinterpret_cast<uint64_t>(image_->text().data());
  GuestCodeScope scope(&context_, code_begin, code_begin + image_->text().size());
  if (!image_->counts_rows()) {
    precast_enter(&context_, entry);
    return;
  }
  ahead_marks().fuel = INT64_MIN;
  uint32_t rows[abi::kRowLanes];
  precast_enter_counting(&context_, entry, rows);
  for (size_t i = 0; i < std::size(rows); ++i) {
    rows_.lanes[i] += rows[i];
    run.in_lanes += rows[i];
  }
}

absl::StatusOr<Instance::NativeStop> Instance::FindStop() {
  NativeStop stop = {.reason = static_cast<abi::ExitReason>(context_.exit_reason), .site = {}};
  using Kind = loader::SiteInfo::Kind;
  if (stop.reason == abi::ExitReason::kTrap) stop.site = image_->FindSite(context_.stop_rip);
  if (stop.site.has_value()) {
    // What was trapped for, the site knows.
    if (stop.site->kind == Kind::kSuspend) stop.reason = abi::ExitReason::kSuspended;
    if (stop.site->kind == Kind::kStack) stop.reason = abi::ExitReason::kStackExhausted;
    stop.interprets = stop.site->kind == Kind::kTrap && stop.site->trap_code == 0;
    // A guard of an entry may be of one that begins with a custom instruction; it has charged
    // nothing.
    stop.is_custom = stop.interprets && stop.site->refund != 0 &&
                     interpreter_->CustomAt(stop.site->guest_pc) != nullptr;
  }
  CHECK_LT(static_cast<size_t>(stop.reason), std::size(statistics_.native_exits));
  ++statistics_.native_exits[static_cast<size_t>(stop.reason)];
  if (stop.reason == abi::ExitReason::kReturned || stop.reason == abi::ExitReason::kDispatchMiss ||
      stop.reason == abi::ExitReason::kHostExit)
    return stop;
  if (!stop.site.has_value()) {
    uint64_t offset = context_.stop_rip - reinterpret_cast<uint64_t>(image_->text().data());
    return absl::InternalError(absl::StrFormat(
        "native code stopped at text offset 0x%x (exit reason %d), where the image has no site",
        offset, context_.exit_reason));
  }
  if (stop.site->kind == Kind::kCall) {
    return absl::InternalError(absl::StrFormat(
        "native code stopped for reason %d at a site of kind %d, pc 0x%x", context_.exit_reason,
        static_cast<int>(stop.site->kind), stop.site->guest_pc));
  }
  return stop;
}

// Makes registers, pc and fuel those before the instruction at which native code has stopped.
absl::Status Instance::BringBackState(NativeStop& stop, int64_t fuel_before) {
  if (stop.reason == abi::ExitReason::kSuspended) stop.site->FindCharge(context_.fuel);
  if (stop.reason == abi::ExitReason::kStackExhausted) {
    for (int i = 0; i < abi::kNumPassed; ++i) {
      context_.x[abi::kPassed[i]] = static_cast<uint32_t>(context_.gpr[abi::kPassedIn[i]]);
    }
  }
  if (absl::Status s = Materialize(*stop.site); !s.ok()) return s;
  if (context_.fuel < 0 || context_.fuel > fuel_before) {
    return absl::InternalError(
        absl::StrFormat("native code at pc 0x%x left %d instructions of %d to the limit",
                        context_.pc, context_.fuel, fuel_before));
  }
  return absl::OkStatus();
}

// What has been charged, and is in no lane, was counted as nothing so far.
void Instance::CountRows(const NativeStop& stop, NativeRun& run) {
  // A jump has been counted, and is counted again by who executes it; a guard of an entry has
  // charged nothing.
  const bool is_jump =
      stop.interprets && !stop.is_custom && stop.site->refund != 0 && image_->counts_rows();
  if (is_jump) {
    --rows_.lanes[abi::kLeftLane];
    --run.in_lanes;
  }
  const int64_t charged = run.fuel - context_.fuel - (withheld_ - run.withheld);
  rows_.uncounted += static_cast<uint64_t>(charged);
  // Where it traps, lanes have what it would have executed.
  const bool lanes_are_exact =
      stop.reason != abi::ExitReason::kTrap || (stop.interprets && !stop.is_custom);
  if (lanes_are_exact)
    rows_.uncounted -= run.in_lanes + (executed_for_native_ - run.executed_for_native);
}

bool Instance::GoOn(const NativeStop& stop, const NativeRun& run, RunResult& result) {
  // Whoever breaks this would run for ever. What does not count may have come back here.
  const bool progress = context_.pc != run.pc || context_.fuel != run.fuel || !image_->metered();
  switch (stop.reason) {
    case abi::ExitReason::kHostExit:
      return Exited(result);
    case abi::ExitReason::kReturned:
    case abi::ExitReason::kDispatchMiss:
      if (progress) return false;
      return Failed(
          absl::InternalError(absl::StrFormat("native code at pc 0x%x did nothing", context_.pc)),
          result);
    case abi::ExitReason::kSuspended:
      if (image_->counts_rows()) ForgetAheadMarks();
      // Native code counts by blocks; the interpreter does what is left exactly.
      return RunInterpreter(/*until_limit=*/true, result);
    case abi::ExitReason::kStackExhausted:
      // Again from there, on an empty native stack; but a frame larger than the whole stack without
      // native code, past this entry at least.
      return !progress && RunInterpreter(/*until_limit=*/false, result);
    default:
      break;
  }
  if (stop.site->kind == loader::SiteInfo::Kind::kMemory &&
      !memory_->GuestAddress(context_.fault_address).has_value()) {
    return Failed(absl::InternalError(absl::StrFormat(
                      "native code at pc 0x%x touched host address 0x%x, outside guest memory",
                      context_.pc, context_.fault_address)),
                  result);
  }
  if (stop.interprets) return context_.fuel > 0 && RunInterpreter(/*until_limit=*/false, result);
  return ConfirmTrap(stop.site->kind == loader::SiteInfo::Kind::kTrap
                         ? std::optional<uint8_t>(stop.site->trap_code)
                         : std::nullopt,
                     result);
}

abi::AheadMarks& Instance::ahead_marks() {
  return *reinterpret_cast<abi::AheadMarks*>(memory_->base() + abi::kAheadMarks);
}

// Code was left for want of fuel, maybe between marks and what they are for.
void Instance::ForgetAheadMarks() {
  const abi::AheadMarks& ahead = ahead_marks();
  if (ahead.fuel != context_.fuel) return;
  abi::MeterArea& area = memory_->meter_area();
  while (area.log != ahead.log) memory_->page_marks()[(--area.log)->page] = 0;
  area.contents = ahead.contents;
}

// Native code knows that there is a trap; the interpreter says which one exactly, by trapping in
// the same way. (The processor reports an access to two forbidden pages as it likes, for example.)
bool Instance::ConfirmTrap(std::optional<uint8_t> code, RunResult& result) {
  if (context_.fuel <= 0) {
    // The limit comes first. Native code need not retire an instruction to find out about a trap.
    result.reason = RunResult::Reason::kSuspended;
    return true;
  }
  // Two accesses that native code does as one have the site of the first; what is between them and
  // the one that cannot be done is executed here.
  constexpr int64_t kMostBetween = 4096;
  const int64_t fuel = context_.fuel;
  context_.fuel = code.has_value() ? 1 : std::min(fuel, kMostBetween);
  const int64_t given = context_.fuel;
  InterpreterResult stop = interpreter_->Run(context_, *memory_, /*stop_at_native_entry=*/false);
  const bool trapped = stop.stop == InterpreterResult::Stop::kTrap;
  context_.fuel = fuel - (given - context_.fuel);
  if (context_.fuel == 0 && !code.has_value()) {
    result.reason = RunResult::Reason::kSuspended;
    return true;
  }
  if (!trapped || (code.has_value() && *code != static_cast<uint8_t>(stop.trap))) {
    return Failed(absl::InternalError(absl::StrFormat(
                      "native code trapped at pc 0x%x, code %d: expected %s", context_.pc,
                      code.value_or(static_cast<uint8_t>(abi::TrapCode::kMemoryFault)),
                      trapped ? TrapName(stop.trap) : "no trap")),
                  result);
  }
  return Trapped(stop, result);
}

absl::Status Instance::Materialize(const loader::SiteInfo& site) {
  uint64_t rsp = context_.gpr[kHostStackPointer];
  for (const loader::StateLocation& location : site.state) {
    uint32_t value = 0;
    switch (location.kind) {
      case loader::StateLocation::Kind::kContext:
        continue;
      case loader::StateLocation::Kind::kRegister:
        if (location.value < 0 || location.value > 31) {
          return absl::InternalError(absl::StrFormat("site at pc 0x%x: machine register %d",
                                                     site.guest_pc, location.value));
        }
        value =
            static_cast<uint32_t>(context_.gpr[location.value % 16] >> (location.value / 16 * 32));
        break;
      case loader::StateLocation::Kind::kFrame: {
        // A damaged table must not make us read outside the stack.
        uint64_t offset =
            rsp + static_cast<int64_t>(location.value) - reinterpret_cast<uint64_t>(native_stack_);
        if (offset < kPageSize || offset > native_stack_size_ - sizeof(value)) {
          return absl::InternalError(
              absl::StrFormat("site at pc 0x%x: frame slot %d is outside the native stack",
                              site.guest_pc, location.value));
        }
        std::memcpy(&value, native_stack_ + offset, sizeof(value));
        break;
      }
      case loader::StateLocation::Kind::kConstant:
        value = static_cast<uint32_t>(location.value);
        break;
    }
    if (location.slot == 0 || location.slot > 32) {
      return absl::InternalError(
          absl::StrFormat("site at pc 0x%x: state slot %d", site.guest_pc, location.slot));
    }
    if (location.slot < 32) context_.x[location.slot] = value;
    // Slot 32, the pc, is what the site says.
  }
  context_.pc = site.guest_pc;
  context_.fuel += site.refund;
  context_.stop_rip = 0;
  return absl::OkStatus();
}

bool Instance::RunInterpreter(bool until_limit, RunResult& result) {
  for (;;) {
    int64_t before = context_.fuel;
    InterpreterResult stop =
        interpreter_->Run(context_, *memory_, image_ != nullptr && !until_limit);
    statistics_.interpreted += static_cast<uint64_t>(before - context_.fuel);
    switch (stop.stop) {
      case InterpreterResult::Stop::kFuel:
        result.reason = RunResult::Reason::kSuspended;
        return true;
      case InterpreterResult::Stop::kTrap:
        return Trapped(stop, result);
      case InterpreterResult::Stop::kNativeEntry:
        return false;
      case InterpreterResult::Stop::kEnded:
        exited_ = true;
        exit_code_ = stop.exit_code;
        return Exited(result);
      case InterpreterResult::Stop::kEcall:
        if (!HostCall()) return Exited(result);
        if (!until_limit) return false;
        break;
    }
  }
}

bool Instance::HostCall() {
  ++statistics_.host_calls;
  ++executed_for_native_;
  if (custom_ != nullptr) {
    // Native code calls here for a custom instruction that ends the guest, too.
    if (CustomSite* site = interpreter_->CustomAt(context_.pc)) {
      exited_ = true;
      exit_code_ = ExecuteCustom(*site, {}).value;
      return false;
    }
  }
  HostCallResult result = host_->HandleCall(context_, *memory_);
  if (result.exited) {
    exited_ = true;
    exit_code_ = result.exit_code;
    return false;
  }
  context_.x[0] = 0;
  context_.pc += 4;
  return true;
}

bool Instance::Failed(absl::Status status, RunResult& result) {
  result.reason = RunResult::Reason::kFailed;
  result.failure = std::move(status);
  return true;
}

bool Instance::Trapped(const InterpreterResult& stop, RunResult& result) {
  result.reason = RunResult::Reason::kTrapped;
  result.trap = stop.trap;
  result.fault_address = stop.fault_address;
  return true;
}

bool Instance::Exited(RunResult& result) const {
  result.reason = RunResult::Reason::kExited;
  result.exit_code = exit_code_;
  return true;
}

// For native code.
CustomResult Instance::ExecuteCustom(CustomSite& site, const precast::openvm::Operands& operands) {
  precast::openvm::Observer* const observer = interpreter_->observer();
  const bool tells = site.rows_vary && observer != nullptr;
  if (tells) observer->OnNativeCustom(site.instruction, operands);
  const CustomResult result =
      custom_->Execute(*site.entry, site.instruction, operands, *memory_, observer);
  if (result.trap != abi::TrapCode::kNone) return result;
  if (tells) observer->OnNativeCustomRetired();
  if (!site.rows_vary) ++site.times;
  return result;
}

uint64_t Instance::Custom(uint32_t pc, uint32_t rd, uint32_t rs1, uint32_t rs2) {
  ++statistics_.custom_calls;
  CustomSite* site = custom_ != nullptr ? interpreter_->CustomAt(pc) : nullptr;
  if (site == nullptr) return 1;  // the interpreter will find that native code is wrong
  const CustomResult result = ExecuteCustom(*site, {.rd = rd, .rs1 = rs1, .rs2 = rs2});
  if (result.trap != abi::TrapCode::kNone) return 1;
  ++executed_for_native_;
  if (custom_calls_left_ != 0 && --custom_calls_left_ == 0) {
    // All of the block has been paid for, and fuel is asked for before the next one.
    const int64_t rest = context_.fuel % custom_calls_unit_;
    withheld_ += context_.fuel - rest;
    context_.fuel = rest;
  }
  return uint64_t{result.value} << 32;
}

const void* Instance::ResolvePlt(uint32_t index) {
  CHECK(options_.resolve_plt != nullptr)
      << "unbound PLT entry " << index << " and nobody to bind it";
  const void* target = options_.resolve_plt(index);
  CHECK(target != nullptr) << "PLT entry " << index << " cannot be bound";
  return target;
}

}  // namespace precast::runtime
