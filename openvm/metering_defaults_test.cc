// The default metering against a second count of OpenVM's columns and interactions (f6595e3a66):
// sums made by hand from the structures and the `eval` functions, chip by chip, in the order of its
// verifying key. docs/openvm_segments.md says which of them OpenVM's own code, compiled in parts,
// confirms.
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "openvm/metering.h"
#include "openvm/toml.h"

namespace precast::openvm {
namespace {

struct Expected {
  const char* name;
  uint32_t width, interactions;
  bool next_row = false;
  uint32_t constant_height = 0;  // 0: none
};

void ExpectChips(const MeteringConfig& config, const std::vector<Expected>& expected) {
  ASSERT_EQ(config.chips.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const Chip& chip = config.chips[i];
    SCOPED_TRACE(expected[i].name);
    EXPECT_EQ(chip.name, expected[i].name);
    EXPECT_EQ(chip.width, expected[i].width);
    EXPECT_EQ(chip.interactions, expected[i].interactions);
    EXPECT_EQ(chip.next_row, expected[i].next_row);
    EXPECT_EQ(chip.constant_height.value_or(0), expected[i].constant_height);
    EXPECT_EQ(chip.constraint_cells, 0u);
  }
}

// Two of the moduli and curves of OpenVM's standard configuration, one of either size.
constexpr std::string_view kMachine = R"(
[app_vm_config.rv32i]
[app_vm_config.rv32m]
[app_vm_config.io]
[app_vm_config.keccak]
[app_vm_config.sha2]
[app_vm_config.bigint]
[app_vm_config.modular]
supported_moduli = [
  "21888242871839275222246405745257275088696311157297823662689037894645226208583",
  "4002409555221667393417789825735904156556882819939007885332058136124031650490837864442687629129015664037894272559787",
]
[app_vm_config.fp2]
supported_moduli = [
  ["Bn254Fp2", "21888242871839275222246405745257275088696311157297823662689037894645226208583"],
  ["Bls12_381Fp2", "4002409555221667393417789825735904156556882819939007885332058136124031650490837864442687629129015664037894272559787"],
]
[[app_vm_config.ecc.supported_curves]]
struct_name = "Bn254G1Affine"
modulus = "21888242871839275222246405745257275088696311157297823662689037894645226208583"
scalar = "21888242871839275222246405745257275088548364400416034343698204186575808495617"
a = "0"
b = "3"
[[app_vm_config.ecc.supported_curves]]
struct_name = "Bls12_381G1Affine"
modulus = "4002409555221667393417789825735904156556882819939007885332058136124031650490837864442687629129015664037894272559787"
scalar = "52435875175126190479447740508185965837690552500527637822603658699938581184513"
a = "0"
b = "4"
[app_vm_config.pairing]
supported_curves = ["Bn254", "Bls12_381"]
)";

TEST(MeteringDefaults, EveryChip) {
  absl::StatusOr<Config> machine = FromToml(kMachine);
  ASSERT_TRUE(machine.ok()) << machine.status();
  machine->deferrals = 1;
  const MeteringConfig config = DefaultMetering(*machine);
  EXPECT_TRUE(Validate(config).ok());
  ExpectChips(config, {
                          {"Program", 10, 1},
                          {"Connector", 6, 5, true, 2},
                          {"Boundary", 21, 4},
                          {"Merkle", 33, 4, true},
                          {"DeferralOutput", 159, 71, true},
                          {"DeferralCall", 334, 146},
                          {"DeferralPoseidon2", 301, 2},
                          {"DeferralCount", 3, 1, true},
                          {"EcDouble-1", 1128, 976},
                          {"EcAddNe-1", 1111, 884},
                          {"EcDouble-0", 631, 527},
                          {"EcAddNe-0", 751, 596},
                          {"Fp2MulDiv-1", 919, 691},
                          {"Fp2AddSub-1", 727, 499},
                          {"Fp2MulDiv-0", 623, 467},
                          {"Fp2AddSub-0", 495, 339},
                          {"ModularIsEqual-1", 296, 113},
                          {"ModularMulDiv-1", 474, 354},
                          {"ModularAddSub-1", 378, 258},
                          {"ModularIsEqual-0", 208, 81},
                          {"ModularMulDiv-0", 326, 242},
                          {"ModularAddSub-0", 262, 178},
                          {"Shift256", 304, 163},
                          {"Multiplication256", 227, 145},
                          {"BranchLessThan256", 172, 78},
                          {"BranchEqual256", 166, 76},
                          {"LessThan256", 232, 115},
                          {"BaseAlu256", 231, 145},
                          {"DivRem", 59, 25},
                          {"MulH", 39, 24},
                          {"Multiplication", 31, 19},
                          {"RangeTuple", 3, 1, true, 1 << 21},
                          {"Sha512Main", 540, 276, true},
                          {"Sha512BlockHasher", 903, 53, true},
                          {"Sha256Main", 284, 148, true},
                          {"Sha256BlockHasher", 456, 29, true},
                          {"KeccakfOp", 561, 310},
                          {"KeccakfPerm", 2634, 2, true},
                          {"Xorin", 914, 561},
                          {"HintStore", 32, 18, true},
                          {"Auipc", 20, 12},
                          {"Jalr", 28, 16},
                          {"JalLui", 18, 10},
                          {"BranchLessThan", 32, 13},
                          {"BranchEqual", 26, 11},
                          {"LoadSignExtend", 36, 18},
                          {"LoadStore", 41, 17},
                          {"Shift", 53, 24},
                          {"LessThan", 37, 18},
                          {"BaseAlu", 36, 20},
                          {"BitwiseLookup", 18, 2, true, 1 << 16},
                          {"Phantom", 6, 3},
                          {"Poseidon2", 300, 1},
                          {"RangeChecker", 4, 1, true, 1 << 18},
                      });
}

// OpenVM's machine where no configuration names another: rv32im and I/O.
TEST(MeteringDefaults, PairsWithoutBigint) {
  const MeteringConfig config = DefaultMetering(Config{});
  EXPECT_EQ(config.chips[*config.FindChip("RangeTuple")].constant_height, 1u << 19);
}

TEST(MeteringDefaults, Limits) {
  const MeteringConfig config = DefaultMetering(Config{});
  // crates/vm/src/arch/vm.rs, build_metered_ctx; MAX_APP_LOG_STACKED_HEIGHT; BabyBear's order.
  EXPECT_EQ(config.max_height_bits, 24u);
  EXPECT_EQ(config.max_memory, uint64_t{15} << 30);
  EXPECT_EQ(config.max_interactions, 2013265921u);
  EXPECT_EQ(config.check_interval, 1000u);
  EXPECT_EQ(config.tree_height, 3u + 29 - 3);
}

}  // namespace
}  // namespace precast::openvm
