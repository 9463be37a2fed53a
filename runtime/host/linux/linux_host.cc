#include "runtime/host/linux/linux_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/log/check.h"
#include "absl/strings/str_format.h"
#include "runtime/byte_stream.h"

namespace precast::runtime {

namespace {

// System call numbers: include/uapi/asm-generic/unistd.h, as 32-bit RISC-V uses it.
enum SystemCall : uint32_t {
  kFcntl64 = 25,
  kIoctl = 29,
  kOpenAt = 56,
  kClose = 57,
  kLlseek = 62,
  kRead = 63,
  kWrite = 64,
  kReadv = 65,
  kWritev = 66,
  kFstatAt64 = 79,
  kFstat64 = 80,
  kExit = 93,
  kExitGroup = 94,
  kSetTidAddress = 96,
  kClockGetTime32 = 113,
  kSchedYield = 124,
  kGetPid = 172,
  kGetUid = 174,
  kGetEuid = 175,
  kGetGid = 176,
  kGetEgid = 177,
  kGetTid = 178,
  kBrk = 214,
  kMunmap = 215,
  kMmap2 = 222,
  kMprotect = 226,
  kMadvise = 233,
  kStatX = 291,
  kClockGetTime64 = 403,
};

// Registers of the calling convention.
constexpr int kSp = 2, kA0 = 10, kA7 = 17;

constexpr uint32_t kMaxTransfer = 0x7FFFF000;  // as in Linux: longer reads and writes are cut
constexpr uint32_t kMaxVectors = 1024;         // UIO_MAXIOV
constexpr uint32_t kMaxPath = 4096;            // PATH_MAX
constexpr size_t kMaxDescriptors = 1024;
constexpr int32_t kCurrentDirectory = -100;  // AT_FDCWD
constexpr uint32_t kProcessId = 1;
constexpr uint32_t kUserId = 1000;

// Flags of openat, include/uapi/asm-generic/fcntl.h. They are those of x86-64.
static_assert(O_CREAT == 0100 && O_EXCL == 0200 && O_TRUNC == 01000 && O_APPEND == 02000 &&
              O_NONBLOCK == 04000 && O_DIRECTORY == 0200000 && O_NOFOLLOW == 0400000);
constexpr uint32_t kUsedOpenFlags =
    O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW;
constexpr uint32_t kLargeFile = 0100000;
constexpr uint32_t kIgnoredOpenFlags = kLargeFile | O_CLOEXEC | O_NOCTTY;

// mmap, include/uapi/asm-generic/mman-common.h.
constexpr uint32_t kProtRead = 1, kProtWrite = 2, kProtExec = 4;
constexpr uint32_t kMapShared = 1, kMapPrivate = 2, kMapFixed = 0x10, kMapAnonymous = 0x20;

// The result of a host system call, as the guest wants it.
template <typename T>
int64_t ResultOf(T result) {
  return result < 0 ? -int64_t{errno} : static_cast<int64_t>(result);
}

uint8_t PermissionsOf(uint32_t protection) {
  return ((protection & kProtRead) != 0 ? kPageRead : 0) |
         ((protection & kProtWrite) != 0 ? kPageWrite : 0) |
         ((protection & kProtExec) != 0 ? kPageExecute : 0);
}

uint64_t RoundUpToPage(uint64_t size) { return (size + kPageSize - 1) / kPageSize * kPageSize; }

// struct stat64 of 32-bit Linux, include/uapi/asm-generic/stat.h.
std::string EncodeStat64(const struct stat& s) {
  ByteWriter out;
  out.Number(uint64_t{s.st_dev});
  out.Number(uint64_t{s.st_ino});
  out.Number(static_cast<uint32_t>(s.st_mode));
  out.Number(static_cast<uint32_t>(s.st_nlink));
  out.Number(static_cast<uint32_t>(s.st_uid));
  out.Number(static_cast<uint32_t>(s.st_gid));
  out.Number(uint64_t{s.st_rdev});
  out.Number(uint64_t{0});
  out.Number(static_cast<uint64_t>(s.st_size));
  out.Number(static_cast<uint32_t>(s.st_blksize));
  out.Number(uint32_t{0});
  out.Number(static_cast<uint64_t>(s.st_blocks));
  for (const timespec& t : {s.st_atim, s.st_mtim, s.st_ctim}) {
    out.Number(static_cast<uint32_t>(t.tv_sec));
    out.Number(static_cast<uint32_t>(t.tv_nsec));
  }
  out.Number(uint64_t{0});
  return out.Take();
}

absl::Span<const uint8_t> BytesOf(const std::string& text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<LinuxHost>> LinuxHost::Create(LinuxHostOptions options) {
  std::unique_ptr<LinuxHost> host(new LinuxHost(std::move(options)));
  for (const LinuxHostOptions::Directory& directory : host->options_.directories) {
    absl::Status status =
        host->directories_.Grant(directory.host, directory.guest, directory.read_only);
    if (!status.ok()) return status;
  }
  for (int i = 0; i < 3; ++i) {
    Descriptor descriptor;
    descriptor.host_fd = host->StandardFd(i);
    descriptor.standard = true;
    descriptor.standard_number = i;
    host->descriptors_.push_back(std::move(descriptor));
  }
  return host;
}

LinuxHost::~LinuxHost() { CloseAll(); }

int LinuxHost::StandardFd(int number) const {
  return number == 0 ? options_.stdin_fd : number == 1 ? options_.stdout_fd : options_.stderr_fd;
}

void LinuxHost::CloseAll() {
  for (const std::optional<Descriptor>& descriptor : descriptors_) {
    if (descriptor.has_value() && !descriptor->standard) close(descriptor->host_fd);
  }
  descriptors_.clear();
}

// From the stack pointer upwards: argc; argv, 0; environment, 0; auxiliary vector; and above it,
// the bytes these point to. As in fs/binfmt_elf.c, create_elf_tables().
absl::Status LinuxHost::SetUp(const ProgramImage& program, GuestMemory& memory,
                              abi::VmContext& context) {
  uint64_t stack_size = RoundUpToPage(std::max<uint64_t>(options_.stack_size, 4 * kPageSize));
  absl::StatusOr<uint32_t> top = memory.MapStack(stack_size);
  if (!top.ok()) return top.status();

  // Fixed bytes, for a run must not depend on chance.
  std::string strings(reinterpret_cast<const char*>(
                          "\x50\x72\x65\x63\x61\x73\x74\x00\x13\x57\x9b\xdf\x24\x68\xac\xe0"),
                      16);
  std::vector<uint32_t> argument_offsets, environment_offsets;
  auto append = [&strings](const std::vector<std::string>& texts, std::vector<uint32_t>& offsets) {
    for (const std::string& text : texts) {
      offsets.push_back(static_cast<uint32_t>(strings.size()));
      strings.append(text.c_str(), text.size() + 1);
    }
  };
  append(options_.arguments, argument_offsets);
  append(options_.environment, environment_offsets);
  uint64_t words = 3 + argument_offsets.size() + environment_offsets.size() + 64;
  if (strings.size() + words * 4 > stack_size / 2) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "arguments and environment take %d bytes: expected at most half of the stack of %d bytes",
        strings.size() + words * 4, stack_size));
  }

