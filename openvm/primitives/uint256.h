// The 256-bit integer instructions of OpenVM, inline so that an executor's loop holds no calls.
// Native code has its own lowering to carry chains; this is what it must equal.
#ifndef PRECAST_OPENVM_PRIMITIVES_UINT256_H_
#define PRECAST_OPENVM_PRIMITIVES_UINT256_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace precast::openvm {

static_assert(std::endian::native == std::endian::little);

inline constexpr size_t kUint256Bytes = 32;

// A number of 256 bits, least significant limb first; in guest memory 32 bytes, little-endian.
// Signed operations read it as two's complement. Semantics:
// extensions/bigint/circuit/src/{base_alu,shift,common,mult}.rs of openvm-org/openvm. All results
// are modulo 2^256; no operation fails.
struct Uint256 {
  uint64_t limb[4];

  static Uint256 Load(const uint8_t* bytes) {
    Uint256 result;
    std::memcpy(result.limb, bytes, kUint256Bytes);
    return result;
  }
  void Store(uint8_t* bytes) const { std::memcpy(bytes, limb, kUint256Bytes); }
};

inline Uint256 Add256(const Uint256& a, const Uint256& b) {
  Uint256 r;
  unsigned __int128 carry = 0;
  for (int i = 0; i < 4; ++i) {
    carry += static_cast<unsigned __int128>(a.limb[i]) + b.limb[i];
    r.limb[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
  return r;
}

inline Uint256 Sub256(const Uint256& a, const Uint256& b) {
  Uint256 r;
  uint64_t borrow = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned __int128 d = static_cast<unsigned __int128>(a.limb[i]) - b.limb[i] - borrow;
    r.limb[i] = static_cast<uint64_t>(d);
    borrow = static_cast<uint64_t>(d >> 64) & 1;
  }
  return r;
}

inline Uint256 Xor256(const Uint256& a, const Uint256& b) {
  return {
      {a.limb[0] ^ b.limb[0], a.limb[1] ^ b.limb[1], a.limb[2] ^ b.limb[2], a.limb[3] ^ b.limb[3]}};
}

inline Uint256 Or256(const Uint256& a, const Uint256& b) {
  return {
      {a.limb[0] | b.limb[0], a.limb[1] | b.limb[1], a.limb[2] | b.limb[2], a.limb[3] | b.limb[3]}};
}

inline Uint256 And256(const Uint256& a, const Uint256& b) {
  return {
      {a.limb[0] & b.limb[0], a.limb[1] & b.limb[1], a.limb[2] & b.limb[2], a.limb[3] & b.limb[3]}};
}

// The shift amount is the low 8 bits of `b`; its other 248 bits mean nothing.
inline Uint256 Sll256(const Uint256& a, const Uint256& b) {
  const unsigned limbs = static_cast<unsigned>(b.limb[0] >> 6 & 3);
  const unsigned bits = static_cast<unsigned>(b.limb[0] & 63);
  Uint256 r = {};
  for (unsigned i = limbs; i < 4; ++i) {
    r.limb[i] = a.limb[i - limbs] << bits;
    if (bits != 0 && i > limbs) r.limb[i] |= a.limb[i - limbs - 1] >> (64 - bits);
  }
  return r;
}

namespace uint256_internal {
inline Uint256 ShiftRight(const Uint256& a, const Uint256& b, uint64_t fill) {
  const unsigned limbs = static_cast<unsigned>(b.limb[0] >> 6 & 3);
  const unsigned bits = static_cast<unsigned>(b.limb[0] & 63);
  Uint256 r;
  for (unsigned i = 0; i < 4; ++i) {
    const uint64_t low = i + limbs < 4 ? a.limb[i + limbs] : fill;
    const uint64_t high = i + limbs + 1 < 4 ? a.limb[i + limbs + 1] : fill;
    r.limb[i] = bits == 0 ? low : low >> bits | high << (64 - bits);
  }
  return r;
}
}  // namespace uint256_internal

inline Uint256 Srl256(const Uint256& a, const Uint256& b) {
  return uint256_internal::ShiftRight(a, b, 0);
}

inline Uint256 Sra256(const Uint256& a, const Uint256& b) {
  return uint256_internal::ShiftRight(a, b, a.limb[3] >> 63 != 0 ? ~uint64_t{0} : 0);
}

inline bool Ltu256(const Uint256& a, const Uint256& b) {
  for (int i = 3; i >= 0; --i) {
    if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i];
  }
  return false;
}

inline bool Lt256(const Uint256& a, const Uint256& b) {
  return Ltu256(a, b) != ((a.limb[3] >> 63) != (b.limb[3] >> 63));
}

inline bool Eq256(const Uint256& a, const Uint256& b) {
  return ((a.limb[0] ^ b.limb[0]) | (a.limb[1] ^ b.limb[1]) | (a.limb[2] ^ b.limb[2]) |
          (a.limb[3] ^ b.limb[3])) == 0;
}

// `slt256` and `sltu256` write 32 bytes: 1 or 0.
inline Uint256 Slt256(const Uint256& a, const Uint256& b) { return {{Lt256(a, b), 0, 0, 0}}; }
inline Uint256 Sltu256(const Uint256& a, const Uint256& b) { return {{Ltu256(a, b), 0, 0, 0}}; }

inline Uint256 Mul256(const Uint256& a, const Uint256& b) {
  Uint256 r = {};
  for (int i = 0; i < 4; ++i) {
    uint64_t carry = 0;
    for (int j = 0; i + j < 4; ++j) {
      const unsigned __int128 t =
          static_cast<unsigned __int128>(a.limb[i]) * b.limb[j] + r.limb[i + j] + carry;
      r.limb[i + j] = static_cast<uint64_t>(t);
      carry = static_cast<uint64_t>(t >> 64);
    }
  }
  return r;
}

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_UINT256_H_
