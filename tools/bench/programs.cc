#include "tools/bench/programs.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/bench/process.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwn[] = {"callind", "fib",   "hello",  "i64mix", "lz",   "mandel",
                                "matmul",  "nbody", "sha256", "sieve",  "sort", "vm"};
constexpr std::string_view kRiscvGcc = "riscv64-unknown-elf-gcc";
constexpr std::string_view kPicolibc = "/usr/lib/picolibc/riscv64-unknown-elf";

bool Exists(const std::string& path) { return access(path.c_str(), R_OK) == 0; }

std::string BenchFolder(const Places& places) { return places.root + "/testdata/bench"; }

std::string FirstLine(std::string_view text) {
  const std::pair<std::string, std::string> split = absl::StrSplit(text, absl::MaxSplits('\n', 1));
  return split.first;
}

// Reads what kind of program a C file is.
absl::Status Classify(Program& program) {
  const absl::StatusOr<std::vector<uint8_t>> bytes = aotc::ReadFile(program.source);
  if (!bytes.ok()) return bytes.status();
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  program.bare = absl::StrContains(text, "\"rt.h\"");
  program.floating = absl::StrContains(text, "double ") || absl::StrContains(text, "float ");
  return absl::OkStatus();
}

}  // namespace

std::vector<Program> OwnPrograms(const Places& places) {
  std::vector<Program> programs;
  for (const char* name : kOwn) {
    Program program;
    program.name = name;
    program.ours = true;
    program.source = absl::StrCat(BenchFolder(places), "/", name, ".c");
    if (Classify(program).ok()) programs.push_back(std::move(program));
  }
  return programs;
}

absl::StatusOr<Program> ProgramFromFile(const std::string& path) {
  Program program;
  program.name = fs::path(path).stem().string();
  const std::string extension = fs::path(path).extension().string();
  const std::string full = fs::absolute(path).string();
  if (!Exists(full)) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  if (extension == ".c") {
    program.source = full;
    if (absl::Status s = Classify(program); !s.ok()) return s;
  } else if (extension == ".elf") {
    program.riscv = full;
  } else if (extension == ".wasm") {
    program.wasm = full;
  } else {
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected a .c, .elf or .wasm file"));
  }
  return program;
}

GuestBuilder::GuestBuilder(const Places& places, Cache& cache) : places_(places), cache_(cache) {
  Program hello;
  hello.name = "hello";
  hello.ours = hello.bare = true;
  hello.source = BenchFolder(places) + "/hello.c";
  // A compiler may be there without what it needs for this target.
  for (const auto& [command, version, build] :
       {std::tuple{kRiscvGcc, &riscv_gcc_, &GuestBuilder::BuildRiscv},
        std::tuple{std::string_view("clang"), &clang_, &GuestBuilder::BuildWasm}}) {
    if (!IsInstalled(std::string(command))) continue;
    const absl::StatusOr<ProcessResult> shown = RunProcess({std::string(command), "--version"});
    if (!shown.ok() || !shown->ok()) continue;
    *version = FirstLine(shown->out);
    if (!(this->*build)(hello, Work{}).ok()) version->clear();
  }
}

std::vector<std::string> GuestBuilder::Versions() const {
  std::vector<std::string> lines;
  lines.push_back(absl::StrCat("RISC-V guests: ",
                               riscv_gcc_.empty()
                                   ? "as checked in (no riscv64-unknown-elf-gcc with picolibc)"
                                   : riscv_gcc_ + " -O2 -march=rv32im"));
  lines.push_back(absl::StrCat("Wasm guests: ", clang_.empty()
                                                    ? "as checked in (no clang with wasi-libc)"
                                                    : clang_ + " -O2 --target=wasm32-wasi"));
  return lines;
}

Argv GuestBuilder::Defines(const Program& program, const Work& work) const {
  Argv defines;
  if (program.bare) defines.push_back("-I" + BenchFolder(places_));
  if (work.scale != 1) defines.push_back(absl::StrCat("-DTEST_SCALE=", work.scale));
  if (work.soft_float) defines.push_back("-DSOFTFP");
  return defines;
}

std::vector<std::string> GuestBuilder::Inputs(const Program& program) const {
  if (program.bare) return {BenchFolder(places_) + "/rt.h"};
  return {};
}

