#include "compiler/riscv/decoder.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <new>
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

// Rows that can match a word, by those of its bits that tell nearly all of them apart: [6:2],
// [14:12], and of funct7 the two that are used, 25 and 30. Two where ecall and ebreak are.
struct Buckets {
  // One multiplication moves them together: [14:12] to [56:54], 30 to 57, [6:2] to [62:58], 25 to
  // 63. No two of its sums meet there or carry into there.
  static constexpr uint32_t Key(uint32_t word) {
    constexpr uint64_t kMoves =
        uint64_t{1} << 42 | uint64_t{1} << 27 | uint64_t{1} << 56 | uint64_t{1} << 38;
    return static_cast<uint32_t>((word & 0x4200707cu) * kMoves >> 54);
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

// Where an instruction of each format has its operands: masks of the parts of the word that become
// parts of an Instruction. "Types of immediate produced by RISC-V instructions", figure 2.4 of the
// manual.
struct Fields {
  uint32_t registers;  // rd, rs1 and rs2 as they lie in an Instruction
  uint32_t high;       // of the word's bits [31:20], moved down, sign-extended
  uint32_t low;        // of [31:7], moved down
  uint32_t in_place;   // of the word itself
  uint32_t b11, j11;   // bit 11 of the immediate in formats B and J
};
constexpr uint32_t kRd = 0x1f00, kRs1 = 0x1f0000, kRs2 = 0x1f000000;
constexpr Fields kFields[] = {
    {kRd | kRs1 | kRs2, 0, 0, 0, 0, 0},            // R
    {kRd | kRs1, 0xffffffff, 0, 0, 0, 0},          // I
    {kRd | kRs1, 0xffffffff, 0, 0, 0, 0},          // Load
    {kRd | kRs1, 0x1f, 0, 0, 0, 0},                // Shift
    {kRs1 | kRs2, 0xffffffe0, 0x1f, 0, 0, 0},      // S
    {kRs1 | kRs2, 0xfffff7e0, 0x1e, 0, 0x800, 0},  // B
    {kRd, 0, 0, 0xfffff000, 0, 0},                 // U
    {kRd, 0xfff007fe, 0, 0xff000, 0, 0x800},       // J
    {kRd | kRs1, 0xffffffff, 0, 0, 0, 0},          // Jalr
    {0, 0, 0, 0, 0, 0},                            // Fence
    {0, 0, 0, 0, 0, 0},                            // System
};

// Without branches, which could not be foreseen, and without taking apart what is in its place.
static_assert(offsetof(Instruction, op) == 0 && offsetof(Instruction, rd) == 1 &&
              offsetof(Instruction, rs1) == 2 && offsetof(Instruction, rs2) == 3 &&
              offsetof(Instruction, imm) == 4 && sizeof(Instruction) == 8);
inline Instruction DecodeFields(Op op, const Fields& f, uint32_t w) {
  const uint32_t registers = (((w << 1) & (kRd | kRs1)) | ((w << 4) & kRs2)) & f.registers;
  const uint32_t imm = (static_cast<uint32_t>(static_cast<int32_t>(w) >> 20) & f.high) |
                       ((w >> 7) & f.low) | (w & f.in_place) | ((w << 4) & f.b11) |
                       ((w >> 9) & f.j11);
  return std::bit_cast<Instruction>(static_cast<uint32_t>(op) | registers | uint64_t{imm} << 32);
}

inline Instruction DecodeFields(Op op, Format format, uint32_t w) {
  return DecodeFields(op, kFields[static_cast<size_t>(format)], w);
}

inline const Row* FindRow(uint32_t word) {
  const auto [first, second] = kBuckets.rows[Buckets::Key(word)];
  const auto is = [word](uint8_t i) {
    return i != 0 && (word & kRows[i - 1].mask) == kRows[i - 1].match;
  };
  return is(first) ? &kRows[first - 1] : is(second) ? &kRows[second - 1] : nullptr;
}

// All that decoding a word takes, for those that at most one row can match and that are the same in
// every dialect.
struct Usual {
  uint32_t mask, match;
  Fields fields;
  Op op;
};
struct UsualRows {
  std::array<Usual, std::size(kRows) + 1> rows{};
  std::array<uint8_t, 1024> row{};  // by key; 0: none

  constexpr UsualRows() {
    rows[0].match = 1;  // no word masked by 0 is that
    for (size_t i = 0; i < std::size(kRows); ++i) {
      const Row& from = kRows[i];
      rows[i + 1] = {from.mask, from.match, kFields[static_cast<size_t>(from.format)], from.op};
    }
    for (size_t key = 0; key < row.size(); ++key) {
      const auto [first, second] = kBuckets.rows[key];
      const bool is_usual = first != 0 && second == 0 && kRows[first - 1].format != Format::System;
      row[key] = is_usual ? first : 0;
    }
  }
};
constexpr UsualRows kUsual;

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
  // csrrw x0, any, x0.
  const bool is_nop = (w & 0x000fffff) == 0x00001073;
  const openvm::Registry::Entry* entry = openvm::Registry::Global().Find(w);
  if (entry == nullptr) {
    return {.op = !IsSystem(w) ? Op::kIllegal : is_nop ? Op::kFence : Op::kCustomEnd};
  }
  const openvm::Form form = entry->opcode->form;
  return DecodeFields(OpOf(entry->opcode->effect),
                      form == openvm::Form::kR   ? Format::R
                      : form == openvm::Form::kI ? Format::I
                                                 : Format::B,
                      w);
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
  return DecodeFields(row->op, row->format, w);
}

void DecodeAll(const uint8_t* words, size_t count, Dialect dialect, Instruction* out) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t w;
    std::memcpy(&w, words + 4 * i, 4);
    const Usual& usual = kUsual.rows[kUsual.row[Buckets::Key(w)]];
    const bool is_usual = (w & usual.mask) == usual.match;
    new (out + i)
        Instruction(is_usual ? DecodeFields(usual.op, usual.fields, w) : Decode(w, dialect));
  }
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
