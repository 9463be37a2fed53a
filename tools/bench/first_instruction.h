// How long it takes from an image file to the guest's first instruction, inside a process that does
// so many times, as a host of many guests does.
#ifndef PRECAST_TOOLS_BENCH_FIRST_INSTRUCTION_H_
#define PRECAST_TOOLS_BENCH_FIRST_INSTRUCTION_H_

#include <string>

#include "absl/status/statusor.h"

namespace precast::bench {

struct LoadWay {
  bool share_pages = false;   // loader::LoadOptions::share_pages
  bool verify_digest = true;  // loader::CheckOptions::verify_digest
  bool trusted = false;       // loader::LoadOptions::trusted
};

struct LoadTimes {
  double load = 0;   // seconds, median: the file is open, checked and mapped
  double ready = 0;  // seconds, median: from nothing to an instance whose first instruction can run
  // Why there is no instance, and `ready` is `load`; empty if all is well.
  std::string note;
};

// A RISC-V image with a Linux host, or a WebAssembly image with WASI. A module's start function
// runs while the instance is made. Error: the image cannot be loaded.
absl::StatusOr<LoadTimes> MeasureLoad(const std::string& image, const LoadWay& way, int runs);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_FIRST_INSTRUCTION_H_
