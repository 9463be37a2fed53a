// See select.h. Blocks are visited after the blocks they dominate and instructions last to first,
// so that all uses of a value are known when its definition is reached: what nobody asked for is
// not emitted, and what was folded into its user disappears. Within one IR instruction, code is
// built forwards.
#include "compiler/x64/select.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/numeric/bits.h"
#include "compiler/x64/division.h"

namespace precast::x64 {
namespace {

using ir::Block;
using ir::Inst;
using ir::InstData;
using ir::IntCond;
using ir::Opcode;
using ir::Type;
using ir::Value;
using regalloc::Operand;
using regalloc::VReg;

constexpr uint32_t kNone = 0xffffffffu;
constexpr VReg kNoVReg = kNone;

bool FitsInt32(int64_t v) { return v == static_cast<int32_t>(v); }

Cond ToCond(IntCond c) {
  switch (c) {
    case IntCond::kEq:
      return Cond::kE;
    case IntCond::kNe:
      return Cond::kNe;
    case IntCond::kSlt:
      return Cond::kL;
    case IntCond::kSge:
      return Cond::kGe;
    case IntCond::kSgt:
      return Cond::kG;
    case IntCond::kSle:
      return Cond::kLe;
    case IntCond::kUlt:
      return Cond::kB;
    case IntCond::kUge:
      return Cond::kAe;
    case IntCond::kUgt:
      return Cond::kA;
    case IntCond::kUle:
      return Cond::kBe;
  }
  return Cond::kE;
}

// The condition that holds for (b, a) when `c` holds for (a, b).
IntCond SwapOperands(IntCond c) {
  switch (c) {
    case IntCond::kEq:
    case IntCond::kNe:
      return c;
    case IntCond::kSlt:
      return IntCond::kSgt;
    case IntCond::kSge:
      return IntCond::kSle;
    case IntCond::kSgt:
      return IntCond::kSlt;
    case IntCond::kSle:
      return IntCond::kSge;
    case IntCond::kUlt:
      return IntCond::kUgt;
    case IntCond::kUge:
      return IntCond::kUle;
    case IntCond::kUgt:
      return IntCond::kUlt;
    case IntCond::kUle:
      return IntCond::kUge;
  }
  return c;
}

Width WidthOf(Type type) { return type == Type::kI64 ? Width::k64 : Width::k32; }

// A test found for a condition value: what sets the flags and the condition to test.
struct Test {
  FlagsFrom flags = FlagsFrom::kTestSelf;
  Width width = Width::k32;
  Cond cond = Cond::kNe;
  Value a = {}, b = {};
  int32_t imm = 0;
};

class Selector {
 public:
  Selector(const ir::Function& f, const ControlFlow& cf)
      : f_(f),
        cf_(cf),
        uses_(f.num_values(), 0),
        vreg_of_(f.num_values(), kNoVReg),
        inst_block_(f.num_insts(), kNone),
        site_at_(f.num_insts(), kNone),
        deferrals_of_(f.num_blocks()) {
    m_.insts.reserve(f.num_insts() + f.num_insts() / 4);
    m_.problem.operands.reserve(f.num_insts() * 3);
  }

  MFunction Run() {
    m_.problem.allocatable = kAllocatable;
    m_.problem.vector_scratch = {regalloc::RegClass::kVector, Number(kVectorScratch)};
    for (Block b : cf_.rpo) CountUses(b);
    LayOut();
    for (size_t i = cf_.rpo.size(); i-- > 0;) SelectBlock(cf_.rpo[i]);
    Assemble();
    PlaceState();
    return std::move(m_);
  }

 private:
  // A piece of code in layout order: an IR block or a split edge.
  struct Piece {
    Block ir;                     // invalid for a split edge
    Block from;                   // split edge: source
    uint32_t edge = 0;            // split edge: number among the source's unique edges
    uint32_t begin = 0, end = 0;  // range in insts_, last instruction first
  };
  // A successor of the terminator of a block, after merging the equal edges of a br_table.
  struct Successor {
    uint32_t ir_edge;                         // number among f_.edges(terminator)
    uint32_t piece = kNone;                   // of the split edge; kNone: straight to the target
    uint32_t args_begin = 0, args_count = 0;  // in successor_args_: the arguments at the jump
  };
  // A deferral in force while a block is walked.
  struct OpenDeferral {
    Value value;
    uint32_t since = 0;  // number of sites before it
  };
  // Deferred state that some site sees: from the first to the last such site, IR instructions.
  struct Deferral {
    uint8_t slot;
    Value value;
    uint32_t first, last;
  };

  const InstData* DefOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  // The value whose register `v` shares: a zero-extension is free, see mir.h.
  Value Resolve(Value v) const {
    for (const InstData* d = DefOf(v); d != nullptr && d->op == Opcode::kExtendU32; d = DefOf(v)) {
      v = f_.args(Inst(f_.value(v).def))[0];
    }
    return v;
  }
  // The constant `v` is, as its type: an i32 sign-extended.
  std::optional<int64_t> ConstantOf(Value v) const {
    const Value r = Resolve(v);
    const InstData* d = DefOf(r);
    if (d == nullptr || d->op != Opcode::kIconst) return std::nullopt;
    if (d->type == Type::kI64) return d->imm;
    const int32_t value = static_cast<int32_t>(static_cast<uint32_t>(d->imm));
    if (r != v) return static_cast<int64_t>(static_cast<uint32_t>(value));
    return value;
  }
  std::optional<int32_t> Constant32Of(Value v) const {
    const std::optional<int64_t> c = ConstantOf(v);
    if (!c.has_value() || !FitsInt32(*c)) return std::nullopt;
    return static_cast<int32_t>(*c);
  }
  // The instruction that defines `v` if it is `op` and only the instruction being selected uses it.
  std::optional<Inst> SingleUse(Value v, Opcode op) const {
    const InstData* d = DefOf(v);
    if (d == nullptr || d->op != op || uses_[v.index] != 1) return std::nullopt;
    const Inst inst(f_.value(v).def);
    if (inst_block_[inst.index] != block_.index) return std::nullopt;
    return inst;
  }

  // -- before selection

