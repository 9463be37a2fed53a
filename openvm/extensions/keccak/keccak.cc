// Keccak-256: the permutation and the xor-in of a sponge.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", section "Keccak Extension"; rows:
// extensions/keccak256/circuit/src/{keccakf_op,xorin}/execution.rs (NUM_OP_ROWS_PER_INS is 1).
#include "openvm/primitives/keccak.h"

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "openvm/extension.h"

namespace precast::openvm {
namespace {

constexpr uint32_t kRateBytes = 136;

bool Keccakf(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  if (m.Read(x.rd, kKeccakStateBytes) == nullptr) return false;
  KeccakF1600(m.Write(x.rd, kKeccakStateBytes));
  return true;
}

// OpenVM's pure and metered interpreters look at no length, its preflight and its circuit allow
// only what the documentation does. A run that nobody can prove ends here.
bool XorIn(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  if (x.rs2 % 4 != 0 || x.rs2 > kRateBytes) {
    return m.Fail(abi::TrapCode::kInvalidOperand, x.rs2);
  }
  if (x.rs2 == 0) return true;
  if (!m.Contains(x.rd, x.rs2)) return m.Read(x.rd, x.rs2) != nullptr;
  const uint8_t* input = m.Read(x.rs1, x.rs2);
  if (input == nullptr) return false;
  m.Read(x.rd, x.rs2);
  KeccakXorIn(m.Write(x.rd, x.rs2), input, x.rs2);
  return true;
}

class Keccak final : public Extension {
 public:
  std::string_view name() const override { return "keccak"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kKeccakf[] = {{"KeccakfOp"}, {"KeccakfPerm", 24}};
    static constexpr ChipRows kXorIn[] = {{"Xorin"}};
    static constexpr Opcode kOpcodes[] = {
        {"keccakf", 0x0000400b, 0xfe00707f, Form::kR, Effect::kMemory, &Keccakf, kKeccakf,
         [](uint32_t word) { return (word >> 15 & 0x3ff) == 0; }},  // rs1 and rs2 are x0
        {"xorin", 0x0200400b, 0xfe00707f, Form::kR, Effect::kMemory, &XorIn, kXorIn},
    };
    return kOpcodes;
  }
};

PRECAST_REGISTER_EXTENSION(Keccak);

}  // namespace
}  // namespace precast::openvm
