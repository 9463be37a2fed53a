// An instance for tests of the interpreter alone: the context that the runtime would make, with a
// small host.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_TEST_INSTANCE_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_TEST_INSTANCE_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "runtime/abi/wasm_context.h"
#include "runtime/wasm/interpreter/interpreter.h"
#include "runtime/wasm/module_data.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasm::interpreter {

using testing::Bytes;

// Code, or anything, in a row.
inline Bytes Code(std::initializer_list<Bytes> parts) { return testing::Cat(parts); }

// The items of a module's sections.
struct TestModule {
  std::vector<Bytes> types;
  std::vector<Bytes> imports;
  std::vector<Bytes> functions;  // types of the defined ones
  std::vector<Bytes> tables, memories, globals, exports, elements;
  std::vector<Bytes> bodies;
  std::vector<Bytes> data;

  Bytes Build() const {
    using testing::SectionOf;
    Bytes out = {0, 'a', 's', 'm', 1, 0, 0, 0};
    const auto add = [&](uint8_t id, const std::vector<Bytes>& items) {
      if (items.empty()) return;
      const Bytes section = SectionOf(id, items);
      out.insert(out.end(), section.begin(), section.end());
    };
    add(1, types);
    add(2, imports);
    add(3, functions);
    add(4, tables);
    add(5, memories);
    add(6, globals);
    add(7, exports);
    add(9, elements);
    add(10, bodies);
    add(11, data);
    return out;
  }
};

inline Bytes I32(int32_t v) { return Code({{0x41}, testing::Sleb(v)}); }
inline Bytes I64(int64_t v) { return Code({{0x42}, testing::Sleb(v)}); }

// One function of the type, and a memory of one page.
inline TestModule Single(const Bytes& params, const Bytes& results, const Bytes& locals,
                         const Bytes& code) {
  TestModule module;
  module.types = {testing::FunctionType(params, results)};
  module.functions = {{0}};
  module.memories = {{0, 1}};
  module.bodies = {testing::Body(locals, code)};
  return module;
}

class TestInstance final : public InterpreterHost {
 public:
  explicit TestInstance(const Bytes& bytes, const InterpreterOptions& options = {})
      : bytes_(bytes) {
    auto decoded = ModuleData::Decode(bytes_);
    CHECK_OK(decoded.status());
    module_ = *std::move(decoded);
    Init(options);
  }

  static constexpr uint64_t kKey = uint64_t{7} << 20;

  InterpreterStop Run(uint32_t function, abi::WasmValue* values) {
    return interpreter_->Run(function, values);
  }
  // One value or none of 64 bits each.
  InterpreterStop Call(uint32_t function, std::initializer_list<uint64_t> arguments = {}) {
    std::fill(values, values + 64, abi::WasmValue{});
    int n = 0;
    for (const uint64_t argument : arguments) std::memcpy(values[n++].bytes, &argument, 8);
    return Run(function, values);
  }
  uint64_t Result(int i = 0) const {
    uint64_t result;
    std::memcpy(&result, values[i].bytes, 8);
    return result;
  }

  int64_t& fuel() { return context->vm.fuel; }
  uint8_t* memory(int i = 0) { return memories_[i].get(); }
  uint64_t* table(int i = 0) { return table_elements_[i].data(); }
  abi::FunctionRecord* record(uint32_t i) {
    return reinterpret_cast<abi::FunctionRecord*>(At(module_->layout.Record(i)));
  }
  uint64_t Reference(uint32_t function) {
    return reinterpret_cast<uintptr_t>(record(module_->RecordOf(function)));
  }
  abi::WasmValue* global(uint32_t i) {
    return reinterpret_cast<abi::WasmValue*>(At(module_->layout.Global(i)));
  }
  const ModuleData& module() const { return *module_; }