  void CountUses(Block b) {
    const ir::BlockData& block = f_.block(b);
    // Deferrals in force, by slot, and the last site so far. Sites are numbered by position.
    std::vector<OpenDeferral>& open = open_;
    if (open.size() < 256) open.resize(256);
    std::vector<uint8_t>& slots = open_slots_;
    slots.clear();
    std::vector<uint32_t>& sites = sites_;
    sites.clear();
    const uint32_t begin = static_cast<uint32_t>(deferrals_.size());
    auto close = [&](uint8_t slot) {
      OpenDeferral& o = open[slot];
      if (o.value.valid() && o.since < sites.size()) {
        deferrals_.push_back({slot, o.value, sites[o.since], sites.back()});
        ++uses_[o.value.index];
      }
      o.value = Value();
    };
    auto defer = [&](uint8_t slot, Value v) {
      close(slot);
      open[slot].value = v;
      open[slot].since = static_cast<uint32_t>(sites.size());
      slots.push_back(slot);
    };
    for (const auto& [slot, value] : block.state) defer(slot, value);
    for (Inst i : block.insts) {
      const InstData& d = f_.inst(i);
      inst_block_[i.index] = b.index;
      // Its users read a 32-bit value's register or slot as 64 bits.
      if (d.op == Opcode::kExtendU32) m_.has_wide = true;
      switch (d.op) {
        case Opcode::kDeferState:
          defer(d.aux, f_.args(i)[0]);
          continue;  // not a use unless a site sees it
        case Opcode::kStoreState:
          close(d.aux);
          break;
        case Opcode::kCall:
        case Opcode::kCallDispatch:
        case Opcode::kCallRuntime:
          for (uint8_t slot : slots) close(slot);
          slots.clear();
          break;
        default:
          if (ir::CanStop(d.op)) sites.push_back(i.index);
          break;
      }
      for (Value v : f_.args(i)) ++uses_[v.index];
      for (const ir::Edge& e : f_.edges(i)) {
        for (Value v : e.args) ++uses_[v.index];
      }
    }
    for (uint8_t slot : slots) close(slot);
    deferrals_of_[b.index] = {begin, static_cast<uint32_t>(deferrals_.size())};
    for (uint32_t k = begin; k < deferrals_.size(); ++k) {
      if (!ConstantOf(deferrals_[k].value).has_value()) VRegOf(deferrals_[k].value);
    }
  }

  // Orders blocks and split edges. Edges are split so that every edge with moves has a place for
  // them: the source has one successor or the target one predecessor and no arguments. A split edge
  // without moves costs nothing: the emitter sees through it.
  void LayOut() {
    std::vector<uint32_t> position(f_.num_blocks(), kNone);
    for (uint32_t i = 0; i < cf_.layout.size(); ++i) position[cf_.layout[i].index] = i;
    successors_of_.resize(f_.num_blocks());
    struct Split {
      Block from;
      uint32_t successor;  // in successors_
    };
    std::vector<std::vector<Split>> before(cf_.layout.size() + 1), after(cf_.layout.size() + 1);
    std::vector<Split> hot_end, cold_end;
    std::vector<uint32_t> number_of(f_.num_blocks(), kNone);
    for (uint32_t at = 0; at < cf_.layout.size(); ++at) {
      const Block b = cf_.layout[at];
      const Inst terminator = f_.terminator(b);
      const auto edges = f_.edges(terminator);
      const uint32_t begin = static_cast<uint32_t>(successors_.size());
      const bool is_table = f_.inst(terminator).op == Opcode::kBrTable;
      for (uint32_t e = 0; e < edges.size(); ++e) {
        if (is_table) {
          uint32_t& number = number_of[edges[e].target.index];
          if (number == kNone) {
            number = static_cast<uint32_t>(successors_.size()) - begin;
            successors_.push_back({.ir_edge = e});
          }
          tables_.push_back(number);
        } else if (e == 1 && edges[1].target == edges[0].target && edges[0].args == edges[1].args) {
          continue;  // br_if with two equal edges: an unconditional jump
        } else {
          successors_.push_back({.ir_edge = e});
        }
      }
      if (is_table) {
        for (const ir::Edge& e : edges) number_of[e.target.index] = kNone;
      }
      const uint32_t end = static_cast<uint32_t>(successors_.size());
      successors_of_[b.index] = {begin, end,
                                 static_cast<uint32_t>(tables_.size()) -
                                     (is_table ? static_cast<uint32_t>(edges.size()) : 0)};
      if (end - begin < 2) continue;
      for (uint32_t s = begin; s < end; ++s) {
        const ir::Edge& edge = edges[successors_[s].ir_edge];
        const ControlFlow::BlockInfo& target = cf_.info[edge.target.index];
        if (target.num_preds == 1 && edge.args.empty()) continue;
        const ControlFlow::BlockInfo& source = cf_.info[b.index];
        const uint32_t to = position[edge.target.index];
        if (source.cold != target.cold) {
          cold_end.push_back({b, s});
        } else if (to == at + 1) {
          after[at].push_back({b, s});
        } else if (to <= at) {
          after[at].insert(after[at].begin(), {b, s});  // the back edge of a loop
        } else if (!FlowsTo(cf_.layout[to - 1], edge.target)) {
          before[to].push_back({b, s});
        } else if (source.cold) {
          cold_end.push_back({b, s});
        } else {
          hot_end.push_back({b, s});
        }
      }
    }
    auto place = [&](const std::vector<Split>& splits) {
      for (const Split& s : splits) {
        successors_[s.successor].piece = static_cast<uint32_t>(pieces_.size());
        pieces_.push_back({.ir = Block(), .from = s.from, .edge = s.successor});
      }
    };
    piece_of_.assign(f_.num_blocks(), kNone);
    bool in_cold = false;
    for (uint32_t at = 0; at < cf_.layout.size(); ++at) {
      const Block b = cf_.layout[at];
      if (cf_.info[b.index].cold && !in_cold && at != 0) {
        in_cold = true;
        place(hot_end);
      }
      place(before[at]);
      piece_of_[b.index] = static_cast<uint32_t>(pieces_.size());
      pieces_.push_back({.ir = b, .from = Block()});
      place(after[at]);
    }
    if (!in_cold) place(hot_end);
    place(cold_end);
  }

