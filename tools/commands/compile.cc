// aotc compile: a guest program in, an image (or assembly, IR, a listing) out.
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "compiler/driver/driver.h"
#include "loader/format/guid.h"
#include "nlohmann/json.hpp"
#include "tools/commands/commands.h"
#include "tools/commands/image_view.h"
#include "tools/commands/io.h"
#include "tools/commands/listing.h"
#include "tools/commands/openvm_flags.h"
#include "tools/commands/progress.h"

namespace precast::aotc {
namespace {

constexpr char kDescription[] =
    R"(Compiles PROGRAM ahead of time: a statically linked RV32IM ELF executable, or a WebAssembly module.

What is written (--emit):
  so      the image, an ELF shared object (default; to PROGRAM with .so for .elf or .wasm)
  asm     the same image as GNU assembly (.s) and a linker script beside it (.ld);
          prints how `as` and `ld` make the image of them
  ir      the intermediate representation after optimization (to standard output); templates make the
          code at -O0, and that of interpreters (RISC-V) at every level, without it
  disasm  the listing that `aotc disasm` prints (to standard output)

The output depends on the program, the flags that say what code is made (-O, --cpu,
--no-meter, --canonical-nans, --profile, --import) and the compiler, and on nothing else (with --cpu=native, also on
what this machine has). It is written as a whole or not at all.

A WebAssembly module may use version 2.0 of the standard, tail calls, extended constant expressions,
multiple memories, relaxed SIMD, 64-bit memories, threads and wide arithmetic.)";

std::string DefaultOutput(std::string_view program, std::string_view emit) {
  if (emit == "ir" || emit == "disasm") return "-";
  return absl::StrCat(absl::StripSuffix(absl::StripSuffix(program, ".elf"), ".wasm"),
                      emit == "asm" ? ".s" : ".so");
}

std::string_view AsText(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void PrintSummary(const std::string& program, const std::string& output, int level,
                  const driver::CompileStats& stats, bool json) {
  if (json) {
    const nlohmann::ordered_json report = {{"program", program},
                                           {"output", output},
                                           {"opt_level", level},
                                           {"regions", stats.regions},
                                           {"guest_instructions", stats.guest_instructions},
                                           {"ir_instructions", stats.ir_instructions},
                                           {"code_bytes", stats.code_bytes},
                                           {"image_bytes", stats.image_bytes},
                                           {"milliseconds", stats.seconds * 1e3}};
    const std::string text =
        report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    absl::FPrintF(stderr, "%s\n", text);
    return;
  }
  absl::FPrintF(stderr, "%s: %s %s, %s guest instructions, %s bytes of code", output,
                Grouped(stats.regions), stats.kind == guest::Kind::kWasm ? "functions" : "regions",
                Grouped(stats.guest_instructions), Grouped(stats.code_bytes));
  absl::FPrintF(stderr, ", image of %s bytes, %.1f ms\n", Grouped(stats.image_bytes),
                stats.seconds * 1e3);
}

absl::Status EmitAssembly(absl::Span<const uint8_t> file, const driver::CompileOptions& options,
                          const std::string& output, bool quiet) {
  absl::StatusOr<elfwriter::Assembly> result = driver::CompileToAssembly(file, options);
  if (!result.ok()) return result.status();
  if (output == "-") return WriteFileOrStdout("-", result->source);
  const std::string_view stem = absl::StripSuffix(output, ".s");
  const std::string script = absl::StrCat(stem, ".ld");
  if (absl::Status s = WriteFile(script, result->linker_script); !s.ok()) return s;
  if (absl::Status s = WriteFile(output, result->source); !s.ok()) return s;
  if (!quiet) {
    absl::FPrintF(stderr,
                  "%s, %s; for the image:\n  as -o %s.o %s && ld %s -T %s %s.o "
                  "-o %s.so\n",
                  output, script, stem, output, result->linker_options, script, stem, stem);
  }
  return absl::OkStatus();
}

// What the module is compiled against: GUIDs of the programs, which images have
// in them.
absl::Status AddImports(const std::vector<ImportFlag>& flags, driver::CompileOptions& options) {
  for (const ImportFlag& flag : flags) {
    absl::StatusOr<std::vector<uint8_t>> file = ReadFile(flag.file);
    if (!file.ok()) return file.status();
    format::Guid guid = format::GuidOf(*file);
    if (LooksLikeImage(*file)) {
      absl::StatusOr<ImageView> image = ImageView::Parse(*file);
      if (!image.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(flag.file, ": ", image.status().message()));
      }
      if (image->is_wasm()) {
        guid = image->info().program_guid;
        file->clear();
      }
    }
    if (!file->empty() && !LooksLikeWasm(*file)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--import: ", flag.file, " is not a WebAssembly module or an image of one"));
    }
    options.imports.push_back({flag.name, guid});
  }
  return absl::OkStatus();
}

// The image's way into a file.
class FileSink final : public image::ImageSink {
 public:
  explicit FileSink(OutputFile& file) : file_(file) {}
  absl::Status Begin(uint64_t size) override { return file_.Open(size); }
  absl::Status Write(uint64_t offset, absl::Span<const uint8_t> bytes) override {
    return file_.WriteAt(offset, bytes);
  }

