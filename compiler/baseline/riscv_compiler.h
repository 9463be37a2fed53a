// Compiles a region of a RISC-V program in one pass, for -O0: every instruction is decoded once and
// becomes machine code at once, by a template. No IR, no register allocation.
//
// The nine passed guest registers (abi::kPassed) stay in their machine registers throughout; the
// others stay in VmContext. So the state is exact between any two instructions, every site has the
// same state, and nothing is done at calls and returns. Boundary, sites, traps and counting are
// those of docs/riscv_lifting.md, so regions compiled either way live in one image.
#ifndef PRECAST_COMPILER_BASELINE_RISCV_COMPILER_H_
#define PRECAST_COMPILER_BASELINE_RISCV_COMPILER_H_

#include <memory>
#include <optional>

#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/riscv/control_flow.h"

namespace precast::baseline {

struct RegionOptions {
  // Loads and stores that are not naturally aligned trap, and custom instructions call the runtime.
  bool openvm = false;
};

class RegionCompiler;

// Holds the buffers, to be used for one region after another, on one thread at a time.
class RiscVCompiler {
 public:
  // `flow`, `code` and `options` must outlive the compiler.
  RiscVCompiler(const riscv::ControlFlow& flow, const riscv::Code& code,
                const RegionOptions& region_options, const codegen::CompileOptions& options);
  ~RiscVCompiler();

  // nullopt if the region has an instruction that only the way through the IR compiles.
  // Deterministic. The guest range is left to the caller.
  std::optional<codegen::CompiledFunction> Compile(const riscv::Region& region);
  // Takes the room of a function's side tables, which nobody needs any more, for the next
  // function's.
  void Recycle(codegen::CompiledFunction& function);

 private:
  std::unique_ptr<RegionCompiler> compiler_;
};

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_RISCV_COMPILER_H_
