// The side tables: what the runtime must know of each place where execution can stop, and what
// debuggers, unwinders and the image builder must know of the code.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/x64/code_buffer.h"
#include "compiler/x64/emitter.h"

namespace precast::x64::emission {
namespace {

// Code is fetched so many bytes at once. A function of a few instructions that begins where such a
// piece does is fetched in fewer; so is one that calls itself, as a loop whose head that is.
constexpr uint32_t kFetch = 32;
constexpr size_t kSmallFunction = 2 * kFetch;

bool SameState(const StateLocation& a, const StateLocation& b) {
  return a.slot == b.slot && a.kind == b.kind && a.value == b.value;
}

bool CallsItself(const codegen::CompiledFunction& f) {
  return std::any_of(f.relocations.begin(), f.relocations.end(),
                     [&](const codegen::CodeRelocation& r) {
                       return r.target == codegen::CodeRelocation::Target::kFunction &&
                              r.index == f.entries.front().guest_pc;
                     });
}

}  // namespace

void Emitter::SetCfa(uint32_t cfa) {
  if (!frame_rules_.empty() && frame_rules_.back().second == cfa) return;
  const CodePosition here = buffer_.Here();
  if (!frame_rules_.empty() && frame_rules_.back().first == here) {
    frame_rules_.back().second = cfa;
  } else {
    frame_rules_.push_back({here, cfa});
  }
}

uint32_t Emitter::AddConstant(absl::Span<const uint8_t> bytes, uint32_t alignment) {
  const auto [it, added] =
      constant_index_.try_emplace({alignment, std::vector<uint8_t>(bytes.begin(), bytes.end())}, 0);
  if (added) {
    const size_t at = (constants_.size() + alignment - 1) / alignment * alignment;
    constants_.resize(at);
    constants_.insert(constants_.end(), bytes.begin(), bytes.end());
    it->second = static_cast<uint32_t>(at);
  }
  return it->second;
}

void Emitter::SetLine(uint32_t guest_pc) {
  if (guest_pc == 0 || guest_pc == last_line_) return;
  last_line_ = guest_pc;
  lines_.push_back({buffer_.Here(), guest_pc});
}

void Emitter::AddSite(Site::Kind kind, const MInst& m, uint8_t trap_code, uint32_t state_begin,
                      uint32_t state_count) {
  sites_.push_back(
      {buffer_.Here(), kind, trap_code, block_start_, m.site, state_begin, state_count});
  if (m.site.IsUnpaid()) AddUnpaid(m_.unpaid[m.site.refund - ir::Site::kUnpaid]);
  sites_.back().ir.refund += static_cast<uint32_t>(prepaid_);
  block_start_ = false;
}

void Emitter::AddUnpaid(const ir::Unpaid& unpaid) {
  PendingSite& site = sites_.back();
  DCHECK(site.kind == Site::Kind::kMemory);
  site.more_begin = static_cast<uint32_t>(more_charges_.size());
  uint32_t left = 0;
  for (const ir::Unpaid::Charge& c : unpaid.charges) {
    left -= c.amount;
    // What is behind has been paid already.
    if (prepaid_ == 0) more_charges_.push_back({c.guest_pc, left});
  }
  site.more_count = static_cast<uint32_t>(more_charges_.size()) - site.more_begin;
  site.ir.refund = unpaid.refund + left;
}

void Emitter::TrapInside(Cond cc, uint32_t back, Site::Kind kind, const MInst& m,
                         uint32_t state_begin, uint32_t state_count) {
  CodePosition at = buffer_.Here();
  at.raw -= back;
  AddSite(kind, m, 0, state_begin, state_count);
  sites_.back().at = at;
  e_.JccRel8(cc, static_cast<uint8_t>(0u - (back + 2)));
}

void Emitter::StartState(uint32_t i) {
  const auto before = [](const auto& range, uint32_t at) { return range.from < at; };
  const auto first = [&](const auto& ranges, size_t guess) {
    if ((guess == ranges.size() || ranges[guess].from >= i) &&
        (guess == 0 || ranges[guess - 1].from < i)) {
      return guess;
    }
    return static_cast<size_t>(std::lower_bound(ranges.begin(), ranges.end(), i, before) -
                               ranges.begin());
  };
  next_tracked_ = first(s_.tracked, next_tracked_);
  next_constant_ = first(m_.constant_state, next_constant_);
  live_slots_[0] = live_slots_[1] = live_slots_[2] = live_slots_[3] = 0;
  captured_until_.reset();
}

std::pair<uint32_t, uint32_t> Emitter::CaptureState(uint32_t i) {
  while (next_tracked_ < s_.tracked.size() && s_.tracked[next_tracked_].from <= i) {
    const regalloc::TrackedLocation& t = s_.tracked[next_tracked_++];
    const bool high = t.label > 0xff;
    StateLocation where{.slot = static_cast<uint8_t>(t.label & 0xff),
                        .kind = StateLocation::Kind::kRegister,
                        .value = 0};
    if (t.location.kind == Location::Kind::kReg) {
      where.value = t.location.reg.hw + (high ? StateLocation::kUpperHalf : 0);
    } else {
      DCHECK(t.location.kind == Location::Kind::kSlot);
      where.kind = StateLocation::Kind::kFrame;
      where.value = SlotDisp(t.location.slot, RegClass::kInt) + (high ? 4 : 0);
    }
    SetState(where, t.to);
  }
  while (next_constant_ < m_.constant_state.size() && m_.constant_state[next_constant_].from <= i) {
    const ConstantState& c = m_.constant_state[next_constant_++];
    SetState({c.slot, StateLocation::Kind::kConstant, c.value}, c.to);
  }
  // As it was at the site before.
  if (captured_until_.has_value() && i <= *captured_until_) return captured_;
  const uint32_t begin = static_cast<uint32_t>(state_pool_.size());
  uint32_t until = ~uint32_t{0};
  for (size_t word = 0; word < 4; ++word) {
    for (uint64_t bits = live_slots_[word]; bits != 0; bits &= bits - 1) {
      const size_t slot = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
      if (state_until_[slot] < i) {
        live_slots_[word] &= ~(uint64_t{1} << (slot % 64));
      } else {
        state_pool_.push_back(state_[slot]);
        until = std::min(until, state_until_[slot]);
      }
    }
  }
  captured_until_ = until;
  captured_ = {begin, static_cast<uint32_t>(state_pool_.size()) - begin};
  return captured_;
}

void Emitter::SetState(const StateLocation& where, uint32_t until) {
  captured_until_.reset();
  state_[where.slot] = where;
  state_until_[where.slot] = until;
  live_slots_[where.slot / 64] |= uint64_t{1} << (where.slot % 64);
}

codegen::CompiledFunction Emitter::Finish() {
  codegen::CompiledFunction out;
  out.code = buffer_.Finish();
  for (const PendingRelocation& r : relocations_) {
    out.relocations.push_back({buffer_.Offset(r.at), r.target, r.index, r.addend});
  }
  for (const TableEntry& t : table_entries_) {
    out.constant_relocations.push_back({t.offset, buffer_.Offset(t.target), t.base});
  }
  out.constants = std::move(constants_);
  // Entries were met in layout order; they are wanted in the function's order.
  out.entries.resize(m_.entry_blocks.size());
  std::vector<std::pair<uint32_t, uint32_t>> order;  // block, number
  for (uint32_t k = 0; k < m_.entry_blocks.size(); ++k) order.push_back({m_.entry_blocks[k], k});
  std::sort(order.begin(), order.end());
  CHECK_EQ(order.size(), entry_positions_.size());
  for (size_t k = 0; k < order.size(); ++k) {
    out.entries[order[k].second] = {entry_positions_[k].first,
                                    buffer_.Offset(entry_positions_[k].second)};
  }
  if (out.code.size() <= kSmallFunction || CallsItself(out)) out.alignment = kFetch;
  if (buffer_.needs_line()) out.alignment = CodeBuffer::kLine;
  for (const auto& [at, cfa] : frame_rules_) out.frame_rules.push_back({buffer_.Offset(at), cfa});
  for (const auto& [at, pc] : lines_) out.lines.push_back({buffer_.Offset(at), pc});
  FinishSites(out);
  return out;
}

void Emitter::FinishSites(codegen::CompiledFunction& out) {
  out.sites.reserve(sites_.size());
  out.charges = std::move(more_charges_);
  absl::Span<const StateLocation> previous;
  std::vector<StateLocation> delta;
  for (const PendingSite& p : sites_) {
    const auto state = absl::MakeConstSpan(state_pool_).subspan(p.state_begin, p.state_count);
    Site site{.code_offset = buffer_.Offset(p.at),
              .kind = p.kind,
              .trap_code = p.trap_code,
              .guest_pc = p.ir.guest_pc,
              .refund = p.ir.refund,
              .reset = p.block_start || out.sites.empty(),
              .more_begin = p.more_begin,
              .more_end = p.more_begin + p.more_count};
    site.state_begin = static_cast<uint32_t>(out.states.size());
    const bool same = state.data() == previous.data() && state.size() == previous.size();
    if (!site.reset && (!same || state.empty())) {
      delta.clear();
      size_t a = 0, b = 0;
      while (a < previous.size() || b < state.size()) {
        if (b == state.size() || (a < previous.size() && previous[a].slot < state[b].slot)) {
          delta.push_back({previous[a++].slot, StateLocation::Kind::kContext, 0});
        } else if (a == previous.size() || state[b].slot < previous[a].slot) {
          delta.push_back(state[b++]);
        } else {
          if (!SameState(previous[a], state[b])) delta.push_back(state[b]);
          ++a;
          ++b;
        }
      }
      if (delta.size() > state.size() || state.empty()) {
        site.reset = true;
      } else {
        out.states.insert(out.states.end(), delta.begin(), delta.end());
      }
    }
    if (site.reset) out.states.insert(out.states.end(), state.begin(), state.end());
    site.state_end = static_cast<uint32_t>(out.states.size());
    previous = state;
    out.sites.push_back(site);
  }
}

}  // namespace precast::x64::emission
