// The shapes of the expected results in vectors.inc, and how to read them.
#ifndef PRECAST_OPENVM_PRIMITIVES_TESTING_VECTORS_H_
#define PRECAST_OPENVM_PRIMITIVES_TESTING_VECTORS_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "openvm/primitives/pairing.h"

namespace precast::openvm {

struct HashVector {
  const char *message, *sha3_256, *sha256, *sha512;
};
struct IntegerVector {
  const char *a, *b, *add, *sub, *bit_xor, *bit_or, *bit_and, *sll, *srl, *sra, *slt, *sltu, *mul;
  const char* eq;
};
struct ModularVector {
  const char *m, *a, *b, *add, *sub, *mul, *div;
};
struct NonResidueVector {
  const char *m, *nonresidue;
};
struct SquareRootVector {
  const char *m, *x, *is_square, *root;
};
struct ComplexVector {
  const char *m, *a0, *a1, *b0, *b1, *add0, *add1, *sub0, *sub1, *mul0, *mul1, *div0, *div1;
};
struct CurveVector {
  const char *m, *a, *b, *px, *py, *qx, *qy, *sum_x, *sum_y, *twice_x, *twice_y, *on_curve;
};
struct PairingVector {
  PairingCurve curve;
  const char *g1, *g2, *hint;
  bool is_one;
};

// NOLINTNEXTLINE: data, in the namespace of its types.
#include "openvm/primitives/testing/vectors.inc"

// A hexadecimal number as `size` little-endian bytes.
inline std::vector<uint8_t> Number(absl::string_view hex, size_t size) {
  std::vector<uint8_t> result(size);
  for (size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[hex.size() - 1 - i];
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    result.at(i / 2) = static_cast<uint8_t>(result[i / 2] | digit << (4 * (i % 2)));
  }
  return result;
}

// Several of them, one after the other.
inline std::vector<uint8_t> Numbers(std::initializer_list<absl::string_view> list, size_t size) {
  std::vector<uint8_t> result;
  for (const absl::string_view hex : list) {
    const std::vector<uint8_t> number = Number(hex, size);
    result.insert(result.end(), number.begin(), number.end());
  }
  return result;
}

// Bytes written in hexadecimal.
inline std::vector<uint8_t> Bytes(absl::string_view hex) {
  std::string bytes;
  CHECK(absl::HexStringToBytes(hex, &bytes));
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_TESTING_VECTORS_H_
