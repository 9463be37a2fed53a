#include "runtime/trampolines.h"

#include "runtime/abi/ahead_marks.h"
#include "runtime/abi/meter_area.h"

namespace precast::runtime {

// What trampolines.S knows of meter_area.h.
static_assert(abi::kPageMarks == -(65536 + 0x800000));
static_assert(abi::kMeterArea == abi::kPageMarks - 4096);
static_assert(abi::kAheadMarks == abi::kMeterArea + 64);
static_assert(abi::kRowRegisters == 5 && abi::kFirstRowRegister == 10);

absl::Span<const void* const> CallbackAddresses() {
  // In the order of callbacks.def; each name there must be one of these, or this does not compile.
  constexpr auto kDispatchMiss = &precast_dispatch_miss;
  constexpr auto kHostCall = &precast_host_call;
  constexpr auto kResolvePlt = &precast_resolve_plt;
  constexpr auto kCustom = &precast_custom;
  constexpr auto kMarkPage = &precast_mark_page;
  static const void* const addresses[] = {
#define PRECAST_CALLBACK(Name, description) reinterpret_cast<const void*>(k##Name),
#include "runtime/abi/callbacks.def"
#undef PRECAST_CALLBACK
  };
  return addresses;
}

}  // namespace precast::runtime

// Called by trampolines.S; with C linkage, so that they are known by these names there.

extern "C" {

bool PrecastHostCall(precast::abi::VmContext* context);
const void* PrecastResolvePlt(precast::abi::VmContext* context, uint32_t index);
uint64_t PrecastCustom(precast::abi::VmContext* context, uint32_t pc, uint32_t rd, uint32_t rs1,
                       uint32_t rs2);

bool PrecastHostCall(precast::abi::VmContext* context) {
  return static_cast<precast::runtime::NativeCallbacks*>(context->runtime)->HostCall();
}

const void* PrecastResolvePlt(precast::abi::VmContext* context, uint32_t index) {
  return static_cast<precast::runtime::NativeCallbacks*>(context->runtime)->ResolvePlt(index);
}

uint64_t PrecastCustom(precast::abi::VmContext* context, uint32_t pc, uint32_t rd, uint32_t rs1,
                       uint32_t rs2) {
  return static_cast<precast::runtime::NativeCallbacks*>(context->runtime)
      ->Custom(pc, rd, rs1, rs2);
}

}  // extern "C"
