// The virtual machine that an OpenVM guest was built for: which extensions it has, and their
// parameters. Comes from an `openvm.toml` or from the guest's `.openvm` section; the image keeps it
// as text.
//
// Source of fact: openvm-org/openvm, crates/sdk-config (`app_vm_config` tables) and docs
// "Customizing extensions".
#ifndef PRECAST_OPENVM_CONFIG_H_
#define PRECAST_OPENVM_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/pairing_curve.h"

namespace precast::openvm {

// Numbers are little-endian bytes without trailing zero bytes.
using Number = std::vector<uint8_t>;

// Bytes of one field element as the guest sees it: 32, or 48 for larger moduli.
inline uint32_t FieldBytes(const Number& modulus) { return modulus.size() <= 32 ? 32 : 48; }

// y² = x³ + a·x + b over the integers modulo `modulus`.
struct Curve {
  std::string name;  // "Secp256k1Point"; for reports only
  Number modulus, scalar, a, b;
  friend bool operator==(const Curve&, const Curve&) = default;
};

struct Config {
  static constexpr uint32_t kDefaultMemoryBits = 29;
  static constexpr uint32_t kDefaultPublicValues = 32;

  uint32_t memory_bits = kDefaultMemoryBits;  // the guest's memory is 2^memory_bits bytes; 12 … 32
  uint32_t public_values = kDefaultPublicValues;  // bytes, 8 · 2^k
  // Names of extensions (Extension::name()), sorted; empty: whatever the guest's instructions need.
  std::vector<std::string> extensions;
  std::vector<Number> moduli;  // by index
  std::vector<Number>
      fp2_moduli;  // fields that have an Fp2; the index in instructions is that in `fp2_moduli`
  std::vector<Curve> curves;  // by index
  std::vector<PairingCurve> pairings;
  uint32_t deferrals = 0;  // number of deferred functions

  friend bool operator==(const Config&, const Config&) = default;
};

// The canonical text of a configuration: what images keep, and part of their identity. One line per
// item.
std::string ToText(const Config& config);
// InvalidArgument, naming line, what was expected and what was found.
absl::StatusOr<Config> FromText(std::string_view text);

// The moduli that a guest's ELF section `.openvm` lists: records of a kind (1: modulus), an index,
// a size (u32, little-endian) and the number's bytes, little-endian. InvalidArgument, naming the
// offset.
absl::StatusOr<std::vector<Number>> ParseGuestSection(absl::Span<const uint8_t> section);

// "0x…" or decimal digits.
absl::StatusOr<Number> ParseNumber(std::string_view text);
// "0x…", lower case, without leading zeros.
std::string FormatNumber(const Number& number);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_CONFIG_H_
