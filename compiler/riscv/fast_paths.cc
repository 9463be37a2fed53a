// See fast_paths.h.
#include "compiler/riscv/fast_paths.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/riscv/decoder.h"

namespace precast::riscv {
namespace {

// Larger functions are not looked at.
constexpr size_t kMaxBlocks = 192;
constexpr uint32_t kMaxInstructions = 1024;
// Fewer registers restored are not worth a second copy.
constexpr int kMinRestored = 3;
// So many branches on the way have to have a side that is seldom taken. What is known of the others
// is only that they lead to calls, which may be what the function is for.
constexpr int kMinSeldom = 2;
// A field of so many bits is seldom equal to one number.
constexpr int kManyBits = 8;
// A number beyond which equality is seldom.
constexpr int32_t kOddNumber = 256;

constexpr uint8_t kRa = 1, kSp = 2;

bool IsSaved(uint8_t r) { return r == kRa || (r >= 18 && r <= 27); }  // s2 to s11

bool IsCall(BlockEnd kind) {
  return kind == BlockEnd::kCall || kind == BlockEnd::kIndirectCall || kind == BlockEnd::kHostCall;
}

// What is known of a register's number.
struct Known {
  enum class Kind : uint8_t { kNothing, kConstant, kField } kind = Kind::kNothing;
  int32_t value = 0;  // kConstant: the number; kField: how many bits can be set
  bool operator==(const Known&) const = default;
};
using KnownRegisters = std::array<Known, 32>;

class Splitter {
 public:
  Splitter(const Region& region, const Code& code) : region_(region), code_(code) {}

  // Whether there is such a way, on blocks in fast().
  bool Find() {
    const size_t n = region_.blocks.size();
    if (n < 3 || n > kMaxBlocks || region_.entry_blocks.empty()) return false;
    uint32_t instructions = 0;
    bool calls = false;
    for (const BasicBlock& block : region_.blocks) {
      instructions += block.num_instructions();
      calls |= IsCall(block.kind);
    }
    if (!calls || instructions > kMaxInstructions) return false;
    // Nobody saves registers in order not to call.
    if (CountRestored(std::vector<bool>(n, true)) < kMinRestored) return false;
    if (!Order()) return false;
    Reach();
    return fast_[region_.entry_blocks[0]] && num_seldom_ >= kMinSeldom &&
           CountRestored(fast_) >= kMinRestored;
  }

  // The new region; what is left of the old one takes its place.
  std::pair<Region, Region> Split() const {
    std::vector<uint32_t> entries(region_.entries.begin() + 1, region_.entries.end());
    for (uint32_t b = 0; b < region_.blocks.size(); ++b) {
      if (!fast_[b]) continue;
      ForEachSuccessor(b, [&](uint32_t to) {
        if (!fast_[to]) entries.push_back(region_.blocks[to].begin);
      });
    }
    std::sort(entries.begin(), entries.end());
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
    Region rest = Part(ReachableFrom(entries));
    rest.name += ".rest";
    SetEntries(rest, std::move(entries));
    Region fast = Part(fast_);
    SetEntries(fast, {region_.entries[0]});
    for (const BasicBlock& block : fast.blocks) {
      if (rest.FindBlock(block.begin)) fast.shared_instructions += block.num_instructions();
    }
    return {std::move(fast), std::move(rest)};
  }

 private:
  template <typename Visit>
  void ForEachSuccessor(uint32_t b, Visit visit) const {
    const BasicBlock& block = region_.blocks[b];
    const auto at = [&](uint32_t pc) {
      if (const std::optional<uint32_t> to = region_.FindBlock(pc)) visit(*to);
    };
    switch (block.kind) {
      case BlockEnd::kBranch:
        at(block.target);
        if (block.end != block.target) at(block.end);
        break;
      case BlockEnd::kFallThrough:
        at(block.end);
        break;
      case BlockEnd::kJump:
        at(block.target);
        break;
      case BlockEnd::kSwitch:
        for (uint32_t pc : region_.TargetsOf(block)) at(pc);
        break;
      default:
        break;
    }
  }

