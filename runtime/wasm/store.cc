#include "runtime/wasm/store.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "runtime/wasm/atomic_wait.h"
#include "runtime/wasm/store_data.h"

namespace precast::runtime::wasm {

namespace {

constexpr uint64_t kHostPage = 4096;
// Below the stack limit: what a function may use beyond what it checks at its entry, and a signal
// handler on the same stack; then pages that fault.
constexpr uint64_t kStackSlack = 64 << 10;
constexpr uint64_t kStackGuard = 64 << 10;
constexpr uint64_t kMinStack = 2 * kStackSlack;
constexpr uint64_t kMaxStack = uint64_t{1} << 40;

// Native stacks not in use.
class StackPool {
 public:
  uint8_t* Take(uint64_t size) {
    absl::MutexLock lock(&mutex_);
    for (auto& stack : stacks_) {
      if (stack.second != size) continue;
      std::swap(stack, stacks_.back());
      uint8_t* const memory = stacks_.back().first;
      stacks_.pop_back();
      return memory;
    }
    return nullptr;
  }
  bool Put(uint8_t* memory, uint64_t size) {
    absl::MutexLock lock(&mutex_);
    if (stacks_.size() >= kMaxStacks) return false;
    stacks_.emplace_back(memory, size);
    return true;
  }
  static StackPool& Get() {
    static auto* const pool = new StackPool;
    return *pool;
  }

