// WebAssembly at run time: what the embedder handles. A Store owns instances and everything they
// share and belongs to one thread at a time; modules may be shared by any number of stores and
// threads.
//
//   auto module = Module::FromImage(std::move(image));
//   Store store;
//   Linker linker(store);
//   linker.Define("env", "print", store.Wrap([](Caller&, int32_t x) { … }));
//   ASSIGN_OR_RETURN(Instance* instance, linker.Instantiate(*module));
//   CallResult result = instance->FindFunction("run")->Call({Value::I32(7)});
//
// Errors of linking are absl::Status: InvalidArgument for an import that is missing or of another
// type ("unknown import", "incompatible import type" in the words of the specification's test
// suite). What happens in the guest is a CallResult.
#ifndef PRECAST_RUNTIME_WASM_STORE_H_
#define PRECAST_RUNTIME_WASM_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "loader/image.h"
#include "runtime/abi/wasm_context.h"
#include "runtime/wasm/types.h"

namespace precast::runtime::wasm {

class Instance;
class ModuleData;      // internal
struct ModuleRuntime;  // internal
class Store;
struct StoreData;  // internal

// In the words of the specification's test suite.
std::string_view TrapText(abi::TrapCode code);

// A module ready to be instantiated: from a loaded image, or from the bytes of a module that has
// been validated (then its functions are interpreted). Immutable, thread-safe.
class Module {
 public:
  static absl::StatusOr<std::shared_ptr<const Module>> FromImage(
      std::shared_ptr<const loader::Image> image);
  static absl::StatusOr<std::shared_ptr<const Module>> FromValidatedBytes(
      std::vector<uint8_t> bytes);
  ~Module();

  struct ImportType {
    std::string_view module, name;
    ExternType type;
  };
  struct ExportType {
    std::string_view name;
    ExternType type;
  };
  std::vector<ImportType> imports() const;
  std::vector<ExportType> exports() const;
  bool has_native_code() const;

  const ModuleData& data() const { return *data_; }
  ModuleRuntime& runtime() const { return *runtime_; }

 private:
  Module() = default;
  static absl::StatusOr<std::shared_ptr<const Module>> Create(std::unique_ptr<ModuleData> data);
  std::unique_ptr<ModuleData> data_;
  std::unique_ptr<ModuleRuntime> runtime_;
};

// How a call ended.
struct CallResult {
  enum class Kind : uint8_t {
    kReturned,  // `values`
    kTrapped,   // `trap`, `function`, `offset`
    kExited,    // a host function ended the guest: `exit_code`
    kFailed,    // `failure`: a host function failed, or the image broke the contract
  };
  Kind kind = Kind::kReturned;
  std::vector<Value> values;
  abi::TrapCode trap = abi::TrapCode::kNone;
  std::string function;  // name of the function that trapped; empty: not known
  uint32_t offset = 0;   // of the trapping instruction in the module file; 0: not known
  uint32_t exit_code = 0;
  absl::Status failure;

  bool ok() const { return kind == Kind::kReturned; }
};

// Handles below are owned by the store and live as long as it.

class Func {
 public:
  Func(const Func&) = delete;
  Func& operator=(const Func&) = delete;

  const FuncType& type() const;
  // `args` must have the function's parameter types (CHECK). May be called from host functions
  // (re-entrance): if that call ends the guest, only this call has ended, and the host function
  // says how its own caller goes on.
  CallResult Call(absl::Span<const Value> args);
  CallResult Call(std::initializer_list<Value> args) {
    return Call(absl::MakeConstSpan(args.begin(), args.size()));
  }
  // What a funcref to it holds.
  uint64_t reference() const { return reinterpret_cast<uint64_t>(record_); }
  const abi::FunctionRecord* record() const { return record_; }

 protected:
  Func() = default;
  ~Func() = default;
  abi::FunctionRecord* record_ = nullptr;
};

// A linear memory. One that is shared may be given to several stores.
class Memory {
 public:
  virtual ~Memory() = default;
  // `limits` in pages. ResourceExhausted if the host has no address space for it.
  static absl::StatusOr<std::shared_ptr<Memory>> Create(const MemoryType& type);

  virtual const MemoryType& type() const = 0;
  virtual uint8_t* base() const = 0;
  virtual uint64_t bytes() const = 0;  // current size
  // Pages before, or nothing if it cannot grow so far. Thread-safe.
  virtual std::optional<uint64_t> Grow(uint64_t pages) = 0;
  virtual abi::MemoryRecord* record() = 0;

  // The bytes [offset, offset + size), or nothing if they are not all in the memory. What every
  // host function must use for a pointer that the guest gave. Not valid after the instance is gone;
  // the guest's other threads may change the contents at any time if the memory is shared.
  std::optional<absl::Span<uint8_t>> Slice(uint64_t offset, uint64_t size) const {
    const uint64_t all = bytes();
    if (offset > all || size > all - offset) return std::nullopt;
    return absl::MakeSpan(base() + offset, size);
  }
};

class Table {
 public:
  virtual ~Table() = default;
  virtual const TableType& type() const = 0;
  virtual uint64_t size() const = 0;
  virtual std::optional<uint64_t> Get(uint64_t i) const = 0;  // reference bits
  virtual bool Set(uint64_t i, uint64_t reference) = 0;       // false: out of bounds
  virtual std::optional<uint64_t> Grow(uint64_t elements, uint64_t reference) = 0;
  virtual abi::TableRecord* record() = 0;
};

class Global {
 public:
  virtual ~Global() = default;
  virtual const GlobalType& type() const = 0;
  virtual Value Get() const = 0;
  virtual void Set(const Value& value) = 0;
  virtual abi::WasmValue* cell() = 0;
};

// One thing that can be imported or exported. Exactly the pointer of its kind is set.
struct Extern {
  ExternKind kind = ExternKind::kFunction;
  Func* function = nullptr;
  Table* table = nullptr;
  std::shared_ptr<Memory> memory = {};
  Global* global = nullptr;
};

// What a host function gets to see of who called it.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual Store& store() = 0;
  // The instance that called; null if the embedder did.
  virtual Instance* instance() = 0;
  // Memory exported as "memory" by the calling instance, or its memory 0; null if it has none.
  virtual Memory* memory() = 0;
};

