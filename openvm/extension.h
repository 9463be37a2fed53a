// An extension of the instruction set of an OpenVM guest: what its instruction words look like,
// what they do, and how many rows of which chips a prover needs for them. Whoever adds one writes
// one folder with one object of class Extension in it and registers it; nothing else in the tree
// names it (docs/openvm.md shows how).
//
// Compiler, interpreter and tools find instructions through `Registry`. The compiler uses
// `Opcode`'s decoding columns only, so that a word means the same to it as to the interpreter;
// field extraction is its own.
#ifndef PRECAST_OPENVM_EXTENSION_H_
#define PRECAST_OPENVM_EXTENSION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/config.h"
#include "openvm/machine.h"

namespace precast::openvm {

// How operands are encoded (RISC-V unprivileged specification, 2.2).
enum class Form : uint8_t {
  kR,  // rd, rs1, rs2, funct7
  kI,  // rd, rs1, imm
  kB,  // rs1, rs2, imm
};

// What an instruction may do beside reading the registers rd, rs1 and rs2 of its form. Whatever is
// not said here, native code relies on.
enum class Effect : uint8_t {
  kMemory,    // reads and writes guest memory and HostState; the next instruction follows
  kRegister,  // the same, and sets rd to Machine::result
  kBranch,    // form B: reads memory; goes to pc + imm if Machine::taken
  kEnd,       // ends the guest: Machine::exit_code
};

// Operand fields of an instruction. Those that its form lacks are 0.
struct Instruction {
  uint32_t word = 0;
  uint8_t rd = 0, rs1 = 0, rs2 = 0, funct7 = 0;
  int32_t imm = 0;
  friend bool operator==(const Instruction&, const Instruction&) = default;
};

// Values of the registers that rd, rs1 and rs2 name. Many OpenVM instructions read rd: it holds an
// address.
struct Operands {
  uint32_t rd = 0, rs1 = 0, rs2 = 0;
};

// What an extension keeps for one guest: tables for its moduli, for example. Read-only while the
// guest runs; may be used by several threads.
class ExtensionState {
 public:
  virtual ~ExtensionState() = default;
};

// Executes an instruction. `state` is what Extension::Configure made. False: it traps,
// Machine::trap says why, and nothing has changed.
using Executor = bool (*)(const ExtensionState* state, const Instruction& instruction,
                          const Operands& operands, Machine& machine);

// Rows of one chip that an instruction adds.
struct ChipRows {
  // Name of the chip in the metering configuration (metering.h). "%" stands for funct7 / 8, the
  // index of a modulus or curve. Chips that the configuration does not have count nothing.
  std::string_view chip;
  uint32_t rows = 1;
  // If set: rows as a function of the operands, instead of `rows`. Asked before the instruction is
  // executed; may look at memory with Machine::Peek, and does nothing else with the machine.
  uint32_t (*count)(const Instruction& instruction, const Operands& operands,
                    Machine& machine) = nullptr;
};

struct Opcode {
  std::string_view mnemonic = {};
  // Word w is this instruction if (w & mask) == match. bits[6:0] must be in the mask, be custom-0
  // (0x0b) or custom-1 (0x2b), and no word may be two instructions.
  uint32_t match = 0, mask = 0;
  Form form = Form::kR;
  Effect effect = Effect::kMemory;
  Executor execute = nullptr;
  absl::Span<const ChipRows> rows = {};
  // Further conditions on the word that match and mask cannot say, such as an exit code that fits a
  // byte: a word for which this is false is no instruction. May be null.
  bool (*valid)(uint32_t word) = nullptr;
};

class Extension {
 public:
  virtual ~Extension() = default;
  // Lower case, no spaces: "keccak". What images and configurations call it.
  virtual std::string_view name() const = 0;
  // Raised when an instruction changes its meaning: an image names extension and version.
  virtual uint32_t version() const { return 1; }
  virtual absl::Span<const Opcode> opcodes() const = 0;
  // Prepares for a guest. InvalidArgument if the configuration makes no sense. Null: nothing to
  // keep.
  virtual absl::StatusOr<std::unique_ptr<ExtensionState>> Configure(
      const Config& /*config*/) const {
    return nullptr;
  }
};

// All extensions linked into this program. An extension registers itself with
// PRECAST_REGISTER_EXTENSION in a cc_library with alwayslink = True.
class Registry {
 public:
  static Registry& Global();

  // `extension` lives for ever. CHECK-fails if its name is taken or a word would be two
  // instructions.
  void Add(const Extension* extension);

  struct Entry {
    const Extension* extension;
    const Opcode* opcode;
    uint32_t index;  // among all entries, from 0
  };
  size_t num_entries() const { return entries_.size(); }
  // `index` < num_entries().
  const Entry& entry(size_t index) const { return *entries_[index]; }

  // The instruction a word is; null if none. Thread-safe once all have been added. Pointers stay
  // valid.
  const Entry* Find(uint32_t word) const;
  const Extension* FindExtension(std::string_view name) const;
  // By name.
  std::vector<const Extension*> extensions() const;

 private:
  std::vector<const Extension*> extensions_;
  std::vector<std::unique_ptr<const Entry>> entries_;
  std::vector<const Entry*> by_key_[16];  // by opcode (custom-0, custom-1) and funct3
};

#define PRECAST_REGISTER_EXTENSION(Class)                              \
  [[maybe_unused]] static const bool precast_registered_##Class = [] { \
    static const Class* const extension = new Class;                   \
    ::precast::openvm::Registry::Global().Add(extension);              \
    return true;                                                       \
  }()

// "keccakf a0", "addmod a0, a1, a2 (0)": for listings. `pc` for branch targets.
std::string Disassemble(const Opcode& opcode, const Instruction& instruction, uint32_t pc);

// Name and version, as images keep them: "keccak/1".
std::string ExtensionId(const Extension& extension);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_EXTENSION_H_