  // The last word of the stack stays zero.
  uint32_t strings_at = (*top - 4 - static_cast<uint32_t>(strings.size())) / 16 * 16;
  std::vector<uint32_t> table = {static_cast<uint32_t>(argument_offsets.size())};
  for (uint32_t offset : argument_offsets) table.push_back(strings_at + offset);
  table.push_back(0);
  for (uint32_t offset : environment_offsets) table.push_back(strings_at + offset);
  table.push_back(0);
  auto auxiliary = [&table](uint32_t type, uint32_t value) {
    table.insert(table.end(), {type, value});
  };
  if (program.phdr_address != 0) {
    auxiliary(3, program.phdr_address);  // AT_PHDR
    auxiliary(4, 32);                    // AT_PHENT: sizeof(Elf32_Phdr)
    auxiliary(5, program.phdr_count);    // AT_PHNUM
  }
  auxiliary(6, kPageSize);                                          // AT_PAGESZ
  auxiliary(7, 0);                                                  // AT_BASE: no interpreter
  auxiliary(8, 0);                                                  // AT_FLAGS
  auxiliary(9, program.entry_pc);                                   // AT_ENTRY
  for (uint32_t type : {11, 12, 13, 14}) auxiliary(type, kUserId);  // AT_UID AT_EUID AT_GID AT_EGID
  auxiliary(16, 1 << ('i' - 'a') | 1 << ('m' - 'a'));               // AT_HWCAP: RV32IM
  auxiliary(17, 100);                                               // AT_CLKTCK
  auxiliary(23, 0);                                                 // AT_SECURE
  auxiliary(25, strings_at);                                        // AT_RANDOM: 16 bytes
  if (!argument_offsets.empty()) auxiliary(31, strings_at + argument_offsets[0]);  // AT_EXECFN
  auxiliary(0, 0);                                                                 // AT_NULL

