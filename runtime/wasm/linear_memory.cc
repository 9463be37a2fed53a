// Linear memories: address space, growth, initial contents.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "runtime/huge_pages.h"
#include "runtime/wasm/objects.h"

namespace precast::runtime::wasm {

namespace {

constexpr uint64_t kPage = abi::kWasmPageSize;
constexpr uint64_t kHostPage = 4096;
constexpr uint64_t kMaxPages32 = 65536;
// A memory that does not have all 2^32 bytes at the beginning never gets the last page: compiled
// code relies on it (opt/fold_addresses.h).
constexpr uint64_t kMaxGrownPages32 = kMaxPages32 - 1;
// Room to grow for a 64-bit memory that does not say how large it may become.
constexpr uint64_t kReservation64 = uint64_t{32} << 30;
constexpr uint64_t kMaxReservation64 = uint64_t{1} << 42;

uint8_t* MapNothing(uint8_t* at, uint64_t size) {
  void* p =
      mmap(at, size, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at != nullptr ? MAP_FIXED : 0), -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<uint8_t*>(p);
}

// Reservations of 32-bit memories that are not in use: all zero, the first `accessible` bytes
// readable and writable. The next memory is often of the same size, and then costs no system call.
class Pool {
 public:
  struct Slot {
    uint8_t* base = nullptr;
    uint64_t accessible = 0;
    bool advised = false;
  };

  Slot Take() {
    absl::MutexLock lock(&mutex_);
    if (slots_.empty()) return {};
    Slot slot = slots_.back();
    slots_.pop_back();
    return slot;
  }
  bool Put(Slot slot) {
    absl::MutexLock lock(&mutex_);
    if (slots_.size() >= kMaxSlots) return false;
    slots_.push_back(slot);
    return true;
  }

  static Pool& Get() {
    static auto* const pool = new Pool;
    return *pool;
  }

 private:
  static constexpr size_t kMaxSlots = 64;
  absl::Mutex mutex_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::shared_ptr<Memory>> Memory::Create(const MemoryType& type) {
  return LinearMemory::Create(type, nullptr, /*huge_pages=*/true);
}

absl::StatusOr<std::shared_ptr<LinearMemory>> LinearMemory::Create(const MemoryType& type,
                                                                   const loader::Image* image,
                                                                   bool huge_pages) {
  const uint64_t max_pages = type.is_64 ? kMaxReservation64 / kPage : kMaxPages32;
  const uint64_t min = type.limits.min;
  if (min > max_pages) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("memory of %d pages: expected at most %d", min, max_pages));
  }
  std::shared_ptr<LinearMemory> memory(new LinearMemory);
  memory->type_ = type;
  memory->huge_pages_ = huge_pages;
  const uint64_t bytes = min * kPage;
  if (type.is_64) {
    uint64_t limit =
        std::max(min, std::min(type.limits.max.value_or(kReservation64 / kPage), max_pages));
    memory->max_bytes_ = limit * kPage;
    memory->reservation_ = memory->max_bytes_ + kPage;
  } else {
    memory->max_bytes_ =
        std::max(min, std::min(type.limits.max.value_or(kMaxPages32), kMaxGrownPages32)) * kPage;
    memory->reservation_ = abi::kWasmMemory32Reservation;
    Pool::Slot slot = Pool::Get().Take();
    memory->record_.base = slot.base;
    memory->accessible_ = slot.accessible;
    memory->advised_ = slot.advised;
  }
  if (memory->record_.base == nullptr) {
    memory->record_.base = MapNothing(nullptr, memory->reservation_);
    if (memory->record_.base == nullptr) {
      return absl::ResourceExhaustedError(absl::StrFormat(
          "cannot reserve %d bytes of address space for a memory", memory->reservation_));
    }
  }
  uint8_t* const base = memory->record_.base;
  if (memory->accessible_ > bytes) {
    if (mprotect(base + bytes, memory->accessible_ - bytes, PROT_NONE) != 0)
      return absl::ErrnoToStatus(errno, "cannot protect the rest of a memory");
  } else if (memory->accessible_ < bytes) {
    if (mprotect(base + memory->accessible_, bytes - memory->accessible_, PROT_READ | PROT_WRITE) !=
        0)
      return absl::ResourceExhaustedError(absl::StrFormat("cannot get %d bytes of memory", bytes));
  }
  if (memory->advised_ && (!huge_pages || bytes < kHugePagesFrom)) {
    AdviseSmallPages(base, std::max(bytes, memory->accessible_));
    memory->advised_ = false;
  }
  memory->accessible_ = bytes;
  memory->record_.bytes = bytes;
  memory->Advise();
  memory->record_.memory = memory.get();
  if (image != nullptr) {
    if (absl::Status s = memory->MapSegments(*image); !s.ok()) return s;
  }
  return memory;
}

void LinearMemory::Advise() {
  if (!huge_pages_ || accessible_ < kHugePagesFrom) return;
  AdviseHugePages(record_.base, accessible_);
  advised_ = true;
}

absl::Status LinearMemory::MapSegments(const loader::Image& image) {
  for (const loader::GuestSegment& segment : image.segments()) {
    const uint64_t at = segment.address;
    const uint64_t size = segment.data.size();
    if (at > record_.bytes || size > record_.bytes - at) {
      return absl::InvalidArgumentError(
          absl::StrFormat("image: contents [0x%x, 0x%x) beyond the memory's initial size 0x%x", at,
                          at + size, record_.bytes));
    }
    const bool pages =
        at % kHostPage == 0 && size % kHostPage == 0 && segment.file_offset % kHostPage == 0;
    if (size == 0) continue;
    if (segment.fd < 0 || !pages) {
      std::memcpy(record_.base + at, segment.data.data(), size);
      continue;
    }
    file_mapped_ = true;
    if (mmap(record_.base + at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, segment.fd,
             static_cast<off_t>(segment.file_offset)) == MAP_FAILED)
      return absl::ErrnoToStatus(errno, "cannot map initial memory from the image");
  }
  return absl::OkStatus();
}

LinearMemory::~LinearMemory() {
  if (record_.base == nullptr) return;
  if (!type_.is_64) {
    Pool::Slot slot{record_.base, accessible_, advised_};
    bool clean;
    if (file_mapped_) {
      clean = MapNothing(record_.base, accessible_) != nullptr;
      slot.accessible = 0;
      slot.advised = false;
    } else {
      clean = accessible_ == 0 || madvise(record_.base, accessible_, MADV_DONTNEED) == 0;
    }
    if (clean && Pool::Get().Put(slot)) return;
  }
  munmap(record_.base, reservation_);
}

std::optional<uint64_t> LinearMemory::Grow(uint64_t pages) {
  absl::MutexLock lock(&grow_mutex_);
  const uint64_t before = record_.bytes;
  if (pages > (max_bytes_ - before) / kPage) return std::nullopt;
  if (pages != 0) {
    if (mprotect(record_.base + before, pages * kPage, PROT_READ | PROT_WRITE) != 0)
      return std::nullopt;
    accessible_ = before + pages * kPage;
    Advise();
    __atomic_store_n(&record_.bytes, accessible_, __ATOMIC_RELEASE);
  }
  return before / kPage;
}

}  // namespace precast::runtime::wasm
