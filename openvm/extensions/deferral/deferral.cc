// Deferred calls: computations whose results the host has and a prover checks elsewhere.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", section "Deferral Extension"; rows:
// extensions/deferral/circuit/src/{call,output}/execution.rs.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "openvm/extension.h"

namespace precast::openvm {
namespace {

constexpr uint32_t kCommitBytes = 32;
constexpr uint32_t kKeyBytes = 40;  // a commitment, and the output's size as u64
constexpr uint32_t kDigestBytes = 8;
// Of a function's accumulators, that of inputs and that of outputs: eight each, one function after
// the other.
constexpr uint32_t kAccumulatorCells = 16;

struct Deferred final : ExtensionState {
  explicit Deferred(uint32_t n) : count(n) {}
  uint32_t count;
};

uint32_t IndexOf(const Instruction& in) { return in.word >> 22; }

bool Check(const ExtensionState* state, const Instruction& in, Machine& m) {
  if (m.host.deferrals == nullptr || IndexOf(in) >= static_cast<const Deferred*>(state)->count) {
    return m.Fail(abi::TrapCode::kDisabledOperation);
  }
  return true;
}

bool Call(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  if (!Check(state, in, m)) return false;
  const uint8_t* commit = m.Read(x.rs1, kCommitBytes);
  uint8_t* key = commit != nullptr ? m.Write(x.rd, kKeyBytes) : nullptr;
  if (key == nullptr) return false;
  uint8_t output[kCommitBytes];
  uint64_t size = 0;
  if (!m.host.deferrals->Call(IndexOf(in), absl::MakeConstSpan(commit, kCommitBytes),
                              absl::MakeSpan(output), size)) {
    return m.Fail(abi::TrapCode::kDeferralNotFound, x.rs1);
  }
  m.TouchDeferralCells(IndexOf(in) * kAccumulatorCells, kAccumulatorCells);
  std::memcpy(key, output, kCommitBytes);
  for (int i = 0; i < 8; ++i) key[kCommitBytes + i] = static_cast<uint8_t>(size >> (8 * i));
  return true;
}

uint64_t SizeIn(const uint8_t* key) {
  uint64_t size = 0;
  for (int i = 0; i < 8; ++i) size |= uint64_t{key[kCommitBytes + i]} << (8 * i);
  return size;
}

bool Output(const ExtensionState* state, const Instruction& in, const Operands& x, Machine& m) {
  if (!Check(state, in, m)) return false;
  const uint8_t* key = m.Read(x.rs1, kKeyBytes);
  if (key == nullptr) return false;
  const std::vector<uint8_t>* bytes =
      m.host.deferrals->Output(IndexOf(in), absl::MakeConstSpan(key, kCommitBytes));
  if (bytes == nullptr) return m.Fail(abi::TrapCode::kDeferralNotFound, x.rs1);
  if (bytes->size() != SizeIn(key) || bytes->size() % kDigestBytes != 0 ||
      bytes->size() > UINT32_MAX) {
    return m.Fail(abi::TrapCode::kInvalidOperand, x.rs1);
  }
  uint8_t* out = m.Write(x.rd, static_cast<uint32_t>(bytes->size()));
  if (out == nullptr) return false;
  std::copy(bytes->begin(), bytes->end(), out);
  return true;
}

// One for the key, and one for every digest of the output.
uint32_t OutputRows(const Instruction&, const Operands& x, Machine& m) {
  if (!m.Contains(x.rs1, kKeyBytes)) return 0;
  return static_cast<uint32_t>(SizeIn(m.Peek(x.rs1, kKeyBytes)) / kDigestBytes) + 1;
}

class Deferral final : public Extension {
 public:
  std::string_view name() const override { return "deferral"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kCall[] = {{"DeferralCall"}, {"DeferralPoseidon2", 2}};
    static constexpr ChipRows kOutput[] = {{"DeferralOutput", 0, &OutputRows},
                                           {"DeferralPoseidon2", 0, &OutputRows}};
    static constexpr Opcode kOpcodes[] = {
        {"def_call", 0x0000702b, 0x0030707f, Form::kI, Effect::kMemory, &Call, kCall},
        {"def_output", 0x0010702b, 0x0030707f, Form::kI, Effect::kMemory, &Output, kOutput},
    };
    return kOpcodes;
  }
  absl::StatusOr<std::unique_ptr<ExtensionState>> Configure(const Config& config) const override {
    return std::make_unique<Deferred>(config.deferrals);
  }
};

PRECAST_REGISTER_EXTENSION(Deferral);

}  // namespace
}  // namespace precast::openvm
