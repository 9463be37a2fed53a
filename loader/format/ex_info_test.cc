// Properties of the per-function side tables: what was encoded comes back, whole and by lookup;
// state maps are what applying the changes one by one gives; hostile bytes never crash; the usual
// site stays small.
#include "loader/format/ex_info.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>

namespace precast::format {
namespace {

struct Function {
  uint32_t base_pc = 0x10000;
  std::vector<FrameRule> frame_rules;
  std::vector<Site> sites;
  std::vector<Line> lines;
  std::vector<uint8_t> record;
};

StateLocation RandomLocation(std::mt19937_64& random) {
  StateLocation location;
  location.slot = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 33);
  location.kind = static_cast<StateLocation::Kind>(random() % 4);
  switch (location.kind) {
    case StateLocation::Kind::kContext:
      location.value = 0;
      break;
    case StateLocation::Kind::kRegister:
      location.value = static_cast<int32_t>(random() % 16);
      break;
    case StateLocation::Kind::kFrame:
      location.value = static_cast<int32_t>(random() % 100 * 4 + (random() % 50 == 0 ? 1 : 0));
      if (random() % 50 == 0) location.value = -location.value;
      break;
    case StateLocation::Kind::kConstant:
      location.value = static_cast<int32_t>(random() >> (32 + random() % 32));
      break;
  }
  return location;
}

Function RandomFunction(std::mt19937_64& random, size_t site_count, size_t line_count) {
  Function function;
  ExInfoEncoder encoder(function.base_pc, 2);
  FrameRule rule{0, 8};
  for (uint64_t i = random() % 5; i > 0; --i) {
    function.frame_rules.push_back(rule);
    encoder.AddFrameRule(rule);
    rule.code_offset += static_cast<uint32_t>(random() % 1000);
    rule.cfa_offset = static_cast<uint32_t>(random() % 100 * 8);
  }
  std::map<uint8_t, StateLocation> state;
  uint32_t code_offset = static_cast<uint32_t>(random() % 2);
  uint32_t refund = 10;
  uint32_t guest_pc = function.base_pc;
  for (size_t i = 0; i < site_count; ++i) {
    const bool reset = random() % 8 == 0;
    if (reset) state.clear();
    std::vector<StateLocation> changes;
    for (uint64_t n = random() % 3 == 0 ? random() % 6 : 0; n > 0; --n) {
      changes.push_back(RandomLocation(random));
      state.erase(changes.back().slot);
      if (changes.back().kind != StateLocation::Kind::kContext) {
        state[changes.back().slot] = changes.back();
      }
    }
    Site site;
    site.code_offset = code_offset;
    site.kind = static_cast<SiteKind>(random() % kSiteKindCount);
    site.trap_code = site.kind == SiteKind::kTrap ? static_cast<uint8_t>(random()) : 0;
    site.guest_pc = guest_pc;
    site.refund = refund;
    for (const auto& [slot, location] : state) site.state.push_back(location);
    if (site.kind == SiteKind::kMemory || site.kind == SiteKind::kSuspend) {
      Charge charge{guest_pc, site.kind == SiteKind::kMemory ? 0 : refund};
      for (uint64_t n = random() % 3 == 0 ? random() % 4 : 0; n > 0; --n) {
        charge.guest_pc -= 4 * static_cast<uint32_t>(random() % 20);
        charge.refund -= 1 + static_cast<uint32_t>(random() % 300);
        site.more.push_back(charge);
      }
    }
    encoder.AddSite(site.code_offset, site.kind, site.trap_code, site.guest_pc, site.refund, reset,
                    changes, site.more);
    function.sites.push_back(site);
    code_offset += 1 + static_cast<uint32_t>(random() % (random() % 20 == 0 ? 10000 : 20));
    const auto pc_step = static_cast<uint32_t>(random() % 4);
    guest_pc = random() % 50 == 0 ? static_cast<uint32_t>(random()) & ~3u : guest_pc + 4 * pc_step;
    refund = random() % 4 == 0 ? static_cast<uint32_t>(random() % 100) : refund - pc_step;
  }
  Line line{static_cast<uint32_t>(random() % 2), function.base_pc};
  for (size_t i = 0; i < line_count; ++i) {
    function.lines.push_back(line);
    encoder.AddLine(line);
    line.code_offset += static_cast<uint32_t>(random() % (random() % 20 == 0 ? 10000 : 70));
    line.guest_pc = random() % 20 == 0 ? static_cast<uint32_t>(random()) & ~3u
                                       : line.guest_pc + 4 * static_cast<uint32_t>(random() % 5);
  }
  function.record = encoder.Finish();
  return function;
}

TEST(ExInfo, RoundTrips) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    const Function function = RandomFunction(random, random() % 400, random() % 600);
    BlobBuilder blob;
    const uint32_t offset = blob.Add(function.record);
    const BlobReader reader(blob.bytes());
    const std::optional<ExInfoReader> info = ExInfoReader::At(reader, offset);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->record_bytes(), function.record.size());
    EXPECT_EQ(info->DecodeFrameRules(), function.frame_rules);
    ASSERT_EQ(info->DecodeSites(), function.sites);
    ASSERT_EQ(info->DecodeLines(), function.lines);
  }
}

