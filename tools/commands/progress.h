// Shows on a terminal how far long work is, once it takes longer than two seconds.
#ifndef PRECAST_TOOLS_COMMANDS_PROGRESS_H_
#define PRECAST_TOOLS_COMMANDS_PROGRESS_H_

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"

namespace precast::aotc {

// One line on standard error, written over again and taken away in the end. Not for several threads
// at once.
class Progress {
 public:
  // "compiling: 3 of 17 functions, 17 %". Shows nothing unless `on` and standard error is a
  // terminal.
  Progress(std::string_view verb, std::string_view things, bool on)
      : verb_(verb), things_(things), on_(on && isatty(STDERR_FILENO) != 0) {}
  ~Progress() { Clear(); }

  void Show(size_t done, size_t total) {
    if (!on_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    shown_ = true;
    absl::FPrintF(stderr, "\r\033[K%s: %d of %d %s, %d %%", verb_, done, total, things_,
                  100 * done / std::max<size_t>(1, total));
    fflush(stderr);
  }
  void Clear() {
    if (shown_) absl::FPrintF(stderr, "\r\033[K");
    shown_ = false;
  }

 private:
  const std::string verb_, things_;
  const bool on_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(2);
};

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_PROGRESS_H_
