// What is behind the handles of store.h.
#ifndef PRECAST_RUNTIME_WASM_STORE_DATA_H_
#define PRECAST_RUNTIME_WASM_STORE_DATA_H_

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/abi/wasm_context.h"
#include "runtime/signals.h"
#include "runtime/trampolines.h"
#include "runtime/wasm/interpreter/interpreter.h"
#include "runtime/wasm/module_data.h"
#include "runtime/wasm/objects.h"
#include "runtime/wasm/signature.h"
#include "runtime/wasm/store.h"
#include "runtime/wasm/trampolines.h"

namespace precast::runtime::wasm {

class InstanceImpl;

// What all instances of a module share besides ModuleData.
struct ModuleRuntime {
  // By type index.
  std::vector<std::shared_ptr<const Signature>> signatures;
  std::vector<const void*> signature_pointers;
  absl::flat_hash_map<std::string_view, uint32_t> exports;
  std::optional<uint32_t> memory;  // what Caller::memory is

  // Made when the first function is interpreted.
  absl::once_flag interpreted_once;
  std::unique_ptr<InterpretedModule> interpreted;

  // By function index; null if the image is damaged.
  const Signature* SignatureOf(const ModuleData& module, uint32_t function) const {
    const std::optional<uint32_t> type = module.TypeOf(function);
    return type ? signatures[*type].get() : nullptr;
  }
};

std::string FunctionName(const ModuleData& module, uint32_t function);
// The function whose body has the file offset.
std::optional<uint32_t> FunctionAt(const ModuleData& module, uint32_t offset);

// FunctionRecord::function.
struct FunctionObject final : Func {
  FunctionObject() = default;
  StoreData* store = nullptr;
  const Signature* signature = nullptr;
  InstanceImpl* instance = nullptr;  // null: a host function
  uint32_t index = 0;                // in the instance's module
  std::unique_ptr<HostFunction> host;
  std::unique_ptr<abi::FunctionRecord> own_record;
  std::shared_ptr<const Signature> keeps_signature;

  void SetRecord(abi::FunctionRecord* record) { record_ = record; }
};

class InstanceImpl final : public Instance, public InterpreterHost, public NativeCallbacks {
 public:
  static absl::StatusOr<std::unique_ptr<InstanceImpl>> Create(StoreData& store,
                                                              std::shared_ptr<const Module> module,
                                                              absl::Span<const Extern> imports,
                                                              const InstanceOptions& options);
  ~InstanceImpl() override;
  InstanceImpl(const InstanceImpl&) = delete;
  InstanceImpl& operator=(const InstanceImpl&) = delete;

  // Segments and the start function.
  absl::Status Start();

  // Instance.
  const Module& module() const override { return *module_; }
  std::optional<Extern> FindExport(std::string_view name) override;
  abi::WasmContext* context() override { return context_; }

  // InterpreterHost.
  bool CallRecord(const abi::FunctionRecord* record, abi::WasmValue* values) override;
  bool HasType(const abi::FunctionRecord* record, uint32_t canonical_type) override;
  abi::TrapCode CallHelper(abi::WasmHelper helper, absl::Span<const uint64_t> operands,
                           uint64_t* result) override;
  bool Interrupted() override;

  // NativeCallbacks: WebAssembly code asks for neither.
  bool HostCall() override;
  const void* ResolvePlt(uint32_t index) override;

  const ModuleData& data() const { return *data_; }
  StoreData& store() const { return store_; }
  // Native code of a function, or null if it is to be interpreted.
  const void* NativeCode(uint32_t function) const;
  Interpreter& interpreter();
  // A record of this instance, by number. Its address is a function's reference from the beginning;
  // what it holds is there after StoreData::Make. Until then all of it is zero: generated code
  // finds that the key does not fit.
  abi::FunctionRecord* RecordAt(uint64_t record) const {
    return At<abi::FunctionRecord>(data_->layout.Record(record));
  }
  // Fills a record of this instance. False if the image is damaged.
  bool MakeRecord(const abi::FunctionRecord* record);
  // Elements [from, from + size) of a segment, which are there. False if one is damaged; then null
  // is in its place.
  bool CopyElements(const ModuleData::ElementSegment& segment, uint64_t from, uint64_t size,
                    uint64_t* to) const;
  absl::StatusOr<abi::WasmValue> Evaluate(ByteRange expression) const;
  abi::WasmValue* GlobalCell(uint32_t global) const;
  LinearMemory* MemoryForCaller();
  bool Reserves(uint64_t host_address) const;

  std::vector<std::shared_ptr<LinearMemory>> memories;
  std::vector<TableObject*> tables;
  // Of data segment `segment`, which must exist.
  bool IsDropped(uint64_t segment) const;

  std::vector<bool> dropped_elements, dropped_data;  // data: may be shorter
  bool active_data_dropped = false;                  // all that is active, without being looked at