std::string GuestBuilder::Prebuilt(const Program& program, GuestKind kind, const Work& work) const {
  if (!program.ours || (work.scale != 1 && work.scale != 100)) return "";
  const std::string_view small = work.scale == 100 && program.name != "hello" ? "small_" : "";
  const std::string path =
      kind == GuestKind::kRiscv
          ? absl::StrCat(places_.root, "/testdata/prebuilt/bench_", small, program.name, ".elf")
          : absl::StrCat(BenchFolder(places_), "/wasm/", small, program.name, ".wasm");
  return Exists(path) ? path : "";
}

absl::StatusOr<std::string> GuestBuilder::Guest(const Program& program, GuestKind kind,
                                                const Work& work) {
  if (kind == GuestKind::kNative) {
    if (program.source.empty()) return absl::NotFoundError("no C source");
    return program.source;
  }
  const std::string& given = kind == GuestKind::kRiscv ? program.riscv : program.wasm;
  if (!given.empty()) return given;
  if (program.source.empty()) return absl::NotFoundError("no guest of this kind");
  const bool can_build = kind == GuestKind::kRiscv ? !riscv_gcc_.empty() : !clang_.empty();
  if (can_build) {
    return kind == GuestKind::kRiscv ? BuildRiscv(program, work) : BuildWasm(program, work);
  }
  std::string prebuilt = Prebuilt(program, kind, work);
  if (!prebuilt.empty()) return prebuilt;
  return absl::NotFoundError(kind == GuestKind::kRiscv
                                 ? "needs riscv64-unknown-elf-gcc and picolibc to build the guest"
                                 : "needs clang, lld and wasi-libc to build the guest");
}

absl::StatusOr<std::string> GuestBuilder::BuildRiscv(const Program& program, const Work& work) {
  const std::string bench = BenchFolder(places_);
  const std::string lib = places_.root + "/testdata/guests/lib";
  Placeholders placeholders;
  placeholders.words["guest"] = program.source;
  placeholders.lists["defines"] = Defines(program, work);
  std::vector<std::string> inputs = Inputs(program);
  inputs.push_back(program.source);
  Argv command = {std::string(kRiscvGcc), "-march=rv32im", "-mabi=ilp32", "-O2", "-g0", "-w"};
  auto add = [&](std::initializer_list<std::string> words) {
    command.insert(command.end(), words.begin(), words.end());
  };
  add({absl::StrCat("-isystem", kPicolibc, "/include"), "-nostdlib", "-static",
       "-Wl,-S,-X,--build-id=none,-z,max-page-size=4096", "{defines}", "-o", "{out}"});
  if (program.bare) {
    add({"-DRV_BARE", "-Wl,-T," + bench + "/guest.ld", bench + "/crt0_rv.S", "{guest}"});
    inputs.push_back(bench + "/guest.ld");
    inputs.push_back(bench + "/crt0_rv.S");
  } else {
    add({"-I" + lib, "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections",
         absl::StrCat("-Wl,-T,", lib, "/guest.ld"), lib + "/crt0.S", lib + "/syscalls.c",
         lib + "/stdio.c", "{guest}"});
    for (const char* name : {"guest.ld", "crt0.S", "syscalls.c", "syscalls.h", "stdio.c"}) {
      inputs.push_back(absl::StrCat(lib, "/", name));
    }
  }
  const std::string libraries = absl::StrCat(kPicolibc, "/lib/release/rv32im/ilp32/");
  add({"-Wl,--start-group", libraries + "libc.a", libraries + "libm.a", "-lgcc",
       "-Wl,--end-group"});
  const absl::StatusOr<Artifact> made =
      cache_.Make({command}, placeholders, inputs, riscv_gcc_, true);
  if (!made.ok()) return made.status();
  return made->file;
}

absl::StatusOr<std::string> GuestBuilder::BuildWasm(const Program& program, const Work& work) {
  Placeholders placeholders;
  placeholders.words["guest"] = program.source;
  placeholders.lists["defines"] = Defines(program, work);
  std::vector<std::string> inputs = Inputs(program);
  inputs.push_back(program.source);
  const absl::StatusOr<Artifact> made =
      cache_.Make({{"clang", "--target=wasm32-wasi", "-O2", "-w", "-Wl,--strip-debug", "{defines}",
                    "-o", "{out}", "{guest}", "-lm"}},
                  placeholders, inputs, clang_, true);
  if (!made.ok()) return made.status();
  return made->file;
}

}  // namespace precast::bench
