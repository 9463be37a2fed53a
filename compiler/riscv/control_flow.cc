#include "compiler/riscv/control_flow.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_format.h"
#include "compiler/parallel.h"
#include "compiler/riscv/case_rows.h"
#include "compiler/riscv/known_registers.h"
#include "compiler/riscv/loop_finder.h"

namespace precast::riscv {
namespace {

// Limits on what a hostile or odd program can make us do.
constexpr uint32_t kMaxTableEntries = 4096;
constexpr uint32_t kMaxGuesses = 1024;        // targets of one jump whose table was not seen
constexpr uint32_t kMaxSwitchSpan = 1 << 16;  // bytes between the lowest and highest switch target
// Of all switches together, since many jumps may name the same targets: targets, and words of span.
constexpr uint64_t kMaxSwitchTargets = 1 << 18;
constexpr uint64_t kMaxSwitchWords = 1 << 22;

// Instructions that are one piece of work.
constexpr uint32_t kStretch = 16 << 10;

uint32_t LoadWord(const std::vector<uint8_t>& data, uint64_t offset) {
  uint32_t word;
  std::memcpy(&word, data.data() + offset, 4);
  return word;
}

// Initialized guest memory, by address.
class Memory {
 public:
  explicit Memory(const guest::Program& program) : program_(program) {}

  std::optional<uint32_t> Word(uint32_t address) const {
    auto it = std::upper_bound(program_.segments.begin(), program_.segments.end(), address,
                               [](uint32_t a, const guest::Segment& s) { return a < s.address; });
    if (it == program_.segments.begin()) return std::nullopt;
    --it;
    const uint64_t offset = address - it->address;
    if (offset + 4 > it->data.size()) return std::nullopt;
    return LoadWord(it->data, offset);
  }

 private:
  const guest::Program& program_;
};

constexpr uint64_t BitOf(Op op) { return uint64_t{1} << static_cast<int>(op); }
template <typename Predicate>
constexpr uint64_t OpsThat(Predicate predicate) {
  uint64_t ops = 0;
  for (int op = 0; op <= static_cast<int>(Op::kIllegal); ++op) {
    if (predicate(static_cast<Op>(op))) ops |= uint64_t{1} << op;
  }
  return ops;
}
const uint64_t kEndsBlock = OpsThat(EndsBlock), kIsCustom = OpsThat(IsCustom);
// What is followed for its operands, and what ends a block, marks other instructions or has effects of its own. All
// others write rd, and that is all.
constexpr uint64_t kFollowed =
    BitOf(Op::kAddi) | BitOf(Op::kSlli) | BitOf(Op::kAdd) | BitOf(Op::kLw);
constexpr uint64_t kSpecial =
    BitOf(Op::kLui) | BitOf(Op::kAuipc) | BitOf(Op::kBeq) | BitOf(Op::kBne) | BitOf(Op::kBlt) |
    BitOf(Op::kBge) | BitOf(Op::kBltu) | BitOf(Op::kBgeu) | BitOf(Op::kJal) | BitOf(Op::kJalr) |
    BitOf(Op::kEcall) | BitOf(Op::kEbreak) | BitOf(Op::kCustom) | BitOf(Op::kCustomBranch) |
    BitOf(Op::kCustomEnd) | BitOf(Op::kHelper) | BitOf(Op::kIllegal);

struct JumpTable {
  uint32_t address;
  bool relative;                  // entries are offsets from the table's address
  std::optional<uint32_t> bound;  // number of entries, if a range check was seen
};

// An indirect jump through a table that is still to be read.
struct TableJump {
  uint32_t index;
  JumpTable table;
};

// An indirect jump whose table was not seen.
struct BlindJump {
  uint32_t index;
  bool through_field;  // its target was loaded from where no index leads
};

// An indirect jump or call into a row of pieces of code.
struct CaseJump {
  uint32_t index;
  CaseRow row;
};

enum Flag : uint8_t {
  kReached = 1,
  kLeader = 2,       // starts a basic block
  kStart = 4,        // a function starts here: never merged with its predecessors
  kTaken = 8,        // its address was found: needs an entry
  kReturnSite = 16,  // follows a call
  kEntry = 32,       // the dispatcher may enter here
  kTarget = 64,      // a jalr to a constant, which is in jump_target_
  kBlock = 128       // begins the block that is in block_of_
};

class Recovery {
 public:
  Recovery(const guest::Program& program, const Code& code, int threads)
      : program_(program),
        code_(code),
        threads_(threads),
        memory_(program),
        flags_(code.size()),
        jump_target_(std::make_unique_for_overwrite<uint32_t[]>(code.size())) {}

