// System and I/O instructions: terminate, hint streams, public values, printing.
//
// Source of fact: openvm-org/openvm, docs "RISC-V Custom Code", sections "System Instructions" and
// "IO"; where it is silent, extensions/rv32im/circuit (hintstore, phantom).
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "openvm/extension.h"

namespace precast::openvm {
namespace {

using abi::TrapCode;

constexpr uint32_t kMaxHintBufferWords = 1023;
// More would only exhaust the host; OpenVM itself has no limit.
constexpr uint32_t kMaxRandomWords = 1 << 24;

bool Terminate(const ExtensionState*, const Instruction& in, const Operands&, Machine& m) {
  m.exit_code = static_cast<uint32_t>(in.imm);
  m.exited = true;
  return true;
}

bool StoreHint(uint32_t address, uint32_t words, Machine& m) {
  if (words == 0 || words > kMaxHintBufferWords) return m.Fail(TrapCode::kInvalidOperand, words);
  const uint32_t size = words * 4;
  if (m.host.hint_left() < size) return m.Fail(TrapCode::kHintOutOfBounds, address);
  uint8_t* to = m.Write(address, size);
  if (to == nullptr) return false;
  std::memcpy(to, m.host.hint.data() + m.host.hint_position, size);
  m.host.hint_position += size;
  return true;
}

bool HintStoreW(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  return StoreHint(x.rd, 1, m);
}

bool HintBuffer(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  return StoreHint(x.rd, x.rs1, m);
}

bool Reveal(const ExtensionState*, const Instruction& in, const Operands& x, Machine& m) {
  const uint32_t address = x.rd + static_cast<uint32_t>(in.imm);
  if (address % 4 != 0) return m.Fail(TrapCode::kMisalignedAccess, address);
  uint8_t* to = m.WritePublicValues(address, 4);
  if (to == nullptr) return false;
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(x.rs1 >> (8 * i));
  return true;
}

bool HintInput(const ExtensionState*, const Instruction&, const Operands&, Machine& m) {
  HostState& host = m.host;
  if (host.next_input == host.inputs.size()) return m.Fail(TrapCode::kInputExhausted);
  const std::vector<uint8_t>& input = host.inputs[host.next_input++];
  std::vector<uint8_t> hint(4 + (input.size() + 3) / 4 * 4);
  for (int i = 0; i < 4; ++i) hint[i] = static_cast<uint8_t>(input.size() >> (8 * i));
  std::copy(input.begin(), input.end(), hint.begin() + 4);
  host.SetHint(std::move(hint));
  return true;
}

// Unicode standard, table 3-7 "Well-formed UTF-8 byte sequences".
bool IsUtf8(std::string_view text) {
  size_t i = 0;
  auto byte = [&](size_t at) {
    return at < text.size() ? static_cast<uint8_t>(text[at]) : uint8_t{0};
  };
  while (i < text.size()) {
    const uint8_t first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    uint8_t low = 0x80, high = 0xbf;  // bounds of the second byte
    size_t length;
    if (first >= 0xc2 && first <= 0xdf) {
      length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
      length = 3;
      if (first == 0xe0) low = 0xa0;
      if (first == 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      length = 4;
      if (first == 0xf0) low = 0x90;
      if (first == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (i + length > text.size() || byte(i + 1) < low || byte(i + 1) > high) return false;
    for (size_t k = 2; k < length; ++k) {
      if (byte(i + k) < 0x80 || byte(i + k) > 0xbf) return false;
    }
    i += length;
  }
  return true;
}

bool PrintStr(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  const uint8_t* bytes = m.Peek(x.rd, x.rs1);
  if (bytes == nullptr) return false;
  const std::string_view text(reinterpret_cast<const char*>(bytes), x.rs1);
  // String::from_utf8 in phantom_execute, whose failure ends the run. The documentation speaks of a
  // message.
  if (!IsUtf8(text)) return m.Fail(TrapCode::kInvalidOperand, x.rd);
  m.host.print(text);
  return true;
}

bool HintRandom(const ExtensionState*, const Instruction&, const Operands& x, Machine& m) {
  if (x.rd > kMaxRandomWords) return m.Fail(TrapCode::kInvalidOperand, x.rd);
  std::vector<uint8_t> bytes(size_t{x.rd} * 4);
  m.host.random(absl::MakeSpan(bytes));
  m.host.SetHint(std::move(bytes));
  return true;
}

class Rv32Io final : public Extension {
 public:
  std::string_view name() const override { return "rv32io"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kHintStoreW[] = {{"HintStore"}};
    static constexpr ChipRows kHintBuffer[] = {
        {"HintStore", 0, [](const Instruction&, const Operands& x, Machine&) { return x.rs1; }}};
    static constexpr ChipRows kReveal[] = {{"LoadStore"}};
    static constexpr ChipRows kPhantom[] = {{"Phantom"}};
    static constexpr Opcode kOpcodes[] = {
        {"terminate",
         0x0000000b,
         0x0000707f,
         Form::kI,
         Effect::kEnd,
         &Terminate,
         {},
         [](uint32_t word) { return word >> 28 == 0; }},  // the exit code is a byte
        {"hintstorew", 0x0000100b, 0xfff0707f, Form::kI, Effect::kMemory, &HintStoreW, kHintStoreW},
        {"hintbuffer", 0x0010100b, 0xfff0707f, Form::kI, Effect::kMemory, &HintBuffer, kHintBuffer},
        {"reveal", 0x0000200b, 0x0000707f, Form::kI, Effect::kMemory, &Reveal, kReveal},
        {"hintinput", 0x0000300b, 0xfff0707f, Form::kI, Effect::kMemory, &HintInput, kPhantom},
        {"printstr", 0x0010300b, 0xfff0707f, Form::kI, Effect::kMemory, &PrintStr, kPhantom},
        {"hintrandom", 0x0020300b, 0xfff0707f, Form::kI, Effect::kMemory, &HintRandom, kPhantom},
    };
    return kOpcodes;
  }
};

PRECAST_REGISTER_EXTENSION(Rv32Io);

}  // namespace
}  // namespace precast::openvm
