#include "tools/commands/io.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace precast::aotc {
namespace {

absl::Status Error(int error, std::string_view what) { return absl::ErrnoToStatus(error, what); }

// The file that a signal has to remove; empty if there is none. Written while the signals are
// blocked.
char g_temporary[4096];
constexpr std::array<int, 5> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXFSZ /* ulimit -f */};

void RemoveTemporary(int signal) {
  if (g_temporary[0] != 0) unlink(g_temporary);
  // The handler was installed with SA_RESETHAND: this time the signal ends the process.
  raise(signal);
}

// While it exists, the signals remove the temporary file.
class TemporaryFile {
 public:
  // Creates a file beside `path`.
  explicit TemporaryFile(const std::string& path) : name_(path + ".XXXXXX") {
    sigset_t signals;
    sigemptyset(&signals);
    for (int s : kSignals) sigaddset(&signals, s);
    if (name_.size() >= sizeof(g_temporary)) {
      error_ = ENAMETOOLONG;
      return;
    }
    sigset_t before;
    sigprocmask(SIG_BLOCK, &signals, &before);
    fd_ = mkostemp(name_.data(), O_CLOEXEC);
    error_ = errno;
    if (fd_ >= 0) {
      std::memcpy(g_temporary, name_.c_str(), name_.size() + 1);
      for (size_t i = 0; i < kSignals.size(); ++i) {
        struct sigaction action = {};
        sigaction(kSignals[i], nullptr, &before_[i]);
        if (before_[i].sa_handler == SIG_IGN) continue;  // nohup and the like
        action.sa_handler = RemoveTemporary;
        action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
        sigaction(kSignals[i], &action, nullptr);
      }
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
  }
  ~TemporaryFile() {
    if (fd_ < 0) return;
    close(fd_);
    if (!renamed_) unlink(name_.c_str());
    g_temporary[0] = 0;
    for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int fd() const { return fd_; }
  int error() const { return error_; }
  bool RenameTo(const std::string& path) {
    renamed_ = rename(name_.c_str(), path.c_str()) == 0;
    return renamed_;
  }

 private:
  std::string name_;
  int fd_ = -1;
  int error_ = 0;
  bool renamed_ = false;
  std::array<struct sigaction, kSignals.size()> before_;
};

// 0 or the error number.
int WriteAll(int fd, absl::Span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

absl::Status WriteToStdout(absl::Span<const uint8_t> bytes) {
  fflush(stdout);
  const int error = WriteAll(STDOUT_FILENO, bytes);
  return error == 0 ? absl::OkStatus() : Error(error, "cannot write to standard output");
}

absl::Span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error(errno, absl::StrCat("cannot open ", path));
  const absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat info;
  if (fstat(fd, &info) != 0) return Error(errno, absl::StrCat("cannot read ", path));
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory, expected a file"));
  }
  std::vector<uint8_t> bytes;
  // One byte more than the size, so that the end shows in the same pass.
  size_t room = static_cast<size_t>(info.st_size > 0 ? info.st_size : 0) + 1;
  for (;;) {
    const size_t before = bytes.size();
    bytes.resize(before + room);
    const ssize_t n = read(fd, bytes.data() + before, room);
    if (n < 0 && errno != EINTR) return Error(errno, absl::StrCat("cannot read ", path));
    bytes.resize(before + static_cast<size_t>(n > 0 ? n : 0));
    if (n == 0) return bytes;
    // Usually there is room left for the read that finds the end.
    room = bytes.size() < bytes.capacity() ? bytes.capacity() - bytes.size() : 64 << 10;
  }
}

// Where the bytes go until the file has its name: a new file, or memory.
class OutputFile::Target {
 public:
  struct stat info = {};
  bool exists = false;
  std::optional<TemporaryFile> file;
  std::vector<uint8_t> bytes;
};

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {}
OutputFile::~OutputFile() = default;

absl::Status OutputFile::Open(uint64_t size) {
  target_ = std::make_unique<Target>();
  Target& t = *target_;
  t.exists = path_ != "-" && stat(path_.c_str(), &t.info) == 0;
  if (t.exists && S_ISDIR(t.info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write ", path_, ": it is a directory; name a file in it"));
  }
  if (path_ == "-" || (t.exists && !S_ISREG(t.info.st_mode))) {
    t.bytes.resize(size);
    return absl::OkStatus();
  }
  t.file.emplace(path_);
  if (t.file->fd() < 0) return Error(t.file->error(), absl::StrCat("cannot create ", path_));
  return absl::OkStatus();
}

absl::Status OutputFile::WriteAt(uint64_t offset, absl::Span<const uint8_t> bytes) {
  if (!target_->file.has_value()) {
    std::copy(bytes.begin(), bytes.end(), target_->bytes.begin() + static_cast<ptrdiff_t>(offset));
    return absl::OkStatus();
  }
  while (!bytes.empty()) {
    const ssize_t n =
        pwrite(target_->file->fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error(errno, absl::StrCat("cannot write ", path_));
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Commit() {
  if (!target_->file.has_value()) {
    if (path_ == "-") return WriteToStdout(target_->bytes);
    const int fd = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return Error(errno, absl::StrCat("cannot write ", path_));
    const absl::Cleanup close_fd = [fd] { close(fd); };
    const int error = WriteAll(fd, target_->bytes);
    return error == 0 ? absl::OkStatus() : Error(error, absl::StrCat("cannot write ", path_));
  }
  // mkostemp makes files for the owner alone; a new file gets what open() would have given it.
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(target_->file->fd(), target_->exists ? target_->info.st_mode & 07777 : 0666 & ~mask);
  if (!target_->file->RenameTo(path_)) {
    return Error(errno, absl::StrCat("cannot replace ", path_));
  }
  target_.reset();
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, absl::Span<const uint8_t> bytes) {
  OutputFile file(path);
  absl::Status status = file.Open(bytes.size());
  if (status.ok()) status = file.WriteAt(0, bytes);
  return status.ok() ? file.Commit() : status;
}

absl::Status WriteFile(const std::string& path, std::string_view text) {
  return WriteFile(path, BytesOf(text));
}

absl::Status WriteFileOrStdout(const std::string& path, std::string_view text) {
  return path != "-" ? WriteFile(path, text) : WriteToStdout(BytesOf(text));
}

bool UseColor(int fd) {
  const char* no_color = getenv("NO_COLOR");
  const char* term = getenv("TERM");
  return isatty(fd) != 0 && (no_color == nullptr || *no_color == 0) &&
         (term == nullptr || strcmp(term, "dumb") != 0);
}

void PrintError(std::string_view message) {
  const Palette p(UseColor(STDERR_FILENO));
  absl::FPrintF(stderr, "%saotc: %s%s\n", p.red, p.reset, message);
}

bool SameFile(const std::string& a, const std::string& b) {
  std::error_code error;
  return std::filesystem::equivalent(a, b, error);
}

std::string Grouped(uint64_t number) {
  std::string text = absl::StrCat(number);
  for (size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

}  // namespace precast::aotc
