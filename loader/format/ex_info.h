// What is known about the machine code of one function besides the code: how big its frame is,
// where execution can stop and what the guest's state is there, and which guest instruction each
// machine instruction belongs to. Encoder and decoder side by side.
//
// The record, in the blob; all numbers are varints (varint.h) unless said otherwise, `zigzag` means
// signed:
//
//   pc_shift                       guest pcs are stored in units of 1 << pc_shift
//   base_pc >> pc_shift            where guest pc counting starts in every chunk
//   frame_rule_count
//   site_count, site_bytes
//   line_count, line_bytes
//   frame rules                    per rule: code offset - that of the rule before,
//                                  zigzag(CFA offset - before)
//   site index, if site_count > 64
//                                  per chunk of 64 sites: u32 code offset,
//                                  u32 position in the site stream
//   site stream, site_bytes
//   line index, if line_count > 128
//                                  per chunk of 128 lines: the same
//   line stream, line_bytes
//
// A chunk can be decoded on its own: it starts at its index entry's code offset (the first chunk at
// 0), at base_pc, with refund 0 and an empty state map, so looking up a code offset reads one
// chunk.
//
//   site:  head byte               bits 0-2 kind, 3 reset, 4 state changes follow,
//                                  5 refund follows, 6-7 guest pc difference in units: 1, 2, 3, or
//                                  0: zigzag follows
//          code offset - before
//          [zigzag guest pc difference]
//          [trap code byte]        if the kind is kTrap
//          [zigzag (refund - predicted)]
//                                  predicted: refund before - guest pc difference in units
//                                  (otherwise equal)
//          [count, then per change: slot * 4 + kind, and for kRegister: number (16 more: its upper
//          half); for kFrame:
//           displacement rotated right by 2, unsigned; for kConstant: zigzag value]
//
//   line:  byte b < 0xf0           code offset += b >> 2; guest pc += (b & 3) + 1 units, or if
//                                  b & 3 is 3, zigzag follows
//          byte 0xf0               code offset difference, zigzag guest pc difference
//
// Within a stretch of code that is charged for at once, the refund falls by one for each guest
// instruction, which is what the prediction says; so a site without state changes takes two to four
// bytes and the usual line one or two. State changes, about two bytes each, are most of the rest.
#ifndef PRECAST_LOADER_FORMAT_EX_INFO_H_
#define PRECAST_LOADER_FORMAT_EX_INFO_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/log/check.h"
#include "absl/types/span.h"
#include "loader/format/blob.h"
#include "loader/format/varint.h"

namespace precast::format {

enum class SiteKind : uint8_t { kMemory, kTrap, kSuspend, kStack, kCall };
inline constexpr uint8_t kSiteKindCount = 5;

// Where a guest state slot's value is at a site. Slots not mentioned are up to date in VmContext.
struct StateLocation {
  enum class Kind : uint8_t { kContext, kRegister, kFrame, kConstant };
  uint8_t slot;
  Kind kind;
  // Register number, or 16 more for the upper half of the register; displacement from the stack
  // pointer; or the value; 0 for kContext.
  int32_t value;
  friend bool operator==(const StateLocation&, const StateLocation&) = default;
};

// Slot -> location, without kContext entries. Fixed size: usable where nothing may be allocated.
class StateMap {
 public:
  void Clear() { present_ = {}; }
  // kContext removes the slot.
  void Apply(const StateLocation& location);
  // By ascending slot.
  std::vector<StateLocation> ToVector() const;
  // Behind what `out` has.
  void AppendTo(std::vector<StateLocation>& out) const;

