#include "compiler/riscv/region_former.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "compiler/parallel.h"
#include "compiler/riscv/decoder.h"
#include "compiler/riscv/loop_finder.h"

namespace precast::riscv {
namespace {

constexpr uint64_t kEach = FoundCode::kEach;

constexpr uint32_t BitOf(BlockEnd kind) { return uint32_t{1} << static_cast<int>(kind); }
// Ends behind which control may be at a block's target, and at the next block (once a call has
// returned).
constexpr uint32_t kGoesToTarget = BitOf(BlockEnd::kBranch) | BitOf(BlockEnd::kJump);
constexpr uint32_t kGoesOn = BitOf(BlockEnd::kBranch) | BitOf(BlockEnd::kFallThrough) |
                             BitOf(BlockEnd::kCall) | BitOf(BlockEnd::kIndirectCall) |
                             BitOf(BlockEnd::kHostCall);

class RegionFormer {
 public:
  RegionFormer(const guest::Program& program, const Code& code, FoundCode found, int threads)
      : program_(program),
        code_(code),
        threads_(threads),
        found_(std::move(found)),
        num_groups_(static_cast<uint32_t>(found_.flags.size() / 8)) {}

  ControlFlow Run() {
    CountBlocks();
    blocks_.resize(begin_before_.back());
    constexpr uint32_t kStretch = 2 << 10;  // groups that are one piece of work
    ParallelFor((num_groups_ + kStretch - 1) / kStretch, threads_, [&](size_t k) {
      const uint32_t from = static_cast<uint32_t>(k) * kStretch;
      FormBlocks(from, std::min(from + kStretch, num_groups_));
    });
    ControlFlow flow;
    FormRegions(flow);
    std::vector<BasicBlock>().swap(blocks_);
    ChooseEntries(flow);
    NameRegions(flow);
    return flow;
  }

 private:
  uint64_t FlagsOf(uint32_t group) const {
    uint64_t flags;
    std::memcpy(&flags, found_.flags.data() + 8 * size_t{group}, sizeof flags);
    return flags;
  }
  // The lowest bit of each that begins a block.
  static uint64_t Begins(uint64_t flags) {
    static_assert(FoundCode::kReached == 1 && FoundCode::kLeader == 2);
    return flags & flags >> 1 & kEach;
  }
  static uint32_t SumOfEach(uint64_t bytes) { return static_cast<uint32_t>(bytes * kEach >> 56); }

  void CountBlocks() {
    begin_before_.resize(num_groups_ + 1);
    uint32_t count = 0;
    for (uint32_t group = 0; group < num_groups_; ++group) {
      begin_before_[group] = count;
      count += SumOfEach(Begins(FlagsOf(group)));
    }
    begin_before_[num_groups_] = count;
  }

  // Of the block that begins at pc, among all; kNone if there is none.
  uint32_t BlockAt(uint32_t pc) const {
    const uint32_t index = code_.IndexOf(pc);
    if (index == Code::kNone) return BasicBlock::kNone;
    const uint64_t begins = Begins(FlagsOf(index / 8)), bit = uint64_t{1} << 8 * (index % 8);
    if ((begins & bit) == 0) return BasicBlock::kNone;
    return begin_before_[index / 8] + SumOfEach(begins & (bit - 1));
  }

  // Those that begin in groups [from, to) of instructions.
  void FormBlocks(uint32_t from, uint32_t to) {
    uint32_t b = begin_before_[from];
    const uint32_t end = begin_before_[to];
    uint32_t first = Code::kNone;  // instruction index of the block at hand
    uint64_t before_is_unreached = 1;
    for (uint32_t group = from; b < end; ++group) {
      const uint64_t flags = FlagsOf(group);
      const uint64_t begins = Begins(flags), unreached = ~flags & kEach;
      const uint64_t custom = flags >> std::countr_zero(uint32_t{FoundCode::kCustom}) & kEach;
      const uint64_t edges = begins | (unreached & ~(unreached << 8 | before_is_unreached));
      before_is_unreached = unreached >> 56;
      for (uint64_t left = edges | custom; left != 0; left &= left - 1) {
        const uint64_t bit = left & -left;
        const uint32_t i = 8 * group + static_cast<uint32_t>(std::countr_zero(left)) / 8;
        if ((edges & bit) != 0) {
          const bool begins_here = (begins & bit) != 0;
          if (first != Code::kNone) {
            EndBlock(b, i - 1, begins_here);
            if (++b == end) return;
          }
          first = begins_here ? i : Code::kNone;
          if (begins_here) blocks_[b].begin = code_.PcOf(i);
        }
        if ((custom & bit) != 0 && first != Code::kNone) blocks_[b].has_custom = true;
      }
    }
  }

