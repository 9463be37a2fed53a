// OpenVM's chips, in the order of its verifying key: the system's four, the extensions' from the
// last to the first, the Poseidon2 chip and the range checker; and what each of their rows costs.
//
// Source of fact: openvm-org/openvm f6595e3a66. Order: crates/vm/src/arch/extensions.rs,
// crates/sdk-config/src/lib.rs, extensions/*/circuit/src/extension. Columns are those of the *Cols
// structures, interactions are what `eval` pushes; the names here are those structures'. The sums
// are written as the circuits are: an adapter, which fetches and stores, and a core, which
// computes.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "openvm/field_expression.h"
#include "openvm/metering.h"

namespace precast::openvm {
namespace {

struct Cost {
  uint32_t columns = 0, interactions = 0;
};
constexpr Cost operator+(Cost a, Cost b) {
  return {a.columns + b.columns, a.interactions + b.interactions};
}
constexpr Cost operator*(uint32_t n, Cost a) { return {n * a.columns, n * a.interactions}; }
constexpr Cost Columns(uint32_t n) { return {n, 0}; }
constexpr Cost Interactions(uint32_t n) { return {0, n}; }

// ExecutionState (pc, timestamp). ExecutionBridge: the program's word, the state before, the state
// after.
constexpr Cost kState = {2, 3};
// MemoryReadAuxCols of a block of four cells: previous timestamp and its distance in two limbs.
// MemoryBridge: range checks of both limbs, the block before, the block after.
constexpr Cost kRead = {3, 4};
constexpr Cost kWrite = kRead + Columns(4);  // MemoryWriteAuxCols: previous data
constexpr Cost kPointer = Columns(1);        // to a register
constexpr Cost kRegisterValue = Columns(4);
constexpr uint32_t kRegisterLimbs = 4;

// rv32im/circuit/src/adapters.
constexpr Cost kAluAdapter =  // rd, rs1, rs2 or immediate, which; its low limbs are checked
    kState + Columns(4) + 2 * kRead + kWrite + Interactions(1);
constexpr Cost kMultAdapter = kState + 3 * kPointer + 2 * kRead + kWrite;
constexpr Cost kBranchAdapter = kState + 2 * kPointer + 2 * kRead;
constexpr Cost
    kLoadStoreAdapter =  // immediate and sign, two limbs of the address, its space, needs_write
    kState + 2 * kPointer + kRegisterValue + Columns(6) + 3 * kRead + Interactions(2);
constexpr Cost kRdWriteAdapter = kState + kPointer + kWrite;
constexpr Cost kJalrAdapter = kState + 2 * kPointer + kRead + kWrite + Columns(1);

// rv32im/circuit/src/*/core.rs, for `n` limbs of eight bits; bigint uses them too.
constexpr Cost BaseAlu(uint32_t n) { return {3 * n + 5, n}; }
constexpr Cost LessThan(uint32_t n) { return {3 * n + 6, 2}; }
constexpr Cost Shift(uint32_t n) { return {5 * n + 14, 2 + n / 2 + n}; }
constexpr Cost BranchEqual(uint32_t n) { return {3 * n + 4, 0}; }
constexpr Cost BranchLessThan(uint32_t n) { return {3 * n + 10, 2}; }
constexpr Cost Multiplication(uint32_t n) { return {3 * n + 1, n}; }
constexpr Cost kLoadStore = {6 + 3 * 4, 0};
constexpr Cost kLoadSignExtend = {5 + 2 * 4, 1};
constexpr Cost kJalLui = {1 + 4 + 2, 3};
constexpr Cost kJalr = {1 + 4 + 3 + 1 + 1 + 2 + 1, 5};
constexpr Cost kAuipc = {1 + 3 + 2 + 4, 5};
constexpr Cost kMulH = {4 * 4 + 5, 2 * 4 + 1};
constexpr Cost kDivRem = {7 * 4 + 13, 2 * 4 + 2};

// rv32im/circuit/src/hintstore: is_single, is_buffer, is_buffer_start; words left; address, pointer
// to it; data.
constexpr Cost kHintStore = kState + Columns(3) + 3 * kRegisterValue + 2 * kPointer + 2 * kRead +
                            kWrite + Interactions(1 + 2);

// keccak256/circuit/src: 34 words of the rate, 50 of the state.
constexpr Cost kXorin =
    Columns(34 + 3 * 136)                            // XorinSpongeCols
    + Columns(21) + Interactions(3)                  // XorinInstructionCols: with pc and timestamp
    + 3 * kRead + Interactions(2)                    // addresses and length
    + 34 * (2 * kRead + kWrite) + Interactions(136)  // and a lookup for each byte
    ;
constexpr Cost kKeccakfOp = kState + Columns(1) + kPointer + kRegisterValue + Columns(2 * 200) +
                            kRead + 50 * kRead +
                            Interactions(1 + 200 / 2)  // the address, pairs of bytes
                            + Interactions(2);         // to KeccakfPerm
// KeccakCols of p3-keccak-air 0.4.3: step flags, export, preimage and a (25 words of 4 limbs), c,
// c', a' (bits), a'' (limbs), bits of a''[0][0], a'''[0][0]; and the timestamp.
constexpr Cost kKeccakfPerm = {
    24 + 1 + 2 * 100 + 2 * 5 * 64 + 25 * 64 + 100 + 64 + 4 + 1,
    2,
};

// sha2/circuit/src/sha2_chips/main_chip: request, block, state before and after; instruction;
// accesses.
constexpr Cost Sha2Main(uint32_t block_bytes, uint32_t state_bytes) {
  return Columns(1 + block_bytes + 2 * state_bytes) + Interactions(3)               // Sha2BlockCols
         + kState + Columns(1) + 3 * (kPointer + kRegisterValue) + Interactions(2)  // its addresses
         + (3 + block_bytes / 4 + state_bytes / 4) * kRead + state_bytes / 4 * kWrite;
}
// sha2/circuit/src/sha2_chips/block_hasher_chip, crates/circuits/sha2-air: a row of four rounds,
// which is wider than that of a digest. `row_variables`: of the encoder of the row's number.
constexpr Cost Sha2BlockHasher(uint32_t word_bits, uint32_t row_variables) {
  const uint32_t bytes = word_bits / 8, halves = word_bits / 16;
  return Columns(1 + 4 + row_variables)               // request, Sha2FlagsCols
         + Columns(4 * (2 * word_bits + 2 * halves))  // Sha2WorkVarsCols
         + Columns((3 + 3 * 4) * halves)              // Sha2MessageHelperCols
         + Columns(4 * (word_bits + bytes))           // Sha2MessageScheduleCols
         // Pairs of the digest's bytes, pairs of carries, its own bus, the main chip's.
         + Interactions(8 * bytes / 2 + 4 * halves + 2 + 3);
}

// rv32-adapters/src. With `reads` operands in memory of `read_blocks` blocks each.
constexpr Cost VecHeapAdapter(uint32_t reads, uint32_t read_blocks, uint32_t write_blocks) {
  return kState + (reads + 1) * (kPointer + kRegisterValue + kRead) +
         Interactions((reads + 2) / 2) +  // pairs of the addresses' high limbs, rd's twice
         reads * read_blocks * kRead + write_blocks * kWrite;
}
constexpr Cost VecHeapBranchAdapter(uint32_t reads, uint32_t read_blocks) {
  return kState + reads * (kPointer + kRegisterValue + kRead) + Interactions((reads + 1) / 2) +
         reads * read_blocks * kRead;
}
constexpr Cost IsEqualModAdapter(uint32_t read_blocks) {
  return VecHeapBranchAdapter(2, read_blocks) + kPointer + kWrite;
}
// algebra/circuit/src/modular_chip/is_eq.rs
constexpr Cost ModularIsEqual(uint32_t limbs) { return {4 * limbs + 6, 1}; }

// Poseidon2Cols of p3-poseidon2-air 0.4.3 for 16 elements, with a register for each S-box
// (max_constraint_degree < 7): export, inputs, 4 + 4 full rounds, 13 partial ones.
constexpr uint32_t kPoseidon2Columns = 1 + 16 + 8 * 2 * 16 + 13 * 2;

// deferral/circuit/src. Eight elements of four bytes are a commitment; accumulators are eight
// native cells.
constexpr Cost kCanonicity = Columns(4 + 1);  // CanonicityAuxCols
constexpr Cost kDeferralAddresses = 2 * (kPointer + kRegisterValue + kRead) + Interactions(2);
constexpr Cost kDeferralCall =
    kState + kDeferralAddresses  // DeferralCallAdapterCols
    + (8 + 2 * 2) * kRead        // commitment, accumulators
    + (10 + 2 * 2) * kWrite      // commitment and size, accumulators
    + Columns(2 + (32 + 8 + 8) + (32 + 4 + 8 + 8)) +
    2 * 8 * kCanonicity  // DeferralCallCoreCols
    // Pairs: canonicity of both commitments, the output's bytes, its size's.
    + Interactions(2 * 8 / 2 + 32 / 2 + 4 / 2) + Interactions(2 + 1);          // Poseidon2, count
constexpr Cost kDeferralOutput = kState + Columns(4 + 1) + kDeferralAddresses  // with the index
                                 + Columns(32 + 4) + 10 * kRead                // key
                                 + 8 * kCanonicity + Interactions(8 / 2)       // its commitment
                                 + Columns(8) + 2 * kWrite +
                                 Interactions(2 * 2)             // a digest's bytes
                                 + Columns(8) + Interactions(1)  // Poseidon2
                                 + Interactions(1);              // count

class Chips {
 public:
  void Add(std::string_view name, Cost cost, bool next_row = false,
           std::optional<uint32_t> constant_height = std::nullopt) {
    chips_.push_back({.name = std::string(name),
                      .width = cost.columns,
                      .interactions = cost.interactions,
                      .next_row = next_row,
                      .constant_height = constant_height});
  }
  void Add(std::string_view name, Cost adapter, FieldExpressionCost core) {
    Add(name, adapter + Cost{core.columns, core.interactions});
  }
  std::vector<Chip>& list() { return chips_; }

