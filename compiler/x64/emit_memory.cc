// The machine code of loads, stores and atomic operations.
#include <cstdint>

#include "absl/log/check.h"
#include "compiler/x64/emitter.h"

namespace precast::x64::emission {
namespace {

Width AccessWidth(ir::MemKind kind) {
  switch (kind) {
    case ir::MemKind::kU8:
    case ir::MemKind::kS8:
      return Width::k8;
    case ir::MemKind::kU16:
    case ir::MemKind::kS16:
      return Width::k16;
    case ir::MemKind::kU32:
    case ir::MemKind::kS32:
      return Width::k32;
    case ir::MemKind::k64:
      return Width::k64;
    case ir::MemKind::k128:
    case ir::MemKind::k128Aligned:
      break;
  }
  CHECK(false) << "vectors have accesses of their own";
  return Width::k64;
}

}  // namespace

Mem Emitter::PlaceMem(uint32_t i, const MInst& m, uint32_t first) const {
  switch (m.place) {
    case Place::kGuest:
      return Mem::At(kMemory, R(i, first), m.place_scale, m.disp);
    case Place::kGuestAbsolute:
      return Mem::At(kMemory, m.disp);
    case Place::kSum:
      return Mem::At(R(i, first), R(i, first + 1), 1, m.disp);
    case Place::kPointer:
      return Mem::At(R(i, first), m.disp);
    case Place::kContext:
      break;
  }
  return InContext(static_cast<uint32_t>(m.disp));
}

void Emitter::AddMemorySite(uint32_t i, const MInst& m) {
  if (!m.can_fault) return;
  const auto [begin, count] = CaptureState(i);
  SeparateFromCall();
  AddSite(Site::Kind::kMemory, m, 0, begin, count);
}

void Emitter::EmitLoad(uint32_t i, const MInst& m) {
  const uint32_t k = NumOperands(m.place);
  const Mem mem = PlaceMem(i, m);
  AddMemorySite(i, m);
  if (Loc(i, k).reg.cls == RegClass::kVector) {
    if (ir::IsVector(m.mem)) return e_.MovupsLoad(X(i, k), mem);
    return e_.MovsLoad(AccessWidth(m.mem), X(i, k), mem);
  }
  const Reg d = R(i, k);
  switch (m.mem) {
    case ir::MemKind::kU8:
      return e_.Movzx(Width::k8, d, mem);
    case ir::MemKind::kU16:
      return e_.Movzx(Width::k16, d, mem);
    case ir::MemKind::kS8:
      return e_.Movsx(Width::k8, m.width, d, mem);
    case ir::MemKind::kS16:
      return e_.Movsx(Width::k16, m.width, d, mem);
    case ir::MemKind::kU32:
      return m.swap ? e_.MovbeLoad(Width::k32, d, mem) : e_.Load(Width::k32, d, mem);
    case ir::MemKind::kS32:
      if (m.width == Width::k64) return e_.Movsx(Width::k32, Width::k64, d, mem);
      return e_.Load(Width::k32, d, mem);
    case ir::MemKind::k64:
      return m.swap ? e_.MovbeLoad(Width::k64, d, mem) : e_.Load(Width::k64, d, mem);
    case ir::MemKind::k128:
    case ir::MemKind::k128Aligned:
      CHECK(false) << "not an integer";
  }
}

void Emitter::EmitStore(uint32_t i, const MInst& m) {
  const uint32_t k = NumOperands(m.place);
  const Mem mem = PlaceMem(i, m);
  AddMemorySite(i, m);
  if (m.op == MOp::kStoreImm) {
    e_.StoreImm(AccessWidth(m.mem), mem, static_cast<int32_t>(m.imm));
  } else if (m.swap) {
    e_.MovbeStore(AccessWidth(m.mem), mem, R(i, k));
  } else if (Loc(i, k).reg.cls == RegClass::kInt) {
    e_.Store(AccessWidth(m.mem), mem, R(i, k));
  } else if (ir::IsVector(m.mem)) {
    e_.MovupsStore(mem, X(i, k));
  } else {
    e_.MovsStore(AccessWidth(m.mem), mem, X(i, k));
  }
}

void Emitter::EmitAtomic(uint32_t i, const MInst& m) {
  const uint32_t k = NumOperands(m.place);
  const Mem mem = PlaceMem(i, m);
  const Width w = AccessWidth(m.mem);
  // The old value, zero-extended, in `r`.
  auto extend = [&](Reg r) {
    if (w == Width::k8 || w == Width::k16) {
      e_.Movzx(w, r, r);
    } else if (w == Width::k32 && m.width == Width::k64) {
      e_.Mov(Width::k32, r, r);
    }
  };
  switch (m.op) {
    case MOp::kAtomicAdd:
    case MOp::kAtomicExchange: {
      const Reg d = R(i, k + 1);
      AddMemorySite(i, m);
      if (m.op == MOp::kAtomicAdd) {
        e_.LockXadd(w, mem, d);
      } else {
        e_.XchgMem(w, mem, d);
      }
      return extend(d);
    }
    case MOp::kAtomicAlu:
      AddMemorySite(i, m);
      return e_.LockAlu(m.alu, w, mem, R(i, k));
    case MOp::kAtomicAluImm:
      AddMemorySite(i, m);
      return e_.LockAluImm(m.alu, w, mem, static_cast<int32_t>(m.imm));
    case MOp::kAtomicLoop: {
      const Reg value = R(i, k), t = R(i, k + 2);
      // Only the first access can fault: memory does not go away.
      AddMemorySite(i, m);
      if (w == Width::k8 || w == Width::k16) {
        e_.Movzx(w, Reg::rax, mem);
      } else {
        e_.Load(w, Reg::rax, mem);
      }
      const Label again = buffer_.NewLabel();
      buffer_.Bind(again);
      e_.Mov(m.width, t, Reg::rax);
      e_.AluRR(m.alu, m.width, t, value);
      e_.LockCmpxchg(w, mem, t);
      return buffer_.Jump(Cond::kNe, again);
    }
    case MOp::kAtomicCompare: {
      Reg replacement = R(i, k + 1);
      if (p_.insts[i].operands_count == k + 4) {
        // An expected value that does not fit: store what is there, if anything.
        const Reg t = R(i, k + 3);
        if (w == Width::k32) {
          e_.Mov(w, t, Reg::rax);
        } else {
          e_.Movzx(w, t, Reg::rax);
        }
        e_.AluRR(Alu::kCmp, m.width, t, Reg::rax);
        e_.Cmov(Cond::kE, m.width, t, replacement);
        replacement = t;
      }
      AddMemorySite(i, m);
      e_.LockCmpxchg(w, mem, replacement);
      return extend(Reg::rax);
    }
    default:
      CHECK(false) << "not atomic";
  }
}

}  // namespace precast::x64::emission
