// aotc: compiles guest programs ahead of time, runs them, and shows what it made of them. This file
// is the table of its subcommands; each has its own file in commands/.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/image/build_identity.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/guid.h"
#include "runtime/abi/fingerprint.h"
#include "tools/cli/suggest.h"
#include "tools/commands/commands.h"
#include "tools/commands/io.h"
#include "tools/operator_new.h"

namespace precast::aotc {
namespace {

struct Subcommand {
  const char* name;
  const char* summary;
  int (*main)(int argc, char** argv);
};

constexpr Subcommand kSubcommands[] = {
    {"compile", "compile a guest program to an image", CompileMain},
    {"run", "run a guest program or an image of it", RunMain},
    {"resume", "continue a guest from a snapshot", ResumeMain},
    {"inspect", "show an image's identity, segments, tables and sizes", InspectMain},
    {"disasm", "print an image's machine code beside the guest's instructions", DisasmMain},
    {"check", "say whether an image can be loaded, and if not, all that is wrong", CheckMain},
    {"trace", "run interpreter and native code side by side, up to the first difference",
     TraceMain},
    {"wast", "run WebAssembly specification scripts", WastMain},
    {"metering", "OpenVM: print what a program is metered with", MeteringMain},
    {"preflight", "OpenVM: execute segments again, recording what proving them needs",
     PreflightMain},
    {"segment-verify", "OpenVM: check that segments follow one another", SegmentVerifyMain},
    {"segment-dump", "OpenVM: show what preflight recorded", SegmentDumpMain},
    {"segment-state", "OpenVM: make a snapshot of the beginning of a segment", SegmentStateMain},
};

std::string Help() {
  std::string text =
      "aotc compiles RISC-V programs (RV32IM ELF executables) and WebAssembly modules ahead of "
      "time\n"
      "to ELF images, and runs them in a sandbox with an exact count of instructions.\n\n"
      "Usage: aotc COMMAND [flags] ...\n\nCommands:\n";
  for (const Subcommand& c : kSubcommands) {
    absl::StrAppendFormat(&text, "  %-14s %s\n", c.name, c.summary);
  }
  absl::StrAppend(
      &text,
      "\n`aotc COMMAND --help` says more. `aotc --version` names this build.\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line; `run` gives the guest's own, or\n"
      "120 not started, 121 trapped, 122 suspended, 123 internal error.\n\n"
      "Try:\n"
      "  aotc compile hello.elf && aotc run hello.so --stats\n"
      "  aotc compile tool.wasm && aotc run tool.so --dir=. -- notes.txt\n");
  return text;
}

std::string Version() {
  return absl::StrFormat("aotc %s\nimage format %d, runtime ABI %s\n", image::kCompilerIdentity,
                         format::kFormatVersion, format::ToHex(abi::kFingerprint));
}

// A standard descriptor that is closed (`aotc run PROGRAM >&-`) would be given to the next file
// that is opened, and what the guest prints would go there. So something takes its place that fails
// as before: input that cannot be read, output that cannot be written.
void OccupyStandardDescriptors() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // Gets the lowest free number, which is `fd`.
    if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) _exit(cli::kExitFailure);
  }
}

int Main(int argc, char** argv) {
  OccupyStandardDescriptors();
  // `bazel run` starts programs in a directory of its own; paths are relative to where the user
  // stands.
  if (const char* directory = getenv("BUILD_WORKING_DIRECTORY"); directory != nullptr) {
    if (chdir(directory) != 0) {
      PrintError(absl::StrCat("cannot change to ", directory,
                              " (BUILD_WORKING_DIRECTORY); relative paths will not be found"));
    }
  }
  if (argc < 2) {
    absl::FPrintF(stderr, "%s", Help());
    return cli::kExitUsage;
  }
  std::string_view name = argv[1];
  if (name == "--version" || name == "version") {
    absl::PrintF("%s", Version());
    return cli::kExitOk;
  }
  if (name == "--help" || name == "-h" || name == "help") {
    if (argc < 3 || name != "help") {
      absl::PrintF("%s", Help());
      return cli::kExitOk;
    }
    static char help_flag[] = "--help";
    argv[1] = argv[2];
    argv[2] = help_flag;
    name = argv[1];
    argc = 3;
  }
  std::vector<std::string> names;
  for (const Subcommand& c : kSubcommands) {
    if (name == c.name) return c.main(argc - 1, argv + 1);
    names.emplace_back(c.name);
  }
  const std::optional<std::string> closest = cli::Closest(name, names);
  absl::FPrintF(stderr, "aotc: no command \"%s\"%s\nTry \"aotc --help\".\n", name,
                closest ? absl::StrCat("; did you mean \"", *closest, "\"?") : "");
  return cli::kExitUsage;
}

}  // namespace
}  // namespace precast::aotc

int main(int argc, char** argv) {
  // A process that compiles once and ends: memory that was freed is used again, not given back to
  // the system and asked for again page by page.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 4 << 20);
  if (argc > 1 && std::string_view(argv[1]) == "compile") precast::UseHugePages();
  const int exit_code = precast::aotc::Main(argc, argv);
  // What was printed may not have arrived: a full disk, a closed pipe.
  if (fflush(stdout) != 0 && exit_code == precast::cli::kExitOk) {
    precast::aotc::PrintError("cannot write to standard output");
    return precast::cli::kExitFailure;
  }
  return exit_code;
}