  ControlFlow Run(const std::function<void()>& meanwhile) {
    ParallelFor(3, threads_, [&](size_t job) {
      if (job == 0) {
        MarkRoots();
        Follow();
      } else if (job == 1) {
        ScanData();
      } else if (meanwhile) {
        meanwhile();
      }
    });
    RemoveCodeFromData();
    do {
      Follow();
      ResolveJumps();
    } while (!worklist_.empty() || SweepGaps());
    SettleSwitches();
    SettleTaken();
    FormBlocks();
    return FormRegions();
  }

 private:
  void Mark(uint32_t index, uint8_t flags) {
    if (index == Code::kNone) return;
    if ((flags_[index] & kReached) == 0) worklist_.push_back(index);
    if ((flags & kStart) != 0) starts_.insert(index);
    flags_[index] |= flags | kLeader;
  }
  void MarkPc(uint32_t pc, uint8_t flags) { Mark(code_.IndexOf(pc), flags); }

  void MarkRoots() {
    MarkPc(program_.entry, kStart);
    for (const guest::Symbol& symbol : program_.symbols) {
      if (symbol.is_function) MarkPc(symbol.address, kStart);
    }
  }

  void Follow() {
    while (!worklist_.empty()) {
      const uint32_t index = worklist_.back();
      worklist_.pop_back();
      FollowFrom(index);
    }
  }

  // Follows straight-line code from `index` until it ends or joins what is known.
  void FollowFrom(uint32_t index) {
    Knowledge known;
    const auto [begin, end] = code_.RunOf(index);
    uint32_t pc = code_.PcOf(index);
    for (; pc != end && (flags_[index] & kReached) == 0; ++index, pc += 4) {
      flags_[index] |= kReached;
      const Instruction& in = code_.At(index);
      const uint64_t op = BitOf(in.op);
      const uint32_t operands =
          uint32_t{1} << in.rs1 | (in.op == Op::kAdd ? uint32_t{1} << in.rs2 : 0);
      if ((op & kSpecial) != 0 || ((op & kFollowed) != 0 && known.KnowsMore(operands))) {
        if (!Step(in, index, pc, known)) return;
      } else {
        StepPlain(in, known);
      }
    }
  }

  // Most instructions: what Step does where nothing but sums and fields is known of the operands.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void StepPlain(const Instruction& in, Knowledge& known) {
    const bool copies = in.op == Op::kAddi && in.imm == 0;
    const bool was_sum = known.IsSum(in.rs1);
    known.SetPlain(in.rd, in.op == Op::kAdd || (in.op == Op::kAddi && was_sum),
                   (in.op == Op::kLw && !was_sum) || (copies && known.IsField(in.rs1)));
  }

