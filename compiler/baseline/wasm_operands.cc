#include "compiler/baseline/wasm_operands.h"

#include <algorithm>
#include <bit>

namespace precast::baseline {

using x64::Mem;
using x64::Reg;
using x64::Width;
using Kind = Operand::Kind;

void Operands::Begin(absl::Span<const wasm::ValType> params, size_t num_locals, bool wide) {
  slot_bytes_ = wide ? 16 : 8;
  stack_.clear();
  flushed_ = lazy_locals_ = max_size_ = 0;
  local_types_.assign(num_locals, Type::kI32);
  for (size_t k = 0; k < params.size(); ++k) local_types_[k] = TypeOf(params[k]);
  reg_of_local_.assign(num_locals, kNoReg);
  uses_.fill(0);
  in_use_ = cached_ = locked_ = 0;
  next_victim_ = 0;
}

// -- the operand stack

void Operands::Truncate(size_t size) {
  while (stack_.size() > size) Pop();
}

void Operands::FlushEntry(size_t k, bool constants) {
  Operand& v = stack_[k];
  if (v.kind == Kind::kSlot || (v.kind == Kind::kConst && !constants)) return;
  const uint32_t slot = SlotOf(k);
  StoreTo(Slot(slot), v);
  if (v.kind == Kind::kReg) Release(v.reg);
  if (v.kind == Kind::kLocal) --lazy_locals_;
  v = {Kind::kSlot, v.type, 0, slot, 0};
}

void Operands::FlushUpTo(size_t end) {
  for (; flushed_ < end; ++flushed_) FlushEntry(flushed_, false);
}

void Operands::Flush(size_t slots) {
  FlushUpTo(stack_.size());
  for (size_t k = stack_.size() - slots; k < stack_.size(); ++k) FlushEntry(k, true);
}

void Operands::SpillForCall(size_t n) {
  const size_t end = stack_.size() - n;
  for (size_t k = flushed_; k < end; ++k) {
    if (stack_[k].kind == Kind::kReg) FlushEntry(k, false);
  }
}

// -- registers

AnyReg Operands::AllocFrom(uint32_t allowed) {
  for (;;) {
    const uint32_t candidates = allowed & ~(locked_ | in_use_);
    if (const uint32_t empty = candidates & ~cached_; empty != 0) {
      const auto r = static_cast<AnyReg>(std::countr_zero(empty));
      locked_ |= 1u << r;
      return r;
    }
    if (candidates != 0) {
      // In turn, so that what was loaded last stays.
      const uint32_t behind = candidates & ~((1u << next_victim_) - 1);
      const auto r = static_cast<AnyReg>(std::countr_zero(behind != 0 ? behind : candidates));
      next_victim_ = (r + 1u) & 31;
      Uncache(r);
      locked_ |= 1u << r;
      return r;
    }
    // The operand deepest in the stack waits longest.
    bool found = false;
    for (size_t k = flushed_; k < stack_.size() && !found; ++k) {
      const Operand& v = stack_[k];
      found = v.kind == Kind::kReg && ((allowed & ~locked_) >> v.reg & 1) != 0;
      if (found) Spill(v.reg);
    }
    CHECK(found) << "an instruction with too many operands";
  }
}

void Operands::Spill(AnyReg r) {
  for (size_t k = flushed_; k < stack_.size(); ++k) {
    if (stack_[k].kind == Kind::kReg && stack_[k].reg == r) FlushEntry(k, false);
  }
}

bool Operands::InRegister(const Operand& v, AnyReg& r) const {
  if (v.kind == Kind::kReg) {
    r = v.reg;
    return true;
  }
  if (v.kind != Kind::kLocal || reg_of_local_[v.index] == kNoReg) return false;
  r = reg_of_local_[v.index];
  return true;
}

AnyReg Operands::Use(const Operand& v) {
  AnyReg r;
  if (InRegister(v, r)) {
    locked_ |= 1u << r;
    return r;
  }
  r = Alloc(v.type);
  LoadInto(r, v);
  if (v.kind == Kind::kLocal) Cache(v.index, r);
  return r;
}

AnyReg Operands::Own(const Operand& v) {
  if (IsOwned(v)) return v.reg;
  AnyReg from;
  if (InRegister(v, from)) locked_ |= 1u << from;
  const AnyReg r = Alloc(v.type);
  LoadInto(r, v);
  return r;
}

void Operands::Acquire(Reg reg) {
  const AnyReg r = Any(reg);
  if ((in_use_ >> r & 1) != 0) {
    locked_ |= 1u << r;
    const uint32_t empty = kIntRegs & ~(locked_ | in_use_ | cached_);
    if (empty != 0) {
      const auto to = static_cast<AnyReg>(std::countr_zero(empty));
      e_.Mov(Width::k64, IntReg(to), reg);
      for (size_t k = flushed_; k < stack_.size(); ++k) {
        if (stack_[k].kind != Kind::kReg || stack_[k].reg != r) continue;
        stack_[k].reg = to;
        Retain(to);
        Release(r);
      }
    } else {
      Spill(r);
    }
  }
  if ((cached_ >> r & 1) != 0) Uncache(r);
  locked_ |= 1u << r;
}

void Operands::MoveReg(Type type, AnyReg to, AnyReg from) const {
  if (to == from) return;
  if (InVectorReg(type)) {
    e_.MovapsRR(VectorReg(to), VectorReg(from));
  } else {
    e_.Mov(WidthOf(type), IntReg(to), IntReg(from));
  }
}

void Operands::LoadMem(Type type, AnyReg r, const Mem& m) const {
  if (type == Type::kV128) {
    e_.MovupsLoad(VectorReg(r), m);
  } else if (InVectorReg(type)) {
    e_.MovsLoad(WidthOf(type), VectorReg(r), m);
  } else {
    e_.Load(WidthOf(type), IntReg(r), m);
  }
}

void Operands::StoreMem(Type type, const Mem& m, AnyReg r) const {
  if (type == Type::kV128) {
    e_.MovupsStore(m, VectorReg(r));
  } else if (InVectorReg(type)) {
    e_.MovsStore(WidthOf(type), m, VectorReg(r));
  } else {
    e_.Store(WidthOf(type), m, IntReg(r));
  }
}

void Operands::LoadInto(AnyReg r, const Operand& v, Reg scratch) const {
  AnyReg from;
  if (InRegister(v, from)) return MoveReg(v.type, r, from);
  if (!v.IsConst()) return LoadMem(v.type, r, Slot(v.index));
  if (!InVectorReg(v.type)) return e_.MovImm(IntReg(r), v.value);
  if (v.value == 0) {
    e_.SseBitsRR(x64::SseBits::kXor, VectorReg(r), VectorReg(r));
  } else {
    e_.MovImm(scratch, v.value);
    e_.MovToXmm(WidthOf(v.type), VectorReg(r), scratch);
  }
}

void Operands::StoreTo(const Mem& m, const Operand& v) const {
  AnyReg from;
  if (InRegister(v, from)) return StoreMem(v.type, m, from);
  if (v.FitsImmediate()) return e_.StoreImm(WidthOf(v.type), m, v.Immediate());
  if (v.type == Type::kV128) {
    LoadMem(v.type, Any(kScratchXmm), Slot(v.index));
    return StoreMem(v.type, m, Any(kScratchXmm));
  }
  const Type type = WidthOf(v.type) == Width::k32 ? Type::kI32 : Type::kI64;
  if (v.IsConst()) {
    e_.MovImm(kScratch, v.value);
  } else {
    LoadMem(type, Any(kScratch), Slot(v.index));
  }
  StoreMem(type, m, Any(kScratch));
}

// -- locals

void Operands::Cache(uint32_t local, AnyReg r) {
  if (const AnyReg before = reg_of_local_[local]; before != kNoReg) {
    if (before == r) return;
    Uncache(before);
  }
  if ((cached_ >> r & 1) != 0) Uncache(r);
  cached_ |= 1u << r;
  local_of_reg_[r] = local;
  reg_of_local_[local] = r;
}

void Operands::ForgetLocals() {
  for (uint32_t left = cached_; left != 0; left &= left - 1) {
    reg_of_local_[local_of_reg_[std::countr_zero(left)]] = kNoReg;
  }
  cached_ = 0;
}

void Operands::Assume(const CachedLocals& locals) {
  ForgetLocals();
  cached_ = locals.registers;
  local_of_reg_ = locals.local;
  for (uint32_t left = cached_; left != 0; left &= left - 1) {
    const auto r = static_cast<AnyReg>(std::countr_zero(left));
    reg_of_local_[local_of_reg_[r]] = r;
  }
}

uint32_t Operands::Missing(const CachedLocals& locals) const {
  uint32_t missing = 0;
  for (uint32_t left = locals.registers; left != 0; left &= left - 1) {
    const int r = std::countr_zero(left);
    if (reg_of_local_[locals.local[static_cast<size_t>(r)]] != r) missing |= 1u << r;
  }
  return missing;
}

void Operands::Intersect(CachedLocals& locals) const { locals.registers &= ~Missing(locals); }

void Operands::Establish(const CachedLocals& locals) {
  for (uint32_t left = Missing(locals); left != 0; left &= left - 1) {
    const auto r = static_cast<AnyReg>(std::countr_zero(left));
    const uint32_t local = locals.local[r];
    // What was in a register that is overwritten is only in its slot from then on.
    LoadInto(r, {Kind::kLocal, local_types_[local], 0, local, 0});
    Cache(local, r);
  }
}

void Operands::CacheOnly(absl::Span<const uint32_t> locals) {
  DCHECK_EQ(in_use_, 0u);
  uint32_t keep = 0;
  for (uint32_t local : locals) {
    if (reg_of_local_[local] != kNoReg) keep |= 1u << reg_of_local_[local];
  }
  for (uint32_t left = cached_ & ~keep; left != 0; left &= left - 1) {
    Uncache(static_cast<AnyReg>(std::countr_zero(left)));
  }
  for (uint32_t local : locals) {
    if (reg_of_local_[local] != kNoReg) continue;
    const Type type = local_types_[local];
    const uint32_t empty = (InVectorReg(type) ? kVectorRegs : kIntRegs) & ~cached_;
    if (empty == 0) continue;
    const auto r = static_cast<AnyReg>(std::countr_zero(empty));
    LoadMem(type, r, Slot(local));
    Cache(local, r);
  }
}

void Operands::SetLocal(uint32_t local, const Operand& v) {
  if (v.kind == Kind::kLocal && v.index == local) return;
  if (lazy_locals_ != 0) {
    // What was pushed is what the local was then.
    for (size_t k = flushed_; k < stack_.size(); ++k) {
      Operand& waiting = stack_[k];
      if (waiting.kind != Kind::kLocal || waiting.index != local) continue;
      const AnyReg r = Use(waiting);
      waiting = {Kind::kReg, waiting.type, r, 0, 0};
      Retain(r);
      --lazy_locals_;
    }
  }
  const Mem slot = Slot(local);
  // A constant is worth a register that holds nothing.
  const uint32_t registers = InVectorReg(v.type) ? kVectorRegs : kIntRegs;
  if (v.FitsImmediate() && (registers & ~(in_use_ | cached_ | locked_)) == 0) {
    e_.StoreImm(WidthOf(v.type), slot, v.Immediate());
    if (const AnyReg before = reg_of_local_[local]; before != kNoReg) Uncache(before);
    return;
  }
  const AnyReg r = Use(v);
  StoreMem(v.type, slot, r);
  Cache(local, r);
}

}  // namespace precast::baseline