 private:
  OutputFile& file_;
};

absl::Status EmitIr(absl::Span<const uint8_t> file, const driver::CompileOptions& options,
                    const std::string& output) {
  absl::StatusOr<std::string> text = driver::CompileToIr(file, options);
  if (!text.ok()) return text.status();
  return WriteFileOrStdout(output, *text);
}

}  // namespace

int CompileMain(int argc, char** argv) {
  std::string output, profile, emit = "so";
  uint64_t threads = 0;
  bool json = false, quiet = false, no_meter = false, count_rows = false;
  std::vector<std::string> imports;
  OpenVmFlags openvm_flags;
  driver::CompileOptions options;
  cli::Command command{
      .name = "compile",
      .usage = "PROGRAM [-o OUTPUT] [flags]",
      .summary = "Compile a guest program to an image",
      .description = kDescription,
      .examples =
          "  aotc compile hello.elf                      # writes hello.so\n"
          "  aotc compile hello.elf -o /tmp/h.so -O0\n"
          "  aotc compile hello.elf --emit=ir | less\n"
          "  aotc compile main.wasm --import=library=library.wasm\n",
      .flags = {cli::Text("output", 'o', "FILE", "where to write; - is standard output", &output),
                cli::Text("emit", 'e', "KIND", "so, asm, ir or disasm (default so)", &emit),
                OptLevelFlag(&options.opt_level), CpuFlag(&options.cpu_features),
                cli::Number("jobs", 'j', "N",
                            "threads (default: one per processor); the output is the same",
                            &threads),
                cli::Switch("no-meter", 0,
                            "count neither instructions nor fuel; code is smaller and faster",
                            &no_meter),
                cli::Switch("metered", 0,
                            "OpenVM: count rows and touched pages too, for `aotc run --metered`\n"
                            "(other runs are slower)",
                            &count_rows),
                cli::Switch("canonical-nans", 0,
                            "WebAssembly: make every NaN that arithmetic gives the "
                            "canonical one,\n"
                            "so that results are the same everywhere",
                            &options.canonical_nans),
                cli::Switch("fast-helpers", 0,
                            "RISC-V: calls of libgcc's arithmetic functions are one\n"
                            "instruction each, with the same results, and count as one.\n"
                            "Trusts the program's symbols: __adddf3 must be libgcc's",
                            &options.fast_helpers),
                cli::Text("profile", 0, "FILE",
                          "what earlier runs executed how often (docs/performance.md): "
                          "what is seldom executed\n"
                          "is moved out of the way",
                          &profile),
                cli::Texts("import", 0, "NAME=FILE",
                           "WebAssembly: record that the imports from NAME are "
                           "those of FILE, a module\n"
                           "or an image; `aotc run` then links nothing else there",
                           &imports),
                cli::Switch("check", 0,
                            "verify the IR after every pass, and the register "
                            "allocation (slow)",
                            &options.check),
                cli::Switch("json", 0, "print the summary as JSON", &json),
                cli::Switch("quiet", 'q', "print nothing but errors", &quiet)},
      .positional = {}};
  openvm_flags.AddTo(command.flags, /*with_inputs=*/false);
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.size() != 1) {
    return UsageError("compile", command.positional.empty()
                                     ? "which PROGRAM?"
                                     : absl::StrCat("one PROGRAM at a time; what is \"",
                                                    command.positional[1], "\"?"));
  }
  if (emit != "so" && emit != "asm" && emit != "ir" && emit != "disasm") {
    return UsageError("compile",
                      absl::StrCat("--emit: expected so, asm, ir or disasm, found \"", emit, "\""));
  }
  constexpr uint64_t kMaxThreads = 1024;
  if (threads > kMaxThreads) {
    return UsageError("compile", absl::StrCat("--jobs: at most ", kMaxThreads));
  }
  const std::string& program = command.positional[0];
  if (output.empty()) output = DefaultOutput(program, emit);
  if (emit == "so" && output == "-" && isatty(STDOUT_FILENO) != 0) {
    return UsageError("compile", "an image is not text: name a file with -o, or use a pipe");
  }
  if (output != "-" && SameFile(program, output)) {
    return UsageError("compile", absl::StrCat("the output would overwrite the program, ", program));
  }
  if (count_rows && no_meter)
    return UsageError("compile",
                      "--metered counts instructions too: expected it without --no-meter");
  options.threads = static_cast<int>(threads);
  options.metered = !no_meter;
  options.count_rows = count_rows;
  const absl::StatusOr<driver::CompileOptions::Abi> abi = openvm_flags.Abi();
  if (!abi.ok()) return UsageError("compile", abi.status().message());
  options.abi = *abi;
  absl::StatusOr<std::optional<openvm::Config>> config = openvm_flags.Config();
  if (!config.ok()) {
    PrintError(config.status().message());
    return cli::kExitFailure;
  }
  options.openvm_config = *std::move(config);
  const absl::StatusOr<std::vector<ImportFlag>> import_flags = ParseImports(imports);
  if (!import_flags.ok()) return UsageError("compile", import_flags.status().message());
  if (absl::Status s = AddImports(*import_flags, options); !s.ok()) {
    PrintError(s.message());
    return cli::kExitFailure;
  }

  absl::StatusOr<std::vector<uint8_t>> file = ReadFile(program);
  if (!file.ok()) {
    PrintError(file.status().message());
    return cli::kExitFailure;
  }
  if (!profile.empty()) {
    absl::StatusOr<std::vector<uint8_t>> text = ReadFile(profile);
    absl::StatusOr<driver::GuestProfile> read =
        text.ok() ? driver::ReadProfile(AsText(*text)) : text.status();
    if (!read.ok()) {
      PrintError(text.ok() ? absl::StrCat(profile, ": ", read.status().message())
                           : std::string(read.status().message()));
      return cli::kExitFailure;
    }
    options.profile = *std::move(read);
  }
  Progress progress("compiling", "functions", !quiet && !json);
  if (!quiet && !json) {
    options.progress = [&](size_t done, size_t total) { progress.Show(done, total); };
  }

  absl::Status status;
  if (emit == "asm") {
    status = EmitAssembly(*file, options, output, quiet);
  } else if (emit == "ir") {
    status = EmitIr(*file, options, output);
  } else if (emit == "disasm") {
    absl::StatusOr<driver::CompileResult> result = driver::Compile(*file, options);
    progress.Clear();
    status = result.status();
    if (status.ok()) {
      absl::StatusOr<ImageView> view = ImageView::Parse(result->image);
      ListingOptions listing_options;
      listing_options.palette = Palette(output == "-" && UseColor(STDOUT_FILENO));
      absl::StatusOr<std::string> listing =
          view.ok() ? Listing(*view, listing_options) : view.status();
      status = listing.ok() ? WriteFileOrStdout(output, *listing) : listing.status();
    }
  } else {
    OutputFile out(output);
    FileSink sink(out);
    const absl::StatusOr<driver::CompileStats> stats = driver::CompileTo(*file, options, sink);
    progress.Clear();
    status = stats.status();
    if (status.ok()) status = out.Commit();
    if (status.ok() && !quiet) PrintSummary(program, output, options.opt_level, *stats, json);
  }
  if (status.ok()) return cli::kExitOk;
  PrintError(absl::StrCat(program, ": ", status.message()));
  return cli::kExitFailure;
}

}  // namespace precast::aotc