  ByteWriter bytes;
  for (uint32_t word : table) bytes.Number(word);
  uint32_t sp = (strings_at - static_cast<uint32_t>(bytes.size())) / 16 * 16;
  absl::Status status = memory.CopyOut(BytesOf(strings), strings_at);
  if (status.ok()) status = memory.CopyOut(BytesOf(bytes.Take()), sp);
  context.x[kSp] = sp;
  return status;
}

HostCallResult LinuxHost::HandleCall(abi::VmContext& context, GuestMemory& memory) {
  uint32_t number = context.x[kA7];
  if (number == kExit || number == kExitGroup) return HostCallResult::Exit(context.x[kA0] & 0xFF);
  context.x[kA0] = static_cast<uint32_t>(Call(number, &context.x[kA0], memory));
  return HostCallResult::Continue();
}

int64_t LinuxHost::Call(uint32_t number, const uint32_t* a, GuestMemory& memory) {
  switch (number) {
    case kRead:
      return Read(a[0], a[1], a[2], memory);
    case kWrite:
      return Write(a[0], a[1], a[2], memory);
    case kReadv:
      return Vector(/*write=*/false, a[0], a[1], a[2], memory);
    case kWritev:
      return Vector(/*write=*/true, a[0], a[1], a[2], memory);
    case kLlseek:
      return Seek(a[0], a[1], a[2], a[3], a[4], memory);
    case kOpenAt:
      return OpenAt(static_cast<int32_t>(a[0]), a[1], a[2], a[3], memory);
    case kClose:
      return Close(a[0]);
    case kFstat64:
      return Stat(a[0], a[1], memory);
    case kFstatAt64:
    case kStatX: {
      // fstatat64(directory, path, buffer, flags); statx(directory, path, flags, mask, buffer)
      bool wide = number == kStatX;
      return StatAt(static_cast<int32_t>(a[0]), a[1], wide ? a[2] : a[3], wide, wide ? a[4] : a[2],
                    memory);
    }
    case kBrk:
      return memory.SetBrk(a[0]);
    case kMmap2:
      return MapMemory(a, memory);
    case kMunmap:
      if (a[0] % kPageSize != 0 || a[1] == 0 || a[1] > GuestMemory::kGuestSize - a[0])
        return -EINVAL;
      return memory.Unmap(a[0], RoundUpToPage(a[1])).ok() ? 0 : -EINVAL;
    case kMprotect:
      if (a[0] % kPageSize != 0) return -EINVAL;
      return memory.Protect(a[0], RoundUpToPage(a[1]), PermissionsOf(a[2])).ok() ? 0 : -ENOMEM;
    case kMadvise:
      return 0;
    case kClockGetTime32:
      return ClockGetTime(a[0], a[1], /*wide=*/false, memory);
    case kClockGetTime64:
      return ClockGetTime(a[0], a[1], /*wide=*/true, memory);
    case kIoctl:
      // No descriptor is a terminal to the guest.
      return Find(a[0]) == nullptr ? -EBADF : -ENOTTY;
    case kFcntl64:
      return Find(a[0]) == nullptr ? -EBADF : -EINVAL;
    case kSetTidAddress:
    case kGetPid:
    case kGetTid:
      return kProcessId;
    case kGetUid:
    case kGetEuid:
    case kGetGid:
    case kGetEgid:
      return kUserId;
    case kSchedYield:
      return 0;
    default:
      return -ENOSYS;
  }
}

int64_t LinuxHost::Read(uint32_t fd, uint32_t buffer, uint32_t size, GuestMemory& memory) {
  Descriptor* descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  size = std::min(size, kMaxTransfer);
  if (!memory.Writable(buffer, size)) return -EFAULT;
  for (;;) {
    ssize_t got = read(descriptor->host_fd, memory.base() + buffer, size);
    if (got >= 0 || errno != EINTR) return ResultOf(got);
  }
}

