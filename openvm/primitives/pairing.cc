#include "openvm/primitives/pairing.h"

#include <vector>

#include "absl/log/check.h"
#include "openvm/primitives/extension_tower.h"
#include "openvm/primitives/montgomery.h"

namespace precast::openvm {
namespace {

#include "openvm/primitives/pairing_constants.inc"

// 6x + 2 and -x in signed binary, bit 0 first, as OpenVM's Miller loops take them
// (`PSEUDO_BINARY_ENCODING`).
constexpr int8_t kBn254Loop[66] = {0,  0,  0,  1, 0,  1, 0,  -1, 0,  0, -1, 0, 0,  0,  1, 0, 0,
                                   -1, 0,  -1, 0, 0,  0, 1,  0,  -1, 0, 0,  0, 0,  -1, 0, 0, 1,
                                   0,  -1, 0,  0, 1,  0, 0,  0,  0,  0, -1, 0, 0,  -1, 0, 1, 0,
                                   -1, 0,  0,  0, -1, 0, -1, 0,  0,  0, 1,  0, -1, 0,  1};
constexpr int8_t kBls12381Loop[64] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1};

template <int n>
struct G2Point {
  Fp2<n> x, y;
};

// A pair on its way through the Miller loop.
template <int n>
struct Pair {
  Limbs<n> x_over_y, one_over_y;  // of the point of G1
  G2Point<n> q;
  G2Point<n> accumulator;
};

// The line 1 + b·(x/y)·w' + c·(1/y)·w'^3 of two points of G2, to be evaluated at a point of G1; w'
// is w (BN254) or 1/w (BLS12-381), which leads to 1 + b·w + c·w^3 and, times w^3, to c + b·w^2 +
// w^3.
template <int n>
struct Line {
  Fp2<n> b, c;
};

enum class Twist { kD, kM };

template <int n>
class MillerLoop {
 public:
  MillerLoop(const ExtensionTower<n>& tower, Twist twist)
      : tower_(tower), twist_(twist), f_(tower.One12()) {}

  const Fp12<n>& f() const { return f_; }
  void Conjugate() { f_ = tower_.Conjugate(f_); }

  void Square() { f_ = tower_.Square(f_); }

  // accumulator := 2·accumulator; f takes the tangent. All three: false where they would divide by
  // zero.
  bool DoubleStep(Pair<n>& pair) {
    const G2Point<n> s = pair.accumulator;
    Fp2<n> inverse;
    if (!tower_.Invert(tower_.Double(s.y), inverse)) return false;
    const Fp2<n> square = tower_.Square(s.x);
    const Fp2<n> lambda = tower_.Mul(tower_.Add(tower_.Double(square), square), inverse);
    MulByLine(pair, LineThrough(lambda, s));
    pair.accumulator = ThirdPoint(lambda, s, s.x);
    return true;
  }

  // accumulator := accumulator + q; f takes the line.
  bool AddStep(Pair<n>& pair, const G2Point<n>& q) {
    const G2Point<n> s = pair.accumulator;
    Fp2<n> inverse;
    if (!tower_.Invert(tower_.Sub(s.x, q.x), inverse)) return false;
    const Fp2<n> lambda = tower_.Mul(tower_.Sub(s.y, q.y), inverse);
    MulByLine(pair, LineThrough(lambda, s));
    pair.accumulator = ThirdPoint(lambda, q, s.x);
    return true;
  }

  // accumulator := (accumulator + q) + accumulator; f takes both lines.
  bool DoubleAndAddStep(Pair<n>& pair, const G2Point<n>& q) {
    const G2Point<n> s = pair.accumulator;
    Fp2<n> inverse;
    if (!tower_.Invert(tower_.Sub(s.x, q.x), inverse)) return false;
    const Fp2<n> lambda1 = tower_.Mul(tower_.Sub(s.y, q.y), inverse);
    const Fp2<n> x_sum = tower_.Sub(tower_.Sub(tower_.Square(lambda1), s.x), q.x);
    if (!tower_.Invert(tower_.Sub(x_sum, s.x), inverse)) return false;
    const Fp2<n> lambda2 =
        tower_.Sub(tower_.Negate(lambda1), tower_.Mul(tower_.Double(s.y), inverse));
    MulByLine(pair, LineThrough(lambda1, s));
    MulByLine(pair, LineThrough(lambda2, s));
    pair.accumulator = ThirdPoint(lambda2, s, x_sum);
    return true;
  }

