// The guest's 32-bit address space, inside a reservation of host addresses so wide that no access
// of generated code can leave it.
//
//   meter area | lower guard 64 KiB | guest 4 GiB | upper guard, 4 GiB - 64 KiB
//                                   ^ base()
//
// The meter area is for code that counts what a prover pays for (runtime/abi/meter_area.h); nobody
// else maps it.
//
// Generated code computes base + zero-extended address + a displacement within ±2 KiB, so an access
// that wraps around 2^32 lands up to 2 KiB below or above the 4 GiB. It must act on the address
// modulo 2^32: guest page 0 is therefore also visible just above the 4 GiB, and the last guest page
// just below the base. Where these guest pages are not mapped (the normal case) both places fault.
//
// A byte per page says what the guest may do there. The interpreter and host calls ask this table;
// generated code relies on the host's page protection, which always says the same. Guest code is
// never executable on the host.
//
// Not thread-safe: one guest thread of execution owns it.
#ifndef PRECAST_RUNTIME_MEMORY_H_
#define PRECAST_RUNTIME_MEMORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/abi/meter_area.h"
#include "runtime/abi/vm_context.h"
#include "runtime/program.h"

namespace precast::runtime {

// Bits of a page's byte in the permission table. A page that is not mapped has none of them.
inline constexpr uint8_t kPageRead = 1;
inline constexpr uint8_t kPageWrite =
    2;  // implies kPageRead: x86-64 has no pages that are only writable
inline constexpr uint8_t kPageExecute = 4;  // recorded, but gives no right to read
inline constexpr uint8_t kPageMapped = 8;

class GuestMemory {
 public:
  static constexpr uint64_t kGuestSize = uint64_t{1} << 32;
  static constexpr uint64_t kLowerGuard = 64 << 10;
  static constexpr uint64_t kReservation = uint64_t{8} << 30;  // without the meter area

  // Reserves address space; nothing is mapped yet.
  // `huge_pages`: ask for them where the program, its heap or a mapping is large.
  static absl::StatusOr<std::unique_ptr<GuestMemory>> Create(bool huge_pages = true);
  ~GuestMemory();
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;

  // Host address of guest address 0.
  uint8_t* base() const { return base_; }
  // Maps the meter area, for guest memory of 2^memory_bits bytes and `program`, with room in the
  // log for all its pages. Once.
  absl::Status MapMeterArea(uint32_t memory_bits, const ProgramImage& program);
  // From now on pages are logged when they are touched first, or no longer.
  void BeginPageLog();
  void EndPageLog() { meter_area().log = nullptr; }
  // Whether nobody but the guest has changed its memory since MapMeterArea().
  bool as_mapped() const { return as_mapped_; }
  // After that.
  abi::MeterArea& meter_area() const {
    return *reinterpret_cast<abi::MeterArea*>(base_ + abi::kMeterArea);
  }
  uint8_t* page_marks() const { return base_ + abi::kPageMarks; }
  // Where the log begins, and what is kept; they end at meter_area().log and .contents.
  abi::TouchedPage* page_log() const { return page_log_; }
  abi::PageContents* page_contents() const { return page_contents_; }
  // kGuestSize / kPageSize bytes, indexed by guest page number.
  const uint8_t* page_table() const { return pages_; }

  // Each of these takes whole pages within the 4 GiB, or returns InvalidArgument; `permissions` is
  // any combination of kPageRead, kPageWrite and kPageExecute.

  // Maps zero pages, in place of whatever was there.
  absl::Status Map(uint32_t address, uint64_t size, uint8_t permissions);
  // Maps `size` bytes of a file copy-on-write, in place of whatever was there. The file must not
  // shrink while it is mapped.
  absl::Status MapFile(uint32_t address, uint64_t size, uint8_t permissions, int fd,
                       uint64_t file_offset);
  absl::Status Unmap(uint32_t address, uint64_t size);
  // NotFound if some page is not mapped; then nothing changes.
  absl::Status Protect(uint32_t address, uint64_t size, uint8_t permissions);
  // Maps all segments and sets the start of the heap. `program` must have passed Validate().
  absl::Status MapProgram(const ProgramImage& program);
  // Unmaps everything; forgets heap and stack.
  absl::Status Clear();

  // Of a mapping that is the guest's data: asks for huge pages if it is large (huge_pages.h) and
  // Create() allowed it.
  void AdviseLarge(uint32_t address, uint64_t size);