  // Block b ends with the instruction `last`; perhaps another begins behind it.
  void EndBlock(uint32_t b, uint32_t last, bool next_begins) {
    BasicBlock& block = blocks_[b];
    const uint32_t last_pc = code_.PcOf(last);
    block.end = last_pc + 4;
    const bool is_next = next_begins && code_.PcOf(last + 1) == block.end;
    block.next_block = is_next ? b + 1 : BasicBlock::kNone;
    const Instruction& in = code_.At(last);
    block.kind = EndOf(in, last);
    if (block.kind == BlockEnd::kBranch || (in.op == Op::kJal && in.imm % 4 == 0)) {
      block.target = last_pc + static_cast<uint32_t>(in.imm);
    } else if ((found_.flags[last] & FoundCode::kTarget) != 0) {
      block.target = found_.jump_target[last];
    } else {
      block.target = Code::kNone;
      return;
    }
    block.target_block = BlockAt(block.target);
  }

  BlockEnd EndOf(const Instruction& in, uint32_t last) const {
    if (!EndsBlock(in.op)) return BlockEnd::kFallThrough;
    if (IsBranch(in.op)) return BlockEnd::kBranch;
    if (in.op == Op::kJal) {
      if (in.imm % 4 != 0) return BlockEnd::kTrap;
      return in.rd != 0 ? BlockEnd::kCall : BlockEnd::kJump;
    }
    if (in.op == Op::kEcall) return BlockEnd::kHostCall;
    if (in.op != Op::kJalr) return BlockEnd::kTrap;
    if (in.rd != 0) return BlockEnd::kIndirectCall;
    if ((found_.flags[last] & FoundCode::kTarget) != 0) return BlockEnd::kJump;
    if (IsLinkRegister(in.rs1)) return BlockEnd::kReturn;
    return found_.switch_targets.contains(last) ? BlockEnd::kSwitch : BlockEnd::kIndirectJump;
  }

  const std::vector<uint32_t>& TargetsOf(const BasicBlock& block) const {
    return found_.switch_targets.find(code_.IndexOf(block.last_pc()))->second;
  }

  uint32_t Find(uint32_t b) {
    while (parent_[b] != b) b = parent_[b] = parent_[parent_[b]];
    return b;
  }

  // What control goes to from block b is in the same region, unless a function starts there.
  void Join(uint32_t b, uint32_t to) {
    if (to == BasicBlock::kNone) return;
    if ((found_.flags[code_.IndexOf(blocks_[to].begin)] & FoundCode::kStart) != 0) return;
    const uint32_t x = Find(b), y = Find(to);
    parent_[std::max(x, y)] = std::min(x, y);
  }

  void FormRegions(ControlFlow& flow) {
    const uint32_t count = static_cast<uint32_t>(blocks_.size());
    parent_.resize(count);
    std::iota(parent_.begin(), parent_.end(), 0u);
    for (uint32_t b = 0; b < count; ++b) {
      const BasicBlock& block = blocks_[b];
      const uint32_t kind = BitOf(block.kind);
      if ((kind & kGoesToTarget) != 0) Join(b, block.target_block);
      if ((kind & kGoesOn) != 0) Join(b, block.next_block);
      if (block.kind != BlockEnd::kSwitch) continue;
      for (uint32_t pc : TargetsOf(block)) Join(b, BlockAt(pc));
    }
    // Where each block comes to be: the number of its region, and that in it.
    std::vector<uint32_t> region_of(count), number(count);
    std::vector<uint32_t> num_blocks;  // by region
    for (uint32_t b = 0; b < count; ++b) {
      const uint32_t root = Find(b);  // the first one of the region
      if (root == b) {
        region_of[b] = static_cast<uint32_t>(num_blocks.size());
        num_blocks.push_back(0);
      }
      region_of[b] = region_of[root];
      number[b] = num_blocks[region_of[b]]++;
    }
    std::vector<uint32_t>().swap(parent_);
    flow.regions.resize(num_blocks.size());
    for (size_t r = 0; r < num_blocks.size(); ++r) flow.regions[r].blocks.reserve(num_blocks[r]);
    for (uint32_t b = 0; b < count; ++b) {
      const auto number_of = [&](uint32_t to) {
        return to != BasicBlock::kNone && region_of[to] == region_of[b] ? number[to]
                                                                        : BasicBlock::kNone;
      };
      Region& region = flow.regions[region_of[b]];
      BasicBlock& block = region.blocks.emplace_back(blocks_[b]);
      block.target_block = number_of(block.target_block);
      block.next_block = number_of(block.next_block);
      if (block.kind != BlockEnd::kSwitch) continue;
      const std::vector<uint32_t>& targets = TargetsOf(block);
      block.switch_begin = static_cast<uint32_t>(region.switch_targets.size());
      region.switch_targets.insert(region.switch_targets.end(), targets.begin(), targets.end());
      block.switch_end = static_cast<uint32_t>(region.switch_targets.size());
    }
  }