  // The digits below the top two, after which accumulator and f hold what those two make of them.
  bool Run(absl::Span<const int8_t> digits, std::vector<Pair<n>>& pairs) {
    for (size_t i = digits.size() - 2; i-- > 0;) {
      Square();
      for (Pair<n>& pair : pairs) {
        bool done;
        if (digits[i] == 0) {
          done = DoubleStep(pair);
        } else {
          const Fp2<n> y = digits[i] > 0 ? pair.q.y : tower_.Negate(pair.q.y);
          done = DoubleAndAddStep(pair, {pair.q.x, y});
        }
        if (!done) return false;
      }
    }
    return true;
  }

 private:
  Line<n> LineThrough(const Fp2<n>& lambda, const G2Point<n>& s) const {
    return {tower_.Negate(lambda), tower_.Sub(tower_.Mul(lambda, s.x), s.y)};
  }
  G2Point<n> ThirdPoint(const Fp2<n>& lambda, const G2Point<n>& s, const Fp2<n>& other_x) const {
    const Fp2<n> x = tower_.Sub(tower_.Sub(tower_.Square(lambda), s.x), other_x);
    return {x, tower_.Sub(tower_.Mul(lambda, tower_.Sub(s.x, x)), s.y)};
  }
  void MulByLine(const Pair<n>& pair, const Line<n>& line) {
    const Fp2<n> b = tower_.MulBase(line.b, pair.x_over_y);
    const Fp2<n> c = tower_.MulBase(line.c, pair.one_over_y);
    f_ = twist_ == Twist::kD ? tower_.MulSparse(f_, nullptr, 1, b, 3, &c)
                             : tower_.MulSparse(f_, &c, 2, b, 3, nullptr);
  }

  const ExtensionTower<n>& tower_;
  Twist twist_;
  Fp12<n> f_;
};

template <int n>
bool LoadNumbers(const MontgomeryRing<n>& ring, const uint8_t* bytes, absl::Span<Limbs<n>> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    const Limbs<n> number = Limbs<n>::Load(bytes + 8 * n * i);
    if (!(number < ring.modulus())) return false;
    out[i] = ring.ToMontgomery(number);
  }
  return true;
}

template <int n>
ArithmeticFault LoadPairs(const MontgomeryRing<n>& ring, absl::Span<const uint8_t> g1,
                          absl::Span<const uint8_t> g2, std::vector<Pair<n>>& pairs) {
  constexpr size_t kG1Bytes = 2 * 8 * n;
  constexpr size_t kG2Bytes = 4 * 8 * n;
  CHECK_EQ(g1.size() % kG1Bytes, 0u);
  CHECK_EQ(g2.size() % kG2Bytes, 0u);
  const size_t count = g1.size() / kG1Bytes;
  if (g2.size() / kG2Bytes != count) return ArithmeticFault::kLengthsDiffer;
  std::vector<Limbs<n>> p(2 * count);
  std::vector<Limbs<n>> q(4 * count);
  if (!LoadNumbers(ring, g1.data(), absl::MakeSpan(p)) ||
      !LoadNumbers(ring, g2.data(), absl::MakeSpan(q))) {
    return ArithmeticFault::kNotCanonical;
  }
  if (count == 0) return ArithmeticFault::kNoPairs;
  for (size_t i = 0; i < count; ++i) {
    const Limbs<n>& x = p[2 * i];
    const Limbs<n>& y = p[2 * i + 1];
    const G2Point<n> point = {{q[4 * i], q[4 * i + 1]}, {q[4 * i + 2], q[4 * i + 3]}};
    if ((x.IsZero() && y.IsZero()) || (point.x.IsZero() && point.y.IsZero())) continue;
    Pair<n> pair;
    if (!ring.InvertMontgomery(y, pair.one_over_y)) return ArithmeticFault::kNotInvertible;
    pair.x_over_y = ring.Mul(x, pair.one_over_y);
    pair.q = pair.accumulator = point;
    pairs.push_back(pair);
  }
  return ArithmeticFault::kNone;
}