  bool FlowsTo(Block from, Block to) const {
    for (const ir::Edge& e : f_.edges(f_.terminator(from))) {
      if (e.target == to) return true;
    }
    return false;
  }

  // -- building

  VReg NewVReg(Width w) {
    if (w == Width::k64) m_.has_wide = true;
    m_.problem.vreg_class.push_back(regalloc::RegClass::kInt);
    return static_cast<VReg>(m_.problem.vreg_class.size() - 1);
  }
  VReg NewVReg() { return NewVReg(Width::k32); }

  // The register of a value, not looking for constants.
  VReg VRegOf(Value v) {
    v = Resolve(v);
    VReg& reg = vreg_of_[v.index];
    if (reg == kNoVReg) {
      CHECK(f_.type(v) == Type::kI32 || f_.type(v) == Type::kI64)
          << f_.name() << ": the x86-64 back end has no floating-point or vector operations yet";
      reg = NewVReg(WidthOf(f_.type(v)));
    }
    return reg;
  }
  bool Needed(Value v) const { return vreg_of_[v.index] != kNoVReg; }

  // Whether `v` is used after the instruction being selected. To be asked before its own operands
  // are.
  bool UsedLater(Value v) const { return !ConstantOf(v).has_value() && Needed(Resolve(v)); }
  // For a commutative two-address operation: puts the operand that ends here first, where its
  // register is overwritten.
  void PreferDyingFirst(Value& a, Value& b) const {
    if (UsedLater(a) && !UsedLater(b)) std::swap(a, b);
  }

  // The register that holds `v` at this point; a constant is materialized here.
  VReg Reg(Value v) {
    const std::optional<int64_t> c = ConstantOf(v);
    if (!c.has_value()) return VRegOf(v);
    return MaterializeConstant(f_.type(v) == Type::kI64 ? static_cast<uint64_t>(*c)
                                                        : static_cast<uint32_t>(*c));
  }
  VReg MaterializeConstant(uint64_t value) {
    const VReg r = NewVReg(value > 0xffffffffu ? Width::k64 : Width::k32);
    Emit(MOp::kMovImm, {Def(r)}).imm = static_cast<int64_t>(value);
    return r;
  }

