// A function body in the form in which it is interpreted: operations of fixed size with resolved
// branches.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_BODY_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_BODY_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/wasm/module_data.h"

namespace precast::runtime::wasm::interpreter {

// `top` is the topmost slot of the operand stack. Those of numeric.def and memory.def: a = memory,
// imm = offset.
enum class Code : uint16_t {
  // -- fuel and interruption
  kCharge,    // imm: what the segment costs
  kLoopHead,  // asks for interruption
  // -- control. Targets are indices of operations.
  kUnreachable,
  kJump,    // a: target
  kBranch,  // a: target, b: number of values kept, imm: slot (from the frame's begin) they move to
  kJumpIf,  // as kJump, if top is not 0
  kJumpUnless,    // as kJump, if top is 0
  kBranchIf,      // as kBranch, if top is not 0
  kBranchTable,   // imm: first of the `branches`, a: number of them, the default last
  kReturn,        // b: number of results
  kCall,          // a: defined function, by its number among the defined ones
  kCallRecord,    // imm: displacement of the FunctionRecord in the context, a: type
  kCallIndirect,  // a: type, b: 1 if the table's index type is i64, imm: table
  kReturnCall,
  kReturnCallRecord,
  kReturnCallIndirect,
  // -- slots
  kDrop,
  kSelect,
  kSelectV128,
  kLocalGet,
  kLocalSet,
  kLocalTee,  // a: local
  kLocalGetV128,
  kLocalSetV128,
  kLocalTeeV128,
  kGlobalGet,
  kGlobalSet,
  kGlobalGetV128,
  kGlobalSetV128,  // imm: displacement of the cell in the context
  kImportedGlobalGet,
  kImportedGlobalSet,
  kImportedGlobalGetV128,
  kImportedGlobalSetV128,
  kConst,      // imm; also ref.null
  kConstV128,  // imm: which of the `vectors`
  kRefIsNull,
  kRefFunc,  // imm: displacement of the FunctionRecord in the context
  // -- tables: a = table
  kTableGet,
  kTableSet,
  kTableSize,
  // -- memories: a = memory
  kMemorySize,
  kFence,
  kHelper,  // imm: which of the `helpers`
  // -- wide arithmetic
  kI64Add128,
  kI64Sub128,
  kI64MulWideS,
  kI64MulWideU,
  // -- vectors
  kSimd,          // imm: number of the SimdOperation, b: lane
  kShuffle,       // imm: which of the `vectors`
  kVectorAccess,  // a: memory, imm: offset, b: lane + 256 * position of the VectorAccess
// -- numbers
#define PRECAST_NUM1(Name, ...) k##Name,
#define PRECAST_NUM2(Name, ...) k##Name,
#include "runtime/wasm/interpreter/numeric.def"
#undef PRECAST_NUM1
#undef PRECAST_NUM2
#define PRECAST_LOAD(Name, ...) k##Name,
#define PRECAST_STORE(Name, ...) k##Name,
#define PRECAST_ATOMIC_LOAD(Name, ...) k##Name,
#define PRECAST_ATOMIC_STORE(Name, ...) k##Name,
#define PRECAST_ATOMIC_RMW(Name, ...) k##Name,
#define PRECAST_ATOMIC_CMPXCHG(Name, ...) k##Name,
#include "runtime/wasm/interpreter/memory.def"
#undef PRECAST_LOAD
#undef PRECAST_STORE
#undef PRECAST_ATOMIC_LOAD
#undef PRECAST_ATOMIC_STORE
#undef PRECAST_ATOMIC_RMW
#undef PRECAST_ATOMIC_CMPXCHG
};

struct Op {
  Code code;
  uint16_t b = 0;
  uint32_t a = 0;
  uint64_t imm = 0;
};
static_assert(sizeof(Op) == 16);

// Where an operation comes from.
struct Site {
  uint32_t offset;   // in the module file
  uint32_t segment;  // the fuel segment it is in
  uint32_t rank;     // what the instructions before it in its segment cost
};

struct Branch {
  uint32_t target;
  uint16_t kept;
  uint32_t slot;
};

// A call of a helper: immediate operands, then those from the stack.
struct HelperCall {
  abi::WasmHelper helper;
  uint8_t num_immediates = 0;
  uint8_t num_operands = 0;     // on the stack
  uint32_t immediates[2] = {};  // the first operands
  // A memory offset to be added to stack operand 0; `align` is a trap of its own and comes first.
  uint64_t offset = 0;
  uint8_t align = 1;
  // The result's size in bytes: 0 (none), 4 or 8.
  uint8_t result_bytes = 0;
};

struct Body {
  bool malformed = false;
  uint32_t offset = 0;  // of the body; of the error, if it is malformed
  uint32_t function = 0;
  uint32_t num_params = 0, num_locals = 0;  // locals: with parameters
  uint32_t frame_slots = 0;                 // most slots it ever uses, from its first parameter on
  std::vector<Op> ops;
  std::vector<Site> sites;  // by operation
  std::vector<uint32_t> segment_costs;
  std::vector<Branch> branches;
  std::vector<HelperCall> helpers;
  std::vector<std::array<uint8_t, 16>> vectors;
};

// Slots between the locals and the operand stack: the link to the caller's frame.
inline constexpr uint32_t kLinkSlots = 2;

// Never null; the Body says if it is malformed. Checks everything that safety depends on, types
// included.
std::unique_ptr<const Body> DecodeBody(const ModuleData& module, uint32_t function);

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_BODY_H_
