#include "openvm/field_expression.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/numeric/bits.h"

namespace precast::openvm {
namespace {

constexpr uint32_t kLimbBits = 8;
constexpr uint64_t kLimbMax = (1 << kLimbBits) - 1;
// ExprBuilder::new: min(MODULUS_BITS - limb_bits - 2, bits of the range checker); 31 and 17 bits.
constexpr uint32_t kMaxCarryBits = 17;

// A number, little-endian bytes without trailing zeros.
Number Trim(Number n) {
  while (!n.empty() && n.back() == 0) n.pop_back();
  return n;
}

Number Plus(const Number& a, const Number& b) {
  Number sum(std::max(a.size(), b.size()) + 1);
  uint32_t carry = 0;
  for (size_t i = 0; i < sum.size(); ++i) {
    carry += (i < a.size() ? a[i] : 0u) + (i < b.size() ? b[i] : 0u);
    sum[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  return Trim(std::move(sum));
}

Number Times(const Number& a, const Number& b) {
  Number product(a.size() + b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    uint32_t carry = 0;
    for (size_t j = 0; j < b.size(); ++j) {
      carry += product[i + j] + uint32_t{a[i]} * b[j];
      product[i + j] = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
    product[i + b.size()] = static_cast<uint8_t>(carry);
  }
  return Trim(std::move(product));
}

bool Less(const Number& a, const Number& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}
const Number& Greater(const Number& a, const Number& b) { return Less(a, b) ? b : a; }

// 2^bits - 1.
Number AllOnes(uint32_t bits) {
  Number n(bits / 8, 0xff);
  if (bits % 8 != 0) n.push_back(static_cast<uint8_t>((1 << bits % 8) - 1));
  return n;
}

uint32_t BitsOf(const Number& n) {
  return n.empty() ? 0 : static_cast<uint32_t>(8 * (n.size() - 1) + absl::bit_width(n.back()));
}

// Bits of ceil(a / b): the least n with a <= (2^n - 1) · b.
uint32_t BitsOfQuotient(const Number& a, const Number& b) {
  uint32_t bits = BitsOf(a) > BitsOf(b) ? BitsOf(a) - BitsOf(b) : 0;
  while (Less(Times(AllOnes(bits), b), a)) ++bits;
  return bits;
}

uint32_t LimbsOf(uint32_t bits) { return (bits + kLimbBits - 1) / kLimbBits; }

// get_carry_max_abs_and_bits of log2_ceil of the greatest limb.
uint32_t CarryBits(uint64_t limb_max) {
  return static_cast<uint32_t>(absl::bit_width(limb_max - 1)) - kLimbBits + 1;
}

// FieldVariable and SymbolicExpr in one: what the rules ask of an expression, without the
// expression itself.
struct Expr {
  Number positive, negative;  // max_abs: its value is in [-negative, positive]
  uint32_t limbs = 0;
  uint64_t limb_max = 0;  // of a limb's absolute value
  bool is_variable = false;
};

class Builder {
 public:
  explicit Builder(const Number& modulus)
      : modulus_(modulus), limbs_(FieldBytes(modulus)), proper_max_(AllOnes(limbs_ * kLimbBits)) {}

  Expr Input() {
    ++inputs_;
    return Canonical(false);
  }
  // new_var and from_var: whoever calls this calls Constrain for it.
  Expr Variable() {
    ++variables_;
    return Canonical(true);
  }
  Expr Constant(const Number& value) const {
    return {.positive = value, .negative = {}, .limbs = limbs_, .limb_max = kLimbMax};
  }
  void Flag() { ++flags_; }

  // The operands are saved to variables where the result would overflow.
  Expr Add(Expr& a, Expr& b) { return Guarded(a, b, &Builder::Sum); }
  Expr Sub(Expr& a, Expr& b) { return Guarded(a, b, &Builder::Difference); }
  Expr Mul(Expr& a, Expr& b) { return Guarded(a, b, &Builder::Product); }
  Expr Square(Expr& a) {
    SaveIfOverflow(a, Product(a, a));
    return Product(a, a);
  }
  Expr IntMul(Expr& a, uint8_t factor) {
    SaveIfOverflow(a, Multiple(a, factor));
    return Multiple(a, factor);
  }
  Expr Div(Expr& a, Expr& b) {
    const Expr quotient = Canonical(true);
    auto constraint = [&] { return Difference(Product(b, quotient), a); };
    if (Overflows(constraint())) Save(a);
    if (Overflows(constraint())) Save(b);
    ++variables_;
    Constrain(constraint());
    return quotient;
  }
  static Expr Select(const Expr& a, const Expr& b) {
    return {.positive = Greater(a.positive, b.positive),
            .negative = Greater(a.negative, b.negative),
            .limbs = std::max(a.limbs, b.limbs),
            .limb_max = std::max(a.limb_max, b.limb_max)};
  }
  void Save(Expr& a) {
    if (a.is_variable) return;
    const Expr variable = Variable();
    Constrain(Difference(a, variable));
    a = variable;
  }
  // set_constraint: `constraint` is a multiple of the modulus.
  void Constrain(const Expr& constraint) {
    const uint32_t quotient = QuotientLimbs(constraint);
    quotient_limbs_ += quotient;
    carry_limbs_ += std::max(constraint.limbs, quotient + LimbsOf(BitsOf(modulus_)) - 1);
  }

  // FieldExpr::width; FieldExpr::eval checks quotients, carries and variables.
  FieldExpressionCost Cost() const {
    const uint32_t flags = std::max(flags_, 1u);  // finalize: one for the setup opcode
    return {.columns = limbs_ * (inputs_ + variables_) + quotient_limbs_ + carry_limbs_ + flags + 1,
            .interactions = limbs_ * variables_ + quotient_limbs_ + carry_limbs_};
  }

 private:
  Expr Canonical(bool is_variable) const {
    return {.positive = proper_max_,
            .negative = {},
            .limbs = limbs_,
            .limb_max = kLimbMax,
            .is_variable = is_variable};
  }

  static Expr Sum(const Expr& a, const Expr& b) {
    return {.positive = Plus(a.positive, b.positive),
            .negative = Plus(a.negative, b.negative),
            .limbs = std::max(a.limbs, b.limbs),
            .limb_max = a.limb_max + b.limb_max};
  }
  static Expr Difference(const Expr& a, const Expr& b) {
    return {.positive = Plus(a.positive, b.negative),
            .negative = Plus(a.negative, b.positive),
            .limbs = std::max(a.limbs, b.limbs),
            .limb_max = a.limb_max + b.limb_max};
  }
  static Expr Product(const Expr& a, const Expr& b) {
    return {.positive = Greater(Times(a.positive, b.positive), Times(a.negative, b.negative)),
            .negative = Greater(Times(a.positive, b.negative), Times(a.negative, b.positive)),
            .limbs = a.limbs + b.limbs - 1,
            .limb_max = a.limb_max * b.limb_max * std::min(a.limbs, b.limbs)};
  }
  static Expr Multiple(const Expr& a, uint8_t factor) {
    return {.positive = Times(a.positive, {factor}),
            .negative = Times(a.negative, {factor}),
            .limbs = a.limbs,
            .limb_max = a.limb_max * factor};
  }

  Expr Guarded(Expr& a, Expr& b, Expr (*result)(const Expr&, const Expr&)) {
    SaveIfOverflow(a, result(a, b));
    SaveIfOverflow(b, result(a, b));
    return result(a, b);
  }
  void SaveIfOverflow(Expr& a, const Expr& result) {
    if (!a.is_variable && Overflows(Difference(result, Canonical(true)))) Save(a);
  }
  // Whether a carry of constraint - q·p may be too large.
  bool Overflows(const Expr& constraint) const {
    const uint64_t products = std::min(QuotientLimbs(constraint), limbs_);
    return CarryBits(constraint.limb_max + kLimbMax * kLimbMax * products) > kMaxCarryBits;
  }
  // constraint_limbs.
  uint32_t QuotientLimbs(const Expr& constraint) const {
    return LimbsOf(BitsOfQuotient(Greater(constraint.positive, constraint.negative), modulus_));
  }

  const Number& modulus_;
  const uint32_t limbs_;
  const Number proper_max_;
  uint32_t inputs_ = 0, variables_ = 0, flags_ = 0, quotient_limbs_ = 0, carry_limbs_ = 0;
};

// extensions/algebra/circuit/src/fp2.rs
struct Fp2 {
  Expr c0, c1;
};
Fp2 InputFp2(Builder& b) {
  Expr c0 = b.Input();
  return {std::move(c0), b.Input()};
}

}  // namespace

// algebra/circuit/src/modular_chip/addsub.rs
FieldExpressionCost ModularAddSubCost(const Number& modulus) {
  if (modulus.empty()) return {};
  Builder b(modulus);
  Expr x1 = b.Input(), x2 = b.Input();
  const Expr x3 = b.Add(x1, x2), x4 = b.Sub(x1, x2);
  b.Flag();
  b.Flag();
  Expr x6 = Builder::Select(x3, Builder::Select(x4, x1));
  b.Save(x6);
  return b.Cost();
}

// algebra/circuit/src/modular_chip/muldiv.rs
FieldExpressionCost ModularMulDivCost(const Number& modulus) {
  if (modulus.empty()) return {};
  Builder b(modulus);
  const Expr x = b.Input();
  Expr y = b.Input();
  const Expr z = b.Variable();
  b.Flag();
  b.Flag();
  Expr left = Builder::Select(x, z), right = Builder::Select(z, x);
  Expr product = b.Mul(left, y);
  b.Constrain(b.Sub(product, right));
  return b.Cost();
}

// algebra/circuit/src/fp2_chip/addsub.rs
FieldExpressionCost Fp2AddSubCost(const Number& modulus) {
  if (modulus.empty()) return {};
  Builder b(modulus);
  Fp2 x = InputFp2(b), y = InputFp2(b);
  const Fp2 sum = {b.Add(x.c0, y.c0), b.Add(x.c1, y.c1)};
  const Fp2 difference = {b.Sub(x.c0, y.c0), b.Sub(x.c1, y.c1)};
  b.Flag();
  b.Flag();
  Expr c0 = Builder::Select(sum.c0, Builder::Select(difference.c0, x.c0));
  Expr c1 = Builder::Select(sum.c1, Builder::Select(difference.c1, x.c1));
  b.Save(c0);
  b.Save(c1);
  return b.Cost();
}

// algebra/circuit/src/fp2_chip/muldiv.rs
FieldExpressionCost Fp2MulDivCost(const Number& modulus) {
  if (modulus.empty()) return {};
  Builder b(modulus);
  const Fp2 x = InputFp2(b);
  Fp2 y = InputFp2(b);
  b.Flag();
  b.Flag();
  const Expr z0 = b.Variable(), z1 = b.Variable();
  Fp2 left = {Builder::Select(x.c0, z0), Builder::Select(x.c1, z1)};
  Fp2 right = {Builder::Select(z0, x.c0), Builder::Select(z1, x.c1)};
  Expr p00 = b.Mul(left.c0, y.c0), p11 = b.Mul(left.c1, y.c1);
  Expr c0 = b.Sub(p00, p11);
  Expr p01 = b.Mul(left.c0, y.c1), p10 = b.Mul(left.c1, y.c0);
  Expr c1 = b.Add(p01, p10);
  const Expr constraint0 = b.Sub(c0, right.c0), constraint1 = b.Sub(c1, right.c1);
  b.Constrain(constraint0);
  b.Constrain(constraint1);
  return b.Cost();
}

namespace {

// Of the line's slope `lambda` through (x1, y1): x3 = lambda² - sum, y3 = lambda·(x1 - x3) - y1.
FieldExpressionCost FinishPoint(Builder& b, Expr lambda, Expr x3, Expr x1, Expr y1) {
  b.Save(x3);
  Expr difference = b.Sub(x1, x3);
  Expr product = b.Mul(lambda, difference);
  Expr y3 = b.Sub(product, y1);
  b.Save(y3);
  return b.Cost();
}

}  // namespace

// ecc/circuit/src/weierstrass_chip/add_ne/mod.rs. Each operand of an expression is a copy there:
// what is saved for one expression is not saved for the next.
FieldExpressionCost EcAddNeCost(const Number& modulus) {
  if (modulus.empty()) return {};
  Builder b(modulus);
  const Expr x1 = b.Input(), y1 = b.Input(), x2 = b.Input(), y2 = b.Input();
  Expr ya = y2, yb = y1, xa = x2, xb = x1;
  Expr numerator = b.Sub(ya, yb), denominator = b.Sub(xa, xb);
  Expr lambda = b.Div(numerator, denominator);
  Expr square = b.Square(lambda), subtrahend = x1;
  Expr partial = b.Sub(square, subtrahend);
  Expr other = x2;
  return FinishPoint(b, lambda, b.Sub(partial, other), x1, y1);
}

// ecc/circuit/src/weierstrass_chip/double/mod.rs
FieldExpressionCost EcDoubleCost(const Number& modulus, const Number& a) {
  if (modulus.empty()) return {};
  Builder b(modulus);
  Expr x1 = b.Input(), y1 = b.Input();
  Expr constant = b.Constant(a);
  b.Flag();
  Expr denominator = Builder::Select(b.IntMul(y1, 2), b.Constant({1}));
  Expr square = b.Square(x1);
  Expr triple = b.IntMul(square, 3);
  Expr numerator = b.Add(triple, constant);
  Expr lambda = b.Div(numerator, denominator);
  Expr lambda_square = b.Square(lambda), twice = b.IntMul(x1, 2);
  return FinishPoint(b, lambda, b.Sub(lambda_square, twice), x1, y1);
}

}  // namespace precast::openvm
