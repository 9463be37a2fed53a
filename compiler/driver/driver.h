// The compiler's table of contents: a guest program in, an image out, every step by name.
#ifndef PRECAST_COMPILER_DRIVER_DRIVER_H_
#define PRECAST_COMPILER_DRIVER_DRIVER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/driver/profile_file.h"
#include "compiler/guest/program.h"
#include "compiler/image/write_image.h"
#include "compiler/wasm/module.h"
#include "elfwriter/assembly.h"
#include "loader/format/metadata.h"
#include "openvm/config.h"

namespace precast::driver {

struct CompileOptions {
  // 0: no optimization passes, and for RISC-V each basic block alone. 1: SSA over whole regions.
  // 2: the whole optimizer.
  int opt_level = 1;
  // Count fuel (WebAssembly) or retired instructions (RISC-V); code is smaller and faster if off,
  // and a RISC-V run then has no limit and no count.
  bool metered = true;
  // RISC-V: which machine the program is for (docs/openvm.md). kAuto: OpenVM if the program has a
  // section `.openvm` or an instruction that ends an OpenVM guest.
  enum class Abi : uint8_t { kAuto, kLinux, kOpenVm } abi = Abi::kAuto;
  // OpenVM: the machine's configuration; without it, OpenVM's defaults and the moduli of section
  // `.openvm`.
  std::optional<openvm::Config> openvm_config = {};
  // format::CpuFeature bits that code may use besides those it uses anyway (RISC-V: none;
  // WebAssembly: x86-64-v2). The image records them all, used or not.
  uint64_t cpu_features = 0;
  // OpenVM: code counts the rows of chips and marks the pages it touches, for metered runs at the
  // speed of native code (docs/openvm_segments.md). Needs `metered`; other runs of such an image
  // are a little slower.
  bool count_rows = false;
  // RISC-V: calls of libgcc's arithmetic functions (runtime/abi/helpers.def) are one instruction
  // each (docs/riscv_lifting.md). Trusts function symbols.
  bool fast_helpers = false;
  // WebAssembly: NaN results of arithmetic are the canonical NaN, the same on every machine.
  bool canonical_nans = false;
  // WebAssembly: what a module may use beyond the standard's version 2.0.
  wasm::Features features = {};
  // WebAssembly: for some or all of the names that the module imports from, the program (module or
  // image of one) that it is compiled against. Recorded in the image; who links it compares.
  std::vector<format::ImportedImage> imports = {};
  // What earlier runs executed often and never (see opt/profile.h). Of another program:
  // InvalidArgument. Its digest is among the image's options.
  std::optional<GuestProfile> profile = {};
  // Worker threads; 0 = one per processor. Output does not depend on it.
  int threads = 0;
  // Run the IR verifier between passes and the register allocation checker: slow, for tests and
  // fuzzing.
  bool check = false;
  // Called after each function (from any thread, one call at a time) with functions done and in
  // all.
  std::function<void(size_t done, size_t total)> progress = {};
};

// What compilation did, for reports.
struct CompileStats {
  guest::Kind kind = guest::Kind::kRiscV32;
  size_t regions = 0;             // Wasm: functions
  size_t guest_instructions = 0;  // recovered or read, not executed
  size_t ir_instructions = 0;     // handed to the back end
  size_t code_bytes = 0;
  size_t image_bytes = 0;
  double seconds = 0;  // wall clock, all steps
};

struct CompileResult {
  std::vector<uint8_t> image;
  CompileStats stats;
};

// Reads a guest program of any supported kind; `file` must outlive it. InvalidArgument if `file` is
// none, or is faulty.
absl::StatusOr<guest::Program> ReadProgram(absl::Span<const uint8_t> file,
                                           const CompileOptions& options = {});

// Compiles `file` to an image. Deterministic: same file, options and compiler give the same bytes.
// ResourceExhausted if the image would be too large.
absl::StatusOr<CompileResult> Compile(absl::Span<const uint8_t> file,
                                      const CompileOptions& options);

// The same, but hands the image over in pieces, without ever having all of it in memory.
absl::StatusOr<CompileStats> CompileTo(absl::Span<const uint8_t> file,
                                       const CompileOptions& options, image::ImageSink& sink);

// The same image as assembly text, for `as` and `ld` (see elfwriter/assembly.h).
absl::StatusOr<elfwriter::Assembly> CompileToAssembly(absl::Span<const uint8_t> file,
                                                      const CompileOptions& options);

// The optimized IR of every region or function as text, in address order.
absl::StatusOr<std::string> CompileToIr(absl::Span<const uint8_t> file,
                                        const CompileOptions& options);

}  // namespace precast::driver

#endif  // PRECAST_COMPILER_DRIVER_DRIVER_H_
