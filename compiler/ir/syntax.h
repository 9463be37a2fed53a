// What an instruction of each opcode consists of. The printer, the parser and the verifier walk
// instructions by this, so that none of them has a long switch of its own.
#ifndef PRECAST_COMPILER_IR_SYNTAX_H_
#define PRECAST_COMPILER_IR_SYNTAX_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "compiler/ir/ir.h"

namespace precast::ir {

// Opcodes of one form look alike in text and take operands alike.
enum class Form : uint8_t {
  kIconst,          // imm
  kFconst,          // imm, as bits
  kVconst,          // bytes
  kBinary,          // a, b [guarded]
  kUnary,           // a
  kConvert,         // a [in_range]
  kIcmp,            // cond a, b
  kFcmp,            // cond a, b
  kSelect,          // cond, a, b
  kSimd,            // operands[, lane]
  kShuffle,         // a, b, bytes
  kLoad,            // kind address + imm
  kStore,           // kind address + imm, value
  kLoadAt,          // kind base, offset + imm
  kStoreAt,         // kind base, offset + imm, value
  kAtomicRmw,       // operation kind base, offset, operand
  kAtomicCmpxchg,   // kind base, offset, expected, replacement
  kFence,           // nothing
  kContextAddress,  // imm
  kLoadContext,     // kind imm
  kStoreContext,    // kind imm, value
  kLoadState,       // slot
  kStoreState,      // slot, value
  kAmount,          // imm
  kChargeValue,     // amount
  kLoadFuel,
  kCountRows,     // register, imm as bits
  kMarkPage,      // address + imm[, mode]
  kTrapIf,        // cond, code
  kCall,          // @callee(args)
  kCallDispatch,  // pc(args)
  kCallRuntime,   // callback(args)
  kCallPointer,   // code, record, type(args)
  kBr,            // edge
  kBrIf,          // cond, edge, edge
  kBrTable,       // index, [edges]
  kRet,           // values
  kTrap,          // code
};
Form FormOf(Opcode op);

// Whether `InstData::type` is part of the text. (Of vector operations it is implied.)
bool HasType(Opcode op);
// How many results; calls have any number and give nullopt.
std::optional<int> ResultCount(Opcode op);
// Type of the one result of an instruction that is no call.
Type ResultType(Opcode op, Type type);

// Names in the text form; "?" of what has none.
std::string_view Name(Type type);
std::string_view Name(IntCond cond);
std::string_view Name(FloatCond cond);
std::string_view Name(AtomicOp op);
std::string_view Name(CallConv conv);
std::string_view Name(MemKind kind);
std::optional<Type> ParseType(std::string_view text);
std::optional<IntCond> ParseIntCond(std::string_view text);
std::optional<FloatCond> ParseFloatCond(std::string_view text);
std::optional<AtomicOp> ParseAtomicOp(std::string_view text);
std::optional<SimdOp> ParseSimdOp(std::string_view text);
std::optional<CallConv> ParseCallConv(std::string_view text);
std::optional<MemKind> ParseMemKind(std::string_view text);
std::optional<Opcode> ParseOpcode(std::string_view text);

inline constexpr uint8_t kNumOpcodes = 0
#define PRECAST_IR_OP(Name, text, ...) +1
#include "compiler/ir/opcodes.def"
#undef PRECAST_IR_OP
    ;
inline constexpr uint32_t kNumSimdOps = 0
#define PRECAST_IR_SIMD(Name, ...) +1
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
    ;
inline constexpr uint8_t kNumFloatConds = static_cast<uint8_t>(FloatCond::kGe) + 1;
inline constexpr uint8_t kNumAtomicOps = static_cast<uint8_t>(AtomicOp::kXchg) + 1;
inline constexpr uint8_t kNumCallConvs = static_cast<uint8_t>(CallConv::kWasm) + 1;
inline constexpr uint8_t kNumIntConds = static_cast<uint8_t>(IntCond::kUle) + 1;
inline constexpr uint8_t kNumMemKinds = static_cast<uint8_t>(MemKind::k128Aligned) + 1;
inline constexpr uint8_t kNumTypes = static_cast<uint8_t>(Type::kV128) + 1;

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_SYNTAX_H_
