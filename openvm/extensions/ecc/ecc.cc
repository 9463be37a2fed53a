// Short Weierstrass curves: adding different points, and doubling.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", section "Elliptic Curve Extension";
// what setup reads: extensions/ecc/circuit/src/weierstrass_chip.
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/extension.h"
#include "openvm/extensions/faults.h"
#include "openvm/primitives/modular.h"
#include "openvm/primitives/weierstrass.h"

namespace precast::openvm {
namespace {

struct Curves final : ExtensionState {
  std::vector<WeierstrassCurve> curves;
};

const WeierstrassCurve* CurveOf(const ExtensionState* state, const Instruction& in, Machine& m) {
  const auto& curves = static_cast<const Curves*>(state)->curves;
  const uint32_t index = in.funct7 >> 3;
  if (index < curves.size()) return &curves[index];
  m.Fail(abi::TrapCode::kDisabledOperation);
  return nullptr;
}

bool AddNe(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const WeierstrassCurve* curve = CurveOf(state, in, m);
  if (curve == nullptr) return false;
  const auto size = static_cast<uint32_t>(curve->point_bytes());
  const uint8_t* p = m.Read(x.rs1, size);
  const uint8_t* q = p != nullptr ? m.Read(x.rs2, size) : nullptr;
  uint8_t* out = q != nullptr ? m.Write(x.rd, size) : nullptr;
  return out != nullptr && Finish(curve->AddNe(out, p, q), m);
}

bool Double(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const WeierstrassCurve* curve = CurveOf(state, in, m);
  if (curve == nullptr) return false;
  const auto size = static_cast<uint32_t>(curve->point_bytes());
  const uint8_t* p = m.Read(x.rs1, size);
  uint8_t* out = p != nullptr ? m.Write(x.rd, size) : nullptr;
  return out != nullptr && Finish(curve->Double(out, p), m);
}

// Of doubling if the field rs2 is x0, else of adding.
bool Setup(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const WeierstrassCurve* curve = CurveOf(state, in, m);
  if (curve == nullptr) return false;
  const auto size = static_cast<uint32_t>(curve->point_bytes());
  const uint8_t* p = m.Read(x.rs1, size);
  if (p == nullptr) return false;
  const uint8_t* q = nullptr;
  if (in.rs2 != 0) {
    q = m.Read(x.rs2, size);
    if (q == nullptr) return false;
  }
  uint8_t* out = m.Write(x.rd, size);
  if (out == nullptr) return false;
  return Finish(in.rs2 != 0 ? curve->SetupAddNe(out, p, q) : curve->SetupDouble(out, p), m);
}

class Ecc final : public Extension {
 public:
  std::string_view name() const override { return "ecc"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kAddNe[] = {{"EcAddNe-%"}}, kDouble[] = {{"EcDouble-%"}};
    static constexpr ChipRows kSetup[] = {
        {"EcAddNe-%", 0,
         [](const Instruction& in, const Operands&, Machine&) { return in.rs2 != 0 ? 1u : 0u; }},
        {"EcDouble-%", 0,
         [](const Instruction& in, const Operands&, Machine&) { return in.rs2 == 0 ? 1u : 0u; }}};
    static constexpr uint32_t kMask = 0x0e00707f;
    static constexpr Opcode kOpcodes[] = {
        {"sw_add_ne", 0x0000102b, kMask, Form::kR, Effect::kMemory, &AddNe, kAddNe},
        {"sw_double", 0x0200102b, kMask, Form::kR, Effect::kMemory, &Double, kDouble},
        {"sw_setup", 0x0400102b, kMask, Form::kR, Effect::kMemory, &Setup, kSetup},
    };
    return kOpcodes;
  }
  absl::StatusOr<std::unique_ptr<ExtensionState>> Configure(const Config& config) const override {
    std::vector<Number> moduli;
    for (const Curve& curve : config.curves) moduli.push_back(curve.modulus);
    absl::StatusOr<std::vector<ModularField>> fields = MakeModularFields(moduli);
    if (!fields.ok()) return fields.status();
    auto state = std::make_unique<Curves>();
    for (size_t i = 0; i < fields->size(); ++i) {
      absl::StatusOr<WeierstrassCurve> curve =
          WeierstrassCurve::Create((*fields)[i], config.curves[i].a);
      if (!curve.ok()) return curve.status();
      state->curves.push_back(*std::move(curve));
    }
    return state;
  }
};

PRECAST_REGISTER_EXTENSION(Ecc);

}  // namespace
}  // namespace precast::openvm
