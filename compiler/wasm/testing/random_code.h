// Random choices, and WebAssembly code that is written along them: what the makers of random
// modules share.
#ifndef PRECAST_COMPILER_WASM_TESTING_RANDOM_CODE_H_
#define PRECAST_COMPILER_WASM_TESTING_RANDOM_CODE_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace precast::wasm {

using Bytes = std::vector<uint8_t>;

// LEB128 (core specification, section 5.2.2).
void Unsigned(Bytes& out, uint64_t v);
void Signed(Bytes& out, int64_t v);

// The code of one function after the other. Types are the letters of opcodes.def: i l f d v.
class RandomCode {
 public:
  explicit RandomCode(uint64_t seed) : random_(seed) {}

  uint64_t Number() { return random_(); }
  uint64_t Pick(uint64_t n) { return random_() % n; }  // below n
  bool Chance(int percent) { return Pick(100) < static_cast<uint64_t>(percent); }

  void Byte(uint8_t b) { code_.push_back(b); }
  void Index(uint64_t index) { Unsigned(code_, index); }
  void OpWithIndex(uint8_t op, uint64_t index) {
    Byte(op);
    Index(index);
  }
  void Bits(uint64_t bits, int bytes) {
    for (int k = 0; k < bytes; ++k) Byte(static_cast<uint8_t>(bits >> (8 * k)));
  }
  void I32Const(int64_t c) {
    Byte(0x41);
    Signed(code_, c);
  }
  // An instruction that gives a constant of the type, often one at which something changes.
  void Constant(char type);
  // The same one for the same seed.
  void ConstantOf(char type, uint64_t seed);

  // A local of the type, or -1.
  int LocalOf(char type);
  // Their types.
  const std::string& locals() const { return locals_; }

 protected:
  std::mt19937_64 random_;
  Bytes code_;
  std::string locals_;

 private:
  uint64_t InterestingInteger();
  uint32_t InterestingFloat();
  uint64_t InterestingDouble();
};

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_TESTING_RANDOM_CODE_H_
