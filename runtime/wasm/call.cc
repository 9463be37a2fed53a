// Calls between the embedder, host functions, native code and the interpreter, and what becomes of
// a guest that ends.
//
// Every way into native code is an activation: CallNative, precast_wasm_enter, guest code; its host
// calls run on the host's stack below it and may begin further activations, which go on below on
// the native stack. A guest that ends leaves the innermost activation only. Whoever began that one
// then has `ended`: the embedder as its CallResult, likewise a host function that called in; the
// interpreter and PrecastWasmHostCall hand it on outwards.
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/log/check.h"
#include "absl/strings/str_format.h"
#include "runtime/abi/fingerprint.h"
#include "runtime/abi/round_slots.h"
#include "runtime/wasm/store_data.h"

namespace precast::runtime::wasm {

namespace {

// What C++ code between two entries into the guest may use of the host's stack, host functions
// included; less if the stack is small.
constexpr uint64_t kHostStackReserve = 256 << 10;
constexpr uint32_t kMaxDepth = 20000;
constexpr uint32_t kMaxDepthOnUnknownStack = 100;
// For the frames of trampolines at the top of an activation.
constexpr uint64_t kActivationRoom = 1024;

struct HostStack {
  uint64_t low = 0, high = 0;  // 0: not known
};

// Of the thread that the process began with; nothing if it is not known. The C library would read
// /proc/self/maps, which is a twentieth of the time that a process takes for a guest that does next
// to nothing.
std::optional<HostStack> FirstThreadsStack() {
  // Linux keeps twice as much address space free for it, whatever the limit was when the process
  // began.
  constexpr uint64_t kCertain = uint64_t{64} << 20;
  // The last thing on the stack is the name of the program, and eight bytes.
  const auto* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  rlimit limit;
  if (name == nullptr || getrlimit(RLIMIT_STACK, &limit) != 0) return std::nullopt;
  const uint64_t high = reinterpret_cast<uint64_t>(name) + std::strlen(name) + 1 + 8;
  const uint64_t size = std::min<uint64_t>(limit.rlim_cur, kCertain);
  if (size >= high) return std::nullopt;
  return HostStack{.low = high - size, .high = high};
}

HostStack FindHostStack() {
  if (gettid() == getpid()) {
    if (const std::optional<HostStack> stack = FirstThreadsStack()) return *stack;
  }
  HostStack stack;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return stack;
  void* low;
  size_t size;
  if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
    stack.low = reinterpret_cast<uint64_t>(low);
    stack.high = stack.low + size;
  }
  pthread_attr_destroy(&attributes);
  return stack;
}

int ThreadId() {
  static thread_local const int id = gettid();
  return id;
}

class CallerImpl final : public Caller {
 public:
  CallerImpl(StoreData& store, InstanceImpl* instance) : store_(store), instance_(instance) {}
  Store& store() override { return store_.store; }
  Instance* instance() override { return instance_; }
  Memory* memory() override {
    return instance_ != nullptr ? instance_->MemoryForCaller() : nullptr;
  }

 private:
  StoreData& store_;
  InstanceImpl* instance_;
};

class DepthScope {
 public:
  explicit DepthScope(StoreData& store) : store_(store) { ++store_.depth; }
  ~DepthScope() { --store_.depth; }
  DepthScope(const DepthScope&) = delete;
  DepthScope& operator=(const DepthScope&) = delete;

 private:
  StoreData& store_;
};

// The value alone, whatever is in the rest of the cell.
abi::WasmValue Clean(ValType type, const abi::WasmValue& value) {
  abi::WasmValue cell = {};
  const bool is_32 = type == ValType::kI32 || type == ValType::kF32;
  std::memcpy(cell.bytes, value.bytes, is_32 ? 4 : type == ValType::kV128 ? 16 : 8);
  return cell;
}

}  // namespace

const FuncType& Func::type() const {
  return static_cast<const FunctionObject*>(this)->signature->type;
}

