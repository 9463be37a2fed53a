#include "runtime/testing/elf_program.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "absl/log/check.h"

namespace precast::runtime {

ProgramImage ReadElfForTest(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.good()) << path;
  struct Contents {
    std::vector<char> file;
    std::vector<std::vector<uint8_t>> segments;
  };
  auto contents = std::make_shared<Contents>();
  contents->file.assign(std::istreambuf_iterator<char>(file), {});
  const std::vector<char>& bytes = contents->file;
  Elf32_Ehdr header;
  CHECK_GE(bytes.size(), sizeof(header)) << path;
  std::memcpy(&header, bytes.data(), sizeof(header));
  CHECK_EQ(header.e_machine, EM_RISCV) << path;
  ProgramImage program;
  program.entry_pc = header.e_entry;
  uint32_t end = 0;
  contents->segments.reserve(header.e_phnum);
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf32_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof(segment), sizeof(segment));
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    uint32_t begin = segment.p_vaddr / kPageSize * kPageSize;
    uint32_t limit = (segment.p_vaddr + segment.p_memsz + kPageSize - 1) / kPageSize * kPageSize;
    std::vector<uint8_t>& data = contents->segments.emplace_back(segment.p_vaddr - begin);
    data.insert(data.end(), bytes.begin() + segment.p_offset,
                bytes.begin() + segment.p_offset + segment.p_filesz);
    ProgramSegment part;
    part.address = begin;
    part.size = limit - begin;
    part.data = data;
    part.readable = (segment.p_flags & PF_R) != 0;
    part.writable = (segment.p_flags & PF_W) != 0;
    part.executable = (segment.p_flags & PF_X) != 0;
    if (part.executable) {
      program.code_ranges.push_back(
          {.begin = segment.p_vaddr, .end = segment.p_vaddr + segment.p_memsz});
    }
    program.segments.push_back(part);
    end = std::max(end, limit);
  }
  program.initial_brk = end;
  program.owner = contents;
  return program;
}

}  // namespace precast::runtime
