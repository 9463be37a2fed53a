// Instances: linking, allocation, initialization (core specification 2.0, section 4.5.4).
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/str_format.h"
#include "loader/format/varint.h"
#include "runtime/wasm/store_data.h"

namespace precast::runtime::wasm {

namespace {

// Contexts with so many bytes are mapped, so that function records nobody uses take no time and no
// memory.
constexpr uint64_t kMappedFrom = 128 << 10;

// Keys leave room for the number of a type. Not 0.
uint64_t NextInstanceKey() {
  static std::atomic<uint64_t> next = 1;
  return next.fetch_add(1, std::memory_order_relaxed) << 20;
}

bool LimitsFit(uint64_t size, const std::optional<uint64_t>& max, const Limits& wanted) {
  if (size < wanted.min) return false;
  return !wanted.max.has_value() || (max.has_value() && *max <= *wanted.max);
}

absl::Status Incompatible(const ModuleData::Import& import) {
  return absl::InvalidArgumentError(
      absl::StrFormat("incompatible import type: \"%s\" \"%s\"", import.module, import.name));
}

}  // namespace

InstanceImpl::InstanceImpl(StoreData& store, std::shared_ptr<const Module> module,
                           const InstanceOptions& options)
    : store_(store),
      module_(std::move(module)),
      data_(&module_->data()),
      interpret_(options.interpret || data_->image == nullptr) {}

InstanceImpl::~InstanceImpl() {
  if (context_mapped_ != 0) {
    munmap(context_, context_mapped_);
  } else {
    std::free(context_);
  }
}

absl::StatusOr<std::unique_ptr<InstanceImpl>> InstanceImpl::Create(
    StoreData& store, std::shared_ptr<const Module> module, absl::Span<const Extern> imports,
    const InstanceOptions& options) {
  std::unique_ptr<InstanceImpl> instance(new InstanceImpl(store, std::move(module), options));
  if (absl::Status s = instance->Allocate(); !s.ok()) return s;
  if (absl::Status s = instance->Import(imports); !s.ok()) return s;
  if (absl::Status s = instance->Define(); !s.ok()) return s;
  return instance;
}

absl::Status InstanceImpl::Allocate() {
  const uint64_t size = (data_->layout.Size() + 63) / 64 * 64;
  if (size >= kMappedFrom) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) {
      context_ = static_cast<abi::WasmContext*>(memory);
      context_mapped_ = size;
    }
  } else {
    context_ = static_cast<abi::WasmContext*>(std::aligned_alloc(64, size));
  }
  if (context_ == nullptr)
    return absl::ResourceExhaustedError(
        absl::StrFormat("no memory for an instance of %d bytes", size));
  if (context_mapped_ == 0) {
    // Everything but args, which nobody reads before writing it.
    std::memset(context_, 0, offsetof(abi::WasmContext, args));
    std::memset(At<uint8_t>(sizeof(abi::WasmContext)), 0, size - sizeof(abi::WasmContext));
  }
  context_->vm.runtime = static_cast<NativeCallbacks*>(this);
  context_->vm.instance_key = NextInstanceKey();
  context_->vm.indirect_slow = reinterpret_cast<const void*>(&precast_wasm_indirect_slow);
  context_->instance = this;
  context_->signatures = module_->runtime().signature_pointers.data();
  for (abi::FunctionRecord& helper : context_->helpers) {
    helper.far_code = reinterpret_cast<const void*>(&precast_wasm_far_helper);
    helper.context = context_;
  }
  dropped_elements.resize(data_->elements.size());
  return absl::OkStatus();
}

