// Random parallel moves, executed one by one, against their meaning.
#include "compiler/regalloc/moves.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace precast::regalloc {
namespace {

constexpr uint32_t kSlots = 4;
constexpr PReg kScratch{RegClass::kVector, 15};

Location Reg(RegClass cls, uint32_t hw) {
  return {Location::Kind::kReg, {cls, static_cast<uint8_t>(hw)}, 0};
}
Location Slot(uint32_t slot) { return {Location::Kind::kSlot, {}, slot}; }

class Machine {
 public:
  int& At(const Location& location, RegClass cls) {
    const size_t c = cls == RegClass::kVector ? 1 : 0;
    return location.kind == Location::Kind::kReg ? regs_[c][location.reg.hw]
                                                 : slots_[c][location.slot];
  }

  void Do(const Move& move) {
    int& from = At(move.from, move.cls);
    int& to = At(move.to, move.cls);
    if (move.swap) {
      std::swap(from, to);
      return;
    }
    to = from;
    if (move.from.kind == Location::Kind::kSlot && move.to.kind == Location::Kind::kSlot) {
      At(Reg(RegClass::kVector, kScratch.hw), RegClass::kVector) = -1;
    }
  }

 private:
  int regs_[2][16] = {};
  int slots_[2][kSlots + 4] = {};
};

TEST(MoveSequencerTest, SequencesHaveTheParallelEffect) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    Machine machine;
    std::vector<ParallelMove> moves;
    std::vector<int> expected;
    int value = 1;
    for (const RegClass cls : {RegClass::kInt, RegClass::kVector}) {
      std::vector<Location> places;
      for (uint32_t hw = 0; hw < 4; ++hw) places.push_back(Reg(cls, hw));
      for (uint32_t slot = 0; slot < kSlots; ++slot) places.push_back(Slot(slot));
      for (const Location& place : places) machine.At(place, cls) = value++;
      std::vector<Location> targets = places;
      std::shuffle(targets.begin(), targets.end(), random);
      targets.resize(random() % (targets.size() + 1));
      // Half the time a permutation, which is all cycles.
      std::vector<Location> sources = targets;
      std::shuffle(sources.begin(), sources.end(), random);
      const bool permutation = random() % 2 == 0;
      for (size_t k = 0; k < targets.size(); ++k) {
        const Location from = permutation ? sources[k] : places[random() % places.size()];
        moves.push_back({from, targets[k], cls});
        expected.push_back(machine.At(from, cls));
      }
    }
    uint32_t num_slots[kNumClasses] = {kSlots, kSlots};
    MoveSequencer sequencer(kScratch, num_slots);
    std::vector<Move> sequence;
    const bool free = random() % 2 == 0;
    // Beyond what the moves use there is one, or none.
    const auto unused = [&] { return PRegSet{free ? 0x20u : 0u}; };
    sequencer.Sequence(moves, 7, unused, sequence);
    ASSERT_LE(num_slots[0], free ? kSlots : kSlots + 1);
    ASSERT_LE(num_slots[1], kSlots + 1);
    for (const Move& move : sequence) {
      EXPECT_EQ(move.before, 7u);
      EXPECT_FALSE(free && move.swap);
      machine.Do(move);
    }
    for (size_t k = 0; k < moves.size(); ++k) {
      ASSERT_EQ(machine.At(moves[k].to, moves[k].cls), expected[k]) << "round " << round;
    }
  }
}

TEST(MoveSequencerTest, MovesToTheSamePlaceVanish) {
  uint32_t num_slots[kNumClasses] = {kSlots, kSlots};
  MoveSequencer sequencer(kScratch, num_slots);
  std::vector<Move> sequence;
  sequencer.Sequence(
      std::vector<ParallelMove>{{Slot(1), Slot(1), RegClass::kInt}}, 0, [] { return PRegSet{0}; },
      sequence);
  EXPECT_TRUE(sequence.empty());
}

}  // namespace
}  // namespace precast::regalloc
