// What takes a descriptor.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "runtime/host/beneath.h"
#include "runtime/host/wasi/host_errno.h"
#include "runtime/host/wasi/wasi_host.h"

namespace precast::runtime::wasi {
namespace {

// Writing to a pipe that nobody reads is an error for the guest, not a signal for the host.
class BlockPipeSignal {
 public:
  BlockPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~BlockPipeSignal() {
    const int saved = errno;
    if (!was_pending_) {
      const timespec now = {0, 0};
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = saved;
  }
  BlockPipeSignal(const BlockPipeSignal&) = delete;
  BlockPipeSignal& operator=(const BlockPipeSignal&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

Errno StoreCount(GuestMemory memory, uint32_t at, ssize_t n) {
  return memory.Store<uint32_t>(at, static_cast<uint32_t>(n)) ? Errno::kSuccess : Errno::kFault;
}

timespec Timespec(uint64_t nanoseconds) {
  timespec t;
  t.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
  t.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);  // NOLINT: its type
  return t;
}

}  // namespace

Errno WasiHost::StoreFilestat(GuestMemory memory, uint64_t at, const struct stat& st) {
  const auto nanoseconds = [](const timespec& t) {
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
  };
  uint8_t out[kFilestatSize] = {};
  const auto put = [&](size_t offset, uint64_t value) {
    std::memcpy(out + offset, &value, sizeof value);
  };
  put(0, st.st_dev);
  put(8, st.st_ino);
  out[16] = static_cast<uint8_t>(FiletypeOf(st.st_mode));
  put(24, st.st_nlink);
  put(32, static_cast<uint64_t>(st.st_size));
  put(40, nanoseconds(st.st_atim));
  put(48, nanoseconds(st.st_mtim));
  put(56, nanoseconds(st.st_ctim));
  return memory.Write(at, std::string_view(reinterpret_cast<const char*>(out), sizeof out))
             ? Errno::kSuccess
             : Errno::kFault;
}

Errno WasiHost::Iovecs(GuestMemory memory, uint64_t at, uint32_t count, std::vector<iovec>& out) {
  if (count > IOV_MAX) return Errno::kInval;
  for (uint32_t k = 0; k < count; ++k) {
    const std::optional<uint32_t> buffer = memory.Load<uint32_t>(at + kIovecSize * k);
    const std::optional<uint32_t> size = memory.Load<uint32_t>(at + kIovecSize * k + 4);
    if (!buffer || !size) return Errno::kFault;
    const std::optional<absl::Span<uint8_t>> bytes = memory.Slice(*buffer, *size);
    if (!bytes) return Errno::kFault;
    out.push_back({bytes->data(), bytes->size()});
  }
  return Errno::kSuccess;
}

Errno WasiHost::Times(uint64_t atim, uint64_t mtim, uint16_t flags, timespec out[2]) {
  if ((flags & kFstAtim) != 0 && (flags & kFstAtimNow) != 0) return Errno::kInval;
  if ((flags & kFstMtim) != 0 && (flags & kFstMtimNow) != 0) return Errno::kInval;
  const auto one = [&](uint64_t value, uint16_t set, uint16_t now) {
    if ((flags & set) != 0) return Timespec(value);
    timespec t = {0, UTIME_OMIT};
    if ((flags & now) != 0) t.tv_nsec = UTIME_NOW;
    return t;
  };
  out[0] = one(atim, kFstAtim, kFstAtimNow);
  out[1] = one(mtim, kFstMtim, kFstMtimNow);
  return Errno::kSuccess;
}

Errno WasiHost::FdAdvise(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdAdvise, why);
  if (d == nullptr) return why;
  constexpr int kAdvice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                             POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  const uint32_t advice = a.U32(3);
  if (advice >= std::size(kAdvice)) return Errno::kInval;
  if (a.U64(1) > INT64_MAX || a.U64(2) > INT64_MAX) return Errno::kInval;
  return FromHost(posix_fadvise(d->host, static_cast<off_t>(a.U64(1)), static_cast<off_t>(a.U64(2)),
                                kAdvice[advice]));
}

Errno WasiHost::FdAllocate(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdAllocate, why);
  if (d == nullptr) return why;
  if (a.U64(1) > INT64_MAX || a.U64(2) > INT64_MAX) return Errno::kFBig;
  return FromHost(
      posix_fallocate(d->host, static_cast<off_t>(a.U64(1)), static_cast<off_t>(a.U64(2))));
}

Errno WasiHost::FdClose(GuestMemory, Arguments a) {
  return descriptors_.Close(a.U32(0)) ? Errno::kSuccess : Errno::kBadF;
}

Errno WasiHost::FdDatasync(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdDatasync, why);
  if (d == nullptr) return why;
  return fdatasync(d->host) == 0 ? Errno::kSuccess : LastError();
}

Errno WasiHost::FdSync(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdSync, why);
  if (d == nullptr) return why;
  return fsync(d->host) == 0 ? Errno::kSuccess : LastError();
}