  // Handles one instruction; false if straight-line code ends with it. Put in line: it is called for every one.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Step(const Instruction& in, uint32_t index, uint32_t pc,
                                         Knowledge& known) {
    using Kind = Abstract::Kind;
    const uint32_t imm = static_cast<uint32_t>(in.imm);
    switch (in.op) {
      case Op::kLui:
        known.Set(in.rd, {Kind::kConstant, imm});
        return true;
      case Op::kAuipc:
        known.Set(in.rd, {Kind::kConstant, pc + imm});
        return true;
      case Op::kAddi: {
        const Abstract a = known.Get(in.rs1);
        const uint32_t bound = imm == 0 ? known.Bound(in.rs1) : 0;
        Abstract result{};
        if (a.kind == Kind::kConstant || a.kind == Kind::kIndexed) result = {a.kind, a.c + imm};
        if (a.kind == Kind::kSum || (a.kind == Kind::kField && imm == 0)) result = a;
        known.Set(in.rd, result, bound);
        if (result.kind == Kind::kConstant && in.rs1 != 0) FoundAddress(in.rd, result.c);
        return true;
      }
      case Op::kSlli:
        // A bound is remembered in entries, not bytes.
        known.Set(in.rd, {}, imm == 2 ? known.Bound(in.rs1) : 0);
        return true;
      case Op::kAdd:
        StepAdd(in, known);
        return true;
      case Op::kLw: {
        const Abstract a = known.Get(in.rs1);
        if (a.kind == Kind::kIndexed) {
          known.Set(in.rd, {Kind::kTableWord, a.c + imm}, known.Bound(in.rs1));
        } else {
          known.Set(in.rd, {a.kind == Kind::kSum ? Kind::kUnknown : Kind::kField, 0});
        }
        return true;
      }
      case Op::kBltu:
      case Op::kBgeu: {
        // On the way straight on: "bltu limit, x, out" leaves x <= limit, "bgeu x, limit, out" x <
        // limit.
        const Abstract limit = known.Get(in.op == Op::kBltu ? in.rs1 : in.rs2);
        if (limit.kind == Kind::kConstant) {
          if (in.op == Op::kBltu) known.SetBound(in.rs2, limit.c + 1);
          if (in.op == Op::kBgeu) known.SetBound(in.rs1, limit.c);
        }
        [[fallthrough]];
      }
      case Op::kBeq:
      case Op::kBne:
      case Op::kBlt:
      case Op::kBge:
      case Op::kCustomBranch:
        if (in.imm % 4 == 0) MarkPc(pc + imm, 0);
        MarkPc(pc + 4, 0);
        // Go on here instead of from the worklist, so that what is known of registers is not lost.
        return true;
      case Op::kJal:
        if (in.imm % 4 != 0) return false;
        MarkPc(pc + imm, in.rd != 0 ? kStart : 0);
        if (in.rd != 0) MarkPc(pc + 4, kReturnSite);
        return false;
      case Op::kJalr:
        StepJalr(in, index, pc, known.Get(in.rs1), known.Bound(in.rs1));
        return false;
      case Op::kEcall:
        MarkPc(pc + 4, kReturnSite);
        return false;
      case Op::kEbreak:
      case Op::kCustomEnd:
      case Op::kIllegal:
        return false;
      case Op::kCustom:
        return true;  // rd is read
      case Op::kHelper:
        for (uint8_t r : {10, 11}) known.Set(r, {});
        break;
      default:
        break;
    }
    known.Set(in.rd, {});
    return true;
  }

  void StepAdd(const Instruction& in, Knowledge& known) {
    using Kind = Abstract::Kind;
    const Abstract a = known.Get(in.rs1), b = known.Get(in.rs2);
    if (a.kind == Kind::kTableWord && b.kind == Kind::kConstant && a.c == b.c) {
      known.Set(in.rd, {Kind::kRelativeTarget, a.c}, known.Bound(in.rs1));
    } else if (b.kind == Kind::kTableWord && a.kind == Kind::kConstant && a.c == b.c) {
      known.Set(in.rd, {Kind::kRelativeTarget, b.c}, known.Bound(in.rs2));
    } else if (a.kind == Kind::kConstant && b.kind == Kind::kConstant) {
      known.Set(in.rd, {Kind::kConstant, a.c + b.c});
      FoundAddress(in.rd, a.c + b.c);
    } else if (a.kind == Kind::kConstant) {
      known.Set(in.rd, {Kind::kIndexed, a.c}, known.Bound(in.rs2));
    } else if (b.kind == Kind::kConstant) {
      known.Set(in.rd, {Kind::kIndexed, b.c}, known.Bound(in.rs1));
    } else {
      known.Set(in.rd, {Kind::kSum, 0});
    }
  }

  // A function pointer built by code; data addresses are in no instruction range. (The result of auipc is half of an
  // address: of a call's, mostly.)
  void FoundAddress(uint8_t rd, uint32_t value) {
    if (rd != 0 && IsLikelyCode(value)) built_.push_back(value);
  }

  void StepJalr(const Instruction& in, uint32_t index, uint32_t pc, const Abstract& base,
                uint32_t bound) {
    if (in.rd != 0) MarkPc(pc + 4, kReturnSite);
    if (base.kind == Abstract::Kind::kConstant) {
      const uint32_t target = (base.c + static_cast<uint32_t>(in.imm)) & ~1u;
      jump_target_[index] = target;
      flags_[index] |= kTarget;
      MarkPc(target, in.rd != 0 ? kStart : 0);
      return;
    }
    if (base.kind == Abstract::Kind::kIndexed) {
      const uint32_t stride = FindScale(code_, index, in.rs1);
      if (stride >= 4 && stride <= CaseRow::kMaxStride) {
        case_jumps_.push_back({index, {base.c + static_cast<uint32_t>(in.imm), stride}});
        return;
      }
    }
    if (in.rd != 0 || IsLinkRegister(in.rs1)) return;
    const bool relative = base.kind == Abstract::Kind::kRelativeTarget;
    if (in.imm == 0 && (base.kind == Abstract::Kind::kTableWord || relative)) {
      table_jumps_.push_back(
          {index, {base.c, relative, bound != 0 ? std::optional(bound) : std::nullopt}});
    } else {
      blind_jumps_.push_back({index, base.kind == Abstract::Kind::kField});
    }
  }