CallResult Func::Call(absl::Span<const Value> args) {
  auto* function = static_cast<FunctionObject*>(this);
  const FuncType& type = this->type();
  CHECK_EQ(args.size(), type.params.size());
  absl::InlinedVector<abi::WasmValue, 8> values(function->signature->max_values());
  for (size_t i = 0; i < args.size(); ++i) {
    CHECK(args[i].type == type.params[i]) << "argument " << i << " has another type";
    values[i] = Clean(args[i].type, args[i].bits);
  }
  StoreData& store = *function->store;
  if (!store.Invoke(record_, values.data(), nullptr)) return std::move(store.ended);
  CallResult result;
  result.values.reserve(type.results.size());
  for (size_t i = 0; i < type.results.size(); ++i)
    result.values.push_back({type.results[i], Clean(type.results[i], values[i])});
  return result;
}

bool StoreData::Invoke(const abi::FunctionRecord* record, abi::WasmValue* values,
                       InstanceImpl* caller) {
  if (!Make(record)) return false;
  auto& function = *static_cast<FunctionObject*>(record->function);
  if (function.host != nullptr) return CallHost(function, values, caller);
  if (!HostStackLeft()) return Trapped(abi::TrapCode::kCallStackExhausted);
  DepthScope scope(*this);
  return record->code != nullptr ? CallNative(record, values) : CallInterpreted(function, values);
}

bool StoreData::CallHost(FunctionObject& function, abi::WasmValue* values, InstanceImpl* caller) {
  const FuncType& type = function.signature->type;
  absl::InlinedVector<Value, 8> args(type.params.size());
  absl::InlinedVector<Value, 4> results(type.results.size());
  for (size_t i = 0; i < args.size(); ++i)
    args[i] = {type.params[i], Clean(type.params[i], values[i])};
  for (size_t i = 0; i < results.size(); ++i) results[i].type = type.results[i];
  CallerImpl caller_impl(*this, caller);
  HostResult result = (*function.host)(caller_impl, args, absl::MakeSpan(results));
  switch (result.kind) {
    case HostResult::Kind::kReturn:
      break;
    case HostResult::Kind::kTrap:
      return Trapped(result.trap);
    case HostResult::Kind::kExit:
      ended = CallResult();
      ended.kind = CallResult::Kind::kExited;
      ended.exit_code = result.exit_code;
      return false;
    case HostResult::Kind::kFail:
      return Failed(std::move(result.failure));
  }
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].type != type.results[i])
      return Failed(
          absl::InternalError(absl::StrFormat("result %d of a host function has another type", i)));
    values[i] = Clean(type.results[i], results[i].bits);
  }
  return true;
}

bool StoreData::CallInterpreted(FunctionObject& function, abi::WasmValue* values) {
  InstanceImpl& instance = *function.instance;
  abi::VmContext& vm = instance.context()->vm;
  if (TakeInterrupt()) return Trapped(abi::TrapCode::kInterrupted);
  vm.fuel = fuel;
  // The only values of a function without any.
  abi::WasmValue none[1];
  const InterpreterStop stop =
      instance.interpreter().Run(function.index, values != nullptr ? values : none);
  fuel = vm.fuel;
  switch (stop.kind) {
    case InterpreterStop::Kind::kReturned:
      return true;
    case InterpreterStop::Kind::kUnwinding:
      return false;
    case InterpreterStop::Kind::kTrapped:
      if (stop.trap == abi::TrapCode::kInterrupted) TakeInterrupt();
      Trapped(stop.trap);
      ended.function = FunctionName(instance.data(), stop.function);
      ended.offset = stop.offset;
      return false;
    case InterpreterStop::Kind::kMalformed:
      break;
  }
  return Failed(absl::InternalError(absl::StrFormat("%s: cannot decode the code at 0x%x",
                                                    FunctionName(instance.data(), stop.function),
                                                    stop.offset)));
}

