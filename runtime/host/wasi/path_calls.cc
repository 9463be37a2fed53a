// What takes a directory and a path. A path is resolved in two steps that cannot be tricked apart:
// the directory part beneath the given directory (OpenBeneath), the last component by a system call
// that does not follow it; or the whole by OpenBeneath, and then only the descriptor is used.
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "runtime/host/beneath.h"
#include "runtime/host/wasi/host_errno.h"
#include "runtime/host/wasi/wasi_host.h"

namespace precast::runtime::wasi {
namespace {

// A host descriptor, closed at the end.
class Opened {
 public:
  Opened() = default;
  ~Opened() {
    if (fd_ >= 0) close(fd_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  void Set(int fd) { fd_ = fd; }
  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

Errno ReadPath(GuestMemory memory, uint32_t at, uint32_t size, std::string& out) {
  if (size >= PATH_MAX) return Errno::kNameTooLong;
  std::optional<std::string> path = memory.String(at, size);
  if (!path) return Errno::kFault;
  if (path->empty()) return Errno::kNoEnt;
  if (path->find('\0') != std::string::npos) return Errno::kInval;
  if (path->front() == '/') return Errno::kNotCapable;
  out = *std::move(path);
  return Errno::kSuccess;
}

// The directory part of `path`, opened, and its last component, which is not ".." and has no slash,
// except for slashes at the end when `keep_slash` (the system call then wants a directory).
Errno OpenParent(int root, const std::string& path, bool keep_slash, Opened& parent,
                 std::string& name) {
  size_t end = path.size();
  while (end > 1 && path[end - 1] == '/') --end;
  const size_t slash = path.rfind('/', end - 1);
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  name = path.substr(begin, end - begin);
  if (name == ".." || name == ".") return Errno::kInval;
  if (keep_slash && end != path.size()) name += '/';
  const int fd =
      OpenBeneath(root, begin == 0 ? "." : path.substr(0, begin), O_PATH | O_DIRECTORY, 0);
  if (fd < 0) return FromHost(-fd);
  parent.Set(fd);
  return Errno::kSuccess;
}

// As open(2), with the rights a guest asks for.
int HostFlags(uint16_t oflags, uint16_t fdflags, Rights rights, bool follow) {
  const bool reads = (rights & (kFdRead | kFdReaddir)) != 0;
  const bool writes = (rights & (kFdWrite | kFdAllocate | kFdFilestatSetSize | kFdDatasync)) != 0 &&
                      (oflags & kOflagDirectory) == 0;
  int flags = writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
  if ((oflags & kOflagCreat) != 0) flags |= O_CREAT;
  if ((oflags & kOflagDirectory) != 0) flags |= O_DIRECTORY;
  if ((oflags & kOflagExcl) != 0) flags |= O_EXCL;
  if ((oflags & kOflagTrunc) != 0) flags |= O_TRUNC;
  if ((fdflags & kFdflagAppend) != 0) flags |= O_APPEND;
  if ((fdflags & kFdflagNonblock) != 0) flags |= O_NONBLOCK;
  if ((fdflags & kFdflagDsync) != 0) flags |= O_DSYNC;
  if ((fdflags & (kFdflagSync | kFdflagRsync)) != 0) flags |= O_SYNC;
  if (!follow) flags |= O_NOFOLLOW;
  return flags;
}

}  // namespace

Errno WasiHost::PathOpen(GuestMemory memory, Arguments a) {
  const uint16_t oflags = static_cast<uint16_t>(a.U32(4));
  const uint16_t fdflags = static_cast<uint16_t>(a.U32(7));
  const Rights base = a.U64(5), inheriting = a.U64(6);
  Rights needed = kPathOpen;
  if ((oflags & kOflagCreat) != 0) needed |= kPathCreateFile;
  if ((oflags & kOflagTrunc) != 0) needed |= kPathFilestatSetSize;
  Errno why;
  Descriptor* d = Get(a.U32(0), needed, why);
  if (d == nullptr) return why;
  if (((base | inheriting) & ~d->inheriting) != 0) return Errno::kNotCapable;
  std::string path;
  if (Errno e = ReadPath(memory, a.U32(2), a.U32(3), path); e != Errno::kSuccess) return e;
  if (!memory.Slice(a.U32(8), 4)) return Errno::kFault;

  const bool follow = (a.U32(1) & kLookupSymlinkFollow) != 0;
  Opened opened;
  const int fd = OpenBeneath(d->host, path, HostFlags(oflags, fdflags, base, follow), 0666);
  if (fd == -ELOOP && !follow) return Errno::kLoop;
  if (fd < 0) return FromHost(-fd);
  opened.Set(fd);
  struct stat st;
  if (fstat(fd, &st) != 0) return LastError();

  auto result = std::make_unique<Descriptor>();
  result->type = FiletypeOf(st.st_mode);
  result->base =
      base & (result->type == Filetype::kDirectory     ? kDirectoryRights
              : result->type == Filetype::kRegularFile ? kFileRights
                                                       : kStreamRights | kFdSeek | kFdTell);
  result->inheriting = result->type == Filetype::kDirectory ? inheriting : 0;
  result->append = (fdflags & kFdflagAppend) != 0;
  result->nonblocking = (fdflags & kFdflagNonblock) != 0;
  result->dsync = (fdflags & kFdflagDsync) != 0;
  result->sync = (fdflags & (kFdflagSync | kFdflagRsync)) != 0;
  result->host = opened.Release();
  result->owned = true;
  const std::optional<uint32_t> number = descriptors_.Add(std::move(result));
  if (!number) return Errno::kMFile;
  return memory.Store<uint32_t>(a.U32(8), *number) ? Errno::kSuccess : Errno::kFault;
}

Errno WasiHost::PathCreateDirectory(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kPathCreateDirectory, why);
  if (d == nullptr) return why;
  std::string path, name;
  Opened parent;
  if (Errno e = ReadPath(memory, a.U32(1), a.U32(2), path); e != Errno::kSuccess) return e;
  if (Errno e = OpenParent(d->host, path, false, parent, name); e != Errno::kSuccess) return e;
  return mkdirat(parent.fd(), name.c_str(), 0777) == 0 ? Errno::kSuccess : LastError();
}

Errno WasiHost::PathFilestatGet(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kPathFilestatGet, why);
  if (d == nullptr) return why;
  std::string path;
  if (Errno e = ReadPath(memory, a.U32(2), a.U32(3), path); e != Errno::kSuccess) return e;
  const bool follow = (a.U32(1) & kLookupSymlinkFollow) != 0;
  Opened file;
  const int fd = OpenBeneath(d->host, path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0);
  if (fd < 0) return FromHost(-fd);
  file.Set(fd);
  struct stat st;
  if (fstat(fd, &st) != 0) return LastError();
  return StoreFilestat(memory, a.U32(4), st);
}

Errno WasiHost::PathFilestatSetTimes(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kPathFilestatSetTimes, why);
  if (d == nullptr) return why;
  std::string path;
  if (Errno e = ReadPath(memory, a.U32(2), a.U32(3), path); e != Errno::kSuccess) return e;
  timespec times[2];
  if (Errno e = Times(a.U64(4), a.U64(5), static_cast<uint16_t>(a.U32(6)), times);
      e != Errno::kSuccess) {
    return e;
  }
  const bool follow = (a.U32(1) & kLookupSymlinkFollow) != 0;
  Opened file;
  const int fd = OpenBeneath(d->host, path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0);
  if (fd < 0) return FromHost(-fd);
  file.Set(fd);
  if (utimensat(fd, "", times, AT_EMPTY_PATH) == 0) return Errno::kSuccess;
  return LastError();
}

Errno WasiHost::PathLink(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* from = Get(a.U32(0), kPathLinkSource, why);
  if (from == nullptr) return why;
  Descriptor* to = Get(a.U32(4), kPathLinkTarget, why);
  if (to == nullptr) return why;
  // A link to what a symbolic link names could not be made without following it.
  if ((a.U32(1) & kLookupSymlinkFollow) != 0) return Errno::kInval;
  std::string old_path, old_name, new_path, new_name;
  Opened old_parent, new_parent;
  if (Errno e = ReadPath(memory, a.U32(2), a.U32(3), old_path); e != Errno::kSuccess) return e;
  if (Errno e = ReadPath(memory, a.U32(5), a.U32(6), new_path); e != Errno::kSuccess) return e;
  if (Errno e = OpenParent(from->host, old_path, true, old_parent, old_name);
      e != Errno::kSuccess) {
    return e;
  }
  if (Errno e = OpenParent(to->host, new_path, true, new_parent, new_name); e != Errno::kSuccess) {
    return e;
  }
  // A name with a slash at its end would be followed.
  if (old_name.back() == '/') return Errno::kNotDir;
  return linkat(old_parent.fd(), old_name.c_str(), new_parent.fd(), new_name.c_str(), 0) == 0
             ? Errno::kSuccess
             : LastError();
}

Errno WasiHost::PathReadlink(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kPathReadlink, why);
  if (d == nullptr) return why;
  std::string path, name;
  Opened parent;
  if (Errno e = ReadPath(memory, a.U32(1), a.U32(2), path); e != Errno::kSuccess) return e;
  const std::optional<absl::Span<uint8_t>> out = memory.Slice(a.U32(3), a.U32(4));
  if (!out) return Errno::kFault;
  if (Errno e = OpenParent(d->host, path, false, parent, name); e != Errno::kSuccess) return e;
  char target[PATH_MAX];
  const ssize_t n = readlinkat(parent.fd(), name.c_str(), target, sizeof target);
  if (n < 0) return LastError();
  const size_t size = std::min(static_cast<size_t>(n), out->size());
  std::copy_n(target, size, out->data());
  return memory.Store<uint32_t>(a.U32(5), static_cast<uint32_t>(size)) ? Errno::kSuccess
                                                                       : Errno::kFault;
}