  bool IsLikelyCode(uint32_t pc) const {
    if (pc % 4 != 0 || program_.code_hint.empty() || pc < program_.code_hint.front().begin ||
        pc >= program_.code_hint.back().end) {
      return false;
    }
    auto it = std::upper_bound(program_.code_hint.begin(), program_.code_hint.end(), pc,
                               [](uint32_t p, const guest::CodeRange& r) { return p < r.begin; });
    return it != program_.code_hint.begin() && pc < std::prev(it)->end && code_.Contains(pc);
  }

  // Every aligned word of initialized memory that is the address of an instruction.
  void ScanData() {
    for (const guest::Segment& segment : program_.segments) {
      for (uint32_t offset = 0; offset + 4 <= segment.data.size(); offset += 4) {
        const uint32_t word = LoadWord(segment.data, offset);
        if (IsLikelyCode(word)) data_words_.push_back({word, segment.address + offset});
      }
    }
    std::sort(data_words_.begin(), data_words_.end());
  }

  // What is itself an instruction that was reached is no data.
  void RemoveCodeFromData() {
    const auto is_code = [this](const DataWord& word) {
      const uint32_t index = code_.IndexOf(word.address);
      return index != Code::kNone && (flags_[index] & kReached) != 0;
    };
    data_words_.erase(std::remove_if(data_words_.begin(), data_words_.end(), is_code),
                      data_words_.end());
  }

  // The function that holds an instruction, as pcs: from the last known start at or below it to the
  // next start, without gaps.
  std::pair<uint32_t, uint32_t> Extent(uint32_t index) const {
    auto next = starts_.upper_bound(index);
    const uint32_t begin = next == starts_.begin() ? 0 : *std::prev(next);
    const uint32_t last = (next == starts_.end() ? code_.size() : *next) - 1;
    const auto [run_begin, run_end] = code_.RunOf(index);
    return {std::max(run_begin, code_.PcOf(begin)), std::min(run_end, code_.PcOf(last) + 4)};
  }

  // Once everything direct has been followed: finds targets of indirect jumps in their tables; then
  // takes the remaining code addresses as roots.
  void ResolveJumps() {
    for (const TableJump& jump : std::exchange(table_jumps_, {})) ReadTable(jump.index, jump.table);
    if (!worklist_.empty()) return;  // follow these first: they may show where functions start
    for (const CaseJump& jump : std::exchange(case_jumps_, {})) FindCases(jump);
    for (BlindJump jump : std::exchange(blind_jumps_, {})) GuessTargets(jump);
    if (!std::exchange(data_words_marked_, true)) {
      for (const DataWord& word : data_words_) {
        if (!word.IsSwitchTarget()) MarkPc(word.value, kTaken);
      }
    }
    for (; built_marked_ < built_.size(); ++built_marked_) MarkPc(built_[built_marked_], kTaken);
  }

  void FindCases(const CaseJump& jump) {
    if (!Spend(CaseRow::kMaxCases)) return;
    const auto [begin, end] = Extent(jump.index);
    const bool calls = code_.At(jump.index).rd != 0;
    for (uint32_t pc : CasesOf(code_, jump.row, begin, end)) {
      if (calls) {
        built_.push_back(pc);
      } else {
        AddSwitchTarget(jump.index, pc);
      }
    }
  }

  // A jump whose table was not seen may go to all code addresses in data that are in its function. A
  // jump through a field is a tail call more often than not: what is known to be another jump's
  // table is not for it.
  void GuessTargets(BlindJump jump) {
    const auto [begin, end] = Extent(jump.index);
    auto by_value = [](const DataWord& w, uint32_t value) { return w.value < value; };
    const auto first = std::lower_bound(data_words_.begin(), data_words_.end(), begin, by_value);
    const auto last = std::lower_bound(first, data_words_.end(), end, by_value);
    const size_t count = static_cast<size_t>(last - first);
    if (count > kMaxGuesses || !Spend(count)) return;
    for (auto it = first; it != last; ++it) {
      if (jump.through_field && it->in_table) continue;
      it->is_guessed = true;
      AddSwitchTarget(jump.index, it->value);
    }
  }

  // False if the program's switches have too many targets already.
  bool Spend(uint64_t targets) {
    if (switch_targets_left_ < targets) return false;
    switch_targets_left_ -= targets;
    return true;
  }

