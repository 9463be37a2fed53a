// Command lines with subcommands: each command is a table of flags, which both parses its arguments
// (through getopt_long) and prints its --help.
#ifndef PRECAST_TOOLS_CLI_COMMAND_H_
#define PRECAST_TOOLS_CLI_COMMAND_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace precast::cli {

// Exit codes of the tools, besides those a guest gives.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // the work failed: reason on stderr
inline constexpr int kExitUsage = 2;    // the command line is wrong

struct Flag {
  std::string name;   // long name without dashes
  char letter;        // short form, or 0
  std::string value;  // what the value is called in --help, or empty for a switch
  std::string help;
  std::function<absl::Status(std::string_view)> set;  // given the value; "" for a switch
};

// Makers of common flags; the target outlives the parse. A text must not be empty.
Flag Switch(std::string name, char letter, std::string help, bool* target);
Flag Text(std::string name, char letter, std::string value, std::string help, std::string* target);
Flag Texts(std::string name, char letter, std::string value, std::string help,
           std::vector<std::string>* target);
// Decimal, or hexadecimal with 0x; underscores and a suffix k, M or G (powers of ten) are allowed.
Flag Number(std::string name, char letter, std::string value, std::string help, uint64_t* target);

struct Command {
  std::string name;     // empty for a tool without commands
  std::string usage;    // after the name: "PROGRAM -o IMAGE [flags]"
  std::string summary;  // one line, for the list of commands
  std::string description;
  std::string examples;  // printed last, may be empty
  std::vector<Flag> flags;
  std::vector<std::string> positional;  // filled by Parse
};

// Parses argv (argv[0] is the command's name). Flags and positional arguments may be mixed; all
// after "--" is positional. `program` is the tool's name for messages. Nothing: go on. Else the
// exit code to end with: --help was printed to stdout, or a message to stderr.
std::optional<int> Parse(std::string_view program, Command& command, int argc, char** argv);

// The help text of one command.
std::string Help(std::string_view program, const Command& command);

}  // namespace precast::cli

#endif  // PRECAST_TOOLS_CLI_COMMAND_H_
