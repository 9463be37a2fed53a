// One decoded instruction, and the reader that delivers a function body instruction by instruction.
// Validator and lifter both read bodies through it.
#ifndef PRECAST_COMPILER_WASM_INSTRUCTION_H_
#define PRECAST_COMPILER_WASM_INSTRUCTION_H_

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "compiler/wasm/byte_reader.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/types.h"

namespace precast::wasm {

// What a module must be allowed to use for an instruction to exist.
enum class Feature : uint8_t { kCore, kTailCalls, kRelaxedSimd, kThreads, kWideArithmetic };

constexpr bool Has(const Features& features, Feature feature) {
  switch (feature) {
    case Feature::kCore:
      return true;
    case Feature::kTailCalls:
      return features.tail_calls;
    case Feature::kRelaxedSimd:
      return features.relaxed_simd;
    case Feature::kThreads:
      return features.threads;
    case Feature::kWideArithmetic:
      return features.wide_arithmetic;
  }
  return false;
}

// Instructions, named after their text: `i32.add` is kI32Add, `local.get` kLocalGet, `br_if` kBrIf,
// `if` kIf, `i8x16.extract_lane_s` kI8x16ExtractLaneS, `memory.atomic.wait32` kMemoryAtomicWait32,
// `i32.atomic.rmw8.add_u` kI32AtomicRmw8AddU, `select` with types kSelectT, `i64.add128`
// kI64Add128.
enum class Op : uint16_t {
#define PRECAST_WASM_OP(Name, ...) k##Name,
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
};

inline constexpr int kNumOps = 0
#define PRECAST_WASM_OP(Name, ...) +1
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
    ;

// What follows the opcode, and the fields of Instruction that hold it.
enum class Immediate : uint8_t {
  kNone,
  kBlockType,     // block, loop, if
  kLabel,         // br, br_if: index = depth
  kLabelTable,    // br_table: targets, the last is the default
  kIndex,         // local, global, function, table, type, segment …: index
  kCallIndirect,  // index = type, index2 = table
  kTwoIndices,  // index, index2: memory.copy, table.copy (to, from), memory.init (segment, memory),
                // table.init (segment, table)
  kSelectTypes,  // select with types: types
  kRefType,      // ref.null: type
  kI32,          // value
  kI64,          // value
  kF32,          // value: the bits
  kF64,          // value: the bits
  kMemArg,       // align, memory, offset
  kMemArgLane,   // align, memory, offset, lane
  kLane,         // lane
  kV128,         // v128: constant or the 16 lanes of a shuffle
  kMemory,       // memory.size, memory.grow, memory.fill: index
  kFence,        // atomic.fence: a zero byte
};

struct OpInfo {
  std::string_view text;
  Immediate immediate;
  // For an instruction with a fixed type, its operands and results as letters: i i32, l i64, f f32,
  // d f64, v v128, a: address of its memory (i32 or i64; the memory is `memory`, `index` or
  // `index2` by the immediate, see AddressedMemory). "*" in both if the type depends on immediates
  // or the stack.
  std::string_view params, results;
  uint8_t natural_align;  // log2 of the access size, for memory instructions
  Feature feature;
  uint8_t prefix;  // 0: `code` is the opcode byte; else the byte before `code`, which is LEB128
  uint16_t code;
};
extern const std::array<OpInfo, kNumOps> kOpInfo;
inline const OpInfo& Info(Op op) { return kOpInfo[static_cast<size_t>(op)]; }

inline constexpr uint8_t kEmptyBlock = 0x40;  // the byte of a block type without values

struct BlockType {
  enum class Kind : uint8_t { kEmpty, kValue, kIndex } kind = Kind::kEmpty;
  ValType type;        // kValue: the one result
  uint32_t index = 0;  // kIndex: in Module::types
};

struct Instruction {
  Op op = Op::kUnreachable;
  uint32_t offset = 0;  // in the file, of the first opcode byte
  uint32_t index = 0;
  uint32_t index2 = 0;
  uint32_t align = 0;   // log2
  uint32_t memory = 0;  // of kMemArg
  uint64_t address_offset = 0;
  int64_t value = 0;
  uint8_t lane = 0;
  BlockType block_type;
  ValType type;
  std::array<uint8_t, 16> v128 = {};
  std::vector<uint32_t> targets;  // reused from instruction to instruction
  std::vector<ValType> types;
};

// The memory that an instruction with an `a` in its type addresses.
inline uint32_t AddressedMemory(const Instruction& instruction) {
  switch (Info(instruction.op).immediate) {
    case Immediate::kMemArg:
    case Immediate::kMemArgLane:
      return instruction.memory;
    case Immediate::kTwoIndices:  // memory.init
      return instruction.index2;
    default:
      return instruction.index;
  }
}

// A run of locals of one type.
struct LocalRun {
  uint32_t count;
  ValType type;
};

// How InstructionReader::Read reads what has an opcode of one byte, of a core feature, and at most
// one number behind it: so that it need not ask what it is.
struct QuickOpcode {
  Op op = Op::kUnreachable;
  uint8_t number_at = 1;   // from the opcode: 2 if the flags of a memory argument are between
  uint8_t most_bytes = 0;  // of a number that surely fits; 0: read in another way
  uint8_t has_number = 0;  // all bits, or none
  uint8_t second = 0;      // what the byte behind the opcode must be, of those below
  static constexpr uint8_t kFlags = 1, kBlock = 2;
  bool is_signed = false;
};
extern const std::array<QuickOpcode, 0x100> kQuickOpcodes;  // by the first byte
extern const std::array<uint8_t, 0x100> kQuickSecondBytes;  // by that byte, what it may be

// Reads a function body or constant expression. Checks the binary format only (what
// assert_malformed is about); errors name the offset. Does not check that blocks are closed.
class InstructionReader {
 public:
  InstructionReader(absl::Span<const uint8_t> file, ByteRange range, const Features& features)
      : in_(file, range), features_(features) {}

