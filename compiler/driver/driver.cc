#include "compiler/driver/driver.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/driver/front_end.h"
#include "compiler/image/image_builder.h"
#include "compiler/image/side_tables.h"
#include "compiler/image/write_image.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/printer.h"
#include "compiler/opt/meter.h"
#include "compiler/opt/pipeline.h"
#include "compiler/opt/profile.h"
#include "compiler/opt/resume_entries.h"
#include "compiler/opt/resume_guards.h"
#include "compiler/parallel.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/wasm/reader.h"
#include "compiler/x64/compile.h"
#include "elfwriter/assembly.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/ex_info.h"
#include "loader/format/guid.h"

namespace precast::driver {
namespace {

absl::StatusOr<std::unique_ptr<FrontEnd>> Open(absl::Span<const uint8_t> file,
                                               const CompileOptions& options) {
  if (riscv::LooksLikeRiscVElf(file)) return OpenRiscV(file, options);
  if (wasm::IsModule(file)) return OpenWasm(file, options);
  if (file.size() >= 8 && std::memcmp(file.data(), "\0asm", 4) == 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("not a WebAssembly module of version 1: expected 01 00 00 00 at offset "
                        "4, found %02x %02x "
                        "%02x %02x (0d 00 01 00 is a component, which holds modules)",
                        file[4], file[5], file[6], file[7]));
  }
  return absl::InvalidArgumentError(
      "not a guest program: expected a RISC-V ELF executable (starts with 7f "
      "45 4c 46, machine "
      "243) or a WebAssembly module (starts with 00 61 73 6d 01 00 00 00)");
}

// Of what fails on several threads, the first in the program: the same on any
// number of threads.
class FirstFailure {
 public:
  bool IsBefore(size_t i) const { return index_.load(std::memory_order_relaxed) < i; }
  void Add(size_t i, absl::Status status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (IsBefore(i)) return;
    index_ = i;
    status_ = std::move(status);
  }
  // When all are done.
  const absl::Status& status() const { return status_; }

 private:
  std::atomic<size_t> index_{std::numeric_limits<size_t>::max()};
  std::mutex mutex_;
  absl::Status status_;
};

// The compiler's work on one program, up to the point where output forms
// differ.
class Compilation {
 public:
  // `file` and `options` must outlive it.
  Compilation(absl::Span<const uint8_t> file, const CompileOptions& options)
      : file_(file), options_(options) {}

  // From here on the program's functions are known.
  absl::Status Read() {
    absl::StatusOr<std::unique_ptr<FrontEnd>> front_end = Open(file_, options_);
    if (!front_end.ok()) return front_end.status();
    front_end_ = *std::move(front_end);
    if (absl::Status status = front_end_->Analyze([this] { HashFile(); }); !status.ok())
      return status;
    if (options_.profile) HashFile();
    if (options_.profile && options_.profile->guid != front_end_->program().guid) {
      return absl::InvalidArgumentError(
          absl::StrCat("profile: guid: expected that of the program, ",
                       format::GuidToString(front_end_->program().guid), ", actual ",
                       format::GuidToString(options_.profile->guid)));
    }
    stats_.kind = front_end_->program().kind;
    stats_.regions = front_end_->num_functions();
    bodies_ = std::make_unique<Body[]>(stats_.regions);
    return absl::OkStatus();
  }

  absl::StatusOr<ir::Function> Lift(size_t i) const {
    absl::StatusOr<ir::Function> function = front_end_->Lift(i);
    if (function.ok() && !options_.metered && !RemovesMetersLate(*function)) {
      opt::RemoveMeters(*function);
    }
    if (function.ok() && options_.profile) opt::ApplyProfile(*function, options_.profile->profile);
    return function;
  }

  // Whether the optimizer does it, see PipelineOptions::metered.
  bool RemovesMetersLate(const ir::Function& f) const {
    return options_.opt_level >= 2 && f.signature().conv == ir::CallConv::kGuest;
  }

  // Function i, and maybe a second one that has some of its entries.
  struct Lifted {
    ir::Function function;
    std::optional<ir::Function> resumed;
    ir::Graphs graphs = {};  // of `function`
  };
  absl::StatusOr<Lifted> LiftAndOptimize(size_t i) const {
    absl::StatusOr<ir::Function> function = Lift(i);
    if (!function.ok()) return function.status();
    Lifted lifted{*std::move(function), std::nullopt};
    const ir::Graphs& graphs = lifted.graphs;
    if (options_.opt_level >= 2) {
      opt::GuardResumeEntries(lifted.function, graphs);
      lifted.resumed = opt::SplitResumeEntries(lifted.function, options_.count_rows, graphs);
    }
    opt::Optimize(lifted.function,
                  {.level = options_.opt_level,
                   .metered = options_.metered,
                   .mark_pages = options_.count_rows,
                   .verify = options_.check,
                   .body = [this](ir::FuncRef callee) { return BodyOf(callee); },
                   .delay_state = true,
                   .fold_addresses = front_end_->CanFoldAddresses()},
                  graphs);
    // That one is seldom executed.
    if (lifted.resumed) {
      if (!options_.metered) opt::RemoveMeters(*lifted.resumed);
      opt::Optimize(*lifted.resumed,
                    {.level = 1, .mark_pages = options_.count_rows, .verify = options_.check});
    }
    return lifted;
  }