Errno WasiHost::FdFdstatGet(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), 0, why);
  if (d == nullptr) return why;
  const uint16_t flags = static_cast<uint16_t>(
      (d->append ? kFdflagAppend : 0) | (d->nonblocking ? kFdflagNonblock : 0) |
      (d->sync ? kFdflagSync : 0) | (d->dsync ? kFdflagDsync : 0));
  const uint64_t at = a.U32(1);
  return memory.Store<uint64_t>(at, static_cast<uint64_t>(d->type) | uint64_t{flags} << 16) &&
                 memory.Store<uint64_t>(at + 8, d->base) &&
                 memory.Store<uint64_t>(at + 16, d->inheriting)
             ? Errno::kSuccess
             : Errno::kFault;
}

Errno WasiHost::FdFdstatSetFlags(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdFdstatSetFlags, why);
  if (d == nullptr) return why;
  const uint32_t flags = a.U32(1);
  if (flags > (kFdflagAppend | kFdflagDsync | kFdflagNonblock | kFdflagRsync | kFdflagSync)) {
    return Errno::kInval;
  }
  // Synchronization is settled when a file is opened.
  if ((flags & (kFdflagDsync | kFdflagRsync | kFdflagSync)) != 0) return Errno::kNotSup;
  // Flags belong to the host's open file, which others may use too if it is not our own: then only
  // remembered.
  if (d->owned) {
    const int host = ((flags & kFdflagAppend) != 0 ? O_APPEND : 0) |
                     ((flags & kFdflagNonblock) != 0 ? O_NONBLOCK : 0);
    if (fcntl(d->host, F_SETFL, host) != 0) return LastError();
  }
  d->append = (flags & kFdflagAppend) != 0;
  d->nonblocking = (flags & kFdflagNonblock) != 0;
  return Errno::kSuccess;
}

Errno WasiHost::FdFdstatSetRights(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), 0, why);
  if (d == nullptr) return why;
  // Rights can only be given up.
  if ((a.U64(1) & ~d->base) != 0 || (a.U64(2) & ~d->inheriting) != 0) return Errno::kNotCapable;
  d->base = a.U64(1);
  d->inheriting = a.U64(2);
  return Errno::kSuccess;
}

Errno WasiHost::FdFilestatGet(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdFilestatGet, why);
  if (d == nullptr) return why;
  struct stat st;
  if (fstat(d->host, &st) != 0) return LastError();
  return StoreFilestat(memory, a.U32(1), st);
}

Errno WasiHost::FdFilestatSetSize(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdFilestatSetSize, why);
  if (d == nullptr) return why;
  if (a.U64(1) > INT64_MAX) return Errno::kFBig;
  return ftruncate(d->host, static_cast<off_t>(a.U64(1))) == 0 ? Errno::kSuccess : LastError();
}

Errno WasiHost::FdFilestatSetTimes(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdFilestatSetTimes, why);
  if (d == nullptr) return why;
  timespec times[2];
  if (Errno e = Times(a.U64(1), a.U64(2), static_cast<uint16_t>(a.U32(3)), times);
      e != Errno::kSuccess) {
    return e;
  }
  // A preopened directory is held by a descriptor that futimens does not take.
  const int done = d->type == Filetype::kDirectory ? utimensat(d->host, "", times, AT_EMPTY_PATH)
                                                   : futimens(d->host, times);
  return done == 0 ? Errno::kSuccess : LastError();
}

Errno WasiHost::FdRead(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdRead, why);
  if (d == nullptr) return why;
  std::vector<iovec> iovecs;
  if (Errno e = Iovecs(memory, a.U32(1), a.U32(2), iovecs); e != Errno::kSuccess) return e;
  const ssize_t n = readv(d->host, iovecs.data(), static_cast<int>(iovecs.size()));
  return n < 0 ? LastError() : StoreCount(memory, a.U32(3), n);
}

Errno WasiHost::FdPread(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdRead | kFdSeek, why);
  if (d == nullptr) return why;
  if (a.U64(3) > INT64_MAX) return Errno::kInval;
  std::vector<iovec> iovecs;
  if (Errno e = Iovecs(memory, a.U32(1), a.U32(2), iovecs); e != Errno::kSuccess) return e;
  const ssize_t n =
      preadv(d->host, iovecs.data(), static_cast<int>(iovecs.size()), static_cast<off_t>(a.U64(3)));
  return n < 0 ? LastError() : StoreCount(memory, a.U32(4), n);
}

Errno WasiHost::FdWrite(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdWrite, why);
  if (d == nullptr) return why;
  std::vector<iovec> iovecs;
  if (Errno e = Iovecs(memory, a.U32(1), a.U32(2), iovecs); e != Errno::kSuccess) return e;
  std::optional<BlockPipeSignal> block;
  if (d->type != Filetype::kRegularFile) block.emplace();
  const ssize_t n = writev(d->host, iovecs.data(), static_cast<int>(iovecs.size()));
  return n < 0 ? LastError() : StoreCount(memory, a.U32(3), n);
}