absl::Status InstanceImpl::Import(absl::Span<const Extern> imports) {
  if (imports.size() != data_->imports.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d imports: expected %d", imports.size(), data_->imports.size()));
  }
  for (size_t i = 0; i < imports.size(); ++i) {
    const ModuleData::Import& want = data_->imports[i];
    const Extern& have = imports[i];
    if (have.kind != want.kind) return Incompatible(want);
    switch (want.kind) {
      case ExternKind::kFunction: {
        if (have.function == nullptr) return Incompatible(want);
        auto* function = static_cast<FunctionObject*>(have.function);
        if (function->signature != module_->runtime().SignatureOf(*data_, want.index))
          return Incompatible(want);
        if (function->store != &store_)
          return absl::InvalidArgumentError("import of a function of another store");
        *RecordAt(num_imported_functions_++) = *function->record();
        break;
      }
      case ExternKind::kTable: {
        const TableType& type = data_->tables[want.index].type;
        if (have.table == nullptr || have.table->type().element != type.element ||
            have.table->type().is_64 != type.is_64 ||
            !LimitsFit(have.table->size(), have.table->type().limits.max, type.limits))
          return Incompatible(want);
        tables.push_back(static_cast<TableObject*>(have.table));
        break;
      }
      case ExternKind::kMemory: {
        const MemoryType& type = data_->memories[want.index];
        if (have.memory == nullptr || have.memory->type().is_64 != type.is_64 ||
            have.memory->type().shared != type.shared ||
            !LimitsFit(have.memory->bytes() / abi::kWasmPageSize, have.memory->type().limits.max,
                       type.limits))
          return Incompatible(want);
        memories.push_back(std::static_pointer_cast<LinearMemory>(have.memory));
        break;
      }
      case ExternKind::kGlobal: {
        const GlobalType& type = data_->globals[want.index].type;
        if (have.global == nullptr || have.global->type().type != type.type ||
            have.global->type().is_mutable != type.is_mutable)
          return Incompatible(want);
        abi::WasmValue* cell = have.global->cell();
        std::memcpy(At<uint8_t>(data_->layout.Global(globals_.size())), &cell, sizeof(cell));
        globals_.push_back(static_cast<GlobalObject*>(have.global));
        break;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status InstanceImpl::Define() {
  const ModuleData& m = *data_;
  const bool initialized = m.image != nullptr && m.image->guest_memory_initialized();
  for (uint32_t i = m.num_imported_memories; i < m.memories.size(); ++i) {
    absl::StatusOr<std::shared_ptr<LinearMemory>> memory = LinearMemory::Create(
        m.memories[i], i == 0 && initialized ? m.image.get() : nullptr, store_.options.huge_pages);
    if (!memory.ok()) return memory.status();
    memories.push_back(*std::move(memory));
  }
  for (size_t i = 0; i < memories.size(); ++i)
    *At<abi::MemorySlot>(m.layout.Memory(i)) = {memories[i]->base(), memories[i]->record()};
  context_->vm.memory_base = memories.empty() ? nullptr : memories[0]->base();

  // Globals come before tables: initializers of tables may read them.
  for (uint32_t i = m.num_imported_globals; i < m.globals.size(); ++i) {
    absl::StatusOr<abi::WasmValue> value = Evaluate(m.globals[i].init);
    if (!value.ok()) return value.status();
    *At<abi::WasmValue>(m.layout.Global(i)) = *value;
  }
  globals_.resize(m.globals.size());
  for (uint32_t i = m.num_imported_tables; i < m.tables.size(); ++i) {
    uint64_t initial = 0;
    if (m.tables[i].init.end != 0) {
      absl::StatusOr<abi::WasmValue> value = Evaluate(m.tables[i].init);
      if (!value.ok()) return value.status();
      std::memcpy(&initial, value->bytes, sizeof(initial));
    }
    absl::StatusOr<std::unique_ptr<TableObject>> table =
        TableObject::Create(m.tables[i].type, initial);
    if (!table.ok()) return table.status();
    tables.push_back(table->get());
    store_.tables.push_back(*std::move(table));
  }
  for (size_t i = 0; i < tables.size(); ++i)
    *At<abi::TableRecord*>(m.layout.Table(i)) = tables[i]->record();
  return absl::OkStatus();
}

namespace {

absl::Status TrapStatus(abi::TrapCode code) {
  return absl::FailedPreconditionError(TrapText(code));
}

}  // namespace

absl::Status InstanceImpl::Start() {
  if (absl::Status s = InitializeElements(); !s.ok()) return s;
  if (absl::Status s = InitializeData(); !s.ok()) return s;
  if (!data_->start.has_value()) return absl::OkStatus();

  // The start function need not have a record.
  const uint32_t start = *data_->start;
  const Signature* signature = module_->runtime().SignatureOf(*data_, start);
  if (signature == nullptr || signature->max_values() != 0)
    return absl::InvalidArgumentError("the start function has parameters or results");
  bool ok;
  if (const uint32_t declared = data_->RecordOf(start); declared != ModuleData::kNone) {
    ok = store_.Invoke(RecordAt(declared), nullptr, this);
  } else {
    FunctionObject function;
    function.store = &store_;
    function.signature = signature;
    function.instance = this;
    function.index = start;
    const abi::FunctionRecord record = {.key = 0,
                                        .code = NativeCode(start),
                                        .far_code = nullptr,
                                        .context = context_,
                                        .function = &function,
                                        .signature = signature};
    ok = store_.Invoke(&record, nullptr, this);
  }
  if (ok) return absl::OkStatus();
  const CallResult& ended = store_.ended;
  switch (ended.kind) {
    case CallResult::Kind::kTrapped:
      return absl::FailedPreconditionError(
          absl::StrFormat("%s, in %s at 0x%x", TrapText(ended.trap), ended.function, ended.offset));
    case CallResult::Kind::kExited:
      return absl::FailedPreconditionError(
          absl::StrFormat("the start function exited with code %d", ended.exit_code));
    default:
      return ended.failure;
  }
}

absl::Status InstanceImpl::InitializeElements() {
  for (size_t i = 0; i < data_->elements.size(); ++i) {
    const ModuleData::ElementSegment& segment = data_->elements[i];
    if (segment.mode == ModuleData::SegmentMode::kPassive) continue;
    if (segment.mode == ModuleData::SegmentMode::kActive) {
      absl::StatusOr<abi::WasmValue> offset = Evaluate(segment.offset);
      if (!offset.ok()) return offset.status();
      uint64_t operands[5] = {i, segment.table, 0, 0, segment.size()};
      std::memcpy(&operands[2], offset->bytes, sizeof(uint64_t));
      tables[segment.table]->ExpectWrites(operands[2], operands[4]);
      const abi::TrapCode trap = RunHelper(*this, abi::WasmHelper::kTableInit, operands, nullptr);
      if (trap != abi::TrapCode::kNone) return TrapStatus(trap);
    }
    dropped_elements[i] = true;
  }
  return absl::OkStatus();
}

absl::Status InstanceImpl::InitializeData() {
  const bool initialized = data_->image != nullptr && data_->image->guest_memory_initialized() &&
                           data_->num_imported_memories == 0;
  if (initialized && data_->memories.size() == 1) {
    active_data_dropped = true;
    return absl::OkStatus();
  }
  const std::vector<ModuleData::DataSegment>& data = data_->data();
  dropped_data.resize(data.size());
  for (size_t i = 0; i < data.size(); ++i) {
    const ModuleData::DataSegment& segment = data[i];
    if (segment.mode != ModuleData::SegmentMode::kActive) continue;
    if (segment.memory != 0 || !initialized) {
      absl::StatusOr<abi::WasmValue> offset = Evaluate(segment.offset);
      if (!offset.ok()) return offset.status();
      uint64_t operands[5] = {i, segment.memory, 0, 0, segment.bytes.end - segment.bytes.begin};
      std::memcpy(&operands[2], offset->bytes, sizeof(uint64_t));
      const abi::TrapCode trap = RunHelper(*this, abi::WasmHelper::kMemoryInit, operands, nullptr);
      if (trap != abi::TrapCode::kNone) return TrapStatus(trap);
    }
    dropped_data[i] = true;
  }
  return absl::OkStatus();
}

bool InstanceImpl::IsDropped(uint64_t segment) const {
  return (segment < dropped_data.size() && dropped_data[segment]) ||
         (active_data_dropped && data_->data()[segment].mode == ModuleData::SegmentMode::kActive);
}

std::optional<Extern> InstanceImpl::FindExport(std::string_view name) {
  const auto& exports = module_->runtime().exports;
  auto it = exports.find(name);
  if (it == exports.end()) return std::nullopt;
  const ModuleData::Export& e = data_->exports[it->second];
  Extern result;
  result.kind = e.kind;
  switch (e.kind) {
    case ExternKind::kFunction: {
      const uint32_t record = data_->RecordOf(e.index);
      if (record == ModuleData::kNone || !store_.Make(RecordAt(record))) return std::nullopt;
      result.function = static_cast<FunctionObject*>(RecordAt(record)->function);
      break;
    }
    case ExternKind::kTable:
      result.table = tables[e.index];
      break;
    case ExternKind::kMemory:
      result.memory = memories[e.index];
      break;
    case ExternKind::kGlobal:
      if (globals_[e.index] == nullptr) {
        store_.globals.push_back(
            std::make_unique<GlobalObject>(data_->globals[e.index].type, GlobalCell(e.index)));
        globals_[e.index] = store_.globals.back().get();
      }
      result.global = globals_[e.index];
      break;
  }
  return result;
}

Func* Instance::FindFunction(std::string_view name) {
  std::optional<Extern> found = FindExport(name);
  return found.has_value() && found->kind == ExternKind::kFunction ? found->function : nullptr;
}

bool InstanceImpl::CallRecord(const abi::FunctionRecord* record, abi::WasmValue* values) {
  store_.fuel = context_->vm.fuel;
  const bool ok = store_.Invoke(record, values, this);
  context_->vm.fuel = store_.fuel;
  return ok;
}

bool InstanceImpl::HasType(const abi::FunctionRecord* record, uint32_t canonical_type) {
  return store_.Make(record) &&
         record->signature == module_->runtime().signatures[canonical_type].get();
}

abi::TrapCode InstanceImpl::CallHelper(abi::WasmHelper helper, absl::Span<const uint64_t> operands,
                                       uint64_t* result) {
  CHECK_EQ(static_cast<int>(operands.size()), NumOperands(helper));
  return RunHelper(*this, helper, operands.data(), result);
}

bool InstanceImpl::Interrupted() { return store_.interrupt.load(std::memory_order_relaxed); }

const void* InstanceImpl::ResolvePlt(uint32_t index) {
  LOG(FATAL) << "WebAssembly code calls PLT entry " << index << ", which nobody has bound";
}

const void* InstanceImpl::NativeCode(uint32_t function) const {
  if (interpret_) return nullptr;
  return data_->image->EntryOf(function - data_->num_imported_functions);
}

Interpreter& InstanceImpl::interpreter() {
  if (interpreter_ == nullptr) {
    ModuleRuntime& runtime = module_->runtime();
    absl::call_once(runtime.interpreted_once,
                    [&] { runtime.interpreted = InterpretedModule::Create(*data_); });
    const InterpreterOptions options{
        .canonical_nans = store_.options.canonical_nans ||
                          (data_->image != nullptr && data_->image->canonical_nans()),
        .metered = data_->metered,
        .stack_size = store_.options.native_stack_size};
    interpreter_ = Interpreter::Create(*runtime.interpreted, context_, *this, options);
  }
  return *interpreter_;
}

bool InstanceImpl::MakeRecord(const abi::FunctionRecord* which) {
  const ModuleData& m = *data_;
  const uint64_t offset =
      reinterpret_cast<uint64_t>(which) - reinterpret_cast<uint64_t>(RecordAt(0));
  const uint64_t number = offset / sizeof(abi::FunctionRecord);
  if (offset % sizeof(abi::FunctionRecord) != 0 || number >= m.layout.num_records) return false;
  const std::optional<format::DeclaredFunction> declared =
      m.FunctionOfRecord(static_cast<uint32_t>(number));
  if (!declared) return false;
  const void* code = NativeCode(declared->function);
  // What interprets a function goes by the type that the module itself says.
  if (code == nullptr && m.functions()[declared->function] != declared->type) return false;

  abi::FunctionRecord* const record = RecordAt(number);
  FunctionObject& function = *functions_.emplace_back(std::make_unique<FunctionObject>());
  function.store = &store_;
  function.signature = module_->runtime().signatures[declared->type].get();
  function.instance = this;
  function.index = declared->function;
  function.SetRecord(record);
  record->context = context_;
  record->function = &function;
  record->signature = function.signature;
  if (code != nullptr) {
    record->key = context_->vm.instance_key + m.canonical_types[declared->type];
    record->code = code;
    record->far_code = reinterpret_cast<const void*>(&precast_wasm_far_native);
  } else {
    // No key: native code, which would call `code` if the key fitted, takes the slow way.
    record->far_code = reinterpret_cast<const void*>(&precast_wasm_far_host);
  }
  return true;
}

bool InstanceImpl::CopyElements(const ModuleData::ElementSegment& segment, uint64_t from,
                                uint64_t size, uint64_t* to) const {
  if (segment.count == 0) {
    std::vector<uint64_t> references(size);
    for (uint64_t i = 0; i < size; ++i) {
      absl::StatusOr<abi::WasmValue> value = Evaluate(segment.expressions[from + i]);
      if (!value.ok()) return false;
      std::memcpy(&references[i], value->bytes, sizeof(uint64_t));
    }
    std::copy(references.begin(), references.end(), to);
    return true;
  }
  const uint8_t* const records =
      data_->element_functions
          .Records(segment.first + static_cast<uint32_t>(from), static_cast<uint32_t>(size))
          .data();
  const auto base = reinterpret_cast<uint64_t>(RecordAt(0));
  const uint32_t end = data_->layout.num_records;
  // Four at a time, which the compiler makes vectors of. Displacements have 31 bits.
  constexpr uint64_t kGroup = 4;
  uint64_t i = 0;
  for (; i + kGroup <= size; i += kGroup) {
    uint32_t record[kGroup];
    std::memcpy(record, records + sizeof(uint32_t) * i, sizeof(record));
    if (std::max(std::max(record[0], record[1]), std::max(record[2], record[3])) >= end) break;
    for (uint64_t k = 0; k < kGroup; ++k)
      to[i + k] = base + uint32_t{sizeof(abi::FunctionRecord)} * record[k];
  }
  bool good = true;
  for (; i < size; ++i) {
    const uint32_t record = format::LoadLe32(records + sizeof(uint32_t) * i);
    good &= record < end;
    to[i] = record < end ? base + sizeof(abi::FunctionRecord) * record : 0;
  }
  return good;
}

abi::WasmValue* InstanceImpl::GlobalCell(uint32_t global) const {
  auto* cell = At<abi::WasmValue>(data_->layout.Global(global));
  if (global >= data_->num_imported_globals) return cell;
  abi::WasmValue* owner;
  std::memcpy(&owner, cell->bytes, sizeof(owner));
  return owner;
}

LinearMemory* InstanceImpl::MemoryForCaller() {
  const std::optional<uint32_t>& memory = module_->runtime().memory;
  return memory.has_value() ? memories[*memory].get() : nullptr;
}

bool InstanceImpl::Reserves(uint64_t host_address) const {
  for (const std::shared_ptr<LinearMemory>& memory : memories) {
    if (memory->Reserves(host_address)) return true;
  }
  return false;
}

}  // namespace precast::runtime::wasm
