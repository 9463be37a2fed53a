// The loop that executes operations.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "absl/types/span.h"
#include "runtime/wasm/interpreter/execution.h"
#include "runtime/wasm/interpreter/float.h"
#include "runtime/wasm/interpreter/simd.h"
#include "runtime/wasm/interpreter/vector_access.h"

namespace precast::runtime::wasm::interpreter {

bool Execution::EnterFrame(const Body& body, Slot* frame, const Link& link) {
  const auto at = static_cast<size_t>(frame - stack_.get());
  if (body.frame_slots > stack_slots_ - at) return false;
  std::memset(static_cast<void*>(frame + body.num_params), 0,
              (body.num_locals - body.num_params) * sizeof(Slot));
  std::memcpy(static_cast<void*>(frame + body.num_locals), &link, sizeof link);
  return true;
}

const abi::FunctionRecord* Execution::Indirect(uint32_t table, uint64_t index, uint32_t type,
                                               abi::TrapCode& trap) {
  const abi::TableRecord& record = *tables_[table];
  if (index >= record.size) {
    trap = abi::TrapCode::kUndefinedElement;
    return nullptr;
  }
  const auto* function = reinterpret_cast<const abi::FunctionRecord*>(record.elements[index]);
  if (function == nullptr) {
    trap = abi::TrapCode::kUninitializedElement;
    return nullptr;
  }
  const uint32_t canonical = module_.canonical_types[type];
  if (function->key != context_->vm.instance_key + canonical &&
      !host_.HasType(function, canonical)) {
    trap = abi::TrapCode::kIndirectCallTypeMismatch;
    return nullptr;
  }
  return function;
}

uint32_t Execution::OwnFunction(const abi::FunctionRecord* record) const {
  const uint64_t displacement = reinterpret_cast<uintptr_t>(record) -
                                reinterpret_cast<uintptr_t>(At(module_.layout.Record(0)));
  if (displacement % sizeof(abi::FunctionRecord) != 0) return ModuleData::kNone;
  return code_.OwnFunction(displacement / sizeof(abi::FunctionRecord));
}

bool Execution::CallRecord(const abi::FunctionRecord* record, const FuncType& type, Slot* values) {
  ClearUpperHalves(values, type.params);
  return host_.CallRecord(record, values);
}

abi::TrapCode Execution::RunHelper(const HelperCall& call, Slot* slots) {
  uint64_t operands[8];
  const size_t size = size_t{call.num_immediates} + call.num_operands;
  std::copy_n(call.immediates, call.num_immediates, operands);
  for (size_t i = 0; i < call.num_operands; ++i) {
    operands[call.num_immediates + i] = Get<uint64_t>(slots[i]);
  }
  if (call.align > 1) {
    uint64_t& address = operands[call.num_immediates];
    const bool overflow = __builtin_add_overflow(address, call.offset, &address);
    if (address % call.align != 0) return abi::TrapCode::kUnalignedAtomic;
    if (overflow) return abi::TrapCode::kOutOfBoundsMemoryAccess;
  }
  uint64_t result = 0;
  const abi::TrapCode trap =
      host_.CallHelper(call.helper, absl::MakeConstSpan(operands, size), &result);
  if (trap != abi::TrapCode::kNone) return trap;
  if (call.result_bytes == 4) Put(slots[0], static_cast<uint32_t>(result));
  if (call.result_bytes == 8) Put(slots[0], result);
  return trap;
}

InterpreterStop Execution::Execute(const Body& first, Slot* first_frame) {
  const Body* body = &first;
  Slot* frame = first_frame;
  const Op* pc = body->ops.data();
  Slot* sp = frame + body->num_locals + kLinkSlots;
  int64_t& fuel = context_->vm.fuel;
  const bool metered = options_.metered;
  const bool canonical_nans = options_.canonical_nans;
  abi::TrapCode trap = abi::TrapCode::kNone;
  const Body* callee = nullptr;
  const abi::FunctionRecord* record = nullptr;
  const FuncType* type = nullptr;
  uint32_t count = 0;
  bool tail = false;
  EnterFrame(first, frame, {});

  const auto address = [this](const Op& op, uint64_t index, uint64_t size) -> uint8_t* {
    const abi::MemorySlot& memory = memories_[op.a];
    const uint64_t bytes = __atomic_load_n(&memory.record->bytes, __ATOMIC_RELAXED);
    uint64_t effective;
    if (__builtin_add_overflow(index, op.imm, &effective) || effective > bytes ||
        bytes - effective < size) {
      return nullptr;
    }
    return memory.base + effective;
  };
  const auto aligned = [](const Op& op, uint64_t index, uint64_t size) {
    return (index + op.imm) % size == 0;
  };
  const auto branch = [&](uint32_t target, uint32_t kept, uint64_t slot) {
    std::memmove(static_cast<void*>(frame + slot), sp - kept, kept * sizeof(Slot));
    sp = frame + slot + kept;
    pc = body->ops.data() + target;
  };

#define TRAP(name)                 \
  {                                \
    trap = abi::TrapCode::k##name; \
    goto trapped;                  \
  }
#define TRUNC_GUARD(I, x)                         \
  if (IsNan(x)) TRAP(InvalidConversionToInteger); \
  if (!Fits<I>(x)) TRAP(IntegerOverflow);
#define CANON(x) (canonical_nans ? Canonical(x) : (x))

  for (;;) {
    const Op& op = *pc++;
    switch (op.code) {
      case Code::kCharge:
        if (metered) {
          const auto cost = static_cast<int64_t>(op.imm);
          if (fuel < cost) {
            trap = abi::TrapCode::kOutOfFuel;
            goto trapped_uncharged;
          }
          fuel -= cost;
        }
        continue;
      case Code::kLoopHead:
        if (Interrupted()) {
          trap = abi::TrapCode::kInterrupted;
          goto trapped_uncharged;
        }
        continue;
      case Code::kUnreachable:
        TRAP(Unreachable);
      case Code::kJump:
        pc = body->ops.data() + op.a;
        continue;
      case Code::kBranch:
        branch(op.a, op.b, op.imm);
        continue;
      case Code::kJumpIf:
        if (Get<uint32_t>(*--sp) != 0) pc = body->ops.data() + op.a;
        continue;
      case Code::kJumpUnless:
        if (Get<uint32_t>(*--sp) == 0) pc = body->ops.data() + op.a;
        continue;
      case Code::kBranchIf:
        if (Get<uint32_t>(*--sp) != 0) branch(op.a, op.b, op.imm);
        continue;
      case Code::kBranchTable: {
        const uint32_t choice = std::min(Get<uint32_t>(*--sp), op.a - 1);
        const Branch& chosen = body->branches[op.imm + choice];
        branch(chosen.target, chosen.kept, chosen.slot);
        continue;
      }
      case Code::kReturn:
        count = op.b;
        goto return_values;

      case Code::kCall:
      case Code::kReturnCall:
        tail = op.code == Code::kReturnCall;
        callee = &code_.Get(op.a);
        goto call_body;
      case Code::kCallRecord:
      case Code::kReturnCallRecord:
        tail = op.code == Code::kReturnCallRecord;
        record = reinterpret_cast<const abi::FunctionRecord*>(At(op.imm));
        type = &module_.types[op.a];
        goto call_record;
      case Code::kCallIndirect:
      case Code::kReturnCallIndirect: {
        tail = op.code == Code::kReturnCallIndirect;
        const uint64_t index = op.b != 0 ? Get<uint64_t>(sp[-1]) : Get<uint32_t>(sp[-1]);
        top_ = static_cast<size_t>(frame - stack_.get()) + body->frame_slots;
        record = Indirect(static_cast<uint32_t>(op.imm), index, op.a, trap);
        if (record == nullptr) goto trapped;
        --sp;
        const uint32_t own = OwnFunction(record);
        if (own != ModuleData::kNone) {
          callee = &code_.Get(own);
          goto call_body;
        }
        type = &module_.types[op.a];
        goto call_record;
      }

      case Code::kDrop:
        --sp;
        continue;
      case Code::kSelect:
        sp -= 2;
        if (Get<uint32_t>(sp[1]) == 0) Put(sp[-1], Get<uint64_t>(sp[0]));
        continue;
      case Code::kSelectV128:
        sp -= 2;
        if (Get<uint32_t>(sp[1]) == 0) sp[-1] = sp[0];
        continue;
      case Code::kLocalGet:
        Put(*sp++, Get<uint64_t>(frame[op.a]));
        continue;
      case Code::kLocalSet:
        Put(frame[op.a], Get<uint64_t>(*--sp));
        continue;
      case Code::kLocalTee:
        Put(frame[op.a], Get<uint64_t>(sp[-1]));
        continue;
      case Code::kLocalGetV128:
        *sp++ = frame[op.a];
        continue;
      case Code::kLocalSetV128:
        frame[op.a] = *--sp;
        continue;
      case Code::kLocalTeeV128:
        frame[op.a] = sp[-1];
        continue;
      case Code::kGlobalGet:
        std::memcpy(sp++->bytes, At(op.imm), 8);
        continue;
      case Code::kGlobalSet:
        std::memcpy(At(op.imm), (--sp)->bytes, 8);
        continue;
      case Code::kGlobalGetV128:
        std::memcpy(sp++->bytes, At(op.imm), 16);
        continue;
      case Code::kGlobalSetV128:
        std::memcpy(At(op.imm), (--sp)->bytes, 16);
        continue;
#define IMPORTED_CELL() (*reinterpret_cast<uint8_t* const*>(At(op.imm)))
      case Code::kImportedGlobalGet:
        std::memcpy(sp++->bytes, IMPORTED_CELL(), 8);
        continue;
      case Code::kImportedGlobalSet:
        std::memcpy(IMPORTED_CELL(), (--sp)->bytes, 8);
        continue;
      case Code::kImportedGlobalGetV128:
        std::memcpy(sp++->bytes, IMPORTED_CELL(), 16);
        continue;
      case Code::kImportedGlobalSetV128:
        std::memcpy(IMPORTED_CELL(), (--sp)->bytes, 16);
        continue;
#undef IMPORTED_CELL
      case Code::kConst:
        Put(*sp++, op.imm);
        continue;
      case Code::kConstV128:
        std::memcpy(sp++->bytes, body->vectors[op.imm].data(), 16);
        continue;
      case Code::kRefIsNull:
        Put(sp[-1], uint32_t{Get<uint64_t>(sp[-1]) == 0});
        continue;
      case Code::kRefFunc:
        Put(*sp++, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(At(op.imm))));
        continue;

      case Code::kTableGet: {
        const abi::TableRecord& table = *tables_[op.a];
        const auto index = Get<uint64_t>(sp[-1]);
        if (index >= table.size) TRAP(OutOfBoundsTableAccess);
        Put(sp[-1], table.elements[index]);
        continue;
      }
      case Code::kTableSet: {
        const abi::TableRecord& table = *tables_[op.a];
        const auto index = Get<uint64_t>(sp[-2]);
        if (index >= table.size) TRAP(OutOfBoundsTableAccess);
        table.elements[index] = Get<uint64_t>(sp[-1]);
        sp -= 2;
        continue;
      }
      case Code::kTableSize:
        Put(*sp++, tables_[op.a]->size);
        continue;
      case Code::kMemorySize:
        Put(*sp++,
            __atomic_load_n(&memories_[op.a].record->bytes, __ATOMIC_RELAXED) / abi::kWasmPageSize);
        continue;
      case Code::kFence:
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        continue;
      case Code::kHelper: {
        const HelperCall& call = body->helpers[op.imm];
        Slot* const operands = sp - call.num_operands;
        top_ = static_cast<size_t>(frame - stack_.get()) + body->frame_slots;
        trap = RunHelper(call, operands);
        if (trap != abi::TrapCode::kNone) goto trapped;
        sp = operands + (call.result_bytes != 0 ? 1 : 0);
        continue;
      }

      case Code::kI64Add128:
      case Code::kI64Sub128: {
        using Wide = unsigned __int128;
        sp -= 2;
        const Wide a = Wide{Get<uint64_t>(sp[-1])} << 64 | Get<uint64_t>(sp[-2]);
        const Wide b = Wide{Get<uint64_t>(sp[1])} << 64 | Get<uint64_t>(sp[0]);
        const Wide result = op.code == Code::kI64Add128 ? a + b : a - b;
        Put(sp[-2], static_cast<uint64_t>(result));
        Put(sp[-1], static_cast<uint64_t>(result >> 64));
        continue;
      }
      case Code::kI64MulWideS: {
        const __int128 result = __int128{Get<int64_t>(sp[-2])} * Get<int64_t>(sp[-1]);
        Put(sp[-2], static_cast<uint64_t>(result));
        Put(sp[-1], static_cast<uint64_t>(result >> 64));
        continue;
      }
      case Code::kI64MulWideU: {
        using Wide = unsigned __int128;
        const Wide result = Wide{Get<uint64_t>(sp[-2])} * Get<uint64_t>(sp[-1]);
        Put(sp[-2], static_cast<uint64_t>(result));
        Put(sp[-1], static_cast<uint64_t>(result >> 64));
        continue;
      }

      case Code::kSimd: {
        const SimdOperation& operation = *FindSimdOperation(static_cast<uint32_t>(op.imm));
        sp -= std::strlen(operation.operands);
        operation.run(sp, op.b);
        if (canonical_nans && operation.float_lane != 0) {
          MakeLanesCanonical(*sp, operation.float_lane);
        }
        ++sp;
        continue;
      }
      case Code::kShuffle:
        --sp;
        Shuffle(sp - 1, body->vectors[op.imm].data());
        continue;
      case Code::kVectorAccess: {
        const VectorAccess& access = VectorAccessAt(static_cast<uint8_t>(op.b >> 8));
        Slot* const slots = sp - (access.store || access.has_lane ? 2 : 1);
        uint8_t* const at = address(op, Get<uint64_t>(slots[0]), access.bytes);
        if (at == nullptr) TRAP(OutOfBoundsMemoryAccess);
        access.run(at, slots, op.b & 0xff);
        sp = slots + (access.store ? 0 : 1);
        continue;
      }

#define PRECAST_NUM1(Name, number, R, A, guard, ...) \
  case Code::k##Name: {                              \
    const A a = Get<A>(sp[-1]);                      \
    guard;                                           \
    Put<R>(sp[-1], static_cast<R>(__VA_ARGS__));     \
    continue;                                        \
  }
#define PRECAST_NUM2(Name, number, R, A, B, guard, ...) \
  case Code::k##Name: {                                 \
    const A a = Get<A>(sp[-2]);                         \
    const B b = Get<B>(sp[-1]);                         \
    guard;                                              \
    --sp;                                               \
    Put<R>(sp[-1], static_cast<R>(__VA_ARGS__));        \
    continue;                                           \
  }
#include "runtime/wasm/interpreter/numeric.def"
#undef PRECAST_NUM1
#undef PRECAST_NUM2

#define ADDRESS(slot, size)                                   \
  uint8_t* const at = address(op, Get<uint64_t>(slot), size); \
  if (at == nullptr) TRAP(OutOfBoundsMemoryAccess)
#define ATOMIC_ADDRESS(slot, T)                                            \
  if (!aligned(op, Get<uint64_t>(slot), sizeof(T))) TRAP(UnalignedAtomic); \
  ADDRESS(slot, sizeof(T));                                                \
  auto* const cell = reinterpret_cast<T*>(at)
#define PRECAST_LOAD(Name, number, R, T)   \
  case Code::k##Name: {                    \
    ADDRESS(sp[-1], sizeof(T));            \
    T value;                               \
    std::memcpy(&value, at, sizeof value); \
    Put<R>(sp[-1], value);                 \
    continue;                              \
  }
