// Memory: guest memory, the context and what it leads to; atomic operations.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/ir/possible_bits.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {
namespace {

// So far back definitions are followed for the bits of an address.
constexpr int kMostSteps = 4;

bool IsNarrow(ir::MemKind kind, Type type) {
  return type == Type::kI64 ? kind != ir::MemKind::k64 : kind != ir::MemKind::kU32;
}

}  // namespace

Address Selector::SelectAddress(Inst i, const InstData& d) {
  const absl::Span<const Value> args = f_.args(i);
  CHECK(FitsInt32(d.imm)) << f_.name() << ": displacement " << d.imm;
  const int32_t disp = static_cast<int32_t>(d.imm);
  switch (d.op) {
    case Opcode::kLoadContext:
    case Opcode::kStoreContext:
      return {.place = Place::kContext, .disp = disp, .can_fault = false};
    case Opcode::kLoadHost:
    case Opcode::kStoreHost:
      return {.place = Place::kPointer, .disp = disp, .can_fault = false, .a = Reg(args[0])};
    case Opcode::kLoadAt:
    case Opcode::kStoreAt:
      return SelectSum(args[0], args[1], disp);
    case Opcode::kAtomicRmw:
    case Opcode::kAtomicCmpxchg:
      return SelectSum(args[0], args[1], 0);
    default:
      break;
  }
  if (const std::optional<int64_t> c = ConstantOf(args[0])) {
    const int64_t whole = static_cast<int64_t>(static_cast<uint32_t>(*c)) + disp;
    if (FitsInt32(whole)) {
      return {.place = Place::kGuestAbsolute, .disp = static_cast<int32_t>(whole)};
    }
  }
  return SelectGuest(args[0], disp);
}

Address Selector::SelectGuest(Value address, int32_t disp) {
  // A constant of four bytes in each of more accesses than that would be longer than an addition.
  constexpr uint32_t kMostUses = 3;
  uint8_t scale = 1;
  const Value whole = address;
  while (f_.type(address) == Type::kI32) {
    const InstData* d = DefOf(address);
    if (d == nullptr || (d->op != Opcode::kAdd && d->op != Opcode::kOr && d->op != Opcode::kShl)) {
      break;
    }
    const uint32_t uses = uses_[address.index];
    const bool for_address =
        address == whole ? uses <= kMostUses && uses == address_uses_[address.index] : uses == 1;
    if (!for_address || Needed(address)) break;
    const absl::Span<const Value> args = f_.args(Inst(f_.value(address).def));
    const std::optional<int64_t> constant = ConstantOf(args[1]);
    if (!constant.has_value() || ConstantOf(args[0]).has_value()) break;
    const uint64_t c = static_cast<uint32_t>(*constant);
    const uint64_t bits = BitsOf(args[0], kMostSteps);
    if (d->op == Opcode::kShl) {
      if (c == 0 || c > 3 || bits >> (32 - c) != 0) break;
      scale = static_cast<uint8_t>(1 << c);
      address = args[0];
      break;
    }
    const bool carries = d->op == Opcode::kAdd ? bits + c > 0xffffffffu : (bits & c) != 0;
    const int64_t sum = disp + static_cast<int64_t>(c);
    if (carries || !FitsInt32(sum)) break;
    disp = static_cast<int32_t>(sum);
    address = args[0];
  }
  return {.place = Place::kGuest, .scale = scale, .disp = disp, .a = Reg(address)};
}

uint64_t Selector::BitsOf(Value v, int steps) const {
  if (steps == 0) return ir::AllBits(f_.type(v));
  return ir::PossibleBits(f_, v, [&](Value a) { return BitsOf(a, steps - 1); });
}