int64_t LinuxHost::Write(uint32_t fd, uint32_t buffer, uint32_t size, GuestMemory& memory) {
  Descriptor* descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  size = std::min(size, kMaxTransfer);
  if (!memory.Readable(buffer, size)) return -EFAULT;
  // All of it, as a blocking descriptor would take it: guests' C libraries count on that.
  uint32_t done = 0;
  do {
    ssize_t put = write(descriptor->host_fd, memory.base() + buffer + done, size - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN && descriptor->standard) {
      // Whoever started us made it non-blocking; the guest knows nothing of that.
      pollfd wait = {.fd = descriptor->host_fd, .events = POLLOUT, .revents = 0};
      poll(&wait, 1, -1);
      continue;
    }
    if (put < 0) return done > 0 ? done : ResultOf(put);
    if (put == 0) break;
    done += static_cast<uint32_t>(put);
  } while (done < size);
  return done;
}

int64_t LinuxHost::Vector(bool is_write, uint32_t fd, uint32_t vectors, uint32_t count,
                          GuestMemory& memory) {
  if (Find(fd) == nullptr) return -EBADF;
  if (count > kMaxVectors) return -EINVAL;
  std::vector<uint8_t> table(size_t{count} * 8);
  if (!memory.CopyIn(vectors, absl::MakeSpan(table)).ok()) return -EFAULT;
  struct Part {
    uint32_t buffer, size;
  };
  std::vector<Part> parts;
  uint64_t total = 0;
  ByteReader reader(table);
  for (uint32_t i = 0; i < count; ++i) {
    Part part;
    part.buffer = reader.Number<uint32_t>();
    part.size = reader.Number<uint32_t>();
    if (part.size > 0x7FFFFFFF) return -EINVAL;
    // All are checked before anything is transferred.
    if (is_write ? !memory.Readable(part.buffer, part.size)
                 : !memory.Writable(part.buffer, part.size))
      return -EFAULT;
    total += part.size;
    parts.push_back(part);
  }
  if (total > 0x7FFFFFFF) return -EINVAL;
  int64_t done = 0;
  for (const Part& part : parts) {
    if (part.size == 0) continue;
    int64_t result = is_write ? Write(fd, part.buffer, part.size, memory)
                              : Read(fd, part.buffer, part.size, memory);
    if (result < 0) return done > 0 ? done : result;
    done += result;
    if (result < part.size) break;
  }
  return done;
}

int64_t LinuxHost::Seek(uint32_t fd, uint32_t high, uint32_t low, uint32_t result, uint32_t whence,
                        GuestMemory& memory) {
  Descriptor* descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  if (whence > SEEK_END) return -EINVAL;
  if (!memory.Writable(result, 8)) return -EFAULT;
  off_t position = lseek(descriptor->host_fd, static_cast<off_t>(uint64_t{high} << 32 | low),
                         static_cast<int>(whence));
  if (position < 0) return -errno;
  ByteWriter out;
  out.Number(static_cast<uint64_t>(position));
  return memory.CopyOut(BytesOf(out.Take()), result).ok() ? 0 : -EFAULT;
}

int64_t LinuxHost::OpenAt(int32_t directory, uint32_t path, uint32_t flags, uint32_t mode,
                          GuestMemory& memory) {
  absl::StatusOr<std::string> text = memory.ReadString(path, kMaxPath);
  if (!text.ok()) return absl::IsOutOfRange(text.status()) ? -EFAULT : -ENAMETOOLONG;
  if (text->empty()) return -ENOENT;
  if ((flags & ~(kUsedOpenFlags | kIgnoredOpenFlags)) != 0 || (flags & O_ACCMODE) == O_ACCMODE)
    return -EINVAL;
  std::string full = *text;
  if (full[0] != '/' && directory != kCurrentDirectory) {
    Descriptor* base = directory < 0 ? nullptr : Find(static_cast<uint32_t>(directory));
    if (base == nullptr) return -EBADF;
    if (base->standard) return -ENOTDIR;
    full = base->path + "/" + full;
  }
  auto free = std::find(descriptors_.begin(), descriptors_.end(), std::nullopt);
  if (free == descriptors_.end() && descriptors_.size() >= kMaxDescriptors) return -EMFILE;
  flags &= kUsedOpenFlags;
  int host_fd = directories_.Open(full, static_cast<int>(flags), mode);
  if (host_fd < 0) return host_fd;
  Descriptor descriptor;
  descriptor.host_fd = host_fd;
  descriptor.path = GrantedDirectories::Normalize(full);
  descriptor.flags = flags;
  auto number = free - descriptors_.begin();
  if (free == descriptors_.end()) {
    descriptors_.push_back(std::move(descriptor));
  } else {
    *free = std::move(descriptor);
  }
  return number;
}