 private:
  std::array<uint64_t, 4> present_ = {};
  std::array<StateLocation::Kind, 256> kinds_;
  std::array<int32_t, 256> values_;
};

// One of several segments of guest code that are charged for at once: its first pc, and what must
// be added to the fuel register to have what was left before it; or, of kMemory, behind it.
struct Charge {
  uint32_t guest_pc;
  uint32_t refund;
  friend bool operator==(const Charge&, const Charge&) = default;
};

// A place in the code where execution can stop.
struct Site {
  uint32_t code_offset = 0;
  SiteKind kind = SiteKind::kMemory;
  uint8_t trap_code = 0;  // 0 unless kTrap
  uint32_t guest_pc = 0;
  uint32_t refund = 0;
  std::vector<StateLocation> state;  // complete, by ascending slot
  std::vector<Charge> more;  // kSuspend: the charges after the first; kMemory: those not made yet
  friend bool operator==(const Site&, const Site&) = default;
};

struct FrameRule {  // from code_offset on, CFA = stack pointer + cfa_offset
  uint32_t code_offset;
  uint32_t cfa_offset;
  friend bool operator==(const FrameRule&, const FrameRule&) = default;
};

struct Line {  // from code_offset on, the code belongs to guest_pc
  uint32_t code_offset;
  uint32_t guest_pc;
  friend bool operator==(const Line&, const Line&) = default;
};

// Parts of the bytes above.
namespace ex_info {
inline constexpr uint8_t kKindMask = 0x07;
// kSuspend with more charges.
inline constexpr uint8_t kManyCharges = kSiteKindCount;
// kMemory before charges.
inline constexpr uint8_t kUnpaid = kSiteKindCount + 1;
inline constexpr uint8_t kReset = 0x08;
inline constexpr uint8_t kHasState = 0x10;
inline constexpr uint8_t kHasRefund = 0x20;
inline constexpr int kGuestShift = 6;
inline constexpr uint8_t kLineEscape = 0xf0;
}  // namespace ex_info

// Each kind of thing must be added by ascending code offset (sites strictly). Holds the buffers, to
// be used for one record after another.
class ExInfoEncoder {
 public:
  static constexpr uint32_t kSitesPerChunk = 64;
  static constexpr uint32_t kLinesPerChunk = 128;

  // All guest pcs must be multiples of 1 << pc_shift: 2 for RISC-V without compressed instructions.
  // `base_pc` should be near the lowest of them.
  ExInfoEncoder(uint32_t base_pc, uint32_t pc_shift) { Begin(base_pc, pc_shift); }
  // For Begin.
  ExInfoEncoder() = default;
  // Begins another record.
  void Begin(uint32_t base_pc, uint32_t pc_shift);

  // Room for about that many, so that nothing moves while it is written.
  void Reserve(size_t sites, size_t lines);
  void AddFrameRule(const FrameRule& rule);
  // `changes` are the differences of the state map to the site before; with `reset` to the empty
  // map. `more`: with kSuspend and kMemory; refunds descend.
  void AddSite(uint32_t code_offset, SiteKind kind, uint8_t trap_code, uint32_t guest_pc,
               uint32_t refund, bool reset, absl::Span<const StateLocation> changes,
               absl::Span<const Charge> more = {});
  // Sites that change no state and have one charge: of anything that has the fields of a Site.
  template <typename AnySite>
  void AddPlainSites(absl::Span<const AnySite> sites);
  // Of anything that has a code_offset and a guest_pc, as a Line.
  template <typename AnyLine>
  void AddLines(absl::Span<const AnyLine> lines);
  void AddLine(const Line& line) { AddLines(absl::MakeConstSpan(&line, 1)); }

  // The record, for BlobBuilder::Add.
  std::vector<uint8_t> Finish() const;

  // For statistics.
  size_t site_bytes() const { return site_stream_.size() + site_index_.size(); }
  size_t line_bytes() const { return line_stream_.size() + line_index_.size(); }

 private:
  // What the next site is a difference to.
  struct SiteBefore {
    uint32_t code_offset = 0, guest_pc = 0, refund = 0;
  };
  static constexpr size_t kMaxSiteBytes = 2 + 3 * kMaxVarint;
  static constexpr uint32_t kOneByte = 0x80;  // varints below are a byte
  // Writes a site at `out`, without state and charges; returns what is behind it. `head`: what of
  // the head byte is not said by the others.
  static uint8_t* PutSite(uint8_t* out, SiteBefore& before, uint32_t pc_shift, uint32_t code_offset,
                          uint8_t head, uint8_t trap_code, uint32_t guest_pc, uint32_t refund);
  void StartLineChunk(uint32_t code_offset);
  // Of one guest pc, or several combined by `or`.
  void CheckAligned(uint32_t guest_pcs) const {
    CHECK_EQ(guest_pcs, guest_pcs >> pc_shift_ << pc_shift_);
  }

  uint32_t base_pc_ = 0;
  uint32_t pc_shift_ = 0;

  ByteWriter frame_rules_;
  uint32_t frame_rule_count_ = 0;
  FrameRule last_rule_{0, 0};

