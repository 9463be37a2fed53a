// The interpreter's own view of its two objects: the bodies of a module and the execution of an
// instance.
//
// A frame, from low to high: the parameters (which the caller pushed), the other locals, a link to
// the caller's frame (kLinkSlots), the operand stack. Results replace the frame from its begin on.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_EXECUTION_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_EXECUTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/wasm/interpreter/body.h"
#include "runtime/wasm/interpreter/interpreter.h"
#include "runtime/wasm/interpreter/slot.h"

namespace precast::runtime::wasm::interpreter {

class CodeOfModule final : public InterpretedModule {
 public:
  explicit CodeOfModule(const ModuleData& module);
  ~CodeOfModule() override;

  const ModuleData& module() const { return module_; }
  // By the number among the defined functions. Thread-safe.
  const Body& Get(uint32_t defined) {
    const Body* body = bodies_[defined].load(std::memory_order_acquire);
    return body != nullptr ? *body : Decode(defined);
  }
  // The defined function that has FunctionRecord number `record`, or ModuleData::kNone.
  uint32_t OwnFunction(uint64_t record) const {
    return record < own_records_.size() ? own_records_[record] : ModuleData::kNone;
  }

 private:
  const Body& Decode(uint32_t defined);

  const ModuleData& module_;
  std::vector<std::atomic<const Body*>> bodies_;
  std::vector<uint32_t> own_records_;
};

class Execution final : public Interpreter {
 public:
  Execution(CodeOfModule& code, abi::WasmContext* context, InterpreterHost& host,
            const InterpreterOptions& options);
  InterpreterStop Run(uint32_t function, abi::WasmValue* values) override;

 private:
  // What a call needs to come back.
  struct Link {
    const Body* body;  // null: the frame is that of Run
    const Op* pc;
    Slot* frame;
    uint64_t unused;
  };
  static_assert(sizeof(Link) == kLinkSlots * sizeof(Slot));

  // Runs the body whose parameters are at `frame`, for which there is room. Results are there, too.
  InterpreterStop Execute(const Body& first, Slot* frame);
  // Prepares the frame of `body`; false: no room.
  bool EnterFrame(const Body& body, Slot* frame, const Link& link);
  // What call_indirect finds: the record, or the trap.
  const abi::FunctionRecord* Indirect(uint32_t table, uint64_t index, uint32_t type,
                                      abi::TrapCode& trap);
  // If the record is of a function of this instance: its number among the defined ones, else kNone.
  uint32_t OwnFunction(const abi::FunctionRecord* record) const;
  bool CallRecord(const abi::FunctionRecord* record, const FuncType& type, Slot* values);
  // Operands begin at slots[0], which the result replaces.
  abi::TrapCode RunHelper(const HelperCall& call, Slot* slots);
  static void ClearUpperHalves(Slot* slots, const std::vector<ValType>& types);
  static InterpreterStop Stop(InterpreterStop::Kind kind, const Body& body,
                              abi::TrapCode trap = abi::TrapCode::kNone);
  uint8_t* At(uint64_t displacement) const {
    return reinterpret_cast<uint8_t*>(context_) + displacement;
  }
  // Now and then asks the host.
  bool Interrupted() {
    if (--until_poll_ != 0) return false;
    until_poll_ = kPollInterval;
    return host_.Interrupted();
  }

  static constexpr uint32_t kPollInterval = 256;

  CodeOfModule& code_;
  const ModuleData& module_;
  abi::WasmContext* const context_;
  InterpreterHost& host_;
  const InterpreterOptions options_;
  const abi::MemorySlot* const memories_;
  abi::TableRecord* const* const tables_;
  const size_t stack_slots_;
  std::unique_ptr<Slot[]> stack_;
  size_t top_ = 0;  // where the next Run puts its frame
  uint32_t until_poll_ = kPollInterval;
};

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_EXECUTION_H_