 private:
  static constexpr size_t kMaxStacks = 16;
  absl::Mutex mutex_;
  std::vector<std::pair<uint8_t*, uint64_t>> stacks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status NativeStack::Allocate(uint64_t size) {
  if (size > kMaxStack) {
    return absl::InvalidArgumentError(
        absl::StrFormat("native stack of %d bytes: expected at most 2^40", size));
  }
  size_ = (std::max(size, kMinStack) + kHostPage - 1) / kHostPage * kHostPage + kStackGuard;
  memory_ = StackPool::Get().Take(size_);
  if (memory_ != nullptr) return absl::OkStatus();
  void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map the native stack");
  memory_ = static_cast<uint8_t*>(memory);
  if (mprotect(memory_, kStackGuard, PROT_NONE) != 0)
    return absl::ErrnoToStatus(errno, "cannot protect the native stack's guard pages");
  return absl::OkStatus();
}

NativeStack::~NativeStack() {
  if (memory_ != nullptr && !StackPool::Get().Put(memory_, size_)) munmap(memory_, size_);
}

bool NativeStack::Contains(uint64_t address, uint64_t bytes) const {
  if (memory_ == nullptr) return false;
  const uint64_t offset = address - (reinterpret_cast<uint64_t>(memory_) + kStackGuard);
  const uint64_t usable = size_ - kStackGuard;
  return offset < usable && usable - offset >= bytes;
}

uint64_t NativeStack::limit() const {
  return reinterpret_cast<uint64_t>(memory_) + kStackGuard + kStackSlack;
}

StoreData::StoreData(Store& store, const StoreOptions& options)
    : store(store), options(options), fuel(options.fuel) {}

StoreData::~StoreData() = default;

Store::Store(const StoreOptions& options) : data_(std::make_unique<StoreData>(*this, options)) {}

Store::~Store() { CHECK_EQ(data_->depth, 0u) << "a store ends while its guest runs"; }

void StoreData::AddCode(const Module& module) {
  const ModuleData& data = module.data();
  const auto begin = reinterpret_cast<uint64_t>(data.image->text().data());
  for (size_t i = 0; i < modules.size(); ++i) {
    if (code[i].begin == begin) return;
  }
  auto more = std::make_unique<NativeCode[]>(modules.size() + 1);
  std::copy_n(code.get(), modules.size(), more.get());
  more[modules.size()] = {begin, begin + data.image->text().size()};
  modules.push_back(&module);
  code_set.Set(more.get(), modules.size());
  code = std::move(more);
}

bool StoreData::MakeUnmade(const abi::FunctionRecord* record) {
  const auto it = std::upper_bound(
      instance_before.begin(), instance_before.end(), reinterpret_cast<uint64_t>(record),
      [](uint64_t address, const auto& instance) { return address < instance.first; });
  if (it != instance_before.end() && it->second->MakeRecord(record)) return true;
  return Failed(absl::InternalError("a function reference is to no function that its image has"));
}

absl::StatusOr<Instance*> Store::Instantiate(std::shared_ptr<const Module> module,
                                             absl::Span<const Extern> imports,
                                             const InstanceOptions& options) {
  absl::StatusOr<std::unique_ptr<InstanceImpl>> created =
      InstanceImpl::Create(*data_, module, imports, options);
  if (!created.ok()) return created.status();
  InstanceImpl* instance = created->get();
  // From here on it stays, even if it traps: tables may refer to its functions.
  data_->instances.push_back(*std::move(created));
  auto& before = data_->instance_before;
  const std::pair<uint64_t, InstanceImpl*> end = {
      reinterpret_cast<uint64_t>(instance->context()) + module->data().layout.Size(), instance};
  before.insert(std::lower_bound(before.begin(), before.end(), end), end);
  if (module->has_native_code() && !options.interpret) {
    data_->AddCode(*module);
    if (data_->stack.allocated()) instance->context()->vm.native_stack_limit = data_->stack.limit();
  }
  if (absl::Status s = instance->Start(); !s.ok()) return s;
  return instance;
}

Func* Store::NewFunction(FuncType type, HostFunction function) {
  auto object = std::make_unique<FunctionObject>();
  object->store = data_.get();
  object->keeps_signature = InternSignature(type);
  object->signature = object->keeps_signature.get();
  object->host = std::make_unique<HostFunction>(std::move(function));
  object->own_record = std::make_unique<abi::FunctionRecord>(
      abi::FunctionRecord{.key = 0,
                          .code = nullptr,
                          .far_code = reinterpret_cast<const void*>(&precast_wasm_far_host),
                          .context = nullptr,
                          .function = object.get(),
                          .signature = object->signature});
  object->SetRecord(object->own_record.get());
  data_->functions.push_back(std::move(object));
  return data_->functions.back().get();
}

absl::StatusOr<Table*> Store::NewTable(const TableType& type, uint64_t initial_reference) {
  absl::StatusOr<std::unique_ptr<TableObject>> table = TableObject::Create(type, initial_reference);
  if (!table.ok()) return table.status();
  data_->tables.push_back(*std::move(table));
  return data_->tables.back().get();
}

Global* Store::NewGlobal(const GlobalType& type, const Value& value) {
  CHECK(value.type == type.type);
  data_->globals.push_back(std::make_unique<GlobalObject>(type, value));
  return data_->globals.back().get();
}

Func* Store::FunctionOf(uint64_t reference) {
  CHECK_NE(reference, 0u);
  const auto* record = reinterpret_cast<const abi::FunctionRecord*>(reference);
  return data_->Make(record) ? static_cast<FunctionObject*>(record->function) : nullptr;
}

absl::Span<const std::unique_ptr<Instance>> Store::instances() const { return data_->instances; }

int64_t Store::fuel() const { return data_->fuel; }
void Store::set_fuel(int64_t fuel) {
  data_->fuel = std::clamp<int64_t>(fuel, 0, StoreOptions::kUnlimitedFuel);
}

void Store::Interrupt() {
  StoreData& d = *data_;
  d.interrupt.store(true);
  WakeInterrupted(&d.interrupt);
  // A signal that comes just before the thread enters guest code, or in a trampoline, has no
  // effect.
  while (d.interrupt.load() && d.in_native.load()) {
    if (syscall(SYS_tgkill, getpid(), d.thread.load(std::memory_order_relaxed),
                InterruptSignal()) != 0)
      return;
    const timespec pause = {0, 20'000};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace precast::runtime::wasm