  ByteWriter site_stream_, site_index_;
  uint32_t site_count_ = 0;
  SiteBefore last_site_;
  StateMap state_;
  std::vector<StateLocation> whole_;  // state_, where a chunk begins

  ByteWriter line_stream_, line_index_;
  uint32_t line_count_ = 0;
  Line last_line_{0, 0};
};

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint8_t* ExInfoEncoder::PutSite(
    uint8_t* out, SiteBefore& before, uint32_t pc_shift, uint32_t code_offset, uint8_t head,
    uint8_t trap_code, uint32_t guest_pc, uint32_t refund) {
  const int32_t difference = static_cast<int32_t>(guest_pc - before.guest_pc) >> pc_shift;
  const bool is_short = static_cast<uint32_t>(difference) - 1 < 3;
  const uint32_t predicted = before.refund - static_cast<uint32_t>(difference);
  const bool is_trap = (head & ex_info::kKindMask) == static_cast<uint8_t>(SiteKind::kTrap);
  const bool has_refund = refund != predicted;
  const uint32_t code = code_offset - before.code_offset;
  const uint32_t guest = ZigZag(difference);
  const uint32_t more = ZigZag(static_cast<int32_t>(refund - predicted));
  head = static_cast<uint8_t>(head | (is_short ? difference << ex_info::kGuestShift : 0) |
                              (has_refund ? ex_info::kHasRefund : 0));
  before = {code_offset, guest_pc, refund};
  *out++ = head;
  if ((code | guest | more) < kOneByte && !is_trap) [[likely]] {
    // Whether a number is there depends on the code: what is not is overwritten instead of being
    // branched around.
    out[0] = static_cast<uint8_t>(code);
    out[1] = static_cast<uint8_t>(guest);
    out += is_short ? 1 : 2;
    out[0] = static_cast<uint8_t>(more);
    return out + (has_refund ? 1 : 0);
  }
  out = PutVarint(out, code);
  if (!is_short) out = PutVarint(out, guest);
  if (is_trap) *out++ = trap_code;
  if (has_refund) out = PutVarint(out, more);
  return out;
}

template <typename AnySite>
void ExInfoEncoder::AddPlainSites(absl::Span<const AnySite> sites) {
  while (!sites.empty()) {
    if (site_count_ % kSitesPerChunk == 0) {  // the state is said anew
      AddSite(sites[0].code_offset, static_cast<SiteKind>(sites[0].kind), sites[0].trap_code,
              sites[0].guest_pc, sites[0].refund, /*reset=*/false, {});
      sites.remove_prefix(1);
      continue;
    }
    const size_t count =
        std::min<size_t>(sites.size(), kSitesPerChunk - site_count_ % kSitesPerChunk);
    uint8_t* out = site_stream_.Room(count * kMaxSiteBytes);
    const uint32_t pc_shift = pc_shift_;
    SiteBefore before = last_site_;
    uint32_t guest_pcs = 0;
    for (const AnySite& site : sites.subspan(0, count)) {
      CHECK_GT(site.code_offset, before.code_offset) << "sites must ascend";
      guest_pcs |= site.guest_pc;
      out = PutSite(out, before, pc_shift, site.code_offset, static_cast<uint8_t>(site.kind),
                    site.trap_code, site.guest_pc, site.refund);
    }
    CheckAligned(guest_pcs);
    last_site_ = before;
    site_stream_.Advance(out);
    site_count_ += static_cast<uint32_t>(count);
    sites.remove_prefix(count);
  }
}

template <typename AnyLine>
void ExInfoEncoder::AddLines(absl::Span<const AnyLine> lines) {
  constexpr size_t kMaxLineBytes = 1 + 2 * kMaxVarint;
  while (!lines.empty()) {
    if (line_count_ % kLinesPerChunk == 0) StartLineChunk(lines[0].code_offset);
    const size_t count =
        std::min<size_t>(lines.size(), kLinesPerChunk - line_count_ % kLinesPerChunk);
    uint8_t* out = line_stream_.Room(count * kMaxLineBytes);
    // In registers, not where bytes written could be thought to be.
    const uint32_t pc_shift = pc_shift_;
    const bool has_next = pc_shift != 0;
    const uint32_t next = uint32_t{1} << pc_shift;
    Line last = last_line_;
    uint32_t guest_pcs = 0;
    for (const AnyLine& line : lines.subspan(0, count)) {
      CHECK_GE(line.code_offset, last.code_offset) << "lines must ascend";
      guest_pcs |= line.guest_pc;
      const uint32_t code = line.code_offset - last.code_offset;
      const uint32_t bytes = line.guest_pc - last.guest_pc;
      last = {line.code_offset, line.guest_pc};
      // Where instructions have one size, nearly every line is of the next one; where they have
      // not, that cannot be foreseen.
      if (has_next && bytes == next && code < ex_info::kLineEscape / 4) {
        *out++ = static_cast<uint8_t>(code << 2);
        continue;
      }
      const int32_t guest = static_cast<int32_t>(bytes) >> pc_shift;
      if (code < ex_info::kLineEscape / 4 && ZigZag(guest) < kOneByte) [[likely]] {
        // As in PutSite.
        const uint32_t field = static_cast<uint32_t>(guest) - 1;
        const uint32_t follows = field > 2 ? 1 : 0;
        out[0] = static_cast<uint8_t>(code << 2 | ((field | (0 - follows)) & 3));
        out[1] = static_cast<uint8_t>(ZigZag(guest));
        out += 1 + follows;
      } else if (code < ex_info::kLineEscape / 4) {
        *out++ = static_cast<uint8_t>(code << 2 | 3);
        out = PutSigned(out, guest);
      } else {
        *out++ = ex_info::kLineEscape;
        out = PutSigned(PutVarint(out, code), guest);
      }
    }
    CheckAligned(guest_pcs);
    line_stream_.Advance(out);
    last_line_ = last;
    line_count_ += static_cast<uint32_t>(count);
    lines.remove_prefix(count);
  }
}

// A view of a record; the blob must outlive it. Safe on any bytes: damage shows as "not found".
class ExInfoReader {
 public:
  // Nothing if the record's fixed part is damaged.
  static std::optional<ExInfoReader> At(const BlobReader& blob, uint32_t offset);

