// Fp2 and elliptic curves.
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "openvm/primitives/complex_field.h"
#include "openvm/primitives/testing/vectors.h"
#include "openvm/primitives/weierstrass.h"

namespace precast::openvm {
namespace {

ModularField Field(absl::string_view hex) {
  auto fields = MakeModularFields({Number(hex, 48)});
  EXPECT_TRUE(fields.ok()) << fields.status();
  return std::move(fields->front());
}

TEST(ComplexTest, AgreesWithPython) {
  for (const ComplexVector& v : kComplexVectors) {
    const ModularField field = Field(v.m);
    const size_t size = field.bytes();
    const std::vector<uint8_t> a = Numbers({v.a0, v.a1}, size), b = Numbers({v.b0, v.b1}, size);
    std::vector<uint8_t> out(ComplexBytes(field));
    ComplexAdd(field, out.data(), a.data(), b.data());
    EXPECT_EQ(out, Numbers({v.add0, v.add1}, size));
    ComplexSub(field, out.data(), a.data(), b.data());
    EXPECT_EQ(out, Numbers({v.sub0, v.sub1}, size));
    ComplexMul(field, out.data(), a.data(), b.data());
    EXPECT_EQ(out, Numbers({v.mul0, v.mul1}, size));
    const ArithmeticFault fault = ComplexDiv(field, out.data(), a.data(), b.data());
    if (v.div0 == std::string("-")) {
      EXPECT_EQ(fault, ArithmeticFault::kNotInvertible);
    } else {
      EXPECT_EQ(fault, ArithmeticFault::kNone);
      EXPECT_EQ(out, Numbers({v.div0, v.div1}, size));
    }
    // Results that overlap an operand by half.
    std::vector<uint8_t> buffer(3 * size);
    std::memcpy(buffer.data(), a.data(), 2 * size);
    ComplexAdd(field, buffer.data() + size, buffer.data(), b.data());
    EXPECT_EQ(
        std::vector<uint8_t>(buffer.begin() + static_cast<std::ptrdiff_t>(size), buffer.end()),
        Numbers({v.add0, v.add1}, size));
  }
}

TEST(ComplexTest, Setup) {
  const ModularField field = Field("11");
  std::vector<uint8_t> out(64, 1);
  EXPECT_EQ(ComplexSetup(field, out.data(), Numbers({"12", "0"}, 32).data()),
            ArithmeticFault::kWrongModulus);
  EXPECT_EQ(ComplexSetup(field, out.data(), Numbers({"11", "25"}, 32).data()),
            ArithmeticFault::kNone);
  EXPECT_EQ(out, Numbers({"0", "3"}, 32));  // 0x25 mod 0x11
}

bool OnCurve(const ModularField& field, const std::vector<uint8_t>& a,
             const std::vector<uint8_t>& b, const std::vector<uint8_t>& point) {
  const size_t size = field.bytes();
  std::vector<uint8_t> left(size), right(size);
  const uint8_t* const x = point.data();
  const uint8_t* const y = point.data() + size;
  field.Mul(left.data(), y, y);
  field.Mul(right.data(), x, x);
  field.Add(right.data(), right.data(), a.data());
  field.Mul(right.data(), right.data(), x);
  field.Add(right.data(), right.data(), b.data());
  return left == right;
}

TEST(WeierstrassTest, AgreesWithPython) {
  for (const CurveVector& v : kCurveVectors) {
    const ModularField field = Field(v.m);
    const size_t size = field.bytes();
    const std::vector<uint8_t> a = Number(v.a, size), b = Number(v.b, size);
    const auto curve = WeierstrassCurve::Create(field, a);
    ASSERT_TRUE(curve.ok()) << curve.status();
    const std::vector<uint8_t> p = Numbers({v.px, v.py}, size), q = Numbers({v.qx, v.qy}, size);
    const bool on_curve = v.on_curve[0] == '1';
    EXPECT_TRUE(!on_curve || OnCurve(field, a, b, p));
    std::vector<uint8_t> out(curve->point_bytes());
    ArithmeticFault fault = curve->AddNe(out.data(), p.data(), q.data());
    if (v.sum_x == std::string("-")) {
      EXPECT_EQ(fault, ArithmeticFault::kNotInvertible);
    } else {
      ASSERT_EQ(fault, ArithmeticFault::kNone);
      EXPECT_EQ(out, Numbers({v.sum_x, v.sum_y}, size));
      EXPECT_TRUE(!on_curve || OnCurve(field, a, b, out));
    }
    fault = curve->Double(out.data(), p.data());
    if (v.twice_x == std::string("-")) {
      EXPECT_EQ(fault, ArithmeticFault::kNotInvertible);
    } else {
      ASSERT_EQ(fault, ArithmeticFault::kNone);
      EXPECT_EQ(out, Numbers({v.twice_x, v.twice_y}, size));
      EXPECT_TRUE(!on_curve || OnCurve(field, a, b, out));
    }
  }
}

TEST(WeierstrassTest, SetupDouble) {
  const ModularField field = Field("61");  // 97
  const auto curve = WeierstrassCurve::Create(field, Number("5", 1));
  ASSERT_TRUE(curve.ok());
  std::vector<uint8_t> out(64, 9);
  EXPECT_EQ(curve->SetupDouble(out.data(), Numbers({"60", "5"}, 32).data()),
            ArithmeticFault::kWrongModulus);
  EXPECT_EQ(curve->SetupDouble(out.data(), Numbers({"61", "6"}, 32).data()),
            ArithmeticFault::kWrongCoefficient);
  EXPECT_EQ(out, std::vector<uint8_t>(64, 9));
  EXPECT_EQ(curve->SetupDouble(out.data(), Numbers({"61", "5"}, 32).data()),
            ArithmeticFault::kNone);
  EXPECT_EQ(out, Numbers({"19", "40"}, 32));  // 25 and -125 - 5 = 64 mod 97
}

TEST(WeierstrassTest, SetupAddNe) {
  const ModularField field = Field("61");
  const auto curve = WeierstrassCurve::Create(field, {});
  ASSERT_TRUE(curve.ok());
  std::vector<uint8_t> out(64), expected(64);
  const std::vector<uint8_t> q = Numbers({"7", "9"}, 32);
  EXPECT_EQ(curve->SetupAddNe(out.data(), Numbers({"0", "3"}, 32).data(), q.data()),
            ArithmeticFault::kWrongModulus);
  EXPECT_EQ(curve->SetupAddNe(out.data(), Numbers({"61", "3"}, 32).data(), q.data()),
            ArithmeticFault::kNone);
  EXPECT_EQ(curve->AddNe(expected.data(), Numbers({"0", "3"}, 32).data(), q.data()),
            ArithmeticFault::kNone);
  EXPECT_EQ(out, expected);
  EXPECT_EQ(curve->SetupAddNe(out.data(), Numbers({"61", "3"}, 32).data(),
                              Numbers({"61", "9"}, 32).data()),
            ArithmeticFault::kNotInvertible);
}

TEST(WeierstrassTest, RejectsCoefficients) {
  const ModularField field = Field("61");
  EXPECT_EQ(WeierstrassCurve::Create(field, Number("61", 32)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WeierstrassCurve::Create(field, std::vector<uint8_t>(60, 1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(WeierstrassCurve::Create(field, Number("60", 48)).ok());
}

}  // namespace
}  // namespace precast::openvm
