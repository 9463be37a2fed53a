// A plain interpreter of the IR: the reference that passes and back ends are tested against. It
// shares no code with constant folding, and it is slow.
//
// Values are held as 64 bits, those of i32 and f32 zero-extended. v128 is not supported.
// Floating point is as x86 does it, see eval_float.h.
#ifndef PRECAST_COMPILER_IR_EVAL_H_
#define PRECAST_COMPILER_IR_EVAL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/ir.h"

namespace precast::ir {

// Result of a pure instruction (see fold.h's IsPure) on operands; not of vectors or context
// addresses. `operand` is the operand's type, for conversions, whose InstData does not say.
uint64_t EvalPure(const InstData& inst, absl::Span<const uint64_t> args, Type operand = Type::kI32);

// What a function runs on.
struct EvalMachine {
  std::vector<uint8_t> memory;           // guest addresses 0 … size-1; all others fault
  std::array<uint32_t, 256> state = {};  // guest state slots
  int64_t fuel = 0;
  // What host addresses lead to: the context, and memory for everything else, such as what
  // `load_at` has as its base. Where they lie may be chosen, so that a run can be compared with
  // native code.
  std::vector<uint8_t> context;
  uint64_t context_address = 0x2000'0000'0000;
  std::vector<uint8_t> host;
  uint64_t host_address = 0x1000'0000'0000;
};

struct EvalOptions {
  // Guest and runtime calls: gets the instruction, operands and machine (with fuel as generated
  // code has it there); returns as many results as the instruction has, or nullopt to stop.
  std::function<std::optional<std::vector<uint64_t>>(const InstData&, absl::Span<const uint64_t>,
                                                     EvalMachine&)>
      call;
  // Told of every `meter` and `meter_check` before it is executed: with the machine as it would be
  // if execution stopped there (fuel exact, deferred state stored).
  std::function<void(const InstData&, const EvalMachine&)> meter;
  uint64_t max_steps = 1'000'000;  // instructions
};

struct EvalResult {
  enum class Outcome : uint8_t {
    kReturned,      // values: results
    kTailCall,      // values: operands; callee
    kTailDispatch,  // values: operands, guest pc first
    kTailPointer,   // values: operands, code first
    kTrap,          // site, trap_code
    kMemoryFault,   // site, address: of the guest, or from `host_address`
    kSuspended,     // site
    kStoppedByCall,
    kOutOfSteps,
    kUnsupported,  // v128; an access to the context or the host that leads to neither
  };
  Outcome outcome = Outcome::kReturned;
  std::vector<uint64_t> values;
  uint32_t callee = 0;
  Site site = {};
  TrapCode trap_code = 0;
  int64_t address = 0;
};

// Runs verified `function` from `entry` (one of its entries). When it stops at a site, `machine` is
// as a runtime would make it: deferred state stored, fuel refunded.
EvalResult Eval(const Function& function, Block entry, absl::Span<const uint64_t> args,
                EvalMachine& machine, const EvalOptions& options);

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_EVAL_H_