absl::Status StoreData::PrepareNative() {
  static thread_local bool prepared = false;
  if (!prepared) {
    if (absl::Status s = PrepareThreadForGuestCode(); !s.ok()) return s;
    prepared = true;
  }
  if (!stack.allocated()) {
    if (absl::Status s = stack.Allocate(options.native_stack_size); !s.ok()) return s;
    stack_top = stack.top();
    for (const std::unique_ptr<Instance>& instance : instances)
      instance->context()->vm.native_stack_limit = stack.limit();
  }
  return absl::OkStatus();
}

bool StoreData::CallNative(const abi::FunctionRecord* record, abi::WasmValue* values) {
  if (absl::Status s = PrepareNative(); !s.ok()) return Failed(std::move(s));
  const uint64_t top = stack_top / 16 * 16;
  if (top < stack.limit() + kActivationRoom) return Trapped(abi::TrapCode::kCallStackExhausted);

  abi::WasmContext& context = *record->context;
  const auto& signature = *static_cast<const Signature*>(record->signature);
  PassedArea area;
  ToPlaces(signature.params, values, area, context.args);
  context.vm.native_stack_limit = stack.limit();
  context.vm.fuel = fuel;
  const uint64_t host_rsp = context.vm.host_rsp;
  abi::VmContext exit;
  abi::VmContext* at;
  thread.store(ThreadId(), std::memory_order_relaxed);
  in_native.store(true);
  if (interrupt.load()) {
    in_native.store(false);
    TakeInterrupt();
    return Trapped(abi::TrapCode::kInterrupted);
  }
  {
    GuestCodeScope scope(&exit, &code_set, &interrupt);
    at = precast_wasm_enter(&context, record->code, &area, top, &exit);
  }
  in_native.store(false);
  context.vm.host_rsp = host_rsp;
  fuel = at->fuel;
  if (at->exit_reason != static_cast<uint32_t>(abi::ExitReason::kReturned)) return Left(*at);
  FromPlaces(signature.results, area, context.args, values);
  return true;
}

bool StoreData::Trapped(abi::TrapCode code) {
  ended = CallResult();
  ended.kind = CallResult::Kind::kTrapped;
  ended.trap = code;
  return false;
}

bool StoreData::Failed(absl::Status why) {
  ended = CallResult();
  ended.kind = CallResult::Kind::kFailed;
  ended.failure = std::move(why);
  return false;
}

bool StoreData::TakeInterrupt() {
  return interrupt.load(std::memory_order_relaxed) && interrupt.exchange(false);
}

bool StoreData::HostStackLeft() const {
  static thread_local const HostStack host_stack = FindHostStack();
  const auto here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  if (here < host_stack.low || here >= host_stack.high) return depth < kMaxDepthOnUnknownStack;
  const uint64_t reserve = std::min(kHostStackReserve, (host_stack.high - host_stack.low) / 4);
  return depth < kMaxDepth && here - host_stack.low >= reserve;
}

const ModuleData* StoreData::ModuleOfCode(uint64_t native_pc) const {
  for (size_t i = 0; i < modules.size(); ++i) {
    if (code[i].Contains(native_pc)) return &modules[i]->data();
  }
  return nullptr;
}

void StoreData::SetPlace(const ModuleData& module, uint32_t offset) {
  const std::optional<uint32_t> function = FunctionAt(module, offset);
  if (!function.has_value()) return;
  ended.function = FunctionName(module, *function);
  ended.offset = offset;
}