  // Registers saved that `blocks` load from the stack.
  int CountRestored(const std::vector<bool>& blocks) const {
    uint32_t restored = 0;
    for (uint32_t b = 0; b < region_.blocks.size(); ++b) {
      const BasicBlock& block = region_.blocks[b];
      if (!blocks[b] || block.kind != BlockEnd::kReturn) continue;
      const uint32_t first = code_.IndexOf(block.begin);
      for (uint32_t k = 0; k < block.num_instructions(); ++k) {
        const Instruction& in = code_.At(first + k);
        if (in.op == Op::kLw && in.rs1 == kSp && IsSaved(in.rd)) restored |= uint32_t{1} << in.rd;
      }
    }
    return std::popcount(restored);
  }

  // The blocks from the start on without going past a call, each before those it leads to. False if
  // there is a loop.
  bool Order() {
    enum : uint8_t { kUnseen, kOpen, kDone };
    std::vector<uint8_t> mark(region_.blocks.size(), kUnseen);
    struct Frame {
      uint32_t block;
      std::vector<uint32_t> successors;
    };
    std::vector<Frame> stack;
    const auto enter = [&](uint32_t b) {
      mark[b] = kOpen;
      stack.push_back({b, {}});
      ForEachSuccessor(b, [&](uint32_t to) { stack.back().successors.push_back(to); });
    };
    enter(region_.entry_blocks[0]);
    while (!stack.empty()) {
      if (stack.back().successors.empty()) {
        mark[stack.back().block] = kDone;
        order_.push_back(stack.back().block);
        stack.pop_back();
        continue;
      }
      const uint32_t to = stack.back().successors.back();
      stack.back().successors.pop_back();
      if (mark[to] == kOpen) return false;
      if (mark[to] == kUnseen) enter(to);
    }
    std::reverse(order_.begin(), order_.end());
    return true;
  }

  // Finds the blocks on ways that are likely, and lead to a return.
  void Reach() {
    const size_t n = region_.blocks.size();
    std::vector<std::optional<KnownRegisters>> at(n);  // at its begin
    at[region_.entry_blocks[0]].emplace();
    std::vector<std::vector<uint32_t>> likely(n);
    std::vector<bool> has_seldom(n, false);
    for (uint32_t b : order_) {
      if (!at[b].has_value()) continue;
      KnownRegisters known = *at[b];
      const BasicBlock& block = region_.blocks[b];
      const uint32_t first = code_.IndexOf(block.begin);
      for (uint32_t k = 0; k < block.num_instructions(); ++k) Execute(code_.At(first + k), known);
      const std::optional<uint32_t> seldom =
          SeldomTaken(block, code_.At(first + block.num_instructions() - 1), known);
      has_seldom[b] = seldom.has_value();
      ForEachSuccessor(b, [&](uint32_t to) {
        if (region_.blocks[to].begin == seldom) return;
        likely[b].push_back(to);
        if (!at[to].has_value()) {
          at[to] = known;
          return;
        }
        for (size_t r = 0; r < known.size(); ++r) {
          if ((*at[to])[r] != known[r]) (*at[to])[r] = {};
        }
      });
    }
    fast_.assign(n, false);
    for (size_t k = order_.size(); k-- > 0;) {
      const uint32_t b = order_[k];
      if (!at[b].has_value()) continue;
      fast_[b] = region_.blocks[b].kind == BlockEnd::kReturn ||
                 std::any_of(likely[b].begin(), likely[b].end(),
                             [&](uint32_t to) { return bool{fast_[to]}; });
      if (fast_[b] && has_seldom[b]) ++num_seldom_;
    }
  }

  static void Execute(const Instruction& in, KnownRegisters& known) {
    Known result;
    const auto constant = [&](uint8_t r) -> std::optional<int32_t> {
      if (r == 0) return 0;
      if (known[r].kind != Known::Kind::kConstant) return std::nullopt;
      return known[r].value;
    };
    const auto field = [](int32_t mask) {
      return Known{Known::Kind::kField, std::popcount(static_cast<uint32_t>(mask))};
    };
    switch (in.op) {
      case Op::kLui:
        result = {Known::Kind::kConstant, in.imm};
        break;
      case Op::kAddi:
        if (const std::optional<int32_t> x = constant(in.rs1)) {
          const uint32_t sum = static_cast<uint32_t>(*x) + static_cast<uint32_t>(in.imm);
          result = {Known::Kind::kConstant, static_cast<int32_t>(sum)};
        } else if (in.imm == 0) {
          result = known[in.rs1];
        }
        break;
      case Op::kAndi:
        result = field(in.imm);
        break;
      case Op::kAnd:
        if (const std::optional<int32_t> x = constant(in.rs1)) result = field(*x);
        if (const std::optional<int32_t> y = constant(in.rs2)) result = field(*y);
        break;
      case Op::kHelper:
        known = {};
        return;
      default:
        break;
    }
    known[in.rd] = result;
    known[0] = {};
  }

