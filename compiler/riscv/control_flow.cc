#include "compiler/riscv/control_flow.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/container/btree_set.h"
#include "compiler/parallel.h"
#include "compiler/riscv/case_rows.h"
#include "compiler/riscv/code_pointers.h"
#include "compiler/riscv/known_registers.h"
#include "compiler/riscv/region_former.h"

namespace precast::riscv {
namespace {

// Limits on what a hostile or odd program can make us do.
constexpr uint32_t kMaxTableEntries = 4096;
constexpr uint32_t kMaxGuesses = 1024;        // targets of one jump whose table was not seen
constexpr uint32_t kMaxSwitchSpan = 1 << 16;  // bytes between the lowest and highest switch target
// Of all switches together, since many jumps may name the same targets: targets, and words of span.
constexpr uint64_t kMaxSwitchTargets = 1 << 18;
constexpr uint64_t kMaxSwitchWords = 1 << 22;

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
    uint32_t word;
    std::memcpy(&word, it->data.data() + offset, 4);
    return word;
  }

 private:
  const guest::Program& program_;
};

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

// Finds what is reached from the roots.
class Recovery {
 public:
  Recovery(const guest::Program& program, const Code& code, int threads)
      : program_(program),
        code_(code),
        threads_(threads),
        memory_(program),
        likely_(program, code),
        found_(code.size()) {}

  FoundCode Run(const std::function<void()>& meanwhile) {
    ParallelFor(3, threads_, [&](size_t job) {
      if (job == 0) {
        MarkRoots();
        Follow();
      } else if (job == 1) {
        pointers_.Find(program_, likely_);
      } else if (meanwhile) {
        meanwhile();
      }
    });
    pointers_.RemoveThoseInCode([this](uint32_t address) {
      const uint32_t index = code_.IndexOf(address);
      return index != Code::kNone && (found_.flags[index] & FoundCode::kReached) != 0;
    });
    do {
      Follow();
      ResolveJumps();
    } while (!worklist_.empty() || SweepGaps());
    SettleSwitches();
    SettleTaken();
    return std::move(found_);
  }

 private:
  void Mark(uint32_t index, uint8_t flags) {
    if (index == Code::kNone) return;
    uint8_t& all = found_.flags[index];
    if ((all & FoundCode::kReached) == 0) worklist_.push_back(index);
    if ((flags & ~all & FoundCode::kStart) != 0) starts_.insert(index);
    all |= flags | FoundCode::kLeader;
  }
  void MarkPc(uint32_t pc, uint8_t flags) { Mark(code_.IndexOf(pc), flags); }

  void MarkRoots() {
    MarkPc(program_.entry, FoundCode::kStart);
    for (const guest::Symbol& symbol : program_.symbols) {
      if (symbol.is_function) MarkPc(symbol.address, FoundCode::kStart);
    }
  }

  void Follow() {
    while (!worklist_.empty()) {
      const uint32_t index = worklist_.back();
      worklist_.pop_back();
      FollowFrom(index);
    }
  }

