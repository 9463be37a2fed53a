// The front half for RISC-V: an ELF executable, its control flow recovered from the code alone, a
// region at a time.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/baseline/riscv_compiler.h"
#include "compiler/driver/front_end.h"
#include "compiler/image/side_tables.h"
#include "compiler/parallel.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/fast_helpers.h"
#include "compiler/riscv/fast_paths.h"
#include "compiler/riscv/interpreters.h"
#include "compiler/riscv/lifter.h"
#include "loader/format/ex_info.h"
#include "openvm/config.h"
#include "openvm/extension.h"

namespace precast::driver {
namespace {

class RiscVFrontEnd final : public FrontEnd {
 public:
  RiscVFrontEnd(guest::Program program, const CompileOptions& options)
      : options_(options), program_(std::move(program)) {}

  guest::Program& program() override { return program_; }

  // From here on the program's code and its partition into regions are fixed.
  absl::Status Analyze(const std::function<void()>& meanwhile) override {
    if (options_.canonical_nans || !options_.imports.empty()) {
      return absl::InvalidArgumentError(
          "canonical NaNs and imported images are for WebAssembly modules; this is a RISC-V "
          "program");
    }
    if (options_.count_rows && !program_.openvm) {
      return absl::InvalidArgumentError(
          "rows are counted for OpenVM guests only; this is another RISC-V program");
    }
    if (options_.count_rows && !options_.metered) {
      return absl::InvalidArgumentError("code that counts rows has to count instructions too");
    }
    code_.emplace(program_, options_.threads);
    flow_ = riscv::RecoverControlFlow(program_, *code_, options_.threads, meanwhile);
    if (program_.openvm) FindExtensions();
    if (options_.opt_level >= 2 && !options_.count_rows) riscv::SplitFastPaths(flow_, *code_);
    dispatch_ = image::CoverEntries(flow_.entries);
    return absl::OkStatus();
  }

  size_t num_functions() const override { return flow_.regions.size(); }

  absl::StatusOr<ir::Function> Lift(size_t i) const override {
    return riscv::Lift(flow_.regions[i], flow_, *code_,
                       {.local = options_.opt_level == 0,
                        .strict_alignment = program_.openvm,
                        .lower_custom = program_.openvm ? &program_ : nullptr,
                        .count_rows = options_.count_rows ? &program_ : nullptr});
  }

  bool SuitsBaseline(size_t i) const override {
    return riscv::IsCallingInterpreter(flow_.regions[i]);
  }

  std::optional<codegen::CompiledFunction> CompileBaseline(
      size_t i, const codegen::CompileOptions& options,
      std::optional<size_t>& /*instructions*/) const override {
    // Templates always count instructions, and never rows.
    if (!options_.metered || options_.count_rows || program_.fast_helpers) return std::nullopt;
    std::unique_ptr<Baseline> baseline = baselines_.Take([&] {
      return std::make_unique<Baseline>(
          flow_, *code_, baseline::RegionOptions{.openvm = program_.openvm}, options);
    });
    std::optional<codegen::CompiledFunction> compiled =
        baseline->compiler.Compile(flow_.regions[i]);
    if (compiled) {
      Describe(i, *compiled);
      image::EncodeSideTables(program_.kind, *compiled, baseline->encoder);
      baseline->compiler.Recycle(*compiled);
    }
    baselines_.Return(std::move(baseline));
    return compiled;
  }

  size_t CountInstructions(size_t i) const override {
    size_t count = 0;
    for (const riscv::BasicBlock& block : flow_.regions[i].blocks)
      count += block.num_instructions();
    return count - flow_.regions[i].shared_instructions;
  }

  void Describe(size_t i, codegen::CompiledFunction& function) const override {
    function.guest_begin = flow_.regions[i].blocks.front().begin;
    function.guest_end = flow_.regions[i].blocks.back().end;
  }

  image::DispatchRange dispatch() const override { return dispatch_; }

 private:
  // What a thread uses for one region after another.
  struct Baseline {
    Baseline(const riscv::ControlFlow& flow, const riscv::Code& code,
             const baseline::RegionOptions& region_options,
             const codegen::CompileOptions& compile_options)
        : compiler(flow, code, region_options, compile_options) {}
    baseline::RiscVCompiler compiler;
    format::ExInfoEncoder encoder;
  };

  // The extensions whose instructions were found.
  void FindExtensions() {
    std::set<std::string> found;
    for (const riscv::Region& region : flow_.regions) {
      for (const riscv::BasicBlock& block : region.blocks) {
        if (!block.has_custom) continue;
        const uint32_t first = code_->IndexOf(block.begin);
        for (uint32_t k = 0; k < block.num_instructions(); ++k) {
          if (!riscv::IsCustom(code_->At(first + k).op)) continue;
          const openvm::Registry::Entry* entry =
              openvm::Registry::Global().Find(riscv::WordAt(program_, block.begin + 4 * k));
          if (entry != nullptr) found.insert(openvm::ExtensionId(*entry->extension));
        }
      }
    }
    program_.openvm_extensions.assign(found.begin(), found.end());
  }

  const CompileOptions& options_;
  guest::Program program_;
  std::optional<riscv::Code> code_;
  riscv::ControlFlow flow_;
  image::DispatchRange dispatch_;
  mutable Pool<Baseline> baselines_;
};

absl::Status ChooseAbi(const CompileOptions& options, guest::Program& program) {
  using Abi = CompileOptions::Abi;
  program.openvm = options.abi == Abi::kOpenVm || options.openvm_config.has_value() ||
                   (options.abi == Abi::kAuto && riscv::LooksLikeOpenVm(program));
  if (options.abi == Abi::kLinux && options.openvm_config.has_value()) {
    return absl::InvalidArgumentError("an OpenVM configuration is for OpenVM guests only");
  }
  if (!program.openvm) return absl::OkStatus();
  if (options.openvm_config.has_value()) {
    program.openvm_config = *options.openvm_config;
    return absl::OkStatus();
  }
  if (!program.openvm_section.has_value()) return absl::OkStatus();
  absl::StatusOr<std::vector<openvm::Number>> moduli =
      openvm::ParseGuestSection(*program.openvm_section);
  if (!moduli.ok()) return moduli.status();
  program.openvm_config.moduli = *std::move(moduli);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<FrontEnd>> OpenRiscV(absl::Span<const uint8_t> file,
                                                    const CompileOptions& options) {
  absl::StatusOr<guest::Program> program = riscv::ReadElf(file, /*with_guid=*/false);
  if (!program.ok()) return program.status();
  if (absl::Status s = ChooseAbi(options, *program); !s.ok()) return s;
  if (options.fast_helpers) {
    if (program->openvm) {
      return absl::InvalidArgumentError("fast helpers are not for OpenVM guests");
    }
    riscv::UseFastHelpers(*program);
  }
  return std::make_unique<RiscVFrontEnd>(*std::move(program), options);
}

}  // namespace precast::driver
