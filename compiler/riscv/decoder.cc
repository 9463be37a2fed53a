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

// Rows that can match a word, by its bits [6:2] and [14:12]. At most a handful per bucket.
struct Buckets {
  static constexpr int kSize = 256;
  static constexpr uint32_t Key(uint32_t word) {
    return ((word >> 2) & 31) << 3 | ((word >> 12) & 7);
  }
  static constexpr int kMaxPerBucket = 4;
  std::array<std::array<int8_t, kMaxPerBucket>, kSize> rows{};

  constexpr Buckets() {
    for (auto& bucket : rows) bucket.fill(-1);
    for (size_t i = 0; i < std::size(kRows); ++i) {
      for (uint32_t key = 0; key < kSize; ++key) {
        uint32_t word = (key >> 3) << 2 | (key & 7) << 12 | 3;
        uint32_t key_mask = 0x0000707f;
        if ((word & kRows[i].mask & key_mask) != (kRows[i].match & key_mask)) continue;
        auto& bucket = rows[key];
        int slot = 0;
        while (bucket[slot] >= 0) ++slot;
        bucket[slot] = static_cast<int8_t>(i);
      }
    }
  }
};
constexpr Buckets kBuckets;

const Row* FindRow(uint32_t word) {
  for (int8_t i : kBuckets.rows[Buckets::Key(word)]) {
    if (i < 0) break;
    if ((word & kRows[i].mask) == kRows[i].match) return &kRows[i];
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
  Instruction in;
  in.op = row->op;
  const uint8_t rd = (w >> 7) & 31, rs1 = (w >> 15) & 31, rs2 = (w >> 20) & 31;
  switch (row->format) {
    case Format::R:
      in.rd = rd, in.rs1 = rs1, in.rs2 = rs2;
      break;
    case Format::I:
    case Format::Load:
    case Format::Jalr:
      in.rd = rd, in.rs1 = rs1, in.imm = ImmI(w);
      break;
    case Format::Shift:
      in.rd = rd, in.rs1 = rs1, in.imm = rs2;
      break;
    case Format::S:
      in.rs1 = rs1, in.rs2 = rs2, in.imm = ImmS(w);
      break;
    case Format::B:
      in.rs1 = rs1, in.rs2 = rs2, in.imm = ImmB(w);
      break;
    case Format::U:
      in.rd = rd, in.imm = ImmU(w);
      break;
    case Format::J:
      in.rd = rd, in.imm = ImmJ(w);
      break;
    case Format::Fence:
    case Format::System:
      break;
  }
  return in;
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