  // Follows straight-line code from `first` until it ends or joins what is known.
  void FollowFrom(uint32_t first) {
    // All others write rd, and that is all.
    constexpr uint64_t kSpecial =
        SetOf(Op::kBeq, Op::kBne, Op::kBlt, Op::kBge, Op::kBltu, Op::kBgeu, Op::kJal, Op::kJalr,
              Op::kEcall, Op::kEbreak, Op::kCustom, Op::kCustomRegister, Op::kCustomBranch,
              Op::kCustomEnd, Op::kHelper, Op::kIllegal);
    uint8_t* const flags = found_.flags.data();
    if ((flags[first] & FoundCode::kReached) != 0) return;
    known_.Clear();
    uint32_t pc = code_.PcOf(first);
    const uint32_t end = first + (code_.RunOf(first).second - pc) / 4;
    const Instruction* next = &code_.At(first);
    for (uint32_t index = first; index != end && (flags[index] & FoundCode::kReached) == 0;
         ++index, pc += 4) {
      flags[index] |= FoundCode::kReached;
      const Instruction& in = *next++;
      if (!IsIn(kSpecial, in.op)) {
        // Both are asked, so that there is one branch, which is foreseen.
        if ((int{known_.Follow(in, pc)} & int{likely_.IsNear(known_.Get(in.rd))}) != 0) {
          FoundAddress(known_.Get(in.rd));
        }
        continue;
      }
      switch (in.op) {
        case Op::kCustomBranch:
          flags[index] |= FoundCode::kCustom;
          [[fallthrough]];
        case Op::kBeq:
        case Op::kBne:
        case Op::kBlt:
        case Op::kBge:
        case Op::kBltu:
        case Op::kBgeu:
          if (in.imm % 4 == 0) MarkPc(pc + static_cast<uint32_t>(in.imm), 0);
          // Go on here instead of from the worklist, so that what is known of registers is not
          // lost.
          if (index + 1 != end) flags[index + 1] |= FoundCode::kLeader;
          break;
        case Op::kJal:
          if (in.imm % 4 != 0) return;
          MarkPc(pc + static_cast<uint32_t>(in.imm), in.rd != 0 ? FoundCode::kStart : 0);
          if (in.rd != 0) MarkPc(pc + 4, FoundCode::kReturnSite);
          return;
        case Op::kJalr: {
          const bool is_known = known_.Has(in.rs1);
          const uint32_t base = known_.Get(in.rs1);
          if (in.rd != 0) MarkPc(pc + 4, FoundCode::kReturnSite);
          if (is_known) {
            FoundTarget(in, index, base);
          } else {
            FollowJump(in, first, index);
          }
          return;
        }
        case Op::kEcall:
          MarkPc(pc + 4, FoundCode::kReturnSite);
          return;
        case Op::kCustom:  // rd is read
          flags[index] |= FoundCode::kCustom;
          break;
        case Op::kCustomRegister:
          flags[index] |= FoundCode::kCustom;
          known_.Forget(in.rd);
          break;
        case Op::kHelper:
          for (uint8_t r : {in.rd, uint8_t{10}, uint8_t{11}}) known_.Forget(r);
          break;
        case Op::kCustomEnd:
          flags[index] |= FoundCode::kCustom;
          return;
        default:
          return;
      }
    }
  }

  // A function pointer built by code; data addresses are in no instruction range. (The result of
  // auipc is half of an address: of a call's, mostly.)
  void FoundAddress(uint32_t value) {
    if (likely_.Contains(value)) built_.push_back(value);
  }

  // A jalr to a constant.
  void FoundTarget(const Instruction& in, uint32_t index, uint32_t base) {
    const uint32_t target = (base + static_cast<uint32_t>(in.imm)) & ~1u;
    found_.jump_target[index] = target;
    found_.flags[index] |= FoundCode::kTarget;
    MarkPc(target, in.rd != 0 ? FoundCode::kStart : 0);
  }

  // A jalr to something else, to which straight-line code from `first` on comes.
  void FollowJump(const Instruction& in, uint32_t first, uint32_t index) {
    const bool calls_or_returns = in.rd != 0 || IsLinkRegister(in.rs1);
    if (calls_or_returns && !IsSum(first, index, in.rs1)) return;
    const Abstract base = KnownOf(code_, first, index, in.rs1);
    if (base.kind == Abstract::Kind::kIndexed) {
      const uint32_t stride = FindScale(code_, index, in.rs1);
      if (stride >= 4 && stride <= CaseRow::kMaxStride) {
        case_jumps_.push_back({index, {base.c + static_cast<uint32_t>(in.imm), stride}});
        return;
      }
    }
    if (calls_or_returns) return;
    const bool relative = base.kind == Abstract::Kind::kRelativeTarget;
    if (in.imm == 0 && (base.kind == Abstract::Kind::kTableWord || relative)) {
      table_jumps_.push_back(
          {index, {base.c, relative, base.bound != 0 ? std::optional(base.bound) : std::nullopt}});
    } else {
      blind_jumps_.push_back({index, base.kind == Abstract::Kind::kField});
    }
  }

