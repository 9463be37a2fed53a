// A plain evaluation of the IR, which the tests of the back end compare compiled code with.
#ifndef PRECAST_COMPILER_X64_TEST_EVALUATOR_H_
#define PRECAST_COMPILER_X64_TEST_EVALUATOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ir/ir.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"

namespace precast::x64::testing {

// A plain model of the operations, on 64-bit containers.
uint64_t Mask(Type t);
int64_t SignExtend(Type t, uint64_t v);
uint64_t EvalBinary(Opcode op, Type t, uint64_t a, uint64_t b);
uint64_t EvalIcmp(IntCond c, Type t, uint64_t a, uint64_t b);

// How and where a function stopped.
struct Outcome {
  enum class Kind { kReturned, kSuspended, kTrap, kFault, kMiss } kind = Kind::kReturned;
  uint32_t guest_pc = 0;
  uint8_t trap_code = 0;
  std::vector<uint32_t> results;
};

// Evaluates functions, which may call one another, on guest state of its own.
class Evaluator {
 public:
  std::array<uint32_t, 33> x = {};  // at a stop: as exact
  int64_t fuel = 0;
  std::vector<uint8_t> memory = std::vector<uint8_t>(TestMachine::kGuestBytes);
  std::vector<const Function*> functions;

  Outcome Run(const Function& f, size_t entry, std::vector<uint32_t> args);

 private:
  static size_t SizeOf(uint8_t aux);
  Outcome CallOther(const InstData& d, std::vector<uint32_t> args);
};

}  // namespace precast::x64::testing

#endif  // PRECAST_COMPILER_X64_TEST_EVALUATOR_H_
