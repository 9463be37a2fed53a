// Selection of a block, instruction by instruction: dispatch on the operation, and what is too
// small for a file of its own (guest state, metering, traps, branches).
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/types/span.h"
#include "compiler/x64/selector.h"
#include "runtime/abi/meter_area.h"

namespace precast::x64::selection {

void Selector::SelectBlock(Block b) {
  const Role role = role_[b.index];
  if (role == Role::kElsewhere) return;
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
  const bool received = role == Role::kCalls || role == Role::kEnters;
  if (received) SelectReceived();
  for (size_t k = block.insts.size() - (received ? 1 : 0); k-- > 0;) {
    const Inst i = block.insts[k];
    const InstData& d = f_.inst(i);
    if (ir::IsTerminator(d.op)) {
      for (uint32_t s = range.begin; s < range.end; ++s) {
        if (successors_[s].piece == kNone) SelectArguments(i, successors_[s]);
      }
    } else if (!ir::Info(d.op).has_side_effect && (d.results_count == 0 || !Needed(f_.result(i)))) {
      continue;
    }
    if (folded_[i.index]) continue;
    inst_ = i;
    at_ = k;
    SelectInst(i, d);
    if (folded_load_.has_value()) {
      uint32_t& at = site_at_[folded_load_->index];
      at = static_cast<uint32_t>(insts_.size() + current_.size() - 1) - at;
      folded_load_.reset();
    }
    if (ir::CanStop(d.op) && !current_.empty()) {
      // The machine instruction that carries the site is the last one built.
      site_at_[i.index] = static_cast<uint32_t>(insts_.size());
    }
    Flush();
  }
  if (cf_.info[b.index].is_entry) {
    std::vector<Operand> defs;
    Travel travel = Travel::Parameters(f_.signature().conv);
    for (Value p : block.params) {
      const regalloc::PReg reg = travel.Next(f_.type(p));
      if (role != Role::kEnters) defs.push_back(DefFixed(VRegOf(p), reg));
    }
    MInst& entry = Emit(MOp::kEntry, defs);
    entry.site.guest_pc = block.guest_pc;
    Flush();
  }
  if (receives_[b.index]) SelectReceive(b);
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
    case Opcode::kFconst:
      EmitFloatConstant(i, VRegOf(f_.result(i)));
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
    case Opcode::kClz:
    case Opcode::kCtz: {
      const bool counts =
          HasCpu(d.op == Opcode::kCtz ? format::CpuFeature::kBmi1 : format::CpuFeature::kLzcnt);
      const VReg result = VRegOf(f_.result(i)), x = Reg(args[0]);
      MInst& m = counts ? Emit(MOp::kBitCount, {UseAny(x), Def(result)})
                        : Emit(MOp::kBitScan, {UseAny(x), DefEarly(result)});
      m.width = w;
      m.aux = d.op == Opcode::kCtz ? 1 : 0;
      return;
    }
    case Opcode::kPopcnt:
      Emit(MOp::kPopcnt, {UseAny(Reg(args[0])), Def(VRegOf(f_.result(i)))}).width = w;
      return;
    case Opcode::kBswap:
      if (SwapInLoad(args[0], f_.result(i))) return;
      Emit(MOp::kByteSwap, {Use(Reg(args[0])), DefReuse(VRegOf(f_.result(i)), 0)}).width = w;
      return;
    case Opcode::kFadd:
    case Opcode::kFsub:
    case Opcode::kFmul:
    case Opcode::kFdiv:
    case Opcode::kFmin:
    case Opcode::kFmax:
    case Opcode::kFcopysign:
    case Opcode::kFneg:
    case Opcode::kFabs:
    case Opcode::kFsqrt:
    case Opcode::kFceil:
    case Opcode::kFfloor:
    case Opcode::kFtrunc:
    case Opcode::kFnearest:
      return SelectFloat(i, d);
    case Opcode::kFtoS:
    case Opcode::kFtoU:
    case Opcode::kStoF:
    case Opcode::kUtoF:
    case Opcode::kFpromote:
    case Opcode::kFdemote:
    case Opcode::kBitcast:
      return SelectConversion(i, d);
    case Opcode::kFcmp:
    case Opcode::kIcmp:
      return SelectSetCond(i, d, VRegOf(f_.result(i)));
    case Opcode::kSelect:
      return SelectSelect(i, d);
    case Opcode::kExtendU32:
      return;  // shares its operand's register: see Resolve
    case Opcode::kExtendS32:
      return SelectExtend(MOp::kSignExtend, Width::k32, Width::k64, args[0], f_.result(i));
    case Opcode::kWrap:
      if (Resolve(f_.result(i)) != f_.result(i)) return;
      return SelectExtend(MOp::kZeroExtend, Width::k32, Width::k32, args[0], f_.result(i));
    case Opcode::kExtendS8:
      return SelectExtend(MOp::kSignExtend, Width::k8, w, args[0], f_.result(i));
    case Opcode::kExtendS16:
      return SelectExtend(MOp::kSignExtend, Width::k16, w, args[0], f_.result(i));
    case Opcode::kLoad:
    case Opcode::kLoadAt:
    case Opcode::kLoadContext:
    case Opcode::kLoadHost:
      return SelectLoad(i, d);
    case Opcode::kStore:
    case Opcode::kStoreAt:
    case Opcode::kStoreContext:
    case Opcode::kStoreHost:
      return SelectStore(i, d);
    case Opcode::kContextAddress:
      CHECK(FitsInt32(d.imm)) << f_.name() << ": displacement " << d.imm;
      Emit(MOp::kAddress, {Def(VRegOf(f_.result(i)))}).disp = static_cast<int32_t>(d.imm);
      return;
    case Opcode::kAtomicRmw:
      return SelectAtomicRmw(i, d);
    case Opcode::kAtomicCmpxchg:
      return SelectAtomicCompare(i, d);
    case Opcode::kFence:
      Emit(MOp::kFence, {});
      return;
    case Opcode::kAcquire:
      return;
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
    case Opcode::kChargeValue:
      return SelectChargeValue(args[0]);
    case Opcode::kLoadFuel:
      if (!Needed(f_.result(i))) return;  // a branch asks the register
      Emit(MOp::kLoadFuel, {Def(VRegOf(f_.result(i)))}).width = Width::k64;
      return;
    case Opcode::kCharge:
      return SelectCharge(d.imm);
    case Opcode::kMeter:
    case Opcode::kMeterCheck: {
      CHECK(FitsInt32(d.imm)) << f_.name() << ": charge of " << d.imm;
      MInst& m = Emit(d.op == Opcode::kMeter ? MOp::kMeter : MOp::kMeterCheck, {});
      m.imm = d.imm;
      m.site = d.site;
      return;
    }
    case Opcode::kCountRows: {
      MInst& m = Emit(MOp::kCountRows, {});
      m.aux = d.aux;
      m.imm = d.imm;
      // The allocator keeps off these registers.
      for (int k = 0; k < abi::kRowRegisters; ++k) {
        m_.problem.allocatable &= ~(regalloc::PRegSet{1} << (16 + abi::kFirstRowRegister + k));
      }
      return;
    }
    case Opcode::kMarkPage: {
      const int32_t disp = static_cast<int32_t>(d.imm);
      if (const std::optional<int64_t> c = ConstantOf(args[0])) {
        const uint32_t address = static_cast<uint32_t>(*c) + static_cast<uint32_t>(disp);
        MInst& m = Emit(MOp::kMarkPageAbsolute, {});
        m.imm = address >> abi::kMarkedPageBits;
        m.aux = d.aux;
      } else {
        MInst& m = Emit(MOp::kMarkPage, {Use(VRegOf(args[0])), DefEarly(NewVReg())});
        m.disp = disp;
        m.aux = d.aux;
      }
      return;
    }
    case Opcode::kTrapIf: {
      Test t = MatchCondition(args[0]);
      t.once = false;  // it has a site of its own
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
    case Opcode::kCallPointer:
      return SelectCall(i, d);
    case Opcode::kBr:
      Emit(MOp::kJump, {});
      return;
    case Opcode::kBrIf:
      return SelectBranch(i);
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
    case Opcode::kRet:
    case Opcode::kTailCall:
    case Opcode::kTailDispatch:
    case Opcode::kTailPointer:
      return SelectLeave(d, args);
    case Opcode::kTrap: {
      MInst& m = Emit(MOp::kTrap, {});
      m.aux = d.aux;
      m.site = d.site;
      return;
    }
  }
}

void Selector::CompareStepped(Test& t, absl::Span<const ir::Edge> edges) const {
  if ((t.flags != FlagsFrom::kCompareImm && t.flags != FlagsFrom::kTestSelf) ||
      (t.cond != Cond::kE && t.cond != Cond::kNe) || UsedLater(t.a)) {
    return;
  }
  for (const ir::Edge& edge : edges) {
    for (Value v : edge.args) {
      const InstData* d = DefOf(v);
      if (d == nullptr || d->op != Opcode::kAdd || WidthOf(d->type) != t.width) continue;
      const Inst add(f_.value(v).def);
      const absl::Span<const Value> args = f_.args(add);
      const std::optional<int32_t> step = Constant32Of(args[1]);
      if (args[0] != t.a || !step.has_value() || inst_block_[add.index] != block_.index) continue;
      int64_t stepped = int64_t{t.imm} + *step;
      if (t.width == Width::k32) stepped = static_cast<int32_t>(static_cast<uint32_t>(stepped));
      if (!FitsInt32(stepped)) continue;
      t.flags = stepped == 0 ? FlagsFrom::kTestSelf : FlagsFrom::kCompareImm;
      t.imm = static_cast<int32_t>(stepped);
      t.a = v;
      return;
    }
  }
}

void Selector::SelectBranch(Inst i) {
  const SuccessorRange range = successors_of_[block_.index];
  if (range.end - range.begin == 1) {
    Emit(MOp::kJump, {});
    return;
  }
  Test t = MatchCondition(f_.args(i)[0]);
  CompareStepped(t, f_.edges(i));
  std::vector<Operand>& operands = ScratchOperands();
  AddTestOperands(t, operands);
  SetTest(t, Emit(MOp::kBranch, operands));
}

}  // namespace precast::x64::selection
