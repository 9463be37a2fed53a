// Checks the hash behind the ABI fingerprint and that the fingerprint is a build-time constant.
#include "runtime/abi/fingerprint.h"

#include <gtest/gtest.h>

namespace precast::abi {
namespace {

// Test vector of the FNV reference distribution: FNV-1a 128 of the empty string is the offset
// basis.
TEST(Fnv128, OffsetBasis) {
  constexpr Fingerprint kEmpty = fingerprint_internal::Fnv128().Result();
  EXPECT_EQ(kEmpty, (Fingerprint{0x6c, 0x62, 0x27, 0x2e, 0x07, 0xbb, 0x01, 0x42, 0x62, 0xb8, 0x21,
                                 0x75, 0x62, 0x95, 0xc5, 0x8d}));
}

TEST(Fnv128, DependsOnOrderAndBoundaries) {
  fingerprint_internal::Fnv128 a, b, c;
  a.Add("ab");
  a.Add("c");
  b.Add("a");
  b.Add("bc");
  c.Add("c");
  c.Add("ab");
  EXPECT_NE(a.Result(), b.Result());
  EXPECT_NE(a.Result(), c.Result());
}

TEST(Fingerprint, IsAConstantExpression) {
  static_assert(kFingerprint[0] != 0 || kFingerprint[1] != 0 || kFingerprint[2] != 0);
  static_assert(kNumCallbacks == static_cast<int>(Callback::kMarkPage) + 1);
  static_assert(kNumTrapCodes == static_cast<int>(TrapCode::kDeferralNotFound) + 1);
  EXPECT_EQ(kFingerprint, fingerprint_internal::Compute());
}

}  // namespace
}  // namespace precast::abi