// What a host function answers: nothing special (results are filled in), or the guest ends.
struct HostResult {
  enum class Kind : uint8_t { kReturn, kTrap, kExit, kFail } kind = Kind::kReturn;
  abi::TrapCode trap = abi::TrapCode::kNone;
  uint32_t exit_code = 0;
  absl::Status failure = {};

  static HostResult Return() { return {}; }
  static HostResult Trap(abi::TrapCode code) { return {.kind = Kind::kTrap, .trap = code}; }
  static HostResult Exit(uint32_t code) { return {.kind = Kind::kExit, .exit_code = code}; }
  static HostResult Fail(absl::Status why) {
    return {.kind = Kind::kFail, .failure = std::move(why)};
  }
};
using HostFunction = std::function<HostResult(Caller& caller, absl::Span<const Value> args,
                                              absl::Span<Value> results)>;

struct StoreOptions {
  // Native stack of the guest, in bytes; interpreted calls are limited by the same figure.
  uint64_t native_stack_size = uint64_t{8} << 20;
  // Fuel at the beginning; kUnlimitedFuel: never runs out.
  static constexpr int64_t kUnlimitedFuel = int64_t{1} << 62;
  int64_t fuel = kUnlimitedFuel;
  // Ask for huge pages for memories of 4 MiB and more: faster, but each that is touched takes 2
  // MiB.
  bool huge_pages = true;
  // The interpreter makes NaN results canonical (native code: an option of the compiler; images
  // say).
  bool canonical_nans = false;
};

struct InstanceOptions {
  bool interpret = false;  // all functions, also where there is native code
};

class Store {
 public:
  explicit Store(const StoreOptions& options = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Resolved imports in the module's order. Runs element and data segments and the start function;
  // a trap in them is FailedPrecondition with the trap's text in the message (the store keeps what
  // had been changed by then).
  absl::StatusOr<Instance*> Instantiate(std::shared_ptr<const Module> module,
                                        absl::Span<const Extern> imports,
                                        const InstanceOptions& options = {});

  Func* NewFunction(FuncType type, HostFunction function);
  // A C++ callable `R(Caller&, A…)` with A and R among int32_t, uint32_t, int64_t, uint64_t, float,
  // double (R also void or HostResult).
  template <typename F>
  Func* Wrap(F function);
  absl::StatusOr<Table*> NewTable(const TableType& type, uint64_t initial_reference = 0);
  Global* NewGlobal(const GlobalType& type, const Value& value);
  // The function a funcref (not null) is of.
  // Null if the image of the function's module is damaged.
  Func* FunctionOf(uint64_t reference);

  // The instances so far, in order of instantiation, also those whose start trapped.
  absl::Span<const std::unique_ptr<Instance>> instances() const;

  // Fuel left. Exact whenever no guest code runs, and in host functions.
  int64_t fuel() const;
  void set_fuel(int64_t fuel);

  // From any thread: guest code that runs in this store traps with kInterrupted soon, or the next
  // that runs does. Code that runs pays nothing for it; it gets a signal (runtime/signals.h).
  // Returns when the signal has had its effect.
  void Interrupt();

  StoreData& data() { return *data_; }

 private:
  std::unique_ptr<StoreData> data_;
};

// Owned by its store.
class Instance {
 public:
  virtual ~Instance() = default;
  virtual const Module& module() const = 0;
  virtual std::optional<Extern> FindExport(std::string_view name) = 0;
  Func* FindFunction(std::string_view name);  // null: no such export
  virtual abi::WasmContext* context() = 0;
};

// Finds imports by module and name.
class Linker {
 public:
  explicit Linker(Store& store) : store_(store) {}
  // A later definition replaces an earlier one.
  void Define(std::string_view module, std::string_view name, Extern what);
  void Define(std::string_view module, std::string_view name, Func* function) {
    Define(module, name, Extern{.kind = ExternKind::kFunction, .function = function});
  }
  // All exports of `instance`.
  void DefineInstance(std::string_view module, Instance* instance);
  std::optional<Extern> Find(std::string_view module, std::string_view name) const;
  absl::StatusOr<Instance*> Instantiate(std::shared_ptr<const Module> module,
                                        const InstanceOptions& options = {});

 private:
  Store& store_;
  std::map<std::pair<std::string, std::string>, Extern> definitions_;
};

}  // namespace precast::runtime::wasm

#include "runtime/wasm/wrap.h"  // IWYU pragma: keep: Store::Wrap

#endif  // PRECAST_RUNTIME_WASM_STORE_H_