#define PRECAST_STORE(Name, number, V, T)           \
  case Code::k##Name: {                             \
    ADDRESS(sp[-2], sizeof(T));                     \
    const T value = static_cast<T>(Get<V>(sp[-1])); \
    std::memcpy(at, &value, sizeof value);          \
    sp -= 2;                                        \
    continue;                                       \
  }
#define PRECAST_ATOMIC_LOAD(Name, number, R, T)              \
  case Code::k##Name: {                                      \
    ATOMIC_ADDRESS(sp[-1], T);                               \
    Put<R>(sp[-1], __atomic_load_n(cell, __ATOMIC_SEQ_CST)); \
    continue;                                                \
  }
#define PRECAST_ATOMIC_STORE(Name, number, V, T)                              \
  case Code::k##Name: {                                                       \
    ATOMIC_ADDRESS(sp[-2], T);                                                \
    __atomic_store_n(cell, static_cast<T>(Get<V>(sp[-1])), __ATOMIC_SEQ_CST); \
    sp -= 2;                                                                  \
    continue;                                                                 \
  }
#define PRECAST_ATOMIC_RMW(Name, number, V, T, operation)                              \
  case Code::k##Name: {                                                                \
    ATOMIC_ADDRESS(sp[-2], T);                                                         \
    Put<V>(sp[-2], operation(cell, static_cast<T>(Get<V>(sp[-1])), __ATOMIC_SEQ_CST)); \
    --sp;                                                                              \
    continue;                                                                          \
  }
