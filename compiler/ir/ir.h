// The SSA intermediate representation shared by both guests (RISC-V and WebAssembly).
//
// A `Function` is a list of basic blocks in SSA form with *block parameters* instead of phi nodes.
// Everything is stored in flat vectors owned by the function and named by small typed ids, so that
// a function is cheap to build, walk and throw away; nothing here allocates per instruction.
//
// What is particular to this IR:
//  * Guest memory is addressed by 32-bit (or 64-bit) guest addresses, never by host pointers.
//  * *Guest state*: a `StateSlot` names a guest register that lives in `VmContext` at every
//    boundary. `kLoadState`/`kStoreState` really access it. `kDeferState` only declares "from here
//    on the current value of this slot is v": the store is *deferred*. Whoever stops execution at a
//    *site* (a trap, a suspend) reconstructs the slots from side tables. So exact guest registers
//    at every site cost no instruction on the hot path. A block lists the deferred slots on entry
//    in `Block::state`.
//  * *Metering* is an operation (`kMeter`), see below.
//  * A function may have several *entries*: blocks that the dispatcher may enter, all with the
//    function's parameter signature.
#ifndef PRECAST_COMPILER_IR_IR_H_
#define PRECAST_COMPILER_IR_IR_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

namespace precast::ir {

// ---------------------------------------------------------------------------------------------
// Ids

// A small typed index; `kind` only makes ids of different things different types.
template <typename Tag>
struct Id {
  static constexpr uint32_t kNone = 0xffffffffu;
  uint32_t index = kNone;

  constexpr Id() = default;
  constexpr explicit Id(uint32_t i) : index(i) {}
  constexpr bool valid() const { return index != kNone; }
  constexpr auto operator<=>(const Id&) const = default;
};
using Value = Id<struct ValueTag>;  // printed v12
using Block = Id<struct BlockTag>;  // printed block3
using Inst = Id<struct InstTag>;
// Names an entry that can be called directly; the front end says how (RISC-V: by its guest pc).
// Printed @f12.
using FuncRef = Id<struct FuncTag>;

enum class Type : uint8_t { kI32, kI64, kF32, kF64, kV128 };

// Guest state slot: a number given meaning by the guest kind. RISC-V: 0..31 are x0..x31, 32 is pc.
using StateSlot = uint8_t;

// ---------------------------------------------------------------------------------------------
// Opcodes: one table, `opcodes.def`, that everything includes (printer, parser, verifier, isel).

enum class Opcode : uint8_t {
#define PRECAST_IR_OP(Name, text, ...) k##Name,
#include "compiler/ir/opcodes.def"
#undef PRECAST_IR_OP
};

// Integer comparison of two values of one type; the result is i32 0 or 1.
enum class IntCond : uint8_t { kEq, kNe, kSlt, kSge, kSgt, kSle, kUlt, kUge, kUgt, kUle };

// Comparison of two floating-point values; false if one is NaN, except kNe, which then is true.
enum class FloatCond : uint8_t { kEq, kNe, kLt, kGt, kLe, kGe };

enum class AtomicOp : uint8_t { kAdd, kSub, kAnd, kOr, kXor, kXchg };

// Operations of `kSimd`: one table, `simd.def`.
enum class SimdOp : uint8_t {
#define PRECAST_IR_SIMD(Name, ...) k##Name,
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
};

// What simd.def says of an operation.
struct SimdInfo {
  const char* text;
  Type result;
  const char* operands;  // a letter per operand: v, i, l, f, d
  uint8_t lanes;         // imm is below it; 0: no imm
};
const SimdInfo& Info(SimdOp op);
// Type of operand `k`, which must exist.
Type OperandType(const SimdInfo& info, size_t k);

using V128 = std::array<uint8_t, 16>;

// Width and extension of a guest memory access. Floating-point values take kU32 and k64. Loads
// extend to the result's integer type. k128Aligned: the address is known to be a multiple of 16.
enum class MemKind : uint8_t { kU8, kS8, kU16, kS16, kU32, kS32, k64, k128, k128Aligned };
inline constexpr bool IsVector(MemKind kind) {
  return kind == MemKind::k128 || kind == MemKind::k128Aligned;
}

// Bytes that an access touches; bytes of a value.
int AccessBytes(MemKind kind);
int TypeBytes(Type type);

// Why execution stops at a `kTrap`, or at a faulting site. The numbers are those of
// `runtime/abi/trap_codes.h`.
using TrapCode = uint8_t;

// Where in the guest an instruction comes from, and what is still owed to the instruction counter.
// Needed by every instruction that can stop (`CanStop`) and by calls.
struct Site {
  uint32_t guest_pc = 0;  // RISC-V: pc of the instruction; Wasm: bytecode offset
  // Guest instructions already charged by a `kMeter` but not retired when execution stops here. An
  // instruction that traps does not retire.
  uint32_t refund = 0;

