// Which rows of which chips an instruction adds, fast enough to ask for each instruction executed;
// and sets of pages. What Meter, CostMeter and preflight have in common.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_ROW_COUNTER_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_ROW_COUNTER_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "openvm/extension.h"
#include "openvm/machine.h"
#include "openvm/metering.h"
#include "runtime/interpreter/decode.h"

namespace precast::runtime {

// A guest's memory as rows are counted for it; nothing is changed. All of 2^memory_bits bytes at
// `base` are readable.
struct CountedMemory {
  uint8_t* base = nullptr;
  uint32_t memory_bits = 0;
};

class RowCounter {
 public:
  // `config` and `registry` outlive this. What 2^known_bits instructions add is found at once.
  RowCounter(const precast::openvm::MeteringConfig& config,
             const precast::openvm::Registry& registry, CountedMemory memory, int known_bits = 12)
      : registry_(registry),
        table_(config, registry),
        machine_(memory.base, uint64_t{1} << memory.memory_bits, host_, nullptr),
        known_shift_(32 - known_bits),
        known_(size_t{1} << known_bits) {}

  // Calls add(chip, rows) for each chip of the instruction `word`, which is about to be executed.
  template <typename Add>
  void Count(uint32_t word, const uint32_t* x, Add add) {
    for (const precast::openvm::RowUse& use : UsesOf(word))
      add(use.chip, use.count == nullptr ? use.rows : Dynamic(use, word, x));
  }
  // The same for a custom instruction with these operands.
  template <typename Add>
  void Count(const precast::openvm::Instruction& in, const precast::openvm::Operands& operands,
             Add add) {
    for (const precast::openvm::RowUse& use : UsesOf(in.word))
      add(use.chip, RowsOf(use, in, operands));
  }

  // The chips of `word`. Valid as long as this.
  absl::Span<const precast::openvm::RowUse> UsesOf(uint32_t word) {
    Known& known = known_[(word * 0x9E3779B1u) >> known_shift_];
    // No instruction is 0.
    if (known.word != word) known = {word, table_.Of(word)};
    return known.uses;
  }
  uint32_t RowsOf(const precast::openvm::RowUse& use, const precast::openvm::Instruction& in,
                  const precast::openvm::Operands& operands) {
    return use.count == nullptr ? use.rows : use.count(in, operands, machine_);
  }

 private:
  struct Known {
    uint32_t word = 0;
    absl::Span<const precast::openvm::RowUse> uses;
  };

  uint32_t Dynamic(const precast::openvm::RowUse& use, uint32_t word, const uint32_t* x) {
    const precast::openvm::Registry::Entry* entry = registry_.Find(word);
    const precast::openvm::Instruction in = DecodeCustom(word, entry->opcode->form);
    return use.count(in, {.rd = x[in.rd], .rs1 = x[in.rs1], .rs2 = x[in.rs2]}, machine_);
  }

  const precast::openvm::Registry& registry_;
  precast::openvm::RowTable table_;
  precast::openvm::HostState host_;  // nobody looks at it
  precast::openvm::Machine machine_;
  const int known_shift_;
  std::vector<Known> known_;
};

// Pages of all address spaces, numbered as the Merkle tree's leaves are.
class PageSet {
 public:
  static constexpr uint32_t kPageBits = 9;
  static_assert(precast::openvm::kPageBytes == 1 << kPageBits);

  // Pages for address spaces 1 to 8 of 2^memory_bits bytes.
  explicit PageSet(uint32_t memory_bits)
      : space_bits_(memory_bits - kPageBits),
        bits_(Zeros(BytesOf(memory_bits)), {BytesOf(memory_bits)}) {}

  uint32_t PageOf(precast::openvm::AddressSpace space, uint32_t address) const {
    const uint32_t in_space = (address >> kPageBits) & ((uint32_t{1} << space_bits_) - 1);
    return ((static_cast<uint32_t>(space) - 1) << space_bits_) + in_space;
  }
  // True if it is new.
  bool Insert(uint32_t page) {
    uint64_t& word = bits_.get()[page / 64];
    const uint64_t bit = uint64_t{1} << (page % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    pages_.push_back(page);
    return true;
  }
  bool Contains(uint32_t page) const { return (bits_.get()[page / 64] >> (page % 64) & 1) != 0; }
  void Clear() {
    for (uint32_t page : pages_) bits_.get()[page / 64] = 0;
    pages_.clear();
  }
  // In the order of insertion.
  const std::vector<uint32_t>& pages() const { return pages_; }
  uint32_t limit() const { return uint32_t{8} << space_bits_; }

 private:
  struct Unmap {
    uint64_t bytes = 0;
    void operator()(uint64_t* bits) const { munmap(bits, bytes); }
  };

  static uint64_t BytesOf(uint32_t memory_bits) {
    return ((uint64_t{8} << (memory_bits - kPageBits)) / 64 + 1) * sizeof(uint64_t);
  }
  static uint64_t* Zeros(uint64_t bytes) {
    void* zeros = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(zeros != MAP_FAILED);
    return static_cast<uint64_t*>(zeros);
  }

  const uint32_t space_bits_;
  // Of a megabyte hardly anything is touched, so nobody should write zeros.
  std::unique_ptr<uint64_t, Unmap> bits_;
  std::vector<uint32_t> pages_;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_ROW_COUNTER_H_