template <int n>
void StoreElement(const MontgomeryRing<n>& ring, const Fp12<n>& x, uint8_t* out) {
  for (int i = 0; i < 6; ++i) {
    ring.FromMontgomery(x.Coefficient(i).c0).Store(out + 8 * n * (2 * i));
    ring.FromMontgomery(x.Coefficient(i).c1).Store(out + 8 * n * (2 * i + 1));
  }
}

struct Bn254 {
  static constexpr int kLimbs = 4;
  using Tower = ExtensionTower<kLimbs>;
  using Element = Fp12<kLimbs>;

  Bn254()
      : tower(kBn254Modulus, kBn254FrobeniusExponent, 9),
        root_exponent(kBn254RootExponent),
        cube_root_exponent(kBn254CubeRootExponent) {
    unity27 = {};
    unity27.even.c[1] = {tower.ring().ToMontgomery(kBn254Unity27C0),
                         tower.ring().ToMontgomery(kBn254Unity27C1)};
    unity27_squared = tower.Square(unity27);
    Tower::PowerTable table;
    CHECK(table.Build(tower, unity27));
    unity27_cube_root_step = tower.Power(table, Tower::Exponent(kBn254UnityExponent));
    unity27_character = CubicCharacter(unity27);
  }

  bool RunMillerLoop(std::vector<Pair<kLimbs>>& pairs, Element& f) const {
    MillerLoop<kLimbs> loop(tower, Twist::kD);
    for (Pair<kLimbs>& pair : pairs) {
      if (!loop.DoubleStep(pair)) return false;
    }
    if (!loop.Run(kBn254Loop, pairs)) return false;
    // Two more lines: to pi(Q), and to -pi^2(Q), whose y is that of Q.
    const Fp2<kLimbs>& x_factor = tower.gamma(2);
    const Fp2<kLimbs> x_factor2 = tower.Mul(x_factor, tower.Conjugate(x_factor));
    for (Pair<kLimbs>& pair : pairs) {
      const Fp2<kLimbs> x = tower.Mul(tower.Conjugate(pair.q.x), x_factor);
      const Fp2<kLimbs> y = tower.Mul(tower.Conjugate(pair.q.y), tower.gamma(3));
      if (!loop.AddStep(pair, {x, y})) return false;
      if (!loop.AddStep(pair, {tower.Mul(pair.q.x, x_factor2), pair.q.y})) return false;
    }
    f = loop.f();
    return true;
  }

  // f^((p^12 - 1)/3), a cube root of unity in Fp.
  Limbs<kLimbs> CubicCharacter(const Element& f) const {
    return tower.ring().Power(tower.Norm(f), kBn254CubicExponent);
  }

  // `final_exp_hint` of bn254/final_exp.rs. False for f = 0.
  bool Hint(const Element& f, Element& c, Element& u) const {
    const MontgomeryRing<kLimbs>& ring = tower.ring();
    const Limbs<kLimbs> character = CubicCharacter(f);
    Element shifted;
    if (character == ring.one()) {
      shifted = f;
      u = tower.One12();
    } else if (ring.Mul(character, unity27_character) == ring.one()) {
      shifted = tower.Mul(f, unity27);
      u = unity27;
    } else {
      shifted = tower.Mul(f, unity27_squared);
      u = unity27_squared;
    }
    Tower::PowerTable table;
    if (!table.Build(tower, shifted)) return false;
    const Element cube = tower.Power(table, root_exponent);  // what to take the cube root of
    Element root = tower.Power(table, cube_root_exponent);   // that, up to a root of unity
    Element inverse;
    if (!tower.Invert(cube, inverse)) return false;
    // Tonelli and Shanks for cubes. root^3/cube has order 3^t, t <= 2: three steps at most of each
    // order.
    while (true) {
      Element rest = tower.Mul(tower.Mul(tower.Square(root), root), inverse);
      if (rest == tower.One12()) break;
      root = tower.Mul(root, unity27_cube_root_step);
    }
    c = root;
    return true;
  }