#define PRECAST_ATOMIC_CMPXCHG(Name, number, V, T)                                        \
  case Code::k##Name: {                                                                   \
    ATOMIC_ADDRESS(sp[-3], T);                                                            \
    const auto whole = Get<V>(sp[-2]);                                                    \
    auto expected = static_cast<T>(whole);                                                \
    if (expected == whole) {                                                              \
      __atomic_compare_exchange_n(cell, &expected, static_cast<T>(Get<V>(sp[-1])), false, \
                                  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                    \
    } else {                                                                              \
      expected = __atomic_load_n(cell, __ATOMIC_SEQ_CST);                                 \
    }                                                                                     \
    Put<V>(sp[-3], expected);                                                             \
    sp -= 2;                                                                              \
    continue;                                                                             \
  }
#include "runtime/wasm/interpreter/memory.def"
#undef PRECAST_LOAD
#undef PRECAST_STORE
#undef PRECAST_ATOMIC_LOAD
#undef PRECAST_ATOMIC_STORE
#undef PRECAST_ATOMIC_RMW
#undef PRECAST_ATOMIC_CMPXCHG
#undef ATOMIC_ADDRESS
#undef ADDRESS
    }

  call_body:
    // The parameters are on top of the stack. The call has been paid for, whatever becomes of it.
    if (callee->malformed) return Stop(InterpreterStop::Kind::kMalformed, *callee);
    {
      Link link{.body = body, .pc = pc, .frame = frame, .unused = 0};
      Slot* to = sp - callee->num_params;
      if (tail) {
        std::memcpy(&link, frame + body->num_locals, sizeof link);
        std::memmove(static_cast<void*>(frame), to, callee->num_params * sizeof(Slot));
        to = frame;
      }
      if (!EnterFrame(*callee, to, link)) {
        return Stop(InterpreterStop::Kind::kTrapped, *callee, abi::TrapCode::kCallStackExhausted);
      }
      frame = to;
    }
    body = callee;
    pc = body->ops.data();
    sp = frame + body->num_locals + kLinkSlots;
    if (Interrupted()) {
      return Stop(InterpreterStop::Kind::kTrapped, *body, abi::TrapCode::kInterrupted);
    }
    continue;

  call_record : {
    Slot* const values = sp - type->params.size();
    top_ = static_cast<size_t>(frame - stack_.get()) + body->frame_slots;
    if (!CallRecord(record, *type, values)) {
      return {.kind = InterpreterStop::Kind::kUnwinding, .function = body->function};
    }
    count = static_cast<uint32_t>(type->results.size());
    sp = values + count;
    if (!tail) continue;
  }

  return_values:
    // `count` values on top of the stack.
    Link link;
    std::memcpy(&link, frame + body->num_locals, sizeof link);
    std::memmove(static_cast<void*>(frame), sp - count, count * sizeof(Slot));
    if (link.body == nullptr) return {};
    sp = frame + count;
    body = link.body;
    pc = link.pc;
    frame = link.frame;
  }
#undef CANON
#undef TRUNC_GUARD
#undef TRAP

trapped:
  // What was charged for the instruction and those after it in its segment is given back.
  if (metered) {
    const Site& site = body->sites[static_cast<size_t>(pc - 1 - body->ops.data())];
    fuel += body->segment_costs[site.segment] - site.rank;
  }
trapped_uncharged:
  const size_t at = static_cast<size_t>(pc - 1 - body->ops.data());
  return {.kind = InterpreterStop::Kind::kTrapped,
          .trap = trap,
          .function = body->function,
          .offset = body->sites[at].offset};
}

}  // namespace precast::runtime::wasm::interpreter
