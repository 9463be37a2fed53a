// Checks the rules stated in verifier.h, in that order of dependence: shape first, then types, then
// dominance (which needs the shape to be right).
#include "compiler/ir/verifier.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/syntax.h"
#include "runtime/abi/meter_area.h"

namespace precast::ir {
namespace {

class Verifier {
 public:
  explicit Verifier(const Function& f) : f_(f), defined_in_(f.num_values()) {}

  absl::Status Run() {
    CheckBlocks() && CheckDefinitions() && CheckEntries() && CheckInsts() && CheckState() &&
        CheckDominance();
    return status_;
  }

 private:
  // Where a violation is; all that is known is named.
  struct Place {
    Block block = {};
    Inst inst = {};
  };

  bool Fail(std::string_view rule, Place at, std::string_view message) {
    std::string text = absl::StrCat(rule, ": function \"", f_.name(), "\"");
    if (at.block.valid()) absl::StrAppend(&text, ", block", at.block.index);
    if (at.inst.valid()) absl::StrAppend(&text, ", `", PrintInst(f_, at.inst), "`");
    status_ = absl::InvalidArgumentError(absl::StrCat(text, ": ", message));
    return false;
  }

  static std::string Text(Value v) { return absl::StrCat("v", v.index); }

  // V3, V4, V12 (targets).
  bool CheckBlocks() {
    std::vector<bool> seen(f_.num_insts(), false);
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      const Block b(n);
      const BlockData& block = f_.block(b);
      if (block.insts.empty()) return Fail("V3", {b}, "the block is empty");
      for (Inst i : block.insts) {
        if (i.index >= f_.num_insts()) return Fail("V4", {b}, "no such instruction");
        const Opcode op = f_.inst(i).op;
        if (static_cast<uint8_t>(op) >= kNumOpcodes) return Fail("V7", {b}, "no such opcode");
        if (seen[i.index]) return Fail("V4", {b}, "an instruction is in two places");
        seen[i.index] = true;
        const bool last = i == block.insts.back();
        if (!CheckEdgeCount(b, i)) return false;
        if (IsTerminator(op) != last) {
          return Fail("V3", {b, i},
                      last ? "the last instruction is no terminator"
                           : "a terminator that is not the last instruction");
        }
        for (const Edge& edge : f_.edges(i)) {
          if (edge.target.index >= f_.num_blocks()) return Fail("V12", {b}, "no such target");
        }
      }
    }
    return true;
  }

  bool CheckEdgeCount(Block b, Inst i) {
    const uint32_t count = f_.inst(i).edges_count;
    bool good = count == 0;
    switch (FormOf(f_.inst(i).op)) {
      case Form::kBr:
        good = count == 1;
        break;
      case Form::kBrIf:
        good = count == 2;
        break;
      case Form::kBrTable:
        good = count >= 1;
        break;
      default:
        break;
    }
    if (good) return true;
    return Fail("V12", {b}, absl::StrCat(Info(f_.inst(i).op).text, " with ", count, " edges"));
  }

  // V5: who defines what. Fills `defined_in_`.
  bool CheckDefinitions() {
    const auto define = [&](Block b, Value v, ValueData expected) {
      if (v.index >= f_.num_values()) return Fail("V5", {b}, "a definition of no value");
      const ValueData& data = f_.value(v);
      if (defined_in_[v.index].valid()) {
        return Fail("V5", {b}, absl::StrCat(Text(v), " is defined twice"));
      }
      if (data.is_param != expected.is_param || data.def != expected.def ||
          data.index != expected.index) {
        return Fail("V5", {b}, absl::StrCat(Text(v), " does not know its definition"));
      }
      if (static_cast<uint8_t>(data.type) >= kNumTypes) {
        return Fail("V7", {b}, absl::StrCat(Text(v), " has no type"));
      }
      defined_in_[v.index] = b;
      return true;
    };
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      const Block b(n);
      uint32_t k = 0;
      for (Value v : f_.block(b).params) {
        if (!define(b, v, {.type = Type::kI32, .is_param = true, .def = n, .index = k++})) {
          return false;
        }
      }
      for (Inst i : f_.block(b).insts) {
        for (uint32_t r = 0; r < f_.inst(i).results_count; ++r) {
          if (!define(b, f_.result(i, r),
                      {.type = Type::kI32, .is_param = false, .def = i.index, .index = r})) {
            return false;
          }
        }
      }
    }
    return true;
  }