  // Whether register r was last written by an addition.
  bool IsSum(uint32_t first, uint32_t index, uint8_t r) const {
    while (index-- != first) {
      const Instruction& in = code_.At(index);
      if (in.rd == r && in.op != Op::kCustom) return in.op == Op::kAdd || in.op == Op::kAddi;
    }
    return false;
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
    if (!std::exchange(pointers_marked_, true)) {
      pointers_.ForEachOther([this](uint32_t pc) { MarkPc(pc, FoundCode::kTaken); });
    }
    for (; built_marked_ < built_.size(); ++built_marked_) {
      MarkPc(built_[built_marked_], FoundCode::kTaken);
    }
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

  // A jump whose table was not seen may go to all code addresses in data that are in its function.
  // A jump through a field is a tail call more often than not: what is known to be another jump's
  // table is not for it.
  void GuessTargets(BlindJump jump) {
    const auto [begin, end] = Extent(jump.index);
    const auto [first, last] = pointers_.Into(begin, end);
    const size_t count = last - first;
    if (count > kMaxGuesses || !Spend(count)) return;
    for (size_t i = first; i < last; ++i) {
      if (jump.through_field && pointers_.IsInTable(i)) continue;
      pointers_.Guess(i);
      AddSwitchTarget(jump.index, pointers_.Target(i));
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
      if (!likely_.Contains(target)) return;
      if (target < begin || target >= end) {
        if (!table.bound) return;
        continue;  // a cold part elsewhere: reached through the dispatcher
      }
      AddSwitchTarget(jump, target);
      pointers_.AddToTable(target, address);
    }
  }

  void AddSwitchTarget(uint32_t jump, uint32_t target) {
    found_.switch_targets[jump].push_back(target);
    MarkPc(target, 0);
  }

  // Flags of eight instructions, of which i is the first.
  uint64_t FlagsFrom(uint32_t i) const {
    uint64_t flags;
    std::memcpy(&flags, found_.flags.data() + i, sizeof flags);
    return flags;
  }

  // Code that nothing found leads to, inside executable sections: most likely reached through
  // pointers computed at run time. True if there was some.
  bool SweepGaps() {
    if (!program_.code_hint_is_exact) return false;
    bool found = false;
    for (uint32_t i = 0, count = code_.size(); i < count; ++i) {
      constexpr uint64_t kAllReached = FoundCode::kReached * FoundCode::kEach;
      if (i % 8 == 0 && (FlagsFrom(i) & kAllReached) == kAllReached) {
        i += 7;
        continue;
      }
      if ((found_.flags[i] & FoundCode::kReached) != 0) continue;
      const Instruction& in = code_.At(i);
      const bool is_filler = in.op == Op::kIllegal || (in.op == Op::kAddi && in.rd == 0);
      if (is_filler || !likely_.Contains(code_.PcOf(i))) continue;
      found = true;
      built_.push_back(code_.PcOf(i));
      Mark(i, FoundCode::kTaken);
      Follow();
    }
    return found;
  }

  // Switches too large for a table of their own stay indirect jumps: their targets are reached
  // through the dispatcher.
  void SettleSwitches() {
    std::vector<uint32_t> jumps;
    for (auto& [jump, targets] : found_.switch_targets) {
      jumps.push_back(jump);
      std::sort(targets.begin(), targets.end());
      targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    }
    std::sort(jumps.begin(), jumps.end());
    uint64_t words_left = kMaxSwitchWords;
    for (uint32_t jump : jumps) {
      const std::vector<uint32_t>& targets = found_.switch_targets[jump];
      const uint32_t span = targets.back() - targets.front();
      if (span <= kMaxSwitchSpan && span / 4 < words_left) {
        words_left -= span / 4 + 1;
        continue;
      }
      built_.insert(built_.end(), targets.begin(), targets.end());
      found_.switch_targets.erase(jump);
    }
  }

  // Jump tables are often found after their words were taken for function pointers: only what is
  // still a pointer keeps its entry.
  void SettleTaken() {
    for (uint8_t& flags : found_.flags) flags &= static_cast<uint8_t>(~FoundCode::kTaken);
    pointers_.ForEachOther([this](uint32_t pc) { MarkPc(pc, FoundCode::kTaken); });
    for (uint32_t pc : built_) MarkPc(pc, FoundCode::kTaken);
  }

  const guest::Program& program_;
  const Code& code_;
  const int threads_;
  const Memory memory_;
  const LikelyCode likely_;
  FoundCode found_;
  Constants known_;                   // of the line that is followed
  std::vector<uint32_t> worklist_;    // instruction indexes to follow from
  absl::btree_set<uint32_t> starts_;  // instruction indexes with kStart
  std::vector<TableJump> table_jumps_;
  std::vector<BlindJump> blind_jumps_;
  std::vector<CaseJump> case_jumps_;
  // Pcs that need an entry: built by instructions, starts of gaps, targets of switches too large,
  // cases that are called.
  std::vector<uint32_t> built_;
  size_t built_marked_ = 0;  // the first so many have been followed
  CodePointers pointers_;
  bool pointers_marked_ = false;  // they have been followed
  uint64_t switch_targets_left_ = kMaxSwitchTargets;
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
  return FormRegions(program, code, Recovery(program, code, threads).Run(meanwhile), threads);
}

}  // namespace precast::riscv
