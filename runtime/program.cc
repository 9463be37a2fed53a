#include "runtime/program.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"

namespace precast::runtime {

namespace {

constexpr uint64_t kAddressSpace = uint64_t{1} << 32;

}  // namespace

bool ProgramImage::IsCode(uint32_t pc) const {
  for (const ProgramCodeRange& range : code_ranges) {
    if (pc >= range.begin && pc < range.end && range.end - pc >= 4) return true;
  }
  return false;
}

absl::Status Validate(const ProgramImage& program) {
  std::vector<std::pair<uint64_t, uint64_t>> used;
  for (size_t i = 0; i < program.segments.size(); ++i) {
    const ProgramSegment& segment = program.segments[i];
    if (segment.address % kPageSize != 0 || segment.size % kPageSize != 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("segment %d: address 0x%x, size 0x%x: expected whole pages of %d bytes",
                          i, segment.address, segment.size, kPageSize));
    }
    if (segment.size > kAddressSpace - segment.address) {
      return absl::InvalidArgumentError(
          absl::StrFormat("segment %d: address 0x%x, size 0x%x: expected an end of at most 2^32", i,
                          segment.address, segment.size));
    }
    if (segment.data.size() > segment.size) {
      return absl::InvalidArgumentError(
          absl::StrFormat("segment %d: %d bytes of data: expected at most its size, 0x%x", i,
                          segment.data.size(), segment.size));
    }
    if (segment.fd >= 0 && segment.file_offset % kPageSize != 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("segment %d: file offset 0x%x: expected a multiple of %d", i,
                          segment.file_offset, kPageSize));
    }
    if (segment.size > 0) used.emplace_back(segment.address, segment.address + segment.size);
  }
  std::sort(used.begin(), used.end());
  for (size_t i = 1; i < used.size(); ++i) {
    if (used[i].first < used[i - 1].second) {
      return absl::InvalidArgumentError(
          absl::StrFormat("segments overlap: one begins at 0x%x, another ends at 0x%x",
                          used[i].first, used[i - 1].second));
    }
  }
  uint32_t last_end = 0;
  for (size_t i = 0; i < program.code_ranges.size(); ++i) {
    const ProgramCodeRange& range = program.code_ranges[i];
    if (range.begin % 4 != 0 || range.begin > range.end || range.begin < last_end) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "code range %d: [0x%x, 0x%x): expected a begin that is a multiple of 4, at least 0x%x "
          "and not past the end",
          i, range.begin, range.end, last_end));
    }
    last_end = range.end;
  }
  return absl::OkStatus();
}

ProgramImage ProgramOf(std::shared_ptr<const loader::Image> image) {
  ProgramImage program;
  for (const loader::GuestSegment& segment : image->segments()) {
    program.segments.push_back({.address = segment.address,
                                .size = segment.size,
                                .data = segment.data,
                                .fd = segment.fd,
                                .file_offset = segment.file_offset,
                                .readable = segment.readable,
                                .writable = segment.writable,
                                .executable = segment.executable});
  }
  for (const loader::CodeRange& range : image->code_ranges()) {
    program.code_ranges.push_back({.begin = range.begin, .end = range.end});
  }
  program.entry_pc = image->entry_pc();
  program.initial_brk = image->initial_brk();
  program.phdr_address = image->phdr_address();
  program.phdr_count = image->phdr_count();
  absl::Span<const uint8_t> guid = image->program_guid();
  std::memcpy(program.guid.data(), guid.data(), std::min(guid.size(), program.guid.size()));
  program.machine = std::string(image->machine());
  program.extensions.assign(image->extensions().begin(), image->extensions().end());
  program.owner = std::move(image);
  return program;
}

}  // namespace precast::runtime
