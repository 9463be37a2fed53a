// A loaded image, as the runtime sees it: everything has been checked, code is mapped executable,
// the GOT is bound and sealed. How it is read, checked and mapped is in loader.h.
#ifndef PRECAST_LOADER_IMAGE_H_
#define PRECAST_LOADER_IMAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/function_references.h"

namespace precast::loader {

struct GuestSegment {
  uint32_t address;                // page-aligned guest address
  uint64_t size;                   // bytes, whole pages; bytes after `data` are zero
  absl::Span<const uint8_t> data;  // whole pages; lives as long as the image
  // For copy-on-write mapping: descriptor and offset of a file with these bytes, or -1 if there is
  // none (then copy `data`).
  int fd = -1;
  uint64_t file_offset = 0;
  bool readable, writable, executable;
};

struct CodeRange {
  uint32_t begin, end;
};

// Where a guest state slot's value is while execution is stopped at a site.
struct StateLocation {
  enum class Kind : uint8_t { kContext, kRegister, kFrame, kConstant };
  uint8_t slot;
  Kind kind;
  // Machine register number, or 16 more for the upper half of it; displacement from the stack
  // pointer; or the value.
  int32_t value;
};

struct SiteInfo {
  enum class Kind : uint8_t { kMemory, kTrap, kSuspend, kStack, kCall };
  Kind kind;
  uint8_t trap_code;
  uint32_t guest_pc;
  uint32_t refund;
  // Complete map at this site; absent slots are up to date in VmContext.
  std::vector<StateLocation> state;
  // kSuspend: further charges that have the same check. kMemory: charges that were to come first.
  struct Charge {
    uint32_t guest_pc;
    uint32_t refund;
  };
  std::vector<Charge> more;

  // Makes guest_pc and refund those of the charge that could not be paid; `fuel` is what the fuel
  // register holds.
  void FindCharge(int64_t fuel) {
    for (const Charge& next : more) {
      if (fuel + next.refund < 0) return;
      guest_pc = next.guest_pc;
      refund = next.refund;
    }
  }

  // Whether what was to be charged for before an access cannot be paid. Then guest_pc and refund
  // are those of the first charge for which that is so.
  bool IsUnpaid(int64_t fuel) {
    uint32_t before = 0;
    for (const Charge& next : more) {
      if (fuel + static_cast<int32_t>(next.refund) < 0) {
        guest_pc = next.guest_pc;
        refund = before;
        return true;
      }
      before = next.refund;
    }
    return false;
  }
};

class Image {
 public:
  virtual ~Image() = default;

  virtual absl::Span<const uint8_t> text() const = 0;  // mapped code (including .plt)
  bool ContainsCode(uint64_t native_pc) const {
    uint64_t begin = reinterpret_cast<uint64_t>(text().data());
    return native_pc - begin < text().size();
  }
  // Native code to enter for a guest pc; null if there is none.
  virtual const void* FindEntry(uint32_t guest_pc) const = 0;
  // Wasm: native code of function `index` of those that the module defines; null if there is none.
  virtual const void* EntryOf(uint32_t /*index*/) const { return nullptr; }
  // The site whose code_offset is exactly native_pc. Safe on any table contents.
  virtual std::optional<SiteInfo> FindSite(uint64_t native_pc) const = 0;
  // Guest pc of the machine instruction at native_pc, for backtraces and disassembly.
  virtual std::optional<uint32_t> GuestPcOf(uint64_t native_pc) const = 0;

  virtual uint32_t entry_pc() const = 0;
  virtual uint32_t initial_brk() const = 0;
  virtual uint32_t phdr_address() const = 0;
  virtual uint32_t phdr_count() const = 0;
  virtual absl::Span<const GuestSegment> segments() const = 0;
  virtual absl::Span<const CodeRange> code_ranges() const = 0;
  virtual absl::Span<const uint8_t> program_guid() const = 0;  // 16 bytes

  // Defaults are those of a RISC-V image, so that test doubles need only say what they test.
  virtual format::GuestKind guest_kind() const { return format::GuestKind::kRiscV32; }
  // Whether the code counts instructions (RISC-V) or fuel (Wasm).
  virtual bool metered() const { return true; }
  // OpenVM: whether the code counts rows and marks pages, so that it needs abi::MeterArea.
  virtual bool counts_rows() const { return false; }
  // Wasm: NaN results of arithmetic are canonical.
  virtual bool canonical_nans() const { return false; }
  // Wasm: `segments` hold memory 0 as the active data segments leave it, which are therefore not to
  // be run again for it. Pages of no segment are zero.
  virtual bool guest_memory_initialized() const { return false; }
  // The WebAssembly module that the image was compiled from; empty for RISC-V. Lives as long as the
  // image.
  virtual absl::Span<const uint8_t> guest_module() const { return {}; }
  // Wasm: of that module; nothing in them need be in range of anything. Live as long as the image.
  virtual format::DeclaredFunctions declared_functions() const { return {}; }
  virtual format::ElementFunctions element_functions() const { return {}; }
  // OpenVM: the machine and the extensions the guest needs, as format::Metadata has them; else
  // empty.
  virtual std::string_view machine() const { return {}; }
  virtual absl::Span<const std::string> extensions() const { return {}; }
};

}  // namespace precast::loader

#endif  // PRECAST_LOADER_IMAGE_H_
