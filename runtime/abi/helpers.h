// The instruction that stands for a call of a libgcc function in programs compiled with fast
// helpers: what compiler, interpreter and image agree on. (docs/riscv_lifting.md, "Fast helpers".)
//
// The compiler replaces `jal ra, __adddf3` by a word of the RISC-V opcode custom-0 with rd = ra,
// funct3 = rs1 = 0 and the helper's number as its immediate. It sets ra to the next pc, a0 (and a1)
// to the result, changes nothing else and counts as one instruction.
#ifndef PRECAST_RUNTIME_ABI_HELPERS_H_
#define PRECAST_RUNTIME_ABI_HELPERS_H_

#include <cstdint>
#include <optional>

namespace precast::abi {

enum class Helper : uint8_t {
#define PRECAST_HELPER(Name, symbol, inputs, outputs) k##Name,
#include "runtime/abi/helpers.def"
#undef PRECAST_HELPER
};

struct HelperInfo {
  const char* symbol;
  int inputs, outputs;
};
inline constexpr HelperInfo kHelpers[] = {
#define PRECAST_HELPER(Name, symbol, inputs, outputs) {symbol, inputs, outputs},
#include "runtime/abi/helpers.def"
#undef PRECAST_HELPER
};
inline constexpr uint32_t kNumHelpers = sizeof(kHelpers) / sizeof(kHelpers[0]);

// Name, among the extensions that a program uses, of the instructions below.
inline constexpr char kFastHelpersExtension[] = "fast-helpers";

inline constexpr uint32_t kHelperWord = 0x0000008b;  // custom-0, rd = ra

constexpr uint32_t EncodeHelper(Helper helper) {
  return kHelperWord | static_cast<uint32_t>(helper) << 20;
}
constexpr std::optional<Helper> DecodeHelper(uint32_t word) {
  if ((word & 0xfffff) != kHelperWord || word >> 20 >= kNumHelpers) return std::nullopt;
  return static_cast<Helper>(word >> 20);
}

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_HELPERS_H_
