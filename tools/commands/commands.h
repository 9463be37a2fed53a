// The subcommands of aotc. Each takes its own arguments (argv[0] is its name)
// and returns the exit code of the process.
#ifndef PRECAST_TOOLS_COMMANDS_COMMANDS_H_
#define PRECAST_TOOLS_COMMANDS_COMMANDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "loader/format/guid.h"
#include "tools/cli/command.h"
#include "tools/commands/session.h"

namespace precast::aotc {

inline constexpr std::string_view kProgram = "aotc";

// Exit codes of `run`, `resume` and `trace`, where the guest's own code would
// be. High, because guests rarely use them, and below those that shells and
// `env` use (126 and up).
inline constexpr int kExitCannotStart = 120;  // could not be read, compiled, loaded or set up
inline constexpr int kExitTrapped = 121;      // the guest trapped
inline constexpr int kExitSuspended = 122;    // --max-insns is reached
inline constexpr int kExitBroken = 123;       // the image's code or tables broke the contract

int CompileMain(int argc, char** argv);
int RunMain(int argc, char** argv);
int ResumeMain(int argc, char** argv);
int InspectMain(int argc, char** argv);
int DisasmMain(int argc, char** argv);
int CheckMain(int argc, char** argv);
int TraceMain(int argc, char** argv);
int WastMain(int argc, char** argv);
int MeteringMain(int argc, char** argv);
int PreflightMain(int argc, char** argv);
int SegmentVerifyMain(int argc, char** argv);
int SegmentDumpMain(int argc, char** argv);
int SegmentStateMain(int argc, char** argv);

// A flag -O0 / -O1 / -O2.
cli::Flag OptLevelFlag(int* level);

// A flag --cpu: driver::CompileOptions::cpu_features.
cli::Flag CpuFlag(uint64_t* features);

// What a flag --import NAME=FILE holds; see session.h.
absl::StatusOr<std::vector<ImportFlag>> ParseImports(const std::vector<std::string>& flags);

// What --program names: a program file, or a program GUID.
absl::StatusOr<format::Guid> ProgramGuid(const std::string& file_or_guid);

// Prints "aotc COMMAND: MESSAGE" and where help is; returns cli::kExitUsage.
int UsageError(std::string_view command, std::string_view message);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_COMMANDS_H_
