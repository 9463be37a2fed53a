#include "runtime/abi/round_slots.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace precast::abi {
namespace {

TEST(RoundSlots, RoundsAfterThisOne) {
  EXPECT_EQ(FuelOfRoundsLeft(0, 160, 16, 37), 9 * 37);
  EXPECT_EQ(FuelOfRoundsLeft(144, 160, 16, 37), 0);
  EXPECT_EQ(FuelOfRoundsLeft(20, 0, 0u - 2, 5), 9 * 5);
  EXPECT_EQ(FuelOfRoundsLeft(2, 0, 0u - 2, 5), 0);
  // Across the largest number, and all the way around.
  EXPECT_EQ(FuelOfRoundsLeft(0xfffffff0, 16, 16, 1), 1);
  EXPECT_EQ(FuelOfRoundsLeft(7, 7, 1, 3), int64_t{0xffffffff} * 3);
  EXPECT_EQ(FuelOfRoundsLeft(0, 0, 0x80000000, 1), 1);
}

TEST(RoundSlots, AnyNumbers) {
  EXPECT_EQ(FuelOfRoundsLeft(1, 2, 0, 3), 0);
  EXPECT_GE(FuelOfRoundsLeft(0, 0, 1, 0xffffffff), 0);
  EXPECT_TRUE(IsRoundSlot(kSlotCounter));
  EXPECT_TRUE(IsRoundSlot(kSlotRoundCost));
  EXPECT_FALSE(IsRoundSlot(kSlotRoundCost + 1));
  EXPECT_FALSE(IsRoundSlot(32));
}

}  // namespace
}  // namespace precast::abi