  void ReadTable(uint32_t jump, const JumpTable& table) {
    const auto [begin, end] = Extent(jump);
    const uint32_t count = std::min(table.bound.value_or(kMaxTableEntries), kMaxTableEntries);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t address = table.address + 4 * i;
      std::optional<uint32_t> word = memory_.Word(address);
      if (!word || !Spend(1)) return;
      const uint32_t target = table.relative ? table.address + *word : *word;
      if (!IsLikelyCode(target)) return;
      if (target < begin || target >= end) {
        if (!table.bound) return;
        continue;  // a cold part elsewhere: reached through the dispatcher
      }
      AddSwitchTarget(jump, target);
      auto it = std::lower_bound(data_words_.begin(), data_words_.end(), DataWord{target, address});
      if (it != data_words_.end() && it->address == address) it->in_table = true;
    }
  }

  void AddSwitchTarget(uint32_t jump, uint32_t target) {
    switch_targets_[jump].push_back(target);
    MarkPc(target, 0);
  }

  // Whether eight instructions from i on have been reached.
  bool AreReached(uint32_t i) const {
    constexpr uint64_t kAll = kReached * uint64_t{0x0101010101010101};
    uint64_t flags;
    if (flags_.size() - i < sizeof flags) return false;
    std::memcpy(&flags, flags_.data() + i, sizeof flags);
    return (flags & kAll) == kAll;
  }

  // Code that nothing found leads to, inside executable sections: most likely reached through
  // pointers computed at run time. True if there was some.
  bool SweepGaps() {
    if (!program_.code_hint_is_exact) return false;
    bool found = false;
    for (uint32_t i = 0, count = code_.size(); i < count; ++i) {
      if (AreReached(i)) {
        i += 7;
        continue;
      }
      if ((flags_[i] & kReached) != 0) continue;
      const Instruction& in = code_.At(i);
      const bool is_filler = in.op == Op::kIllegal || (in.op == Op::kAddi && in.rd == 0);
      if (is_filler || !IsLikelyCode(code_.PcOf(i))) continue;
      found = true;
      built_.push_back(code_.PcOf(i));
      Mark(i, kTaken);
      Follow();
    }
    return found;
  }

  // Switches too large for a table of their own stay indirect jumps: their targets are reached
  // through the dispatcher.
  void SettleSwitches() {
    std::vector<uint32_t> jumps;
    for (auto& [jump, targets] : switch_targets_) {
      jumps.push_back(jump);
      std::sort(targets.begin(), targets.end());
      targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    }
    std::sort(jumps.begin(), jumps.end());
    uint64_t words_left = kMaxSwitchWords;
    for (uint32_t jump : jumps) {
      const std::vector<uint32_t>& targets = switch_targets_[jump];
      const uint32_t span = targets.back() - targets.front();
      if (span <= kMaxSwitchSpan && span / 4 < words_left) {
        words_left -= span / 4 + 1;
        continue;
      }
      built_.insert(built_.end(), targets.begin(), targets.end());
      switch_targets_.erase(jump);
    }
  }

  // Jump tables are often found after their words were taken for function pointers: only what is
  // still a pointer keeps its entry.
  void SettleTaken() {
    for (uint32_t i = 0, count = code_.size(); i < count; ++i) {
      constexpr uint64_t kOthers = ~(kTaken * uint64_t{0x0101010101010101});
      uint64_t flags;
      if (count - i < sizeof flags) {
        flags_[i] &= static_cast<uint8_t>(~kTaken);
        continue;
      }
      std::memcpy(&flags, flags_.data() + i, sizeof flags);
      flags &= kOthers;
      std::memcpy(flags_.data() + i, &flags, sizeof flags);
      i += 7;
    }
    for (const DataWord& word : data_words_) {
      if (!word.IsSwitchTarget()) MarkPc(word.value, kTaken);
    }
    for (uint32_t pc : built_) MarkPc(pc, kTaken);
  }

  // Those that begin in one stretch of the instructions.
  struct Stretch {
    std::vector<BasicBlock> blocks;
    std::vector<uint32_t> first;    // instruction index, by block
    std::vector<uint32_t> targets;  // of blocks of kind kSwitch
  };

  // Whether a block begins there is to be seen there: it does not take those before.
  bool BeginsBlock(uint32_t i) const {
    if ((flags_[i] & kReached) == 0) return false;
    return (flags_[i] & kLeader) != 0 || i == 0 || (flags_[i - 1] & kReached) == 0 ||
           EndsBlock(code_.At(i - 1).op) || code_.RunOf(i).first == code_.PcOf(i);
  }

  void FormBlocks() {
    const uint32_t count = code_.size();
    block_of_ = std::make_unique_for_overwrite<uint32_t[]>(count);
    const bool is_alone = threads_ == 1;
    const uint32_t size = is_alone ? std::max(count, 1u) : kStretch;
    std::vector<Stretch> stretches((uint64_t{count} + size - 1) / size);
    ParallelFor(stretches.size(), threads_, [&](size_t k) {
      const uint32_t begin = static_cast<uint32_t>(k) * size;
      FormBlocksOf(begin, begin + std::min(size, count - begin), stretches[k]);
    });
    std::vector<size_t> at(stretches.size() + 1);  // of their blocks among all
    for (size_t k = 0; k < stretches.size(); ++k) {
      Stretch& stretch = stretches[k];
      at[k + 1] = at[k] + stretch.blocks.size();
      const uint32_t targets = static_cast<uint32_t>(all_targets_.size());
      all_targets_.insert(all_targets_.end(), stretch.targets.begin(), stretch.targets.end());
      if (targets == 0) continue;
      for (BasicBlock& block : stretch.blocks) {
        if (block.kind != BlockEnd::kSwitch) continue;
        block.switch_begin += targets;
        block.switch_end += targets;
      }
    }
    if (stretches.size() == 1) {
      blocks_ = std::move(stretches[0].blocks);
      first_ = std::move(stretches[0].first);
    } else {
      blocks_.resize(at.back());
      first_.resize(at.back());
    }
    ParallelFor(stretches.size(), threads_, [&](size_t k) {
      const Stretch& stretch = stretches[k];
      const auto to = static_cast<ptrdiff_t>(at[k]);
      std::copy(stretch.blocks.begin(), stretch.blocks.end(), blocks_.begin() + to);
      std::copy(stretch.first.begin(), stretch.first.end(), first_.begin() + to);
      for (size_t b = at[k]; b < at[k + 1]; ++b) {
        flags_[first_[b]] |= kBlock;
        block_of_[first_[b]] = static_cast<uint32_t>(b);
      }
    });
    // Among all blocks, for now.
    const size_t groups = is_alone ? 1 : stretches.size();
    ParallelFor(std::min(groups, stretches.size()), threads_, [&](size_t k) {
      for (size_t b = at[k]; b < at[k + 1]; ++b) {
        BasicBlock& block = blocks_[b];
        const bool has_next = b + 1 < blocks_.size() && blocks_[b + 1].begin == block.end;
        block.next_block = has_next ? static_cast<uint32_t>(b + 1) : BasicBlock::kNone;
        block.target_block = BlockAt(block.target);
      }
    });
  }

  // Those that begin at instructions [from, to).
  void FormBlocksOf(uint32_t from, uint32_t to, Stretch& stretch) {
    const uint32_t count = code_.size();
    while (from < to && !BeginsBlock(from)) ++from;
    const size_t leaders =
        static_cast<size_t>(std::count_if(flags_.begin() + from, flags_.begin() + to,
                                          [](uint8_t flags) { return (flags & kLeader) != 0; }));
    stretch.blocks.reserve(leaders);
    stretch.first.reserve(leaders);
    for (uint32_t i = from; i < to; ++i) {
      if ((flags_[i] & kReached) == 0) continue;
      BasicBlock block{};
      block.begin = code_.PcOf(i);
      const uint32_t end_of_run = std::min(count, i + (code_.RunOf(i).second - block.begin) / 4);
      uint32_t last = i;
      uint64_t ops = BitOf(code_.At(i).op);
      while ((ops & kEndsBlock) == 0 && last + 1 < end_of_run &&
             (flags_[last + 1] & (kReached | kLeader)) == kReached) {
        ++last;
        ops |= BitOf(code_.At(last).op);
      }
      block.has_custom = (ops & kIsCustom) != 0;
      block.end = block.begin + 4 * (last - i + 1);
      SetEnd(block, last, stretch.targets);
      stretch.blocks.push_back(block);
      stretch.first.push_back(i);
      i = last;
    }
  }

  void SetEnd(BasicBlock& block, uint32_t last, std::vector<uint32_t>& all_targets) const {
    const Instruction& in = code_.At(last);
    block.target = Code::kNone;
    if (in.op == Op::kJal && in.imm % 4 == 0) {
      block.target = block.last_pc() + static_cast<uint32_t>(in.imm);
    } else if ((flags_[last] & kTarget) != 0) {
      block.target = jump_target_[last];
    }
    const bool known = block.target != Code::kNone;
    if (!EndsBlock(in.op)) {
      block.kind = BlockEnd::kFallThrough;
    } else if (IsBranch(in.op)) {
      block.kind = BlockEnd::kBranch;
      block.target = block.last_pc() + static_cast<uint32_t>(in.imm);
    } else if (in.op == Op::kJal) {
      block.kind = !known ? BlockEnd::kTrap : in.rd != 0 ? BlockEnd::kCall : BlockEnd::kJump;
    } else if (in.op == Op::kEcall) {
      block.kind = BlockEnd::kHostCall;
    } else if (in.op != Op::kJalr) {
      block.kind = BlockEnd::kTrap;
    } else if (in.rd != 0) {
      block.kind = BlockEnd::kIndirectCall;
    } else if (known) {
      block.kind = BlockEnd::kJump;
    } else if (IsLinkRegister(in.rs1)) {
      block.kind = BlockEnd::kReturn;
    } else {
      block.kind = BlockEnd::kIndirectJump;
      if (auto it = switch_targets_.find(last); it != switch_targets_.end()) {
        block.kind = BlockEnd::kSwitch;
        block.switch_begin = static_cast<uint32_t>(all_targets.size());
        all_targets.insert(all_targets.end(), it->second.begin(), it->second.end());
        block.switch_end = static_cast<uint32_t>(all_targets.size());
      }
    }
  }

  // Calls visit(block) for every successor, calls' return sites included; kNone for what is in no block.
  template <typename Visit>
  void ForEachSuccessor(const BasicBlock& block, Visit visit) const {
    switch (block.kind) {
      case BlockEnd::kBranch:
        visit(block.target_block);
        visit(block.next_block);
        break;
      case BlockEnd::kFallThrough:
      case BlockEnd::kCall:
      case BlockEnd::kIndirectCall:
      case BlockEnd::kHostCall:
        visit(block.next_block);
        break;
      case BlockEnd::kJump:
        visit(block.target_block);
        break;
      case BlockEnd::kSwitch:
        for (uint32_t k = block.switch_begin; k < block.switch_end; ++k) {
          visit(BlockAt(all_targets_[k]));
        }
        break;
      case BlockEnd::kReturn:
      case BlockEnd::kIndirectJump:
      case BlockEnd::kTrap:
        break;
    }
  }

  uint32_t Find(uint32_t b) {
    while (parent_[b] != b) b = parent_[b] = parent_[parent_[b]];
    return b;
  }

  // Of the block that begins at pc.
  uint32_t BlockAt(uint32_t pc) const {
    const uint32_t index = code_.IndexOf(pc);
    return index == Code::kNone || (flags_[index] & kBlock) == 0 ? Code::kNone : block_of_[index];
  }

  ControlFlow FormRegions() {
    const uint32_t count = static_cast<uint32_t>(blocks_.size());
    parent_.resize(count);
    std::iota(parent_.begin(), parent_.end(), 0u);
    for (uint32_t b = 0; b < count; ++b) {
      ForEachSuccessor(blocks_[b], [&](uint32_t to) {
        if (to == Code::kNone || (flags_[first_[to]] & kStart) != 0) return;
        const uint32_t x = Find(b), y = Find(to);
        parent_[std::max(x, y)] = std::min(x, y);
      });
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
    ControlFlow result;
    result.regions.resize(num_blocks.size());
    for (size_t r = 0; r < num_blocks.size(); ++r) result.regions[r].blocks.reserve(num_blocks[r]);
    for (uint32_t b = 0; b < count; ++b) {
      const auto number_of = [&](uint32_t to) {
        return to != BasicBlock::kNone && region_of[to] == region_of[b] ? number[to]
                                                                        : BasicBlock::kNone;
      };
      Region& region = result.regions[region_of[b]];
      BasicBlock& block = region.blocks.emplace_back(blocks_[b]);
      block.target_block = number_of(block.target_block);
      block.next_block = number_of(block.next_block);
      if (block.kind == BlockEnd::kSwitch) {
        const auto targets = all_targets_.begin();
        const uint32_t begin = static_cast<uint32_t>(region.switch_targets.size());
        region.switch_targets.insert(region.switch_targets.end(), targets + block.switch_begin,
                                     targets + block.switch_end);
        block.switch_begin = begin;
        block.switch_end = static_cast<uint32_t>(region.switch_targets.size());
      }
    }
    Pool<LoopFinder> finders;
    constexpr size_t kGroup = 32;  // of regions
    ParallelFor((result.regions.size() + kGroup - 1) / kGroup, threads_, [&](size_t group) {
      std::unique_ptr<LoopFinder> finder =
          finders.Take([] { return std::make_unique<LoopFinder>(); });
      const size_t begin = group * kGroup, end = std::min(begin + kGroup, result.regions.size());
      for (size_t r = begin; r < end; ++r) ChooseEntries(result.regions[r], *finder);
      finders.Return(std::move(finder));
    });
    size_t num_entries = 0;
    for (const Region& region : result.regions) {
      num_entries += region.entries.size();
      for (uint32_t pc : region.entries) flags_[code_.IndexOf(pc)] |= kEntry;
    }
    result.entries.reserve(num_entries);
    for (uint32_t first : first_) {
      if ((flags_[first] & kEntry) != 0) result.entries.push_back(code_.PcOf(first));
    }
    NameRegions(result);
    return result;
  }

  void ChooseEntries(Region& region, LoopFinder& loops) const {
    loops.Find(region);
    std::optional<uint32_t> primary;  // block
    const auto add = [&region](uint32_t b) {
      region.entries.push_back(region.blocks[b].begin);
      region.entry_blocks.push_back(b);
    };
    for (uint32_t b = 0; b < region.blocks.size(); ++b) {
      const uint8_t flags = flags_[code_.IndexOf(region.blocks[b].begin)];
      if ((flags & (kStart | kTaken | kReturnSite)) == 0 && !loops.IsHead(b)) continue;
      if (!primary && (flags & (kStart | kTaken)) != 0) {
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

  void NameRegions(ControlFlow& flow) const {
    absl::flat_hash_map<uint32_t, const std::string*> names;
    for (const guest::Symbol& symbol : program_.symbols) {
      const std::string*& name = names[symbol.address];
      if (name == nullptr || symbol.is_function) name = &symbol.name;
    }
    for (Region& region : flow.regions) {
      auto it = names.find(region.entries[0]);
      region.name = it != names.end() ? *it->second : absl::StrFormat("fn_%08x", region.entries[0]);
    }
  }

  // A word of initialized memory that is the address of an instruction.
  struct DataWord {
    uint32_t value, address;
    bool in_table = false;    // of a jump table that was understood
    bool is_guessed = false;  // target of a jump whose table was not seen
    bool IsSwitchTarget() const { return in_table || is_guessed; }
    bool operator<(const DataWord& other) const {
      return std::pair(value, address) < std::pair(other.value, other.address);
    }
  };

  const guest::Program& program_;
  const Code& code_;
  const int threads_;
  const Memory memory_;
  std::vector<uint8_t> flags_;               // by instruction index
  std::unique_ptr<uint32_t[]> jump_target_;  // by instruction index; only with kTarget
  std::vector<uint32_t> worklist_;           // instruction indexes to follow from
  absl::btree_set<uint32_t> starts_;         // instruction indexes with kStart
  std::vector<TableJump> table_jumps_;
  std::vector<BlindJump> blind_jumps_;
  std::vector<CaseJump> case_jumps_;
  // Pcs that need an entry: built by instructions, starts of gaps, targets of switches too large, cases that are called.
  std::vector<uint32_t> built_;
  size_t built_marked_ = 0;           // the first so many have been followed
  std::vector<DataWord> data_words_;  // ascending
  bool data_words_marked_ = false;    // they have been followed
  // By instruction index of the jump.
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>> switch_targets_;
  uint64_t switch_targets_left_ = kMaxSwitchTargets;
  std::vector<BasicBlock> blocks_;
  std::vector<uint32_t> first_;           // instruction index, by block
  std::vector<uint32_t> all_targets_;     // of blocks_ of kind kSwitch
  std::unique_ptr<uint32_t[]> block_of_;  // by instruction index; only with kBlock
  std::vector<uint32_t> parent_;          // union-find over blocks
};

}  // namespace

std::optional<uint32_t> Region::FindBlock(uint32_t pc) const {
  auto it = std::lower_bound(blocks.begin(), blocks.end(), pc,
                             [](const BasicBlock& b, uint32_t p) { return b.begin < p; });
  if (it == blocks.end() || it->begin != pc) return std::nullopt;
  return static_cast<uint32_t>(it - blocks.begin());
}

bool ControlFlow::IsEntry(uint32_t pc) const {
  return std::binary_search(entries.begin(), entries.end(), pc);
}

ControlFlow RecoverControlFlow(const guest::Program& program, const Code& code, int threads,
                               const std::function<void()>& meanwhile) {
  return Recovery(program, code, threads).Run(meanwhile);
}

}  // namespace precast::riscv
