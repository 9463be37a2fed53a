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
  kIconst,        // imm
  kFconst,        // imm, as bits
  kBinary,        // a, b
  kUnary,         // a
  kIcmp,          // cond a, b
  kSelect,        // cond, a, b
  kLoad,          // kind address + imm
  kStore,         // kind address + imm, value
  kLoadState,     // slot
  kStoreState,    // slot, value
  kAmount,        // imm
  kTrapIf,        // cond, code
  kCall,          // @callee(args)
  kCallDispatch,  // pc(args)
  kCallRuntime,   // callback(args)
  kBr,            // edge
  kBrIf,          // cond, edge, edge
  kBrTable,       // index, [edges]
  kRet,           // values
  kTrap,          // code
};
Form FormOf(Opcode op);

// Whether `InstData::type` means something; if so it is part of the text.
bool HasType(Opcode op);
// How many results; calls have any number and give nullopt.
std::optional<int> ResultCount(Opcode op);
// Type of the one result of an instruction that is no call.
Type ResultType(Opcode op, Type type);

// Names in the text form.
std::string_view Name(Type type);
std::string_view Name(IntCond cond);
std::string_view Name(MemKind kind);
std::optional<Type> ParseType(std::string_view text);
std::optional<IntCond> ParseIntCond(std::string_view text);
std::optional<MemKind> ParseMemKind(std::string_view text);
std::optional<Opcode> ParseOpcode(std::string_view text);

inline constexpr uint8_t kNumOpcodes = 0
#define PRECAST_IR_OP(Name, text, ...) +1
#include "compiler/ir/opcodes.def"
#undef PRECAST_IR_OP
    ;
inline constexpr uint8_t kNumIntConds = static_cast<uint8_t>(IntCond::kUle) + 1;
inline constexpr uint8_t kNumMemKinds = static_cast<uint8_t>(MemKind::k128) + 1;
inline constexpr uint8_t kNumTypes = static_cast<uint8_t>(Type::kV128) + 1;

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_SYNTAX_H_
