// IR functions for the tests of the back end, built without simplification: it shall see
// everything.
#ifndef PRECAST_COMPILER_X64_TEST_FUNCTIONS_H_
#define PRECAST_COMPILER_X64_TEST_FUNCTIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/codegen/target.h"
#include "compiler/ir/ir.h"

namespace precast::x64::testing {

using ir::Block;
using ir::Function;
using ir::InstData;
using ir::IntCond;
using ir::Opcode;
using ir::Type;
using ir::Value;

// Not a constant that random code makes: an accidental call of function 0 could recurse without
// end.
inline constexpr uint32_t kDispatchBase = 0x5a5b0000;
inline constexpr uint32_t kDispatchCount = 64;

// With these, and with the register allocation checked.
codegen::CompileOptions Options();
// The same at -O2 and for this very machine.
codegen::CompileOptions NativeOptions();

// Every operation of two operands of one type.
inline constexpr Opcode kBinary[] = {Opcode::kAdd,       Opcode::kSub,       Opcode::kMul,
                                     Opcode::kSmulHi,    Opcode::kUmulHi,    Opcode::kSumulHi,
                                     Opcode::kSdivTotal, Opcode::kUdivTotal, Opcode::kSremTotal,
                                     Opcode::kUremTotal, Opcode::kAnd,       Opcode::kOr,
                                     Opcode::kXor,       Opcode::kShl,       Opcode::kShrU,
                                     Opcode::kShrS,      Opcode::kRotl,      Opcode::kRotr};

// Appends to one block after another.
class Build {
 public:
  explicit Build(Function& f) : f_(f) {}
  void At(Block b) { b_ = b; }
  Block at() const { return b_; }
  Value Op(Opcode op, Type type, std::vector<Value> args, Type result, uint8_t aux = 0,
           int64_t imm = 0, ir::Site site = {});
  void Do(Opcode op, std::vector<Value> args, uint8_t aux = 0, int64_t imm = 0, ir::Site site = {},
          std::vector<ir::Edge> edges = {}, Type type = Type::kI32);
  Value Const(Type type, int64_t v) { return Op(Opcode::kIconst, type, {}, type, 0, v); }
  Value Binary(Opcode op, Type type, Value a, Value b) { return Op(op, type, {a, b}, type); }
  Value Icmp(IntCond c, Type type, Value a, Value b) {
    return Op(Opcode::kIcmp, type, {a, b}, Type::kI32, static_cast<uint8_t>(c));
  }
  // An i64 of two i32 halves.
  Value Join(Value low, Value high);
  Value Low(Value v) { return Op(Opcode::kWrap, Type::kI64, {v}, Type::kI32); }
  Value High(Value v) { return Low(Binary(Opcode::kShrU, Type::kI64, v, Const(Type::kI64, 32))); }

 private:
  Function& f_;
  Block b_;
};

// From the passed registers to `results` values, all i32.
Function NewFunction(size_t results);
// Makes `b` an entry for `pc`; returns its parameters.
std::vector<Value> NewEntry(Function& f, Block b, uint32_t pc);

}  // namespace precast::x64::testing

#endif  // PRECAST_COMPILER_X64_TEST_FUNCTIONS_H_
