// Opens files for a guest, beneath directories that the user has granted, and nowhere else.
#ifndef PRECAST_RUNTIME_HOST_LINUX_GRANTED_DIRECTORIES_H_
#define PRECAST_RUNTIME_HOST_LINUX_GRANTED_DIRECTORIES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace precast::runtime {

class GrantedDirectories {
 public:
  GrantedDirectories() = default;
  ~GrantedDirectories();
  GrantedDirectories(const GrantedDirectories&) = delete;
  GrantedDirectories& operator=(const GrantedDirectories&) = delete;

  // Shows the host's directory `host` to the guest as `guest`. Guest paths that do not begin with
  // '/' are taken from '/'. With `read_only`, opening for writing and creating is refused.
  absl::Status Grant(const std::string& host, std::string_view guest, bool read_only = false);

  // Opens a guest path. Returns a host file descriptor, which the caller owns, or a negative errno:
  // EACCES where no directory is granted, EXDEV where a symbolic link or ".." leads out of one.
  // `flags` and `mode` as for open(2); O_CLOEXEC and O_NOCTTY are added.
  int Open(std::string_view guest_path, int flags, unsigned mode) const;

  // The guest path in the form that Open() resolves it: absolute, without "." and empty components.
  static std::string Normalize(std::string_view guest_path);

 private:
  struct Granted {
    int fd;
    std::string guest;  // normalized
    bool read_only;
  };
  std::vector<Granted> granted_;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_HOST_LINUX_GRANTED_DIRECTORIES_H_
