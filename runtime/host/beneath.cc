// See beneath.h.
#include "runtime/host/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/strings/str_split.h"

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

}  // namespace

int OpenBeneath(int root, const std::string& path, int flags, unsigned mode) {
  flags |= O_CLOEXEC;
  if ((flags & O_PATH) == 0) flags |= O_NOCTTY;  // openat2 refuses the two together
  const int fd = OpenBeneathByKernel(root, path, flags, mode);
  // EPERM: a seccomp filter that does not know the call.
  if (fd == -ENOSYS || fd == -EPERM) return OpenBeneathByWalking(root, path, flags, mode);
  return fd;
}

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

}  // namespace precast::runtime
