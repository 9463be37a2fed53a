#include "compiler/wasm/instruction.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/proposals.h"

namespace precast::wasm {

const std::array<OpInfo, kNumOps> kOpInfo = {{
#define PRECAST_WASM_OP(Name, text, prefix, code, immediate, params, results, align, feature) \
  {text, Immediate::k##immediate, params, results, align, Feature::k##feature, prefix, code},
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
}};

namespace {

// What decoding needs to know of an opcode, in little room.
struct Opcode {
  static constexpr uint16_t kNone = 0xffff;
  uint16_t op = kNone;
  Immediate immediate = Immediate::kNone;
  Feature feature = Feature::kCore;
};

struct OpcodeTable {
  std::array<Opcode, 0x100> plain;
  std::array<Opcode, 0x20> fc;
  std::array<Opcode, 0x120> fd;
  std::array<Opcode, 0x50> fe;
};

constexpr OpcodeTable MakeOpcodeTable() {
  OpcodeTable table = {};
  const auto set = [&table](uint8_t prefix, uint32_t code, Opcode opcode) {
    if (prefix == 0) table.plain[code] = opcode;
    if (prefix == 0xfc) table.fc[code] = opcode;
    if (prefix == 0xfd) table.fd[code] = opcode;
    if (prefix == 0xfe) table.fe[code] = opcode;
  };
#define PRECAST_WASM_OP(Name, text, prefix, code, immediate, params, results, align, feature) \
  set(prefix, code,                                                                           \
      {static_cast<uint16_t>(Op::k##Name), Immediate::k##immediate, Feature::k##feature});
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
  return table;
}

constexpr OpcodeTable kOpcodes = MakeOpcodeTable();

constexpr QuickOpcode MakeQuickOpcode(const Opcode& opcode) {
  if (opcode.op == Opcode::kNone || opcode.feature != Feature::kCore) return {};
  QuickOpcode quick = {.op = static_cast<Op>(opcode.op), .most_bytes = 4, .has_number = 0xff};
  switch (opcode.immediate) {
    case Immediate::kNone:
      quick.most_bytes = 8;  // whatever follows
      quick.has_number = 0;
      return quick;
    case Immediate::kLabel:
    case Immediate::kIndex:
      return quick;
    case Immediate::kI32:
      quick.is_signed = true;
      return quick;
    case Immediate::kI64:
      quick.most_bytes = 8;
      return quick;
    case Immediate::kMemArg:
      quick.number_at = 2;
      quick.second = QuickOpcode::kFlags;
      return quick;
    case Immediate::kBlockType:
      quick.most_bytes = 1;
      quick.second = QuickOpcode::kBlock;
      return quick;
    default:
      return {};
  }
}

constexpr std::array<QuickOpcode, 0x100> MakeQuickOpcodes() {
  std::array<QuickOpcode, 0x100> table = {};
  for (size_t code = 0; code < table.size(); ++code) {
    table[code] = MakeQuickOpcode(kOpcodes.plain[code]);
  }
  return table;
}

constexpr std::array<uint8_t, 0x100> MakeQuickSecondBytes() {
  std::array<uint8_t, 0x100> table = {};
  // An alignment, without a memory index.
  for (size_t flags = 0; flags < 0x40; ++flags) table[flags] = QuickOpcode::kFlags;
  table[kEmptyBlock] = QuickOpcode::kBlock;
  for (size_t type = kV128.code; type <= kI32.code; ++type) table[type] = QuickOpcode::kBlock;
  return table;
}

}  // namespace

constexpr std::array<QuickOpcode, 0x100> kQuickOpcodes = MakeQuickOpcodes();
constexpr std::array<uint8_t, 0x100> kQuickSecondBytes = MakeQuickSecondBytes();

absl::Status InstructionReader::ReadLocals(std::vector<LocalRun>& out) {
  out.clear();
  uint32_t runs = 0;
  if (!in_.U32(runs)) return in_.status();
  uint64_t total = 0;
  for (uint32_t i = 0; i < runs; ++i) {
    const uint32_t at = in_.offset();
    LocalRun run;
    uint8_t code = 0;
    if (!in_.U32(run.count) || !in_.Byte(code)) return in_.status();
    const std::optional<ValType> type = ValTypeFromByte(code);
    if (!type.has_value()) {
      return FaultAt(in_.offset() - 1,
                     MalformedByte("malformed value type", ByteRole::kType, code));
    }
    run.type = *type;
    total += run.count;
    if (total > 0xffffffffu) return FaultAt(at, "too many locals: more than 2^32 - 1");
    if (total > kMaxLocals) return LimitAt(at, "too many locals", total, kMaxLocals);
    if (run.count != 0) out.push_back(run);
  }
  return absl::OkStatus();
}

bool InstructionReader::FailOp(uint32_t at, uint8_t byte, bool prefixed, uint32_t code) {
  return in_.Fail(at, prefixed ? absl::StrFormat("illegal opcode 0x%02x 0x%02x", byte, code)
                               : MalformedByte("illegal opcode", ByteRole::kOpcode, byte));
}

inline bool InstructionReader::ReadOp(Op& op, Immediate& immediate) {
  const uint32_t at = in_.offset();
  uint8_t byte = 0;
  if (!in_.Byte(byte)) return false;
  Opcode opcode = kOpcodes.plain[byte];
  uint32_t code = byte;
  const bool prefixed = byte >= 0xfc && byte <= 0xfe;
  if (prefixed) [[unlikely]] {
    if (!in_.U32(code)) return false;
    const absl::Span<const Opcode> table = byte == 0xfc   ? absl::MakeConstSpan(kOpcodes.fc)
                                           : byte == 0xfd ? absl::MakeConstSpan(kOpcodes.fd)
                                                          : absl::MakeConstSpan(kOpcodes.fe);
    opcode = code < table.size() ? table[code] : Opcode{};
  }
  op = static_cast<Op>(opcode.op);
  immediate = opcode.immediate;
  if (opcode.feature != Feature::kCore && !Has(features_, opcode.feature)) [[unlikely]] {
    return FailOp(at, byte, prefixed, code);
  }
  if (opcode.op == Opcode::kNone) [[unlikely]] {
    return FailOp(at, byte, prefixed, code);
  }
  return true;
}

bool InstructionReader::ReadMemoryIndex(uint32_t& out) {
  if (features_.multi_memory) return in_.U32(out);
  uint8_t zero = 0;
  if (!in_.Byte(zero)) return false;
  if (zero != 0) return in_.Fail(in_.offset() - 1, "zero byte expected");
  out = 0;
  return true;
}

bool InstructionReader::ReadMemArg(Instruction& out) {
  // Of the first number the low bits are the alignment; bit 6 says that a memory index follows.
  constexpr uint32_t kHasMemory = 0x40;
  const uint32_t at = in_.offset();
  uint32_t flags = 0;
  if (!in_.U32(flags)) return false;
  out.memory = 0;
  if (flags >= (features_.multi_memory ? 2 * kHasMemory : kHasMemory)) {
    return in_.Fail(at, absl::StrFormat("malformed memop flags 0x%x", flags));
  }
  if (flags & kHasMemory) {
    if (!in_.U32(out.memory)) return false;
  }
  out.align = flags & (kHasMemory - 1);
  if (features_.memory64) return in_.U64(out.address_offset);
  uint32_t offset = 0;
  if (!in_.U32(offset)) return false;
  out.address_offset = offset;
  return true;
}

bool InstructionReader::ReadBlockType(BlockType& out) {
  if (in_.AtEnd()) return in_.Fail(in_.offset(), "unexpected end");
  uint8_t byte = in_.Peek();
  if (byte == kEmptyBlock) {
    out.kind = BlockType::Kind::kEmpty;
    return in_.Byte(byte);
  }
  if (const std::optional<ValType> type = ValTypeFromByte(byte); type.has_value()) {
    out.kind = BlockType::Kind::kValue;
    out.type = *type;
    return in_.Byte(byte);
  }
  const uint32_t at = in_.offset();
  int64_t index = 0;
  if (!in_.S33(index)) return false;
  if (index < 0) return in_.Fail(at, MalformedByte("malformed block type", ByteRole::kType, byte));
  out.kind = BlockType::Kind::kIndex;
  out.index = static_cast<uint32_t>(index);
  return true;
}

bool InstructionReader::ReadImmediate(Immediate immediate, Instruction& out) {
  switch (immediate) {
    case Immediate::kNone:
      return true;
    case Immediate::kBlockType:
      return ReadBlockType(out.block_type);
    case Immediate::kLabel:
    case Immediate::kIndex:
      return in_.U32(out.index);
    case Immediate::kLabelTable: {
      const uint32_t at = in_.offset();
      uint32_t count = 0;
      if (!in_.U32(count)) return false;
      // Every target has at least one byte.
      if (count >= in_.Left()) return in_.Fail(at, "unexpected end: br_table has too few targets");
      out.targets.resize(size_t{count} + 1);
      for (uint32_t& target : out.targets) {
        if (!in_.U32(target)) return false;
      }
      return true;
    }
    case Immediate::kCallIndirect:
      return in_.U32(out.index) && in_.U32(out.index2);
    case Immediate::kTwoIndices:
      // memory.copy has two memories, memory.init a segment and a memory, the others no memory.
      if (out.op == Op::kMemoryCopy) {
        return ReadMemoryIndex(out.index) && ReadMemoryIndex(out.index2);
      }
      if (!in_.U32(out.index)) return false;
      return out.op == Op::kMemoryInit ? ReadMemoryIndex(out.index2) : in_.U32(out.index2);
    case Immediate::kSelectTypes: {
      const uint32_t at = in_.offset();
      uint32_t count = 0;
      if (!in_.U32(count)) return false;
      if (count > in_.Left()) return in_.Fail(at, "unexpected end: select has too few types");
      out.types.clear();
      for (uint32_t i = 0; i < count; ++i) {
        uint8_t code = 0;
        if (!in_.Byte(code)) return false;
        const std::optional<ValType> type = ValTypeFromByte(code);
        if (!type.has_value()) {
          return in_.Fail(in_.offset() - 1,
                          MalformedByte("malformed value type", ByteRole::kType, code));
        }
        out.types.push_back(*type);
      }
      return true;
    }
    case Immediate::kRefType: {
      uint8_t code = 0;
      if (!in_.Byte(code)) return false;
      const std::optional<ValType> type = ValTypeFromByte(code);
      if (!type.has_value() || !type->IsReference()) {
        return in_.Fail(in_.offset() - 1,
                        MalformedByte("malformed reference type", ByteRole::kType, code));
      }
      out.type = *type;
      return true;
    }
    case Immediate::kI32:
      return in_.S32(out.value);
    case Immediate::kI64:
      return in_.S64(out.value);
    case Immediate::kF32:
    case Immediate::kF64: {
      uint64_t bits = 0;
      if (!in_.Fixed(immediate == Immediate::kF32 ? 4 : 8, bits)) return false;
      out.value = static_cast<int64_t>(bits);
      return true;
    }
    case Immediate::kMemArg:
      return ReadMemArg(out);
    case Immediate::kMemArgLane:
      return ReadMemArg(out) && in_.Byte(out.lane);
    case Immediate::kLane:
      return in_.Byte(out.lane);
    case Immediate::kV128: {
      absl::Span<const uint8_t> bytes;
      if (!in_.Bytes(16, bytes)) return false;
      std::copy(bytes.begin(), bytes.end(), out.v128.begin());
      return true;
    }
    case Immediate::kMemory:
      return ReadMemoryIndex(out.index);
    case Immediate::kFence: {
      uint8_t zero = 0;
      if (!in_.Byte(zero)) return false;
      return zero == 0 || in_.Fail(in_.offset() - 1, "zero byte expected");
    }
  }
  return in_.Fail(in_.offset(), "unknown immediate");
}

bool InstructionReader::ReadAny(Instruction& out) {
  out.offset = in_.offset();
  Immediate immediate;
  return ReadOp(out.op, immediate) && ReadImmediate(immediate, out);
}

}  // namespace precast::wasm