 private:
  InstanceImpl(StoreData& store, std::shared_ptr<const Module> module,
               const InstanceOptions& options);
  absl::Status Allocate();
  absl::Status Import(absl::Span<const Extern> imports);
  absl::Status Define();
  absl::Status InitializeElements();
  absl::Status InitializeData();
  template <typename T>
  T* At(uint64_t displacement) const {
    return reinterpret_cast<T*>(reinterpret_cast<uint8_t*>(context_) + displacement);
  }

  StoreData& store_;
  std::shared_ptr<const Module> module_;
  const ModuleData* data_;
  bool interpret_;
  abi::WasmContext* context_ = nullptr;
  uint64_t context_mapped_ = 0;  // bytes; 0: from the heap
  size_t num_imported_functions_ = 0;
  std::vector<std::unique_ptr<FunctionObject>> functions_;  // of records that have been made
  // By index; null where nobody has asked for one.
  std::vector<GlobalObject*> globals_;
  std::unique_ptr<Interpreter> interpreter_;
};

// The native stack of a store. Kept for the next store when it ends.
class NativeStack {
 public:
  NativeStack() = default;
  ~NativeStack();
  NativeStack(const NativeStack&) = delete;
  NativeStack& operator=(const NativeStack&) = delete;

  absl::Status Allocate(uint64_t size);
  bool allocated() const { return memory_ != nullptr; }
  uint64_t top() const { return reinterpret_cast<uint64_t>(memory_) + size_; }
  // Whether so many bytes can be read there.
  bool Contains(uint64_t address, uint64_t bytes) const;
  // A function may be entered if rsp is at least this.
  uint64_t limit() const;

 private:
  uint8_t* memory_ = nullptr;
  uint64_t size_ = 0;
};

struct StoreData {
  StoreData(Store& store, const StoreOptions& options);
  ~StoreData();

  // Calls a function of any kind: parameters in `values`, replaced by the results. False: the guest
  // ended, and `ended` says how. Fuel is `fuel` before and after.
  bool Invoke(const abi::FunctionRecord* record, abi::WasmValue* values, InstanceImpl* caller);

  bool CallHost(FunctionObject& function, abi::WasmValue* values, InstanceImpl* caller);
  bool CallInterpreted(FunctionObject& function, abi::WasmValue* values);
  bool CallNative(const abi::FunctionRecord* record, abi::WasmValue* values);

  // Fills the record that a function reference is the address of, before anything is read of it.
  // False: that cannot be, and `ended` says why.
  bool Make(const abi::FunctionRecord* record) {
    return record->signature != nullptr || MakeUnmade(record);
  }
  bool MakeUnmade(const abi::FunctionRecord* record);

  // Sets `ended`; returns false.
  bool Trapped(abi::TrapCode code);
  bool Failed(absl::Status why);
  // What has been charged for rounds of a loop that have not begun, at a site that native code has
  // stopped at.
  int64_t FuelOfRoundsLeft(const abi::VmContext& at, const loader::SiteInfo& site) const;
  // Finds out what happened when native code left.
  bool Left(abi::VmContext& at);
  // Where in which module a native pc is; fills in the place in `ended`.
  const ModuleData* ModuleOfCode(uint64_t native_pc) const;
  void SetPlace(const ModuleData& module, uint32_t offset);
  // Room on the host's stack for another call into the guest.
  bool HostStackLeft() const;
  // Whether another thread wants the guest to end; once.
  bool TakeInterrupt();
  // So that faults in its code are traps. The module must live as long as the store.
  void AddCode(const Module& module);
  absl::Status PrepareNative();

  Store& store;
  const StoreOptions options;
  int64_t fuel;
  CallResult ended;

  std::vector<std::unique_ptr<Instance>> instances;
  // By the address behind the context, ascending.
  std::vector<std::pair<uint64_t, InstanceImpl*>> instance_before;
  std::vector<std::unique_ptr<TableObject>> tables;
  std::vector<std::unique_ptr<GlobalObject>> globals;
  std::vector<std::unique_ptr<FunctionObject>> functions;

  NativeStack stack;
  uint64_t stack_top = 0;  // below it the next entry goes on
  uint32_t depth = 0;      // of calls into the guest
  // Code of all modules with native code; `code` has what `modules` has.
  std::unique_ptr<NativeCode[]> code;
  std::vector<const Module*> modules;
  NativeCodeSet code_set;

  // Interrupts. Whether native code runs (or is about to): then the thread needs a signal; all else
  // looks at the flag by itself.
  std::atomic<bool> interrupt = false;
  std::atomic<bool> in_native = false;
  std::atomic<int> thread = 0;  // while `in_native`
};

// Helpers of wasm_helpers.def on an instance: kNone, or the trap; then nothing has been changed.
abi::TrapCode RunHelper(InstanceImpl& instance, abi::WasmHelper helper, const uint64_t* operands,
                        uint64_t* result);
int NumOperands(abi::WasmHelper helper);

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_STORE_DATA_H_