  bool CallRecord(const abi::FunctionRecord* called, abi::WasmValue* args) override {
    return on_call ? on_call(called, args) : true;
  }
  bool HasType(const abi::FunctionRecord* function, uint32_t type) override {
    return on_has_type && on_has_type(function, type);
  }
  abi::TrapCode CallHelper(abi::WasmHelper helper, absl::Span<const uint64_t> operands,
                           uint64_t* result) override {
    return on_helper ? on_helper(helper, operands, result) : abi::TrapCode::kNone;
  }
  bool Interrupted() override { return interrupted; }

  std::function<bool(const abi::FunctionRecord*, abi::WasmValue*)> on_call;
  std::function<bool(const abi::FunctionRecord*, uint32_t)> on_has_type;
  std::function<abi::TrapCode(abi::WasmHelper, absl::Span<const uint64_t>, uint64_t*)> on_helper;
  bool interrupted = false;
  abi::WasmValue values[abi::kMaxWasmArgs] = {};
  abi::WasmContext* context = nullptr;

 private:
  struct Free {
    void operator()(uint8_t* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  using Block = std::unique_ptr<uint8_t, Free>;
  static Block Allocate(uint64_t size) {
    Block block(static_cast<uint8_t*>(::operator new (size, std::align_val_t{64})));
    std::memset(block.get(), 0, size);
    return block;
  }
  uint8_t* At(uint64_t displacement) { return storage_.get() + displacement; }

  void Init(const InterpreterOptions& options) {
    const ModuleData& m = *module_;
    storage_ = Allocate(m.layout.Size());
    context = reinterpret_cast<abi::WasmContext*>(storage_.get());
    context->vm.instance_key = kKey;
    context->vm.fuel = 1 << 30;
    for (uint32_t i = 0; i < m.num_functions; ++i) {
      if (m.RecordOf(i) == ModuleData::kNone) continue;
      abi::FunctionRecord* const r = record(m.RecordOf(i));
      const bool own = i >= m.num_imported_functions;
      r->key = own ? kKey + m.canonical_types[*m.TypeOf(i)] : 0;
      r->context = own ? context : nullptr;
    }
    memory_records_.resize(m.memories.size());
    for (size_t i = 0; i < m.memories.size(); ++i) {
      const uint64_t size = std::min<uint64_t>(m.memories[i].limits.min, 16) * abi::kWasmPageSize;
      memories_.push_back(Allocate(size));
      memory_records_[i] = {memories_[i].get(), size, nullptr};
      reinterpret_cast<abi::MemorySlot*>(At(m.layout.Memory(i)))[0] = {memories_[i].get(),
                                                                       &memory_records_[i]};
    }
    table_records_.resize(m.tables.size());
    table_elements_.resize(m.tables.size());
    for (size_t i = 0; i < m.tables.size(); ++i) {
      table_elements_[i].resize(std::min<uint64_t>(m.tables[i].type.limits.min, 1000));
      table_records_[i] = {table_elements_[i].data(), table_elements_[i].size(), nullptr};
      reinterpret_cast<abi::TableRecord**>(At(m.layout.Table(i)))[0] = &table_records_[i];
    }
    imported_globals_.resize(m.num_imported_globals);
    for (uint32_t i = 0; i < m.num_imported_globals; ++i) {
      const abi::WasmValue* cell = &imported_globals_[i];
      std::memcpy(global(i)->bytes, &cell, sizeof cell);
    }
    code_ = InterpretedModule::Create(m);
    interpreter_ = Interpreter::Create(*code_, context, *this, options);
  }

  const Bytes bytes_;
  std::unique_ptr<ModuleData> module_;
  Block storage_;
  std::vector<Block> memories_;
  std::vector<abi::MemoryRecord> memory_records_;
  std::vector<abi::TableRecord> table_records_;
  std::vector<std::vector<uint64_t>> table_elements_;
  std::vector<abi::WasmValue> imported_globals_;
  std::unique_ptr<InterpretedModule> code_;
  std::unique_ptr<Interpreter> interpreter_;
};

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_TEST_INSTANCE_H_