  // Not a number, but of an access that meters have been moved behind: which of `Function::unpaid`.
  static constexpr uint32_t kUnpaid = 0x80000000;
  bool IsUnpaid() const { return refund >= kUnpaid; }
};

// What is known of an access that meters have been moved behind. If it faults, they come first: the
// first that cannot be paid is what execution stops for, and if there is none, `refund` is what the
// access gives back of them all.
struct Unpaid {
  struct Charge {
    uint32_t guest_pc = 0;
    uint32_t amount = 0;
    bool operator==(const Charge&) const = default;
  };
  uint32_t refund = 0;
  std::vector<Charge> charges = {};
};

// Branch target with its arguments.
struct Edge {
  Block target;
  std::vector<Value> args = {};
};

// One instruction. Which fields mean something is said by the opcode table.
struct InstData {
  Opcode op;
  Type type = Type::kI32;   // operand type (for the operation's width); see opcodes.def
  uint8_t aux = 0;          // IntCond, FloatCond, SimdOp, MemKind, StateSlot, TrapCode, callback
  bool cold = false;        // kBrIf: the *true* edge is unlikely
  uint32_t args_begin = 0;  // range in Function::value_pool
  uint16_t args_count = 0;
  uint16_t results_count = 0;
  uint32_t results_begin = 0;  // results are values results_begin … +results_count-1
  int64_t imm = 0;             // constant, address offset, function index, charge, …
  uint32_t edges_begin = 0;    // range in Function::edges, terminators only
  uint32_t edges_count = 0;
  Site site = {};
};

struct BlockData {
  std::vector<Value> params;
  std::vector<Inst> insts;  // the last one is the terminator
  // Deferred guest state on entry: (slot, value), by ascending slot, at most one each.
  std::vector<std::pair<StateSlot, Value>> state;
  uint32_t guest_pc = 0;  // of the first guest instruction; for tables and dumps
  bool cold = false;      // laid out after all hot code
  // From a profile: how often it is executed, in parts of 2^20 of the program's hottest place. 0:
  // not known.
  uint32_t weight = 0;
  uint32_t loop_depth = 0;
  // RISC-V, set for heads of loops: bit r says that no way on from here reads guest register x[r]
  // before it writes it or leaves the function. A register may be bound to be shown all the same.
  uint32_t unread = 0;
};

struct ValueData {
  static constexpr uint32_t kRemoved = 0xffffffffu;  // `index` of a removed block parameter
  Type type;
  bool is_param;
  uint32_t def;    // Inst index, or Block index for a block parameter
  uint32_t index;  // which result or parameter
};

// A calling convention is a set of types and the promise of where they travel. Guest functions
// all pass guest registers: all machine registers are clobbered by a call.
enum class CallConv : uint8_t {
  // RISC-V: parameters are the guest registers that travel in machine registers; the first result
  // is the guest pc to continue at (runtime/abi/vm_context.h).
  kGuest,
  // WebAssembly: integers and references in the machine registers abi::kWasmPassedIn,
  // floating-point and vector values in xmm0 up, each class counted apart; results the same. What
  // does not fit travels in the context (runtime/abi/wasm_context.h), by the front end's own loads
  // and stores.
  kWasm,
};

struct Signature {
  std::vector<Type> params;
  std::vector<Type> results;
  CallConv conv = CallConv::kGuest;
  bool operator==(const Signature&) const = default;
};

// ---------------------------------------------------------------------------------------------

class Function {
 public:
  Function(std::string name, Signature signature)
      : name_(std::move(name)), signature_(std::move(signature)) {}

  const std::string& name() const { return name_; }
  const Signature& signature() const { return signature_; }

  // Blocks the dispatcher may enter, `entries()[0]` first of all. Each is a block with exactly the
  // function's parameter types as block parameters and an empty `state`, and no predecessors.
  // `guest_pc` of the block is the pc at which it may be entered.
  const std::vector<Block>& entries() const { return entries_; }
  void AddEntry(Block b) { entries_.push_back(b); }

  // -- building
  // Makes room for so many more instructions.
  void Reserve(size_t insts);
  Block NewBlock() {
    blocks_.emplace_back();
    return Block(static_cast<uint32_t>(blocks_.size() - 1));
  }
  Value AddParam(Block b, Type type);
  // Inserts an instruction without operands and results before the one that is at `at` in `b`.
  Inst Insert(Block b, size_t at, const InstData& data);
  // Appends an instruction to `b`, creating `results.size()` result values.
  Inst Append(Block b, InstData data, absl::Span<const Value> args, absl::Span<const Type> results,
              std::vector<Edge> edges = {});

