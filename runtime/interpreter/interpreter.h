// The RV32IM interpreter. It is the oracle that native code is checked against, and it runs what
// native code cannot: pcs without native entry, and the last instructions before a limit, where
// native code, which counts by blocks, has to stop.
//
// Exactly defined, for native code must do the same:
//   * An instruction retires or traps. One that traps changes nothing and is not counted.
//   * A jump or taken branch to an address that is not a multiple of 4: misaligned-pc, at the jump.
//   * A pc outside the code ranges: pc-not-executable, at that pc; what led there has retired.
//   * An access to memory that the guest may not access: memory-fault or, in the guard area below
//     the stack, stack-overflow. Addresses wrap around 2^32. Of an access that touches two pages
//     nothing is done unless both allow it; the fault address is the first byte that is not
//     allowed.
//   * An `ecall` retires; then the caller performs the host call.
//   * Instructions are those of the program as it was loaded: stores into code do not change them.
#ifndef PRECAST_RUNTIME_INTERPRETER_INTERPRETER_H_
#define PRECAST_RUNTIME_INTERPRETER_INTERPRETER_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "openvm/machine.h"
#include "runtime/abi/vm_context.h"
#include "runtime/interpreter/custom.h"
#include "runtime/interpreter/decode.h"
#include "runtime/memory.h"
#include "runtime/program.h"

namespace precast::runtime {

struct InterpreterResult {
  enum class Stop : uint8_t {
    kFuel,         // context.fuel is 0, or the observer asked for it
    kTrap,         // `trap` at context.pc
    kEcall,        // context.pc is that of the ecall, which is counted
    kNativeEntry,  // the next instruction, at context.pc, has native code
    kEnded,        // a custom instruction ended the guest; context.pc is its, and it is counted
  };
  Stop stop = Stop::kFuel;
  abi::TrapCode trap = abi::TrapCode::kNone;
  // Guest address of a memory fault or misaligned access; target of a misaligned jump; otherwise
  // pc.
  uint32_t fault_address = 0;
  uint32_t exit_code = 0;  // kEnded
};

class Interpreter {
 public:
  struct Options {
    bool strict_alignment = false;  // misaligned accesses trap
    bool fast_helpers = false;      // the instructions of runtime/abi/helpers.h exist
    // Whether there is native code for a pc. Asked once per pc, when it is decoded.
    std::function<bool(uint32_t pc)> has_native_entry;
    // Makes this an interpreter of OpenVM guests (DecodeOpenVm) with these instructions; null:
    // RV32IM alone. Outlives the interpreter.
    CustomInstructions* custom = nullptr;
  };

  // `program` must outlive the interpreter and have passed Validate(). Decodes an instruction, and
  // its neighbours, when it is first executed.
  Interpreter(const ProgramImage& program, Options options);

  // Runs from context.pc until something stops it, at most context.fuel instructions; reads and
  // updates x[], pc and fuel. With `stop_at_native_entry` it stops at the first pc with native code
  // that it reaches, after at least one instruction.
  InterpreterResult Run(abi::VmContext& context, GuestMemory& memory, bool stop_at_native_entry);

  // From now on `observer` sees all that is executed, which is slower; null: nobody does.
  void SetObserver(precast::openvm::Observer* observer) { observer_ = observer; }
  precast::openvm::Observer* observer() const { return observer_; }

  // The custom instruction at `pc`; null if there is none. Lives as long as this.
  CustomSite* CustomAt(uint32_t pc) {
    const RecentCustom& recent = recent_customs_[pc / 4 % kRecentCustoms];
    return recent.pc == pc ? recent.site : FindCustom(pc);
  }
  // Calls visit(instruction, times) for each of which CustomSite::times is not 0, and makes it 0.
  template <typename Visit>
  void TakeCustomTimes(Visit visit) {
    for (CustomSite& site : custom_sites_) {
      if (site.times != 0) visit(site.instruction, std::exchange(site.times, 0));
    }
  }

 private:
  // Of code, not of memory. Small, for a few instructions here and there are most of what is
  // interpreted.
  static constexpr uint32_t kCodePageSize = 1024;
  static constexpr uint32_t kPageInstructions = kCodePageSize / 4;
  // So many are decoded at a time: whoever is here only for the end of a block needs no more.
  static constexpr uint32_t kDecodedTogether = 32;

  struct Page {
    // kNotDecoded at first; the last one is a kPageEnd.
    std::array<DecodedInstruction, kPageInstructions + 1> instructions;
    std::array<uint32_t, kPageInstructions + 1> words = {};  // for observers
    std::array<uint64_t, kPageInstructions / 64 + 1> native_entries = {};

    bool HasNativeEntry(size_t index) const {
      return (native_entries[index / 64] >> (index % 64) & 1) != 0;
    }
  };
  struct FreeDeleter {
    void operator()(void* memory) const;
  };

  template <bool kStopAtNativeEntry, bool kObserved>
  InterpreterResult RunLoop(abi::VmContext& context, GuestMemory& memory);
  // The page that holds a pc.
  const Page* FindPage(uint32_t pc) {
    uint32_t index = pc / kCodePageSize - first_page_;
    if (index >= num_pages_) return EmptyPage();
    const Page* page = pages_.get()[index];
    return page != nullptr ? page : AddPage(index);
  }
  const Page* AddPage(uint32_t index);
  // Decodes what is at `pc`, where it has not been done.
  void DecodeAt(uint32_t pc);
  // A page without code.
  static const Page* EmptyPage();
  CustomSite* FindCustom(uint32_t pc);

  const ProgramImage& program_;
  Options options_;
  uint32_t first_page_ = 0;
  uint32_t num_pages_ = 0;
  // By page number - first_page_; null where nothing is decoded yet. From calloc: a program whose
  // code ranges lie far apart has a large table, of which hardly anything is touched.
  std::unique_ptr<Page*, FreeDeleter> pages_;
  std::vector<std::unique_ptr<Page>> owned_pages_;
  std::deque<CustomSite> custom_sites_;
  // For native code, which asks for the same few again and again.
  struct RecentCustom {
    uint32_t pc = 1;  // of no instruction
    CustomSite* site = nullptr;
  };
  static constexpr uint32_t kRecentCustoms = 64;
  std::array<RecentCustom, kRecentCustoms> recent_customs_;
  precast::openvm::Observer* observer_ = nullptr;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_INTERPRETER_INTERPRETER_H_
