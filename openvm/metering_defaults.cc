// OpenVM's chips, in the order of its verifying key: the system's four, the extensions' from the last to the first,
// the Poseidon2 chip and the range checker.
//
// Source of fact: openvm-org/openvm, crates/vm/src/arch/extensions.rs (order), crates/sdk-config (extensions),
// extensions/*/circuit/src/extension, crates/prof/data/metrics.example.json (widths and interactions of the RV32IM
// chips). Widths of chips that access the heap are computed from the columns of their adapters, with blocks of
// four bytes; what their cores need is an estimate.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "openvm/metering.h"

namespace precast::openvm {
namespace {

constexpr uint32_t kReadColumns = 3, kWriteColumns = 7;  // of an access to a block

// Columns of an adapter that reads `reads` operands and writes one, of `blocks` four-byte blocks each.
constexpr uint32_t HeapAdapter(uint32_t reads, uint32_t read_blocks, uint32_t write_blocks) {
  constexpr uint32_t kRegister = 4 + 1 + kReadColumns;  // value, number, access
  return 2 + (reads + 1) * kRegister + reads * read_blocks * kReadColumns +
         write_blocks * kWriteColumns;
}

class Chips {
 public:
  void Add(std::string_view name, uint32_t width, uint32_t interactions, bool next_row = false,
           std::optional<uint32_t> constant_height = std::nullopt) {
    chips_.push_back({.name = std::string(name),
                      .width = width,
                      .interactions = interactions,
                      .next_row = next_row,
                      .constant_height = constant_height});
  }
  // With operands on the heap; `core` columns beside those of the adapter. About every byte of the core and every
  // block takes part in an interaction or two.
  void AddHeap(std::string_view name, uint32_t reads, uint32_t read_blocks, uint32_t write_blocks,
               uint32_t core) {
    Add(name, HeapAdapter(reads, read_blocks, write_blocks) + core,
        core / 2 + 2 * (reads * read_blocks + write_blocks) + 10);
  }
  std::vector<Chip>& list() { return chips_; }

 private:
  std::vector<Chip> chips_;
};

void AddExtensions(const Config& config, Chips& chips) {
  auto has = [&](std::string_view name) {
    return config.extensions.empty() ||
           std::find(config.extensions.begin(), config.extensions.end(), name) !=
               config.extensions.end();
  };
  auto blocks = [](const Number& modulus) { return FieldBytes(modulus) / 4; };
  chips.Add("BitwiseLookup", 18, 2, true, 1 << 16);
  chips.Add("BaseAlu", 36, 19);
  chips.Add("LessThan", 37, 17);
  chips.Add("Shift", 53, 23);
  chips.Add("LoadStore", 40, 17);
  chips.Add("LoadSignExtend", 35, 18);
  chips.Add("BranchEqual", 26, 11);
  chips.Add("BranchLessThan", 32, 13);
  chips.Add("JalLui", 18, 10);
  chips.Add("Jalr", 28, 16);
  chips.Add("Auipc", 21, 11);
  chips.Add("HintStore", 32, 15, true);
  if (has("keccak")) {
    chips.AddHeap("Xorin", 2, 34, 34, 136 * 3 + 40);
    chips.Add("KeccakfPerm", 2635, 2, true);
    chips.AddHeap("KeccakfOp", 1, 0, 50, 400);
  }
  if (has("sha2")) {
    chips.Add("Sha256BlockHasher", 456, 40, true);
    chips.AddHeap("Sha256Main", 2, 12, 8, 160);
    chips.Add("Sha512BlockHasher", 890, 70, true);
    chips.AddHeap("Sha512Main", 2, 24, 16, 320);
  }
  chips.Add("RangeTuple", 3, 1, true, 1 << 19);
  chips.Add("Multiplication", 31, 19);
  chips.Add("MulH", 39, 24);
  chips.Add("DivRem", 57, 25);
  if (has("bigint")) {
    chips.AddHeap("BaseAlu256", 2, 8, 8, 101);
    chips.AddHeap("LessThan256", 2, 8, 8, 102);
    chips.AddHeap("BranchEqual256", 2, 8, 0, 101);
    chips.AddHeap("BranchLessThan256", 2, 8, 0, 106);
    chips.AddHeap("Multiplication256", 2, 8, 8, 97);
    chips.AddHeap("Shift256", 2, 8, 8, 230);
  }
  if (has("modular")) {
    for (size_t i = 0; i < config.moduli.size(); ++i) {
      const uint32_t n = blocks(config.moduli[i]);
      chips.AddHeap(absl::StrCat("ModularAddSub-", i), 2, n, n, 33 * n / 2);
      chips.AddHeap(absl::StrCat("ModularMulDiv-", i), 2, n, n, 97 * n / 4);
      chips.AddHeap(absl::StrCat("ModularIsEqual-", i), 2, n, 1, 12 * n + 4);
    }
  }
  if (has("fp2")) {
    for (size_t i = 0; i < config.fp2_moduli.size(); ++i) {
      const uint32_t n = blocks(config.fp2_moduli[i]);
      chips.AddHeap(absl::StrCat("Fp2AddSub-", i), 2, 2 * n, 2 * n, 33 * n);
      chips.AddHeap(absl::StrCat("Fp2MulDiv-", i), 2, 2 * n, 2 * n, 64 * n);
    }
  }
  if (has("ecc")) {
    for (size_t i = 0; i < config.curves.size(); ++i) {
      const uint32_t n = blocks(config.curves[i].modulus);
      chips.AddHeap(absl::StrCat("EcAddNe-", i), 2, 2 * n, 2 * n, 64 * n);
      chips.AddHeap(absl::StrCat("EcDouble-", i), 1, 2 * n, 2 * n, 56 * n);
    }
  }
  if (config.deferrals != 0) {
    chips.Add("DeferralCount", 2, 1);
    chips.Add("DeferralPoseidon2", 300, 1);
    chips.AddHeap("DeferralCall", 1, 9, 10, 64);
    chips.AddHeap("DeferralOutput", 2, 10, 8, 64);
  }
}

}  // namespace

MeteringConfig DefaultMetering(const Config& config) {
  MeteringConfig result;
  result.tree_height = config.memory_bits;  // 3 bits of address space less 3 of bytes in a leaf
  Chips system, extensions;
  system.Add("Program", 10, 1);
  system.Add("Connector", 5, 3, true, 2);
  result.boundary = static_cast<uint32_t>(system.list().size());
  system.Add("Boundary", 21, 4);
  result.merkle = static_cast<uint32_t>(system.list().size());
  system.Add("Merkle", 33, 4, true);
  extensions.Add("RangeChecker", 4, 1, true, 1 << 18);
  extensions.Add("Poseidon2", 300, 1);
  extensions.Add("Phantom", 6, 3);
  AddExtensions(config, extensions);
  result.chips = std::move(system.list());
  result.chips.insert(result.chips.end(), extensions.list().rbegin(), extensions.list().rend());
  result.poseidon2 = static_cast<uint32_t>(result.chips.size() - 2);
  return result;
}

}  // namespace precast::openvm