Address Selector::SelectSum(Value base, Value offset, int64_t disp) {
  // 64-bit sums wrap as the machine's addresses do.
  while (const std::optional<Inst> add = SingleUse(offset, Opcode::kAdd)) {
    const std::optional<int64_t> c = ConstantOf(f_.args(*add)[1]);
    int64_t sum;
    if (!c.has_value() || __builtin_add_overflow(disp, *c, &sum) || !FitsInt32(sum)) break;
    disp = sum;
    offset = f_.args(*add)[0];
  }
  if (const std::optional<int64_t> c = ConstantOf(offset)) {
    int64_t sum;
    if (!__builtin_add_overflow(disp, *c, &sum) && FitsInt32(sum)) {
      return {.place = Place::kPointer, .disp = static_cast<int32_t>(sum), .a = Reg(base)};
    }
  }
  const VReg a = Reg(base), b = Reg(offset);
  return {.place = Place::kSum, .disp = static_cast<int32_t>(disp), .a = a, .b = b};
}

void Selector::AddPlaceOperands(const Address& at, std::vector<Operand>& operands,
                                Operand (*use)(VReg)) {
  const uint32_t n = NumOperands(at.place);
  if (n > 0) operands.push_back(use(at.a));
  if (n > 1) operands.push_back(use(at.b));
}

void Selector::SetPlace(const Address& at, const InstData& d, MInst& m) {
  m.place = at.place;
  m.place_scale = at.scale;
  m.disp = at.disp;
  m.can_fault = at.can_fault;
  m.mem = static_cast<ir::MemKind>(d.aux);
  m.site = d.site;
}

std::optional<Inst> Selector::FoldableLoad(Value v) const {
  if (f_.signature().conv != ir::CallConv::kWasm) return std::nullopt;
  const InstData* d = DefOf(v);
  if (d == nullptr || uses_[v.index] != 1 || Needed(v)) return std::nullopt;
  const Inst load(f_.value(v).def);
  if (inst_block_[load.index] != block_.index) return std::nullopt;
  uint32_t own = 0;
  switch (d->op) {
    case Opcode::kLoad:
    case Opcode::kLoadAt:
      own = 1;
      break;
    case Opcode::kLoadContext:
    case Opcode::kLoadHost:
      break;
    default:
      return std::nullopt;
  }
  if (effects_before_[inst_.index] != effects_before_[load.index] + own) return std::nullopt;
  return load;
}

std::optional<Inst> Selector::FoldableLoad(Value v, Width width) const {
  const std::optional<Inst> load = FoldableLoad(v);
  if (!load.has_value()) return std::nullopt;
  const InstData& d = f_.inst(*load);
  const ir::MemKind kind = static_cast<ir::MemKind>(d.aux);
  const bool whole = width == Width::k64 ? kind == ir::MemKind::k64
                                         : kind == ir::MemKind::kU32 || kind == ir::MemKind::kS32;
  if (!whole || WidthOf(d.type) != width) return std::nullopt;
  return load;
}

std::optional<Inst> Selector::FoldableCompare(Value v, int32_t imm, Width& width,
                                              Cond& cond) const {
  const std::optional<Inst> load = FoldableLoad(v);
  if (!load.has_value() || !HeldInInt(f_.type(v)) || WidthOf(f_.type(v)) != width) {
    return std::nullopt;
  }
  switch (static_cast<ir::MemKind>(f_.inst(*load).aux)) {
    case ir::MemKind::kU8: {
      // Neither side is negative, so signed comparisons are unsigned ones.
      if (imm < 0 || imm > 0xff) return std::nullopt;
      constexpr std::pair<Cond, Cond> kUnsigned[] = {{Cond::kL, Cond::kB},
                                                     {Cond::kGe, Cond::kAe},
                                                     {Cond::kG, Cond::kA},
                                                     {Cond::kLe, Cond::kBe}};
      if (cond == Cond::kS || cond == Cond::kNs) return std::nullopt;
      for (const auto& [is_signed, is_unsigned] : kUnsigned) {
        if (cond == is_signed) {
          cond = is_unsigned;
          break;
        }
      }
      width = Width::k8;
      return load;
    }
    case ir::MemKind::kU32:
    case ir::MemKind::kS32:
      return width == Width::k32 ? load : std::nullopt;
    case ir::MemKind::k64:
      return width == Width::k64 ? load : std::nullopt;
    default:
      return std::nullopt;
  }
}