  uint32_t site_count() const { return site_count_; }
  uint32_t line_count() const { return line_count_; }
  uint32_t frame_rule_count() const { return frame_rule_count_; }
  // Encoded bytes, with their index.
  size_t site_bytes() const { return site_index_.size() + site_stream_.size(); }
  size_t line_bytes() const { return line_index_.size() + line_stream_.size(); }
  size_t record_bytes() const { return record_bytes_; }

  // The site whose code offset is exactly this.
  std::optional<Site> FindSite(uint32_t code_offset) const;
  // Guest pc of the last line at or before this.
  std::optional<uint32_t> GuestPcAt(uint32_t code_offset) const;
  // CFA - stack pointer by the last frame rule at or before this.
  std::optional<uint32_t> CfaOffsetAt(uint32_t code_offset) const;

  // Everything, in one pass; nothing if any of it is damaged: streams that do not end where they
  // should, offsets that do not ascend, an index that disagrees with its stream.
  std::optional<std::vector<Site>> DecodeSites() const;
  std::optional<std::vector<Line>> DecodeLines() const;
  std::optional<std::vector<FrameRule>> DecodeFrameRules() const;

 private:
  struct Chunk {
    uint32_t code_offset;
    uint32_t position;  // in the stream
    uint32_t count;     // sites or lines
  };
  static std::optional<Chunk> ChunkAt(absl::Span<const uint8_t> index, uint32_t chunk,
                                      uint32_t count, uint32_t per_chunk, size_t stream_size);
  static std::optional<Chunk> FindChunk(absl::Span<const uint8_t> index, uint32_t count,
                                        uint32_t per_chunk, size_t stream_size,
                                        uint32_t code_offset);

  // Decodes the next site's fields into `site` (whose fields are those of the site before) and
  // `state`.
  bool NextSite(ByteReader& reader, Site& site, StateMap& state) const;
  bool NextLine(ByteReader& reader, Line& line) const;

  uint32_t base_pc_ = 0;
  uint32_t pc_shift_ = 0;
  uint32_t frame_rule_count_ = 0;
  uint32_t site_count_ = 0;
  uint32_t line_count_ = 0;
  size_t record_bytes_ = 0;
  absl::Span<const uint8_t> frame_rules_;  // and all that follows
  absl::Span<const uint8_t> site_index_, site_stream_;
  absl::Span<const uint8_t> line_index_, line_stream_;
};

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_EX_INFO_H_
