// The ABI fingerprint: 16 bytes that change whenever the contract of vm_context.h changes in a way
// that generated code can notice. The compiler writes it into every image, the loader compares it
// with its own, so an image made for another runtime is rejected. Computed at build time from the
// contract itself: nobody has to remember to bump a number, and a field of VmContext that is
// missing below does not compile.
#ifndef PRECAST_RUNTIME_ABI_FINGERPRINT_H_
#define PRECAST_RUNTIME_ABI_FINGERPRINT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/abi/meter_area.h"
#include "runtime/abi/round_slots.h"
#include "runtime/abi/vm_context.h"
#include "runtime/abi/wasm_context.h"

namespace precast::abi {

using Fingerprint = std::array<uint8_t, 16>;

namespace fingerprint_internal {

struct Field {
  std::string_view name;
  size_t offset;
  size_t size;
};

// Every field of VmContext, in order.
inline constexpr Field kFields[] = {
#define PRECAST_FIELD(name) \
  { #name, offsetof(VmContext, name), sizeof(VmContext::name) }
    PRECAST_FIELD(x),
    PRECAST_FIELD(pc),
    PRECAST_FIELD(exit_reason),
    PRECAST_FIELD(fuel),
    PRECAST_FIELD(memory_base),
    PRECAST_FIELD(native_stack_top),
    PRECAST_FIELD(host_rsp),
    PRECAST_FIELD(fault_address),
    PRECAST_FIELD(stop_rip),
    PRECAST_FIELD(runtime),
    PRECAST_FIELD(instance_key),
    PRECAST_FIELD(indirect_slow),
    PRECAST_FIELD(reserved),
    PRECAST_FIELD(native_stack_limit),
    PRECAST_FIELD(gpr),
#undef PRECAST_FIELD
};

// VmContext has no padding, so a field that is not listed leaves a hole.
constexpr bool FieldsCoverVmContext() {
  size_t end = 0;
  for (const Field& field : kFields) {
    if (field.offset != end) return false;
    end = field.offset + field.size;
  }
  return end == sizeof(VmContext);
}
static_assert(FieldsCoverVmContext(),
              "a field of VmContext is missing in kFields, or there is padding");

// FNV-1a with 128 bits. Collisions by accident are what matters here: images do not choose their
// fingerprint's preimage, they only carry the result.
class Fnv128 {
 public:
  constexpr void Add(std::string_view text) {
    for (char c : text) AddByte(static_cast<uint8_t>(c));
    AddByte(0);
  }
  constexpr void Add(uint64_t value) {
    for (int i = 0; i < 8; ++i) AddByte(static_cast<uint8_t>(value >> (8 * i)));
  }
  constexpr Fingerprint Result() const {
    Fingerprint result{};
    for (int i = 0; i < 16; ++i) result[i] = static_cast<uint8_t>(hash_ >> (120 - 8 * i));
    return result;
  }

 private:
  using Uint128 = unsigned __int128;
  constexpr void AddByte(uint8_t byte) { hash_ = (hash_ ^ byte) * kPrime; }

  static constexpr Uint128 kPrime = (Uint128{1} << 88) | 0x13b;
  Uint128 hash_ = (Uint128{0x6c62272e07bb0142u} << 64) | 0x62b821756295c58du;
};

constexpr Fingerprint Compute() {
  Fnv128 hash;
  hash.Add("VmContext");
  for (const Field& field : kFields) {
    hash.Add(field.name);
    hash.Add(field.offset);
    hash.Add(field.size);
  }
  hash.Add("registers");
  hash.Add(kContextReg);
  hash.Add(kMemoryReg);
  hash.Add(kFuelReg);
  hash.Add(kContextBias);
  hash.Add(kNextPcReg);
  hash.Add(kNumPassed);
  for (int i = 0; i < kNumPassed; ++i) {
    hash.Add(kPassed[i]);
    hash.Add(kPassedIn[i]);
  }
  hash.Add(kSlotPc);
  hash.Add("callbacks");
#define PRECAST_CALLBACK(Name, description) hash.Add(#Name);
#include "runtime/abi/callbacks.def"
#undef PRECAST_CALLBACK
  hash.Add("traps");
#define PRECAST_TRAP(Name, text) hash.Add(#Name);
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
  hash.Add("rows");
  hash.Add(kRowLanesVersion);
  hash.Add("WebAssembly");
  for (size_t value :
       {sizeof(FunctionRecord), offsetof(FunctionRecord, key), offsetof(FunctionRecord, code),
        offsetof(FunctionRecord, far_code), offsetof(MemoryRecord, base),
        offsetof(MemoryRecord, bytes), offsetof(TableRecord, elements), offsetof(TableRecord, size),
        sizeof(MemorySlot), offsetof(MemorySlot, base), offsetof(MemorySlot, record),
        sizeof(WasmValue), offsetof(WasmContext, helpers), offsetof(WasmContext, args),
        sizeof(WasmContext), size_t{kNearGlobals}}) {
    hash.Add(value);
  }
  for (int value : {kNumWasmIntPassed, kNumWasmVectorPassed, kMaxWasmArgs}) hash.Add(value);
  for (uint8_t reg : {kTargetReg, kRecordReg, kTypeReg}) hash.Add(reg);
  for (uint8_t reg : kWasmPassedIn) hash.Add(reg);
  for (uint8_t slot : {kSlotCounter, kSlotBound, kSlotStep, kSlotRoundCost}) hash.Add(slot);
#define PRECAST_WASM_HELPER(Name, parameters, result) \
  hash.Add(#Name);                                    \
  hash.Add(parameters);
#include "runtime/abi/wasm_helpers.def"
#undef PRECAST_WASM_HELPER
  return hash.Result();
}

}  // namespace fingerprint_internal

// Of the contract this translation unit was built with.
inline constexpr Fingerprint kFingerprint = fingerprint_internal::Compute();

// How many callbacks there are; callback numbers are below this.
inline constexpr int kNumCallbacks = 0
#define PRECAST_CALLBACK(Name, description) +1
#include "runtime/abi/callbacks.def"
#undef PRECAST_CALLBACK
    ;

// How many trap codes there are; trap codes are below this.
inline constexpr int kNumTrapCodes = 0
#define PRECAST_TRAP(Name, text) +1
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
    ;

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_FINGERPRINT_H_