Address Selector::Fold(Inst load, std::vector<Operand>& operands) {
  const Address at = SelectAddress(load, f_.inst(load));
  AddPlaceOperands(at, operands);
  folded_[load.index] = true;
  return at;
}

void Selector::SetFolded(const Address& at, Inst load, MInst& m) {
  SetPlace(at, f_.inst(load), m);
  m.folded = true;
  // The site is that of the machine instruction `m`, the last one built so far. (See SelectBlock.)
  site_at_[load.index] = static_cast<uint32_t>(current_.size() - 1);
  folded_load_ = load;
}

void Selector::SelectLoad(Inst i, const InstData& d) {
  const Address at = SelectAddress(i, d);
  const auto swapped = swapped_loads_.find(i.index);
  const bool swap = swapped != swapped_loads_.end();
  std::vector<Operand>& operands = ScratchOperands();
  AddPlaceOperands(at, operands);
  operands.push_back(Def(VRegOf(swap ? swapped->second : f_.result(i))));
  MInst& m = Emit(MOp::kLoad, operands);
  SetPlace(at, d, m);
  m.width = WidthOf(d.type);
  if (swap) {
    m.swap = true;
    m.mem = m.width == Width::k64 ? ir::MemKind::k64 : ir::MemKind::kU32;
  }
}

bool Selector::SwapInLoad(Value v, Value result) {
  if (!HasCpu(format::CpuFeature::kMovbe)) return false;
  const std::optional<Inst> load = SingleLoad(v);
  if (!load.has_value() || Needed(v)) return false;
  swapped_loads_.emplace(load->index, result);
  return true;
}

std::optional<Inst> Selector::SingleLoad(Value v) const {
  for (Opcode op : {Opcode::kLoad, Opcode::kLoadAt}) {
    const std::optional<Inst> load = SingleUse(v, op);
    if (!load.has_value()) continue;
    const InstData& d = f_.inst(*load);
    const ir::MemKind kind = static_cast<ir::MemKind>(d.aux);
    const bool whole = d.type == Type::kI64
                           ? kind == ir::MemKind::k64
                           : kind == ir::MemKind::kU32 || kind == ir::MemKind::kS32;
    return whole ? load : std::nullopt;
  }
  return std::nullopt;
}

void Selector::SelectStore(Inst i, const InstData& d) {
  Value value = f_.args(i).back();
  const ir::MemKind kind = static_cast<ir::MemKind>(d.aux);
  bool swap = false;
  if (HasCpu(format::CpuFeature::kMovbe) && HeldInInt(f_.type(value)) &&
      (f_.type(value) == Type::kI64 ? kind == ir::MemKind::k64
                                    : kind == ir::MemKind::kU32 || kind == ir::MemKind::kS32)) {
    if (const std::optional<Inst> bswap = SingleUse(value, Opcode::kBswap)) {
      swap = !ConstantOf(f_.args(*bswap)[0]).has_value();
      if (swap) value = f_.args(*bswap)[0];
    }
  }
  if (f_.type(value) == Type::kI32) value = Low(value, Width::k32);
  const Address at = SelectAddress(i, d);
  std::optional<int64_t> c = HeldInInt(f_.type(value)) ? ConstantOf(value) : FloatConstantOf(value);
  std::vector<Operand>& operands = ScratchOperands();
  AddPlaceOperands(at, operands);
  const bool is_imm =
      c.has_value() && (FitsInt32(*c) || d.aux != static_cast<uint8_t>(ir::MemKind::k64));
  if (c.has_value() && !is_imm) {
    operands.push_back(Use(MaterializeConstant(static_cast<uint64_t>(*c), Width::k64)));
  } else if (!is_imm) {
    operands.push_back(Use(Reg(value)));
  }
  MInst& m = Emit(is_imm ? MOp::kStoreImm : MOp::kStore, operands);
  if (is_imm) m.imm = static_cast<int32_t>(static_cast<uint32_t>(*c));
  m.swap = swap;
  SetPlace(at, d, m);
}

