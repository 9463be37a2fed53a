// The contract between generated WebAssembly code and the runtime: what an instance looks like to
// its code. `WasmContext` extends VmContext, so that entering, leaving, traps and suspension work
// as for RISC-V; after it lie the parts whose number depends on the module, at displacements that
// both sides compute with `WasmLayout`. Part of the ABI fingerprint, as vm_context.h is.
//
// Calling convention (ir::CallConv::kWasm). Parameters: the k-th integer or reference (i32, i64,
// funcref, externref) in machine register kWasmPassedIn[k], the k-th f32, f64 or v128 in xmm<k>;
// those beyond kNumWasmIntPassed and kNumWasmVectorPassed are in WasmContext::args[n], where n is
// the parameter's own number in the WebAssembly signature (of all kinds, from 0); args has room for
// every parameter. Results travel the same way, except that the first integer one is in rax instead
// of kWasmPassedIn[0]. i32 values are zero-extended to 64 bits in registers and in args. Every
// machine register but r10 (fuel), rbx (base of memory 0), rbp (context) and rsp is clobbered by a
// call. The callee reads args before it does anything else, the caller reads results from args
// right after the call.
//
// References are 64 bits. A funcref is the address of a FunctionRecord, or 0 for null; an externref
// is the host's own number, 0 for null.
//
// Guest pcs (sites, entries, ir::FuncRef, lines) are byte offsets in the module file: that of an
// instruction's first opcode byte, or of a function body's first byte (its local declarations) for
// the function itself.
#ifndef PRECAST_RUNTIME_ABI_WASM_CONTEXT_H_
#define PRECAST_RUNTIME_ABI_WASM_CONTEXT_H_

#include <cstddef>
#include <cstdint>

#include "runtime/abi/vm_context.h"

