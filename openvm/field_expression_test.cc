// Against what OpenVM's own rules say (mod-builder and the expressions of its extensions at
// f6595e3a66, compiled without the circuits and asked for width() and for the range checks of
// eval), and against the rules where they can be followed by hand.
#include "openvm/field_expression.h"

#include <string_view>

#include "gtest/gtest.h"

namespace precast::openvm {
namespace {

Number Hex(std::string_view text) { return *ParseNumber(text); }

struct Case {
  const char* modulus;
  const char* a;
  // columns, interactions
  FieldExpressionCost add_sub, mul_div, fp2_add_sub, fp2_mul_div, add_ne, double_point;
};

// clang-format off
constexpr Case kCases[] = {
    {"0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47",
     "0x0",
     {132, 65}, {196, 129}, {261, 130}, {389, 258}, {517, 387}, {453, 387}},
    {"0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
     "0x0",
     {132, 65}, {196, 129}, {261, 130}, {389, 258}, {517, 387}, {453, 387}},
    {"0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
     "0xffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
     {132, 65}, {196, 129}, {261, 130}, {389, 258}, {517, 387}, {453, 387}},
    {"0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
     "0x0",
     {196, 97}, {292, 193}, {389, 194}, {581, 386}, {773, 579}, {870, 772}},
    {"0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
     "0x0",
     {132, 65}, {196, 129}, {261, 130}, {389, 258}, {517, 387}, {453, 387}},
    {"0x7fffffffffffffffffffffffffffffff",
     "0x5",
     {148, 81}, {212, 145}, {293, 162}, {421, 290}, {565, 435}, {501, 435}},
    {"0x7",
     "0x3",
     {163, 96}, {227, 160}, {323, 192}, {451, 320}, {610, 480}, {546, 480}},
    {"0x10000000000000000000000000000000000000000000000000000000000000129",
     "0x1",
     {213, 114}, {307, 208}, {423, 228}, {613, 418}, {818, 624}, {934, 836}},
    {"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe",
     {196, 97}, {290, 191}, {389, 194}, {581, 386}, {771, 577}, {868, 770}},
    {"0x1000000000000000000000000000000000000000000000000eb",
     "0x80000000000000000000000000000000000000000000000000",
     {140, 73}, {202, 135}, {277, 146}, {403, 272}, {535, 405}, {473, 407}},
    {"0x2",
     "0x1",
     {163, 96}, {227, 160}, {323, 192}, {451, 320}, {610, 480}, {548, 482}},
    {"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe",
     {132, 65}, {194, 127}, {261, 130}, {389, 258}, {515, 385}, {451, 385}},
    {"0x33d8f16adf91b7584b",
     "0x101027c4d1c386bbc4",
     {155, 88}, {219, 152}, {307, 176}, {435, 304}, {586, 456}, {522, 456}},
    {"0x3ad4494ac2cd789a380208a9ad45f23d3b1a11df587fd2803bab6c398d88348b",
     "0x239cf291ea90a8f0d66b829e6a8ac4ba05805975ed2f89d94a2f20aaf3c64af7",
     {132, 65}, {196, 129}, {261, 130}, {389, 258}, {517, 387}, {453, 387}},
    {"0xfbb230bd92a4aa2b410d93c4efbc8d60b21fbac78255d6807923986bb968a43",
     "0x8092b4d2b28fef02b9c014ea5ac06d864c2f2e39403560d97dae38d9d643c25",
     {132, 65}, {196, 129}, {261, 130}, {389, 258}, {517, 387}, {453, 387}},
};
// clang-format on

TEST(FieldExpression, AsOpenVmHasThem) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.modulus);
    const Number p = Hex(c.modulus);
    EXPECT_EQ(ModularAddSubCost(p), c.add_sub);
    EXPECT_EQ(ModularMulDivCost(p), c.mul_div);
    EXPECT_EQ(Fp2AddSubCost(p), c.fp2_add_sub);
    EXPECT_EQ(Fp2MulDivCost(p), c.fp2_mul_div);
    EXPECT_EQ(EcAddNeCost(p), c.add_ne);
    EXPECT_EQ(EcDoubleCost(p, Hex(c.a)), c.double_point);
  }
}

// Addition and subtraction: the sum less the result is between -2·2^8n and 2·2^8n, so the quotient
// of a modulus with 8n bits has one limb; as many carries as limbs; two inputs, one variable, two
// flags and is_valid.
TEST(FieldExpression, ByHand) {
  for (uint32_t limbs : {32u, 48u}) {
    const Number p(limbs, 0xfb);
    EXPECT_EQ(ModularAddSubCost(p),
              (FieldExpressionCost{3 * limbs + 1 + limbs + 3, limbs + 1 + limbs}));
    // x·y = z + q·p: q < 2^(8n + 1), so it has n + 1 limbs, and q·p has 2n.
    EXPECT_EQ(ModularMulDivCost(p), (FieldExpressionCost{3 * limbs + (limbs + 1) + 2 * limbs + 3,
                                                         limbs + (limbs + 1) + 2 * limbs}));
  }
}

TEST(FieldExpression, NothingForNoModulus) {
  EXPECT_EQ(ModularMulDivCost({}), FieldExpressionCost{});
  EXPECT_EQ(EcDoubleCost({}, {}), FieldExpressionCost{});
}

}  // namespace
}  // namespace precast::openvm
