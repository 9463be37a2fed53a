// The modular instructions of OpenVM (`addmod` … `hint_sqrt`) for one modulus of the guest's
// `.openvm` section.
#ifndef PRECAST_OPENVM_PRIMITIVES_MODULAR_H_
#define PRECAST_OPENVM_PRIMITIVES_MODULAR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/primitives/arithmetic_fault.h"
#include "openvm/primitives/chacha12.h"
#include "openvm/primitives/montgomery.h"

namespace precast::openvm {

// Numbers are little-endian and have bytes() bytes in guest memory: 32 for a modulus of up to 256
// bits, 48 for up to 384. An operand that is not less than the modulus is reduced first, and every
// result is reduced (extensions/algebra/circuit/src/fields.rs, `from_repr_with_reduction`, and
// crates/circuits/mod-builder/src/symbolic_expr.rs, `compute`, of openvm-org/openvm). `out` may
// overlap the operands in any way. Immutable; for use from any thread.
class ModularField {
 public:
  // The modulus as little-endian bytes, with or without zeros above. InvalidArgument for one that
  // is even, less than 3, or longer than 384 bits. It need not be prime.
  //
  // The nonresidue of a modulus that is 1 modulo 8 is drawn from `rng`, from which OpenVM draws for
  // all of a program's moduli in their order; MakeModularFields does that.
  static absl::StatusOr<ModularField> Create(absl::Span<const uint8_t> modulus, ChaCha12Rng& rng);

  size_t bytes() const { return bytes_; }
  bool IsModulus(const uint8_t* number) const;

  void Add(uint8_t* out, const uint8_t* a, const uint8_t* b) const;
  void Sub(uint8_t* out, const uint8_t* a, const uint8_t* b) const;
  void Mul(uint8_t* out, const uint8_t* a, const uint8_t* b) const;
  // a/b. kNotInvertible also for 0/0: OpenVM ends the execution (`invert().unwrap()`).
  ArithmeticFault Div(uint8_t* out, const uint8_t* a, const uint8_t* b) const;

  // `iseqmod`, and `setup` of it (rs2 field 2; its second operand is then what x0 points to:
  // address 0). The bytes are compared as they are, without reduction and, in setup too, without a
  // look at the modulus (extensions/algebra/circuit/src/modular_chip/is_eq.rs).
  bool IsEqual(const uint8_t* a, const uint8_t* b) const;

  // `setup` of add/sub and of mul/div (rs2 field 0 and 1): `a` must be the modulus, and a mod m,
  // which is zero, is written (extensions/algebra/circuit/src/execution.rs,
  // `execute_e12_setup_impl`).
  ArithmeticFault Setup(uint8_t* out, const uint8_t* a) const;

  // What `hint_non_qr` makes the hint stream: bytes() bytes
  // (extensions/algebra/circuit/src/extension/modular.rs, `find_non_qr`): m - 1 for m = 3 modulo 4,
  // 2 for m = 5 modulo 8, else the first nonresidue of the random stream.
  ArithmeticFault HintNonQr(uint8_t* out) const;

  // What `hint_sqrt` makes it: 4 + bytes() bytes: u32 1 and a root of x, or u32 0 and a root of
  // x·nonresidue. Which of the two roots is part of the contract (`mod_sqrt`, same file:
  // x^((m+1)/4), or Tonelli and Shanks with the nonresidue).
  ArithmeticFault HintSqrt(uint8_t* out, const uint8_t* x) const;
  size_t sqrt_hint_bytes() const { return 4 + bytes_; }

  // Calls `visitor` with the ring of 4 or 6 limbs.
  template <typename Visitor>
  __attribute__((always_inline)) auto Visit(Visitor&& visitor) const {
    if (const auto* small = std::get_if<MontgomeryRing<4>>(&ring_)) return visitor(*small);
    return visitor(*std::get_if<MontgomeryRing<6>>(&ring_));
  }

 private:
  using Ring = std::variant<MontgomeryRing<4>, MontgomeryRing<6>>;

  ModularField(size_t bytes, Ring ring) : bytes_(bytes), ring_(std::move(ring)) {}

  size_t bytes_;
  Ring ring_;
  // In Montgomery form, of 4 or 6 limbs; nullopt when none was found.
  std::optional<Limbs<6>> nonresidue_;
};

// One field per modulus, in the order of the `.openvm` section, which the nonresidues depend on.
absl::StatusOr<std::vector<ModularField>> MakeModularFields(
    absl::Span<const std::vector<uint8_t>> moduli);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_MODULAR_H_
