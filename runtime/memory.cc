#include "runtime/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/log/check.h"
#include "absl/strings/str_format.h"
#include "runtime/huge_pages.h"

namespace precast::runtime {

namespace {

constexpr uint64_t kPageCount = GuestMemory::kGuestSize / kPageSize;
// Whole pages, and the base's alignment does not change.
constexpr uint64_t kMeterBytes = abi::kPageMarksSize + abi::kMeterAreaSize;
static_assert(kMeterBytes % kPageSize == 0);
static_assert(abi::kMeterArea == -static_cast<int64_t>(GuestMemory::kLowerGuard + kMeterBytes));
constexpr uint8_t kPermissionMask = kPageRead | kPageWrite | kPageExecute;

absl::Status CheckRange(uint32_t address, uint64_t size) {
  if (address % kPageSize != 0 || size % kPageSize != 0 ||
      size > GuestMemory::kGuestSize - address) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "guest range 0x%x, size 0x%x: expected whole pages below 2^32", address, size));
  }
  return absl::OkStatus();
}

// What a page's byte holds for the permissions asked for.
uint8_t PageByte(uint8_t permissions) {
  permissions &= kPermissionMask;
  if ((permissions & kPageWrite) != 0) permissions |= kPageRead;
  return permissions | kPageMapped;
}

int HostProtection(uint8_t page_byte) {
  if ((page_byte & kPageWrite) != 0) return PROT_READ | PROT_WRITE;
  if ((page_byte & kPageRead) != 0) return PROT_READ;
  return PROT_NONE;
}

