// Memory: loads and stores, atomics, and what the runtime does in bulk.
//
// A 32-bit memory lies in a reservation that covers every address an access can form, so that the
// hardware finds what is out of bounds. A 64-bit memory is checked here.
#include <limits>

#include "absl/log/check.h"
#include "compiler/wasm/lift_function.h"

namespace precast::wasm {

using ir::Opcode;
using ir::Type;

namespace {

bool FitsDisplacement(uint64_t offset) { return offset <= INT32_MAX; }

}  // namespace

FunctionLifter::Value FunctionLifter::MemoryBytes(uint32_t memory) {
  const auto slot = static_cast<int64_t>(context_.layout.Memory(memory));
  const Value record =
      b_.LoadContext(MemKind::k64, Type::kI64, slot + offsetof(abi::MemorySlot, record));
  return b_.LoadHost(MemKind::k64, Type::kI64, record, abi::kMemoryBytes);
}

FunctionLifter::Place FunctionLifter::PlaceOf(const Instruction& in, Value address,
                                              uint32_t bytes) {
  const uint64_t offset = in.address_offset;
  const MemoryType& memory = module_.memories[in.memory];
  if (!memory.is_64 && in.memory == 0 && FitsDisplacement(offset)) {
    return {.direct = true, .offset = address, .imm = static_cast<int64_t>(offset)};
  }
  Place place;
  place.base = b_.LoadContext(
      MemKind::k64, Type::kI64,
      static_cast<int64_t>(context_.layout.Memory(in.memory) + offsetof(abi::MemorySlot, base)));
  place.offset = AsI64(address);
  if (memory.is_64) {
    if (offset > std::numeric_limits<uint64_t>::max() - bytes) {
      TrapIf(I32(1), Trap::kOutOfBoundsMemoryAccess);
      place.offset = I64(0);
      return place;
    }
    // In bounds if end <= size and address <= size - end.
    const uint64_t end = offset + bytes;
    const Value size = MemoryBytes(in.memory);
    const Value limit = b_.Sub(size, I64(static_cast<int64_t>(end)));
    Value outside = b_.Icmp(ir::IntCond::kUgt, place.offset, limit);
    const uint64_t least_pages = memory.limits.min;
    if (end / abi::kWasmPageSize >= least_pages && end != 0) {
      const Value too_small = b_.Icmp(ir::IntCond::kUlt, size, I64(static_cast<int64_t>(end)));
      outside = b_.Or(too_small, outside);
    }
    TrapIf(outside, Trap::kOutOfBoundsMemoryAccess);
  }
  if (FitsDisplacement(offset)) {
    place.imm = static_cast<int64_t>(offset);
  } else {
    place.offset = b_.Add(place.offset, I64(static_cast<int64_t>(offset)));
  }
  return place;
}

FunctionLifter::Value FunctionLifter::Load(const Place& place, MemKind kind, Type type) {
  if (place.direct) return b_.Load(kind, type, place.offset, place.imm, Here());
  return b_.LoadAt(kind, type, place.base, place.offset, place.imm, Here());
}

void FunctionLifter::Store(const Place& place, MemKind kind, Value v) {
  if (place.direct) {
    b_.Store(kind, place.offset, v, place.imm, Here());
  } else {
    b_.StoreAt(kind, place.base, place.offset, v, place.imm, Here());
  }
}

void FunctionLifter::LoadAndPush(const Instruction& in, MemKind kind, Type type) {
  const Place place = PlaceOf(in, Pop(), 1u << Info(in.op).natural_align);
  Push(Load(place, kind, type));
}

void FunctionLifter::PopAndStore(const Instruction& in, MemKind kind) {
  const Value v = Pop();
  Store(PlaceOf(in, Pop(), 1u << Info(in.op).natural_align), kind, v);
}

bool FunctionLifter::LiftMemory(const Instruction& in) {
  switch (in.op) {
#define PRECAST_LOAD(Name, kind, type)          \
  case Op::k##Name:                             \
    LoadAndPush(in, MemKind::kind, Type::type); \
    return true;
#define PRECAST_STORE(Name, kind)   \
  case Op::k##Name:                 \
    PopAndStore(in, MemKind::kind); \
    return true;
    PRECAST_LOAD(I32Load, kU32, kI32)
    PRECAST_LOAD(I64Load, k64, kI64)
    PRECAST_LOAD(F32Load, kU32, kF32)
    PRECAST_LOAD(F64Load, k64, kF64)
    PRECAST_LOAD(V128Load, k128, kV128)
    PRECAST_LOAD(I32Load8S, kS8, kI32)
    PRECAST_LOAD(I32Load8U, kU8, kI32)
    PRECAST_LOAD(I32Load16S, kS16, kI32)
    PRECAST_LOAD(I32Load16U, kU16, kI32)
    PRECAST_LOAD(I64Load8S, kS8, kI64)
    PRECAST_LOAD(I64Load8U, kU8, kI64)
    PRECAST_LOAD(I64Load16S, kS16, kI64)
    PRECAST_LOAD(I64Load16U, kU16, kI64)
    PRECAST_LOAD(I64Load32S, kS32, kI64)
    PRECAST_LOAD(I64Load32U, kU32, kI64)
    PRECAST_STORE(I32Store, kU32)
    PRECAST_STORE(I64Store, k64)
    PRECAST_STORE(F32Store, kU32)
    PRECAST_STORE(F64Store, k64)
    PRECAST_STORE(V128Store, k128)
    PRECAST_STORE(I32Store8, kU8)
    PRECAST_STORE(I32Store16, kU16)
    PRECAST_STORE(I64Store8, kU8)
    PRECAST_STORE(I64Store16, kU16)
    PRECAST_STORE(I64Store32, kU32)
#undef PRECAST_LOAD
#undef PRECAST_STORE
    case Op::kMemorySize:
      Push(AsIndex(b_.ShrU(MemoryBytes(in.index), I64(16)), module_.memories[in.index].is_64));
      return true;
    default:
      return false;
  }
}

bool FunctionLifter::LiftBulk(const Instruction& in) {
  using Helper = abi::WasmHelper;
  switch (in.op) {
    case Op::kMemoryGrow: {
      const Value pages = AsI64(Pop());
      Push(AsIndex(CallHelper(Helper::kMemoryGrow, {I32(in.index), pages}),
                   module_.memories[in.index].is_64));
      return true;
    }
    case Op::kMemoryFill: {
      const std::vector<Value> v = PopMany(3);
      CallHelper(Helper::kMemoryFill, {I32(in.index), AsI64(v[0]), v[1], AsI64(v[2])});
      return true;
    }
    case Op::kMemoryCopy:
    case Op::kMemoryInit:
    case Op::kTableCopy:
    case Op::kTableInit: {
      const Helper helper = in.op == Op::kMemoryCopy   ? Helper::kMemoryCopy
                            : in.op == Op::kMemoryInit ? Helper::kMemoryInit
                            : in.op == Op::kTableCopy  ? Helper::kTableCopy
                                                       : Helper::kTableInit;
      const std::vector<Value> v = PopMany(3);
      CallHelper(helper, {I32(in.index), I32(in.index2), AsI64(v[0]), AsI64(v[1]), AsI64(v[2])});
      return true;
    }
    case Op::kDataDrop:
      CallHelper(Helper::kDataDrop, {I32(in.index)});
      return true;
    case Op::kElemDrop:
      CallHelper(Helper::kElemDrop, {I32(in.index)});
      return true;
    case Op::kTableGrow: {
      const std::vector<Value> v = PopMany(2);
      Push(AsIndex(CallHelper(Helper::kTableGrow, {I32(in.index), v[0], AsI64(v[1])}),
                   module_.tables[in.index].type.is_64));
      return true;
    }
    case Op::kTableFill: {
      const std::vector<Value> v = PopMany(3);
      CallHelper(Helper::kTableFill, {I32(in.index), AsI64(v[0]), v[1], AsI64(v[2])});
      return true;
    }
    default:
      return false;
  }
}

void FunctionLifter::TrapIfUnaligned(const Instruction& in, Value address, uint32_t bytes) {
  if (bytes == 1) return;
  const uint32_t mask = bytes - 1;
  // The low bits of the sum are the sum of the low bits.
  const Value low = f_.type(address) == Type::kI64 ? b_.Unary(Opcode::kWrap, address) : address;
  const Value sum = b_.Add(low, I32(static_cast<int64_t>(in.address_offset & mask)));
  TrapIf(b_.Icmp(ir::IntCond::kNe, b_.And(sum, I32(mask)), I32(0)), Trap::kUnalignedAtomic);
}

FunctionLifter::Place FunctionLifter::AtomicPlaceOf(const Instruction& in, Value address,
                                                    uint32_t bytes) {
  TrapIfUnaligned(in, address, bytes);
  Place place = PlaceOf(in, address, bytes);
  if (place.direct) {
    place.direct = false;
    place.base = b_.LoadContext(
        MemKind::k64, Type::kI64,
        static_cast<int64_t>(context_.layout.Memory(0) + offsetof(abi::MemorySlot, base)));
    place.offset = AsI64(place.offset);
  }
  place.offset = b_.Add(place.offset, I64(place.imm));
  place.imm = 0;
  return place;
}

FunctionLifter::Value FunctionLifter::EffectiveAddress(const Instruction& in, Value address) {
  const Value a = AsI64(address);
  const Value sum = b_.Add(a, I64(static_cast<int64_t>(in.address_offset)));
  if (module_.memories[in.memory].is_64) {
    TrapIf(b_.Icmp(ir::IntCond::kUlt, sum, a), Trap::kOutOfBoundsMemoryAccess);
  }
  return sum;
}

bool FunctionLifter::LiftAtomic(const Instruction& in) {
  using Helper = abi::WasmHelper;
  switch (in.op) {
    case Op::kAtomicFence:
      b_.Fence();
      return true;
    case Op::kMemoryAtomicNotify: {
      const std::vector<Value> v = PopMany(2);
      TrapIfUnaligned(in, v[0], 4);
      Push(CallHelper(Helper::kAtomicNotify, {I32(in.memory), EffectiveAddress(in, v[0]), v[1]}));
      return true;
    }
    case Op::kMemoryAtomicWait32:
    case Op::kMemoryAtomicWait64: {
      const bool is_64 = in.op == Op::kMemoryAtomicWait64;
      const std::vector<Value> v = PopMany(3);
      TrapIfUnaligned(in, v[0], is_64 ? 8 : 4);
      Push(CallHelper(is_64 ? Helper::kAtomicWait64 : Helper::kAtomicWait32,
                      {I32(in.memory), EffectiveAddress(in, v[0]), v[1], v[2]}));
      return true;
    }
    default:
      break;
  }
  if (in.op < Op::kI32AtomicLoad || in.op > Op::kI64AtomicRmw32CmpxchgU) return false;

  // The table of opcodes says the rest.
  const OpInfo& info = Info(in.op);
  static constexpr MemKind kKinds[] = {MemKind::kU8, MemKind::kU16, MemKind::kU32, MemKind::k64};
  const MemKind kind = kKinds[info.natural_align];
  const uint32_t bytes = 1u << info.natural_align;
  if (in.op <= Op::kI64AtomicLoad32U) {
    const Value address = Pop();
    TrapIfUnaligned(in, address, bytes);
    Push(Load(PlaceOf(in, address, bytes), kind, info.results[0] == 'i' ? Type::kI32 : Type::kI64));
    b_.Acquire();
    return true;
  }
  if (in.op <= Op::kI64AtomicStore32) {
    const Value v = Pop();
    const Place place = AtomicPlaceOf(in, Pop(), bytes);
    b_.AtomicRmw(ir::AtomicOp::kXchg, kind, place.base, place.offset, v, Here());
    return true;
  }
  if (in.op >= Op::kI32AtomicRmwCmpxchg) {
    const std::vector<Value> v = PopMany(3);
    const Place place = AtomicPlaceOf(in, v[0], bytes);
    Push(b_.AtomicCmpxchg(kind, place.base, place.offset, v[1], v[2], Here()));
    return true;
  }
  // Seven widths of each operation, the operations in the order of AtomicOp.
  constexpr int kWidths = 7;
  static_assert(static_cast<int>(Op::kI32AtomicRmwXchg) ==
                static_cast<int>(Op::kI32AtomicRmwAdd) + 5 * kWidths);
  static_assert(static_cast<int>(Op::kI32AtomicRmwCmpxchg) ==
                static_cast<int>(Op::kI32AtomicRmwAdd) + 6 * kWidths);
  static_assert(static_cast<int>(ir::AtomicOp::kXchg) == 5);
  const int number = (static_cast<int>(in.op) - static_cast<int>(Op::kI32AtomicRmwAdd)) / kWidths;
  const Value v = Pop();
  const Place place = AtomicPlaceOf(in, Pop(), bytes);
  Push(b_.AtomicRmw(static_cast<ir::AtomicOp>(number), kind, place.base, place.offset, v, Here()));
  return true;
}

}  // namespace precast::wasm
