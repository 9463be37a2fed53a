#include "tools/bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace precast::bench {
namespace {

// Written by signal handlers.
volatile sig_atomic_t interruption = 0;
volatile sig_atomic_t expired = 0;
volatile pid_t child = 0;

void KillChild() {
  if (child > 0) kill(-child, SIGKILL);
}

void OnInterruption(int signal_number) {
  interruption = signal_number;
  KillChild();
}

void OnAlarm(int /*signal_number*/) {
  expired = 1;
  KillChild();
}

void SetHandler(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal_number, &action, nullptr);
}

void SetAlarm(double seconds) {
  itimerval timer = {};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec =
      static_cast<suseconds_t>((seconds - std::floor(seconds)) * 1e6) + (seconds > 0 ? 1 : 0);
  // If the signal comes between fork and wait4, the child is killed all the same; should it come
  // before the child is known, the next one kills it.
  timer.it_interval.tv_sec = seconds > 0 ? 1 : 0;
  if (timer.it_value.tv_usec > 999999) timer.it_value.tv_usec = 999999;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

double Seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::string Contents(int fd, uint64_t limit) {
  const off_t size = lseek(fd, 0, SEEK_END);
  std::string text(std::min<uint64_t>(size < 0 ? 0 : static_cast<uint64_t>(size), limit), '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  text.resize(done);
  return text;
}

// What parent and child share: when the child began, or why it could not.
struct Shared {
  double start;
  int error;
};

[[noreturn]] void RunChild(char* const* argv, const char* directory, const int files[3],
                           Shared* shared) {
  setpgid(0, 0);
  for (int i = 0; i < 3; ++i) dup2(files[i], i);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) signal(s, SIG_DFL);
  if (directory[0] != '\0' && chdir(directory) != 0) {
    shared->error = errno;
    _exit(127);
  }
  shared->start = Now();
  execvp(argv[0], argv);
  shared->error = errno;
  _exit(127);
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const Argv& argv, const ProcessOptions& options) {
  if (interruption != 0) return absl::CancelledError("interrupted");
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);

  void* page =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const int files[3] = {open("/dev/null", O_RDONLY | O_CLOEXEC),
                        memfd_create("stdout", MFD_CLOEXEC), memfd_create("stderr", MFD_CLOEXEC)};
  const absl::Cleanup close_files = [&] {
    for (const int fd : files) {
      if (fd >= 0) close(fd);
    }
    if (page != MAP_FAILED) munmap(page, sizeof(Shared));
  };
  if (page == MAP_FAILED || files[0] < 0 || files[1] < 0 || files[2] < 0) {
    return absl::ErrnoToStatus(errno, "cannot prepare a child process");
  }
  Shared* shared = new (page) Shared{};

  expired = 0;
  SetHandler(SIGALRM, OnAlarm);
  SetAlarm(options.timeout);
  const pid_t pid = fork();
  if (pid == 0) RunChild(pointers.data(), options.directory.c_str(), files, shared);
  if (pid < 0) {
    SetAlarm(0);
    return absl::ErrnoToStatus(errno, "fork");
  }
  setpgid(pid, pid);  // by whoever comes first
  child = pid;
  if (interruption != 0) KillChild();
  int status = 0;
  rusage usage = {};
  while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) continue;
  const double end = Now();
  child = 0;
  SetAlarm(0);
  if (interruption != 0) return absl::CancelledError("interrupted");
  if (shared->error != 0) {
    return absl::ErrnoToStatus(shared->error, absl::StrCat("cannot run ", argv[0]));
  }

  ProcessResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.timed_out = expired != 0;
  result.user = Seconds(usage.ru_utime);
  result.system = Seconds(usage.ru_stime);
  result.wall = end - shared->start;
  result.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  result.out = Contents(files[1], options.max_output);
  result.err = Contents(files[2], options.max_output);
  return result;
}

bool IsInstalled(const std::string& program) {
  if (program.empty()) return false;
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  const char* path = getenv("PATH");
  if (path == nullptr) return false;
  for (const std::string_view directory : absl::StrSplit(path, ':', absl::SkipEmpty())) {
    if (access(absl::StrCat(directory, "/", program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void CatchInterruptions() {
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) SetHandler(s, OnInterruption);
}

int Interruption() { return interruption; }

std::string CommandText(const Argv& argv) {
  return absl::StrJoin(argv, " ", [](std::string* out, const std::string& word) {
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n'\"\\$&|<>;*?()`#~") == std::string::npos;
    if (plain) {
      absl::StrAppend(out, word);
    } else {
      absl::StrAppend(out, "'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
    }
  });
}

}  // namespace precast::bench
