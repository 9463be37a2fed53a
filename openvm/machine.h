// What a custom instruction of an OpenVM guest sees of the machine: the guest's memory, and the
// host's streams and public values. Executors (extension.h) get nothing else, so that they run the
// same below the interpreter, below native code and in preflight.
//
// Source of fact: openvm-org/openvm, docs "OpenVM ISA" (virtual machine state) and "RISC-V Custom
// Code".
#ifndef PRECAST_OPENVM_MACHINE_H_
#define PRECAST_OPENVM_MACHINE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "runtime/abi/meter_area.h"
#include "runtime/abi/vm_context.h"

namespace precast::openvm {

// Address spaces, as OpenVM numbers them.
enum class AddressSpace : uint8_t {
  kRegisters = 1,     // x_i at bytes 4i … 4i+3
  kMemory = 2,        // the guest's memory
  kPublicValues = 3,  // "user IO"
  kDeferral = 4,      // native cells, only for deferred calls
};

struct Instruction;
struct Operands;

// Who counts and records. Called by the interpreter and by Machine, in the order of execution. The
// default observer of a run is none; native code calls one only for custom instructions whose rows
// vary with their operands, and for accesses of all.
class Observer {
 public:
  virtual ~Observer() = default;
  // Asked before every instruction: true suspends the run there. The instruction is not observed.
  virtual bool ShouldSuspend() { return false; }
  // The instruction `word` at `pc` is about to be executed with these registers; if it traps, the
  // run is over.
  virtual void OnInstruction(uint32_t pc, uint32_t word, const uint32_t* x) = 0;
  // Cells [address, address + size) of an address space other than kRegisters are about to be read
  // or written by that instruction: bytes, field elements in kDeferral. The access has been
  // checked; size > 0. Memory holds what it held before the instruction for the first write to a
  // byte.
  virtual void OnAccess(AddressSpace space, uint32_t address, uint32_t size, bool write) = 0;
  // Around a custom instruction whose rows vary (ChipRows::count) that native code has executed,
  // instead of OnInstruction: before; and after, unless it has trapped (then the interpreter
  // executes it again).
  virtual void OnNativeCustom(const Instruction& /*instruction*/, const Operands& /*operands*/) {}
  virtual void OnNativeCustomRetired() {}

  // If not null: a byte for each page of kMemory (abi::kMarkedPageBits); OnAccess need not be
  // called for pages whose byte is not 0.
  const uint8_t* seen_pages = nullptr;
};

// Deferred computations (def_call, def_output): a table that the host supplies.
class Deferrals {
 public:
  virtual ~Deferrals() = default;
  // The output of deferred function `index` for the input with this 32-byte commitment: its 32-byte
  // commitment goes to `output_commit`. False: there is none.
  virtual bool Call(uint32_t index, absl::Span<const uint8_t> input_commit,
                    absl::Span<uint8_t> output_commit, uint64_t& output_size) = 0;
  // The bytes of an output; null if nobody has called for it.
  virtual const std::vector<uint8_t>* Output(uint32_t index,
                                             absl::Span<const uint8_t> output_commit) = 0;
};

// What is outside the guest's memory. Owned by the host ABI (runtime/openvm/host.h), saved in
// snapshots.
struct HostState {
  std::vector<std::vector<uint8_t>> inputs;  // byte vectors; hintinput takes inputs[next_input]
  size_t next_input = 0;
  std::vector<uint8_t> hint;  // the hint stream; what is before hint_position has been consumed
  size_t hint_position = 0;
  std::vector<uint8_t> public_values;  // their number is configuration
  // Fills `out` with the next bytes of the seeded generator.
  std::function<void(absl::Span<uint8_t> out)> random;
  std::function<void(std::string_view text)> print;
  Deferrals* deferrals = nullptr;  // not owned; null: there are none

