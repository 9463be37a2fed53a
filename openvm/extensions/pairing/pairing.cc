// The pairing hint for BN254 and BLS12-381.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", section "Pairing Extension".
#include "openvm/primitives/pairing.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "openvm/extension.h"
#include "openvm/extensions/faults.h"

namespace precast::openvm {
namespace {

struct Pairings final : ExtensionState {
  explicit Pairings(std::vector<PairingCurve> c) : curves(std::move(c)) {}
  std::vector<PairingCurve> curves;
};

uint32_t Word(const uint8_t* p) {
  return p[0] | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

// The points that the pair (pointer, number) at `address` names; null, with the trap set, if they
// are not in memory.
bool Points(uint32_t address, size_t point_bytes, Machine& m, absl::Span<const uint8_t>& points) {
  const uint8_t* slice = m.Peek(address, 8);
  if (slice == nullptr) return false;
  const uint32_t pointer = Word(slice);
  const uint64_t size = uint64_t{Word(slice + 4)} * point_bytes;
  if (!m.Contains(pointer, size)) return m.Fail(abi::TrapCode::kMemoryFault, pointer);
  points = absl::MakeConstSpan(m.Peek(pointer, static_cast<uint32_t>(size)), size);
  return true;
}

bool HintFinalExp(const ExtensionState* state, const Instruction& in, const Operands& x,
                  Machine& m) {
  const auto curve = static_cast<PairingCurve>(in.funct7 >> 4);
  const auto& curves = static_cast<const Pairings*>(state)->curves;
  if (std::find(curves.begin(), curves.end(), curve) == curves.end()) {
    return m.Fail(abi::TrapCode::kDisabledOperation);
  }
  absl::Span<const uint8_t> g1, g2;
  if (!Points(x.rs1, PairingG1Bytes(curve), m, g1) ||
      !Points(x.rs2, PairingG2Bytes(curve), m, g2)) {
    return false;
  }
  std::vector<uint8_t> hint(PairingHintBytes(curve));
  if (!Finish(PairingFinalExpHint(curve, g1, g2, absl::MakeSpan(hint)), m)) return false;
  m.host.SetHint(std::move(hint));
  return true;
}

class Pairing final : public Extension {
 public:
  std::string_view name() const override { return "pairing"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kPhantom[] = {{"Phantom"}};
    static constexpr Opcode kOpcodes[] = {
        {"hint_final_exp", 0x0000302b, 0x1e00707f, Form::kR, Effect::kMemory, &HintFinalExp,
         kPhantom, [](uint32_t word) { return word >> 29 < 2; }},
    };
    return kOpcodes;
  }
  absl::StatusOr<std::unique_ptr<ExtensionState>> Configure(const Config& config) const override {
    return std::make_unique<Pairings>(config.pairings);
  }
};

PRECAST_REGISTER_EXTENSION(Pairing);

}  // namespace
}  // namespace precast::openvm