  // The local declarations at the start of a body, without the parameters. To be called once,
  // first. At most kMaxLocals in all (ResourceExhausted).
  absl::Status ReadLocals(std::vector<LocalRun>& out);

  bool AtEnd() const { return in_.AtEnd(); }
  uint32_t offset() const { return in_.offset(); }
  // The next instruction; an error at the end. Writes op, offset and the fields that belong to the
  // instruction's immediate; what those hold that do not is not said.
  absl::Status Next(Instruction& out) { return Read(out) ? absl::OkStatus() : status(); }
  // The same for who cannot wait for a status to be made: false at an error, which status() tells.
  bool Read(Instruction& out) {
    if (in_.Left() < kMaxQuickBytes) return ReadAny(out);
    const uint32_t bytes = ReadQuickly(in_.data(), out);
    if (bytes == 0) return ReadAny(out);
    out.offset = in_.offset();
    in_.Skip(bytes);
    return true;
  }
  absl::Status status() const { return in_.status(); }

 private:
  // An opcode, the first byte of a memory argument, and 8 bytes at which a number is looked for.
  static constexpr uint32_t kMaxQuickBytes = 10;
  static_assert(kMaxQuickBytes == 2 + sizeof(uint64_t));

  // What is usual, without tests that only what is malformed needs, and without a branch that
  // depends on which instruction it is: the bytes of the instruction, or 0 if it is anything else.
  static uint32_t ReadQuickly(const uint8_t* in, Instruction& out);
  // A LEB128 number of at most 8 bytes, without a sign: how many they are, or 0.
  static uint32_t QuickNumber(const uint8_t* in, uint64_t& out);
  // One of 1 to 8 bytes as a number with a sign.
  static int64_t WithSign(uint32_t bytes, uint64_t number) {
    const uint32_t unused = 64 - 7 * bytes;
    return static_cast<int64_t>(number << unused) >> unused;
  }
  bool ReadAny(Instruction& out);
  bool ReadOp(Op& op, Immediate& immediate);
  bool FailOp(uint32_t at, uint8_t byte, bool prefixed, uint32_t code);
  bool ReadImmediate(Immediate immediate, Instruction& out);
  bool ReadMemArg(Instruction& out);
  bool ReadMemoryIndex(uint32_t& out);
  bool ReadBlockType(BlockType& out);

  ByteReader in_;
  Features features_;
};

inline uint32_t InstructionReader::QuickNumber(const uint8_t* in, uint64_t& out) {
  if (*in < 0x80) {
    out = *in;
    return 1;
  }
  uint64_t bits;
  std::memcpy(&bits, in, sizeof bits);
  const uint64_t ends = ~bits & 0x8080808080808080;
  if (ends == 0) return 0;
  // Seven of every eight bits, up to the first byte that ends a number.
  bits &= ends ^ (ends - 1);
  bits = (bits & 0x007f007f007f007f) | (bits & 0x7f007f007f007f00) >> 1;
  bits = (bits & 0x00003fff00003fff) | (bits & 0x3fff00003fff0000) >> 2;
  out = (bits & 0x000000000fffffff) | (bits & 0x0fffffff00000000) >> 4;
  return static_cast<uint32_t>(std::countr_zero(ends)) / 8 + 1;
}

inline uint32_t InstructionReader::ReadQuickly(const uint8_t* in, Instruction& out) {
  const QuickOpcode opcode = kQuickOpcodes[*in];
  const uint8_t second = in[1];
  uint64_t number;
  const uint32_t bytes = QuickNumber(in + opcode.number_at, number);
  if (bytes - 1 >= opcode.most_bytes) [[unlikely]] {
    // Linkers write five bytes where they will put in a number.
    if (bytes != 5 || opcode.most_bytes != 4) return 0;
    const auto low = static_cast<uint32_t>(number);
    if (opcode.is_signed ? WithSign(5, number) != static_cast<int32_t>(low) : number != low) {
      return 0;
    }
  }
  if ((kQuickSecondBytes[second] & opcode.second) != opcode.second) [[unlikely]] {
    return 0;
  }
  out.op = opcode.op;
  out.index = static_cast<uint32_t>(number);
  out.value = WithSign(bytes, number);
  out.memory = 0;
  out.align = second;
  out.address_offset = number;
  out.block_type.kind = second == kEmptyBlock ? BlockType::Kind::kEmpty : BlockType::Kind::kValue;
  out.block_type.type = ValType{second};
  return opcode.number_at + (bytes & opcode.has_number);
}

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_INSTRUCTION_H_
