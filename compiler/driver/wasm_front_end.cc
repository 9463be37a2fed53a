// The front half for WebAssembly: a module, validated, a function at a time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/types/span.h"
#include "compiler/baseline/wasm_compiler.h"
#include "compiler/driver/front_end.h"
#include "compiler/driver/wasm_memory.h"
#include "compiler/image/side_tables.h"
#include "compiler/opt/fold_addresses.h"
#include "compiler/parallel.h"
#include "compiler/wasm/lifter.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/validator.h"
#include "loader/format/cpu_features.h"
#include "loader/format/ex_info.h"

namespace precast::driver {
namespace {

guest::Program MakeProgram(const wasm::LiftContext& context) {
  const wasm::Module& module = context.module;
  guest::Program program;
  program.kind = guest::Kind::kWasm;
  program.module = module.bytes;
  if (std::optional<std::vector<guest::Segment>> memory = InitialMemory(module)) {
    program.memory_initialized = true;
    program.segments = *std::move(memory);
  }
  for (const wasm::Export& e : module.exports) {
    guest::Export out{std::string(e.name), guest::ExportKind::kFunction, e.index};
    switch (e.kind) {
      case wasm::ExternKind::kFunction:
        if (module.IsImported(e.index)) {
          out.kind = guest::ExportKind::kImportedFunction;
        } else {
          out.index -= module.num_imported_functions;
        }
        break;
      case wasm::ExternKind::kTable:
        out.kind = guest::ExportKind::kTable;
        break;
      case wasm::ExternKind::kMemory:
        out.kind = guest::ExportKind::kMemory;
        break;
      case wasm::ExternKind::kGlobal:
        out.kind = guest::ExportKind::kGlobal;
        break;
    }
    program.exports.push_back(std::move(out));
  }
  for (uint32_t f = module.num_imported_functions; f < module.functions.size(); ++f) {
    if (module.declared[f]) program.declared.push_back({f, module.functions[f].type});
  }
  for (const wasm::ElementSegment& segment : module.elements) {
    guest::ElementSegment& out = program.elements.emplace_back();
    out.end = segment.file_end;
    for (uint32_t f : segment.functions) out.records.push_back(context.record_of[f]);
  }
  return program;
}

class WasmFrontEnd final : public FrontEnd {
 public:
  WasmFrontEnd(wasm::Module module, std::vector<uint32_t> instructions,
               const CompileOptions& options)
      : options_(options),
        module_(std::move(module)),
        instructions_(std::move(instructions)),
        context_(module_),
        program_(MakeProgram(context_)) {}

  guest::Program& program() override { return program_; }

  absl::Status Analyze(const std::function<void()>& /*meanwhile*/) override {
    if (options_.count_rows) {
      return absl::InvalidArgumentError(
          "rows are counted for OpenVM guests only; this is a WebAssembly module");
    }
    if (options_.fast_helpers) {
      return absl::InvalidArgumentError(
          "fast helpers are for RISC-V programs; this is a WebAssembly module, which has its own "
          "floating point");
    }
    std::set<std::string_view> modules;
    for (const wasm::Import& import : module_.imports) modules.insert(import.module);
    for (const format::ImportedImage& image : options_.imports) {
      if (modules.contains(image.name)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "the module imports nothing from \"", image.name, "\"",
          modules.empty() ? std::string("; it has no imports")
                          : absl::StrCat("; it imports from: ", absl::StrJoin(modules, ", "))));
    }
    ChooseNames();
    return absl::OkStatus();
  }

  // The runtime lets no memory grow to its last page; one that is imported may have begun with it.
  bool CanFoldAddresses() const override {
    return module_.num_imported_memories == 0 && !module_.memories.empty() &&
           !module_.memories[0].is_64 &&
           module_.memories[0].limits.min * abi::kWasmPageSize <= opt::kMaxMemory;
  }

  size_t num_functions() const override {
    return module_.functions.size() - module_.num_imported_functions;
  }

