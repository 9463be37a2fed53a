#include "runtime/host/linux/granted_directories.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/host/beneath.h"

namespace precast::runtime {

namespace {

// open(2) and its relatives, again after a signal.
template <typename Function>
int Retry(Function open_function) {
  int fd;
  do {
    fd = static_cast<int>(open_function());
  } while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

bool Writes(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0 ||
         (flags & O_TMPFILE) == O_TMPFILE;
}

}  // namespace

GrantedDirectories::~GrantedDirectories() {
  for (const Granted& granted : granted_) close(granted.fd);
}

std::string GrantedDirectories::Normalize(std::string_view guest_path) {
  std::string result;
  for (std::string_view component : absl::StrSplit(guest_path, '/', absl::SkipEmpty())) {
    if (component != ".") absl::StrAppend(&result, "/", component);
  }
  return result.empty() ? "/" : result;
}

absl::Status GrantedDirectories::Grant(const std::string& host, std::string_view guest,
                                       bool read_only) {
  std::string normalized = Normalize(guest);
  for (std::string_view component : absl::StrSplit(normalized, '/')) {
    if (component == "..")
      return absl::InvalidArgumentError(absl::StrCat("guest directory ", guest, " contains .."));
  }
  int fd = Retry([&] { return open(host.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); });
  if (fd < 0) return absl::ErrnoToStatus(-fd, absl::StrCat("cannot open directory ", host));
  granted_.push_back({.fd = fd, .guest = std::move(normalized), .read_only = read_only});
  return absl::OkStatus();
}

int GrantedDirectories::Open(std::string_view guest_path, int flags, unsigned mode) const {
  if (guest_path.empty()) return -ENOENT;
  std::string path = Normalize(guest_path);
  if (absl::EndsWith(guest_path, "/")) flags |= O_DIRECTORY;
  // The longest grant that is a prefix of the path; of equal ones the last.
  const Granted* best = nullptr;
  std::string_view best_rest;
  for (const Granted& granted : granted_) {
    std::string_view rest = path;
    if (granted.guest != "/") {
      if (!absl::ConsumePrefix(&rest, granted.guest)) continue;
      if (!rest.empty() && rest[0] != '/') continue;
    }
    if (best == nullptr || granted.guest.size() >= best->guest.size()) {
      best = &granted;
      best_rest = rest;
    }
  }
  if (best == nullptr) return -EACCES;
  if (best->read_only && Writes(flags)) return -EROFS;
  while (!best_rest.empty() && best_rest[0] == '/') best_rest.remove_prefix(1);
  std::string relative = best_rest.empty() ? "." : std::string(best_rest);
  return OpenBeneath(best->fd, relative, flags, mode);
}

}  // namespace precast::runtime
