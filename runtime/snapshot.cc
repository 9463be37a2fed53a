#include "runtime/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "loader/format/sha256.h"
#include "runtime/byte_stream.h"

namespace precast::runtime {

namespace {

constexpr std::string_view kMagic = "PRECSNAP";
constexpr uint32_t kVersion = 1;
constexpr size_t kDigestSize = 32;
constexpr size_t kHeaderSize = 8 + 4 + 4 + 8 + kDigestSize;
constexpr uint32_t kPageCount = GuestMemory::kGuestSize / kPageSize;

absl::Span<const uint8_t> BytesOf(std::string_view text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

std::string HexOf(absl::Span<const uint8_t> bytes) {
  return absl::BytesToHexString(
      std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

absl::Status Bad(std::string_view field, std::string_view actual, std::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("snapshot: ", field, ": ", actual, ": expected ", expected));
}

// A run of pages as it stands in the file.
struct Run {
  uint32_t address;
  uint64_t size;
  uint8_t permissions;
  absl::Span<const uint8_t> contents;  // empty: zeros
};

struct Decoded {
  uint64_t retired;
  uint32_t x[32];
  uint32_t pc, heap_begin, brk, stack_begin;
  std::string host_name, host_state;
  std::vector<Run> runs;
};

absl::StatusOr<Decoded> Decode(absl::Span<const uint8_t> snapshot, const ProgramImage& program) {
  ByteReader header(snapshot);
  absl::Span<const uint8_t> magic = header.Bytes(kMagic.size());
  if (magic != BytesOf(kMagic)) return Bad("magic", HexOf(magic), HexOf(BytesOf(kMagic)));
  auto version = header.Number<uint32_t>();
  if (version != kVersion) return Bad("version", absl::StrCat(version), absl::StrCat(kVersion));
  auto reserved = header.Number<uint32_t>();
  if (reserved != 0) return Bad("reserved field", absl::StrCat(reserved), "0");
  auto size = header.Number<uint64_t>();
  if (size != snapshot.size())
    return Bad("size of the file", absl::StrCat(snapshot.size()), absl::StrCat(size));
  absl::Span<const uint8_t> digest = header.Bytes(kDigestSize);
  if (!header.ok())
    return Bad("size of the file", absl::StrCat(snapshot.size()),
               absl::StrCat("at least ", kHeaderSize));
  absl::Span<const uint8_t> body = snapshot.subspan(kHeaderSize);
  format::Sha256Digest actual = format::Sha256::Hash(body);
  if (!std::equal(actual.begin(), actual.end(), digest.begin(), digest.end())) {
    return Bad("digest", HexOf(actual), HexOf(digest));
  }

  // From here on the file is as somebody wrote it; that may have been anybody.
  ByteReader in(body);
  absl::Span<const uint8_t> guid = in.Bytes(program.guid.size());
  if (guid != absl::MakeConstSpan(program.guid))
    return Bad("program GUID", HexOf(guid), HexOf(program.guid));
  Decoded d;
  d.retired = in.Number<uint64_t>();
  for (uint32_t& x : d.x) x = in.Number<uint32_t>();
  if (d.x[0] != 0) return Bad("x0", absl::StrCat(d.x[0]), "0");
  d.pc = in.Number<uint32_t>();
  d.heap_begin = in.Number<uint32_t>();
  d.brk = in.Number<uint32_t>();
  if (d.brk < d.heap_begin) {
    return Bad("brk", absl::StrFormat("0x%x", d.brk),
               absl::StrFormat("at least 0x%x", d.heap_begin));
  }
  d.stack_begin = in.Number<uint32_t>();
  d.host_name = in.String();
  d.host_state = in.String();
  auto count = in.Number<uint32_t>();
  uint32_t free = 0;  // no page below it is still to come
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    auto page = in.Number<uint32_t>();
    auto pages = in.Number<uint32_t>();
    auto permissions = in.Number<uint8_t>();
    auto has_contents = in.Number<uint8_t>();
    if (page < free || page >= kPageCount || pages == 0 || pages > kPageCount - page) {
      return Bad(absl::StrFormat("memory run %d", i),
                 absl::StrFormat("%d pages at 0x%x", pages, page),
                 absl::StrFormat("pages from 0x%x to 0x%x", free, kPageCount));
    }
    if ((permissions & ~(kPageRead | kPageWrite | kPageExecute)) != 0) {
      return Bad(absl::StrFormat("permissions of memory run %d", i), absl::StrCat(permissions),
                 "0 to 7");
    }
    if (has_contents > 1)
      return Bad(absl::StrFormat("contents of memory run %d", i), absl::StrCat(has_contents),
                 "0 or 1");
    free = page + pages;
    Run run = {.address = page * kPageSize,
               .size = uint64_t{pages} * kPageSize,
               .permissions = permissions,
               .contents = {}};
    if (has_contents == 1) run.contents = in.Bytes(run.size);
    d.runs.push_back(run);
  }
  if (!in.ok()) return Bad("size of the file", absl::StrCat(size), "more");
  if (!in.AtEnd())
    return Bad("size of the file", absl::StrCat(size), absl::StrCat(kHeaderSize + in.offset()));
  return d;
}

}  // namespace

absl::StatusOr<std::string> EncodeSnapshot(Instance& instance) {
  if (instance.exited())
    return absl::FailedPreconditionError("the guest has ended: there is nothing to save");
  absl::StatusOr<std::string> host_state = instance.host().SaveState();
  if (!host_state.ok()) return host_state.status();
  GuestMemory& memory = instance.memory();

  ByteWriter runs;
  uint32_t count = 0;
  absl::Status status = memory.VisitPages([&](uint32_t address, uint64_t size, uint8_t permissions,
                                              absl::Span<const uint8_t> contents) {
    runs.Number(address / kPageSize);
    runs.Number(static_cast<uint32_t>(size / kPageSize));
    runs.Number(permissions);
    runs.Number(static_cast<uint8_t>(contents.empty() ? 0 : 1));
    runs.Bytes(contents);
    ++count;
  });
  if (!status.ok()) return status;

  ByteWriter body;
  body.Bytes(instance.program().guid);
  body.Number(instance.retired());
  for (int i = 0; i < 32; ++i) body.Number(instance.registers()[i]);
  body.Number(instance.pc());
  body.Number(memory.heap_begin());
  body.Number(memory.brk());
  body.Number(memory.stack_begin());
  body.String(instance.host().name());
  body.String(*host_state);
  body.Number(count);
  std::string rest = runs.Take();
  body.Bytes(BytesOf(rest));
  rest = body.Take();

  ByteWriter file;
  file.Bytes(BytesOf(kMagic));
  file.Number(kVersion);
  file.Number(uint32_t{0});
  file.Number(uint64_t{kHeaderSize + rest.size()});
  file.Bytes(format::Sha256::Hash(BytesOf(rest)));
  file.Bytes(BytesOf(rest));
  return file.Take();
}

absl::Status RestoreSnapshot(absl::Span<const uint8_t> snapshot, Instance& instance) {
  absl::StatusOr<Decoded> decoded = Decode(snapshot, instance.program());
  if (!decoded.ok()) return decoded.status();
  if (decoded->host_name != instance.host().name()) {
    return Bad("host ABI", absl::CEscape(decoded->host_name), instance.host().name());
  }

  GuestMemory& memory = instance.memory();
  absl::Status status = memory.Clear();
  for (const Run& run : decoded->runs) {
    if (status.ok()) status = memory.Map(run.address, run.size, run.permissions);
    if (status.ok()) status = memory.Initialize(run.address, run.contents);
  }
  if (status.ok()) status = instance.host().RestoreState(BytesOf(decoded->host_state));
  if (!status.ok()) return status;
  memory.SetHeap(decoded->heap_begin, decoded->brk);
  memory.SetStackBegin(decoded->stack_begin);
  abi::VmContext& context = instance.context();
  std::memcpy(context.x, decoded->x, sizeof(context.x));
  context.pc = decoded->pc;
  instance.set_retired(decoded->retired);
  return absl::OkStatus();
}

absl::Status SaveSnapshot(Instance& instance, const std::string& path) {
  absl::StatusOr<std::string> snapshot = EncodeSnapshot(instance);
  if (!snapshot.ok()) return snapshot.status();
  // Renaming would put a file where a device or pipe was.
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  }
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", temporary));
  auto fail = [&](std::string_view what) {
    absl::Status status = absl::ErrnoToStatus(errno, absl::StrCat("cannot ", what, " ", temporary));
    unlink(temporary.c_str());
    return status;
  };
  {
    absl::Cleanup close_fd = [fd] { close(fd); };
    for (size_t done = 0; done < snapshot->size();) {
      ssize_t put = write(fd, snapshot->data() + done, snapshot->size() - done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail("write");
      done += static_cast<size_t>(put);
    }
    // On disk before it replaces an older one.
    if (fsync(fd) != 0 && errno != EINVAL) return fail("sync");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return fail("rename");
  return absl::OkStatus();
}

absl::Status LoadSnapshot(const std::string& path, Instance& instance) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat info;
  if (fstat(fd, &info) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot look at ", path));
  if (!S_ISREG(info.st_mode))
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  // Read, not mapped: it might shrink while we look.
  std::string bytes(
      std::min<uint64_t>(static_cast<uint64_t>(info.st_size), 2 * GuestMemory::kGuestSize), '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    ssize_t got = read(fd, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  bytes.resize(size);
  return RestoreSnapshot(BytesOf(bytes), instance);
}

}  // namespace precast::runtime
