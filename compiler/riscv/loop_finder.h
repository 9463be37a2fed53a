// Which blocks of a region are worth an entry because a loop begins there.
#ifndef PRECAST_COMPILER_RISCV_LOOP_FINDER_H_
#define PRECAST_COMPILER_RISCV_LOOP_FINDER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

// Finds heads of loops without calls. (A loop with a call is resumed at the call's return site.)
class LoopFinder {
 public:
  void Find(const Region& region) {
    const uint32_t n = static_cast<uint32_t>(region.blocks.size());
    is_head_.assign(n, 0);
    if (!GoesBack(region)) return;
    color_.assign(n, kNew);
    for (uint32_t root = 0; root < n; ++root) {
      if (color_[root] != kNew) continue;
      Open(region, root);
      while (!stack_.empty()) {
        Frame& frame = stack_.back();
        if (frame.next == successors_.size()) {
          color_[frame.block] = kDone;
          successors_.resize(frame.begin);
          stack_.pop_back();
          continue;
        }
        const uint32_t s = successors_[frame.next++];
        if (color_[s] == kOpen) is_head_[s] = 1;
        if (color_[s] == kNew) Open(region, s);
      }
    }
  }
  // Of the region found last.
  bool IsHead(uint32_t block) const { return is_head_[block] != 0; }

 private:
  enum : uint8_t { kNew, kOpen, kDone };
  struct Frame {
    uint32_t block;
    uint32_t begin, next;  // in successors_
  };

  // Whether there might be a loop: some block goes to none behind it.
  static bool GoesBack(const Region& region) {
    for (uint32_t b = 0; b < region.blocks.size(); ++b) {
      const BasicBlock& block = region.blocks[b];
      const bool jumps = block.kind == BlockEnd::kBranch || block.kind == BlockEnd::kJump;
      if ((jumps && block.target_block <= b) || block.kind == BlockEnd::kSwitch) return true;
    }
    return false;
  }

  void Open(const Region& region, uint32_t b) {
    color_[b] = kOpen;
    const uint32_t begin = static_cast<uint32_t>(successors_.size());
    stack_.push_back({b, begin, begin});
    const BasicBlock& block = region.blocks[b];
    const bool jumps = block.kind == BlockEnd::kBranch || block.kind == BlockEnd::kJump;
    const bool falls = block.kind == BlockEnd::kBranch || block.kind == BlockEnd::kFallThrough;
    if (jumps && block.target_block != BasicBlock::kNone) {
      successors_.push_back(block.target_block);
    }
    if (falls && block.next_block != BasicBlock::kNone) successors_.push_back(block.next_block);
    for (uint32_t pc : region.TargetsOf(block)) {
      if (std::optional<uint32_t> s = region.FindBlock(pc)) successors_.push_back(*s);
    }
  }

  std::vector<uint8_t> is_head_, color_;  // by block
  std::vector<uint32_t> successors_;      // of the blocks on the stack, those of its top last
  std::vector<Frame> stack_;
};

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_LOOP_FINDER_H_
