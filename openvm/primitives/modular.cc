#include "openvm/primitives/modular.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace precast::openvm {
namespace {

template <int n>
Limbs<n> Half(const Limbs<n>& x) {
  Limbs<n> result;
  for (int i = 0; i < n; ++i) {
    result.limb[i] = x.limb[i] >> 1 | (i + 1 < n ? x.limb[i + 1] << 63 : 0);
  }
  return result;
}

template <int n>
Limbs<n> AddSmall(const Limbs<n>& x, uint64_t small) {
  Limbs<n> result;
  AddLimbs(result, x, Limbs<n>{small});
  return result;
}

template <int n>
Limbs<n> SubSmall(const Limbs<n>& x, uint64_t small) {
  Limbs<n> result;
  SubLimbs(result, x, Limbs<n>{small});
  return result;
}

// `find_non_qr` of openvm-org/openvm, in Montgomery form. OpenVM searches for ever where there is
// none: a modulus that is not prime.
template <int n>
std::optional<Limbs<n>> FindNonResidue(const MontgomeryRing<n>& ring, ChaCha12Rng& rng) {
  const Limbs<n>& modulus = ring.modulus();
  const Limbs<n> minus_one = ring.Negate(ring.one());
  if (modulus.limb[0] % 4 == 3) return minus_one;
  if (modulus.limb[0] % 8 == 5) return ring.Double(ring.one());
  const Limbs<n> range = SubSmall(modulus, 3);  // m >= 9
  const Limbs<n> exponent = Half(modulus);
  const size_t size = static_cast<size_t>(modulus.BitWidth() + 7) / 8;
  constexpr int kCandidates = 256;  // for a prime, each is one with probability 1/2
  constexpr int kDraws = 256 * kCandidates;
  int candidates = 0;
  for (int draw = 0; draw < kDraws && candidates < kCandidates; ++draw) {
    uint8_t bytes[8 * n] = {};
    rng.FillBytes(absl::MakeSpan(bytes, size));
    std::reverse(bytes, bytes + size);
    const Limbs<n> value = Limbs<n>::Load(bytes);
    if (!(value < range)) continue;
    ++candidates;
    const Limbs<n> candidate = ring.ToMontgomery(AddSmall(value, 2));
    if (ring.Power(candidate, exponent) == minus_one) return candidate;
  }
  return std::nullopt;
}

// `mod_sqrt` of openvm-org/openvm; all in Montgomery form.
template <int n>
std::optional<Limbs<n>> SquareRoot(const MontgomeryRing<n>& ring, const Limbs<n>& x,
                                   const Limbs<n>& nonresidue) {
  const Limbs<n>& modulus = ring.modulus();
  if (modulus.limb[0] % 4 == 3) {
    // (m + 1)/4 without the carry that m + 1 may have.
    const Limbs<n> root = ring.Power(x, AddSmall(Half(Half(modulus)), 1));
    if (ring.Square(root) == x) return root;
    return std::nullopt;
  }
  // Tonelli and Shanks: m - 1 = q·2^s.
  Limbs<n> q = SubSmall(modulus, 1);
  int s = 0;
  for (; q.limb[0] % 2 == 0; ++s) q = Half(q);
  int m = s;
  Limbs<n> c = ring.Power(nonresidue, q);
  Limbs<n> t = ring.Power(x, q);
  Limbs<n> r = ring.Power(x, AddSmall(Half(q), 1));
  while (true) {
    if (t.IsZero()) return Limbs<n>{};
    if (t == ring.one()) return r;
    int i = 0;
    for (Limbs<n> power = t; i < m && !(power == ring.one()); ++i) power = ring.Square(power);
    if (i == m) return std::nullopt;
    for (int j = 0; j < m - i - 1; ++j) c = ring.Square(c);
    const Limbs<n> b = c;
    m = i;
    c = ring.Square(b);
    t = ring.Mul(t, c);
    r = ring.Mul(r, b);
  }
}

}  // namespace

absl::StatusOr<ModularField> ModularField::Create(absl::Span<const uint8_t> modulus,
                                                  ChaCha12Rng& rng) {
  size_t size = modulus.size();
  while (size > 0 && modulus[size - 1] == 0) --size;
  if (size > 48) {
    return absl::InvalidArgumentError(
        absl::StrFormat("modulus: has %u bytes; expected at most 48", size));
  }
  if (size == 0 || modulus[0] % 2 == 0 || (size == 1 && modulus[0] == 1)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("modulus: %s; expected an odd number greater than 1",
                        size == 0 ? "0" : (modulus[0] % 2 == 0 ? "an even number" : "1")));
  }
  uint8_t bytes[48] = {};
  std::memcpy(bytes, modulus.data(), size);
  const auto make = [&]<int n>(MontgomeryRing<n> ring) {
    const std::optional<Limbs<n>> nonresidue = FindNonResidue(ring, rng);
    ModularField field(8 * n, std::move(ring));
    if (nonresidue.has_value()) {
      field.nonresidue_.emplace();
      std::memcpy(field.nonresidue_->limb, nonresidue->limb, sizeof(nonresidue->limb));
    }
    return field;
  };
  if (size <= 32) return make(MontgomeryRing<4>(Limbs<4>::Load(bytes)));
  return make(MontgomeryRing<6>(Limbs<6>::Load(bytes)));
}