  // The function called, ready to be put in where it is called; null if that is not to be.
  const ir::Function* BodyOf(ir::FuncRef callee) const {
    const std::optional<size_t> i = front_end_->Inlinable(callee);
    if (!i) return nullptr;
    Body& body = bodies_[*i];
    std::call_once(body.once, [&] {
      absl::StatusOr<ir::Function> function = Lift(*i);
      if (function.ok() && opt::MakeInlinable(*function)) {
        body.function = std::make_unique<const ir::Function>(*std::move(function));
      }
    });
    return body.function.get();
  }

  // Functions are independent: each is lifted, optimized and encoded on
  // whichever thread is free. Their IR lives only for that long. Before the first of them comes the
  // file's hash, if that is not known yet.
  absl::Status CompileFunctions() {
    codegen::CompileOptions target_options;
    target_options.opt_level = options_.opt_level;
    target_options.dispatch_base = front_end_->dispatch().base;
    target_options.dispatch_count = front_end_->dispatch().count;
    target_options.cpu_features = CpuFeatures();
    target_options.check_allocation = options_.check;
    functions_.resize(front_end_->num_functions());
    // Of those that the optimizer takes apart, by function.
    std::vector<std::unique_ptr<codegen::CompiledFunction>> resumed(
        options_.opt_level >= 2 ? functions_.size() : 0);
    FirstFailure failure;
    std::atomic<size_t> guest_instructions = 0, all_ir_instructions = 0;
    std::mutex mutex;
    size_t done = 0;
    ParallelFor(1 + functions_.size(), options_.threads, [&](size_t job) {
      if (job == 0) return HashFile();
      const size_t i = job - 1;
      if (failure.IsBefore(i)) return;
      size_t ir_instructions = 0;
      std::optional<codegen::CompiledFunction> compiled;
      std::optional<size_t> counted;
      if (options_.opt_level == 0 || front_end_->SuitsBaseline(i)) {
        compiled = front_end_->CompileBaseline(i, target_options, counted);
      }
      if (!compiled) {
        const absl::StatusOr<Lifted> lifted = LiftAndOptimize(i);
        if (!lifted.ok()) return failure.Add(i, lifted.status());
        compiled = target_.Compile(lifted->function, target_options, lifted->graphs);
        ir_instructions = lifted->function.num_insts();
        if (lifted->resumed) {
          codegen::CompileOptions seldom = target_options;
          seldom.align_loops = false;
          resumed[i] = std::make_unique<codegen::CompiledFunction>(
              target_.Compile(*lifted->resumed, seldom, ir::Graphs()));
          front_end_->Describe(i, *resumed[i]);
          resumed[i]->name += ".resumed";
        }
      }
      if (compiled->ex_info.empty()) {
        front_end_->Describe(i, *compiled);
        format::ExInfoEncoder encoder;
        image::EncodeSideTables(front_end_->program().kind, *compiled, encoder);
      }
      image::DropSideTables(*compiled);
      functions_[i] = *std::move(compiled);
      guest_instructions += counted ? *counted : front_end_->CountInstructions(i);
      all_ir_instructions += ir_instructions;
      if (!options_.progress) return;
      std::lock_guard<std::mutex> lock(mutex);
      options_.progress(++done, functions_.size());
    });
    stats_.guest_instructions = guest_instructions;
    stats_.ir_instructions = all_ir_instructions;
    if (!failure.status().ok()) return failure.status();
    // Behind all others, where they are in nobody's way.
    for (std::unique_ptr<codegen::CompiledFunction>& f : resumed) {
      if (f != nullptr) functions_.push_back(std::move(*f));
    }
    for (const codegen::CompiledFunction& f : functions_) stats_.code_bytes += f.code.size();
    return CheckSize();
  }

  // From here on every address in the image is fixed.
  image::LaidOutImage BuildImage() const {
    const image::ImageOptions image_options = {
        .opt_level = options_.opt_level,
        .cpu_features = CpuFeatures(),
        .metered = options_.metered,
        .count_rows = options_.count_rows,
        .canonical_nans = options_.canonical_nans,
        .profile = options_.profile ? ProfileDigest(options_.profile->profile) : "",
        .imports = options_.imports};
    return image::Build(front_end_->program(), functions_, front_end_->dispatch(), image_options,
                        options_.threads);
  }

