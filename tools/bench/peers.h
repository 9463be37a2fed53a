// The peers file: other engines, each described by one line.
//
//   # name | guest | compile | run | version
//   wasm3     | wasm  | -                                | wasm3 {guest}
//   wamr-aot  | wasm  | wamrc -o {out} {guest}           | iwasm {out}         | wamrc --version
//   libriscv  | riscv | -                                | rvlinux {guest}
//   two-steps | wasm  | a {guest} {dir}/x.c && gcc -O2 -o {out} {dir}/x.c | {out}
//
// guest: riscv (a static RV32IM ELF executable with Linux system calls), wasm (a WASI command) or
// native (a C file). compile: - if the guest is run as it is; several commands are joined by &&.
// version, which may be left out, is a command whose first line of output names the version; it is
// "PROGRAM --version" otherwise. Words are separated by blanks; double quotes keep blanks in a
// word. No shell is involved. An empty line and one that begins with # say nothing.
//
// Placeholders: {guest} the program, {out} what compile makes and run runs, {dir} an empty folder
// while compiling, {name} the program's name.
#ifndef PRECAST_TOOLS_BENCH_PEERS_H_
#define PRECAST_TOOLS_BENCH_PEERS_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/engine.h"

namespace precast::bench {

struct Peer {
  Engine engine;  // version not filled in
  Argv version_command;
  // What must be on PATH for it: the programs of all commands that are no placeholders.
  std::vector<std::string> programs;
};

// Errors name the line, and what was expected in it.
absl::StatusOr<std::vector<Peer>> ParsePeers(std::string_view text);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_PEERS_H_
