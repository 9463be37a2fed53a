// What the interpreter knows of instructions beyond RV32IM: how to recognize one, and whom to ask
// for its effect.
#ifndef PRECAST_RUNTIME_INTERPRETER_CUSTOM_H_
#define PRECAST_RUNTIME_INTERPRETER_CUSTOM_H_

#include <cstdint>

#include "openvm/extension.h"
#include "openvm/machine.h"
#include "runtime/abi/vm_context.h"
#include "runtime/memory.h"

namespace precast::runtime {

// What a custom instruction did.
struct CustomResult {
  abi::TrapCode trap = abi::TrapCode::kNone;  // not kNone: it did nothing else
  uint32_t trap_address = 0;
  uint32_t value =
      0;  // precast::openvm::Effect::kRegister: for rd; kBranch: whether it is taken; kEnd: the exit code
};

// The custom instructions of one guest. Belongs to its host ABI.
class CustomInstructions {
 public:
  virtual ~CustomInstructions() = default;

  // The instruction a word is; null if none. The result lives as long as this.
  virtual const precast::openvm::Registry::Entry* Find(uint32_t word) const = 0;
  virtual CustomResult Execute(const precast::openvm::Registry::Entry& entry,
                               const precast::openvm::Instruction& instruction,
                               const precast::openvm::Operands& operands, GuestMemory& memory,
                               precast::openvm::Observer* observer) = 0;
};

// A custom instruction of the program, decoded.
struct CustomSite {
  const precast::openvm::Registry::Entry* entry = nullptr;
  precast::openvm::Instruction instruction;
  bool rows_vary = false;  // with its operands (ChipRows::count)
  // If not: how often native code has executed it since Interpreter::TakeCustomTimes().
  uint64_t times = 0;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_INTERPRETER_CUSTOM_H_
