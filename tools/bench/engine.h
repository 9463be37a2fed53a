// What can run a program: a way to make something of it (or none), and a way to run that. Native
// compilers, our own levels and every peer are described in the same terms.
#ifndef PRECAST_TOOLS_BENCH_ENGINE_H_
#define PRECAST_TOOLS_BENCH_ENGINE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/bench/process.h"

namespace precast::bench {

enum class GuestKind : uint8_t {
  kNative,  // C source
  kRiscv,   // ELF executable for RV32IM
  kWasm,    // WASI command
};

std::string GuestKindName(GuestKind kind);  // "native", "riscv", "wasm"

struct Engine {
  std::string name;  // no spaces: it is used to select engines
  GuestKind kind = GuestKind::kNative;
  // Commands, one after another, that make {out} of {guest}; none if the guest is run as it is.
  std::vector<Argv> compile;
  Argv run;
  // Appended to `run` where programs are measured, not where start-up is; {report} is a JSON file
  // that it writes.
  Argv report;
  std::string version;  // for the report; empty if unknown

  bool ours = false;
  int level = 0;         // ours only
  bool metered = false;  // ours only
  // {report} has the times of compiling and running, taken inside the process: run time is that,
  // not the process's.
  bool timed_inside = false;
  // Too slow for the full amount of work: runs a hundredth of it.
  bool small = false;
  // What it compiled is kept from one call of the tool to the next.
  bool cached = false;
  // Counting its machine instructions under valgrind works.
  bool countable = false;
};

// Placeholders in the words of commands. A word that is "{defines}" or another list stands for any
// number of words.
struct Placeholders {
  std::map<std::string, std::string> words;  // "guest" -> path
  std::map<std::string, Argv> lists;         // "defines" -> -DTEST_SCALE=100 …
};

Argv Expand(const Argv& argv, const Placeholders& placeholders);

// Whether `name` is selected by a comma-separated list of patterns, in which * stands for any
// characters; an empty list selects all. A pattern that begins with - takes away what those before
// it selected (from all, if it is the first).
bool IsSelected(const std::string& patterns, const std::string& name);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_ENGINE_H_
