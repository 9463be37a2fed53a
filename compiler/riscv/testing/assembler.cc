#include "compiler/riscv/testing/assembler.h"

#include <elf.h>

#include <cstring>

#include "absl/log/check.h"

namespace precast::riscv::testing {
namespace {

enum class Format : uint8_t { R, I, Load, Shift, S, B, U, J, Jalr, Fence, System };

struct Row {
  uint32_t match;
  Format format;
};
constexpr Row kRows[] = {
#define PRECAST_RV_OP(Name, mnemonic, match, mask, format) {match, Format::format},
#include "compiler/riscv/opcodes.def"
#undef PRECAST_RV_OP
};

}  // namespace

uint32_t Encode(const Instruction& in) {
  if (in.op >= Op::kCustom) return 0;  // custom instructions have no row here
  const Row& row = kRows[static_cast<size_t>(in.op)];
  const uint32_t rd = static_cast<uint32_t>(in.rd) << 7, rs1 = static_cast<uint32_t>(in.rs1) << 15;
  const uint32_t rs2 = static_cast<uint32_t>(in.rs2) << 20, imm = static_cast<uint32_t>(in.imm);
  switch (row.format) {
    case Format::R:
      return row.match | rd | rs1 | rs2;
    case Format::I:
    case Format::Load:
    case Format::Jalr:
      return row.match | rd | rs1 | imm << 20;
    case Format::Shift:
      return row.match | rd | rs1 | (imm & 31) << 20;
    case Format::S:
      return row.match | rs1 | rs2 | (imm & 0xfe0) << 20 | (imm & 31) << 7;
    case Format::B:
      return row.match | rs1 | rs2 | (imm & 0x1000) << 19 | (imm & 0x7e0) << 20 |
             (imm & 0x1e) << 7 | (imm & 0x800) >> 4;
    case Format::U:
      return row.match | rd | (imm & 0xfffff000);
    case Format::J:
      return row.match | rd | (imm & 0x100000) << 11 | (imm & 0x7fe) << 20 | (imm & 0x800) << 9 |
             (imm & 0xff000);
    case Format::Fence:
    case Format::System:
      return row.match;
  }
  return 0;
}

std::vector<uint8_t> MakeElf(const std::vector<uint32_t>& code, const std::vector<uint32_t>& data) {
  CHECK_LE(kCodeBase + 4 * code.size(), kDataBase);
  constexpr uint32_t kPage = 4096;
  auto page_ceil = [](size_t n) { return static_cast<uint32_t>((n + kPage - 1) / kPage * kPage); };
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_RISCV;
  header.e_version = EV_CURRENT;
  header.e_entry = kCodeBase;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf32_Phdr);
  header.e_phnum = 2;
  const uint32_t code_bytes = static_cast<uint32_t>(4 * code.size()),
                 data_bytes = static_cast<uint32_t>(4 * data.size());
  const uint32_t code_offset = kPage, data_offset = code_offset + page_ceil(code_bytes);
  const Elf32_Phdr segments[2] = {
      {PT_LOAD, code_offset, kCodeBase, kCodeBase, code_bytes, code_bytes, PF_R | PF_X, kPage},
      {PT_LOAD, data_offset, kDataBase, kDataBase, data_bytes, data_bytes, PF_R | PF_W, kPage},
  };
  std::vector<uint8_t> file(data_offset + data_bytes);
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, segments, sizeof segments);
  if (!code.empty()) std::memcpy(file.data() + code_offset, code.data(), code_bytes);
  if (!data.empty()) std::memcpy(file.data() + data_offset, data.data(), data_bytes);
  return file;
}

}  // namespace precast::riscv::testing