TEST(ExInfo, LookupsAgreeWithPlainSearch) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 60; ++i) {
    const Function function = RandomFunction(random, random() % 300, random() % 400);
    BlobBuilder blob;
    const uint32_t offset = blob.Add(function.record);
    const BlobReader reader(blob.bytes());
    const std::optional<ExInfoReader> info = ExInfoReader::At(reader, offset);
    ASSERT_TRUE(info);
    std::map<uint32_t, Site> sites;
    for (const Site& site : function.sites) sites[site.code_offset] = site;
    for (const auto& [at, site] : sites) {
      EXPECT_EQ(info->FindSite(at), site);
      if (!sites.contains(at + 1)) {
        EXPECT_FALSE(info->FindSite(at + 1));
      }
    }
    for (int j = 0; j < 300; ++j) {
      const auto at = static_cast<uint32_t>(random() % 20000);
      std::optional<uint32_t> guest_pc, cfa_offset;
      for (const Line& line : function.lines) {
        if (line.code_offset <= at) guest_pc = line.guest_pc;
      }
      for (const FrameRule& rule : function.frame_rules) {
        if (rule.code_offset <= at) cfa_offset = rule.cfa_offset;
      }
      EXPECT_EQ(info->GuestPcAt(at), guest_pc) << at;
      EXPECT_EQ(info->CfaOffsetAt(at), cfa_offset) << at;
    }
  }
}

TEST(ExInfo, HostileBytes) {
  std::mt19937_64 random(3);
  const Function function = RandomFunction(random, 150, 300);
  for (int i = 0; i < 100000; ++i) {
    std::vector<uint8_t> bytes = {0};
    bytes.insert(bytes.end(), function.record.begin(), function.record.end());
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      const size_t at = 1 + random() % (n % 2 == 0 ? size_t{20} : bytes.size() - 1);
      bytes[at] = static_cast<uint8_t>(random());
    }
    if (random() % 8 == 0) bytes.resize(1 + random() % (bytes.size() - 1));
    const BlobReader reader(bytes);
    const std::optional<ExInfoReader> info = ExInfoReader::At(reader, 1);
    if (!info) continue;
    const auto at = static_cast<uint32_t>(random() % 5000);
    const std::optional<Site> site = info->FindSite(at);
    if (site) {
      ASSERT_EQ(site->code_offset, at);
    }
    info->GuestPcAt(at);
    info->CfaOffsetAt(at);
    if (i % 16 == 0) {
      info->DecodeSites();
      info->DecodeLines();
      info->DecodeFrameRules();
    }
  }
}

// A function as the compiler makes them: blocks of about eight instructions, a memory access every
// third instruction, one deferred value changing every second site.
TEST(ExInfo, UsualSitesAndLinesAreSmall) {
  std::mt19937_64 random(4);
  ExInfoEncoder encoder(0x10000, 2);
  uint32_t code_offset = 0, sites = 0, lines = 0;
  for (uint32_t i = 0; i < 50000; ++i) {
    const uint32_t guest_pc = 0x10000 + 4 * i;
    encoder.AddLine({code_offset, guest_pc});
    ++lines;
    if (random() % 3 == 0) {
      std::vector<StateLocation> changes;
      if (random() % 2 == 0) {
        changes.push_back({static_cast<uint8_t>(random() % 32), StateLocation::Kind::kRegister,
                           static_cast<int32_t>(random() % 16)});
      }
      encoder.AddSite(code_offset, SiteKind::kMemory, 0, guest_pc, 8 - i % 8, i % 64 == 0, changes);
      ++sites;
    }
    code_offset += 3 + static_cast<uint32_t>(random() % 8);
  }
  const double per_site = static_cast<double>(encoder.site_bytes()) / sites;
  const double per_line = static_cast<double>(encoder.line_bytes()) / lines;
  std::cout << "bytes per site " << per_site << ", per line " << per_line << "\n";
  EXPECT_LT(per_site, 5.0);
  EXPECT_LT(per_line, 1.3);
}

}  // namespace
}  // namespace precast::format
