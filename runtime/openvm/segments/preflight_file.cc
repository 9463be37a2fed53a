#include "runtime/openvm/segments/preflight_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/byte_stream.h"

namespace precast::runtime {
namespace {

constexpr std::string_view kMagic = "PRECPREF";
constexpr uint32_t kVersion = 1;
constexpr size_t kBlockSize = 12, kMemorySize = 24, kChipSize = 28;
constexpr uint32_t kMostEntries = 1 << 22;

absl::Span<const uint8_t> BytesOf(std::string_view text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

void BeginBlock(std::string_view tag, uint32_t chip, size_t entries, ByteWriter& out) {
  out.Bytes(BytesOf(tag));
  out.Number(chip);
  out.Number(static_cast<uint32_t>(entries));
}

// Reads a file piece by piece; past the end: zeros, and ok() is false.
class Input {
 public:
  explicit Input(std::FILE* file) : file_(file) {}
  std::vector<uint8_t> Bytes(size_t size) {
    std::vector<uint8_t> bytes(size);
    if (std::fread(bytes.data(), 1, size, file_) != size) ok_ = false;
    if (!ok_) std::fill(bytes.begin(), bytes.end(), uint8_t{0});
    hash_.Update(bytes);
    offset_ += size;
    return bytes;
  }
  template <typename T>
  T Number() {
    const std::vector<uint8_t> bytes = Bytes(sizeof(T));
    return ByteReader(bytes).Number<T>();
  }
  MemoryDigest Digest() {
    MemoryDigest digest = {};
    const std::vector<uint8_t> bytes = Bytes(digest.size());
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
  }
  // Of everything read so far.
  MemoryDigest Hash() const {
    format::Sha256 copy = hash_;
    return copy.Finish();
  }
  bool ok() const { return ok_; }
  uint64_t offset() const { return offset_; }
  bool AtEnd() { return std::fgetc(file_) == EOF; }

 private:
  std::FILE* file_;
  format::Sha256 hash_;
  uint64_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PreflightWriter>> PreflightWriter::Create(
    const std::string& path, const PreflightHeader& header) {
  std::unique_ptr<PreflightWriter> writer(new PreflightWriter);
  writer->path_ = path;
  writer->partial_path_ = absl::StrCat(path, ".part");
  writer->file_ = std::fopen(writer->partial_path_.c_str(), "wbe");
  if (writer->file_ == nullptr)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", writer->partial_path_));
  writer->Begin(header);
  return writer;
}

std::unique_ptr<PreflightWriter> PreflightWriter::Discarding(const PreflightHeader& header) {
  std::unique_ptr<PreflightWriter> writer(new PreflightWriter);
  writer->Begin(header);
  return writer;
}

PreflightWriter::~PreflightWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove(partial_path_.c_str());
}

void PreflightWriter::Begin(const PreflightHeader& header) {
  ByteWriter out;
  out.Bytes(BytesOf(kMagic));
  out.Number(kVersion);
  out.Number(header.segment);
  out.Bytes(header.program_commit);
  out.Number(header.first_instruction);
  out.Number(header.instructions);
  out.Number(header.initial_pc);
  out.Number(static_cast<uint32_t>(header.chips.size()));
  for (const std::string& chip : header.chips) out.String(chip);
  Put(out.Take());
}

void PreflightWriter::Put(std::string_view bytes) {
  if (!status_.ok()) return;
  hash_.Update(BytesOf(bytes));
  if (file_ != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
    status_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", partial_path_));
}

void PreflightWriter::Memory(const std::vector<MemoryEntry>& entries) {
  if (entries.empty()) return;
  ByteWriter out;
  out.Reserve(kBlockSize + entries.size() * kMemorySize);
  BeginBlock("MEMO", 0, entries.size(), out);
  for (const MemoryEntry& e : entries) {
    out.Number(e.timestamp);
    out.Number(e.previous_timestamp);
    out.Number(e.address);
    out.Number(uint32_t{e.space} | (e.write ? 1u << 8 : 0));
    out.Number(e.previous);
    out.Number(e.value);
  }
  Put(out.Take());
}

void PreflightWriter::Chip(uint32_t chip, const std::vector<ChipEntry>& entries) {
  if (entries.empty()) return;
  ByteWriter out;
  out.Reserve(kBlockSize + entries.size() * kChipSize);
  BeginBlock("CHIP", chip, entries.size(), out);
  for (const ChipEntry& e : entries) {
    for (uint32_t value : {e.pc, e.word, e.timestamp, e.rd, e.rs1, e.rs2, e.rows})
      out.Number(value);
  }
  Put(out.Take());
}

absl::Status PreflightWriter::Finish(const std::map<uint32_t, uint32_t>& frequencies,
                                     const std::vector<uint32_t>& heights, uint32_t final_pc) {
  size_t written = 0;
  ByteWriter out;
  for (const auto& [pc, times] : frequencies) {
    if (written % kMostEntries == 0) {
      BeginBlock("FREQ", 0, std::min<size_t>(frequencies.size() - written, kMostEntries), out);
    }
    out.Number(pc);
    out.Number(times);
    ++written;
  }
  BeginBlock("ROWS", 0, heights.size(), out);
  for (uint32_t height : heights) out.Number(height);
  Put(out.Take());
  format::Sha256 copy = hash_;
  ByteWriter end;
  BeginBlock("DONE", 0, 0, end);
  end.Number(final_pc);
  end.Bytes(copy.Finish());
  Put(end.Take());
  if (file_ == nullptr) return status_;
  if (std::fclose(std::exchange(file_, nullptr)) != 0 && status_.ok())
    status_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", partial_path_));
  if (status_.ok() && std::rename(partial_path_.c_str(), path_.c_str()) != 0)
    status_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot rename to ", path_));
  if (!status_.ok()) std::remove(partial_path_.c_str());
  return status_;
}

absl::StatusOr<PreflightSummary> ReadPreflight(
    const std::string& path, const std::function<void(const MemoryEntry&)>& memory,
    const std::function<void(uint32_t chip, const ChipEntry&)>& chips) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  absl::Cleanup close_file = [file] { std::fclose(file); };
  Input in(file);
  auto bad = [&](std::string_view field, std::string_view expected, std::string_view actual) {
    return absl::InvalidArgumentError(absl::StrFormat("%s, offset %d: %s: expected %s, actual %s",
                                                      path, in.offset(), field, expected,
                                                      in.ok() ? actual : "the end of the file"));
  };
  const std::vector<uint8_t> magic = in.Bytes(kMagic.size());
  if (absl::MakeConstSpan(magic) != BytesOf(kMagic)) return bad("magic", kMagic, "something else");
  if (const auto version = in.Number<uint32_t>(); version != kVersion)
    return bad("version", absl::StrCat(kVersion), absl::StrCat(version));
  PreflightSummary summary;
  summary.header.segment = in.Number<uint32_t>();
  summary.header.program_commit = in.Digest();
  summary.header.first_instruction = in.Number<uint64_t>();
  summary.header.instructions = in.Number<uint64_t>();
  summary.header.initial_pc = in.Number<uint32_t>();
  constexpr uint32_t kMostChips = 4096, kMostName = 4096;
  const auto count = in.Number<uint32_t>();
  if (count > kMostChips) return bad("number of chips", "at most 4096", absl::StrCat(count));
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto size = in.Number<uint32_t>();
    if (size > kMostName) return bad("name of a chip", "at most 4096 bytes", absl::StrCat(size));
    const std::vector<uint8_t> name = in.Bytes(size);
    summary.header.chips.emplace_back(name.begin(), name.end());
  }
  summary.chip_entries.resize(count);
  while (in.ok()) {
    const MemoryDigest so_far = in.Hash();
    const std::vector<uint8_t> tag_bytes = in.Bytes(4);
    const std::string tag(tag_bytes.begin(), tag_bytes.end());
    const auto chip = in.Number<uint32_t>();
    const auto entries = in.Number<uint32_t>();
    if (tag == "DONE") {
      summary.final_pc = in.Number<uint32_t>();
      const MemoryDigest digest = in.Digest();
      if (!in.ok()) break;
      if (digest != so_far) return bad("digest", HexOf(digest), HexOf(so_far));
      if (!in.AtEnd()) return bad("end of file", "nothing after DONE", "more");
      return summary;
    }
    if (entries > kMostEntries)
      return bad("entries of a block", absl::StrCat("at most ", kMostEntries),
                 absl::StrCat(entries));
    const bool is_memory = tag == "MEMO", is_chip = tag == "CHIP", is_frequency = tag == "FREQ",
               is_rows = tag == "ROWS";
    if (!is_memory && !is_chip && !is_frequency && !is_rows)
      return bad("tag", "MEMO, CHIP, FREQ, ROWS or DONE", "something else");
    if (is_chip && chip >= count)
      return bad("chip", absl::StrCat("below ", count), absl::StrCat(chip));
    const size_t size = is_memory ? kMemorySize : is_chip ? kChipSize : is_frequency ? 8 : 4;
    const std::vector<uint8_t> bytes = in.Bytes(entries * size);
    if (!in.ok()) break;
    ByteReader reader(bytes);
    for (uint32_t i = 0; i < entries; ++i) {
      auto number = [&] { return reader.Number<uint32_t>(); };
      if (is_memory) {
        MemoryEntry e;
        e.timestamp = number();
        e.previous_timestamp = number();
        e.address = number();
        e.space = reader.Number<uint8_t>();
        e.write = reader.Number<uint8_t>() != 0;
        reader.Number<uint16_t>();
        e.previous = number();
        e.value = number();
        ++summary.memory_entries;
        if (memory != nullptr) memory(e);
      } else if (is_chip) {
        ChipEntry e;
        for (uint32_t* field : {&e.pc, &e.word, &e.timestamp, &e.rd, &e.rs1, &e.rs2, &e.rows})
          *field = number();
        ++summary.chip_entries[chip];
        if (chips != nullptr) chips(chip, e);
      } else if (is_frequency) {
        const uint32_t pc = number();
        summary.frequencies[pc] = number();
      } else {
        summary.heights.push_back(number());
      }
    }
  }
  return bad("file", "a DONE block", "something else");
}

}  // namespace precast::runtime
