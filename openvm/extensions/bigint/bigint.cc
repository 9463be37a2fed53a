// 256-bit integers.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", section "BigInt Extension"; rows:
// extensions/bigint/circuit/src.
#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "openvm/extension.h"
#include "openvm/primitives/uint256.h"

namespace precast::openvm {
namespace {

template <Uint256 (*kOperation)(const Uint256&, const Uint256&)>
bool Binary(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  const uint8_t* a = m.Read(x.rs1, kUint256Bytes);
  const uint8_t* b = a != nullptr ? m.Read(x.rs2, kUint256Bytes) : nullptr;
  uint8_t* out = b != nullptr ? m.Write(x.rd, kUint256Bytes) : nullptr;
  if (out == nullptr) return false;
  kOperation(Uint256::Load(a), Uint256::Load(b)).Store(out);
  return true;
}

bool Beq(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  const uint8_t* a = m.Read(x.rs1, kUint256Bytes);
  const uint8_t* b = a != nullptr ? m.Read(x.rs2, kUint256Bytes) : nullptr;
  if (b == nullptr) return false;
  m.taken = Eq256(Uint256::Load(a), Uint256::Load(b));
  return true;
}

class BigInt final : public Extension {
 public:
  std::string_view name() const override { return "bigint"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kAlu[] = {{"BaseAlu256"}}, kShift[] = {{"Shift256"}},
                              kLess[] = {{"LessThan256"}}, kMul[] = {{"Multiplication256"}},
                              kBranch[] = {{"BranchEqual256"}};
    static constexpr uint32_t kMask = 0xfe00707f;
    static constexpr Opcode kOpcodes[] = {
        {"add256", 0x0000500b, kMask, Form::kR, Effect::kMemory, &Binary<&Add256>, kAlu},
        {"sub256", 0x0200500b, kMask, Form::kR, Effect::kMemory, &Binary<&Sub256>, kAlu},
        {"xor256", 0x0400500b, kMask, Form::kR, Effect::kMemory, &Binary<&Xor256>, kAlu},
        {"or256", 0x0600500b, kMask, Form::kR, Effect::kMemory, &Binary<&Or256>, kAlu},
        {"and256", 0x0800500b, kMask, Form::kR, Effect::kMemory, &Binary<&And256>, kAlu},
        {"sll256", 0x0a00500b, kMask, Form::kR, Effect::kMemory, &Binary<&Sll256>, kShift},
        {"srl256", 0x0c00500b, kMask, Form::kR, Effect::kMemory, &Binary<&Srl256>, kShift},
        {"sra256", 0x0e00500b, kMask, Form::kR, Effect::kMemory, &Binary<&Sra256>, kShift},
        {"slt256", 0x1000500b, kMask, Form::kR, Effect::kMemory, &Binary<&Slt256>, kLess},
        {"sltu256", 0x1200500b, kMask, Form::kR, Effect::kMemory, &Binary<&Sltu256>, kLess},
        {"mul256", 0x1400500b, kMask, Form::kR, Effect::kMemory, &Binary<&Mul256>, kMul},
        {"beq256", 0x0000600b, 0x0000707f, Form::kB, Effect::kBranch, &Beq, kBranch},
    };
    return kOpcodes;
  }
};

PRECAST_REGISTER_EXTENSION(BigInt);

}  // namespace
}  // namespace precast::openvm
