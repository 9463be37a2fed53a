// Modules and instances as the interpreter sees them, and what begins and ends an interpreted call.
// The loop over operations is in execute.cc.

#include "runtime/wasm/interpreter/interpreter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "absl/log/check.h"
#include "runtime/wasm/interpreter/execution.h"

namespace precast::runtime::wasm {
namespace interpreter {
namespace {

// Calls of Run on this thread that have not returned, in all instances: each takes host stack, also
// that of the host functions between them.
thread_local int run_depth = 0;
constexpr int kMaxRunDepth = 200;

class RunDepth {
 public:
  RunDepth() { ++run_depth; }
  ~RunDepth() { --run_depth; }
  bool exceeded() const { return run_depth > kMaxRunDepth; }
};

}  // namespace

CodeOfModule::CodeOfModule(const ModuleData& module)
    : module_(module), bodies_(module.bodies().size()) {
  CHECK_EQ(module.num_functions, module.num_imported_functions + module.bodies().size());
  CHECK_EQ(module.canonical_types.size(), module.types.size());
  CHECK_EQ(module.layout.num_memories, module.memories.size());
  CHECK_EQ(module.layout.num_tables, module.tables.size());
  CHECK_EQ(module.layout.num_globals, module.globals.size());
  own_records_.resize(module.layout.num_records, ModuleData::kNone);
  for (uint32_t record = module.num_imported_functions; record < own_records_.size(); ++record) {
    const std::optional<format::DeclaredFunction> own = module.FunctionOfRecord(record);
    // Of a damaged image the type may be another.
    if (own && module.functions()[own->function] == own->type)
      own_records_[record] = own->function - module.num_imported_functions;
  }
}

CodeOfModule::~CodeOfModule() {
  for (const std::atomic<const Body*>& body : bodies_) delete body.load(std::memory_order_relaxed);
}

const Body& CodeOfModule::Decode(uint32_t defined) {
  std::unique_ptr<const Body> body = DecodeBody(module_, module_.num_imported_functions + defined);
  const Body* expected = nullptr;
  // Another thread may have been faster; then its body counts.
  if (bodies_[defined].compare_exchange_strong(expected, body.get(), std::memory_order_acq_rel)) {
    return *body.release();
  }
  return *expected;
}

Execution::Execution(CodeOfModule& code, abi::WasmContext* context, InterpreterHost& host,
                     const InterpreterOptions& options)
    : code_(code),
      module_(code.module()),
      context_(context),
      host_(host),
      options_(options),
      memories_(reinterpret_cast<const abi::MemorySlot*>(At(module_.layout.Memory(0)))),
      tables_(reinterpret_cast<abi::TableRecord* const*>(At(module_.layout.Table(0)))),
      stack_slots_(options.stack_size / sizeof(Slot)) {}

void Execution::ClearUpperHalves(Slot* slots, const std::vector<ValType>& types) {
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] != ValType::kV128) std::memset(slots[i].bytes + 8, 0, 8);
  }
}

InterpreterStop Execution::Run(uint32_t function, abi::WasmValue* values) {
  CHECK_GE(function, module_.num_imported_functions);
  CHECK_LT(function, module_.num_functions);
  const RunDepth depth;
  // Uninitialised: only what is used costs memory.
  if (stack_ == nullptr) stack_ = std::make_unique_for_overwrite<Slot[]>(stack_slots_);
  const Body& body = code_.Get(function - module_.num_imported_functions);
  if (body.malformed) return Stop(InterpreterStop::Kind::kMalformed, body);
  if (depth.exceeded() || body.frame_slots > stack_slots_ - top_) {
    return Stop(InterpreterStop::Kind::kTrapped, body, abi::TrapCode::kCallStackExhausted);
  }
  if (host_.Interrupted()) {
    return Stop(InterpreterStop::Kind::kTrapped, body, abi::TrapCode::kInterrupted);
  }
  const size_t top = top_;
  Slot* const frame = &stack_[top];
  std::copy_n(values, body.num_params, frame);
  const InterpreterStop stop = Execute(body, frame);
  top_ = top;
  if (stop.kind == InterpreterStop::Kind::kReturned) {
    const std::vector<ValType>& results = module_.types[module_.functions()[function]].results;
    std::copy_n(frame, results.size(), values);
    ClearUpperHalves(values, results);
  }
  return stop;
}

InterpreterStop Execution::Stop(InterpreterStop::Kind kind, const Body& body, abi::TrapCode trap) {
  return {.kind = kind, .trap = trap, .function = body.function, .offset = body.offset};
}

}  // namespace interpreter

std::unique_ptr<InterpretedModule> InterpretedModule::Create(const ModuleData& module) {
  return std::make_unique<interpreter::CodeOfModule>(module);
}

std::unique_ptr<Interpreter> Interpreter::Create(InterpretedModule& code, abi::WasmContext* context,
                                                 InterpreterHost& host,
                                                 const InterpreterOptions& options) {
  // There is no other implementation of InterpretedModule.
  return std::make_unique<interpreter::Execution>(static_cast<interpreter::CodeOfModule&>(code),
                                                  context, host, options);
}

}  // namespace precast::runtime::wasm