int64_t StoreData::FuelOfRoundsLeft(const abi::VmContext& at, const loader::SiteInfo& site) const {
  constexpr uint64_t kStackPointer = 4;  // in gpr
  uint32_t numbers[4] = {};
  uint32_t found = 0;
  for (const loader::StateLocation& location : site.state) {
    if (!abi::IsRoundSlot(location.slot)) continue;
    uint32_t& number = numbers[location.slot - abi::kSlotCounter];
    switch (location.kind) {
      case loader::StateLocation::Kind::kContext:
        continue;
      case loader::StateLocation::Kind::kRegister:
        number = static_cast<uint32_t>(at.gpr[static_cast<uint32_t>(location.value) % 16] >>
                                       (static_cast<uint32_t>(location.value) / 16 % 2 * 32));
        break;
      case loader::StateLocation::Kind::kFrame: {
        // A damaged table must not make us read outside the stack.
        const uint64_t address =
            at.gpr[kStackPointer] + static_cast<uint64_t>(int64_t{location.value});
        if (!stack.Contains(address, sizeof(number))) return 0;
        std::memcpy(&number, reinterpret_cast<const void*>(address), sizeof(number));
        break;
      }
      case loader::StateLocation::Kind::kConstant:
        number = static_cast<uint32_t>(location.value);
        break;
    }
    ++found;
  }
  if (found != std::size(numbers)) return 0;
  return abi::FuelOfRoundsLeft(numbers[0], numbers[1], numbers[2], numbers[3]);
}

bool StoreData::Left(abi::VmContext& at) {
  using Kind = loader::SiteInfo::Kind;
  const auto reason = static_cast<abi::ExitReason>(at.exit_reason);
  if (reason == abi::ExitReason::kHostExit) return false;  // `ended` is set

  const ModuleData* module = ModuleOfCode(at.stop_rip);
  const uint64_t text_offset =
      module != nullptr ? at.stop_rip - reinterpret_cast<uint64_t>(module->image->text().data())
                        : 0;
  std::optional<loader::SiteInfo> site;
  if (module != nullptr) site = module->image->FindSite(at.stop_rip);
  auto trapped = [&](abi::TrapCode trap, uint32_t refund) {
    fuel += static_cast<int32_t>(refund);
    if (site.has_value()) fuel += FuelOfRoundsLeft(at, *site);
    Trapped(trap);
    if (site.has_value()) SetPlace(*module, site->guest_pc);
    return false;
  };
  switch (reason) {
    case abi::ExitReason::kStackExhausted:
      // From a trampoline, at the call: that has been made.
      return trapped(abi::TrapCode::kCallStackExhausted, 0);
    case abi::ExitReason::kTypeMismatch: {
      // call_indirect itself traps, so it is not counted; as the last of its segment it has been.
      // (The place of a return_call_indirect is its caller's.)
      const auto& context = reinterpret_cast<const abi::WasmContext&>(at);
      const bool metered = static_cast<const InstanceImpl*>(context.instance)->data().metered;
      return trapped(abi::TrapCode::kIndirectCallTypeMismatch, metered ? 1 : 0);
    }
    case abi::ExitReason::kInterrupted:
      TakeInterrupt();
      Trapped(abi::TrapCode::kInterrupted);
      if (module != nullptr) {
        if (std::optional<uint32_t> pc = module->image->GuestPcOf(at.stop_rip))
          SetPlace(*module, *pc);
      }
      return false;
    case abi::ExitReason::kTrap: {
      if (!site.has_value()) break;
      if (site->kind == Kind::kTrap && site->trap_code < abi::kNumTrapCodes)
        return trapped(static_cast<abi::TrapCode>(site->trap_code), site->refund);
      if (site->kind == Kind::kSuspend) {
        site->FindCharge(fuel);
        return trapped(abi::TrapCode::kOutOfFuel, site->refund);
      }
      if (site->kind == Kind::kStack)
        return trapped(abi::TrapCode::kCallStackExhausted, site->refund);
      if (site->kind != Kind::kMemory) break;
      if (site->IsUnpaid(fuel)) return trapped(abi::TrapCode::kOutOfFuel, site->refund);
      for (const std::unique_ptr<Instance>& instance : instances) {
        if (static_cast<const InstanceImpl&>(*instance).Reserves(at.fault_address))
          return trapped(abi::TrapCode::kOutOfBoundsMemoryAccess, site->refund);
      }
      return Failed(absl::InternalError(
          absl::StrFormat("native code at 0x%x touched host address 0x%x, outside its memories",
                          site->guest_pc, at.fault_address)));
    }
    default:
      break;
  }
  return Failed(absl::InternalError(absl::StrFormat(
      "native code stopped at text offset 0x%x for reason %d, where the image has %s", text_offset,
      at.exit_reason,
      site.has_value() ? absl::StrFormat("a site of kind %d", static_cast<int>(site->kind))
                       : "no site")));
}

