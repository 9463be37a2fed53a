#include "openvm/metering.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "openvm/metering_json.h"

namespace precast::openvm {
namespace {

using ::testing::HasSubstr;

MeteringConfig Defaults() { return DefaultMetering(Config{}); }

// Values of an independent evaluation of the formulas of stark-backend's memory_metering.rs with
// the parameters of the application proof (log_blowup 1, l_skip 4, log_stacked_height 24, k_whir 4,
// degree 3).
TEST(Metering, EstimatesMemory) {
  MeteringConfig config;
  config.chips = {{.name = "A", .width = 36, .interactions = 19},
                  {.name = "B", .width = 33, .interactions = 4, .next_row = true},
                  {.name = "P", .width = 300, .interactions = 1}};
  config.boundary = config.merkle = 1;
  config.poseidon2 = 2;
  ASSERT_TRUE(Validate(config).ok());
  EXPECT_EQ(EstimateMemory(config, {0, 0, 0}), uint64_t{536870912});
  EXPECT_EQ(EstimateMemory(config, {1000000, 5000, 70000}), uint64_t{2160099328});
  EXPECT_EQ(EstimateMemory(config, {16777216, 16777216, 16777216}), uint64_t{91737817088});
  EXPECT_EQ(CountInteractions(config, {0, 0, 0}), 0);
  EXPECT_EQ(CountInteractions(config, {1000000, 0, 70000}), 1000001u * 19 + 70001);
}

TEST(Metering, FindsTheFirstLimit) {
  MeteringConfig config = Defaults();
  std::vector<uint32_t> heights(config.chips.size());
  EXPECT_EQ(ExceededLimit(config, heights), Limit::kNone);
  config.max_height_bits = 10;
  const uint32_t alu = *config.FindChip("BaseAlu");
  heights[alu] = 1024;
  EXPECT_EQ(ExceededLimit(config, heights), Limit::kNone);
  heights[alu] = 1025;
  EXPECT_EQ(ExceededLimit(config, heights), Limit::kHeight);
  config.max_height_bits = 11;
  config.max_memory = 1 << 20;
  EXPECT_EQ(ExceededLimit(config, heights), Limit::kMemory);
  config.max_memory = UINT64_MAX;
  config.max_interactions = 1026 * config.chips[alu].interactions;
  EXPECT_EQ(ExceededLimit(config, heights), Limit::kNone);
  --config.max_interactions;
  EXPECT_EQ(ExceededLimit(config, heights), Limit::kInteractions);
  // Constant heights end no segment.
  config = Defaults();
  config.max_height_bits = 10;
  heights[alu] = 0;
  heights[*config.FindChip("BitwiseLookup")] = 1 << 16;
  EXPECT_EQ(ExceededLimit(config, heights), Limit::kNone);
}

TEST(Metering, RowsOfPages) {
  // Memory of 2^29 bytes: 2^26 leaves, three levels of address spaces.
  const PageRows rows = RowsOfPage(Defaults());
  EXPECT_EQ(rows.boundary, 128u);
  EXPECT_EQ(rows.merkle, 2u * (63 + 23));
  EXPECT_EQ(rows.poseidon2, rows.boundary + rows.merkle);
}

TEST(Metering, DefaultsAreOpenVmsOrder) {
  const MeteringConfig config = Defaults();
  ASSERT_TRUE(Validate(config).ok()) << Validate(config);
  EXPECT_EQ(config.chips[0].name, "Program");
  EXPECT_EQ(config.chips[1].name, "Connector");
  EXPECT_EQ(config.chips[2].name, "Boundary");
  EXPECT_EQ(config.chips[3].name, "Merkle");
  EXPECT_EQ(config.chips[config.chips.size() - 2].name, "Poseidon2");
  EXPECT_EQ(config.chips.back().name, "RangeChecker");
  EXPECT_EQ(config.poseidon2, config.chips.size() - 2);
  Config machine;
  machine.extensions = {"modular"};
  machine.moduli = {Number(32, 1), Number(48, 1)};
  const MeteringConfig modular = DefaultMetering(machine);
  EXPECT_TRUE(modular.FindChip("ModularMulDiv-1").has_value());
  EXPECT_FALSE(modular.FindChip("KeccakfPerm").has_value());
}

TEST(MeteringJson, GoesThereAndBack) {
  MeteringConfig config = Defaults();
  config.max_memory = 12345;
  config.memory_model.zerocheck_save_memory = false;
  config.chips[5].constraint_cells = 7;
  MeteringConfig other;
  other.chips = {{.name = "X"}};
  other.boundary = other.merkle = other.poseidon2 = 0;
  const auto read = MeteringFromJson(MeteringToJson(config), other);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, config);
  const auto defaults = MeteringFromJson("{}", config);
  ASSERT_TRUE(defaults.ok());
  EXPECT_EQ(*defaults, config);
}

TEST(MeteringJson, ErrorsNamePathExpectedAndActual) {
  auto error = [](std::string_view text) {
    return std::string(MeteringFromJson(text, Defaults()).status().message());
  };
  EXPECT_EQ(error("{"), "metering configuration: line 1, column 2: expected JSON");
  // Printed by something recursive, it would overflow the stack.
  const std::string deep(300000, '[');
  EXPECT_EQ(error("{\"max_memory\": " + deep + std::string(deep.size(), ']') + "}"),
            "metering configuration: expected at most 32 levels of nesting");
  EXPECT_EQ(error(R"({"max_memory": 1, "max_memory": 2})"),
            "metering configuration: expected each key once, \"max_memory\" is there twice");
  EXPECT_EQ(error("[]"), "metering configuration: file: expected an object, actual []");
  EXPECT_EQ(error(R"({"max_memory": -1})"),
            "metering configuration: max_memory: expected an integer from 0 to "
            "18446744073709551615, actual -1");
  EXPECT_EQ(error(R"({"check_interval": 0})"),
            "metering configuration: check_interval: expected 1 to 1000000, actual 0");
  EXPECT_EQ(error(R"({"max_hights": 3})"),
            "metering configuration: max_hights: expected no such field, actual 3");
  EXPECT_EQ(error(R"({"memory_model": {"l_skip": true}})"),
            "metering configuration: memory_model.l_skip: expected an integer from 0 to "
            "4294967295, actual true");
  EXPECT_EQ(error(R"({"chips": [{"width": 1}]})"),
            "metering configuration: chips[0].name: expected a string, actual null");
  EXPECT_THAT(error(R"({"chips": [{"name": "A"}, {"name": "A"}]})"), HasSubstr("boundary"));
  EXPECT_THAT(
      error(R"({"chips": [{"name": "A"}, {"name": "A"}], "boundary": "A", "merkle": "A",
                        "poseidon2": "A"})"),
      HasSubstr("chips[1].name: expected another name than that of chips[0], actual \"A\""));
  EXPECT_THAT(error(R"({"boundary": "Nobody"})"),
              HasSubstr("boundary: expected the name of a chip in \"chips\", actual \"Nobody\""));
  EXPECT_THAT(error(R"({"chips": 5})"), HasSubstr("chips: expected an array, actual 5"));
}

}  // namespace
}  // namespace precast::openvm