namespace precast::abi {

struct WasmContext;

// What a function reference points to. Lives as long as the store.
struct FunctionRecord {
  // Identity of (instance, type): the owning instance's `instance_key` + the type's canonical
  // number in that instance's module. So one comparison says "this instance and this type". 0 for
  // host functions.
  uint64_t key;
  const void*
      code;  // native code, to be called with `context` in kContextReg; null if there is none
  // Callable from any instance, with the record in kRecordReg: switches kContextReg and kMemoryReg
  // to `context` and calls `code`, or calls the host or the interpreter. Keeps the caller's.
  const void* far_code;
  WasmContext* context;   // of the owning instance; of nobody (null) for a host function
  void* function;         // the runtime's own object
  const void* signature;  // the runtime's own object: the same for equal types of all modules
};
static_assert(sizeof(FunctionRecord) == 48);
inline constexpr int32_t kRecordKey = offsetof(FunctionRecord, key);
inline constexpr int32_t kRecordCode = offsetof(FunctionRecord, code);
inline constexpr int32_t kRecordFarCode = offsetof(FunctionRecord, far_code);

// A memory, shared by all instances that see it. The base never changes, the size only grows.
struct MemoryRecord {
  uint8_t* base;   // host address of offset 0
  uint64_t bytes;  // current size; read and written atomically
  void* memory;    // the runtime's own object
};
inline constexpr int32_t kMemoryBytes = offsetof(MemoryRecord, bytes);

// A table, shared by all instances that see it. Elements never move.
struct TableRecord {
  uint64_t* elements;  // references
  uint64_t size;       // elements
  void* table;         // the runtime's own object
};
inline constexpr int32_t kTableElements = offsetof(TableRecord, elements);
inline constexpr int32_t kTableSize = offsetof(TableRecord, size);

struct MemorySlot {
  uint8_t* base;  // as in the record: saves a load
  MemoryRecord* record;
};

struct alignas(16) WasmValue {
  uint8_t bytes[16];  // little-endian; i32 zero-extended to 8 bytes
};

enum class WasmHelper : uint8_t {
#define PRECAST_WASM_HELPER(Name, parameters, result) k##Name,
#include "runtime/abi/wasm_helpers.def"
#undef PRECAST_WASM_HELPER
};
inline constexpr int kNumWasmHelpers = 0
#define PRECAST_WASM_HELPER(Name, parameters, result) +1
#include "runtime/abi/wasm_helpers.def"
#undef PRECAST_WASM_HELPER
    ;

inline constexpr int kNumWasmIntPassed = 9;
// rdi rsi rdx rcx r8 r9 r14 r15 r13: first those that need no prefix.
inline constexpr uint8_t kWasmPassedIn[kNumWasmIntPassed] = {7, 6, 2, 1, 8, 9, 14, 15, 13};
inline constexpr int kNumWasmVectorPassed = 8;  // xmm0 … xmm7
// Room for every parameter and result: the implementation limit on both (compiler/wasm/limits.h).
inline constexpr int kMaxWasmArgs = 1000;

// Operands of ir::Opcode::kCallPointer besides the parameters.
inline constexpr uint8_t kTargetReg = 11;  // r11: the code to call
inline constexpr uint8_t kRecordReg = 0;   // rax: the FunctionRecord
// r12: the expected type's canonical number in the caller's module, for `indirect_slow`; else
// anything.
inline constexpr uint8_t kTypeReg = 12;

struct WasmContext {
  VmContext vm;    // in x[] are the first globals, pc is not used; memory_base is that of memory 0
  void* instance;  // the runtime's own object
  // The runtime's own type objects by type index of the module; what `indirect_slow` compares with
  // FunctionRecord::signature.
  const void* const* signatures;
  uint64_t reserved[5];
  FunctionRecord helpers[kNumWasmHelpers];  // far_code calls the runtime; the others unused
  WasmValue args[kMaxWasmArgs];
};

// Displacements from the context of what depends on the module. All below 2^31 by the module
// limits.
//
//   FunctionRecord  records[]   imported functions (copies of the exporter's record, with its key
//   and
//                               context), then the *declared* ones of the module: those defined
//                               functions that an export, an element segment, or an
//                               initializer of a global or table names, ascending by index
//   MemorySlot      memories[]  all memories, imported first
//   TableRecord*    tables[]    all tables
//   WasmValue       globals[]   a defined global's value; for an imported one its first 8 bytes are
//                               the address of the owner's WasmValue. The first kNearGlobals are in
//                               VmContext::x, at displacements of 8 bits
inline constexpr uint64_t kNearGlobals = 8;
static_assert(kNearGlobals * sizeof(WasmValue) == sizeof(VmContext::x));
struct WasmLayout {
  uint32_t num_records = 0, num_memories = 0, num_tables = 0, num_globals = 0;

  constexpr uint64_t Record(uint64_t i) const {
    return sizeof(WasmContext) + i * sizeof(FunctionRecord);
  }
  constexpr uint64_t Memory(uint64_t i) const {
    return Record(num_records) + i * sizeof(MemorySlot);
  }
  constexpr uint64_t Table(uint64_t i) const { return Memory(num_memories) + i * sizeof(void*); }
  constexpr uint64_t Global(uint64_t i) const {
    if (i < kNearGlobals) return offsetof(VmContext, x) + i * sizeof(WasmValue);
    return (Table(num_tables) + 15) / 16 * 16 + (i - kNearGlobals) * sizeof(WasmValue);
  }
  constexpr uint64_t Size() const {
    return Global(num_globals < kNearGlobals ? kNearGlobals : num_globals);
  }
};

inline constexpr uint64_t kWasmPageSize = 65536;
// A 32-bit memory: generated code adds a zero-extended index and an offset below 2^32 to the base
// and accesses up to 16 bytes there, so everything in [base, base + 8 GiB + 64 KiB) that is not
// memory must fault.
inline constexpr uint64_t kWasmMemory32Reservation = (uint64_t{8} << 30) + kWasmPageSize;

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_WASM_CONTEXT_H_
