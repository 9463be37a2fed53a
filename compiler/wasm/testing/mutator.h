// Damages modules at random, for the fuzz program: changes that a blind flip of bits would hardly
// find keep the lengths of sections and bodies right, so that what lies behind them is read.
#ifndef PRECAST_COMPILER_WASM_TESTING_MUTATOR_H_
#define PRECAST_COMPILER_WASM_TESTING_MUTATOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "compiler/wasm/testing/module_builder.h"

namespace precast::wasm::testing {

// Random numbers, the same everywhere (splitmix64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // In [0, bound); bound > 0.
  size_t Below(size_t bound) { return static_cast<size_t>(Next() % bound); }

 private:
  uint64_t state_;
};

// Small modules that between them have every kind of section, segment and immediate. All are valid.
std::vector<Bytes> BuiltInModules();

// A damaged copy of a module of `corpus`, which is not empty. Depends on nothing else.
Bytes Mutate(const std::vector<Bytes>& corpus, uint64_t seed);

struct Verdict {
  bool accepted_2_0 = false, accepted = false;
};

// Reads and validates `bytes` at both levels of features. An error if the two contradict each
// other, or if one thread and two threads do.
absl::Status CheckVerdicts(const Bytes& bytes, Verdict& out);

}  // namespace precast::wasm::testing

#endif  // PRECAST_COMPILER_WASM_TESTING_MUTATOR_H_
