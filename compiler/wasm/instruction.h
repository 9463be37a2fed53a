// One decoded instruction, and the reader that delivers a function body instruction by instruction. Validator
// and lifter both read bodies through it.
#ifndef PRECAST_COMPILER_WASM_INSTRUCTION_H_
#define PRECAST_COMPILER_WASM_INSTRUCTION_H_

#include <array>
#include <cstdint>
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

// Instructions, named after their text: `i32.add` is kI32Add, `local.get` kLocalGet, `br_if` kBrIf, `if` kIf,
// `i8x16.extract_lane_s` kI8x16ExtractLaneS, `memory.atomic.wait32` kMemoryAtomicWait32,
// `i32.atomic.rmw8.add_u` kI32AtomicRmw8AddU, `select` with types kSelectT, `i64.add128` kI64Add128.
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
  // For an instruction with a fixed type, its operands and results as letters: i i32, l i64, f f32, d f64,
  // v v128, a: address of its memory (i32 or i64; the memory is `memory`, `index` or `index2` by the
  // immediate, see AddressedMemory). "*" in both if the type depends on immediates or the stack.
  std::string_view params, results;
  uint8_t natural_align;  // log2 of the access size, for memory instructions
  Feature feature;
  uint8_t prefix;  // 0: `code` is the opcode byte; else the byte before `code`, which is LEB128
  uint16_t code;
};
extern const std::array<OpInfo, kNumOps> kOpInfo;
inline const OpInfo& Info(Op op) { return kOpInfo[static_cast<size_t>(op)]; }

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

// Reads a function body or constant expression. Checks the binary format only (what assert_malformed is
// about); errors name the offset. Does not check that blocks are closed.
class InstructionReader {
 public:
  InstructionReader(absl::Span<const uint8_t> file, ByteRange range, const Features& features)
      : in_(file, range), features_(features) {}

  // The local declarations at the start of a body, without the parameters. To be called once, first. At most
  // kMaxLocals in all (ResourceExhausted).
  absl::Status ReadLocals(std::vector<LocalRun>& out);

  bool AtEnd() const { return in_.AtEnd(); }
  uint32_t offset() const { return in_.offset(); }
  // The next instruction; an error at the end. Writes op, offset and the fields that belong to the
  // instruction's immediate, and leaves the others as they were.
  absl::Status Next(Instruction& out);

 private:
  bool ReadOp(Op& op, Immediate& immediate);
  bool FailOp(uint32_t at, uint8_t byte, bool prefixed, uint32_t code);
  bool ReadImmediate(Immediate immediate, Instruction& out);
  bool ReadMemArg(Instruction& out);
  bool ReadMemoryIndex(uint32_t& out);
  bool ReadBlockType(BlockType& out);

  ByteReader in_;
  Features features_;
};

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_INSTRUCTION_H_
