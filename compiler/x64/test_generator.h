// Random IR functions with control flow, memory, deferred guest state, metering, traps and calls.
#ifndef PRECAST_COMPILER_X64_TEST_GENERATOR_H_
#define PRECAST_COMPILER_X64_TEST_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "compiler/ir/ir.h"
#include "compiler/x64/test_functions.h"

namespace precast::x64::testing {

// The same functions for the same arguments.
class Generator {
 public:
  Generator(uint64_t seed, size_t num_functions) : rng_(seed), num_functions_(num_functions) {}

  // Function number `number` calls only functions of higher number.
  Function Make(size_t number, int size);

 private:
  uint64_t Pick(uint64_t n) { return rng_() % n; }
  bool Chance(uint64_t n) { return Pick(n) == 0; }
  Value Any32();
  Value Any64();
  int64_t Constant();
  ir::Site Site();
  void Enter(Block b, uint32_t pc);
  void Flush();
  void Body(int depth);
  void Simple();
  void ChargeIf();
  void Memory();
  void Wide();

  IntCond AnyCond() { return static_cast<IntCond>(Pick(10)); }
  Value Condition();

  // Values and state at the start of the arm of a branch.
  struct Scope {
    size_t i32, i64;
    std::map<uint8_t, Value> deferred;
  };
  Scope Save() const { return {i32_.size(), i64_.size(), deferred_}; }
  void Restore(const Scope& s);
  void StartArm(Block b, const Scope& s);
  // Values for the join: some of the arm, then the slots deferred before the branch. Slots deferred
  // only in the arm are stored, so are some others at random.
  std::vector<Value> EndArm(const Scope& s, size_t n);
  void StartJoin(Block b, const Scope& s, size_t n);
  void Diamond(int depth);
  void Loop(int depth);
  void Switch(int depth);
  std::vector<Value> PassedArguments();
  Value DispatchTarget();
  void CallSomething();
  void Finish();

  std::mt19937_64 rng_;
  size_t num_functions_;
  size_t number_ = 0;
  int budget_ = 0;
  uint32_t sites_ = 0;
  Function* f_ = nullptr;
  std::optional<Build> build_;
  std::vector<Value> i32_, i64_;
  std::map<uint8_t, Value> deferred_;
};

}  // namespace precast::x64::testing

#endif  // PRECAST_COMPILER_X64_TEST_GENERATOR_H_
