// SHA-256 and SHA-512: their compression functions.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", section "SHA-2 Extension"; rows:
// extensions/sha2/circuit/src/sha2_chips/execution.rs and crates/circuits/sha2-air/src/config.rs.
#include "openvm/primitives/sha2.h"

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "openvm/extension.h"

namespace precast::openvm {
namespace {

template <uint32_t kState, uint32_t kBlock,
          void (*kCompress)(uint8_t*, const uint8_t*, const uint8_t*)>
bool Update(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  const uint8_t* state = m.Read(x.rs1, kState);
  const uint8_t* block = state != nullptr ? m.Read(x.rs2, kBlock) : nullptr;
  uint8_t* out = block != nullptr ? m.Write(x.rd, kState) : nullptr;
  if (out == nullptr) return false;
  kCompress(out, state, block);
  return true;
}

class Sha2 final : public Extension {
 public:
  std::string_view name() const override { return "sha2"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kSha256[] = {{"Sha256Main"}, {"Sha256BlockHasher", 17}};
    static constexpr ChipRows kSha512[] = {{"Sha512Main"}, {"Sha512BlockHasher", 21}};
    static constexpr Opcode kOpcodes[] = {
        {"sha256_update", 0x0400400b, 0xfe00707f, Form::kR, Effect::kMemory,
         &Update<kSha256StateBytes, kSha256BlockBytes, &Sha256Compress>, kSha256},
        {"sha512_update", 0x0600400b, 0xfe00707f, Form::kR, Effect::kMemory,
         &Update<kSha512StateBytes, kSha512BlockBytes, &Sha512Compress>, kSha512},
    };
    return kOpcodes;
  }
};

PRECAST_REGISTER_EXTENSION(Sha2);

}  // namespace
}  // namespace precast::openvm
