#include "compiler/driver/driver.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/driver/parallel.h"
#include "compiler/image/image_builder.h"
#include "compiler/ir/printer.h"
#include "compiler/opt/pipeline.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/lifter.h"
#include "compiler/x64/compile.h"
#include "elfwriter/assembly.h"
#include "loader/format/aot_file_info.h"

namespace precast::driver {
namespace {

// The compiler's work on one program, up to the point where output forms differ.
class Compilation {
 public:
  explicit Compilation(const CompileOptions& options) : options_(options) {}

  absl::Status Read(absl::Span<const uint8_t> file) {
    absl::StatusOr<guest::Program> program = ReadProgram(file);
    if (!program.ok()) return program.status();
    program_ = *std::move(program);
    return absl::OkStatus();
  }

  // From here on the program's code and its partition into regions are fixed.
  void Recover() {
    code_.emplace(program_);
    flow_ = riscv::RecoverControlFlow(program_, *code_);
    for (const riscv::Region& region : flow_.regions) {
      for (const riscv::BasicBlock& block : region.blocks)
        stats_.guest_instructions += block.num_instructions();
    }
    stats_.regions = flow_.regions.size();
  }

  ir::Function LiftAndOptimize(size_t i) const {
    ir::Function function =
        riscv::Lift(flow_.regions[i], flow_, *code_, {.local = options_.opt_level == 0});
    opt::Optimize(function, {.level = options_.opt_level, .verify = options_.check});
    return function;
  }

  // Regions are independent: each is lifted, optimized and encoded on whichever thread is free.
  absl::Status CompileRegions() {
    dispatch_ = image::CoverEntries(flow_.entries);
    codegen::CompileOptions target_options;
    target_options.dispatch_base = dispatch_.base;
    target_options.dispatch_count = dispatch_.count;
    target_options.check_allocation = options_.check;
    functions_.resize(flow_.regions.size());
    std::mutex mutex;
    size_t done = 0;
    ParallelFor(flow_.regions.size(), options_.threads, [&](size_t i) {
      const ir::Function function = LiftAndOptimize(i);
      functions_[i] = target_.Compile(function, target_options);
      functions_[i].guest_begin = flow_.regions[i].blocks.front().begin;
      functions_[i].guest_end = flow_.regions[i].blocks.back().end;
      std::lock_guard<std::mutex> lock(mutex);
      stats_.ir_instructions += function.num_insts();
      ++done;
      if (options_.progress) options_.progress(done, flow_.regions.size());
    });
    for (const codegen::CompiledFunction& f : functions_) stats_.code_bytes += f.code.size();
    return CheckSize();
  }

  // From here on every address in the image is fixed.
  image::LaidOutImage BuildImage() const {
    return image::Build(program_, functions_, dispatch_, {.opt_level = options_.opt_level});
  }

  size_t num_regions() const { return flow_.regions.size(); }
  CompileStats& stats() { return stats_; }

 private:
  // Offsets in an image are 32-bit numbers; side tables and symbols need room besides.
  absl::Status CheckSize() const {
    constexpr size_t kMaxBytes = format::kMaxImageSize / 4;
    size_t bytes = 0;
    for (const codegen::CompiledFunction& f : functions_)
      bytes += f.code.size() + f.constants.size();
    for (const guest::Segment& segment : program_.segments) bytes += segment.data.size();
    if (bytes <= kMaxBytes) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrFormat(
        "program too large: expected at most %d bytes of code and data in its image, found %d",
        kMaxBytes, bytes));
  }

  const CompileOptions& options_;
  const codegen::Target& target_ = x64::X64Target();
  guest::Program program_;
  std::optional<riscv::Code> code_;
  riscv::ControlFlow flow_;
  image::DispatchRange dispatch_;
  std::vector<codegen::CompiledFunction> functions_;
  CompileStats stats_;
};

}  // namespace

absl::StatusOr<guest::Program> ReadProgram(absl::Span<const uint8_t> file) {
  if (riscv::LooksLikeRiscVElf(file)) return riscv::ReadElf(file);
  return absl::InvalidArgumentError(
      "not a guest program: expected a RISC-V ELF executable (starts with 7f 45 4c 46, machine "
      "243)");
}

absl::StatusOr<CompileResult> Compile(absl::Span<const uint8_t> file,
                                      const CompileOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Compilation compilation(options);
  if (absl::Status status = compilation.Read(file); !status.ok()) return status;
  compilation.Recover();
  if (absl::Status status = compilation.CompileRegions(); !status.ok()) return status;
  CompileResult result;
  image::LaidOutImage image = compilation.BuildImage();
  result.image = image::Finish(image);
  result.stats = compilation.stats();
  result.stats.image_bytes = result.image.size();
  result.stats.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

absl::StatusOr<elfwriter::Assembly> CompileToAssembly(absl::Span<const uint8_t> file,
                                                      const CompileOptions& options) {
  Compilation compilation(options);
  if (absl::Status status = compilation.Read(file); !status.ok()) return status;
  compilation.Recover();
  if (absl::Status status = compilation.CompileRegions(); !status.ok()) return status;
  image::LaidOutImage image = compilation.BuildImage();
  image::Finish(image);
  return elfwriter::WriteAssembly(*image.object);
}

absl::StatusOr<std::string> CompileToIr(absl::Span<const uint8_t> file,
                                        const CompileOptions& options) {
  Compilation compilation(options);
  if (absl::Status status = compilation.Read(file); !status.ok()) return status;
  compilation.Recover();
  std::vector<std::string> texts(compilation.num_regions());
  ParallelFor(texts.size(), options.threads,
              [&](size_t i) { texts[i] = ir::Print(compilation.LiftAndOptimize(i)); });
  std::string result;
  for (const std::string& text : texts) result += text + "\n";
  return result;
}

}  // namespace precast::driver