bool IsZero(const uint8_t* page) {
  return page[0] == 0 && std::memcmp(page, page + 1, kPageSize - 1) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GuestMemory>> GuestMemory::Create(bool huge_pages) {
  std::unique_ptr<GuestMemory> memory(new GuestMemory);
  memory->huge_pages_ = huge_pages;
  void* reservation = mmap(nullptr, kMeterBytes + kReservation, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reservation == MAP_FAILED)
    return absl::ErrnoToStatus(
        errno, absl::StrFormat("cannot reserve %d GiB of address space for guest memory (see "
                               "`ulimit -v`; it is only reserved, not used)",
                               kReservation >> 30));
  memory->reservation_ = static_cast<uint8_t*>(reservation) + kMeterBytes;
  memory->base_ = memory->reservation_ + kLowerGuard;
  void* pages = mmap(nullptr, kPageCount, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map the guest page table");
  memory->pages_ = static_cast<uint8_t*>(pages);
  return memory;
}

GuestMemory::~GuestMemory() {
  if (pages_ != nullptr) munmap(pages_, kPageCount);
  if (reservation_ != nullptr) munmap(reservation_ - kMeterBytes, kMeterBytes + kReservation);
  if (page_log_ != nullptr) munmap(page_log_, page_log_size_);
}

absl::Status GuestMemory::MapMeterArea(uint32_t memory_bits, const ProgramImage& program) {
  const uint64_t pages = uint64_t{1} << (memory_bits - abi::kMarkedPageBits);
  const uint64_t log_size = pages * sizeof(abi::TouchedPage);
  page_log_size_ = log_size + pages * sizeof(abi::PageContents);
  void* log = mmap(nullptr, page_log_size_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (log == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map the log of touched pages");
  page_log_ = static_cast<abi::TouchedPage*>(log);
  page_contents_ = reinterpret_cast<abi::PageContents*>(static_cast<uint8_t*>(log) + log_size);
  if (mprotect(reservation_ - kMeterBytes, kMeterBytes, PROT_READ | PROT_WRITE) != 0) {
    return absl::ErrnoToStatus(errno, "cannot map the meter area");
  }
  uint64_t file_begin = kGuestSize, file_end = 0;
  for (const ProgramSegment& segment : program.segments) {
    if (segment.data.empty()) continue;
    file_begin = std::min(file_begin, uint64_t{segment.address});
    file_end = std::max(file_end, segment.address + uint64_t{segment.data.size()});
  }
  meter_area() = {};  // not logged yet
  as_mapped_ = true;
  meter_area().pages = static_cast<uint32_t>(pages);
  if (file_begin < file_end) {
    constexpr uint64_t kMarkedPage = uint64_t{1} << abi::kMarkedPageBits;
    meter_area().file_page = static_cast<uint32_t>(file_begin / kMarkedPage);
    meter_area().file_pages = static_cast<uint32_t>((file_end + kMarkedPage - 1) / kMarkedPage -
                                                    file_begin / kMarkedPage);
  }
  return absl::OkStatus();
}

void GuestMemory::BeginPageLog() {
  // Gives zeros, which nobody has to write.
  const uint64_t marks = (uint64_t{meter_area().pages} + kPageSize - 1) / kPageSize * kPageSize;
  CHECK_EQ(madvise(page_marks(), marks, MADV_DONTNEED), 0);
  meter_area().log = page_log_;
  meter_area().contents = page_contents_;
  // Page faults that every run would have, and two each, for a mark is read before it is set: those
  // of the program, and of what is next to it, the stack and the heap.
  *page_log_ = {};
  constexpr uint32_t kMost = 16 * kPageSize;
  const uint32_t begin = meter_area().file_page, size = std::min(meter_area().file_pages, kMost);
  for (uint32_t page = begin - std::min<uint32_t>(begin, kPageSize);
       page < std::min(begin + size + kPageSize, meter_area().pages); page += kPageSize)
    page_marks()[page] = 0;
}

absl::Status GuestMemory::Reserve(uint32_t address, uint64_t size) {
  auto reserve = [](uint8_t* host, uint64_t bytes) {
    return mmap(host, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
                0) != MAP_FAILED;
  };
  bool ok = reserve(base_ + address, size);
  if (address == 0) ok = ok && reserve(base_ + kGuestSize, kPageSize);
  if (address + size == kGuestSize) ok = ok && reserve(base_ - kPageSize, kPageSize);
  return ok ? absl::OkStatus() : absl::ErrnoToStatus(errno, "cannot reserve guest pages");
}

absl::Status GuestMemory::MapAliased(uint32_t address, int host_protection) {
  DCHECK(address == 0 || address == kLastPage);
  uint8_t* alias = address == 0 ? base_ + kGuestSize : base_ - kPageSize;
  int fd = memfd_create("precast-guest-page", MFD_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot create a page to alias");
  absl::Cleanup close_fd = [fd] { close(fd); };
  if (ftruncate(fd, kPageSize) != 0)
    return absl::ErrnoToStatus(errno, "cannot size a page to alias");
  for (uint8_t* host : {base_ + address, alias}) {
    if (mmap(host, kPageSize, host_protection, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
      return absl::ErrnoToStatus(errno, "cannot map an aliased page");
    }
  }
  return absl::OkStatus();
}

void GuestMemory::SetPages(uint32_t address, uint64_t size, uint8_t value) {
  std::memset(pages_ + address / kPageSize, value, size / kPageSize);
}

absl::Status GuestMemory::Map(uint32_t address, uint64_t size, uint8_t permissions) {
  as_mapped_ = false;
  if (absl::Status s = CheckRange(address, size); !s.ok()) return s;
  if (size == 0) return absl::OkStatus();
  uint8_t byte = PageByte(permissions);
  int protection = HostProtection(byte);
  // The two aliased pages apart, this is one private anonymous mapping.
  uint64_t begin = address, end = address + size;
  if (begin == 0) {
    if (absl::Status s = MapAliased(0, protection); !s.ok()) return s;
    begin = kPageSize;
  }
  if (end == kGuestSize && begin < end) {
    if (absl::Status s = MapAliased(kLastPage, protection); !s.ok()) return s;
    end = kLastPage;
  }
  if (begin < end &&
      mmap(base_ + begin, end - begin, protection,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "cannot map guest pages");
  }
  SetPages(address, size, byte);
  return absl::OkStatus();
}

absl::Status GuestMemory::MapFile(uint32_t address, uint64_t size, uint8_t permissions, int fd,
                                  uint64_t file_offset) {
  as_mapped_ = false;
  if (absl::Status s = CheckRange(address, size); !s.ok()) return s;
  if (size == 0) return absl::OkStatus();
  if (address == 0 || address + size == kGuestSize) {
    return absl::InvalidArgumentError(
        "the first and the last guest page cannot be mapped from a file");
  }
  uint8_t byte = PageByte(permissions);
  if (mmap(base_ + address, size, HostProtection(byte), MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd,
           static_cast<off_t>(file_offset)) == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "cannot map guest pages from a file");
  }
  SetPages(address, size, byte);
  return absl::OkStatus();
}

absl::Status GuestMemory::Unmap(uint32_t address, uint64_t size) {
  as_mapped_ = false;
  if (absl::Status s = CheckRange(address, size); !s.ok()) return s;
  if (size == 0) return absl::OkStatus();
  if (absl::Status s = Reserve(address, size); !s.ok()) return s;
  SetPages(address, size, 0);
  return absl::OkStatus();
}

absl::Status GuestMemory::Protect(uint32_t address, uint64_t size, uint8_t permissions) {
  if (absl::Status s = CheckRange(address, size); !s.ok()) return s;
  if (size == 0) return absl::OkStatus();
  const uint8_t* first = pages_ + address / kPageSize;
  if (std::find(first, first + size / kPageSize, 0) != first + size / kPageSize) {
    return absl::NotFoundError(
        absl::StrFormat("guest range 0x%x, size 0x%x is not all mapped", address, size));
  }
  uint8_t byte = PageByte(permissions);
  int protection = HostProtection(byte);
  bool ok = mprotect(base_ + address, size, protection) == 0;
  if (address == 0) ok = ok && mprotect(base_ + kGuestSize, kPageSize, protection) == 0;
  if (address + size == kGuestSize)
    ok = ok && mprotect(base_ - kPageSize, kPageSize, protection) == 0;
  if (!ok) return absl::ErrnoToStatus(errno, "cannot protect guest pages");
  SetPages(address, size, byte);
  return absl::OkStatus();
}

absl::Status GuestMemory::MapProgram(const ProgramImage& program) {
  for (const ProgramSegment& segment : program.segments) {
    uint8_t permissions = (segment.readable ? kPageRead : 0) | (segment.writable ? kPageWrite : 0) |
                          (segment.executable ? kPageExecute : 0);
    uint64_t end = segment.address + segment.size;
    bool mappable = segment.fd >= 0 && segment.address != 0 && end != kGuestSize;
    uint64_t from_file = mappable ? segment.data.size() / kPageSize * kPageSize : 0;
    absl::Status status =
        MapFile(segment.address, from_file, permissions, segment.fd, segment.file_offset);
    // from_file < size here, so that the sum is below 2^32.
    if (status.ok() && from_file < segment.size) {
      uint32_t rest = segment.address + static_cast<uint32_t>(from_file);
      status = Map(rest, segment.size - from_file, permissions);
      AdviseLarge(rest, segment.size - from_file);
      if (status.ok()) status = Initialize(rest, segment.data.subspan(from_file));
    }
    if (!status.ok()) return status;
  }
  SetHeap(program.initial_brk, program.initial_brk);
  return absl::OkStatus();
}

void GuestMemory::AdviseLarge(uint32_t address, uint64_t size) {
  if (huge_pages_) AdviseHugePages(base_ + address, size);
}

absl::Status GuestMemory::Clear() {
  as_mapped_ = false;
  if (absl::Status s = Reserve(0, kGuestSize); !s.ok()) return s;
  // As fresh pages, so that a mostly empty table stays cheap.
  if (mmap(pages_, kPageCount, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "cannot clear the guest page table");
  }
  heap_begin_ = brk_ = stack_begin_ = 0;
  return absl::OkStatus();
}

bool GuestMemory::IsFree(uint32_t address, uint64_t size) const {
  if (size > kGuestSize - address) return false;
  uint64_t first = address / kPageSize;
  uint64_t last = (address + size + kPageSize - 1) / kPageSize;
  return std::all_of(pages_ + first, pages_ + last, [](uint8_t byte) { return byte == 0; });
}

std::optional<uint32_t> GuestMemory::FindFree(uint64_t size, uint32_t low, uint64_t high) const {
  uint64_t wanted = size / kPageSize;
  uint64_t run = 0;
  for (uint64_t page = std::min(high, kGuestSize) / kPageSize;
       page-- > (low + uint64_t{kPageSize} - 1) / kPageSize;) {
    run = pages_[page] == 0 ? run + 1 : 0;
    if (run >= wanted && run > 0) return static_cast<uint32_t>(page * kPageSize);
  }
  return std::nullopt;
}

absl::StatusOr<uint32_t> GuestMemory::MapStack(uint64_t size) {
  if (absl::Status s = CheckRange(0, size); !s.ok()) return s;
  uint64_t total = size + kStackGuard;
  // Neither the first page (null pointers must fault) nor the last one.
  std::optional<uint32_t> area = FindFree(total, kPageSize, kPreferredStackTop);
  if (!area.has_value()) area = FindFree(total, kPageSize, kLastPage);
  if (!area.has_value()) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("no free area of 0x%x bytes for the guest's stack", total));
  }
  uint32_t begin = *area + kStackGuard;
  if (absl::Status s = Map(begin, size, kPageRead | kPageWrite); !s.ok()) return s;
  stack_begin_ = begin;
  return begin + static_cast<uint32_t>(size);
}

uint32_t GuestMemory::SetBrk(uint32_t brk) {
  if (heap_begin_ == 0 || brk < heap_begin_) return brk_;
  auto round_up = [](uint32_t value) {
    return (uint64_t{value} + kPageSize - 1) / kPageSize * kPageSize;
  };
  uint64_t old_end = round_up(brk_), new_end = round_up(brk);
  if (new_end > old_end) {
    auto begin = static_cast<uint32_t>(old_end);
    uint64_t size = new_end - old_end;
    // The heap does not take the stack's guard area either.
    bool hits_guard =
        stack_begin_ != 0 && old_end < stack_begin_ && new_end + kStackGuard > stack_begin_;
    if (new_end > kLastPage || hits_guard || !IsFree(begin, size)) return brk_;
    if (!Map(begin, size, kPageRead | kPageWrite).ok()) return brk_;
    const auto heap = static_cast<uint32_t>(round_up(heap_begin_));
    AdviseLarge(heap, new_end - heap);
  } else if (new_end < old_end) {
    if (!Unmap(static_cast<uint32_t>(new_end), old_end - new_end).ok()) return brk_;
  }
  brk_ = brk;
  return brk_;
}

bool GuestMemory::Allows(uint32_t address, uint64_t size, uint8_t permission) const {
  if (size == 0) return true;
  if (size > kGuestSize - address) return false;
  uint64_t last = (address + size - 1) / kPageSize;
  for (uint64_t page = address / kPageSize; page <= last; ++page) {
    if ((pages_[page] & permission) == 0) return false;
  }
  return true;
}

absl::Status GuestMemory::CopyIn(uint32_t address, absl::Span<uint8_t> out) const {
  if (!Readable(address, out.size())) {
    return absl::OutOfRangeError(
        absl::StrFormat("guest range 0x%x, size 0x%x is not readable", address, out.size()));
  }
  if (!out.empty()) std::memcpy(out.data(), base_ + address, out.size());
  return absl::OkStatus();
}

absl::Status GuestMemory::CopyOut(absl::Span<const uint8_t> data, uint32_t address) {
  as_mapped_ = false;
  if (!Writable(address, data.size())) {
    return absl::OutOfRangeError(
        absl::StrFormat("guest range 0x%x, size 0x%x is not writable", address, data.size()));
  }
  if (!data.empty()) std::memcpy(base_ + address, data.data(), data.size());
  return absl::OkStatus();
}

absl::StatusOr<std::string> GuestMemory::ReadString(uint32_t address, uint32_t max_size) const {
  std::string result;
  uint64_t at = address;
  while (result.size() < max_size) {
    if (at >= kGuestSize || !Readable(static_cast<uint32_t>(at), 1)) {
      return absl::OutOfRangeError(
          absl::StrFormat("guest string at 0x%x is not readable", address));
    }
    uint64_t chunk = std::min<uint64_t>(kPageSize - at % kPageSize, max_size - result.size());
    const char* text = reinterpret_cast<const char*>(base_ + at);
    size_t length = strnlen(text, chunk);
    result.append(text, length);
    if (length < chunk) return result;
    at += chunk;
  }
  return absl::ResourceExhaustedError(
      absl::StrFormat("guest string at 0x%x has no end within %d bytes", address, max_size));
}

std::optional<uint32_t> GuestMemory::GuestAddress(uint64_t host_address) const {
  if (host_address - reinterpret_cast<uint64_t>(reservation_) >= kReservation) return std::nullopt;
  return static_cast<uint32_t>(host_address - reinterpret_cast<uint64_t>(base_));
}

absl::Status GuestMemory::VisitPages(PageVisitor visit) {
  uint64_t page = 0;
  while (page < kPageCount) {
    uint8_t byte = pages_[page];
    uint64_t end = page + 1;
    while (end < kPageCount && pages_[end] == byte) ++end;
    if (byte == 0) {
      page = end;
      continue;
    }
    // Pages the guest may not read are made readable while we look.
    bool hidden = HostProtection(byte) == PROT_NONE;
    if (hidden && mprotect(base_ + page * kPageSize, (end - page) * kPageSize, PROT_READ) != 0) {
      return absl::ErrnoToStatus(errno, "cannot read guest pages");
    }
    for (uint64_t first = page; first < end;) {
      bool zero = IsZero(base_ + first * kPageSize);
      uint64_t last = first + 1;
      while (last < end && IsZero(base_ + last * kPageSize) == zero) ++last;
      uint64_t size = (last - first) * kPageSize;
      visit(static_cast<uint32_t>(first * kPageSize), size, byte & kPermissionMask,
            zero ? absl::Span<const uint8_t>()
                 : absl::MakeConstSpan(base_ + first * kPageSize, size));
      first = last;
    }
    if (hidden && mprotect(base_ + page * kPageSize, (end - page) * kPageSize, PROT_NONE) != 0) {
      return absl::ErrnoToStatus(errno, "cannot protect guest pages");
    }
    page = end;
  }
  return absl::OkStatus();
}

absl::Status GuestMemory::Initialize(uint32_t address, absl::Span<const uint8_t> data) {
  as_mapped_ = false;
  uint64_t at = address;
  while (!data.empty()) {
    if (at >= kGuestSize || pages_[at / kPageSize] == 0) {
      return absl::OutOfRangeError(absl::StrFormat("guest page 0x%x is not mapped", at));
    }
    // As many pages as share their permissions at once.
    uint64_t page = at / kPageSize, end = page + 1;
    while (end < kPageCount && end * kPageSize < at + data.size() && pages_[end] == pages_[page])
      ++end;
    uint64_t size = std::min<uint64_t>(end * kPageSize - at, data.size());
    int protection = HostProtection(pages_[page]);
    bool writable = (protection & PROT_WRITE) != 0;
    uint8_t* host = base_ + page * kPageSize;
    uint64_t bytes = (end - page) * kPageSize;
    if (!writable && mprotect(host, bytes, PROT_READ | PROT_WRITE) != 0) {
      return absl::ErrnoToStatus(errno, "cannot make guest pages writable");
    }
    std::memcpy(base_ + at, data.data(), size);
    if (!writable && mprotect(host, bytes, protection) != 0) {
      return absl::ErrnoToStatus(errno, "cannot protect guest pages");
    }
    data.remove_prefix(size);
    at += size;
  }
  return absl::OkStatus();
}

}  // namespace precast::runtime
