// Where the values of a function are defined and used, for passes that make copies of loops.
#ifndef PRECAST_COMPILER_OPT_VALUE_HOMES_H_
#define PRECAST_COMPILER_OPT_VALUE_HOMES_H_

#include <cstdint>
#include <vector>

#include "compiler/ir/ir.h"

namespace precast::opt {

// By value: the number of the block that defines it; ir::Block::kNone if none does.
std::vector<uint32_t> FindHomes(const ir::Function& f);

// By value. What is done to the function later is not seen.
struct ValueUses {
  explicit ValueUses(const ir::Function& f);

  std::vector<uint32_t> home;   // as FindHomes
  std::vector<uint32_t> count;  // of its uses; each state shown at a block's start is one
  std::vector<bool> escapes;    // whether a block that does not define it uses it
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_VALUE_HOMES_H_
