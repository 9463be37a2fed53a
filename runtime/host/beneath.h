// Opens files beneath a directory and nowhere else: neither "..", nor symbolic links, nor renaming
// at the same time by others leads out. What the file systems of all hosts stand on.
#ifndef PRECAST_RUNTIME_HOST_BENEATH_H_
#define PRECAST_RUNTIME_HOST_BENEATH_H_

#include <string>

namespace precast::runtime {

// Opens `path` (relative) beneath directory `root`. Returns a host file descriptor, which the
// caller owns, or a negative errno: EXDEV where the path leads out. `flags` and `mode` as for
// open(2); O_CLOEXEC and O_NOCTTY are added.
int OpenBeneath(int root, const std::string& path, int flags, unsigned mode);

// The two ways it is done; exposed for tests. The first (openat2 with RESOLVE_BENEATH) needs Linux
// 5.6 and otherwise returns -ENOSYS; the second follows no symbolic links at all and knows no "..".
int OpenBeneathByKernel(int root, const std::string& path, int flags, unsigned mode);
int OpenBeneathByWalking(int root, const std::string& path, int flags, unsigned mode);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_HOST_BENEATH_H_
