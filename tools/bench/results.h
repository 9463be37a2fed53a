// What was measured, and the numbers that follow from it.
#ifndef PRECAST_TOOLS_BENCH_RESULTS_H_
#define PRECAST_TOOLS_BENCH_RESULTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/elf_sizes.h"
#include "tools/bench/engine.h"
#include "tools/bench/programs.h"

namespace precast::bench {

enum class Clock : uint8_t {
  kUser,       // processor time in user mode
  kProcessor,  // that and the kernel's for it
  kWall,
};

struct Sample {
  double user = 0, system = 0, wall = 0;  // seconds

  double At(Clock clock) const;
};

// One engine on one workload.
struct Cell {
  enum class Outcome : uint8_t {
    kOk,
    kSkipped,  // for a reason that is no fault: there is no such guest
    kFailed,  // could not be compiled, or ended with another exit code than others, or took too long
    kWrong,   // printed something else than the reference
  };
  Outcome outcome = Outcome::kOk;
  std::string reason;

  std::vector<Sample> runs;  // of the whole process, or of the run alone (Engine::timed_inside)
  std::vector<Sample> inside_compile;     // Engine::timed_inside
  std::optional<double> compile_seconds;  // processor time
  uint64_t compile_peak_bytes = 0;
  uint64_t peak_bytes = 0;          // of running
  std::optional<ElfSizes> sizes;    // of what was compiled, if that is ELF
  std::optional<uint64_t> retired;  // guest instructions, ours
  std::optional<uint64_t> machine_instructions;
  std::string output;
  int exit_code = 0;
};

// One program at one amount of work, on some of the engines.
struct Workload {
  Program program;
  Work work;
  std::vector<size_t> engines{};  // indices into Results::engines
  std::vector<Cell> cells{};      // one for each
  size_t reference = 0;           // whose output the others must have: index into `engines`

  const Cell* Find(size_t engine) const;  // null if it is not among them or did not succeed
};

struct StartUp {
  std::vector<Sample> runs;  // of hello, whole process
  uint64_t peak_bytes = 0;
  std::string failure;
};

struct Results {
  std::vector<std::string> conditions;  // machine, versions, flags: one line each
  std::vector<Engine> engines;
  std::vector<std::string> skipped;
  std::vector<StartUp> start_up;  // one for each engine
  // Full work, soft-float work and small work, told apart by `work`.
  std::vector<Workload> workloads;
  // For counting machine instructions; may be a smaller amount of work.
  std::vector<Workload> counted;
  std::string counter;  // "perf", "valgrind", or why nothing was counted
  Clock clock = Clock::kUser;
  int runs = 0;
  int scale = 1;

  // The engine that ratios are to, gcc -O2; nothing if it is not there.
  std::optional<size_t> baseline() const;
  std::optional<double> StartSeconds(size_t engine) const;
  // Median, of the run alone: what start-up takes is taken away. Nothing if there is no correct
  // result, or the run is too short to tell it from start-up.
  std::optional<double> RunSeconds(const Workload& workload, size_t engine) const;
  // To the baseline on the same workload.
  std::optional<double> RatioOf(const Workload& workload, size_t engine) const;
  // Machine instructions to the baseline's, start-up taken away where it was counted.
  std::optional<double> InstructionRatioOf(const Workload& counted, size_t engine) const;
  // Ratios of code bytes to the baseline's.
  std::optional<double> TextRatioOf(const Workload& workload, size_t engine) const;

  // Whether the ratio to native code counts in the engine's mean: the full work (for small engines
  // the small one), no soft float.
  bool InMean(const Workload& workload, size_t engine) const;
  // Ratios of all workloads that count.
  std::vector<double> Ratios(size_t engine) const;
  // The engine that makes the same without metering; nothing if there is none.
  std::optional<size_t> Unmetered(size_t engine) const;

  // Engines and workloads with an outcome that is a fault: "sort, rv-O1: output differs".
  std::vector<std::string> Faults() const;
};

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_RESULTS_H_
