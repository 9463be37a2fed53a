// Loads and stores, globals, tables. A 32-bit memory lies in a reservation that covers every
// address an access can form, so that the hardware finds what is out of bounds.
#include <cstdint>
#include <limits>

#include "compiler/baseline/wasm_function.h"

namespace precast::baseline {

using Kind = Operand::Kind;

bool WasmFunction::PlaceOf(const wasm::Instruction& in, const Operand& address, Mem& m) {
  constexpr uint64_t kMaxDisplacement = std::numeric_limits<int32_t>::max();
  if (module_.memories[in.memory].is_64 || in.address_offset > kMaxDisplacement) return false;
  Reg base = x64::kMemory;
  if (in.memory != 0) {
    base = kScratch;
    e_.Load(Width::k64, base,
            ContextAt(context_.layout.Memory(in.memory) + offsetof(abi::MemorySlot, base)));
  }
  if (address.IsConst() && address.value + in.address_offset <= kMaxDisplacement) {
    m = Mem::At(base, static_cast<int32_t>(address.value + in.address_offset));
  } else {
    m = Mem::At(base, stack_.UseInt(address), 1, static_cast<int32_t>(in.address_offset));
  }
  return true;
}

bool WasmFunction::Load(const wasm::Instruction& in, Type type, Width width, Extend extend) {
  const Operand address = stack_.Pop();
  Mem m;
  if (!PlaceOf(in, address, m)) return false;
  const AnyReg d = !InVectorReg(type) && stack_.IsOwned(address) ? address.reg : stack_.Alloc(type);
  AddMemorySite();
  switch (extend) {
    case Extend::kNone:
      stack_.LoadMem(type, d, m);
      break;
    case Extend::kZero:
      if (width == Width::k32) {
        e_.Load(Width::k32, IntReg(d), m);
      } else {
        e_.Movzx(width, IntReg(d), m);
      }
      break;
    case Extend::kSign:
      e_.Movsx(width, WidthOf(type), IntReg(d), m);
      break;
  }
  stack_.PushReg(type, d);
  return true;
}

bool WasmFunction::Store(const wasm::Instruction& in, Width width) {
  const Operand v = stack_.Pop();
  const Operand address = stack_.Pop();
  // The scratch register may hold the base.
  const bool immediate = v.FitsImmediate();
  const AnyReg r = immediate ? AnyReg{0} : stack_.Use(v);
  Mem m;
  if (!PlaceOf(in, address, m)) return false;
  AddMemorySite();
  if (immediate) {
    e_.StoreImm(width, m, v.Immediate());
  } else if (InVectorReg(v.type)) {
    stack_.StoreMem(v.type, m, r);
  } else {
    e_.Store(width, m, IntReg(r));
  }
  return true;
}

bool WasmFunction::CompileMemory(const wasm::Instruction& in) {
  switch (in.op) {
#define PRECAST_LOAD(Name, type, width, extend) \
  case Op::k##Name:                             \
    return Load(in, Type::type, Width::width, Extend::extend);
#define PRECAST_STORE(Name, width) \
  case Op::k##Name:                \
    return Store(in, Width::width);
    PRECAST_LOAD(I32Load, kI32, k32, kNone)
    PRECAST_LOAD(I64Load, kI64, k64, kNone)
    PRECAST_LOAD(F32Load, kF32, k32, kNone)
    PRECAST_LOAD(F64Load, kF64, k64, kNone)
    PRECAST_LOAD(I32Load8S, kI32, k8, kSign)
    PRECAST_LOAD(I32Load8U, kI32, k8, kZero)
    PRECAST_LOAD(I32Load16S, kI32, k16, kSign)
    PRECAST_LOAD(I32Load16U, kI32, k16, kZero)
    PRECAST_LOAD(I64Load8S, kI64, k8, kSign)
    PRECAST_LOAD(I64Load8U, kI64, k8, kZero)
    PRECAST_LOAD(I64Load16S, kI64, k16, kSign)
    PRECAST_LOAD(I64Load16U, kI64, k16, kZero)
    PRECAST_LOAD(I64Load32S, kI64, k32, kSign)
    PRECAST_LOAD(I64Load32U, kI64, k32, kZero)
    PRECAST_STORE(I32Store, k32)
    PRECAST_STORE(I64Store, k64)
    PRECAST_STORE(F32Store, k32)
    PRECAST_STORE(F64Store, k64)
    PRECAST_STORE(I32Store8, k8)
    PRECAST_STORE(I32Store16, k16)
    PRECAST_STORE(I64Store8, k8)
    PRECAST_STORE(I64Store16, k16)
    PRECAST_STORE(I64Store32, k32)
#undef PRECAST_LOAD
#undef PRECAST_STORE
    case Op::kMemorySize: {
      const Type type = module_.memories[in.index].is_64 ? Type::kI64 : Type::kI32;
      const AnyReg d = stack_.Alloc(type);
      const Reg r = IntReg(d);
      e_.Load(Width::k64, r,
              ContextAt(context_.layout.Memory(in.index) + offsetof(abi::MemorySlot, record)));
      e_.Load(Width::k64, r, Mem::At(r, abi::kMemoryBytes));
      e_.ShiftImm(x64::Shift::kShr, Width::k64, r, 16);
      stack_.PushReg(type, d);
      return true;
    }
    default:
      return false;
  }
}

void WasmFunction::CompileGlobal(const wasm::Instruction& in) {
  const Type type = TypeOf(module_.globals[in.index].type.type);
  Mem m = ContextAt(context_.layout.Global(in.index));
  const bool imported = in.index < module_.num_imported_globals;
  if (in.op == Op::kGlobalGet) {
    const AnyReg d = stack_.Alloc(type);
    if (imported) {
      e_.Load(Width::k64, kScratch, m);
      m = Mem::At(kScratch);
    }
    stack_.LoadMem(type, d, m);
    return stack_.PushReg(type, d);
  }
  const Operand v = stack_.Pop();
  if (v.FitsImmediate() && !imported) return e_.StoreImm(WidthOf(type), m, v.Immediate());
  const AnyReg r = stack_.Use(v);
  if (imported) {
    e_.Load(Width::k64, kScratch, m);
    m = Mem::At(kScratch);
  }
  stack_.StoreMem(type, m, r);
}

bool WasmFunction::CompileTable(const wasm::Instruction& in) {
  switch (in.op) {
    case Op::kTableGet:
    case Op::kTableSet: {
      const bool is_set = in.op == Op::kTableSet;
      const AnyReg v = is_set ? stack_.Use(stack_.Pop()) : AnyReg{0};
      const Operand index = stack_.Pop();
      const Reg i = stack_.UseInt(index);
      e_.Load(Width::k64, kScratch, ContextAt(context_.layout.Table(in.index)));
      e_.AluRM(Alu::kCmp, Width::k64, i, Mem::At(kScratch, abi::kTableSize));
      TrapIf(Cond::kAe, Trap::kOutOfBoundsTableAccess);
      e_.Load(Width::k64, kScratch, Mem::At(kScratch, abi::kTableElements));
      const Mem m = Mem::At(kScratch, i, 8, 0);
      if (is_set) {
        e_.Store(Width::k64, m, IntReg(v));
      } else {
        const AnyReg d = stack_.Alloc(Type::kI64);
        e_.Load(Width::k64, IntReg(d), m);
        stack_.PushReg(Type::kI64, d);
      }
      return true;
    }
    case Op::kTableSize: {
      const Type type = module_.tables[in.index].type.is_64 ? Type::kI64 : Type::kI32;
      const AnyReg d = stack_.Alloc(type);
      e_.Load(Width::k64, IntReg(d), ContextAt(context_.layout.Table(in.index)));
      e_.Load(WidthOf(type), IntReg(d), Mem::At(IntReg(d), abi::kTableSize));
      stack_.PushReg(type, d);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace precast::baseline