  static Operand Use(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kUse, Operand::Pos::kEarly};
  }
  static Operand UseAny(VReg r) {
    return {r, Operand::Constraint::kAny, Operand::Kind::kUse, Operand::Pos::kEarly};
  }
  static Operand UseLate(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kUse, Operand::Pos::kLate};
  }
  static Operand UseFixed(VReg r, x64::Reg reg) {
    return {r,           Operand::Constraint::kFixed, Operand::Kind::kUse, Operand::Pos::kEarly, 0,
            IntPReg(reg)};
  }
  static Operand Def(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kDef, Operand::Pos::kLate};
  }
  static Operand DefEarly(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kDef, Operand::Pos::kEarly};
  }
  static Operand DefReuse(VReg r, uint8_t operand) {
    return {r, Operand::Constraint::kReuse, Operand::Kind::kDef, Operand::Pos::kLate, operand};
  }
  static Operand DefFixed(VReg r, x64::Reg reg) {
    return {r,           Operand::Constraint::kFixed, Operand::Kind::kDef, Operand::Pos::kLate, 0,
            IntPReg(reg)};
  }

  MInst& Emit(MOp op, absl::Span<const Operand> operands, regalloc::PRegSet clobbers = 0) {
    regalloc::Inst ra;
    ra.operands_begin = static_cast<uint32_t>(m_.problem.operands.size());
    ra.operands_count = static_cast<uint16_t>(operands.size());
    ra.is_move = op == MOp::kMove;
    ra.clobbers = clobbers;
    m_.problem.operands.insert(m_.problem.operands.end(), operands.begin(), operands.end());
    MInst mir;
    mir.op = op;
    current_.push_back({mir, ra});
    return current_.back().mir;
  }
  MInst& Emit(MOp op, std::initializer_list<Operand> operands, regalloc::PRegSet clobbers = 0) {
    return Emit(op, absl::MakeConstSpan(operands.begin(), operands.size()), clobbers);
  }

  // Appends what was built forwards for one IR instruction to the reversed stream.
  void Flush() {
    for (size_t i = current_.size(); i-- > 0;) insts_.push_back(current_[i]);
    current_.clear();
  }

  // -- one block

  void SelectBlock(Block b) {
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
      } else if (!ir::Info(d.op).has_side_effect &&
                 (d.results_count == 0 || !Needed(f_.result(i)))) {
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

  static x64::Reg PassedReg(size_t k) { return static_cast<x64::Reg>(abi::kPassedIn[k]); }

  // Registers of the arguments of an edge, for the jump that is the only one on its way.
  void SelectArguments(Inst terminator, Successor& s) {
    const ir::Edge& edge = f_.edges(terminator)[s.ir_edge];
    s.args_begin = static_cast<uint32_t>(successor_args_.size());
    s.args_count = static_cast<uint32_t>(edge.args.size());
    for (Value v : edge.args) successor_args_.push_back(Reg(v));
  }

  // -- conditions

  std::optional<Inst> FusableCompare(Value v) const {
    const InstData* d = DefOf(v);
    if (d == nullptr || d->op != Opcode::kIcmp) return std::nullopt;
    const Inst inst(f_.value(v).def);
    // Testing again costs no more than testing the result; but do not stretch operands over blocks.
    if (inst_block_[inst.index] != block_.index) return std::nullopt;
    return inst;
  }

  Test MatchCondition(Value v) const {
    bool invert = false;
    std::optional<Inst> compare;
    while (true) {
      const std::optional<Inst> inst = FusableCompare(v);
      if (!inst.has_value()) break;
      compare = inst;
      const InstData& d = f_.inst(*inst);
      const IntCond c = static_cast<IntCond>(d.aux);
      const Value a = f_.args(*inst)[0];
      // A test of a test: (x < y) == 0.
      if ((c != IntCond::kEq && c != IntCond::kNe) || d.type != Type::kI32 ||
          ConstantOf(f_.args(*inst)[1]) != 0 || !FusableCompare(a).has_value()) {
        break;
      }
      if (c == IntCond::kEq) invert = !invert;
      v = a;
    }
    Test t = compare.has_value() ? MatchCompare(*compare) : MatchNonZero(v, Width::k32);
    if (invert) t.cond = Invert(t.cond);
    return t;
  }

  // `v` != 0.
  Test MatchNonZero(Value v, Width w) const {
    Test t{.width = w, .cond = Cond::kNe};
    if (const std::optional<Inst> and_inst = SingleUse(v, Opcode::kAnd)) {
      Value a = f_.args(*and_inst)[0], b = f_.args(*and_inst)[1];
      if (Constant32Of(a).has_value()) std::swap(a, b);
      t.a = a;
      if (const std::optional<int32_t> mask = Constant32Of(b)) {
        t.flags = FlagsFrom::kTestImm;
        t.imm = *mask;
      } else {
        t.flags = FlagsFrom::kTest;
        t.b = b;
      }
      return t;
    }
    t.flags = FlagsFrom::kTestSelf;
    t.a = v;
    return t;
  }

  Test MatchCompare(Inst inst) const {
    const InstData& d = f_.inst(inst);
    IntCond c = static_cast<IntCond>(d.aux);
    Value a = f_.args(inst)[0], b = f_.args(inst)[1];
    const Width w = WidthOf(d.type);
    if (Constant32Of(a).has_value() && !Constant32Of(b).has_value()) {
      std::swap(a, b);
      c = SwapOperands(c);
    }
    const std::optional<int32_t> k = Constant32Of(b);
    if (!k.has_value()) {
      return {.flags = FlagsFrom::kCompare, .width = w, .cond = ToCond(c), .a = a, .b = b};
    }
    // x <u 1 is x == 0; x >=u 1 and x >u 0 are x != 0; x <=u 0 is x == 0.
    if ((*k == 1 && c == IntCond::kUlt) || (*k == 0 && c == IntCond::kUle))
      c = IntCond::kEq;
    else if ((*k == 1 && c == IntCond::kUge) || (*k == 0 && c == IntCond::kUgt))
      c = IntCond::kNe;
    else if (*k != 0 || c == IntCond::kUlt || c == IntCond::kUge) {
      return {.flags = FlagsFrom::kCompareImm, .width = w, .cond = ToCond(c), .a = a, .imm = *k};
    }
    if (c == IntCond::kEq || c == IntCond::kNe) {
      Test t = MatchNonZero(a, w);
      if (c == IntCond::kEq) t.cond = Cond::kE;
      return t;
    }
    // test x, x clears the overflow and carry flags: the signed conditions against zero hold.
    Cond cond = ToCond(c);
    if (c == IntCond::kSlt) cond = Cond::kS;
    if (c == IntCond::kSge) cond = Cond::kNs;
    return {.flags = FlagsFrom::kTestSelf, .width = w, .cond = cond, .a = a};
  }

  // The operands a test reads; the caller appends its own.
  void AddTestOperands(const Test& t, std::vector<Operand>& operands) {
    switch (t.flags) {
      case FlagsFrom::kNone:
        break;
      case FlagsFrom::kCompare:
      case FlagsFrom::kTest: {
        const VReg a = Reg(t.a), b = Reg(t.b);
        operands.push_back(Use(a));
        operands.push_back(UseAny(b));
        break;
      }
      case FlagsFrom::kCompareImm:
      case FlagsFrom::kTestSelf:
      case FlagsFrom::kTestImm:
        operands.push_back(UseAny(Reg(t.a)));
        break;
    }
  }
  static void SetTest(const Test& t, MInst& m) {
    m.flags = t.flags;
    m.flags_width = t.width;
    m.cond = t.cond;
    m.flags_imm = t.imm;
  }

  // -- instructions

  void SelectInst(Inst i, const InstData& d) {
    const absl::Span<const Value> args = f_.args(i);
    const Width w = WidthOf(d.type);
    switch (d.op) {
      case Opcode::kIconst:
        // Reached only if tracked or used without Reg(): constants are materialized where they are
        // used.
        Emit(MOp::kMovImm, {Def(VRegOf(f_.result(i)))}).imm =
            d.type == Type::kI64 ? d.imm : static_cast<int64_t>(static_cast<uint32_t>(d.imm));
        return;
      case Opcode::kFconst:
        LOG(FATAL) << f_.name() << ": the x86-64 back end has no floating-point operations yet";
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
        operands.push_back(
            DefReuse(VRegOf(f_.result(i)), static_cast<uint8_t>(operands.size() - 1)));
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

  // Reused so that building an operand list allocates nothing. Not to be held across another call.
  std::vector<Operand>& ScratchOperands() {
    scratch_.clear();
    return scratch_;
  }

  static int32_t StateDisp(uint8_t slot) {
    static_assert(offsetof(abi::VmContext, pc) == 4 * abi::kSlotPc);
    return 4 * static_cast<int32_t>(slot);
  }

  void EmitMove(VReg from, VReg to) { Emit(MOp::kMove, {Use(from), Def(to)}); }

  // d = a + c
  void EmitAddImm(VReg a, int32_t c, Width w, VReg d) {
    if (c == 0) return EmitMove(a, d);
    MInst& m = Emit(MOp::kAddImm, {Use(a), Def(d)});
    m.width = w;
    m.imm = c;
  }
  void EmitAlu(Alu op, VReg a, VReg b, Width w, VReg d) {
    MInst& m = Emit(MOp::kAlu, {Use(a), UseAny(b), DefReuse(d, 0)});
    m.alu = op;
    m.width = w;
  }
  void EmitAluImm(Alu op, VReg a, int32_t c, Width w, VReg d) {
    MInst& m = Emit(MOp::kAluImm, {Use(a), DefReuse(d, 0)});
    m.alu = op;
    m.width = w;
    m.imm = c;
  }
  void EmitShiftImm(Shift op, VReg a, uint8_t amount, Width w, VReg d) {
    if (amount == 0) return EmitMove(a, d);
    if (op == Shift::kShl && amount == 1) {
      Emit(MOp::kAdd, {Use(a), Use(a), Def(d)}).width = w;
      return;
    }
    if (op == Shift::kShl && amount <= 3) {
      MInst& m = Emit(MOp::kScale, {Use(a), Def(d)});
      m.width = w;
      m.imm = amount;
      return;
    }
    MInst& m = Emit(MOp::kShiftImm, {Use(a), DefReuse(d, 0)});
    m.shift = op;
    m.width = w;
    m.imm = amount;
  }
  void EmitUnary(Unary op, VReg a, Width w, VReg d) {
    MInst& m = Emit(MOp::kUnary, {Use(a), DefReuse(d, 0)});
    m.unary = op;
    m.width = w;
  }
  void EmitLea(VReg base, VReg index, uint8_t scale, Width w, VReg d) {
    MInst& m = Emit(MOp::kLea, {Use(base), Use(index), Def(d)});
    m.scale = scale;
    m.width = w;
  }

  void SelectAdd(Value a, Value b, Width w, VReg d) {
    if (Constant32Of(a).has_value()) std::swap(a, b);
    if (const std::optional<int32_t> c = Constant32Of(b)) return EmitAddImm(Reg(a), *c, w, d);
    // a + (x << 1…3)
    for (int swap = 0; swap < 2; ++swap, std::swap(a, b)) {
      const std::optional<Inst> shl = SingleUse(b, Opcode::kShl);
      if (!shl.has_value()) continue;
      const std::optional<int64_t> amount = ConstantOf(f_.args(*shl)[1]);
      if (!amount.has_value() || *amount < 1 || *amount > 3) continue;
      const VReg base = Reg(a), index = Reg(f_.args(*shl)[0]);
      return EmitLea(base, index, static_cast<uint8_t>(1 << *amount), w, d);
    }
    const VReg x = Reg(a), y = Reg(b);
    Emit(MOp::kAdd, {Use(x), Use(y), Def(d)}).width = w;
  }

  void SelectSub(Value a, Value b, Width w, VReg d) {
    if (const std::optional<int32_t> c = Constant32Of(b)) {
      // -INT32_MIN is itself in 32 bits only.
      if (*c != std::numeric_limits<int32_t>::min()) return EmitAddImm(Reg(a), -*c, w, d);
      return EmitAluImm(Alu::kSub, Reg(a), *c, w, d);
    }
    if (ConstantOf(a) == 0) return EmitUnary(Unary::kNeg, Reg(b), w, d);
    const VReg x = Reg(a), y = Reg(b);
    EmitAlu(Alu::kSub, x, y, w, d);
  }

  void SelectMul(Value a, Value b, Width w, VReg d) {
    if (Constant32Of(a).has_value()) std::swap(a, b);
    if (const std::optional<int32_t> c = Constant32Of(b)) return EmitMulImm(Reg(a), *c, w, d);
    PreferDyingFirst(a, b);
    const VReg x = Reg(a), y = Reg(b);
    Emit(MOp::kImul, {Use(x), UseAny(y), DefReuse(d, 0)}).width = w;
  }

  void EmitMulImm(VReg a, int32_t c, Width w, VReg d) {
    const uint32_t bits = static_cast<uint32_t>(c);
    if (absl::has_single_bit(bits) && (c > 0 || w == Width::k32)) {
      return EmitShiftImm(Shift::kShl, a, static_cast<uint8_t>(absl::countr_zero(bits)), w, d);
    }
    if (c == 3 || c == 5 || c == 9) return EmitLea(a, a, static_cast<uint8_t>(c - 1), w, d);
    MInst& m = Emit(MOp::kImulImm, {UseAny(a), Def(d)});
    m.width = w;
    m.imm = c;
  }

  // d = (a * c) >> shift, shift >= 32, the product in 64 bits.
  void EmitMulHiImm(VReg a, bool is_signed, int64_t c, uint8_t shift, VReg d) {
    MInst& m = Emit(MOp::kMulHiImm, {Use(a), FitsInt32(c) ? Def(d) : DefEarly(d)});
    m.signs = is_signed ? 1 : 0;
    m.imm = c;
    m.aux = shift;
  }

  void SelectMulHi(const InstData& d, Value a, Value b, Width w, VReg result) {
    const bool a_signed = d.op != Opcode::kUmulHi, b_signed = d.op == Opcode::kSmulHi;
    if (w == Width::k32) {
      // For the mixed product, the constant may only be b.
      if (d.op != Opcode::kSumulHi && Constant32Of(a).has_value()) std::swap(a, b);
      if (const std::optional<int32_t> c = Constant32Of(b)) {
        const int64_t factor = b_signed ? *c : static_cast<int64_t>(static_cast<uint32_t>(*c));
        if (!a_signed || FitsInt32(factor)) {
          return EmitMulHiImm(Reg(a), a_signed, factor, 32, result);
        }
      }
      const VReg x = Reg(a), y = Reg(b);
      const bool needs_temporary = b_signed || (a_signed && x == y);
      MInst& m = needs_temporary
                     ? Emit(MOp::kMulHi, {Use(x), Use(y), DefReuse(result, 0), DefEarly(NewVReg())})
                     : Emit(MOp::kMulHi, {Use(x), Use(y), DefReuse(result, 0)});
      m.signs = static_cast<uint8_t>((a_signed ? 1 : 0) | (b_signed ? 2 : 0));
      return;
    }
    const VReg x = Reg(a), y = Reg(b);
    const VReg high = d.op == Opcode::kSumulHi ? NewVReg(Width::k64) : result;
    MInst& m =
        Emit(MOp::kMulWide, {UseFixed(x, x64::Reg::rax), UseAny(y), DefFixed(high, x64::Reg::rdx)},
             Bit(IntPReg(x64::Reg::rax)));
    m.width = w;
    m.unary = b_signed ? Unary::kImul : Unary::kMul;
    if (d.op == Opcode::kSumulHi) {
      // A negative a counts 2^64 too much: take b off the high half.
      const VReg sign = NewVReg(w), excess = NewVReg(w);
      EmitShiftImm(Shift::kSar, x, 63, w, sign);
      EmitAlu(Alu::kAnd, sign, y, w, excess);
      EmitAlu(Alu::kSub, high, excess, w, result);
    }
  }

  void SelectDivide(const InstData& d, Value a, Value b, Width w, VReg result) {
    const bool is_signed = d.op == Opcode::kSdivTotal || d.op == Opcode::kSremTotal;
    const bool remainder = d.op == Opcode::kSremTotal || d.op == Opcode::kUremTotal;
    if (const std::optional<int32_t> c = Constant32Of(b); c.has_value() && w == Width::k32) {
      return is_signed ? DivideSignedBy(Reg(a), *c, remainder, result)
                       : DivideUnsignedBy(Reg(a), static_cast<uint32_t>(*c), remainder, result);
    }
    const VReg x = Reg(a), y = Reg(b);
    const x64::Reg out = remainder ? x64::Reg::rdx : x64::Reg::rax;
    const x64::Reg other = remainder ? x64::Reg::rax : x64::Reg::rdx;
    MInst& m = Emit(MOp::kDivide, {UseFixed(x, x64::Reg::rax), UseLate(y), DefFixed(result, out)},
                    Bit(IntPReg(other)));
    m.width = w;
    m.unary = is_signed ? Unary::kIdiv : Unary::kDiv;
    m.aux = remainder ? 1 : 0;
  }

  // Both return the quotient's or remainder's register filled: result = a / c or a % c.
  void DivideUnsignedBy(VReg a, uint32_t c, bool remainder, VReg result) {
    const Width w = Width::k32;
    if (c == 0) {
      if (remainder) return EmitMove(a, result);
      Emit(MOp::kMovImm, {Def(result)}).imm = 0xffffffff;
      return;
    }
    if (absl::has_single_bit(c)) {
      if (!remainder) {
        return EmitShiftImm(Shift::kShr, a, static_cast<uint8_t>(absl::countr_zero(c)), w, result);
      }
      return EmitAluImm(Alu::kAnd, a, static_cast<int32_t>(c - 1), w, result);
    }
    const VReg q = remainder ? NewVReg() : result;
    const UnsignedMagic magic = MagicUnsigned(c);
    if (!magic.add) {
      EmitMulHiImm(a, false, magic.multiplier, static_cast<uint8_t>(32 + magic.shift), q);
    } else {
      const VReg t = NewVReg(), u = NewVReg(), half = NewVReg(), sum = NewVReg();
      EmitMulHiImm(a, false, magic.multiplier, 32, t);
      EmitAlu(Alu::kSub, a, t, w, u);
      EmitShiftImm(Shift::kShr, u, 1, w, half);
      Emit(MOp::kAdd, {Use(half), Use(t), Def(sum)}).width = w;
      EmitShiftImm(Shift::kShr, sum, static_cast<uint8_t>(magic.shift - 1), w, q);
    }
    if (remainder) EmitRemainder(a, q, static_cast<int32_t>(c), result);
  }

  void DivideSignedBy(VReg a, int32_t c, bool remainder, VReg result) {
    const Width w = Width::k32;
    if (c == 0) {
      if (remainder) return EmitMove(a, result);
      Emit(MOp::kMovImm, {Def(result)}).imm = 0xffffffff;
      return;
    }
    if (c == 1 || c == -1) {
      if (remainder) {
        Emit(MOp::kMovImm, {Def(result)}).imm = 0;
      } else if (c == 1) {
        EmitMove(a, result);
      } else {
        EmitUnary(Unary::kNeg, a, w, result);
      }
      return;
    }
    if (c > 0 && absl::has_single_bit(static_cast<uint32_t>(c))) {
      // Round towards zero: add c-1 to a negative dividend.
      const uint8_t k = static_cast<uint8_t>(absl::countr_zero(static_cast<uint32_t>(c)));
      const VReg bias = NewVReg(), sum = NewVReg();
      if (k == 1) {
        EmitShiftImm(Shift::kShr, a, 31, w, bias);
      } else {
        const VReg sign = NewVReg();
        EmitShiftImm(Shift::kSar, a, 31, w, sign);
        EmitShiftImm(Shift::kShr, sign, static_cast<uint8_t>(32 - k), w, bias);
      }
      Emit(MOp::kAdd, {Use(a), Use(bias), Def(sum)}).width = w;
      if (!remainder) return EmitShiftImm(Shift::kSar, sum, k, w, result);
      const VReg low = NewVReg();
      EmitAluImm(Alu::kAnd, sum, c - 1, w, low);
      return EmitAlu(Alu::kSub, low, bias, w, result);
    }
    const SignedMagic magic = MagicSigned(c);
    VReg q = NewVReg();
    EmitMulHiImm(a, true, magic.multiplier, 32, q);
    if (c > 0 && magic.multiplier < 0) {
      const VReg sum = NewVReg();
      Emit(MOp::kAdd, {Use(q), Use(a), Def(sum)}).width = w;
      q = sum;
    } else if (c < 0 && magic.multiplier > 0) {
      const VReg difference = NewVReg();
      EmitAlu(Alu::kSub, q, a, w, difference);
      q = difference;
    }
    if (magic.shift != 0) {
      const VReg shifted = NewVReg();
      EmitShiftImm(Shift::kSar, q, magic.shift, w, shifted);
      q = shifted;
    }
    const VReg sign = NewVReg(), quotient = remainder ? NewVReg() : result;
    EmitShiftImm(Shift::kShr, q, 31, w, sign);
    Emit(MOp::kAdd, {Use(q), Use(sign), Def(quotient)}).width = w;
    if (remainder) EmitRemainder(a, quotient, c, result);
  }

  void EmitRemainder(VReg a, VReg q, int32_t c, VReg result) {
    const VReg product = NewVReg();
    EmitMulImm(q, c, Width::k32, product);
    EmitAlu(Alu::kSub, a, product, Width::k32, result);
  }

  void SelectBitwise(Opcode op, Value a, Value b, Width w, VReg d) {
    if (Constant32Of(a).has_value()) std::swap(a, b);
    const Alu alu = op == Opcode::kAnd ? Alu::kAnd : op == Opcode::kOr ? Alu::kOr : Alu::kXor;
    const std::optional<int64_t> c = ConstantOf(b);
    if (c.has_value()) {
      if (op == Opcode::kAnd && (*c == 0xff || *c == 0xffff)) {
        return EmitExtend(MOp::kZeroExtend, *c == 0xff ? Width::k8 : Width::k16, Width::k32, Reg(a),
                          d);
      }
      if (op == Opcode::kAnd && w == Width::k64 && *c == 0xffffffff) {
        return EmitExtend(MOp::kZeroExtend, Width::k32, Width::k32, Reg(a), d);
      }
      if (op == Opcode::kXor && *c == -1) return EmitUnary(Unary::kNot, Reg(a), w, d);
      if (FitsInt32(*c)) {
        // A mask without upper bits clears them in 32 bits too.
        if (op == Opcode::kAnd && *c >= 0) w = Width::k32;
        return EmitAluImm(alu, Reg(a), static_cast<int32_t>(*c), w, d);
      }
    }
    PreferDyingFirst(a, b);
    const VReg x = Reg(a), y = Reg(b);
    EmitAlu(alu, x, y, w, d);
  }

  void SelectShift(Opcode op, Value a, Value b, Width w, VReg d) {
    Shift shift = Shift::kShl;
    switch (op) {
      case Opcode::kShrU:
        shift = Shift::kShr;
        break;
      case Opcode::kShrS:
        shift = Shift::kSar;
        break;
      case Opcode::kRotl:
        shift = Shift::kRol;
        break;
      case Opcode::kRotr:
        shift = Shift::kRor;
        break;
      default:
        break;
    }
    const int64_t mask = w == Width::k64 ? 63 : 31;
    if (const std::optional<int64_t> c = ConstantOf(b)) {
      return EmitShiftImm(shift, Reg(a), static_cast<uint8_t>(*c & mask), w, d);
    }
    // The machine masks the amount itself.
    if (const std::optional<Inst> and_inst = SingleUse(b, Opcode::kAnd)) {
      const std::optional<int64_t> c = ConstantOf(f_.args(*and_inst)[1]);
      if (c.has_value() && (*c & mask) == mask) b = f_.args(*and_inst)[0];
    }
    const VReg x = Reg(a), y = Reg(b);
    MInst& m = Emit(MOp::kShiftCl, {Use(x), UseFixed(y, x64::Reg::rcx), DefReuse(d, 0)});
    m.shift = shift;
    m.width = w;
  }

  void SelectSetCond(Inst i, const InstData& d, VReg result) {
    const absl::Span<const Value> args = f_.args(i);
    if (static_cast<IntCond>(d.aux) == IntCond::kSlt && ConstantOf(args[1]) == 0) {
      return EmitShiftImm(Shift::kShr, Reg(args[0]), d.type == Type::kI64 ? 63 : 31,
                          WidthOf(d.type), result);
    }
    const Test t = MatchCondition(f_.result(i));
    std::vector<Operand>& operands = ScratchOperands();
    AddTestOperands(t, operands);
    operands.push_back(DefEarly(result));  // zeroed before the comparison reads its operands
    SetTest(t, Emit(MOp::kSetCond, operands));
  }

  void EmitExtend(MOp op, Width from, Width to, VReg a, VReg d) {
    MInst& m = Emit(op, {UseAny(a), Def(d)});
    m.from = from;
    m.width = to;
  }
  void SelectExtend(MOp op, Width from, Width to, Value a, Value result) {
    EmitExtend(op, from, to, Reg(a), VRegOf(result));
  }

  // Address operand of a load or store: either a register, or nothing and the whole address in
  // `disp`.
  struct Address {
    bool absolute = false;
    int32_t disp = 0;
    VReg reg = kNoVReg;
  };
  Address SelectAddress(const InstData& d, Value address) {
    CHECK(FitsInt32(d.imm)) << f_.name() << ": address offset " << d.imm;
    if (const std::optional<int64_t> c = ConstantOf(address)) {
      const int64_t whole = static_cast<int64_t>(static_cast<uint32_t>(*c)) + d.imm;
      if (FitsInt32(whole)) return {true, static_cast<int32_t>(whole)};
    }
    return {false, static_cast<int32_t>(d.imm), Reg(address)};
  }

  void SelectLoad(Inst i, const InstData& d, Value address) {
    CHECK(d.aux != static_cast<uint8_t>(ir::MemKind::k128)) << f_.name() << ": vector load";
    const Address at = SelectAddress(d, address);
    const VReg result = VRegOf(f_.result(i));
    MInst& m = at.absolute ? Emit(MOp::kLoad, {Def(result)})
                           : Emit(MOp::kLoad, {Use(at.reg), Def(result)});
    m.absolute = at.absolute;
    m.disp = at.disp;
    m.mem = static_cast<ir::MemKind>(d.aux);
    m.width = WidthOf(d.type);
    m.site = d.site;
  }

  void SelectStore(const InstData& d, Value address, Value value) {
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

  static x64::Reg ResultReg(size_t k) {
    return k == 0 ? static_cast<x64::Reg>(abi::kNextPcReg) : PassedReg(k - 1);
  }

  // Arguments in their registers; with `dispatch`, the first one is the target pc.
  void AddArguments(absl::Span<const Value> args, bool dispatch, std::vector<Operand>& operands) {
    CHECK_LE(args.size(), static_cast<size_t>(abi::kNumPassed) + (dispatch ? 1 : 0)) << f_.name();
    for (size_t k = 0; k < args.size(); ++k) {
      const x64::Reg reg = dispatch ? ResultReg(k) : PassedReg(k);
      operands.push_back(UseFixed(Reg(args[k]), reg));
    }
  }

  void SelectCall(Inst i, const InstData& d, absl::Span<const Value> args) {
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

  void SelectBranch(Value condition) {
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

  // -- after selection

  // Turns the reversed pieces into the final order.
  void Assemble() {
    regalloc::Problem& p = m_.problem;
    m_.insts.reserve(insts_.size());
    p.insts.reserve(insts_.size());
    p.blocks.resize(pieces_.size());
    m_.blocks.resize(pieces_.size());
    for (uint32_t k = 0; k < pieces_.size(); ++k) {
      const Piece& piece = pieces_[k];
      regalloc::Block& block = p.blocks[k];
      MBlock& info = m_.blocks[k];
      block.begin = static_cast<uint32_t>(m_.insts.size());
      for (uint32_t i = piece.end; i-- > piece.begin;) {
        m_.insts.push_back(insts_[i].mir);
        p.insts.push_back(insts_[i].ra);
      }
      block.end = static_cast<uint32_t>(m_.insts.size());
      block.params_begin = static_cast<uint32_t>(p.block_params.size());
      block.succs_begin = static_cast<uint32_t>(p.edges.size());
      if (piece.ir.valid()) {
        const ControlFlow::BlockInfo& cf = cf_.info[piece.ir.index];
        const ir::BlockData& data = f_.block(piece.ir);
        info = {piece.ir, data.guest_pc, cf.is_entry, cf.cold, cf.align};
        block.frequency = cf.frequency;
        if (!cf.is_entry) {
          for (Value v : data.params) p.block_params.push_back(VRegOf(v));
        }
        const SuccessorRange range = successors_of_[piece.ir.index];
        for (uint32_t s = range.begin; s < range.end; ++s) {
          const Successor& successor = successors_[s];
          if (successor.piece != kNone) {
            p.edges.push_back({.target = successor.piece});
          } else {
            AddEdge(f_.terminator(piece.ir), successor);
          }
        }
      } else {
        const Successor& successor = successors_[piece.edge];
        const Inst terminator = f_.terminator(piece.from);
        const Block to = f_.edges(terminator)[successor.ir_edge].target;
        const ControlFlow::BlockInfo &source = cf_.info[piece.from.index],
                                     &target = cf_.info[to.index];
        info.cold = source.cold || target.cold;
        block.frequency = 0.5f * std::min(source.frequency, target.frequency);
        AddEdge(terminator, successor);
      }
      block.params_count = static_cast<uint32_t>(p.block_params.size()) - block.params_begin;
      block.succs_count = static_cast<uint32_t>(p.edges.size()) - block.succs_begin;
    }
    // Predecessors.
    std::vector<uint32_t> count(pieces_.size() + 1, 0);
    for (const regalloc::Edge& e : p.edges) ++count[e.target];
    uint32_t total = 0;
    for (uint32_t k = 0; k < pieces_.size(); ++k) {
      p.blocks[k].preds_begin = total;
      total += count[k];
    }
    p.pred_blocks.resize(total);
    for (uint32_t k = 0; k < pieces_.size(); ++k) {
      for (uint32_t e = 0; e < p.blocks[k].succs_count; ++e) {
        regalloc::Block& target = p.blocks[p.edges[p.blocks[k].succs_begin + e].target];
        p.pred_blocks[target.preds_begin + target.preds_count++] = k;
      }
    }
    for (Block e : f_.entries()) m_.entry_blocks.push_back(piece_of_[e.index]);
    m_.tables = std::move(tables_);
  }

  void AddEdge(Inst terminator, const Successor& s) {
    regalloc::Problem& p = m_.problem;
    const Block to = f_.edges(terminator)[s.ir_edge].target;
    regalloc::Edge edge{.target = piece_of_[to.index],
                        .args_begin = static_cast<uint32_t>(p.edge_args.size()),
                        .args_count = s.args_count};
    for (uint32_t a = 0; a < s.args_count; ++a) {
      p.edge_args.push_back(successor_args_[s.args_begin + a]);
    }
    p.edges.push_back(edge);
  }

  // Deferred state, now that the final positions of the sites are known.
  void PlaceState() {
    for (uint32_t k = 0; k < pieces_.size(); ++k) {
      const Piece& piece = pieces_[k];
      if (!piece.ir.valid()) continue;
      const uint32_t block_begin = m_.problem.blocks[k].begin;
      auto position = [&](uint32_t ir_inst) {
        return block_begin + (piece.end - 1 - site_at_[ir_inst]);
      };
      const auto [begin, end] = deferrals_of_[piece.ir.index];
      const size_t first_tracked = m_.problem.tracked.size();
      const size_t first_constant = m_.constant_state.size();
      for (uint32_t i = begin; i < end; ++i) {
        const Deferral& d = deferrals_[i];
        const uint32_t from = position(d.first), to = position(d.last);
        if (const std::optional<int64_t> c = ConstantOf(d.value)) {
          m_.constant_state.push_back({d.slot, from, to, static_cast<int32_t>(*c)});
        } else {
          m_.problem.tracked.push_back({VRegOf(d.value), from, to, d.slot});
        }
      }
      auto by_from = [](const auto& a, const auto& b) { return a.from < b.from; };
      std::stable_sort(m_.problem.tracked.begin() + static_cast<ptrdiff_t>(first_tracked),
                       m_.problem.tracked.end(), by_from);
      std::stable_sort(m_.constant_state.begin() + static_cast<ptrdiff_t>(first_constant),
                       m_.constant_state.end(), by_from);
    }
  }

  struct Built {
    MInst mir;
    regalloc::Inst ra;
  };
  struct SuccessorRange {
    uint32_t begin = 0, end = 0;
    uint32_t table = 0;
  };

  const ir::Function& f_;
  const ControlFlow& cf_;
  MFunction m_;
  std::vector<uint32_t> uses_;        // by value
  std::vector<VReg> vreg_of_;         // by value
  std::vector<uint32_t> inst_block_;  // by instruction
  std::vector<uint32_t> site_at_;     // by instruction: where in insts_ its site is
  std::vector<OpenDeferral> open_;    // by slot; reused by CountUses
  std::vector<uint8_t> open_slots_;
  std::vector<uint32_t> sites_;
  std::vector<Deferral> deferrals_;
  std::vector<std::pair<uint32_t, uint32_t>> deferrals_of_;  // by block
  std::vector<Piece> pieces_;
  std::vector<uint32_t> piece_of_;  // by block
  std::vector<Successor> successors_;
  std::vector<SuccessorRange> successors_of_;  // by block
  std::vector<VReg> successor_args_;
  std::vector<uint32_t> tables_;
  std::vector<Built> insts_;    // blocks from last to first instruction
  std::vector<Built> current_;  // of the IR instruction being selected, forwards
  std::vector<Operand> scratch_;
  Block block_;  // being selected
};

}  // namespace

MFunction Select(const ir::Function& function, const ControlFlow& control_flow) {
  return Selector(function, control_flow).Run();
}

}  // namespace precast::x64
