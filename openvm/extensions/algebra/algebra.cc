// Arithmetic modulo the guest's moduli, and in Fp2 = Fp[u]/(u² + 1) over some of them.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", section "Algebra Extension"; which
// chip counts and what setup reads: extensions/algebra/{transpiler,circuit}/src.
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/extension.h"
#include "openvm/extensions/faults.h"
#include "openvm/primitives/complex_field.h"
#include "openvm/primitives/modular.h"

namespace precast::openvm {
namespace {

constexpr uint32_t kMask = 0x0e00707f;       // the index of the modulus is free
constexpr uint32_t kSetupMask = 0x0ff0707f;  // and rs2 says which setup

// By index: the fields that instructions of one kind use.
struct Fields final : ExtensionState {
  std::vector<ModularField> fields;
};

// The field that an instruction names; null, with the trap set, if there is none.
const ModularField* FieldOf(const ExtensionState* state, const Instruction& in, Machine& m) {
  const auto& fields = static_cast<const Fields*>(state)->fields;
  const uint32_t index = in.funct7 >> 3;
  if (index < fields.size()) return &fields[index];
  m.Fail(abi::TrapCode::kDisabledOperation);
  return nullptr;
}

// What an instruction reads and writes; `out` is null, with the trap set, if that cannot be.
struct Places {
  const uint8_t* a = nullptr;
  const uint8_t* b = nullptr;
  uint8_t* out = nullptr;
};

Places Access(uint32_t rd, uint32_t rs1, uint32_t rs2, uint32_t size, Machine& m) {
  Places p;
  p.a = m.Read(rs1, size);
  if (p.a != nullptr) p.b = m.Read(rs2, size);
  if (p.b != nullptr) p.out = m.Write(rd, size);
  return p;
}

template <void (ModularField::*kOperation)(uint8_t*, const uint8_t*, const uint8_t*) const>
bool Modular(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  const Places p = Access(x.rd, x.rs1, x.rs2, static_cast<uint32_t>(field->bytes()), m);
  if (p.out == nullptr) return false;
  (field->*kOperation)(p.out, p.a, p.b);
  return true;
}

bool DivMod(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  const Places p = Access(x.rd, x.rs1, x.rs2, static_cast<uint32_t>(field->bytes()), m);
  return p.out != nullptr && Finish(field->Div(p.out, p.a, p.b), m);
}

bool IsEqual(const ModularField& field, uint32_t rs1, uint32_t rs2, Machine& m) {
  const auto size = static_cast<uint32_t>(field.bytes());
  const uint8_t* a = m.Read(rs1, size);
  const uint8_t* b = a != nullptr ? m.Read(rs2, size) : nullptr;
  if (b == nullptr) return false;
  m.result = field.IsEqual(a, b) ? 1 : 0;
  return true;
}

bool IsEqMod(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  return in.rd == 0 || IsEqual(*field, x.rs1, x.rs2, m);  // into x0 it does nothing
}

// Setups read their second operand at address 0: the instruction that they become has x0 there.
bool Setup(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  const Places p = Access(x.rd, x.rs1, 0, static_cast<uint32_t>(field->bytes()), m);
  return p.out != nullptr && Finish(field->Setup(p.out, p.a), m);
}

bool SetupIsEq(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  return field != nullptr && IsEqual(*field, x.rs1, 0, m);
}

bool HintNonQr(const ExtensionState* state, const Instruction& in, const Operands&, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  std::vector<uint8_t> hint(field->bytes());
  if (!Finish(field->HintNonQr(hint.data()), m)) return false;
  m.host.SetHint(std::move(hint));
  return true;
}

bool HintSqrt(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  const uint8_t* a = m.Peek(x.rs1, static_cast<uint32_t>(field->bytes()));
  if (a == nullptr) return false;
  std::vector<uint8_t> hint(field->sqrt_hint_bytes());
  if (!Finish(field->HintSqrt(hint.data(), a), m)) return false;
  m.host.SetHint(std::move(hint));
  return true;
}

template <void (*kOperation)(const ModularField&, uint8_t*, const uint8_t*, const uint8_t*)>
bool Complex(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  const Places p = Access(x.rd, x.rs1, x.rs2, static_cast<uint32_t>(ComplexBytes(*field)), m);
  if (p.out == nullptr) return false;
  kOperation(*field, p.out, p.a, p.b);
  return true;
}

bool DivComplex(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  const Places p = Access(x.rd, x.rs1, x.rs2, static_cast<uint32_t>(ComplexBytes(*field)), m);
  return p.out != nullptr && Finish(ComplexDiv(*field, p.out, p.a, p.b), m);
}

bool SetupComplex(const ExtensionState* state, const Instruction& in, const Operands& x,
                  Machine& m) {
  const ModularField* field = FieldOf(state, in, m);
  if (field == nullptr) return false;
  const Places p = Access(x.rd, x.rs1, 0, static_cast<uint32_t>(ComplexBytes(*field)), m);
  return p.out != nullptr && Finish(ComplexSetup(*field, p.out, p.a), m);
}

constexpr ChipRows kPhantom[] = {{"Phantom"}};

class ModularExtension final : public Extension {
 public:
  std::string_view name() const override { return "modular"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kAddSub[] = {{"ModularAddSub-%"}};
    static constexpr ChipRows kMulDiv[] = {{"ModularMulDiv-%"}};
    static constexpr ChipRows kSetupIsEq[] = {{"ModularIsEqual-%"}};
    static constexpr ChipRows kIsEq[] = {
        {"ModularIsEqual-%", 0,
         [](const Instruction& in, const Operands&, Machine&) { return in.rd != 0 ? 1u : 0u; }},
        {"Phantom", 0,
         [](const Instruction& in, const Operands&, Machine&) { return in.rd == 0 ? 1u : 0u; }}};
    static constexpr Opcode kOpcodes[] = {
        {"addmod", 0x0000002b, kMask, Form::kR, Effect::kMemory, &Modular<&ModularField::Add>,
         kAddSub},
        {"submod", 0x0200002b, kMask, Form::kR, Effect::kMemory, &Modular<&ModularField::Sub>,
         kAddSub},
        {"mulmod", 0x0400002b, kMask, Form::kR, Effect::kMemory, &Modular<&ModularField::Mul>,
         kMulDiv},
        {"divmod", 0x0600002b, kMask, Form::kR, Effect::kMemory, &DivMod, kMulDiv},
        {"iseqmod", 0x0800002b, kMask, Form::kR, Effect::kRegister, &IsEqMod, kIsEq},
        {"setup_addsub", 0x0a00002b, kSetupMask, Form::kR, Effect::kMemory, &Setup, kAddSub},
        {"setup_muldiv", 0x0a10002b, kSetupMask, Form::kR, Effect::kMemory, &Setup, kMulDiv},
        {"setup_iseq", 0x0a20002b, kSetupMask, Form::kR, Effect::kRegister, &SetupIsEq, kSetupIsEq,
         [](uint32_t word) { return (word >> 7 & 31) != 0; }},
        {"hint_non_qr", 0x0c00002b, kMask, Form::kR, Effect::kMemory, &HintNonQr, kPhantom},
        {"hint_sqrt", 0x0e00002b, kMask, Form::kR, Effect::kMemory, &HintSqrt, kPhantom},
    };
    return kOpcodes;
  }
  absl::StatusOr<std::unique_ptr<ExtensionState>> Configure(const Config& config) const override {
    absl::StatusOr<std::vector<ModularField>> fields = MakeModularFields(config.moduli);
    if (!fields.ok()) return fields.status();
    auto state = std::make_unique<Fields>();
    state->fields = *std::move(fields);
    return state;
  }
};

class Fp2Extension final : public Extension {
 public:
  std::string_view name() const override { return "fp2"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kAddSub[] = {{"Fp2AddSub-%"}};
    static constexpr ChipRows kMulDiv[] = {{"Fp2MulDiv-%"}};
    static constexpr Opcode kOpcodes[] = {
        {"addcomplex", 0x0000202b, kMask, Form::kR, Effect::kMemory, &Complex<&ComplexAdd>,
         kAddSub},
        {"subcomplex", 0x0200202b, kMask, Form::kR, Effect::kMemory, &Complex<&ComplexSub>,
         kAddSub},
        {"mulcomplex", 0x0400202b, kMask, Form::kR, Effect::kMemory, &Complex<&ComplexMul>,
         kMulDiv},
        {"divcomplex", 0x0600202b, kMask, Form::kR, Effect::kMemory, &DivComplex, kMulDiv},
        {"setupcomplex_addsub", 0x0800202b, kSetupMask, Form::kR, Effect::kMemory, &SetupComplex,
         kAddSub},
        {"setupcomplex_muldiv", 0x0810202b, kSetupMask, Form::kR, Effect::kMemory, &SetupComplex,
         kMulDiv},
    };
    return kOpcodes;
  }
  absl::StatusOr<std::unique_ptr<ExtensionState>> Configure(const Config& config) const override {
    // Without nonresidues; so it does not matter that these are not all of the moduli.
    absl::StatusOr<std::vector<ModularField>> fields = MakeModularFields(config.fp2_moduli);
    if (!fields.ok()) return fields.status();
    auto state = std::make_unique<Fields>();
    state->fields = *std::move(fields);
    return state;
  }
};

PRECAST_REGISTER_EXTENSION(ModularExtension);
PRECAST_REGISTER_EXTENSION(Fp2Extension);

}  // namespace
}  // namespace precast::openvm