  // Where a branch seldom goes.
  std::optional<uint32_t> SeldomTaken(const BasicBlock& block, const Instruction& in,
                                      const KnownRegisters& known) const {
    if (block.kind != BlockEnd::kBranch || (in.op != Op::kBeq && in.op != Op::kBne)) {
      return std::nullopt;
    }
    const auto constant = [&](uint8_t r) {
      return r == 0 || known[r].kind == Known::Kind::kConstant;
    };
    bool seldom = false;
    for (const auto& [x, y] : {std::pair(in.rs1, in.rs2), std::pair(in.rs2, in.rs1)}) {
      if (!constant(y) || constant(x)) continue;
      const int32_t number = y == 0 ? 0 : known[y].value;
      seldom |= number >= kOddNumber || number <= -kOddNumber ||
                (known[x].kind == Known::Kind::kField && known[x].value >= kManyBits);
    }
    if (!seldom) return std::nullopt;
    return in.op == Op::kBeq ? block.target : block.end;
  }

  std::vector<bool> ReachableFrom(const std::vector<uint32_t>& entries) const {
    std::vector<bool> reached(region_.blocks.size(), false);
    std::vector<uint32_t> waiting;
    const auto reach = [&](uint32_t b) {
      if (reached[b]) return;
      reached[b] = true;
      waiting.push_back(b);
    };
    for (uint32_t pc : entries) reach(*region_.FindBlock(pc));
    while (!waiting.empty()) {
      const uint32_t b = waiting.back();
      waiting.pop_back();
      ForEachSuccessor(b, reach);
    }
    return reached;
  }

  // The region of the blocks in `keep`, without entries.
  Region Part(const std::vector<bool>& keep) const {
    Region part;
    part.name = region_.name;
    part.switch_targets = region_.switch_targets;
    for (uint32_t b = 0; b < region_.blocks.size(); ++b) {
      if (keep[b]) part.blocks.push_back(region_.blocks[b]);
    }
    for (BasicBlock& block : part.blocks) {
      if (block.target_block != BasicBlock::kNone) {
        block.target_block = part.FindBlock(block.target).value_or(BasicBlock::kNone);
      }
      if (block.next_block != BasicBlock::kNone) {
        block.next_block = part.FindBlock(block.end).value_or(BasicBlock::kNone);
      }
    }
    return part;
  }

  static void SetEntries(Region& region, std::vector<uint32_t> entries) {
    region.entries = std::move(entries);
    for (uint32_t pc : region.entries) region.entry_blocks.push_back(*region.FindBlock(pc));
  }

  const Region& region_;
  const Code& code_;
  std::vector<uint32_t> order_;
  std::vector<bool> fast_;  // by block
  int num_seldom_ = 0;
};

}  // namespace

void SplitFastPaths(ControlFlow& flow, const Code& code) {
  std::vector<Region> regions;
  regions.reserve(flow.regions.size());
  std::vector<uint32_t> more;
  for (Region& region : flow.regions) {
    Splitter splitter(region, code);
    if (!splitter.Find()) {
      regions.push_back(std::move(region));
      continue;
    }
    auto [fast, rest] = splitter.Split();
    regions.push_back(std::move(fast));
    if (rest.entries.empty()) continue;
    more.insert(more.end(), rest.entries.begin(), rest.entries.end());
    regions.push_back(std::move(rest));
  }
  std::stable_sort(regions.begin(), regions.end(), [](const Region& a, const Region& b) {
    return a.blocks.front().begin < b.blocks.front().begin;
  });
  flow.regions = std::move(regions);
  flow.entries.insert(flow.entries.end(), more.begin(), more.end());
  std::sort(flow.entries.begin(), flow.entries.end());
  flow.entries.erase(std::unique(flow.entries.begin(), flow.entries.end()), flow.entries.end());
}

}  // namespace precast::riscv