  bool IsDefined(Value v) const {
    return v.index < defined_in_.size() && defined_in_[v.index].valid();
  }

  // V1, V2, V18.
  bool CheckEntries() {
    if (static_cast<uint8_t>(f_.signature().conv) >= kNumCallConvs) {
      return Fail("V18", {}, "no such calling convention");
    }
    if (!CheckPassed({}, f_.signature().params, "parameters") ||
        !CheckPassed({}, f_.signature().results, "results")) {
      return false;
    }
    if (f_.entries().empty()) return Fail("V1", {}, "no entry");
    std::vector<bool> is_entry(f_.num_blocks(), false);
    for (Block e : f_.entries()) {
      if (e.index >= f_.num_blocks()) return Fail("V1", {}, "an entry that is no block");
      if (is_entry[e.index]) return Fail("V1", {e}, "named twice as an entry");
      is_entry[e.index] = true;
      const BlockData& block = f_.block(e);
      if (!block.state.empty()) return Fail("V1", {e}, "an entry with deferred state");
      const std::vector<Type>& types = f_.signature().params;
      bool same = block.params.size() == types.size();
      for (size_t k = 0; same && k < types.size(); ++k) same = f_.type(block.params[k]) == types[k];
      if (!same) return Fail("V2", {e}, "an entry's parameters differ from the signature");
    }
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      for (const Edge& edge : Successors(f_, Block(n))) {
        if (is_entry[edge.target.index]) {
          return Fail("V1", {Block(n), f_.terminator(Block(n))}, "a jump to an entry");
        }
      }
    }
    return true;
  }

  // V5 (uses), V7 … V14, V17.
  bool CheckInsts() {
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      for (Inst i : f_.block(Block(n)).insts) {
        if (!CheckInst({Block(n), i})) return false;
      }
    }
    return true;
  }

  bool CheckInst(Place at) {
    const InstData& inst = f_.inst(at.inst);
    const absl::Span<const Value> args = f_.args(at.inst);
    for (Value v : args) {
      if (!IsDefined(v)) return Fail("V5", {at.block}, absl::StrCat(Text(v), " is not defined"));
    }
    for (const Edge& edge : f_.edges(at.inst)) {
      for (Value v : edge.args) {
        if (!IsDefined(v)) return Fail("V5", {at.block}, absl::StrCat(Text(v), " is not defined"));
      }
    }
    if (static_cast<uint8_t>(inst.type) >= kNumTypes) return Fail("V7", {at.block}, "no such type");
    return CheckOperands(at, inst, args) && CheckResults(at, inst) && CheckEdges(at, inst);
  }

  // The operands must be exactly of these types.
  bool Expect(Place at, absl::Span<const Type> types) {
    const absl::Span<const Value> args = f_.args(at.inst);
    if (args.size() != types.size()) {
      return Fail("V7", {at.block},
                  absl::StrCat(Info(f_.inst(at.inst).op).text, " with ", args.size(),
                               " operands instead of ", types.size()));
    }
    for (size_t k = 0; k < args.size(); ++k) {
      if (f_.type(args[k]) == types[k]) continue;
      return Fail("V7", at,
                  absl::StrCat(Text(args[k]), " is ", Name(f_.type(args[k])), " instead of ",
                               Name(types[k])));
    }
    return true;
  }

  bool CheckOperands(Place at, const InstData& inst, absl::Span<const Value> args) {
    const Type type = inst.type;
    constexpr Type kI32 = Type::kI32;
    const auto floating = [&] { return IsFloat(type) || Fail("V7", at, "not a float type"); };
    const auto integer = [&] { return IsInteger(type) || Fail("V7", at, "not an integer type"); };
    switch (FormOf(inst.op)) {
      case Form::kIconst:
        if (!Expect(at, {}) || !integer()) return false;
        if (inst.imm != Canonical(type, inst.imm)) return Fail("V9", at, "not an i32");
        return true;
      case Form::kFconst:
        if (!Expect(at, {})) return false;
        if (type != Type::kF32 && type != Type::kF64) return Fail("V7", at, "not a float type");
        if (type == Type::kF32 && static_cast<uint64_t>(inst.imm) > kMax32) {
          return Fail("V9", at, "not the bits of an f32");
        }
        return true;
      case Form::kVconst:
        return Expect(at, {}) && CheckV128(at, inst, 255);
      case Form::kBinary:
        if (inst.aux > (IsDivision(inst.op) ? 1 : 0)) return Fail("V8", at, "cannot be guarded");
        return Expect(at, {type, type}) && (IsFloatBinary(inst.op) ? floating() : integer());
      case Form::kUnary:
        if (!Expect(at, {type}) || !(IsFloatUnary(inst.op) ? floating() : integer())) return false;
        if (inst.op == Opcode::kWrap && type != Type::kI64) return Fail("V7", at, "wraps i64 only");
        if ((inst.op == Opcode::kExtendU32 || inst.op == Opcode::kExtendS32) && type != kI32) {
          return Fail("V7", at, "extends i32 only");
        }
        return true;
      case Form::kIcmp:
        if (inst.aux >= kNumIntConds) return Fail("V8", {at.block}, "no such condition");
        return Expect(at, {type, type}) && integer();
      case Form::kFcmp:
        if (inst.aux >= kNumFloatConds) return Fail("V8", {at.block}, "no such condition");
        return Expect(at, {type, type}) && floating();
      case Form::kConvert:
        return CheckConversion(at, inst, args);
      case Form::kSelect:
        return Expect(at, {kI32, type, type});
      case Form::kSimd:
        return CheckSimd(at, inst);
      case Form::kShuffle:
        return Expect(at, {Type::kV128, Type::kV128}) && CheckV128(at, inst, 31);
      case Form::kLoad:
      case Form::kStore:
      case Form::kLoadAt:
      case Form::kStoreAt:
      case Form::kLoadContext:
      case Form::kStoreContext:
        return CheckAccess(at, inst);
      case Form::kAtomicRmw:
      case Form::kAtomicCmpxchg:
        return CheckAtomic(at, inst);
      case Form::kFence:
      case Form::kLoadFuel:
        return Expect(at, {});
      case Form::kContextAddress:
        if (!Expect(at, {})) return false;
        if (inst.imm != Canonical(kI32, inst.imm)) return Fail("V10", at, "offset is not an i32");
        return true;
      case Form::kLoadState:
        return Expect(at, {});
      case Form::kStoreState:
        return Expect(at, {kI32});
      case Form::kAmount:
        if (!Expect(at, {})) return false;
        if (inst.imm < -kMaxAmount || inst.imm > kMaxAmount) {
          return Fail("V17", at, "amount out of range");
        }
        if (inst.site.IsUnpaid()) return Fail("V17", at, "is no access that could be unpaid");
        if (inst.op == Opcode::kMeter && int64_t{inst.site.refund} < inst.imm) {
          return Fail("V17", at, "refunds less than it subtracts");
        }
        return true;
      case Form::kCountRows:
        if (inst.aux >= abi::kRowRegisters) return Fail("V8", at, "no such row register");
        return Expect(at, {});
      case Form::kMarkPage:
        if (inst.imm != Canonical(kI32, inst.imm)) return Fail("V10", at, "offset is not an i32");
        return Expect(at, {kI32});
      case Form::kChargeValue:
      case Form::kTrapIf:
      case Form::kBrIf:
      case Form::kBrTable:
        return Expect(at, {kI32});
      case Form::kBr:
      case Form::kTrap:
        return Expect(at, {});
      case Form::kRet:
        if (inst.args_count != f_.signature().results.size()) {
          return Fail("V11", at, "not as many values as the signature has results");
        }
        for (size_t k = 0; k < args.size(); ++k) {
          if (f_.type(args[k]) != f_.signature().results[k]) {
            return Fail("V11", at,
                        absl::StrCat(Text(args[k]), " is ", Name(f_.type(args[k])), " instead of ",
                                     Name(f_.signature().results[k])));
          }
        }
        return true;
      case Form::kCall:
        if (inst.imm < 0 || inst.imm >= int64_t{FuncRef::kNone}) {
          return Fail("V7", at, "no function has this number");
        }
        return CheckCallTypes(at, args);
      case Form::kCallDispatch:
        if (args.empty() || f_.type(args[0]) != kI32) {
          return Fail("V7", {at.block}, "a dispatch without a guest pc (i32)");
        }
        return true;
      case Form::kCallRuntime:
        return true;
      case Form::kCallPointer:
        if (args.size() < 3 || f_.type(args[0]) != Type::kI64 || f_.type(args[1]) != Type::kI64 ||
            f_.type(args[2]) != kI32) {
          return Fail("V7", {at.block}, "a call without code (i64), record (i64) and type (i32)");
        }
        return CheckCallTypes(at, args.subspan(3));
    }
    return true;
  }

  // The constant of 16 bytes that `imm` names; none is above `max`.
  bool CheckV128(Place at, const InstData& inst, uint8_t max) {
    if (inst.type != Type::kV128) return Fail("V7", at, "not a v128");
    if (inst.imm < 0 || static_cast<uint64_t>(inst.imm) >= f_.v128_constants().size()) {
      return Fail("V9", at, "no such constant");
    }
    for (uint8_t byte : f_.v128_constants()[static_cast<size_t>(inst.imm)]) {
      if (byte > max) return Fail("V9", at, "a byte of two vectors is numbered 0 to 31");
    }
    return true;
  }

  bool CheckSimd(Place at, const InstData& inst) {
    if (inst.aux >= kNumSimdOps) return Fail("V8", {at.block}, "no such vector operation");
    const SimdInfo& info = Info(static_cast<SimdOp>(inst.aux));
    std::vector<Type> types(std::string_view(info.operands).size());
    for (size_t k = 0; k < types.size(); ++k) types[k] = OperandType(info, k);
    if (!Expect(at, types)) return false;
    if (inst.type != info.result) return Fail("V7", at, "not the type of its result");
    if (inst.imm < 0 || inst.imm >= std::max<int64_t>(info.lanes, 1)) {
      return Fail("V9", at, "no such lane");
    }
    return true;
  }

  bool CheckConversion(Place at, const InstData& inst, absl::Span<const Value> args) {
    const Type type = inst.type;
    const bool to_integer = inst.op == Opcode::kFtoS || inst.op == Opcode::kFtoU;
    if (inst.aux > (to_integer ? 1 : 0)) return Fail("V8", at, "cannot be in_range");
    if (args.size() != 1) return Expect(at, {type});
    const Type from = f_.type(args[0]);
    bool fits = false;
    switch (inst.op) {
      case Opcode::kFtoS:
      case Opcode::kFtoU:
        fits = IsFloat(from) && IsInteger(type);
        break;
      case Opcode::kStoF:
      case Opcode::kUtoF:
        fits = IsInteger(from) && IsFloat(type);
        break;
      case Opcode::kFpromote:
        fits = from == Type::kF32 && type == Type::kF64;
        break;
      case Opcode::kFdemote:
        fits = from == Type::kF64 && type == Type::kF32;
        break;
      default:
        fits = (from == Type::kI32 && type == Type::kF32) ||
               (from == Type::kF32 && type == Type::kI32) ||
               (from == Type::kI64 && type == Type::kF64) ||
               (from == Type::kF64 && type == Type::kI64);
        break;
    }
    return fits || Fail("V7", at, absl::StrCat("cannot convert ", Name(from), " to ", Name(type)));
  }

  bool CheckAtomic(Place at, const InstData& inst) {
    constexpr Type kI64 = Type::kI64;
    const Type type = inst.type;
    const MemKind kind = static_cast<MemKind>(inst.aux);
    if (inst.aux >= kNumMemKinds) return Fail("V8", {at.block}, "no such access kind");
    const bool rmw = inst.op == Opcode::kAtomicRmw;
    if (inst.imm < 0 || inst.imm >= (rmw ? int64_t{kNumAtomicOps} : 1)) {
      return Fail("V8", {at.block}, "no such atomic operation");
    }
    if (!(rmw ? Expect(at, {kI64, kI64, type}) : Expect(at, {kI64, kI64, type, type})))
      return false;
    const bool fits = kind == MemKind::k64
                          ? type == kI64
                          : IsInteger(type) && (kind == MemKind::kU8 || kind == MemKind::kU16 ||
                                                kind == MemKind::kU32);
    return fits || Fail("V8", at, "the access kind does not fit the type");
  }

  // V18: what a WebAssembly function passes in machine registers.
  bool CheckPassed(Place at, absl::Span<const Type> types, const char* what) {
    if (f_.signature().conv != CallConv::kWasm) return true;
    size_t integers = 0;
    for (Type type : types) integers += IsInteger(type) ? 1 : 0;
    if (integers <= kMaxIntegers && types.size() - integers <= kMaxVectors) return true;
    return Fail("V18", at, absl::StrCat("more ", what, " than travel in registers"));
  }

  bool CheckCallTypes(Place at, absl::Span<const Value> params) {
    std::vector<Type> types;
    for (Value v : params) types.push_back(f_.type(v));
    if (!CheckPassed(at, types, "parameters")) return false;
    types.clear();
    for (uint32_t k = 0; k < f_.inst(at.inst).results_count; ++k) {
      types.push_back(f_.type(f_.result(at.inst, k)));
    }
    return CheckPassed(at, types, "results");
  }

  bool ExpectAccess(Place at, const InstData& inst) {
    constexpr Type kI64 = Type::kI64;
    switch (inst.op) {
      case Opcode::kLoad:
        return Expect(at, {Type::kI32});
      case Opcode::kStore:
        return Expect(at, {Type::kI32, inst.type});
      case Opcode::kLoadAt:
        return Expect(at, {kI64, kI64});
      case Opcode::kStoreAt:
        return Expect(at, {kI64, kI64, inst.type});
      case Opcode::kLoadContext:
        return Expect(at, {});
      case Opcode::kStoreContext:
        return Expect(at, {inst.type});
      case Opcode::kLoadHost:
        return Expect(at, {kI64});
      default:
        return Expect(at, {kI64, inst.type});
    }
  }

  bool CheckAccess(Place at, const InstData& inst) {
    if (inst.aux >= kNumMemKinds) return Fail("V8", {at.block}, "no such access kind");
    if (!ExpectAccess(at, inst)) return false;
    bool fits = IsInteger(inst.type);
    switch (static_cast<MemKind>(inst.aux)) {
      case MemKind::kU32:
        fits = fits || inst.type == Type::kF32;
        break;
      case MemKind::k64:
        fits = inst.type == Type::kI64 || inst.type == Type::kF64;
        break;
      case MemKind::k128:
      case MemKind::k128Aligned:
        fits = inst.type == Type::kV128;
        break;
      default:
        break;
    }
    if (!fits) return Fail("V8", at, "the access kind does not fit the type");
    if (inst.imm != Canonical(Type::kI32, inst.imm)) return Fail("V10", at, "offset is not an i32");
    return true;
  }

  bool CheckResults(Place at, const InstData& inst) {
    const std::optional<int> count = ResultCount(inst.op);
    if (!count) return true;  // calls: any
    if (inst.results_count != *count) {
      return Fail("V7", at, absl::StrCat("has ", *count, " results"));
    }
    if (*count == 1 && f_.type(f_.result(at.inst)) != ResultType(inst.op, inst.type)) {
      return Fail("V7", at,
                  absl::StrCat("the result is ", Name(ResultType(inst.op, inst.type)), ", not ",
                               Name(f_.type(f_.result(at.inst)))));
    }
    return true;
  }

  // V13, V14.
  bool CheckEdges(Place at, const InstData& inst) {
    if (inst.cold && inst.op != Opcode::kBrIf) return Fail("V14", at, "only br_if can be cold");
    for (const Edge& edge : f_.edges(at.inst)) {
      const std::vector<Value>& params = f_.block(edge.target).params;
      if (inst.op == Opcode::kBrTable && !edge.args.empty()) {
        return Fail("V13", at, "an edge of br_table with arguments");
      }
      if (edge.args.size() != params.size()) {
        return Fail("V13", at,
                    absl::StrCat("block", edge.target.index, " takes ", params.size(),
                                 " arguments, not ", edge.args.size()));
      }
      for (size_t k = 0; k < params.size(); ++k) {
        if (f_.type(edge.args[k]) != f_.type(params[k])) {
          return Fail("V13", at,
                      absl::StrCat(Text(edge.args[k]), " is ", Name(f_.type(edge.args[k])),
                                   " instead of ", Name(f_.type(params[k]))));
        }
      }
    }
    return true;
  }

  // V15.
  bool CheckState() {
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      const Block b(n);
      const auto& state = f_.block(b).state;
      for (size_t k = 0; k < state.size(); ++k) {
        const auto& [slot, v] = state[k];
        if (k > 0 && state[k - 1].first >= slot) {
          return Fail("V15", {b}, "deferred state is not by ascending slot");
        }
        if (!IsDefined(v)) return Fail("V5", {b}, absl::StrCat(Text(v), " is not defined"));
        if (f_.type(v) != Type::kI32) {
          return Fail("V15", {b}, absl::StrCat("deferred ", Text(v), " is not an i32"));
        }
      }
    }
    return true;
  }

  // V6, V16. A use sees the parameters of its block, the results of earlier instructions in it, and
  // everything in blocks that dominate it.
  bool CheckDominance() {
    const Cfg cfg(f_);
    const Dominators dominators(f_, cfg);
    std::vector<Block> done(f_.num_values());  // block whose walk has passed the definition
    for (Block b : cfg.order()) {
      const auto available = [&](Value v) {
        const Block def = defined_in_[v.index];
        if (def == b) return done[v.index] == b;
        return cfg.reachable(def) && dominators.Dominates(def, b);
      };
      const auto fail = [&](const char* rule, Place at, Value v) {
        return Fail(rule, at, absl::StrCat(Text(v), " does not dominate its use"));
      };
      for (Value v : f_.block(b).params) done[v.index] = b;
      for (const auto& [slot, v] : f_.block(b).state) {
        if (!available(v)) return fail("V16", {b}, v);
      }
      for (Inst i : f_.block(b).insts) {
        for (Value v : f_.args(i)) {
          if (!available(v)) return fail("V6", {b, i}, v);
        }
        for (const Edge& edge : f_.edges(i)) {
          for (Value v : edge.args) {
            if (!available(v)) return fail("V6", {b, i}, v);
          }
        }
        for (uint32_t k = 0; k < f_.inst(i).results_count; ++k) done[f_.result(i, k).index] = b;
      }
    }
    return true;
  }

  static constexpr uint64_t kMax32 = std::numeric_limits<uint32_t>::max();
  // runtime/abi/wasm_context.h: kNumWasmIntPassed, kNumWasmVectorPassed.
  static constexpr size_t kMaxIntegers = 9;
  static constexpr size_t kMaxVectors = 8;
  static constexpr int64_t kMaxAmount = int64_t{1} << 30;

  const Function& f_;
  std::vector<Block> defined_in_;  // by value; not valid if it has no definition
  absl::Status status_;
};

}  // namespace

absl::Status Verify(const Function& function) { return Verifier(function).Run(); }

}  // namespace precast::ir
