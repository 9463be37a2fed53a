// See compile.h.
#include "compiler/x64/compile.h"

#include "absl/log/check.h"
#include "compiler/regalloc/checker.h"
#include "compiler/regalloc/problem_text.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/x64/assembly_text.h"
#include "compiler/x64/control_flow.h"
#include "compiler/x64/emit.h"
#include "compiler/x64/select.h"

namespace precast::x64 {
namespace {

class Target final : public codegen::Target {
 public:
  std::string_view name() const override { return "x86-64"; }
  codegen::CompiledFunction Compile(const ir::Function& function,
                                    const codegen::CompileOptions& options,
                                    const ir::Graphs& graphs) const override {
    return x64::Compile(function, options, graphs);
  }
};

}  // namespace

codegen::CompiledFunction Compile(const ir::Function& function,
                                  const codegen::CompileOptions& options,
                                  const ir::Graphs& graphs) {
  const ControlFlow control_flow = AnalyzeControlFlow(function, graphs);

  const MFunction machine = Select(function, control_flow, options.cpu_features);
  if (options.dump) options.dump("mir", regalloc::ToString(machine.problem));
  // From here on the instructions and their order are fixed, except for moves.

  const regalloc::Solution solution = regalloc::Allocate(machine.problem);
  if (options.check_allocation) {
    const absl::Status status = regalloc::Check(machine.problem, solution);
    CHECK(status.ok()) << function.name() << ": " << status;
  }
  // From here on every value has its place, and the size of the frame is fixed.

  codegen::CompiledFunction result = Emit(function.name(), machine, solution, options);
  if (options.dump) options.dump("asm", AssemblyText(result));
  return result;
}

const codegen::Target& X64Target() {
  static const Target target;
  return target;
}

}  // namespace precast::x64
