#include "openvm/primitives/uint256.h"

#include "gtest/gtest.h"
#include "openvm/primitives/testing/vectors.h"

namespace precast::openvm {
namespace {

TEST(Uint256Test, AgreesWithPython) {
  for (const IntegerVector& v : kIntegerVectors) {
    const Uint256 a = Uint256::Load(Number(v.a, 32).data());
    const Uint256 b = Uint256::Load(Number(v.b, 32).data());
    const auto expect = [&v](const char* name, const Uint256& actual, const char* expected) {
      std::vector<uint8_t> bytes(32);
      actual.Store(bytes.data());
      EXPECT_EQ(bytes, Number(expected, 32)) << v.a << " " << name << " " << v.b;
    };
    expect("add", Add256(a, b), v.add);
    expect("sub", Sub256(a, b), v.sub);
    expect("xor", Xor256(a, b), v.bit_xor);
    expect("or", Or256(a, b), v.bit_or);
    expect("and", And256(a, b), v.bit_and);
    expect("sll", Sll256(a, b), v.sll);
    expect("srl", Srl256(a, b), v.srl);
    expect("sra", Sra256(a, b), v.sra);
    expect("slt", Slt256(a, b), v.slt);
    expect("sltu", Sltu256(a, b), v.sltu);
    expect("mul", Mul256(a, b), v.mul);
    EXPECT_EQ(Eq256(a, b), v.eq[0] == '1');
    EXPECT_TRUE(Eq256(a, a));
  }
}

}  // namespace
}  // namespace precast::openvm