int64_t LinuxHost::Close(uint32_t fd) {
  Descriptor* descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  // After an error (EINTR too) Linux has closed it all the same.
  int64_t result = descriptor->standard ? 0 : ResultOf(close(descriptor->host_fd));
  descriptors_[fd].reset();
  return result == -EINTR ? 0 : result;
}

int64_t LinuxHost::Stat(uint32_t fd, uint32_t buffer, GuestMemory& memory) {
  Descriptor* descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  struct stat s;
  if (fstat(descriptor->host_fd, &s) != 0) return -errno;
  return memory.CopyOut(BytesOf(EncodeStat64(s)), buffer).ok() ? 0 : -EFAULT;
}

int64_t LinuxHost::StatAt(int32_t directory, uint32_t path, uint32_t flags, bool wide,
                          uint32_t buffer, GuestMemory& memory) {
  constexpr uint32_t kNoFollow = 0x100, kEmptyPath = 0x1000;  // AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH
  absl::StatusOr<std::string> text = memory.ReadString(path, kMaxPath);
  if (!text.ok()) return absl::IsOutOfRange(text.status()) ? -EFAULT : -ENAMETOOLONG;
  Descriptor* base = directory < 0 ? nullptr : Find(static_cast<uint32_t>(directory));
  int host_fd;
  bool opened = false;
  if (text->empty()) {
    if ((flags & kEmptyPath) == 0) return -ENOENT;
    if (base == nullptr) return -EBADF;
    host_fd = base->host_fd;
  } else {
    std::string full = *text;
    if (full[0] != '/' && directory != kCurrentDirectory) {
      if (base == nullptr) return -EBADF;
      if (base->standard) return -ENOTDIR;
      full = base->path + "/" + full;
    }
    host_fd = directories_.Open(full, O_PATH | ((flags & kNoFollow) != 0 ? O_NOFOLLOW : 0), 0);
    if (host_fd < 0) return host_fd;
    opened = true;
  }
  std::string encoded;
  int64_t result;
  if (wide) {
    struct statx s = {};  // the same on every architecture: include/uapi/linux/stat.h
    result = ResultOf(statx(host_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &s));
    encoded.assign(reinterpret_cast<const char*>(&s), sizeof(s));
  } else {
    struct stat s = {};
    result = ResultOf(fstat(host_fd, &s));
    encoded = EncodeStat64(s);
  }
  if (opened) close(host_fd);
  if (result < 0) return result;
  return memory.CopyOut(BytesOf(encoded), buffer).ok() ? 0 : -EFAULT;
}

int64_t LinuxHost::ClockGetTime(uint32_t clock, uint32_t result, bool wide, GuestMemory& memory) {
  if (clock > CLOCK_BOOTTIME) return -EINVAL;
  timespec now;
  if (clock_gettime(static_cast<clockid_t>(clock), &now) != 0) return -errno;
  ByteWriter out;
  if (wide) {
    out.Number(static_cast<uint64_t>(now.tv_sec));
    out.Number(static_cast<uint64_t>(now.tv_nsec));
  } else {
    out.Number(static_cast<uint32_t>(now.tv_sec));
    out.Number(static_cast<uint32_t>(now.tv_nsec));
  }
  return memory.CopyOut(BytesOf(out.Take()), result).ok() ? 0 : -EFAULT;
}

