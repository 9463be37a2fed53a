// The programs that are measured: those of testdata/bench, and C files and prebuilt guests named on
// the command line; and how guests are built of C.
#ifndef PRECAST_TOOLS_BENCH_PROGRAMS_H_
#define PRECAST_TOOLS_BENCH_PROGRAMS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/bench/cache.h"
#include "tools/bench/engine.h"

namespace precast::bench {

struct Program {
  std::string name;
  // C file, or empty if only a guest was given.
  std::string source;
  // Guests that were given, or empty.
  std::string riscv, wasm;
  // Of testdata/bench: made for -DTEST_SCALE=N, the part of the work, and has prebuilt guests.
  bool ours = false;
  // Calculates with floating point, which RV32IM does in software; those of ours then do less
  // (-DSOFTFP).
  bool floating = false;
  // Includes rt.h of testdata/bench, so that it needs no C library.
  bool bare = false;
};

// Where the files of this repository are that the tool needs.
struct Places {
  std::string root;  // of the repository, or of runfiles
  std::string aotc;
};

// Amount of work: the whole divided by `scale`; with or without what RISC-V guests leave out.
struct Work {
  int scale = 1;
  bool soft_float = false;
};

// Those of testdata/bench, by name; hello too.
std::vector<Program> OwnPrograms(const Places& places);
// A .c, .elf or .wasm file. Errors: it cannot be read, or is of no known kind.
absl::StatusOr<Program> ProgramFromFile(const std::string& path);

class GuestBuilder {
 public:
  // Looks for the compilers.
  GuestBuilder(const Places& places, Cache& cache);

  // The file that engines of that kind take as {guest}; NotFound, with the reason, if there is
  // none.
  absl::StatusOr<std::string> Guest(const Program& program, GuestKind kind, const Work& work);

  // The list placeholder {defines} of native compilers.
  Argv Defines(const Program& program, const Work& work) const;
  // Files besides the guest that what is made of it depends on.
  std::vector<std::string> Inputs(const Program& program) const;

  // What guests are built with, for the report: one line for each compiler.
  std::vector<std::string> Versions() const;

 private:
  absl::StatusOr<std::string> BuildRiscv(const Program& program, const Work& work);
  absl::StatusOr<std::string> BuildWasm(const Program& program, const Work& work);
  // The checked-in guest, if there is one for that amount of work.
  std::string Prebuilt(const Program& program, GuestKind kind, const Work& work) const;

  Places places_;
  Cache& cache_;
  std::string riscv_gcc_, clang_;  // versions; empty: not installed or does not work
};

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_PROGRAMS_H_
