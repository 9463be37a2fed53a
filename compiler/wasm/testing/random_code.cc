// See random_code.h.
#include "compiler/wasm/testing/random_code.h"

#include <cstddef>
#include <iterator>
#include <utility>

namespace precast::wasm {

void Unsigned(Bytes& out, uint64_t v) {
  do {
    uint8_t byte = v & 0x7f;
    v >>= 7;
    if (v != 0) byte |= 0x80;
    out.push_back(byte);
  } while (v != 0);
}

void Signed(Bytes& out, int64_t v) {
  for (;;) {
    const uint8_t byte = static_cast<uint8_t>(v) & 0x7f;
    v >>= 7;
    if ((v == 0 && (byte & 0x40) == 0) || (v == -1 && (byte & 0x40) != 0)) {
      out.push_back(byte);
      return;
    }
    out.push_back(byte | 0x80);
  }
}

uint64_t RandomCode::InterestingInteger() {
  switch (Pick(6)) {
    case 0:
      return Pick(4);
    case 1:
      return ~uint64_t{0} - Pick(3);
    case 2:
      return (uint64_t{1} << Pick(64)) - Pick(2);
    case 3:
      return Pick(1000);
    default:
      return random_();
  }
}
uint32_t RandomCode::InterestingFloat() {
  constexpr uint32_t kValues[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                  0xff800000, 0x7fc00000, 0x4f000000, 0xcf000000, 0x4f800000,
                                  1,          0x007fffff, 0x7f7fffff, 0x3f000000, 0x40200000};
  return Chance(60) ? kValues[Pick(std::size(kValues))] : static_cast<uint32_t>(random_());
}
uint64_t RandomCode::InterestingDouble() {
  constexpr uint64_t kValues[] = {0,
                                  uint64_t{1} << 63,
                                  0x3ff0000000000000,
                                  0xbff0000000000000,
                                  0x7ff0000000000000,
                                  0xfff0000000000000,
                                  0x7ff8000000000000,
                                  0x41e0000000000000,
                                  0xc1e0000000200000,
                                  0x43e0000000000000,
                                  0x43f0000000000000,
                                  0x41f0000000000000,
                                  1,
                                  0x3fe0000000000000};
  return Chance(60) ? kValues[Pick(std::size(kValues))] : random_();
}

void RandomCode::Constant(char type) {
  switch (type) {
    case 'i':
      Byte(0x41);
      return Signed(code_, static_cast<int32_t>(InterestingInteger()));
    case 'l':
      Byte(0x42);
      return Signed(code_, static_cast<int64_t>(InterestingInteger()));
    case 'f':
      Byte(0x43);
      return Bits(InterestingFloat(), 4);
    case 'd':
      Byte(0x44);
      return Bits(InterestingDouble(), 8);
    default:
      OpWithIndex(0xfd, 12);
      if (Chance(50)) {
        Bits(InterestingDouble(), 8);
        return Bits(InterestingDouble(), 8);
      }
      for (int k = 0; k < 4; ++k) Bits(InterestingFloat(), 4);
  }
}

void RandomCode::ConstantOf(char type, uint64_t seed) {
  const std::mt19937_64 outer = std::exchange(random_, std::mt19937_64(seed));
  Constant(type);
  random_ = outer;
}

int RandomCode::LocalOf(char type) {
  const size_t start = Pick(locals_.size() + 1);
  for (size_t k = 0; k < locals_.size(); ++k) {
    const size_t at = (start + k) % locals_.size();
    if (locals_[at] == type) return static_cast<int>(at);
  }
  return -1;
}

}  // namespace precast::wasm
