// Recovers the control flow of a RISC-V program: which words are instructions, where basic blocks
// and functions begin, and which blocks belong together in one *region* (the unit of compilation).
//
// Roots are the entry point, function symbols, and every code address found in data or built by
// instructions; direct targets and jump tables are followed. Nothing here has to be complete or
// right for correctness: a jump to a place that was not found leaves native code and goes on in the
// interpreter, and indirect jumps check their target against what was compiled. It only has to be
// good for speed.
//
// Regions are connected components of the control-flow graph, cut at calls and at known function
// starts: a jump to another function's start is a tail call. So a region is usually one guest
// function, with several entries: its start, the return sites of its calls, loop heads (to resume
// after a suspend), and blocks whose address was taken.
#ifndef PRECAST_COMPILER_RISCV_CONTROL_FLOW_H_
#define PRECAST_COMPILER_RISCV_CONTROL_FLOW_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/guest/program.h"
#include "compiler/riscv/decoder.h"

namespace precast::riscv {

// The instructions of a program, decoded once; indexed by pc. Covers the code that has bytes in the
// file. Instructions next to each other in memory have indexes next to each other.
class Code {
 public:
  // Decodes on that many threads (0 = one per processor).
  explicit Code(const guest::Program& program, int threads = 1);

  static constexpr uint32_t kNone = 0xffffffff;
  // Flat index of the instruction at `pc`, or kNone if pc is misaligned or not code.
  uint32_t IndexOf(uint32_t pc) const {
    const uint32_t offset = pc - first_.begin;  // nearly always there
    return offset < first_.end - first_.begin && pc % 4 == 0 ? offset / 4 : IndexInRanges(pc);
  }
  bool Contains(uint32_t pc) const { return IndexOf(pc) != kNone; }
  const Instruction& At(uint32_t index) const { return instructions_.get()[index]; }
  // `index` must be less than size().
  uint32_t PcOf(uint32_t index) const {
    const Range& range = RangeAt(index);
    return range.begin + 4 * (index - range.base);
  }
  // The pcs [first, second) around an instruction that hold code without a gap.
  std::pair<uint32_t, uint32_t> RunOf(uint32_t index) const {
    const Range& range = RangeAt(index);
    return {range.begin, range.end};
  }
  uint32_t size() const { return size_; }

 private:
  struct Range {
    uint32_t begin, end;  // guest addresses
    uint32_t base;        // flat index of `begin`
  };
  uint32_t IndexInRanges(uint32_t pc) const;
  const Range& RangeAt(uint32_t index) const {
    return index < (first_.end - first_.begin) / 4 ? first_ : FindRange(index);
  }
  const Range& FindRange(uint32_t index) const;

  Range first_ = {0, 0, 0};    // of ranges_
  std::vector<Range> ranges_;  // ascending, with gaps between them
  struct Free {
    void operator()(Instruction* instructions) const { ::operator delete(instructions); }
  };
  uint32_t size_ = 0;
  std::unique_ptr<Instruction, Free> instructions_;  // size_ of them
};

// How a basic block ends.
enum class BlockEnd : uint8_t {
  kFallThrough,  // the next instruction starts another block
  kJump,         // jal x0, or jalr x0 to a known constant
  kBranch,
  kCall,          // jal rd
  kIndirectCall,  // jalr rd
  kReturn,        // jalr x0 through a link register
  kSwitch,        // jalr x0 through a recovered jump table
  kIndirectJump,  // jalr x0 otherwise
  kHostCall,      // ecall
  kTrap,          // ebreak, illegal instruction, or a direct jump to a misaligned target
};

struct BasicBlock {
  static constexpr uint32_t kNone = 0xffffffff;

  uint32_t begin, end;  // pcs of the first instruction and just after the last
  BlockEnd kind;
  bool has_custom = false;  // an instruction of an OpenVM extension
  // Direct target: kJump, kBranch, kCall.
  uint32_t target = 0;
  // Indexes of the blocks of the same region that begin at `target` and at `end`, or kNone.
  uint32_t target_block = kNone;
  uint32_t next_block = kNone;
  // kSwitch: see Region::TargetsOf.
  uint32_t switch_begin = 0, switch_end = 0;

  uint32_t last_pc() const { return end - 4; }
  uint32_t num_instructions() const { return (end - begin) / 4; }
};

// A unit of compilation.
struct Region {
  std::string name;
  std::vector<BasicBlock> blocks;  // ascending by address
  // Pcs at which the dispatcher may enter, the primary one first, the rest ascending. Each starts a
  // block.
  std::vector<uint32_t> entries;
  std::vector<uint32_t> entry_blocks;    // the blocks' numbers
  std::vector<uint32_t> switch_targets;  // of all blocks
  uint32_t shared_instructions = 0;      // of blocks that another region has, too, and counts

  // Possible targets of a block of kind kSwitch, ascending, unique; none of another kind. One that
  // is also called is in another region.
  absl::Span<const uint32_t> TargetsOf(const BasicBlock& block) const {
    return absl::MakeConstSpan(switch_targets)
        .subspan(block.switch_begin, block.switch_end - block.switch_begin);
  }
  // Index of the block that begins at pc.
  std::optional<uint32_t> FindBlock(uint32_t pc) const;
};

struct ControlFlow {
  std::vector<Region> regions;    // ascending by their lowest address
  std::vector<uint32_t> entries;  // of all regions, ascending

  bool IsEntry(uint32_t pc) const;
};

// On that many threads (0 = one per processor), with the same result on any number. For a part of
// the time there is work for one only: `meanwhile`, which is called once, is then done on another.
ControlFlow RecoverControlFlow(const guest::Program& program, const Code& code, int threads = 1,
                               const std::function<void()>& meanwhile = nullptr);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_CONTROL_FLOW_H_
