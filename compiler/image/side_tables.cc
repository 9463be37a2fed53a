// See side_tables.h.
#include "compiler/image/side_tables.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/types/span.h"
#include "elfwriter/cfi.h"
#include "loader/format/ex_info.h"

namespace precast::image {

using codegen::CompiledFunction;

uint32_t PcShift(guest::Kind kind) {
  constexpr uint32_t kRiscV = 2;  // its instructions are 4 bytes
  return kind == guest::Kind::kWasm ? 0 : kRiscV;
}

std::vector<uint8_t> EncodeExInfo(guest::Kind kind, const CompiledFunction& f,
                                  format::ExInfoEncoder& encoder) {
  encoder.Begin(f.guest_begin, PcShift(kind));
  encoder.Reserve(f.sites.size(), f.lines.size());
  for (const codegen::FrameRule& rule : f.frame_rules)
    encoder.AddFrameRule({rule.code_offset, rule.cfa_offset});
  std::vector<format::StateLocation> changes;
  std::vector<format::Charge> more;
  const auto is_plain = [](const codegen::Site& site) {
    return (uint32_t{site.reset} | (site.state_begin ^ site.state_end) |
            (site.more_begin ^ site.more_end)) == 0;
  };
  const absl::Span<const codegen::Site> sites = f.sites;
  for (size_t i = 0; i < sites.size();) {
    size_t end = i;
    while (end < sites.size() && is_plain(sites[end])) ++end;
    encoder.AddPlainSites(sites.subspan(i, end - i));
    i = end;
    if (i == sites.size()) break;
    const codegen::Site& site = sites[i++];
    changes.clear();
    more.clear();
    for (const codegen::StateLocation& l : f.StateOf(site)) {
      changes.push_back({l.slot, static_cast<format::StateLocation::Kind>(l.kind), l.value});
    }
    for (const codegen::Charge& c : f.MoreOf(site)) more.push_back({c.guest_pc, c.refund});
    encoder.AddSite(site.code_offset, static_cast<format::SiteKind>(site.kind), site.trap_code,
                    site.guest_pc, site.refund, site.reset, changes, more);
  }
  encoder.AddLines(absl::MakeConstSpan(f.lines));
  return encoder.Finish();
}

std::vector<uint8_t> EncodeUnwind(const CompiledFunction& f) {
  elfwriter::CfiProgram program;
  for (const codegen::FrameRule& rule : f.frame_rules)
    program.AdvanceTo(rule.code_offset).DefCfaOffset(rule.cfa_offset);
  return std::vector<uint8_t>(program.bytes().begin(), program.bytes().end());
}

void EncodeSideTables(guest::Kind kind, CompiledFunction& function,
                      format::ExInfoEncoder& encoder) {
  function.ex_info = EncodeExInfo(kind, function, encoder);
  function.unwind = EncodeUnwind(function);
}

void DropSideTables(CompiledFunction& function) {
  // Assigning {} would keep the room.
  const auto drop = [](auto& table) { std::decay_t<decltype(table)>().swap(table); };
  drop(function.sites);
  drop(function.states);
  drop(function.charges);
  drop(function.frame_rules);
  drop(function.lines);
}

}  // namespace precast::image