  absl::StatusOr<ir::Function> Lift(size_t i) const override {
    return wasm::Lift(context_, Index(i),
                      {.metered = options_.metered, .canonical_nans = options_.canonical_nans});
  }

  std::optional<size_t> Inlinable(ir::FuncRef callee) const override {
    // What has more bytes than this never makes so few IR instructions that it is put in.
    constexpr uint32_t kMaxBytes = 200;
    const auto begin = module_.functions.begin() + module_.num_imported_functions;
    const auto at = std::lower_bound(
        begin, module_.functions.end(), callee.index,
        [](const auto& function, uint32_t offset) { return function.body.begin < offset; });
    if (at == module_.functions.end() || at->body.begin != callee.index) return std::nullopt;
    if (at->body.end - at->body.begin > kMaxBytes) return std::nullopt;
    return static_cast<size_t>(at - begin);
  }

  std::optional<codegen::CompiledFunction> CompileBaseline(
      size_t i, const codegen::CompileOptions&,
      std::optional<size_t>& instructions) const override {
    std::unique_ptr<Baseline> baseline = baselines_.Take([this] {
      return std::make_unique<Baseline>(
          context_, wasm::LiftOptions{.metered = options_.metered,
                                      .canonical_nans = options_.canonical_nans});
    });
    baseline::WasmCompiler& compiler = baseline->compiler;
    std::optional<codegen::CompiledFunction> compiled = compiler.Compile(Index(i));
    if (compiled) {
      instructions = compiler.instructions();
      Describe(i, *compiled);
      image::EncodeSideTables(program_.kind, *compiled, baseline->encoder);
      compiler.Recycle(*compiled);
    }
    baselines_.Return(std::move(baseline));
    return compiled;
  }

  size_t CountInstructions(size_t i) const override { return instructions_[i]; }

  void Describe(size_t i, codegen::CompiledFunction& function) const override {
    const wasm::ByteRange body = module_.functions[Index(i)].body;
    function.guest_begin = body.begin;
    function.guest_end = body.end;
    function.name = names_[i];
  }

  uint64_t cpu_features() const override { return format::kX86_64V2; }

 private:
  // What a thread uses for one function after another.
  struct Baseline {
    Baseline(const wasm::LiftContext& context, const wasm::LiftOptions& options)
        : compiler(context, options) {}
    baseline::WasmCompiler compiler;
    format::ExInfoEncoder encoder;
  };

  // Names of symbols, which are all different, so that a debugger's `break NAME` means one
  // function. Those of WebAssembly may be the same, and may contain a zero byte, at which a name in
  // an ELF file ends.
  void ChooseNames() {
    absl::flat_hash_set<std::string> taken;
    taken.reserve(num_functions());
    names_.reserve(num_functions());
    for (size_t i = 0; i < num_functions(); ++i) {
      std::string name = absl::StrReplaceAll(wasm::FunctionName(context_, Index(i)),
                                             {{std::string_view("\0", 1), "?"}});
      while (!taken.insert(name).second) absl::StrAppend(&name, "[", Index(i), "]");
      names_.push_back(std::move(name));
    }
  }

  uint32_t Index(size_t i) const {
    return module_.num_imported_functions + static_cast<uint32_t>(i);
  }

  const CompileOptions& options_;
  const wasm::Module module_;
  const std::vector<uint32_t> instructions_;  // how many, by function of its own
  const wasm::LiftContext context_;
  guest::Program program_;
  std::vector<std::string> names_;
  mutable Pool<Baseline> baselines_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FrontEnd>> OpenWasm(absl::Span<const uint8_t> file,
                                                   const CompileOptions& options) {
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(file, options.features);
  if (!module.ok()) return module.status();
  std::vector<uint32_t> instructions;
  absl::Status valid = wasm::Validate(*module, options.features, options.threads, &instructions);
  if (!valid.ok()) return valid;
  return std::make_unique<WasmFrontEnd>(*std::move(module), std::move(instructions), options);
}

}  // namespace precast::driver