bool ModularField::IsModulus(const uint8_t* number) const {
  return Visit([number]<int n>(const MontgomeryRing<n>& ring) {
    return Limbs<n>::Load(number) == ring.modulus();
  });
}

void ModularField::Add(uint8_t* out, const uint8_t* a, const uint8_t* b) const {
  Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    ring.Add(ring.Reduce(Limbs<n>::Load(a)), ring.Reduce(Limbs<n>::Load(b))).Store(out);
  });
}

void ModularField::Sub(uint8_t* out, const uint8_t* a, const uint8_t* b) const {
  Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    ring.Sub(ring.Reduce(Limbs<n>::Load(a)), ring.Reduce(Limbs<n>::Load(b))).Store(out);
  });
}

void ModularField::Mul(uint8_t* out, const uint8_t* a, const uint8_t* b) const {
  Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    ring.Mul(ring.ToMontgomery(Limbs<n>::Load(a)), Limbs<n>::Load(b)).Store(out);
  });
}

ArithmeticFault ModularField::Div(uint8_t* out, const uint8_t* a, const uint8_t* b) const {
  return Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    Limbs<n> inverse;
    if (!ring.Invert(ring.Reduce(Limbs<n>::Load(b)), inverse)) {
      return ArithmeticFault::kNotInvertible;
    }
    ring.Mul(ring.ToMontgomery(Limbs<n>::Load(a)), inverse).Store(out);
    return ArithmeticFault::kNone;
  });
}

bool ModularField::IsEqual(const uint8_t* a, const uint8_t* b) const {
  return std::memcmp(a, b, bytes_) == 0;
}

ArithmeticFault ModularField::Setup(uint8_t* out, const uint8_t* a) const {
  if (!IsModulus(a)) return ArithmeticFault::kWrongModulus;
  std::memset(out, 0, bytes_);
  return ArithmeticFault::kNone;
}

ArithmeticFault ModularField::HintNonQr(uint8_t* out) const {
  if (!nonresidue_.has_value()) return ArithmeticFault::kNoNonResidue;
  Visit([this, out]<int n>(const MontgomeryRing<n>& ring) {
    Limbs<n> nonresidue;
    std::memcpy(nonresidue.limb, nonresidue_->limb, sizeof(nonresidue.limb));
    ring.FromMontgomery(nonresidue).Store(out);
  });
  return ArithmeticFault::kNone;
}

ArithmeticFault ModularField::HintSqrt(uint8_t* out, const uint8_t* x_bytes) const {
  if (!nonresidue_.has_value()) return ArithmeticFault::kNoNonResidue;
  return Visit([this, out, x_bytes]<int n>(const MontgomeryRing<n>& ring) {
    Limbs<n> nonresidue;
    std::memcpy(nonresidue.limb, nonresidue_->limb, sizeof(nonresidue.limb));
    const Limbs<n> x = ring.ToMontgomery(Limbs<n>::Load(x_bytes));
    uint32_t is_square = 1;
    std::optional<Limbs<n>> root = SquareRoot(ring, x, nonresidue);
    if (!root.has_value()) {
      is_square = 0;
      root = SquareRoot(ring, ring.Mul(x, nonresidue), nonresidue);
    }
    if (!root.has_value()) return ArithmeticFault::kNoSquareRoot;
    std::memcpy(out, &is_square, sizeof(is_square));
    ring.FromMontgomery(*root).Store(out + sizeof(is_square));
    return ArithmeticFault::kNone;
  });
}

absl::StatusOr<std::vector<ModularField>> MakeModularFields(
    absl::Span<const std::vector<uint8_t>> moduli) {
  // The seed of extensions/algebra/circuit/src/extension/modular.rs, `NonQrHintSubEx::new`.
  const uint8_t seed[32] = {};
  ChaCha12Rng rng(seed);
  std::vector<ModularField> fields;
  fields.reserve(moduli.size());
  for (size_t i = 0; i < moduli.size(); ++i) {
    absl::StatusOr<ModularField> field = ModularField::Create(moduli[i], rng);
    if (!field.ok()) {
      return absl::Status(field.status().code(),
                          absl::StrFormat("modulus %u: %s", i, field.status().message()));
    }
    fields.push_back(*std::move(field));
  }
  return fields;
}

}  // namespace precast::openvm