 private:
  std::vector<Chip> chips_;
};

void AddExtensions(const Config& config, Chips& chips) {
  auto named = [&](std::string_view name) {
    return std::find(config.extensions.begin(), config.extensions.end(), name) !=
           config.extensions.end();
  };
  auto has = [&](std::string_view name) { return config.extensions.empty() || named(name); };
  auto blocks = [](const Number& modulus) { return FieldBytes(modulus) / 4; };
  constexpr uint32_t n = kRegisterLimbs;
  // circuits/primitives/src/bitwise_op_lookup: bits of both operands, two multiplicities.
  chips.Add("BitwiseLookup", {8 + 8 + 2, 2}, true, 1 << 16);
  chips.Add("BaseAlu", kAluAdapter + BaseAlu(n));
  chips.Add("LessThan", kAluAdapter + LessThan(n));
  chips.Add("Shift", kAluAdapter + Shift(n));
  chips.Add("LoadStore", kLoadStoreAdapter + kLoadStore);
  chips.Add("LoadSignExtend", kLoadStoreAdapter + kLoadSignExtend);
  chips.Add("BranchEqual", kBranchAdapter + BranchEqual(n));
  chips.Add("BranchLessThan", kBranchAdapter + BranchLessThan(n));
  chips.Add("JalLui", kRdWriteAdapter + Columns(1) + kJalLui);  // needs_write
  chips.Add("Jalr", kJalrAdapter + kJalr);
  chips.Add("Auipc", kRdWriteAdapter + kAuipc);
  chips.Add("HintStore", kHintStore, true);
  if (has("keccak")) {
    chips.Add("Xorin", kXorin);
    chips.Add("KeccakfPerm", kKeccakfPerm, true);
    chips.Add("KeccakfOp", kKeccakfOp);
  }
  if (has("sha2")) {
    chips.Add("Sha256BlockHasher", Sha2BlockHasher(32, 5), true);
    chips.Add("Sha256Main", Sha2Main(64, 32), true);
    chips.Add("Sha512BlockHasher", Sha2BlockHasher(64, 6), true);
    chips.Add("Sha512Main", Sha2Main(128, 64), true);
  }
  // circuits/primitives/src/range_tuple: a pair and its multiplicity. Pairs of 2^8 and 8 · 2^8, 32
  // · 2^8 with bigint (SdkVmConfig::apply_optimizations); a guest without a configuration has the
  // machine without it.
  chips.Add("RangeTuple", {2 + 1, 1}, true, named("bigint") ? 1 << 21 : 1 << 19);
  chips.Add("Multiplication", kMultAdapter + Multiplication(n));
  chips.Add("MulH", kMultAdapter + kMulH);
  chips.Add("DivRem", kMultAdapter + kDivRem);
  if (has("bigint")) {
    constexpr Cost kAdapter = VecHeapAdapter(2, 8, 8), kBranch = VecHeapBranchAdapter(2, 8);
    chips.Add("BaseAlu256", kAdapter + BaseAlu(32));
    chips.Add("LessThan256", kAdapter + LessThan(32));
    chips.Add("BranchEqual256", kBranch + BranchEqual(32));
    chips.Add("BranchLessThan256", kBranch + BranchLessThan(32));
    chips.Add("Multiplication256", kAdapter + Multiplication(32));
    chips.Add("Shift256", kAdapter + Shift(32));
  }
  if (has("modular")) {
    for (size_t i = 0; i < config.moduli.size(); ++i) {
      const Number& p = config.moduli[i];
      const Cost adapter = VecHeapAdapter(2, blocks(p), blocks(p));
      chips.Add(absl::StrCat("ModularAddSub-", i), adapter, ModularAddSubCost(p));
      chips.Add(absl::StrCat("ModularMulDiv-", i), adapter, ModularMulDivCost(p));
      chips.Add(absl::StrCat("ModularIsEqual-", i),
                IsEqualModAdapter(blocks(p)) + ModularIsEqual(FieldBytes(p)));
    }
  }
  if (has("fp2")) {
    for (size_t i = 0; i < config.fp2_moduli.size(); ++i) {
      const Number& p = config.fp2_moduli[i];
      const Cost adapter = VecHeapAdapter(2, 2 * blocks(p), 2 * blocks(p));
      chips.Add(absl::StrCat("Fp2AddSub-", i), adapter, Fp2AddSubCost(p));
      chips.Add(absl::StrCat("Fp2MulDiv-", i), adapter, Fp2MulDivCost(p));
    }
  }
  if (has("ecc")) {
    for (size_t i = 0; i < config.curves.size(); ++i) {
      const Number& p = config.curves[i].modulus;
      const uint32_t point = 2 * blocks(p);
      chips.Add(absl::StrCat("EcAddNe-", i), VecHeapAdapter(2, point, point), EcAddNeCost(p));
      chips.Add(absl::StrCat("EcDouble-", i), VecHeapAdapter(1, point, point),
                EcDoubleCost(p, config.curves[i].a));
    }
  }
  if (config.deferrals != 0) {
    chips.Add("DeferralCount", {3, 1}, true);
    chips.Add("DeferralPoseidon2", {kPoseidon2Columns + 2, 2});
    chips.Add("DeferralCall", kDeferralCall);
    chips.Add("DeferralOutput", kDeferralOutput, true);
  }
}

}  // namespace

MeteringConfig DefaultMetering(const Config& config) {
  MeteringConfig result;
  result.tree_height = config.memory_bits;  // 3 bits of address space less 3 of bytes in a leaf
  Chips system, extensions;
  // crates/vm/src/system.
  system.Add("Program", {9 + 1, 1});
  system.Add("Connector", {6, 5}, true, 2);
  result.boundary = static_cast<uint32_t>(system.list().size());
  system.Add("Boundary", {3 + 2 * 8 + 2, 4});
  result.merkle = static_cast<uint32_t>(system.list().size());
  system.Add("Merkle", {7 + 3 * 8 + 2, 4}, true);
  extensions.Add("RangeChecker", {4, 1}, true, 1 << 18);  // circuits/primitives/src/var_range
  extensions.Add("Poseidon2", {kPoseidon2Columns + 1, 1});
  extensions.Add("Phantom", {1 + 3 + 1 + 1, 3});
  AddExtensions(config, extensions);
  result.chips = std::move(system.list());
  result.chips.insert(result.chips.end(), extensions.list().rbegin(), extensions.list().rend());
  result.poseidon2 = static_cast<uint32_t>(result.chips.size() - 2);
  return result;
}

}  // namespace precast::openvm