void Selector::SelectAtomicRmw(Inst i, const InstData& d) {
  const Value value = f_.args(i)[2];
  const Width w = WidthOf(d.type);
  const ir::AtomicOp op = static_cast<ir::AtomicOp>(d.imm);
  const Address at = SelectAddress(i, d);
  std::vector<Operand>& operands = ScratchOperands();
  Alu alu = Alu::kAdd;
  switch (op) {
    case ir::AtomicOp::kAdd:
    case ir::AtomicOp::kXchg:
      break;
    case ir::AtomicOp::kSub:
      alu = Alu::kSub;
      break;
    case ir::AtomicOp::kAnd:
      alu = Alu::kAnd;
      break;
    case ir::AtomicOp::kOr:
      alu = Alu::kOr;
      break;
    case ir::AtomicOp::kXor:
      alu = Alu::kXor;
      break;
  }
  MInst* m = nullptr;
  if (op != ir::AtomicOp::kXchg && !Needed(f_.result(i))) {
    AddPlaceOperands(at, operands);
    if (const std::optional<int32_t> c = Constant32Of(value)) {
      m = &Emit(MOp::kAtomicAluImm, operands);
      m->imm = *c;
    } else {
      operands.push_back(Use(Reg(value)));
      m = &Emit(MOp::kAtomicAlu, operands);
    }
    m->alu = alu;
  } else {
    const VReg result = VRegOf(f_.result(i));
    if (op == ir::AtomicOp::kAnd || op == ir::AtomicOp::kOr || op == ir::AtomicOp::kXor) {
      AddPlaceOperands(at, operands, &UseLate);
      operands.push_back(UseLate(Reg(value)));
      operands.push_back(DefFixed(result, x64::Reg::rax));
      operands.push_back(DefEarly(NewVReg(w)));
      m = &Emit(MOp::kAtomicLoop, operands);
      m->alu = alu;
    } else {
      VReg x = Reg(value);
      if (op == ir::AtomicOp::kSub) {
        const VReg negated = NewVReg(w);
        EmitUnary(Unary::kNeg, x, w, negated);
        x = negated;
      }
      AddPlaceOperands(at, operands);
      operands.push_back(Use(x));
      operands.push_back(DefReuse(result, static_cast<uint8_t>(operands.size() - 1)));
      m = &Emit(op == ir::AtomicOp::kXchg ? MOp::kAtomicExchange : MOp::kAtomicAdd, operands);
    }
  }
  SetPlace(at, d, *m);
  m->width = w;
}

void Selector::SelectAtomicCompare(Inst i, const InstData& d) {
  const absl::Span<const Value> args = f_.args(i);
  const Width w = WidthOf(d.type);
  const Address at = SelectAddress(i, d);
  const VReg expected = Reg(args[2]), replacement = Reg(args[3]);
  std::vector<Operand>& operands = ScratchOperands();
  AddPlaceOperands(at, operands);
  operands.push_back(UseFixed(expected, x64::Reg::rax));
  operands.push_back(Use(replacement));
  operands.push_back(DefFixed(VRegOf(f_.result(i)), x64::Reg::rax));
  if (IsNarrow(static_cast<ir::MemKind>(d.aux), d.type)) operands.push_back(DefEarly(NewVReg(w)));
  MInst& m = Emit(MOp::kAtomicCompare, operands);
  SetPlace(at, d, m);
  m.width = w;
}

}  // namespace precast::x64::selection