  // True if no page of the range is mapped.
  bool IsFree(uint32_t address, uint64_t size) const;
  // The highest free range of `size` bytes (whole pages) within [low, high).
  std::optional<uint32_t> FindFree(uint64_t size, uint32_t low, uint64_t high) const;

  // The stack: `size` bytes (whole pages), preferably ending at kPreferredStackTop, with an area
  // below that stays unmapped and whose accesses are stack overflows. Returns the address of its
  // end.
  static constexpr uint32_t kPreferredStackTop = 0xC0000000;
  static constexpr uint32_t kStackGuard = 1 << 20;
  absl::StatusOr<uint32_t> MapStack(uint64_t size);
  // For a restored stack, which is mapped already: where it begins.
  void SetStackBegin(uint32_t begin) { stack_begin_ = begin; }
  uint32_t stack_begin() const { return stack_begin_; }  // 0: there is no stack

  // The heap [heap_begin, brk). Linux's brk: moves the end if that is possible, returns the end.
  void SetHeap(uint32_t begin, uint32_t brk) {
    heap_begin_ = begin;
    brk_ = brk;
  }
  uint32_t SetBrk(uint32_t brk);
  uint32_t heap_begin() const { return heap_begin_; }
  uint32_t brk() const { return brk_; }

  // Whether the guest may read or write all of [address, address + size). A range does not wrap
  // around; an empty one is always accessible.
  bool Readable(uint32_t address, uint64_t size) const { return Allows(address, size, kPageRead); }
  bool Writable(uint32_t address, uint64_t size) const { return Allows(address, size, kPageWrite); }

  // Copies between guest and host; OutOfRange, with nothing copied, if the guest may not access it.
  absl::Status CopyIn(uint32_t address, absl::Span<uint8_t> out) const;
  absl::Status CopyOut(absl::Span<const uint8_t> data, uint32_t address);
  // A string up to, not including, its NUL; OutOfRange if it is not readable, ResourceExhausted if
  // there is no NUL within max_size bytes.
  absl::StatusOr<std::string> ReadString(uint32_t address, uint32_t max_size) const;

  // The trap for an access to `address` that is not allowed.
  abi::TrapCode TrapAt(uint32_t address) const {
    bool below_stack =
        stack_begin_ != 0 && address < stack_begin_ && stack_begin_ - address <= kStackGuard;
    return below_stack ? abi::TrapCode::kStackOverflow : abi::TrapCode::kMemoryFault;
  }
  // The guest address a host address stands for, if it is inside the reservation.
  std::optional<uint32_t> GuestAddress(uint64_t host_address) const;

  // Calls `visit` for each maximal run of mapped pages that have equal permissions and are all zero
  // or all not zero, ascending by address. `contents` is empty for zero runs, and valid during the
  // call.
  using PageVisitor = absl::FunctionRef<void(uint32_t address, uint64_t size, uint8_t permissions,
                                             absl::Span<const uint8_t> contents)>;
  absl::Status VisitPages(PageVisitor visit);
  // Writes bytes to mapped pages, whatever their permissions.
  absl::Status Initialize(uint32_t address, absl::Span<const uint8_t> data);

 private:
  static constexpr uint32_t kLastPage = 0xFFFFF000;

  GuestMemory() = default;

  bool Allows(uint32_t address, uint64_t size, uint8_t permission) const;
  // Makes [address, address + size) of the reservation inaccessible and gives its memory back.
  absl::Status Reserve(uint32_t address, uint64_t size);
  // Maps guest page 0 or the last one, at its own place and at its alias.
  absl::Status MapAliased(uint32_t address, int host_protection);
  void SetPages(uint32_t address, uint64_t size, uint8_t value);

  bool huge_pages_ = true;
  uint8_t* base_ = nullptr;
  abi::TouchedPage* page_log_ = nullptr;
  abi::PageContents* page_contents_ = nullptr;  // behind the log, in the same mapping
  uint64_t page_log_size_ = 0;                  // bytes
  bool as_mapped_ = false;
  uint8_t* reservation_ = nullptr;
  uint8_t* pages_ = nullptr;
  uint32_t heap_begin_ = 0;
  uint32_t brk_ = 0;
  uint32_t stack_begin_ = 0;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_MEMORY_H_
