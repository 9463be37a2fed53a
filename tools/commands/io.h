// Files and the terminal, for the tools: whole files in, whole files out, nothing half-written.
#ifndef PRECAST_TOOLS_COMMANDS_IO_H_
#define PRECAST_TOOLS_COMMANDS_IO_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace precast::aotc {

// The whole file. The error names the file and says what is wrong with it.
absl::StatusOr<std::vector<uint8_t>> ReadFile(const std::string& path);

// Writes a file as a whole or not at all: into a new file beside it, which then takes its name. An
// existing file is replaced; one that is mapped by a running process stays as it was for that
// process. A device or pipe at `path` is written to directly.
//
// If SIGINT, SIGTERM, SIGHUP, SIGQUIT or SIGXFSZ end the process meanwhile, the new file is
// removed. One call at a time.
absl::Status WriteFile(const std::string& path, absl::Span<const uint8_t> bytes);
absl::Status WriteFile(const std::string& path, std::string_view text);

// A file that is written in pieces, at any place, and otherwise as by WriteFile: it has its name
// from Commit on. What is no regular file, and standard output ("-"), gets its bytes in Commit.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Once, before the first piece: makes the file. `size` is that of all pieces together.
  absl::Status Open(uint64_t size);
  absl::Status WriteAt(uint64_t offset, absl::Span<const uint8_t> bytes);
  absl::Status Commit();

 private:
  class Target;
  const std::string path_;
  std::unique_ptr<Target> target_;
};

// As WriteFile, but "-" is standard output.
absl::Status WriteFileOrStdout(const std::string& path, std::string_view text);

// Whether to write colours to this descriptor: it is a terminal, TERM is not "dumb" and NO_COLOR is
// not set.
bool UseColor(int fd);

// Escape sequences, empty if `on` is false.
struct Palette {
  explicit Palette(bool on)
      : dim(on ? "\033[2m" : ""),
        bold(on ? "\033[1m" : ""),
        red(on ? "\033[31m" : ""),
        green(on ? "\033[32m" : ""),
        cyan(on ? "\033[36m" : ""),
        reset(on ? "\033[0m" : "") {}
  const char *dim, *bold, *red, *green, *cyan, *reset;
};

// Prints "aotc: MESSAGE" to stderr, in red on a terminal.
void PrintError(std::string_view message);

// Whether both paths name one existing file.
bool SameFile(const std::string& a, const std::string& b);

// 1234567 as "1,234,567".
std::string Grouped(uint64_t number);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_IO_H_
