// wasm_helpers.def: what instructions on whole memories and tables do, for native and interpreted
// code. Bounds are checked first; then all of it happens.
#include <algorithm>
#include <cstring>

#include "runtime/wasm/atomic_wait.h"
#include "runtime/wasm/store_data.h"

namespace precast::runtime::wasm {

namespace {

using abi::TrapCode;

bool Fits(uint64_t offset, uint64_t size, uint64_t all) {
  return offset <= all && size <= all - offset;
}

// Guests order their accesses by atomic operations in code that ThreadSanitizer does not see; so it
// must not see these either.
#if defined(__SANITIZE_THREAD__)
#define PRECAST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PRECAST_TSAN 1
#endif
#endif

void Move(uint8_t* to, const uint8_t* from, uint64_t size) {
#ifdef PRECAST_TSAN
  if (to <= from || to >= from + size) {
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  } else {
    to += size - 1;
    from += size - 1;
    asm volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  }
#else
  std::memmove(to, from, size);
#endif
}

void Fill(uint8_t* to, uint8_t byte, uint64_t size) {
#ifdef PRECAST_TSAN
  asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
#else
  std::memset(to, byte, size);
#endif
}

// Operands are small numbers that the compiler has written; but nothing relies on it.
struct Helper {
  InstanceImpl& instance;
  const uint64_t* operands;

  LinearMemory* Memory(int operand) const {
    return operands[operand] < instance.memories.size() ? instance.memories[operands[operand]].get()
                                                        : nullptr;
  }
  TableObject* Table(int operand) const {
    return operands[operand] < instance.tables.size() ? instance.tables[operands[operand]]
                                                      : nullptr;
  }

  TrapCode MemoryFill() const {
    LinearMemory* memory = Memory(0);
    if (memory == nullptr) return TrapCode::kHostError;
    if (!Fits(operands[1], operands[3], memory->bytes())) return TrapCode::kOutOfBoundsMemoryAccess;
    if (operands[3] != 0)
      Fill(memory->base() + operands[1], static_cast<uint8_t>(operands[2]), operands[3]);
    return TrapCode::kNone;
  }

  TrapCode MemoryCopy() const {
    LinearMemory* to = Memory(0);
    LinearMemory* from = Memory(1);
    if (to == nullptr || from == nullptr) return TrapCode::kHostError;
    const uint64_t size = operands[4];
    if (!Fits(operands[2], size, to->bytes()) || !Fits(operands[3], size, from->bytes()))
      return TrapCode::kOutOfBoundsMemoryAccess;
    if (size != 0) Move(to->base() + operands[2], from->base() + operands[3], size);
    return TrapCode::kNone;
  }

  TrapCode MemoryInit() const {
    const ModuleData& module = instance.data();
    LinearMemory* memory = Memory(1);
    if (memory == nullptr || operands[0] >= module.num_data_segments()) return TrapCode::kHostError;
    const ByteRange& range = module.data()[operands[0]].bytes;
    const uint64_t available = instance.IsDropped(operands[0]) ? 0 : range.end - range.begin;
    const uint64_t size = operands[4];
    if (!Fits(operands[3], size, available) || !Fits(operands[2], size, memory->bytes()))
      return TrapCode::kOutOfBoundsMemoryAccess;
    if (size != 0)
      Move(memory->base() + operands[2], module.bytes.data() + range.begin + operands[3], size);
    return TrapCode::kNone;
  }

  TrapCode TableFill() const {
    TableObject* table = Table(0);
    if (table == nullptr) return TrapCode::kHostError;
    if (!Fits(operands[1], operands[3], table->size())) return TrapCode::kOutOfBoundsTableAccess;
    std::fill_n(table->record()->elements + operands[1], operands[3], operands[2]);
    return TrapCode::kNone;
  }

  TrapCode TableCopy() const {
    TableObject* to = Table(0);
    TableObject* from = Table(1);
    if (to == nullptr || from == nullptr) return TrapCode::kHostError;
    const uint64_t size = operands[4];
    if (!Fits(operands[2], size, to->size()) || !Fits(operands[3], size, from->size()))
      return TrapCode::kOutOfBoundsTableAccess;
    std::memmove(to->record()->elements + operands[2], from->record()->elements + operands[3],
                 size * sizeof(uint64_t));
    return TrapCode::kNone;
  }

