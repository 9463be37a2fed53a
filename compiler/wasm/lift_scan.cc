// Finds the locals that change inside loops, see lift_scan.h. All assignments go to one list, in order, so that
// those of a loop are a range of it.
#include "compiler/wasm/lift_scan.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace precast::wasm {

class LoopScanner {
 public:
  LoopScanner(InstructionReader reader, size_t limit) : reader_(reader), limit_(limit) {}

  absl::StatusOr<LoopAssignments> Run() {
    labels_.push_back(kNoLoop);
    Instruction in;
    while (!labels_.empty()) {
      if (absl::Status status = reader_.Next(in); !status.ok()) return status;
      switch (in.op) {
        case Op::kBlock:
        case Op::kIf:
          labels_.push_back(kNoLoop);
          break;
        case Op::kLoop:
          labels_.push_back(open_.size());
          open_.push_back({.number = result_.loops_.size(), .begin = assigned_.size()});
          result_.loops_.emplace_back();
          break;
        case Op::kEnd:
          if (labels_.back() != kNoLoop) CloseLoop();
          labels_.pop_back();
          if (result_.locals_.size() > limit_ || work_ / 8 > limit_) {
            return absl::ResourceExhaustedError(
                absl::StrFormat("function too complex at offset 0x%x: too many locals change in "
                                "too many nested loops",
                                in.offset));
          }
          break;
        case Op::kBr:
        case Op::kBrIf:
          Target(in.index);
          break;
        case Op::kBrTable:
          for (uint32_t depth : in.targets) Target(depth);
          break;
        case Op::kLocalSet:
        case Op::kLocalTee:
          Assign(in.index);
          break;
        default:
          break;
      }
    }
    return std::move(result_);
  }

 private:
  static constexpr size_t kNoLoop = ~size_t{0};

  struct OpenLoop {
    size_t number;
    size_t begin;          // in `assigned_`
    size_t at_branch = 0;  // size of `assigned_` at the last branch to here
    bool targeted = false;
  };

  void Assign(uint32_t local) {
    if (open_.empty()) return;
    if (local >= last_.size()) last_.resize(size_t{local} + 1, 0);
    // `last_` counts from 1. Once in the innermost loop is enough: the loops around it see it there.
    if (last_[local] > open_.back().begin) return;
    assigned_.push_back(local);
    last_[local] = assigned_.size();
  }

  void Target(uint32_t depth) {
    if (depth >= labels_.size()) return;
    const size_t k = labels_[labels_.size() - 1 - depth];
    if (k == kNoLoop) return;
    open_[k].targeted = true;
    open_[k].at_branch = assigned_.size();
  }

  void CloseLoop() {
    const OpenLoop loop = open_.back();
    open_.pop_back();
    if (!loop.targeted) return;
    work_ += loop.at_branch - loop.begin;
    seen_.resize(last_.size(), 0);
    ++visit_;
    std::vector<uint32_t>& locals = result_.locals_;
    const size_t begin = locals.size();
    for (size_t k = loop.begin; k < loop.at_branch; ++k) {
      const uint32_t local = assigned_[k];
      if (std::exchange(seen_[local], visit_) != visit_) locals.push_back(local);
    }
    std::sort(locals.begin() + static_cast<ptrdiff_t>(begin), locals.end());
    result_.loops_[loop.number] = {begin, locals.size() - begin, true};
  }

  InstructionReader reader_;
  const size_t limit_;
  LoopAssignments result_;
  std::vector<size_t> labels_;  // open blocks: which of `open_`, if a loop
  std::vector<OpenLoop> open_;
  std::vector<uint32_t> assigned_;  // locals, in the order of their assignments
  std::vector<size_t> last_;        // by local: position of its last entry in `assigned_`, + 1
  std::vector<uint32_t> seen_;      // by local: == visit_ if seen in this visit
  uint32_t visit_ = 0;
  size_t work_ = 0;
};

absl::StatusOr<LoopAssignments> ScanLoops(InstructionReader reader, size_t limit) {
  return LoopScanner(reader, limit).Run();
}

}  // namespace precast::wasm