  size_t num_functions() const { return front_end_->num_functions(); }
  CompileStats& stats() { return stats_; }

 private:
  // Offsets in an image are 32-bit numbers; side tables and symbols need room
  // besides.
  absl::Status CheckSize() const {
    constexpr size_t kMaxBytes = format::kMaxImageSize / 4;
    const guest::Program& program = front_end_->program();
    size_t bytes = program.module.size();
    for (const codegen::CompiledFunction& f : functions_)
      bytes += f.code.size() + f.constants.size();
    for (const guest::Segment& segment : program.segments) bytes += segment.data.size();
    if (bytes <= kMaxBytes) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrFormat("program too large: expected at most %d bytes of code "
                        "and data in its image, found %d",
                        kMaxBytes, bytes));
  }

  struct Body {
    std::once_flag once;
    std::unique_ptr<const ir::Function> function;
  };

  // Not needed until the image is put together.
  void HashFile() {
    if (!std::exchange(is_hashed_, true)) front_end_->program().guid = format::GuidOf(file_);
  }

  uint64_t CpuFeatures() const { return options_.cpu_features | front_end_->cpu_features(); }

  Workers workers_;
  const absl::Span<const uint8_t> file_;
  const CompileOptions& options_;
  const codegen::Target& target_ = x64::X64Target();
  std::unique_ptr<FrontEnd> front_end_;
  bool is_hashed_ = false;
  std::unique_ptr<Body[]> bodies_;  // by function; filled by whoever needs one first
  std::vector<codegen::CompiledFunction> functions_;
  CompileStats stats_;
};

}  // namespace

absl::StatusOr<guest::Program> ReadProgram(absl::Span<const uint8_t> file,
                                           const CompileOptions& options) {
  absl::StatusOr<std::unique_ptr<FrontEnd>> front_end = Open(file, options);
  if (!front_end.ok()) return front_end.status();
  (*front_end)->program().guid = format::GuidOf(file);
  return std::move((*front_end)->program());
}

absl::StatusOr<CompileResult> Compile(absl::Span<const uint8_t> file,
                                      const CompileOptions& options) {
  CompileResult result;
  image::MemorySink sink;
  absl::StatusOr<CompileStats> stats = CompileTo(file, options, sink);
  if (!stats.ok()) return stats.status();
  result.stats = *stats;
  result.image = sink.Take();
  return result;
}

absl::StatusOr<CompileStats> CompileTo(absl::Span<const uint8_t> file,
                                       const CompileOptions& options, image::ImageSink& sink) {
  const auto start = std::chrono::steady_clock::now();
  Compilation compilation(file, options);
  if (absl::Status status = compilation.Read(); !status.ok()) return status;
  if (absl::Status status = compilation.CompileFunctions(); !status.ok()) return status;
  image::LaidOutImage image = compilation.BuildImage();
  if (absl::Status status = image::Finish(image, options.threads, sink); !status.ok()) {
    return status;
  }
  CompileStats stats = compilation.stats();
  stats.image_bytes = image.object->FileSize();
  stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return stats;
}

absl::StatusOr<elfwriter::Assembly> CompileToAssembly(absl::Span<const uint8_t> file,
                                                      const CompileOptions& options) {
  Compilation compilation(file, options);
  if (absl::Status status = compilation.Read(); !status.ok()) return status;
  if (absl::Status status = compilation.CompileFunctions(); !status.ok()) return status;
  image::LaidOutImage image = compilation.BuildImage();
  image::Finish(image, options.threads);
  return elfwriter::WriteAssembly(*image.object);
}

absl::StatusOr<std::string> CompileToIr(absl::Span<const uint8_t> file,
                                        const CompileOptions& options) {
  Compilation compilation(file, options);
  if (absl::Status status = compilation.Read(); !status.ok()) return status;
  std::vector<std::string> texts(compilation.num_functions());
  FirstFailure failure;
  ParallelFor(texts.size(), options.threads, [&](size_t i) {
    const auto lifted = compilation.LiftAndOptimize(i);
    if (!lifted.ok()) return failure.Add(i, lifted.status());
    texts[i] = ir::Print(lifted->function);
    if (lifted->resumed) absl::StrAppend(&texts[i], "\n", ir::Print(*lifted->resumed));
  });
  if (!failure.status().ok()) return failure.status();
  std::string result;
  for (const std::string& text : texts) result += text + "\n";
  return result;
}

}  // namespace precast::driver