  TrapCode TableInit() const {
    TableObject* table = Table(1);
    if (table == nullptr || operands[0] >= instance.data().elements.size())
      return TrapCode::kHostError;
    const ModuleData::ElementSegment& segment = instance.data().elements[operands[0]];
    const uint64_t available = instance.dropped_elements[operands[0]] ? 0 : segment.size();
    const uint64_t size = operands[4];
    if (!Fits(operands[3], size, available) || !Fits(operands[2], size, table->size()))
      return TrapCode::kOutOfBoundsTableAccess;
    return instance.CopyElements(segment, operands[3], size,
                                 table->record()->elements + operands[2])
               ? TrapCode::kNone
               : TrapCode::kHostError;
  }

  TrapCode Wait(int size, uint64_t* result) const {
    LinearMemory* memory = Memory(0);
    if (memory == nullptr) return TrapCode::kHostError;
    if (operands[1] % static_cast<uint64_t>(size) != 0) return TrapCode::kUnalignedAtomic;
    if (!Fits(operands[1], static_cast<uint64_t>(size), memory->bytes()))
      return TrapCode::kOutOfBoundsMemoryAccess;
    if (!memory->type().shared) return TrapCode::kExpectedSharedMemory;
    StoreData& store = instance.store();
    const WaitResult woken = AtomicWait(memory->base() + operands[1], size, operands[2],
                                        static_cast<int64_t>(operands[3]), &store.interrupt);
    if (woken == WaitResult::kInterrupted) return TrapCode::kInterrupted;
    *result = static_cast<uint64_t>(woken);
    return TrapCode::kNone;
  }

  TrapCode Notify(uint64_t* result) const {
    LinearMemory* memory = Memory(0);
    if (memory == nullptr) return TrapCode::kHostError;
    if (operands[1] % 4 != 0) return TrapCode::kUnalignedAtomic;
    if (!Fits(operands[1], 4, memory->bytes())) return TrapCode::kOutOfBoundsMemoryAccess;
    *result = memory->type().shared
                  ? AtomicNotify(memory->base() + operands[1], static_cast<uint32_t>(operands[2]))
                  : 0;
    return TrapCode::kNone;
  }
};

}  // namespace

int NumOperands(abi::WasmHelper helper) {
  static constexpr int kNumOperands[] = {
#define PRECAST_WASM_HELPER(Name, parameters, result) sizeof(parameters) - 1,
#include "runtime/abi/wasm_helpers.def"
#undef PRECAST_WASM_HELPER
  };
  return kNumOperands[static_cast<int>(helper)];
}

abi::TrapCode RunHelper(InstanceImpl& instance, abi::WasmHelper helper, const uint64_t* operands,
                        uint64_t* result) {
  using abi::WasmHelper;
  const Helper h{instance, operands};
  switch (helper) {
    case WasmHelper::kMemoryGrow: {
      LinearMemory* memory = h.Memory(0);
      if (memory == nullptr) return TrapCode::kHostError;
      *result = memory->Grow(operands[1]).value_or(~uint64_t{0});
      return TrapCode::kNone;
    }
    case WasmHelper::kMemoryFill:
      return h.MemoryFill();
    case WasmHelper::kMemoryCopy:
      return h.MemoryCopy();
    case WasmHelper::kMemoryInit:
      return h.MemoryInit();
    case WasmHelper::kDataDrop:
      if (operands[0] >= instance.data().num_data_segments()) return TrapCode::kHostError;
      if (operands[0] >= instance.dropped_data.size())
        instance.dropped_data.resize(instance.data().num_data_segments());
      instance.dropped_data[operands[0]] = true;
      return TrapCode::kNone;
    case WasmHelper::kTableGrow: {
      TableObject* table = h.Table(0);
      if (table == nullptr) return TrapCode::kHostError;
      *result = table->Grow(operands[2], operands[1]).value_or(~uint64_t{0});
      return TrapCode::kNone;
    }
    case WasmHelper::kTableFill:
      return h.TableFill();
    case WasmHelper::kTableCopy:
      return h.TableCopy();
    case WasmHelper::kTableInit:
      return h.TableInit();
    case WasmHelper::kElemDrop:
      if (operands[0] >= instance.dropped_elements.size()) return TrapCode::kHostError;
      instance.dropped_elements[operands[0]] = true;
      return TrapCode::kNone;
    case WasmHelper::kAtomicWait32:
      return h.Wait(4, result);
    case WasmHelper::kAtomicWait64:
      return h.Wait(8, result);
    case WasmHelper::kAtomicNotify:
      return h.Notify(result);
  }
  return TrapCode::kHostError;
}

}  // namespace precast::runtime::wasm
