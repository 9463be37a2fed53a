// Runs compiled functions inside a test: maps them, resolves their relocations, enters them with a
// given VmContext and says how they stopped. A small stand-in for image, loader and runtime, so
// that the back end is tested without them.
#ifndef PRECAST_COMPILER_X64_TEST_MACHINE_H_
#define PRECAST_COMPILER_X64_TEST_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "compiler/codegen/compiled_function.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64 {

// Only one at a time may exist, and it is used by one thread: it owns the process's fault handlers.
class TestMachine {
 public:
  static constexpr size_t kNumVectors = 8;
  static constexpr uint32_t kGuestBytes = 1 << 20;  // mapped; all other guest addresses fault

  // How native code stopped, and where: `function`, `offset` say the site (the return address for
  // callbacks, the instruction for faults and traps). Machine registers are in context().gpr.
  struct Stop {
    enum class Kind { kReturned, kCallback, kFault, kIllegal } kind;
    abi::Callback callback{};
    uint32_t function = 0;
    uint32_t offset = 0;
  };

  // `dispatch_base` and the number of words are those of the CompileOptions. The table holds the
  // entries of all functions.
  TestMachine(std::vector<codegen::CompiledFunction> functions, uint32_t dispatch_base = 0,
              uint32_t dispatch_count = 0);
  ~TestMachine();
  TestMachine(const TestMachine&) = delete;
  TestMachine& operator=(const TestMachine&) = delete;

  const std::vector<codegen::CompiledFunction>& functions() const { return functions_; }
  abi::VmContext& context() { return context_.vm; }
  uint8_t* memory() { return memory_; }

  // Enters entry `entry` of `function`. Guest registers are taken from context().x where a boundary
  // passes them in machine registers, and put back there if the function returns (the next pc into
  // `pc`). Fuel is context().fuel before and after.
  //
  // The HostCall callback returns to the code as a guest function would: every passed guest
  // register is one higher, x[31] too, next pc is x10's old value, and all other machine registers
  // are garbage.
  Stop Run(uint32_t function, uint32_t entry = 0);

  // Registers at the boundary of a function with WebAssembly's calling convention.
  struct WasmRegisters {
    uint64_t ints[16] = {};                 // by hardware number
    uint8_t vectors[kNumVectors][16] = {};  // xmm0 up
  };
  // The same for such a function: `registers` before, and, if the function returns, after.
  Stop RunWasm(uint32_t function, WasmRegisters& registers, uint32_t entry = 0);
  // What follows the VmContext, at kArea from the context's address.
  static constexpr int32_t kArea = 512;
  static constexpr size_t kAreaBytes = 1024;
  uint8_t* area() { return context_.area; }
  // Address of a function's entry.
  uint64_t CodeAddress(uint32_t function, uint32_t entry = 0) const;

  // Whether the next Run starts with a native stack that is full.
  void set_stack_exhausted(bool exhausted) { stack_exhausted_ = exhausted; }

  // The whole state map at the site at `offset` of `function`: applies the changes of the sites
  // before. The site must exist.
  struct SiteState {
    std::shared_ptr<const codegen::Site> site;
    std::map<uint8_t, codegen::StateLocation> locations;
  };
  SiteState StateAt(uint32_t function, uint32_t offset) const;

  // Value of `slot` at the stop `stop`: through the side tables.
  uint32_t SlotAt(const Stop& stop, uint8_t slot) const;
  // Fuel as exact at the stop.
  int64_t FuelAt(const Stop& stop) const;

 private:
  struct alignas(16) Context {
    abi::VmContext vm;
    uint8_t reserved[kArea - sizeof(abi::VmContext)];
    uint8_t area[kAreaBytes];
    WasmRegisters registers;
  };
  static_assert(offsetof(Context, area) == kArea);

  void BuildStubs();
  Stop Enter(const uint8_t* stub, uint32_t function, uint32_t entry);

  std::vector<codegen::CompiledFunction> functions_;
  std::vector<uint8_t*> code_;  // by function
  uint8_t* image_ = nullptr;
  uint8_t* memory_ = nullptr;
  uint8_t* stack_ = nullptr;
  uint8_t* enter_ = nullptr;
  uint8_t* enter_wasm_ = nullptr;
  bool stack_exhausted_ = false;
  Context context_ = {};
};

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_TEST_MACHINE_H_
