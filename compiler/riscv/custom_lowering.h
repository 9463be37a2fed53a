// How an extension's instruction becomes IR instead of a call of the runtime. An extension may
// register a lowering for any of its opcodes (openvm::Effect kMemory, kRegister or kBranch), in a
// library of its own beside its executor, so that the runtime does not link the compiler. Without
// one, native code calls the executor.
#ifndef PRECAST_COMPILER_RISCV_CUSTOM_LOWERING_H_
#define PRECAST_COMPILER_RISCV_CUSTOM_LOWERING_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "compiler/ir/builder.h"
#include "compiler/ir/ir.h"
#include "openvm/config.h"
#include "openvm/extension.h"

namespace precast::riscv {

// What a lowering is given.
struct CustomContext {
  ir::Builder& builder;
  openvm::Instruction instruction;
  ir::Value rd, rs1, rs2;  // values of the registers, i32
  const openvm::Config& config;
  // Of the instruction. A trap there (TrapIf with code 0, or an access that faults) makes the
  // interpreter execute the instruction again: until then it must have changed nothing.
  ir::Site site;
};

// Returns the value of kRegister and kBranch (i32), nothing for kMemory.
using CustomLowering = ir::Value (*)(CustomContext& context);

class CustomLowerings {
 public:
  static CustomLowerings& Global() {
    static CustomLowerings* const lowerings = new CustomLowerings;
    return *lowerings;
  }
  // By mnemonic; the later one counts.
  void Add(std::string_view mnemonic, CustomLowering lowering) {
    by_mnemonic_[std::string(mnemonic)] = lowering;
  }
  // Null: there is none.
  CustomLowering Find(std::string_view mnemonic) const {
    auto it = by_mnemonic_.find(std::string(mnemonic));
    return it != by_mnemonic_.end() ? it->second : nullptr;
  }

 private:
  std::unordered_map<std::string, CustomLowering> by_mnemonic_;
};

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_CUSTOM_LOWERING_H_
