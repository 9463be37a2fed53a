#include "tools/commands/compare.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/riscv/decoder.h"
#include "runtime/memory.h"

namespace precast::aotc {

using runtime::GuestMemory;
using runtime::Instance;
using runtime::RunResult;

std::string Describe(const RunResult& result) {
  switch (result.reason) {
    case RunResult::Reason::kExited:
      return absl::StrCat("exited with code ", result.exit_code);
    case RunResult::Reason::kTrapped:
      return absl::StrFormat("trapped: %s, address 0x%08x", runtime::TrapName(result.trap),
                             result.fault_address);
    case RunResult::Reason::kSuspended:
      return "suspended";
    case RunResult::Reason::kFailed:
      return absl::StrCat("failed: ", result.failure.message());
  }
  return "";
}

std::optional<std::string> Difference(const char* a, const Instance& instance_a,
                                      const RunResult& result_a, const char* b,
                                      const Instance& instance_b, const RunResult& result_b) {
  std::string text;
  auto differ = [&](std::string_view what, std::string_view value_a, std::string_view value_b) {
    absl::StrAppendFormat(&text, "  %-12s %s: %s, %s: %s\n", what, a, value_a, b, value_b);
  };
  if (Describe(result_a) != Describe(result_b)) {
    differ("result", Describe(result_a), Describe(result_b));
  }
  if (instance_a.retired() != instance_b.retired()) {
    differ("instructions", absl::StrCat(instance_a.retired()), absl::StrCat(instance_b.retired()));
  }
  auto hex = [](uint32_t value) { return absl::StrFormat("0x%08x", value); };
  if (instance_a.pc() != instance_b.pc()) differ("pc", hex(instance_a.pc()), hex(instance_b.pc()));
  for (uint8_t r = 0; r < 32; ++r) {
    const uint32_t value_a = instance_a.registers()[r], value_b = instance_b.registers()[r];
    if (value_a != value_b) differ(riscv::RegisterName(r), hex(value_a), hex(value_b));
  }
  if (text.empty()) return std::nullopt;
  return text;
}

std::optional<std::string> MemoryDifference(const char* a, Instance& instance_a, const char* b,
                                            Instance& instance_b) {
  constexpr uint32_t kPages = GuestMemory::kGuestSize / runtime::kPageSize;
  GuestMemory& memory_a = instance_a.memory();
  GuestMemory& memory_b = instance_b.memory();
  for (uint32_t page = 0; page < kPages; ++page) {
    // Most of the address space is not mapped: eight pages at once.
    if (page % 8 == 0) {
      uint64_t eight_a, eight_b;
      std::memcpy(&eight_a, memory_a.page_table() + page, sizeof(eight_a));
      std::memcpy(&eight_b, memory_b.page_table() + page, sizeof(eight_b));
      if ((eight_a | eight_b) == 0) {
        page += 7;
        continue;
      }
    }
    const uint8_t permissions_a = memory_a.page_table()[page];
    const uint8_t permissions_b = memory_b.page_table()[page];
    const uint32_t address = page * runtime::kPageSize;
    if (permissions_a != permissions_b) {
      return absl::StrFormat("  page 0x%08x  %s: permissions %d, %s: permissions %d\n", address, a,
                             permissions_a, b, permissions_b);
    }
    if ((permissions_a & runtime::kPageRead) == 0) continue;
    const uint8_t* bytes_a = memory_a.base() + address;
    const uint8_t* bytes_b = memory_b.base() + address;
    if (std::memcmp(bytes_a, bytes_b, runtime::kPageSize) == 0) continue;
    uint32_t i = 0;
    while (bytes_a[i] == bytes_b[i]) ++i;
    return absl::StrFormat("  byte 0x%08x  %s: 0x%02x, %s: 0x%02x\n", address + i, a, bytes_a[i], b,
                           bytes_b[i]);
  }
  return std::nullopt;
}

}  // namespace precast::aotc
