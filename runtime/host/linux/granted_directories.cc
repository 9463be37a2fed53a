#include "runtime/host/linux/granted_directories.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

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

int OpenBeneathByKernel(int root, const std::string& path, int flags, unsigned mode) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(static_cast<unsigned>(flags));
  how.mode = (flags & O_CREAT) != 0 ? mode & 07777 : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed meanwhile, so that the kernel could not be sure.
  for (int attempt = 0;; ++attempt) {
    int fd = Retry([&] { return syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how)); });
    if (fd != -EAGAIN || attempt == 100) return fd;
  }
}

int OpenBeneathByWalking(int root, const std::string& path, int flags, unsigned mode) {
  std::vector<std::string> components = absl::StrSplit(path, '/', absl::SkipEmpty());
  std::erase(components, ".");
  if (components.empty()) components.push_back(".");
  for (const std::string& component : components) {
    if (component == "..") return -EXDEV;
  }
  int directory = root;
  for (size_t i = 0; i + 1 < components.size(); ++i) {
    int next = Retry([&] {
      return openat(directory, components[i].c_str(),
                    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    });
    if (directory != root) close(directory);
    if (next < 0) return next;
    directory = next;
  }
  int fd = Retry([&] {
    return openat(directory, components.back().c_str(), flags | O_NOFOLLOW, mode & 07777);
  });
  if (directory != root) close(directory);
  return fd;
}

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
  flags |= O_CLOEXEC;
  if ((flags & O_PATH) == 0) flags |= O_NOCTTY;  // openat2 refuses the two together
  int fd = OpenBeneathByKernel(best->fd, relative, flags, mode);
  // EPERM: a seccomp filter that does not know the call.
  if (fd == -ENOSYS || fd == -EPERM) fd = OpenBeneathByWalking(best->fd, relative, flags, mode);
  return fd;
}

}  // namespace precast::runtime
