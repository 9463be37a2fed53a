#include "openvm/primitives/modular.h"

#include <cstring>
#include <map>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "openvm/primitives/testing/vectors.h"

namespace precast::openvm {
namespace {

absl::StatusOr<ModularField> Field(absl::string_view hex) {
  auto fields = MakeModularFields({Number(hex, 48)});
  if (!fields.ok()) return fields.status();
  return std::move(fields->front());
}

TEST(ModularTest, AgreesWithPython) {
  for (const ModularVector& v : kModularVectors) {
    const auto field = Field(v.m);
    ASSERT_TRUE(field.ok()) << field.status();
    const size_t size = field->bytes();
    EXPECT_EQ(size, strlen(v.m) <= 64 ? 32u : 48u);
    const std::vector<uint8_t> a = Number(v.a, size), b = Number(v.b, size);
    std::vector<uint8_t> out(size);
    const std::string what = std::string(v.a) + " and " + v.b + " mod " + v.m;
    field->Add(out.data(), a.data(), b.data());
    EXPECT_EQ(out, Number(v.add, size)) << what;
    field->Sub(out.data(), a.data(), b.data());
    EXPECT_EQ(out, Number(v.sub, size)) << what;
    field->Mul(out.data(), a.data(), b.data());
    EXPECT_EQ(out, Number(v.mul, size)) << what;
    const std::vector<uint8_t> before = out;
    const ArithmeticFault fault = field->Div(out.data(), a.data(), b.data());
    if (v.div == std::string("-")) {
      EXPECT_EQ(fault, ArithmeticFault::kNotInvertible) << what;
      EXPECT_EQ(out, before);
    } else {
      EXPECT_EQ(fault, ArithmeticFault::kNone) << what;
      EXPECT_EQ(out, Number(v.div, size)) << what;
    }
    EXPECT_EQ(field->IsEqual(a.data(), b.data()), a == b);
  }
}

TEST(ModularTest, ProductDividedByFactor) {
  std::mt19937_64 random(1);
  for (const NonResidueVector& v : kNonResidueVectors) {
    const auto field = Field(v.m);
    ASSERT_TRUE(field.ok());
    for (int i = 0; i < 50; ++i) {
      std::vector<uint8_t> a(field->bytes()), b(field->bytes()), out(field->bytes());
      for (uint8_t& byte : a) byte = static_cast<uint8_t>(random());
      for (uint8_t& byte : b) byte = static_cast<uint8_t>(random());
      field->Mul(out.data(), a.data(), b.data());
      if (field->Div(out.data(), out.data(), b.data()) != ArithmeticFault::kNone) continue;
      std::vector<uint8_t> zero(field->bytes());
      field->Add(a.data(), a.data(), zero.data());  // reduces
      EXPECT_EQ(out, a) << v.m;
    }
  }
}

TEST(ModularTest, NonResiduesOfAProgram) {
  std::vector<std::vector<uint8_t>> moduli;
  for (const NonResidueVector& v : kNonResidueVectors) moduli.push_back(Number(v.m, 48));
  const auto fields = MakeModularFields(moduli);
  ASSERT_TRUE(fields.ok()) << fields.status();
  std::map<std::string, const ModularField*> by_modulus;
  for (size_t i = 0; i < moduli.size(); ++i) {
    const NonResidueVector& v = kNonResidueVectors[i];
    const ModularField& field = (*fields)[i];
    by_modulus[v.m] = &field;
    std::vector<uint8_t> out(field.bytes());
    EXPECT_EQ(field.HintNonQr(out.data()), ArithmeticFault::kNone);
    EXPECT_EQ(out, Number(v.nonresidue, field.bytes())) << v.m;
  }
  for (const SquareRootVector& v : kSquareRootVectors) {
    const ModularField& field = *by_modulus.at(v.m);
    std::vector<uint8_t> out(field.sqrt_hint_bytes());
    EXPECT_EQ(field.HintSqrt(out.data(), Number(v.x, field.bytes()).data()),
              ArithmeticFault::kNone);
    std::vector<uint8_t> expected = Number(v.is_square, 4);
    const std::vector<uint8_t> root = Number(v.root, field.bytes());
    expected.insert(expected.end(), root.begin(), root.end());
    EXPECT_EQ(out, expected) << v.x << " mod " << v.m;
  }
}

TEST(ModularTest, Setup) {
  const auto field = Field("ffffffff00000001");
  ASSERT_TRUE(field.ok());
  std::vector<uint8_t> out(32, 7);
  EXPECT_EQ(field->Setup(out.data(), Number("ffffffff00000003", 32).data()),
            ArithmeticFault::kWrongModulus);
  EXPECT_EQ(out, std::vector<uint8_t>(32, 7));
  EXPECT_EQ(field->Setup(out.data(), Number("ffffffff00000001", 32).data()),
            ArithmeticFault::kNone);
  EXPECT_EQ(out, std::vector<uint8_t>(32, 0));
}

TEST(ModularTest, RejectsModuli) {
  for (const absl::string_view hex :
       {"", "0", "1", "2", "100", "fffffffffffffffffffffffffffffffe"}) {
    EXPECT_EQ(Field(hex).status().code(), absl::StatusCode::kInvalidArgument) << hex;
  }
  EXPECT_EQ(MakeModularFields({std::vector<uint8_t>(49, 1)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeModularFields({std::vector<uint8_t>()}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Field("3").ok());
}

// Hints about moduli that are not prime end, with a fault or with some number; arithmetic works.
TEST(ModularTest, HintsOfCompositeModuli) {
  for (const absl::string_view hex :
       {"f", "9", "19", "51", "ffffffffffffffff", "121",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    const auto field = Field(hex);
    ASSERT_TRUE(field.ok());
    std::vector<uint8_t> out(field->sqrt_hint_bytes());
    std::vector<uint8_t> x(field->bytes());
    (void)field->HintNonQr(out.data());
    for (int i = 0; i < 40; ++i) {
      x[0] = static_cast<uint8_t>(i);
      (void)field->HintSqrt(out.data(), x.data());
    }
  }
  const auto nine = Field("9");
  std::vector<uint8_t> out(36);
  EXPECT_EQ(nine->HintNonQr(out.data()), ArithmeticFault::kNoNonResidue);
  EXPECT_EQ(nine->HintSqrt(out.data(), out.data()), ArithmeticFault::kNoNonResidue);
}

}  // namespace
}  // namespace precast::openvm
