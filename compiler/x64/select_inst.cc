// Selection of a block, instruction by instruction: dispatch on the operation, and what is neither
// arithmetic nor a condition (memory, guest state, metering, traps, calls, control flow).
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/types/span.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {

void Selector::SelectBlock(Block b) {
  block_ = b;
  const ir::BlockData& block = f_.block(b);
  const Inst terminator = block.insts.back();

  // The split edges first: what they use must be known before the definitions are reached.
  const SuccessorRange range = successors_of_[b.index];
  for (uint32_t s = range.begin; s < range.end; ++s) {
    Successor& successor = successors_[s];
    if (successor.piece == kNone) continue;
    pieces_[successor.piece].begin = static_cast<uint32_t>(insts_.size());
    SelectArguments(terminator, successor);
    Emit(MOp::kJump, {});
    Flush();
    pieces_[successor.piece].end = static_cast<uint32_t>(insts_.size());
  }

  Piece& piece = pieces_[piece_of_[b.index]];
  piece.begin = static_cast<uint32_t>(insts_.size());
  for (size_t k = block.insts.size(); k-- > 0;) {
    const Inst i = block.insts[k];
    const InstData& d = f_.inst(i);
    if (ir::IsTerminator(d.op)) {
      for (uint32_t s = range.begin; s < range.end; ++s) {
        if (successors_[s].piece == kNone) SelectArguments(i, successors_[s]);
      }
    } else if (!ir::Info(d.op).has_side_effect && (d.results_count == 0 || !Needed(f_.result(i)))) {
      continue;
    }
    SelectInst(i, d);
    if (ir::CanStop(d.op) && !current_.empty()) {
      // The machine instruction that carries the site is the last one built.
      site_at_[i.index] = static_cast<uint32_t>(insts_.size());
    }
    Flush();
  }
  if (cf_.info[b.index].is_entry) {
    std::vector<Operand> defs;
    CHECK_LE(block.params.size(), static_cast<size_t>(abi::kNumPassed)) << f_.name();
    for (size_t k = 0; k < block.params.size(); ++k) {
      defs.push_back(DefFixed(VRegOf(block.params[k]), PassedReg(k)));
    }
    MInst& entry = Emit(MOp::kEntry, defs);
    entry.site.guest_pc = block.guest_pc;
    Flush();
  }
  piece.end = static_cast<uint32_t>(insts_.size());
}

void Selector::SelectArguments(Inst terminator, Successor& s) {
  const ir::Edge& edge = f_.edges(terminator)[s.ir_edge];
  s.args_begin = static_cast<uint32_t>(successor_args_.size());
  s.args_count = static_cast<uint32_t>(edge.args.size());
  for (Value v : edge.args) successor_args_.push_back(Reg(v));
}

void Selector::SelectInst(Inst i, const InstData& d) {
  const absl::Span<const Value> args = f_.args(i);
  const Width w = WidthOf(d.type);
  switch (d.op) {
    case Opcode::kIconst:
      // Reached only if tracked or used without Reg(): constants are materialized where they are
      // used.
      Emit(MOp::kMovImm, {Def(VRegOf(f_.result(i)))}).imm =
          d.type == Type::kI64 ? d.imm : static_cast<int64_t>(static_cast<uint32_t>(d.imm));
      return;
    case Opcode::kSimd:
    case Opcode::kShuffle:
    case Opcode::kVconst:
      return SelectSimd(i, d);
    default:
      LOG(FATAL) << f_.name() << ": no " << ir::Info(d.op).text << " yet";
      return;
    case Opcode::kAdd:
      return SelectAdd(args[0], args[1], w, VRegOf(f_.result(i)));
    case Opcode::kSub:
      return SelectSub(args[0], args[1], w, VRegOf(f_.result(i)));
    case Opcode::kMul:
      return SelectMul(args[0], args[1], w, VRegOf(f_.result(i)));
    case Opcode::kSmulHi:
    case Opcode::kUmulHi:
    case Opcode::kSumulHi:
      return SelectMulHi(d, args[0], args[1], w, VRegOf(f_.result(i)));
    case Opcode::kSdivTotal:
    case Opcode::kUdivTotal:
    case Opcode::kSremTotal:
    case Opcode::kUremTotal:
      return SelectDivide(d, args[0], args[1], w, VRegOf(f_.result(i)));
    case Opcode::kAnd:
    case Opcode::kOr:
    case Opcode::kXor:
      return SelectBitwise(d.op, args[0], args[1], w, VRegOf(f_.result(i)));
    case Opcode::kShl:
    case Opcode::kShrU:
    case Opcode::kShrS:
    case Opcode::kRotl:
    case Opcode::kRotr:
      return SelectShift(d.op, args[0], args[1], w, VRegOf(f_.result(i)));
    case Opcode::kIcmp:
      return SelectSetCond(i, d, VRegOf(f_.result(i)));
    case Opcode::kSelect: {
      Test t = MatchCondition(args[0]);
      // The result starts as b and is replaced by a.
      Value from = args[1], start = args[2];
      if (UsedLater(start) && !UsedLater(from)) {
        std::swap(from, start);
        t.cond = Invert(t.cond);
      }
      std::vector<Operand>& operands = ScratchOperands();
      AddTestOperands(t, operands);
      const VReg a = Reg(from), b = Reg(start);
      operands.push_back(UseAny(a));
      operands.push_back(Use(b));
      operands.push_back(DefReuse(VRegOf(f_.result(i)), static_cast<uint8_t>(operands.size() - 1)));
      MInst& m = Emit(MOp::kSelect, operands);
      m.width = w;
      SetTest(t, m);
      return;
    }
    case Opcode::kExtendU32:
      return;  // shares its operand's register: see Resolve
    case Opcode::kExtendS32:
      return SelectExtend(MOp::kSignExtend, Width::k32, Width::k64, args[0], f_.result(i));
    case Opcode::kWrap:
      return SelectExtend(MOp::kZeroExtend, Width::k32, Width::k32, args[0], f_.result(i));
    case Opcode::kExtendS8:
      return SelectExtend(MOp::kSignExtend, Width::k8, w, args[0], f_.result(i));
    case Opcode::kExtendS16:
      return SelectExtend(MOp::kSignExtend, Width::k16, w, args[0], f_.result(i));
    case Opcode::kLoad:
      return SelectLoad(i, d, args[0]);
    case Opcode::kStore:
      return SelectStore(d, args[0], args[1]);
    case Opcode::kLoadState:
      Emit(MOp::kLoadState, {Def(VRegOf(f_.result(i)))}).disp = StateDisp(d.aux);
      return;
    case Opcode::kStoreState:
      if (const std::optional<int64_t> c = ConstantOf(args[0])) {
        MInst& m = Emit(MOp::kStoreStateImm, {});
        m.disp = StateDisp(d.aux);
        m.imm = static_cast<int32_t>(*c);
      } else {
        Emit(MOp::kStoreState, {Use(VRegOf(args[0]))}).disp = StateDisp(d.aux);
      }
      return;
    case Opcode::kDeferState:
      return;
    case Opcode::kCharge:
    case Opcode::kMeter:
    case Opcode::kMeterCheck: {
      CHECK(FitsInt32(d.imm)) << f_.name() << ": charge of " << d.imm;
      MInst& m = Emit(d.op == Opcode::kCharge  ? MOp::kCharge
                      : d.op == Opcode::kMeter ? MOp::kMeter
                                               : MOp::kMeterCheck,
                      {});
      m.imm = d.imm;
      m.site = d.site;
      return;
    }
    case Opcode::kTrapIf: {
      const Test t = MatchCondition(args[0]);
      std::vector<Operand>& operands = ScratchOperands();
      AddTestOperands(t, operands);
      MInst& m = Emit(MOp::kTrapIf, operands);
      SetTest(t, m);
      m.aux = d.aux;
      m.site = d.site;
      return;
    }
    case Opcode::kCall:
    case Opcode::kCallDispatch:
    case Opcode::kCallRuntime:
      return SelectCall(i, d, args);
    case Opcode::kBr:
      Emit(MOp::kJump, {});
      return;
    case Opcode::kBrIf:
      return SelectBranch(args[0]);
    case Opcode::kBrTable: {
      const SuccessorRange range = successors_of_[block_.index];
      if (range.end - range.begin == 1) {
        Emit(MOp::kJump, {});
        return;
      }
      const VReg index = Reg(args[0]);
      MInst& m = Emit(MOp::kBranchTable, {Use(index), DefEarly(NewVReg()), DefEarly(NewVReg())});
      m.imm = static_cast<int64_t>(f_.edges(i).size()) - 1;
      m.disp = static_cast<int32_t>(range.table);
      return;
    }
    case Opcode::kRet: {
      std::vector<Operand>& operands = ScratchOperands();
      for (size_t k = 0; k < args.size(); ++k) {
        operands.push_back(UseFixed(Reg(args[k]), ResultReg(k)));
      }
      Emit(MOp::kReturn, operands);
      return;
    }
    case Opcode::kTailCall:
    case Opcode::kTailDispatch: {
      std::vector<Operand>& operands = ScratchOperands();
      AddArguments(args, d.op == Opcode::kTailDispatch, operands);
      Emit(d.op == Opcode::kTailCall ? MOp::kTailCall : MOp::kTailDispatch, operands).imm = d.imm;
      return;
    }
    case Opcode::kTrap: {
      MInst& m = Emit(MOp::kTrap, {});
      m.aux = d.aux;
      m.site = d.site;
      return;
    }
  }
}

Selector::Address Selector::SelectAddress(const InstData& d, Value address) {
  CHECK(FitsInt32(d.imm)) << f_.name() << ": address offset " << d.imm;
  if (const std::optional<int64_t> c = ConstantOf(address)) {
    const int64_t whole = static_cast<int64_t>(static_cast<uint32_t>(*c)) + d.imm;
    if (FitsInt32(whole)) return {true, static_cast<int32_t>(whole)};
  }
  return {false, static_cast<int32_t>(d.imm), Reg(address)};
}

void Selector::SelectLoad(Inst i, const InstData& d, Value address) {
  CHECK(d.aux != static_cast<uint8_t>(ir::MemKind::k128)) << f_.name() << ": vector load";
  const Address at = SelectAddress(d, address);
  const VReg result = VRegOf(f_.result(i));
  MInst& m =
      at.absolute ? Emit(MOp::kLoad, {Def(result)}) : Emit(MOp::kLoad, {Use(at.reg), Def(result)});
  m.absolute = at.absolute;
  m.disp = at.disp;
  m.mem = static_cast<ir::MemKind>(d.aux);
  m.width = WidthOf(d.type);
  m.site = d.site;
}

void Selector::SelectStore(const InstData& d, Value address, Value value) {
  CHECK(d.aux != static_cast<uint8_t>(ir::MemKind::k128)) << f_.name() << ": vector store";
  const Address at = SelectAddress(d, address);
  std::vector<Operand>& operands = ScratchOperands();
  if (!at.absolute) operands.push_back(Use(at.reg));
  const std::optional<int64_t> c = ConstantOf(value);
  const bool is_imm =
      c.has_value() && (FitsInt32(*c) || d.aux != static_cast<uint8_t>(ir::MemKind::k64));
  if (!is_imm) operands.push_back(Use(Reg(value)));
  MInst& m = Emit(is_imm ? MOp::kStoreImm : MOp::kStore, operands);
  if (is_imm) m.imm = static_cast<int32_t>(static_cast<uint32_t>(*c));
  m.absolute = at.absolute;
  m.disp = at.disp;
  m.mem = static_cast<ir::MemKind>(d.aux);
  m.site = d.site;
}

void Selector::AddArguments(absl::Span<const Value> args, bool dispatch,
                            std::vector<Operand>& operands) {
  CHECK_LE(args.size(), static_cast<size_t>(abi::kNumPassed) + (dispatch ? 1 : 0)) << f_.name();
  for (size_t k = 0; k < args.size(); ++k) {
    const x64::Reg reg = dispatch ? ResultReg(k) : PassedReg(k);
    operands.push_back(UseFixed(Reg(args[k]), reg));
  }
}

void Selector::SelectCall(Inst i, const InstData& d, absl::Span<const Value> args) {
  m_.has_calls = true;
  std::vector<Operand>& operands = ScratchOperands();
  AddArguments(args, d.op == Opcode::kCallDispatch, operands);
  CHECK_LE(d.results_count, abi::kNumPassed + 1) << f_.name();
  regalloc::PRegSet clobbers = kAllocatable;
  for (uint32_t k = 0; k < d.results_count; ++k) {
    operands.push_back(DefFixed(VRegOf(f_.result(i, k)), ResultReg(k)));
    clobbers &= ~Bit(IntPReg(ResultReg(k)));
  }
  MInst& m = Emit(d.op == Opcode::kCall           ? MOp::kCall
                  : d.op == Opcode::kCallDispatch ? MOp::kCallDispatch
                                                  : MOp::kCallRuntime,
                  operands, clobbers);
  m.imm = d.imm;
  m.aux = d.aux;
  m.site = d.site;
}

void Selector::SelectBranch(Value condition) {
  const SuccessorRange range = successors_of_[block_.index];
  if (range.end - range.begin == 1) {
    Emit(MOp::kJump, {});
    return;
  }
  const Test t = MatchCondition(condition);
  std::vector<Operand>& operands = ScratchOperands();
  AddTestOperands(t, operands);
  SetTest(t, Emit(MOp::kBranch, operands));
}

}  // namespace precast::x64::selection