// mmap2(address, size, protection, flags, fd, page offset): anonymous memory only.
int64_t LinuxHost::MapMemory(const uint32_t* a, GuestMemory& memory) {
  uint32_t flags = a[3];
  uint64_t size = RoundUpToPage(a[1]);
  if (size == 0 || (flags & (kMapShared | kMapPrivate)) == 0) return -EINVAL;
  if ((flags & kMapAnonymous) == 0) return Find(a[4]) == nullptr ? -EBADF : -ENODEV;
  uint32_t address = a[0];
  if ((flags & kMapFixed) != 0) {
    if (address % kPageSize != 0) return -EINVAL;
    // Neither the page of the null pointer nor the last one, whose end is not a 32-bit number.
    if (address == 0 || address + size >= GuestMemory::kGuestSize) return -ENOMEM;
  } else {
    // Downwards from the stack, out of the way of the heap, which grows upwards.
    uint64_t high = memory.stack_begin() > GuestMemory::kStackGuard
                        ? memory.stack_begin() - GuestMemory::kStackGuard
                        : GuestMemory::kPreferredStackTop;
    std::optional<uint32_t> found = memory.FindFree(size, 16 * kPageSize, high);
    if (!found.has_value()) return -ENOMEM;
    address = *found;
  }
  if (!memory.Map(address, size, PermissionsOf(a[2])).ok()) return -ENOMEM;
  memory.AdviseLarge(address, size);
  return address;
}

absl::StatusOr<std::string> LinuxHost::SaveState() {
  ByteWriter out;
  out.Number(static_cast<uint32_t>(descriptors_.size()));
  for (const std::optional<Descriptor>& descriptor : descriptors_) {
    if (!descriptor.has_value()) {
      out.Number(uint8_t{0});
    } else if (descriptor->standard) {
      out.Number(uint8_t{1});
      out.Number(static_cast<uint8_t>(descriptor->standard_number));
    } else {
      off_t position = lseek(descriptor->host_fd, 0, SEEK_CUR);
      if (position < 0) {
        return absl::ErrnoToStatus(
            errno, absl::StrFormat("the position in %s cannot be saved", descriptor->path));
      }
      out.Number(uint8_t{2});
      out.String(descriptor->path);
      out.Number(descriptor->flags);
      out.Number(static_cast<uint64_t>(position));
    }
  }
  return out.Take();
}

absl::Status LinuxHost::RestoreState(absl::Span<const uint8_t> state) {
  CloseAll();
  ByteReader in(state);
  uint32_t count = in.Number<uint32_t>();
  if (count > kMaxDescriptors) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%d open files in the saved state: expected at most %d", count, kMaxDescriptors));
  }
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    uint8_t kind = in.Number<uint8_t>();
    Descriptor descriptor;
    switch (kind) {
      case 0:
        descriptors_.push_back(std::nullopt);
        continue;
      case 1: {
        uint8_t number = in.Number<uint8_t>();
        if (number > 2) {
          return absl::InvalidArgumentError(absl::StrFormat(
              "guest descriptor %d: standard descriptor %d: expected 0 to 2", i, number));
        }
        descriptor.standard = true;
        descriptor.standard_number = number;
        descriptor.host_fd = StandardFd(number);
        break;
      }
      case 2: {
        descriptor.path = GrantedDirectories::Normalize(in.String());
        descriptor.flags = in.Number<uint32_t>() & kUsedOpenFlags;
        uint64_t position = in.Number<uint64_t>();
        if (!in.ok()) break;
        // The file is there already, and keeps what it holds.
        uint32_t flags = descriptor.flags & ~static_cast<uint32_t>(O_CREAT | O_EXCL | O_TRUNC);
        int fd = descriptor.path.find('\0') == std::string::npos
                     ? directories_.Open(descriptor.path, static_cast<int>(flags), 0)
                     : -EINVAL;
        if (fd < 0) {
          return absl::ErrnoToStatus(
              -fd,
              absl::StrFormat("guest descriptor %d: cannot open %s again", i, descriptor.path));
        }
        descriptor.host_fd = fd;
        if (lseek(fd, static_cast<off_t>(position), SEEK_SET) < 0) {
          absl::Status status = absl::ErrnoToStatus(
              errno, absl::StrFormat("guest descriptor %d: cannot go to %d in %s", i, position,
                                     descriptor.path));
          close(fd);
          return status;
        }
        break;
      }
      default:
        return absl::InvalidArgumentError(
            absl::StrFormat("guest descriptor %d: kind %d: expected 0 to 2", i, kind));
    }
    if (in.ok()) descriptors_.push_back(std::move(descriptor));
  }
  if (!in.ok() || !in.AtEnd()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the saved state of open files has %d bytes: expected %s", state.size(),
                        in.ok() ? absl::StrFormat("%d", in.offset()) : "more"));
  }
  return absl::OkStatus();
}

}  // namespace precast::runtime