  void ChooseEntries(ControlFlow& flow) {
    Pool<LoopFinder> finders;
    constexpr size_t kGroup = 32;  // of regions
    ParallelFor((flow.regions.size() + kGroup - 1) / kGroup, threads_, [&](size_t group) {
      std::unique_ptr<LoopFinder> finder =
          finders.Take([] { return std::make_unique<LoopFinder>(); });
      const size_t begin = group * kGroup, end = std::min(begin + kGroup, flow.regions.size());
      for (size_t r = begin; r < end; ++r) ChooseEntries(flow.regions[r], *finder);
      finders.Return(std::move(finder));
    });
    size_t num_entries = 0;
    for (const Region& region : flow.regions) {
      num_entries += region.entries.size();
      for (uint32_t pc : region.entries) found_.flags[code_.IndexOf(pc)] |= FoundCode::kEntry;
    }
    flow.entries.reserve(num_entries);
    for (uint32_t group = 0; group < num_groups_; ++group) {
      uint64_t entries = FlagsOf(group) & FoundCode::kEntry * kEach;
      for (; entries != 0; entries &= entries - 1) {
        const uint32_t i = 8 * group + static_cast<uint32_t>(std::countr_zero(entries)) / 8;
        flow.entries.push_back(code_.PcOf(i));
      }
    }
  }

  void ChooseEntries(Region& region, LoopFinder& loops) const {
    loops.Find(region);
    std::optional<uint32_t> primary;  // block
    const auto add = [&region](uint32_t b) {
      region.entries.push_back(region.blocks[b].begin);
      region.entry_blocks.push_back(b);
    };
    constexpr uint8_t kNamed = FoundCode::kStart | FoundCode::kTaken;
    for (uint32_t b = 0; b < region.blocks.size(); ++b) {
      const uint8_t flags = found_.flags[code_.IndexOf(region.blocks[b].begin)];
      if ((flags & (kNamed | FoundCode::kReturnSite)) == 0 && !loops.IsHead(b)) continue;
      if (!primary && (flags & kNamed) != 0) {
        primary = b;
      } else {
        add(b);
      }
    }
    // A region that only switch tables lead to has no entry of its own.
    if (!primary && region.entries.empty()) primary = 0;
    if (primary) {
      add(*primary);
      std::rotate(region.entries.begin(), region.entries.end() - 1, region.entries.end());
      std::rotate(region.entry_blocks.begin(), region.entry_blocks.end() - 1,
                  region.entry_blocks.end());
    }
  }

  // After a symbol there, and after that of a function if there is one.
  void NameRegions(ControlFlow& flow) const {
    const std::vector<guest::Symbol>& symbols = program_.symbols;
    for (Region& region : flow.regions) {
      const uint32_t address = region.entries[0];
      const guest::Symbol* found = nullptr;
      for (auto it = std::lower_bound(
               symbols.begin(), symbols.end(), address,
               [](const guest::Symbol&symbol, uint32_t a) { return symbol.address < a; });
           it != symbols.end() && it->address == address; ++it) {
        if (found == nullptr || it->is_function) found = &*it;
      }
      region.name = found != nullptr ? found->name : absl::StrFormat("fn_%08x", address);
    }
  }

  const guest::Program& program_;
  const Code& code_;
  const int threads_;
  FoundCode found_;
  const uint32_t num_groups_;           // of eight instructions
  std::vector<uint32_t> begin_before_;  // by group: blocks that begin before it
  std::vector<BasicBlock> blocks_;      // all; their target_block and next_block are among these
  std::vector<uint32_t> parent_;        // union-find over them
};

}  // namespace

ControlFlow FormRegions(const guest::Program& program, const Code& code, FoundCode found,
                        int threads) {
  return RegionFormer(program, code, std::move(found), threads).Run();
}

}  // namespace precast::riscv
