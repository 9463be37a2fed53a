#include "openvm/primitives/pairing.h"

#include <random>

#include "gtest/gtest.h"
#include "openvm/primitives/testing/vectors.h"

namespace precast::openvm {
namespace {

// Each hint is what OpenVM's algorithm gives, computed in Python step by step; the generator also
// asserts, for those whose pairing is one, the equation that guests check.
TEST(PairingTest, AgreesWithPython) {
  int index = 0;
  for (const PairingVector& v : kPairingVectors) {
    std::vector<uint8_t> hint(PairingHintBytes(v.curve));
    EXPECT_EQ(PairingFinalExpHint(v.curve, Bytes(v.g1), Bytes(v.g2), absl::MakeSpan(hint)),
              ArithmeticFault::kNone);
    EXPECT_EQ(hint, Bytes(v.hint)) << "vector " << index;
    ++index;
  }
}

TEST(PairingTest, Faults) {
  for (const PairingCurve curve : {PairingCurve::kBn254, PairingCurve::kBls12_381}) {
    const size_t size = PairingCoordinateBytes(curve);
    std::vector<uint8_t> hint(PairingHintBytes(curve), 5);
    const std::vector<uint8_t> untouched = hint;
    const auto run = [&](const std::vector<uint8_t>& g1, const std::vector<uint8_t>& g2) {
      return PairingFinalExpHint(curve, g1, g2, absl::MakeSpan(hint));
    };
    EXPECT_EQ(run({}, {}), ArithmeticFault::kNoPairs);
    std::vector<uint8_t> g1(2 * size), g2(4 * size);
    EXPECT_EQ(run(g1, {}), ArithmeticFault::kLengthsDiffer);
    EXPECT_EQ(run({}, g2), ArithmeticFault::kLengthsDiffer);
    g1[size - 1] = 0xff;
    EXPECT_EQ(run(g1, g2), ArithmeticFault::kNotCanonical);
    g1[size - 1] = 1;
    g2[4 * size - 1] = 0xff;
    EXPECT_EQ(run(g1, g2), ArithmeticFault::kNotCanonical);
    g2[4 * size - 1] = 1;
    EXPECT_EQ(run(g1, g2), ArithmeticFault::kNotInvertible);  // y of G1 is 0
    g1[size] = 1;
    g2.assign(4 * size, 0);
    g2[0] = 1;
    EXPECT_EQ(run(g1, g2), ArithmeticFault::kNotInvertible);  // y of G2 is 0
    EXPECT_EQ(hint, untouched);
  }
}

// Points that are on no curve: some answer or a fault, always the same.
TEST(PairingTest, ArbitraryPoints) {
  std::mt19937_64 random(3);
  for (const PairingCurve curve : {PairingCurve::kBn254, PairingCurve::kBls12_381}) {
    const size_t size = PairingCoordinateBytes(curve);
    for (int i = 0; i < 4; ++i) {
      std::vector<uint8_t> g1(2 * size), g2(4 * size);
      for (std::vector<uint8_t>* bytes : {&g1, &g2}) {
        for (size_t j = 0; j < bytes->size(); ++j) {
          const bool small = i % 2 == 0 && j % size != 0;
          (*bytes)[j] = small || j % size == size - 1 ? 0 : static_cast<uint8_t>(random() % 4);
        }
      }
      std::vector<uint8_t> first(PairingHintBytes(curve)), second = first;
      const ArithmeticFault fault = PairingFinalExpHint(curve, g1, g2, absl::MakeSpan(first));
      EXPECT_EQ(PairingFinalExpHint(curve, g1, g2, absl::MakeSpan(second)), fault);
      EXPECT_EQ(first, second);
    }
  }
}

}  // namespace
}  // namespace precast::openvm