  // Replaces the hint stream. If `keep_hint`, the first one replaced goes to `kept_hint`, for who
  // may want it back.
  void SetHint(std::vector<uint8_t> bytes) {
    if (keep_hint && !kept_hint.has_value()) kept_hint = std::move(hint);
    hint = std::move(bytes);
    hint_position = 0;
  }
  size_t hint_left() const { return hint.size() - hint_position; }
  bool keep_hint = false;
  std::optional<std::vector<uint8_t>> kept_hint;
};

// The machine while one custom instruction is executed. An executor calls Read, Write and
// PublicValues for all that it will touch before it changes anything: an instruction that fails has
// no effect.
class Machine {
 public:
  // All of [0, memory_size) is readable and writable. `observer` may be null.
  Machine(uint8_t* memory, uint64_t memory_size, HostState& host, Observer* observer)
      : host(host), memory_(memory), memory_size_(memory_size), observer_(observer) {}

  // Host pointer to guest bytes [address, address + size), which are going to be read or written;
  // null, with `trap` set, if they are not all in memory. `size` 0 gives a pointer that nobody may
  // follow.
  const uint8_t* Read(uint32_t address, uint32_t size) { return Access(address, size, false); }
  uint8_t* Write(uint32_t address, uint32_t size) { return Access(address, size, true); }

  // Read without anybody counting it: for phantom instructions, which a prover does not see.
  const uint8_t* Peek(uint32_t address, uint32_t size) {
    if (Contains(address, size)) return memory_ + address;
    return Access(address, size, false);  // fails
  }

  // The same for public values; the trap is kPublicValueOutOfBounds.
  uint8_t* WritePublicValues(uint32_t address, uint32_t size) {
    if (uint64_t{address} + size > host.public_values.size()) {
      Fail(abi::TrapCode::kPublicValueOutOfBounds, address);
      return nullptr;
    }
    if (observer_ != nullptr && size != 0) {
      observer_->OnAccess(AddressSpace::kPublicValues, address, size, /*write=*/true);
    }
    return host.public_values.data() + address;
  }

  // Cells [first, first + count) of kDeferral are read and written. Only a prover has what is in
  // them.
  void TouchDeferralCells(uint32_t first, uint32_t count) {
    if (observer_ != nullptr)
      observer_->OnAccess(AddressSpace::kDeferral, first, count, /*write=*/true);
  }

  // Whether guest bytes [address, address + size) are in memory, without touching them.
  bool Contains(uint32_t address, uint64_t size) const {
    return size <= memory_size_ && address <= memory_size_ - size;
  }

  // For `return m.Fail(…)`.
  bool Fail(abi::TrapCode code, uint32_t address = 0) {
    trap = code;
    trap_address = address;
    return false;
  }

  HostState& host;
  // Results, for whoever called the executor.
  uint32_t result = 0;  // Effect::kRegister: goes to rd
  bool taken = false;   // Effect::kBranch
  bool exited = false;  // Effect::kHost: the guest ends with exit_code
  uint32_t exit_code = 0;
  abi::TrapCode trap = abi::TrapCode::kNone;
  uint32_t trap_address = 0;

 private:
  uint8_t* Access(uint32_t address, uint32_t size, bool write) {
    if (!Contains(address, size)) {
      Fail(abi::TrapCode::kMemoryFault,
           address < memory_size_ ? static_cast<uint32_t>(memory_size_) : address);
      return nullptr;
    }
    if (observer_ != nullptr && size != 0 && !IsSeen(address, size)) {
      observer_->OnAccess(AddressSpace::kMemory, address, size, write);
    }
    return memory_ + address;
  }

  // Only of what is not longer than a page, and so on two at most.
  bool IsSeen(uint32_t address, uint32_t size) const {
    const uint8_t* const seen = observer_->seen_pages;
    constexpr int kBits = abi::kMarkedPageBits;
    return seen != nullptr && size <= 1 << kBits && seen[address >> kBits] != 0 &&
           seen[(address + size - 1) >> kBits] != 0;
  }

  uint8_t* const memory_;
  const uint64_t memory_size_;
  Observer* const observer_;
};

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_MACHINE_H_
