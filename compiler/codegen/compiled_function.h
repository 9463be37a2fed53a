// What a target back end hands to the image builder: machine code of one function, the patches it
// needs and the side tables that describe it. Knows no object format and no particular target.
#ifndef PRECAST_COMPILER_CODEGEN_COMPILED_FUNCTION_H_
#define PRECAST_COMPILER_CODEGEN_COMPILED_FUNCTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace precast::codegen {

// A 32-bit PC-relative field in the code, to be resolved by the image builder:
// field := address(target) + addend - address(field).
struct CodeRelocation {
  enum class Target : uint8_t {
    kFunction,       // the entry named `index` (RISC-V: its guest pc)
    kGotRuntime,     // GOT slot holding the address of runtime callback `index`
    kPltRuntime,     // PLT stub of runtime callback `index`
    kConstants,      // byte `index` of this function's `constants`
    kDispatchTable,  // the image's dispatch table
  };
  uint32_t offset;  // of the field, in `code`
  Target target;
  uint32_t index;
  int32_t addend;
};

// A 32-bit field in `constants` (jump tables): field := address(code + code_offset) -
// address(constants + base).
struct ConstantRelocation {
  uint32_t offset;       // of the field, in `constants`
  uint32_t code_offset;  // target, in `code`
  uint32_t base;         // table start, in `constants`
};

// Where the dispatcher may enter.
struct Entry {
  uint32_t guest_pc;
  uint32_t code_offset;
};

// Location of a guest state slot's value while execution is at a site. The value in VmContext is
// stale exactly for the slots listed.
struct StateLocation {
  enum class Kind : uint8_t {
    kContext,   // up to date in VmContext (ends an earlier deferral)
    kRegister,  // machine register number `value`; with kUpperHalf added, the upper half of it
    kFrame,     // 4 bytes at stack pointer + `value`
    kConstant,  // the value itself
  };
  static constexpr int32_t kUpperHalf = 16;
  uint8_t slot;
  Kind kind;
  int32_t value;
};

// Where several charges have one check: those after the first. The guest is out of fuel at the
// first that cannot be paid, and the one that follows would leave less than nothing: fuel + its
// refund < 0. Where an access comes before what was to be charged for first: these charges. The
// guest is out of fuel at the first that would leave less than nothing, and otherwise the access
// has faulted; `refund`, less than 0, is what leaves what is left behind it.
struct Charge {
  uint32_t guest_pc;
  uint32_t refund;
};

// A place in the code where execution can stop, ascending by `code_offset`.
struct Site {
  enum class Kind : uint8_t {
    kMemory,   // the machine instruction at code_offset may fault on a guest address
    kTrap,     // a byte at code_offset that is no instruction, or a `hlt`: trap `trap_code`
    kSuspend,  // likewise: out of fuel
    kStack,    // likewise: too little native stack, in an entry's prologue
    kCall,     // return address of a guest or runtime call (backtraces only; no deferred state)
  };
  uint32_t code_offset;
  Kind kind;
  uint8_t trap_code = 0;
  uint32_t guest_pc;
  uint32_t refund;  // add to fuel to have the exact count of instructions not yet retired
  // Changes of the state map since the previous site; when `reset`, the map starts empty.
  bool reset = false;
  // Ranges of CompiledFunction::states and, of kSuspend and kMemory, charges.
  uint32_t state_begin = 0, state_end = 0;
  uint32_t more_begin = 0, more_end = 0;
};

// The frame is described by one rule: after `code_offset`, CFA = stack pointer + `cfa_offset`.
struct FrameRule {
  uint32_t code_offset;
  uint32_t cfa_offset;
};

struct LineEntry {  // machine code from code_offset on belongs to guest_pc
  uint32_t code_offset;
  uint32_t guest_pc;
};

struct CompiledFunction {
  std::string name;
  // Guest code it was compiled from lies in [guest_begin, guest_end); may have holes.
  uint32_t guest_begin = 0, guest_end = 0;
  uint32_t alignment = 16;  // of `code`: 16, 32 or 64
  std::vector<uint8_t> code;
  std::vector<uint8_t> constants;  // read-only data, 16-aligned; no data lives in `code`
  std::vector<CodeRelocation> relocations;
  std::vector<ConstantRelocation> constant_relocations;
  std::vector<Entry> entries;  // as in ir::Function::entries()
  std::vector<Site> sites;
  std::vector<StateLocation> states;
  std::vector<Charge> charges;
  std::vector<FrameRule> frame_rules;
  std::vector<LineEntry> lines;
  // The five above as the image holds them, once image::EncodeSideTables was here; then these are
  // set and the five are empty.
  std::vector<uint8_t> ex_info;
  std::vector<uint8_t> unwind;

  absl::Span<const StateLocation> StateOf(const Site& site) const {
    return absl::MakeConstSpan(states).subspan(site.state_begin, site.state_end - site.state_begin);
  }
  absl::Span<const Charge> MoreOf(const Site& site) const {
    return absl::MakeConstSpan(charges).subspan(site.more_begin, site.more_end - site.more_begin);
  }
};

}  // namespace precast::codegen

#endif  // PRECAST_COMPILER_CODEGEN_COMPILED_FUNCTION_H_