bool InstanceImpl::HostCall() {
  return store_.Failed(absl::InternalError("WebAssembly code asked for an environment call"));
}

}  // namespace precast::runtime::wasm

// Called by trampolines.S, on the host's stack; with C linkage, so that they are known by these
// names there. False: the guest has ended.

extern "C" {

bool PrecastWasmHostCall(precast::abi::WasmContext* context,
                         const precast::abi::FunctionRecord* record,
                         precast::runtime::wasm::PassedArea* area);
bool PrecastWasmHelper(precast::abi::WasmContext* context,
                       const precast::abi::FunctionRecord* record, uint64_t* integers);
bool PrecastWasmMake(precast::abi::WasmContext* context,
                     const precast::abi::FunctionRecord* record);

bool PrecastWasmHostCall(precast::abi::WasmContext* context,
                         const precast::abi::FunctionRecord* record,
                         precast::runtime::wasm::PassedArea* area) {
  using precast::abi::TrapCode;
  using precast::abi::WasmValue;
  namespace wasm = precast::runtime::wasm;
  auto& caller = *static_cast<wasm::InstanceImpl*>(context->instance);
  const auto& signature = *static_cast<const wasm::Signature*>(record->signature);
  wasm::StoreData& store = caller.store();
  store.in_native.store(false, std::memory_order_release);
  store.fuel = context->vm.fuel;
  const uint64_t stack_top = store.stack_top;
  store.stack_top = reinterpret_cast<uint64_t>(area);

  absl::InlinedVector<WasmValue, 16> values(signature.max_values());
  FromPlaces(signature.params, *area, context->args, values.data());
  bool ok = store.Invoke(record, values.data(), &caller);
  if (ok) {
    ToPlaces(signature.results, values.data(), *area, context->args);
    store.in_native.store(true);
    if (store.interrupt.load()) {
      store.TakeInterrupt();
      ok = store.Trapped(TrapCode::kInterrupted);
    }
  }
  if (!ok && store.ended.kind == wasm::CallResult::Kind::kTrapped && store.ended.function.empty()) {
    const uint64_t pc = area->return_address;
    if (const wasm::ModuleData* module = store.ModuleOfCode(pc)) {
      if (auto site = module->image->FindSite(pc)) store.SetPlace(*module, site->guest_pc);
    }
  }
  store.stack_top = stack_top;
  context->vm.fuel = store.fuel;
  return ok;
}

bool PrecastWasmHelper(precast::abi::WasmContext* context,
                       const precast::abi::FunctionRecord* record, uint64_t* integers) {
  using precast::abi::TrapCode;
  using precast::abi::WasmHelper;
  namespace wasm = precast::runtime::wasm;
  auto& instance = *static_cast<wasm::InstanceImpl*>(context->instance);
  const auto helper = static_cast<WasmHelper>(record - context->helpers);
  const TrapCode trap = RunHelper(instance, helper, integers, &integers[0]);
  if (trap == TrapCode::kNone) return true;
  wasm::StoreData& store = instance.store();
  if (trap == TrapCode::kInterrupted) store.TakeInterrupt();
  store.Trapped(trap);
  // Above the five integers is the return address.
  const uint64_t pc = integers[5];
  if (const wasm::ModuleData* module = store.ModuleOfCode(pc)) {
    if (auto site = module->image->FindSite(pc)) {
      store.SetPlace(*module, site->guest_pc);
      context->vm.fuel += site->refund;
    }
  }
  return false;
}

bool PrecastWasmMake(precast::abi::WasmContext* context,
                     const precast::abi::FunctionRecord* record) {
  return static_cast<precast::runtime::wasm::InstanceImpl*>(context->instance)
      ->store()
      .Make(record);
}

}  // extern "C"