  Tower tower;
  Tower::Exponent root_exponent;
  Tower::Exponent cube_root_exponent;
  Element unity27;
  Element unity27_squared;
  Element unity27_cube_root_step;
  Limbs<kLimbs> unity27_character;
};

struct Bls12381 {
  static constexpr int kLimbs = 6;
  using Tower = ExtensionTower<kLimbs>;
  using Element = Fp12<kLimbs>;

  Bls12381()
      : tower(kBls12381Modulus, kBls12381FrobeniusExponent, 1),
        final_exponent(kBls12381FinalExponent),
        lambda_inverse(kBls12381LambdaInverse) {}

  bool RunMillerLoop(std::vector<Pair<kLimbs>>& pairs, Element& f) const {
    MillerLoop<kLimbs> loop(tower, Twist::kM);
    for (Pair<kLimbs>& pair : pairs) {
      if (!loop.DoubleStep(pair) || !loop.AddStep(pair, pair.q)) return false;
    }
    if (!loop.Run(kBls12381Loop, pairs)) return false;
    loop.Conjugate();  // x is negative
    f = loop.f();
    return true;
  }

  // `final_exp_hint` of bls12_381/final_exp.rs. False for f = 0.
  bool Hint(const Element& f, Element& c, Element& s) const {
    Tower::PowerTable table;
    if (!table.Build(tower, f)) return false;
    const Element f_final = tower.Power(table, final_exponent);
    // The part of the order that divides (1 - x)/3, and the one that divides 27.
    s = tower.One12();
    Element root = tower.Power(f_final, 27);
    if (!(root == tower.One12())) {
      if (!tower.Invert(tower.Power(root, kBls12381PolyInverse), s)) return false;
    }
    root = tower.Power(f_final, kBls12381PolyFactor);
    if (tower.Power(root, 27) == tower.One12()) {
      Element inverse;
      if (!tower.Invert(tower.Power(root, 10), inverse)) return false;
      s = tower.Mul(s, inverse);
    }
    if (!table.Build(tower, tower.Mul(f, s))) return false;
    c = tower.Power(table, lambda_inverse);
    return true;
  }

  Tower tower;
  Tower::Exponent final_exponent;
  Tower::Exponent lambda_inverse;
};

template <typename Curve>
ArithmeticFault Compute(absl::Span<const uint8_t> g1, absl::Span<const uint8_t> g2,
                        absl::Span<uint8_t> out) {
  static const Curve* const curve = new Curve();
  constexpr int n = Curve::kLimbs;
  CHECK_EQ(out.size(), size_t{2 * 12 * 8 * n});
  std::vector<Pair<n>> pairs;
  const ArithmeticFault fault = LoadPairs(curve->tower.ring(), g1, g2, pairs);
  if (fault != ArithmeticFault::kNone) return fault;
  Fp12<n> f, c, u;
  if (!curve->RunMillerLoop(pairs, f) || !curve->Hint(f, c, u)) {
    return ArithmeticFault::kNotInvertible;
  }
  StoreElement(curve->tower.ring(), c, out.data());
  StoreElement(curve->tower.ring(), u, out.data() + out.size() / 2);
  return ArithmeticFault::kNone;
}

}  // namespace

ArithmeticFault PairingFinalExpHint(PairingCurve curve, absl::Span<const uint8_t> g1,
                                    absl::Span<const uint8_t> g2, absl::Span<uint8_t> out) {
  if (curve == PairingCurve::kBn254) return Compute<Bn254>(g1, g2, out);
  return Compute<Bls12381>(g1, g2, out);
}

}  // namespace precast::openvm
