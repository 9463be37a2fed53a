#include "compiler/riscv/decoder.h"

#include <array>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "openvm/extension.h"
#include "runtime/abi/helpers.h"

namespace precast::riscv {
namespace {

enum class Format : uint8_t { R, I, Load, Shift, S, B, U, J, Jalr, Fence, System };

struct Row {
  Op op;
  const char* mnemonic;
  uint32_t match, mask;
  Format format;
};

constexpr Row kRows[] = {
#define PRECAST_RV_OP(Name, mnemonic, match, mask, format) \
  {Op::k##Name, mnemonic, match, mask, Format::format},
#include "compiler/riscv/opcodes.def"
#undef PRECAST_RV_OP
};

// Rows that can match a word, by those of its bits that tell nearly all of them apart: [6:2], [14:12], and of funct7
// the two that are used, 25 and 30. Two where ecall and ebreak are.
struct Buckets {
  static constexpr uint32_t Key(uint32_t word) {
    return ((word >> 2) & 0x1f) | ((word >> 7) & 0xe0) | ((word >> 17) & 0x100) |
           ((word >> 21) & 0x200);
  }
  std::array<std::array<uint8_t, 2>, 1024> rows{};  // one more than the index; 0: none

  constexpr Buckets() {
    for (size_t i = 0; i < std::size(kRows); ++i) {
      const uint32_t fixed = Key(kRows[i].match), open = Key(~kRows[i].mask);
      for (uint32_t bits = open;; bits = (bits - 1) & open) {  // every subset
        auto& bucket = rows[fixed | bits];
        bucket[bucket[0] == 0 ? 0 : 1] = static_cast<uint8_t>(i + 1);
        if (bits == 0) break;
      }
    }
  }
};
constexpr Buckets kBuckets;

const Row* FindRow(uint32_t word) {
  for (uint8_t i : kBuckets.rows[Buckets::Key(word)]) {
    if (i == 0) break;
    const Row& row = kRows[i - 1];
    if ((word & row.mask) == row.match) return &row;
  }
  return nullptr;
}

// Immediates, as in the manual's figure 2.4 "Types of immediate produced by RISC-V instructions".
int32_t ImmI(uint32_t w) { return static_cast<int32_t>(w) >> 20; }
int32_t ImmS(uint32_t w) {
  return (static_cast<int32_t>(w & 0xfe000000) >> 20) | ((w >> 7) & 0x1f);
}
int32_t ImmB(uint32_t w) {
  return (static_cast<int32_t>(w & 0x80000000) >> 19) | ((w & 0x80) << 4) | ((w >> 20) & 0x7e0) |
         ((w >> 7) & 0x1e);
}
int32_t ImmU(uint32_t w) { return static_cast<int32_t>(w & 0xfffff000); }
int32_t ImmJ(uint32_t w) {
  return (static_cast<int32_t>(w & 0x80000000) >> 11) | (w & 0xff000) | ((w >> 9) & 0x800) |
         ((w >> 20) & 0x7fe);
}

// Which operands an instruction of each format has: masks of the register fields, and the immediate.
enum class Immediate : uint8_t { kNone, kI, kAmount, kS, kB, kU, kJ };
struct Fields {
  uint8_t rd, rs1, rs2;
  Immediate imm;
};
constexpr Fields kFields[] = {
    {31, 31, 31, Immediate::kNone},   // R
    {31, 31, 0, Immediate::kI},       // I
    {31, 31, 0, Immediate::kI},       // Load
    {31, 31, 0, Immediate::kAmount},  // Shift
    {0, 31, 31, Immediate::kS},       // S
    {0, 31, 31, Immediate::kB},       // B
    {31, 0, 0, Immediate::kU},        // U
    {31, 0, 0, Immediate::kJ},        // J
    {31, 31, 0, Immediate::kI},       // Jalr
    {0, 0, 0, Immediate::kNone},      // Fence
    {0, 0, 0, Immediate::kNone},      // System
};

Op OpOf(openvm::Effect effect) {
  switch (effect) {
    case openvm::Effect::kMemory:
      return Op::kCustom;
    case openvm::Effect::kRegister:
      return Op::kCustomRegister;
    case openvm::Effect::kBranch:
      return Op::kCustomBranch;
    case openvm::Effect::kEnd:
      return Op::kCustomEnd;
  }
  return Op::kIllegal;
}

bool IsSystem(uint32_t w) { return (w & 0x7f) == 0x73; }

Instruction DecodeExtension(uint32_t w) {
  Instruction in;
  // csrrw x0, any, x0.
  if (IsSystem(w)) in.op = (w & 0x000fffff) == 0x00001073 ? Op::kFence : Op::kCustomEnd;
  const openvm::Registry::Entry* entry = openvm::Registry::Global().Find(w);
  if (entry == nullptr) return in;
  in.op = OpOf(entry->opcode->effect);
  const uint8_t rd = (w >> 7) & 31, rs1 = (w >> 15) & 31, rs2 = (w >> 20) & 31;
  switch (entry->opcode->form) {
    case openvm::Form::kR:
      in.rd = rd, in.rs1 = rs1, in.rs2 = rs2;
      break;
    case openvm::Form::kI:
      in.rd = rd, in.rs1 = rs1, in.imm = ImmI(w);
      break;
    case openvm::Form::kB:
      in.rs1 = rs1, in.rs2 = rs2, in.imm = ImmB(w);
      break;
  }
  return in;
}

}  // namespace

Instruction Decode(uint32_t w, Dialect dialect) {
  const Row* row = FindRow(w);
  if (dialect == Dialect::kOpenVm && (row == nullptr || IsSystem(w))) return DecodeExtension(w);
  if (row == nullptr) {
    const std::optional<abi::Helper> helper = abi::DecodeHelper(w);
    if (dialect != Dialect::kFastHelpers || !helper.has_value()) return {};
    return {.op = Op::kHelper, .rd = 1, .imm = static_cast<int32_t>(*helper)};
  }
  // Without branches, which could not be foreseen.
  const Fields& fields = kFields[static_cast<size_t>(row->format)];
  const int32_t immediates[] = {
      0, ImmI(w), (static_cast<int32_t>(w) >> 20) & 31, ImmS(w), ImmB(w), ImmU(w), ImmJ(w)};
  return {.op = row->op,
          .rd = static_cast<uint8_t>((w >> 7) & fields.rd),
          .rs1 = static_cast<uint8_t>((w >> 15) & fields.rs1),
          .rs2 = static_cast<uint8_t>((w >> 20) & fields.rs2),
          .imm = immediates[static_cast<size_t>(fields.imm)]};
}

const char* RegisterName(uint8_t r) {
  static constexpr const char* kNames[32] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                             "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                             "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                             "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
  return kNames[r & 31];
}

std::string Disassemble(uint32_t word, uint32_t pc, Dialect dialect) {
  if (dialect == Dialect::kFastHelpers) {
    if (const std::optional<abi::Helper> helper = abi::DecodeHelper(word)) {
      return absl::StrFormat("helper ra, %s", abi::kHelpers[static_cast<size_t>(*helper)].symbol);
    }
  }
  if (dialect == Dialect::kOpenVm) {
    if (const openvm::Registry::Entry* entry = openvm::Registry::Global().Find(word)) {
      const Instruction in = Decode(word, dialect);
      return openvm::Disassemble(*entry->opcode,
                                 {.word = word,
                                  .rd = in.rd,
                                  .rs1 = in.rs1,
                                  .rs2 = in.rs2,
                                  .funct7 = static_cast<uint8_t>(word >> 25),
                                  .imm = in.imm},
                                 pc);
    }
  }
  const Row* row = FindRow(word);
  if (row == nullptr) return absl::StrFormat(".word 0x%08x", word);
  const Instruction in = Decode(word);
  const char* rd = RegisterName(in.rd);
  const char* rs1 = RegisterName(in.rs1);
  const char* rs2 = RegisterName(in.rs2);
  const uint32_t target = pc + static_cast<uint32_t>(in.imm);
  switch (row->format) {
    case Format::R:
      return absl::StrFormat("%s %s, %s, %s", row->mnemonic, rd, rs1, rs2);
    case Format::I:
    case Format::Shift:
      return absl::StrFormat("%s %s, %s, %d", row->mnemonic, rd, rs1, in.imm);
    case Format::Load:
    case Format::Jalr:
      return absl::StrFormat("%s %s, %d(%s)", row->mnemonic, rd, in.imm, rs1);
    case Format::S:
      return absl::StrFormat("%s %s, %d(%s)", row->mnemonic, rs2, in.imm, rs1);
    case Format::B:
      return absl::StrFormat("%s %s, %s, 0x%x", row->mnemonic, rs1, rs2, target);
    case Format::U:
      return absl::StrFormat("%s %s, 0x%x", row->mnemonic, rd, static_cast<uint32_t>(in.imm) >> 12);
    case Format::J:
      return absl::StrFormat("%s %s, 0x%x", row->mnemonic, rd, target);
    case Format::Fence:
    case Format::System:
      return row->mnemonic;
  }
  return "";
}

}  // namespace precast::riscv