  // -- reading
  size_t num_blocks() const { return blocks_.size(); }
  size_t num_values() const { return values_.size(); }
  size_t num_insts() const { return insts_.size(); }
  BlockData& block(Block b) { return blocks_[b.index]; }
  const BlockData& block(Block b) const { return blocks_[b.index]; }
  InstData& inst(Inst i) { return insts_[i.index]; }
  const InstData& inst(Inst i) const { return insts_[i.index]; }
  const ValueData& value(Value v) const { return values_[v.index]; }
  Type type(Value v) const { return values_[v.index].type; }
  absl::Span<const Value> args(Inst i) const {
    return {value_pool_.data() + insts_[i.index].args_begin, insts_[i.index].args_count};
  }
  absl::Span<Value> mutable_args(Inst i) {
    return {value_pool_.data() + insts_[i.index].args_begin, insts_[i.index].args_count};
  }
  absl::Span<const Edge> edges(Inst i) const {
    return {edges_.data() + insts_[i.index].edges_begin, insts_[i.index].edges_count};
  }
  absl::Span<Edge> mutable_edges(Inst i) {
    return {edges_.data() + insts_[i.index].edges_begin, insts_[i.index].edges_count};
  }
  Value result(Inst i, uint32_t k = 0) const { return Value(insts_[i.index].results_begin + k); }
  Inst terminator(Block b) const { return blocks_[b.index].insts.back(); }

  // Constants of `kVconst` and lane patterns of `kShuffle`. Equal ones get one index.
  uint32_t AddV128(const V128& bytes);
  const std::vector<V128>& v128_constants() const { return v128_constants_; }

  // Makes `site` one of an access in front of which nothing of `unpaid` is charged.
  void SetUnpaid(Site& site, Unpaid unpaid) {
    site.refund = Site::kUnpaid | static_cast<uint32_t>(unpaid_.size());
    unpaid_.push_back(std::move(unpaid));
  }
  const Unpaid& unpaid(const Site& site) const { return unpaid_[site.refund - Site::kUnpaid]; }
  const std::vector<Unpaid>& unpaid() const { return unpaid_; }

  // Removes block parameter `index` of `b`; the caller removes the argument from every edge to `b`.
  void RemoveParam(Block b, size_t index);
  // The same for many: keeps the parameters k of `b` with keep[k].
  void RetainParams(Block b, absl::Span<const bool> keep);
  // Removes the blocks b without keep[b.index] and renumbers the others in order; the caller sees
  // to it that no kept block names a removed one. Entries among the removed are forgotten.
  void RetainBlocks(absl::Span<const bool> keep);
  // For the parser, which meets uses before definitions: value i is from now on *defined* under the
  // number numbers[i] (all different); uses stay as they are. Numbers without a definition belong
  // to no block.
  void RelabelDefinitions(absl::Span<const uint32_t> numbers);

 private:
  std::string name_;
  Signature signature_;
  std::vector<Block> entries_;
  std::vector<BlockData> blocks_;
  std::vector<InstData> insts_;
  std::vector<ValueData> values_;
  std::vector<Value> value_pool_;
  std::vector<Edge> edges_;
  std::vector<V128> v128_constants_;
  absl::flat_hash_map<V128, uint32_t> v128_index_;
  std::vector<Unpaid> unpaid_;
};

// What the opcode table says of an opcode.
struct OpcodeInfo {
  const char* text;      // name in the text form
  bool is_terminator;    // ends a block
  bool has_side_effect;  // must not be removed, duplicated or reordered with other such
  bool can_stop;         // may end execution here: needs a `Site`; deferred state must be known
};
inline constexpr auto kOpcodeInfo = [] {
  enum : unsigned { T = 1, E = 2, S = 4 };
  return std::to_array<OpcodeInfo>({
#define PRECAST_IR_OP(Name, text, flags) \
  {text, ((flags)&T) != 0, ((flags)&E) != 0, ((flags)&S) != 0},
#include "compiler/ir/opcodes.def"
#undef PRECAST_IR_OP
  });
}();
inline const OpcodeInfo& Info(Opcode op) { return kOpcodeInfo[static_cast<size_t>(op)]; }
inline bool IsTerminator(Opcode op) { return Info(op).is_terminator; }
inline bool CanStop(Opcode op) { return Info(op).can_stop; }
inline bool IsCall(Opcode op) {
  return op == Opcode::kCall || op == Opcode::kCallDispatch || op == Opcode::kCallRuntime ||
         op == Opcode::kCallPointer;
}

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_IR_H_
