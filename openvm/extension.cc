#include "openvm/extension.h"

#include <algorithm>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace precast::openvm {
namespace {

constexpr uint32_t kCustom0 = 0x0b;
constexpr uint32_t kCustom1 = 0x2b;

// Index of the list that a word belongs to: opcode and funct3; nullopt if it is no custom
// instruction.
int KeyOf(uint32_t word) {
  const uint32_t opcode = word & 0x7f;
  if (opcode != kCustom0 && opcode != kCustom1) return -1;
  return static_cast<int>((opcode == kCustom1 ? 8 : 0) + (word >> 12 & 7));
}

}  // namespace

Registry& Registry::Global() {
  static Registry* const registry = new Registry;
  return *registry;
}

void Registry::Add(const Extension* extension) {
  CHECK(FindExtension(extension->name()) == nullptr)
      << "two extensions are called " << extension->name();
  extensions_.push_back(extension);
  for (const Opcode& opcode : extension->opcodes()) {
    CHECK_EQ(opcode.mask & 0x707f, 0x707fu) << opcode.mnemonic;
    CHECK_EQ(opcode.match & ~opcode.mask, 0u) << opcode.mnemonic;
    CHECK(opcode.execute != nullptr) << opcode.mnemonic;
    const int key = KeyOf(opcode.match);
    CHECK_GE(key, 0) << opcode.mnemonic << " is neither custom-0 nor custom-1";
    for (const Entry* other : by_key_[key]) {
      const uint32_t common = opcode.mask & other->opcode->mask;
      CHECK_NE(opcode.match & common, other->opcode->match & common)
          << opcode.mnemonic << " and " << other->opcode->mnemonic << " share instruction words";
    }
    entries_.push_back(
        std::make_unique<Entry>(Entry{extension, &opcode, static_cast<uint32_t>(entries_.size())}));
    by_key_[key].push_back(entries_.back().get());
  }
}

const Registry::Entry* Registry::Find(uint32_t word) const {
  const int key = KeyOf(word);
  if (key < 0) return nullptr;
  for (const Entry* entry : by_key_[key]) {
    const Opcode& opcode = *entry->opcode;
    if ((word & opcode.mask) != opcode.match) continue;
    return opcode.valid == nullptr || opcode.valid(word) ? entry : nullptr;
  }
  return nullptr;
}

const Extension* Registry::FindExtension(std::string_view name) const {
  for (const Extension* extension : extensions_) {
    if (extension->name() == name) return extension;
  }
  return nullptr;
}

std::vector<const Extension*> Registry::extensions() const {
  std::vector<const Extension*> sorted = extensions_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Extension* a, const Extension* b) { return a->name() < b->name(); });
  return sorted;
}

std::string Disassemble(const Opcode& opcode, const Instruction& in, uint32_t pc) {
  auto x = [](uint8_t r) {
    static constexpr const char* kNames[32] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                               "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                               "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                               "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
    return kNames[r & 31];
  };
  switch (opcode.form) {
    case Form::kR: {
      std::string text =
          absl::StrFormat("%s %s, %s, %s", opcode.mnemonic, x(in.rd), x(in.rs1), x(in.rs2));
      // What the mask leaves of funct7 is the index of a modulus or curve.
      if ((opcode.mask >> 25 & 0x78) != 0x78) absl::StrAppend(&text, ", ", in.funct7 >> 3);
      return text;
    }
    case Form::kI:
      if (opcode.effect == Effect::kEnd) return absl::StrFormat("%s %d", opcode.mnemonic, in.imm);
      return absl::StrFormat("%s %s, %s, %d", opcode.mnemonic, x(in.rd), x(in.rs1), in.imm);
    case Form::kB:
      return absl::StrFormat("%s %s, %s, 0x%x", opcode.mnemonic, x(in.rs1), x(in.rs2),
                             pc + static_cast<uint32_t>(in.imm));
  }
  return "";
}

std::string ExtensionId(const Extension& extension) {
  return absl::StrCat(extension.name(), "/", extension.version());
}

}  // namespace precast::openvm