Errno WasiHost::FdPwrite(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdWrite | kFdSeek, why);
  if (d == nullptr) return why;
  if (a.U64(3) > INT64_MAX) return Errno::kInval;
  std::vector<iovec> iovecs;
  if (Errno e = Iovecs(memory, a.U32(1), a.U32(2), iovecs); e != Errno::kSuccess) return e;
  const ssize_t n = pwritev(d->host, iovecs.data(), static_cast<int>(iovecs.size()),
                            static_cast<off_t>(a.U64(3)));
  return n < 0 ? LastError() : StoreCount(memory, a.U32(4), n);
}

Errno WasiHost::FdSeek(GuestMemory memory, Arguments a) {
  Errno why;
  const int64_t offset = static_cast<int64_t>(a.U64(1));
  // To ask where it is takes less than to move it.
  const bool tells = offset == 0 && a.U32(2) == static_cast<uint32_t>(Whence::kCurrent);
  Descriptor* d = Get(a.U32(0), tells ? kFdTell : kFdSeek | kFdTell, why);
  if (d == nullptr) return why;
  constexpr int kWhence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  if (a.U32(2) >= std::size(kWhence)) return Errno::kInval;
  const off_t at = lseek(d->host, offset, kWhence[a.U32(2)]);
  if (at < 0) return LastError();
  return memory.Store<uint64_t>(a.U32(3), static_cast<uint64_t>(at)) ? Errno::kSuccess
                                                                     : Errno::kFault;
}

Errno WasiHost::FdTell(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdTell, why);
  if (d == nullptr) return why;
  const off_t at = lseek(d->host, 0, SEEK_CUR);
  if (at < 0) return LastError();
  return memory.Store<uint64_t>(a.U32(1), static_cast<uint64_t>(at)) ? Errno::kSuccess
                                                                     : Errno::kFault;
}

Errno WasiHost::FdRenumber(GuestMemory, Arguments a) {
  return descriptors_.Renumber(a.U32(0), a.U32(1)) ? Errno::kSuccess : Errno::kBadF;
}

Errno WasiHost::FdPrestatGet(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), 0, why);
  if (d == nullptr) return why;
  if (d->preopen.empty()) return Errno::kBadF;
  // Tag 0: a directory.
  return memory.Store<uint64_t>(a.U32(1), uint64_t{d->preopen.size()} << 32) ? Errno::kSuccess
                                                                             : Errno::kFault;
}

Errno WasiHost::FdPrestatDirName(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), 0, why);
  if (d == nullptr) return why;
  if (d->preopen.empty()) return Errno::kBadF;
  if (a.U32(2) < d->preopen.size()) return Errno::kNameTooLong;
  return memory.Write(a.U32(1), d->preopen) ? Errno::kSuccess : Errno::kFault;
}

Errno WasiHost::ReadEntries(Descriptor& d) {
  const int fd = OpenBeneath(d.host, ".", O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return FromHost(-fd);
  DIR* directory = fdopendir(fd);
  if (directory == nullptr) {
    const Errno e = LastError();
    close(fd);
    return e;
  }
  d.entries.emplace();
  errno = 0;
  while (const dirent* entry = readdir(directory)) {
    const mode_t mode = DTTOIF(entry->d_type);
    d.entries->push_back({entry->d_name, entry->d_ino, FiletypeOf(mode)});
  }
  const Errno e = LastError();
  closedir(directory);
  return e;
}

Errno WasiHost::FdReaddir(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdReaddir, why);
  if (d == nullptr) return why;
  const std::optional<absl::Span<uint8_t>> out = memory.Slice(a.U32(1), a.U32(2));
  if (!out) return Errno::kFault;
  const uint64_t cookie = a.U64(3);
  if (cookie == 0 || !d->entries) {
    if (Errno e = ReadEntries(*d); e != Errno::kSuccess) return e;
  }
  // As many entries as fit, the last one cut off: a buffer that is full says that there are more.
  size_t used = 0;
  const auto put = [&](const void* data, size_t size) {
    const size_t n = std::min(size, out->size() - used);
    if (n != 0) std::memcpy(out->data() + used, data, n);
    used += n;
  };
  for (uint64_t k = cookie; k < d->entries->size() && used < out->size(); ++k) {
    const DirectoryEntry& entry = (*d->entries)[k];
    uint8_t head[kDirentSize] = {};
    const uint64_t next = k + 1;
    const uint32_t length = static_cast<uint32_t>(entry.name.size());
    std::memcpy(head, &next, 8);
    std::memcpy(head + 8, &entry.ino, 8);
    std::memcpy(head + 16, &length, 4);
    head[20] = static_cast<uint8_t>(entry.type);
    put(head, sizeof head);
    put(entry.name.data(), entry.name.size());
  }
  return StoreCount(memory, a.U32(4), static_cast<ssize_t>(used));
}

}  // namespace precast::runtime::wasi