Errno WasiHost::PathRemoveDirectory(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kPathRemoveDirectory, why);
  if (d == nullptr) return why;
  std::string path, name;
  Opened parent;
  if (Errno e = ReadPath(memory, a.U32(1), a.U32(2), path); e != Errno::kSuccess) return e;
  if (Errno e = OpenParent(d->host, path, false, parent, name); e != Errno::kSuccess) return e;
  return unlinkat(parent.fd(), name.c_str(), AT_REMOVEDIR) == 0 ? Errno::kSuccess : LastError();
}

Errno WasiHost::PathUnlinkFile(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kPathUnlinkFile, why);
  if (d == nullptr) return why;
  std::string path, name;
  Opened parent;
  if (Errno e = ReadPath(memory, a.U32(1), a.U32(2), path); e != Errno::kSuccess) return e;
  if (Errno e = OpenParent(d->host, path, true, parent, name); e != Errno::kSuccess) return e;
  return unlinkat(parent.fd(), name.c_str(), 0) == 0 ? Errno::kSuccess : LastError();
}

Errno WasiHost::PathRename(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* from = Get(a.U32(0), kPathRenameSource, why);
  if (from == nullptr) return why;
  Descriptor* to = Get(a.U32(3), kPathRenameTarget, why);
  if (to == nullptr) return why;
  std::string old_path, old_name, new_path, new_name;
  Opened old_parent, new_parent;
  if (Errno e = ReadPath(memory, a.U32(1), a.U32(2), old_path); e != Errno::kSuccess) return e;
  if (Errno e = ReadPath(memory, a.U32(4), a.U32(5), new_path); e != Errno::kSuccess) return e;
  if (Errno e = OpenParent(from->host, old_path, true, old_parent, old_name);
      e != Errno::kSuccess) {
    return e;
  }
  if (Errno e = OpenParent(to->host, new_path, true, new_parent, new_name); e != Errno::kSuccess) {
    return e;
  }
  return renameat(old_parent.fd(), old_name.c_str(), new_parent.fd(), new_name.c_str()) == 0
             ? Errno::kSuccess
             : LastError();
}

Errno WasiHost::PathSymlink(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(2), kPathSymlink, why);
  if (d == nullptr) return why;
  std::string target, path, name;
  Opened parent;
  // An absolute target is refused: it could only lead out.
  if (Errno e = ReadPath(memory, a.U32(0), a.U32(1), target); e != Errno::kSuccess) return e;
  if (Errno e = ReadPath(memory, a.U32(3), a.U32(4), path); e != Errno::kSuccess) return e;
  if (Errno e = OpenParent(d->host, path, true, parent, name); e != Errno::kSuccess) return e;
  return symlinkat(target.c_str(), parent.fd(), name.c_str()) == 0 ? Errno::kSuccess : LastError();
}

}  // namespace precast::runtime::wasi
