#include "loader/format/ex_info.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "absl/log/check.h"

namespace precast::format {
namespace {

using ex_info::kGuestShift;
using ex_info::kHasRefund;
using ex_info::kHasState;
using ex_info::kKindMask;
using ex_info::kLineEscape;
using ex_info::kManyCharges;
using ex_info::kReset;
using ex_info::kUnpaid;

constexpr size_t kIndexEntrySize = 8;

void EncodeState(absl::Span<const StateLocation> changes, ByteWriter& out) {
  out.Varint(static_cast<uint32_t>(changes.size()));
  for (const StateLocation& change : changes) {
    out.Varint(uint32_t{change.slot} * 4 + static_cast<uint32_t>(change.kind));
    switch (change.kind) {
      case StateLocation::Kind::kContext:
        break;
      case StateLocation::Kind::kRegister:
        out.Varint(static_cast<uint32_t>(change.value));
        break;
      case StateLocation::Kind::kFrame:
        out.Varint(std::rotr(static_cast<uint32_t>(change.value), 2));
        break;
      case StateLocation::Kind::kConstant:
        out.Signed(change.value);
        break;
    }
  }
}

StateLocation DecodeStateLocation(ByteReader& reader) {
  const uint32_t head = reader.Varint();
  if (head >= 256 * 4) reader.Fail();
  StateLocation location;
  location.slot = static_cast<uint8_t>(head / 4);
  location.kind = static_cast<StateLocation::Kind>(head % 4);
  location.value = 0;
  switch (location.kind) {
    case StateLocation::Kind::kContext:
      break;
    case StateLocation::Kind::kRegister:
      location.value = static_cast<int32_t>(reader.Varint());
      break;
    case StateLocation::Kind::kFrame:
      location.value = static_cast<int32_t>(std::rotl(reader.Varint(), 2));
      break;
    case StateLocation::Kind::kConstant:
      location.value = reader.Signed();
      break;
  }
  return location;
}

}  // namespace

void StateMap::Apply(const StateLocation& location) {
  const uint64_t bit = uint64_t{1} << (location.slot % 64);
  if (location.kind == StateLocation::Kind::kContext) {
    present_[location.slot / 64] &= ~bit;
    return;
  }
  present_[location.slot / 64] |= bit;
  kinds_[location.slot] = location.kind;
  values_[location.slot] = location.value;
}

void StateMap::AppendTo(std::vector<StateLocation>& out) const {
  for (size_t word = 0; word < present_.size(); ++word) {
    for (uint64_t bits = present_[word]; bits != 0; bits &= bits - 1) {
      const auto slot = static_cast<uint8_t>(word * 64 + std::countr_zero(bits));
      out.push_back({slot, kinds_[slot], values_[slot]});
    }
  }
}

std::vector<StateLocation> StateMap::ToVector() const {
  std::vector<StateLocation> result;
  AppendTo(result);
  return result;
}

// --- Encoder ---

void ExInfoEncoder::Begin(uint32_t base_pc, uint32_t pc_shift) {
  CHECK_LT(pc_shift, 32u);
  CHECK_EQ(base_pc, base_pc >> pc_shift << pc_shift);
  base_pc_ = base_pc;
  pc_shift_ = pc_shift;
  for (ByteWriter* writer :
       {&frame_rules_, &site_stream_, &site_index_, &line_stream_, &line_index_}) {
    writer->Clear();
  }
  frame_rule_count_ = site_count_ = line_count_ = 0;
  last_rule_ = {};
  last_site_ = {};
  state_.Clear();
  last_line_ = {};
}

void ExInfoEncoder::Reserve(size_t sites, size_t lines) {
  frame_rules_.Reserve(64);
  site_stream_.Reserve(4 * sites + 64);
  site_index_.Reserve(kIndexEntrySize * (sites / kSitesPerChunk + 1));
  line_stream_.Reserve(2 * lines + 16 * kLinesPerChunk);
  line_index_.Reserve(kIndexEntrySize * (lines / kLinesPerChunk + 1));
}

void ExInfoEncoder::AddFrameRule(const FrameRule& rule) {
  CHECK_GE(rule.code_offset, last_rule_.code_offset);
  frame_rules_.Varint(rule.code_offset - last_rule_.code_offset);
  frame_rules_.Signed(static_cast<int32_t>(rule.cfa_offset - last_rule_.cfa_offset));
  last_rule_ = rule;
  ++frame_rule_count_;
}

void ExInfoEncoder::AddSite(uint32_t code_offset, SiteKind kind, uint8_t trap_code,
                            uint32_t guest_pc, uint32_t refund, bool reset,
                            absl::Span<const StateLocation> changes,
                            absl::Span<const Charge> more) {
  CHECK(more.empty() || kind == SiteKind::kSuspend || kind == SiteKind::kMemory);
  CheckAligned(guest_pc);
  CHECK(site_count_ == 0 || code_offset > last_site_.code_offset)
      << "sites must ascend: " << code_offset;
  if (reset) state_.Clear();
  for (const StateLocation& change : changes) state_.Apply(change);

  if (site_count_ % kSitesPerChunk == 0) {
    const bool first = site_count_ == 0;
    site_index_.Le32(first ? 0 : code_offset);
    site_index_.Le32(static_cast<uint32_t>(site_stream_.size()));
    last_site_ = {first ? 0 : code_offset, base_pc_, 0};
    reset = false;  // The map is empty where a chunk starts.
    whole_.clear();
    state_.AppendTo(whole_);
    changes = whole_;
  }
  const bool is_unpaid = !more.empty() && kind == SiteKind::kMemory;
  uint8_t head = static_cast<uint8_t>(kind);
  if (!more.empty()) head = is_unpaid ? kUnpaid : kManyCharges;
  if (reset) head |= kReset;
  if (!changes.empty()) head |= kHasState;
  ++site_count_;
  site_stream_.Advance(PutSite(site_stream_.Room(kMaxSiteBytes), last_site_, pc_shift_, code_offset,
                               head, trap_code, guest_pc, refund));
  if (!changes.empty()) EncodeState(changes, site_stream_);
  if (!more.empty()) site_stream_.Varint(static_cast<uint32_t>(more.size()));
  Charge before{guest_pc, is_unpaid ? 0 : refund};
  for (const Charge& charge : more) {
    site_stream_.Signed(static_cast<int32_t>(charge.guest_pc - before.guest_pc) >> pc_shift_);
    site_stream_.Varint(before.refund - charge.refund);
    before = charge;
  }
}

void ExInfoEncoder::StartLineChunk(uint32_t code_offset) {
  const bool first = line_count_ == 0;
  line_index_.Le32(first ? 0 : code_offset);
  line_index_.Le32(static_cast<uint32_t>(line_stream_.size()));
  last_line_ = {first ? 0 : code_offset, base_pc_};
}

std::vector<uint8_t> ExInfoEncoder::Finish() const {
  uint8_t head[7 * kMaxVarint];
  uint8_t* end = head;
  for (const size_t number :
       {size_t{pc_shift_}, size_t{base_pc_ >> pc_shift_}, size_t{frame_rule_count_},
        size_t{site_count_}, site_stream_.size(), size_t{line_count_}, line_stream_.size()}) {
    end = PutVarint(end, static_cast<uint32_t>(number));
  }
  const absl::Span<const uint8_t> parts[] = {
      absl::MakeConstSpan(head, end),
      frame_rules_.bytes(),
      site_count_ > kSitesPerChunk ? site_index_.bytes() : absl::Span<const uint8_t>(),
      site_stream_.bytes(),
      line_count_ > kLinesPerChunk ? line_index_.bytes() : absl::Span<const uint8_t>(),
      line_stream_.bytes()};
  size_t size = 0;
  for (const absl::Span<const uint8_t> part : parts) size += part.size();
  std::vector<uint8_t> record;
  record.reserve(size);
  for (const absl::Span<const uint8_t> part : parts) {
    record.insert(record.end(), part.begin(), part.end());
  }
  return record;
}

// --- Decoder ---

std::optional<ExInfoReader> ExInfoReader::At(const BlobReader& blob, uint32_t offset) {
  std::optional<ByteReader> reader = blob.At(offset);
  if (!reader) return std::nullopt;
  ExInfoReader info;
  info.pc_shift_ = reader->Varint();
  if (info.pc_shift_ >= 32) return std::nullopt;
  info.base_pc_ = reader->Varint() << info.pc_shift_;
  info.frame_rule_count_ = reader->Varint();
  info.site_count_ = reader->Varint();
  const uint32_t site_bytes = reader->Varint();
  info.line_count_ = reader->Varint();
  const uint32_t line_bytes = reader->Varint();
  // A rule takes two bytes at least, a site two, a line one.
  if (info.site_count_ > site_bytes / 2 || info.line_count_ > line_bytes ||
      info.frame_rule_count_ > reader->remaining() / 2) {
    return std::nullopt;
  }
  const size_t rules_begin = reader->offset();
  for (uint32_t i = 0; i < info.frame_rule_count_ && reader->ok(); ++i) {
    reader->Varint();
    reader->Varint();
  }
  const auto index_size = [](uint32_t count, uint32_t per_chunk) -> size_t {
    return count <= per_chunk ? 0 : (size_t{count} + per_chunk - 1) / per_chunk * kIndexEntrySize;
  };
  const size_t rules_end = reader->offset();
  info.site_index_ = reader->Bytes(index_size(info.site_count_, ExInfoEncoder::kSitesPerChunk));
  info.site_stream_ = reader->Bytes(site_bytes);
  info.line_index_ = reader->Bytes(index_size(info.line_count_, ExInfoEncoder::kLinesPerChunk));
  info.line_stream_ = reader->Bytes(line_bytes);
  if (!reader->ok()) return std::nullopt;
  info.record_bytes_ = reader->offset();
  ByteReader again = *blob.At(offset);
  again.Bytes(rules_begin);
  info.frame_rules_ = again.Bytes(rules_end - rules_begin);
  return info;
}

std::optional<ExInfoReader::Chunk> ExInfoReader::ChunkAt(absl::Span<const uint8_t> index,
                                                         uint32_t chunk, uint32_t count,
                                                         uint32_t per_chunk, size_t stream_size) {
  if (uint64_t{chunk} * per_chunk >= count) return std::nullopt;
  if (index.empty()) return Chunk{0, 0, count};
  const uint8_t* entry = index.data() + kIndexEntrySize * chunk;
  const uint32_t position = LoadLe32(entry + 4);
  if (position > stream_size) return std::nullopt;
  return Chunk{LoadLe32(entry), position, std::min(per_chunk, count - chunk * per_chunk)};
}

// Last chunk that starts at or before `code_offset`.
std::optional<ExInfoReader::Chunk> ExInfoReader::FindChunk(absl::Span<const uint8_t> index,
                                                           uint32_t count, uint32_t per_chunk,
                                                           size_t stream_size,
                                                           uint32_t code_offset) {
  size_t low = 0;
  size_t high = index.size() / kIndexEntrySize;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (LoadLe32(index.data() + kIndexEntrySize * middle) <= code_offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const auto chunk = static_cast<uint32_t>(low == 0 ? 0 : low - 1);
  return ChunkAt(index, chunk, count, per_chunk, stream_size);
}

bool ExInfoReader::NextSite(ByteReader& reader, Site& site, StateMap& state) const {
  const uint8_t head = reader.Byte();
  const uint8_t kind = head & kKindMask;
  if (kind > kUnpaid) reader.Fail();
  site.kind = kind == kManyCharges ? SiteKind::kSuspend
              : kind == kUnpaid    ? SiteKind::kMemory
                                   : static_cast<SiteKind>(kind);
  site.code_offset += reader.Varint();
  const uint32_t short_difference = head >> kGuestShift;
  const uint32_t difference =
      short_difference != 0 ? short_difference : static_cast<uint32_t>(reader.Signed());
  site.guest_pc += difference << pc_shift_;
  site.trap_code = site.kind == SiteKind::kTrap ? reader.Byte() : 0;
  site.refund -= difference;
  if ((head & kHasRefund) != 0) site.refund += static_cast<uint32_t>(reader.Signed());
  if ((head & kReset) != 0) state.Clear();
  if ((head & kHasState) != 0) {
    const uint32_t changes = reader.Count();
    for (uint32_t i = 0; i < changes && reader.ok(); ++i) {
      const StateLocation location = DecodeStateLocation(reader);
      if (reader.ok()) state.Apply(location);
    }
  }
  site.more.clear();
  if (kind >= kManyCharges) {
    const uint32_t count = reader.Count();
    Charge charge{site.guest_pc, kind == kUnpaid ? 0 : site.refund};
    for (uint32_t i = 0; i < count && reader.ok(); ++i) {
      charge.guest_pc += static_cast<uint32_t>(reader.Signed()) << pc_shift_;
      charge.refund -= reader.Varint();
      site.more.push_back(charge);
    }
  }
  return reader.ok();
}

bool ExInfoReader::NextLine(ByteReader& reader, Line& line) const {
  const uint8_t head = reader.Byte();
  if (head > kLineEscape) reader.Fail();
  line.code_offset += head == kLineEscape ? reader.Varint() : head >> 2;
  const bool is_long = head == kLineEscape || (head & 3) == 3;
  const uint32_t guest = is_long ? static_cast<uint32_t>(reader.Signed()) : (head & 3u) + 1;
  line.guest_pc += guest << pc_shift_;
  return reader.ok();
}

std::optional<Site> ExInfoReader::FindSite(uint32_t code_offset) const {
  const std::optional<Chunk> chunk = FindChunk(
      site_index_, site_count_, ExInfoEncoder::kSitesPerChunk, site_stream_.size(), code_offset);
  if (!chunk) return std::nullopt;
  ByteReader reader(site_stream_.subspan(chunk->position));
  Site site{.code_offset = chunk->code_offset, .guest_pc = base_pc_, .state = {}, .more = {}};
  StateMap state;
  for (uint32_t i = 0; i < chunk->count; ++i) {
    if (!NextSite(reader, site, state) || site.code_offset > code_offset) return std::nullopt;
    if (site.code_offset == code_offset) {
      site.state = state.ToVector();
      return site;
    }
  }
  return std::nullopt;
}

std::optional<uint32_t> ExInfoReader::GuestPcAt(uint32_t code_offset) const {
  const std::optional<Chunk> chunk = FindChunk(
      line_index_, line_count_, ExInfoEncoder::kLinesPerChunk, line_stream_.size(), code_offset);
  if (!chunk) return std::nullopt;
  ByteReader reader(line_stream_.subspan(chunk->position));
  Line line{chunk->code_offset, base_pc_};
  std::optional<uint32_t> result;
  for (uint32_t i = 0; i < chunk->count; ++i) {
    if (!NextLine(reader, line)) return std::nullopt;
    if (line.code_offset > code_offset) break;
    result = line.guest_pc;
  }
  return result;
}

std::optional<uint32_t> ExInfoReader::CfaOffsetAt(uint32_t code_offset) const {
  ByteReader reader(frame_rules_);
  FrameRule rule{0, 0};
  std::optional<uint32_t> result;
  for (uint32_t i = 0; i < frame_rule_count_; ++i) {
    rule.code_offset += reader.Varint();
    rule.cfa_offset += static_cast<uint32_t>(reader.Signed());
    if (!reader.ok()) return std::nullopt;
    if (rule.code_offset > code_offset) break;
    result = rule.cfa_offset;
  }
  return result;
}

std::optional<std::vector<Site>> ExInfoReader::DecodeSites() const {
  std::vector<Site> sites;
  sites.reserve(site_count_);
  ByteReader reader(site_stream_);
  for (uint32_t c = 0; sites.size() < site_count_; ++c) {
    const std::optional<Chunk> chunk =
        ChunkAt(site_index_, c, site_count_, ExInfoEncoder::kSitesPerChunk, site_stream_.size());
    if (!chunk || chunk->position != reader.offset()) return std::nullopt;
    Site site{.code_offset = chunk->code_offset, .guest_pc = base_pc_, .state = {}, .more = {}};
    StateMap state;
    const uint32_t count = std::min(chunk->count, ExInfoEncoder::kSitesPerChunk);
    for (uint32_t i = 0; i < count; ++i) {
      if (!NextSite(reader, site, state)) return std::nullopt;
      if (c > 0 && i == 0 && site.code_offset != chunk->code_offset) return std::nullopt;
      if (!sites.empty() && site.code_offset <= sites.back().code_offset) return std::nullopt;
      sites.push_back(site);
      sites.back().state = state.ToVector();
    }
  }
  if (reader.remaining() != 0) return std::nullopt;
  return sites;
}

std::optional<std::vector<Line>> ExInfoReader::DecodeLines() const {
  std::vector<Line> lines;
  lines.reserve(line_count_);
  ByteReader reader(line_stream_);
  for (uint32_t c = 0; lines.size() < line_count_; ++c) {
    const std::optional<Chunk> chunk =
        ChunkAt(line_index_, c, line_count_, ExInfoEncoder::kLinesPerChunk, line_stream_.size());
    if (!chunk || chunk->position != reader.offset()) return std::nullopt;
    Line line{chunk->code_offset, base_pc_};
    const uint32_t count = std::min(chunk->count, ExInfoEncoder::kLinesPerChunk);
    for (uint32_t i = 0; i < count; ++i) {
      if (!NextLine(reader, line)) return std::nullopt;
      if (c > 0 && i == 0 && line.code_offset != chunk->code_offset) return std::nullopt;
      if (!lines.empty() && line.code_offset < lines.back().code_offset) return std::nullopt;
      lines.push_back(line);
    }
  }
  if (reader.remaining() != 0) return std::nullopt;
  return lines;
}

std::optional<std::vector<FrameRule>> ExInfoReader::DecodeFrameRules() const {
  std::vector<FrameRule> rules;
  rules.reserve(frame_rule_count_);
  ByteReader reader(frame_rules_);
  FrameRule rule{0, 0};
  for (uint32_t i = 0; i < frame_rule_count_; ++i) {
    const uint32_t difference = reader.Varint();
    if (rule.code_offset + difference < rule.code_offset) return std::nullopt;
    rule.code_offset += difference;
    rule.cfa_offset += static_cast<uint32_t>(reader.Signed());
    rules.push_back(rule);
  }
  if (!reader.ok() || reader.remaining() != 0) return std::nullopt;
  return rules;
}

}  // namespace precast::format
