// The interface of a target back end, so that nothing above it knows a particular machine.
#ifndef PRECAST_COMPILER_CODEGEN_TARGET_H_
#define PRECAST_COMPILER_CODEGEN_TARGET_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::codegen {

struct CompileOptions {
  // As driver::CompileOptions::opt_level: what costs time to find is left to 2.
  int opt_level = 1;

  // The part of the guest's address space that the image's dispatch table covers: guest pcs
  // dispatch_base + 4 * i for i < dispatch_count. Entry i of the table (relocation target
  // kDispatchTable is its first byte) is an i32: code address - table address, or 0 if pc i has no
  // native entry.
  uint32_t dispatch_base = 0;
  uint32_t dispatch_count = 0;  // less than 2^30

  // format::CpuFeature bits that the code may need.
  uint64_t cpu_features = 0;

  // Heads of innermost loops start at multiples of 16, at level 2 at a good place within 64 bytes.
  bool align_loops = true;

  // Runs the register allocator's independent checker on every function; a failure is fatal.
  bool check_allocation = false;

  // If set, called with the stages of the compilation as text ("mir", "asm"); costs time only then.
  std::function<void(std::string_view stage, std::string_view text)> dump;
};

class Target {
 public:
  virtual ~Target() = default;

  virtual std::string_view name() const = 0;

  // Compiles verified IR. Deterministic and thread-safe. Never fails: what a target cannot compile
  // must not be given to it. `graphs` has been used for this function only.
  virtual CompiledFunction Compile(const ir::Function& function, const CompileOptions& options,
                                   const ir::Graphs& graphs) const = 0;
};

}  // namespace precast::codegen

#endif  // PRECAST_COMPILER_CODEGEN_TARGET_H_
