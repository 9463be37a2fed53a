#include "compiler/driver/wasm_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"

namespace precast::driver {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kWasmPage = 65536;
constexpr uint64_t kAddressable = uint64_t{1} << 32;  // by guest::Segment

// A shorter run of zero pages is kept: a mapping costs more than it.
constexpr uint64_t kMinGapPages = 4;
// The pages may be so many bytes, and so many times the segments' bytes.
constexpr uint64_t kSmall = 256 << 10;
constexpr uint64_t kMaxGrowth = 8;

// The value of `i32.const N end` or `i64.const N end`; nothing for other expressions. An i32 is
// zero-extended.
std::optional<uint64_t> ConstantOf(absl::Span<const uint8_t> expression) {
  if (expression.size() < 3 || expression.back() != 0x0b) return std::nullopt;
  const bool is_64 = expression[0] == 0x42;
  if (!is_64 && expression[0] != 0x41) return std::nullopt;
  uint64_t value = 0;
  int shift = 0;
  for (size_t i = 1; i + 1 < expression.size(); ++i) {
    if (shift > 63) return std::nullopt;
    value |= uint64_t{expression[i] & 0x7fu} << shift;
    shift += 7;
    if ((expression[i] & 0x80) != 0) continue;
    if (i + 2 != expression.size()) return std::nullopt;
    if (shift < 64 && (expression[i] & 0x40) != 0) value |= ~uint64_t{0} << shift;
    return is_64 ? value : static_cast<uint32_t>(value);
  }
  return std::nullopt;
}

struct Write {
  uint64_t address;
  absl::Span<const uint8_t> bytes;
};

// What the active segments write, in their order; nothing if that is not known.
std::optional<std::vector<Write>> WritesOf(const wasm::Module& module) {
  if (module.num_imported_memories != 0 || module.memories.empty()) return std::nullopt;
  for (const wasm::ElementSegment& segment : module.elements) {
    if (segment.mode == wasm::SegmentMode::kActive && segment.table < module.num_imported_tables)
      return std::nullopt;
  }
  const uint64_t pages = std::min(module.memories[0].limits.min, kAddressable / kWasmPage);
  const uint64_t size = pages * kWasmPage;
  std::vector<Write> writes;
  for (const wasm::DataSegment& segment : module.data) {
    if (segment.mode != wasm::SegmentMode::kActive || segment.memory != 0) continue;
    const auto [begin, end] = segment.bytes;
    const std::optional<uint64_t> address = ConstantOf(
        module.bytes.subspan(segment.offset.begin, segment.offset.end - segment.offset.begin));
    if (!address || *address > size || end - begin > size - *address) return std::nullopt;
    if (begin != end) writes.push_back({*address, module.bytes.subspan(begin, end - begin)});
  }
  return writes;
}

// Half-open range of pages.
struct Run {
  uint64_t begin, end;
};

std::vector<Run> RunsOf(const std::vector<Write>& writes) {
  std::vector<Run> all;
  for (const Write& w : writes)
    all.push_back({w.address / kPage, (w.address + w.bytes.size() + kPage - 1) / kPage});
  std::sort(all.begin(), all.end(), [](Run a, Run b) { return a.begin < b.begin; });
  std::vector<Run> runs;
  for (const Run& run : all) {
    if (!runs.empty() && run.begin < runs.back().end + kMinGapPages) {
      runs.back().end = std::max(runs.back().end, run.end);
    } else {
      runs.push_back(run);
    }
  }
  return runs;
}

guest::Segment SegmentOf(uint64_t address, absl::Span<const uint8_t> bytes) {
  return {.address = static_cast<uint32_t>(address),
          .size = bytes.size(),
          .data = std::vector<uint8_t>(bytes.begin(), bytes.end()),
          .readable = true,
          .writable = true,
          .executable = false};
}

// The parts of a run between longer stretches of zero pages.
void AddWithoutZeros(const Run& run, absl::Span<const uint8_t> bytes,
                     std::vector<guest::Segment>& out) {
  const auto is_zero = [&](uint64_t page) {
    const absl::Span<const uint8_t> p = bytes.subspan(page * kPage, kPage);
    return std::all_of(p.begin(), p.end(), [](uint8_t b) { return b == 0; });
  };
  const uint64_t pages = run.end - run.begin;
  uint64_t begin = 0,
           end = 0;  // of the part so far; `end` is behind its last page that is not zero
  const auto finish = [&] {
    if (begin == end) return;
    out.push_back(SegmentOf((run.begin + begin) * kPage,
                            bytes.subspan(begin * kPage, (end - begin) * kPage)));
  };
  for (uint64_t page = 0; page < pages; ++page) {
    if (is_zero(page)) continue;
    if (begin == end || page - end >= kMinGapPages) {
      finish();
      begin = page;
    }
    end = page + 1;
  }
  finish();
}

}  // namespace

std::optional<std::vector<guest::Segment>> InitialMemory(const wasm::Module& module) {
  const std::optional<std::vector<Write>> writes = WritesOf(module);
  if (!writes) return std::nullopt;
  const std::vector<Run> runs = RunsOf(*writes);
  uint64_t written = 0, in_pages = 0;
  for (const Write& w : *writes) written += w.bytes.size();
  for (const Run& run : runs) in_pages += (run.end - run.begin) * kPage;
  if (in_pages > kSmall && in_pages / kMaxGrowth > written) return std::nullopt;

  std::vector<std::vector<uint8_t>> contents;
  for (const Run& run : runs) contents.emplace_back((run.end - run.begin) * kPage);
  for (const Write& w : *writes) {
    auto run = std::upper_bound(runs.begin(), runs.end(), w.address / kPage,
                                [](uint64_t page, const Run& r) { return page < r.begin; });
    --run;  // runs cover every write
    std::vector<uint8_t>& bytes = contents[static_cast<size_t>(run - runs.begin())];
    std::copy(w.bytes.begin(), w.bytes.end(),
              bytes.begin() + static_cast<ptrdiff_t>(w.address - run->begin * kPage));
  }
  std::vector<guest::Segment> segments;
  for (size_t i = 0; i < runs.size(); ++i) {
    AddWithoutZeros(runs[i], contents[i], segments);
    contents[i] = {};
  }
  return segments;
}

}  // namespace precast::driver
