// Finds the locals that change inside loops and those that are wanted at labels, see lift_scan.h.
//
// Changes: all assignments go to one list, in order, so that those of a loop are a range of it.
//
// Liveness: what matters to locals is noted while the body is read, and walked backwards. Control
// flow is structured, so two walks do, without iteration. The first takes no branch back. What it
// finds live at the start of an outermost loop is all that is: a way that comes back to the start
// before it reads a local could have been shorter. For a loop inside another what is live at the
// start of the outer one is added, which may be more than is. The second walk knows then what a
// branch back wants.
#include "compiler/wasm/lift_scan.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace precast::wasm {
namespace {

// Words of bit sets that finding out liveness may touch, and keep.
constexpr size_t kMaxLivenessWork = size_t{1} << 25;
constexpr size_t kMaxLivenessWords = size_t{1} << 23;

struct Event {
  enum Kind : uint8_t {
    kGet,     // value: the local
    kSet,     // value: the local
    kLoop,    // value: the block, here and in what follows
    kIf,      // without else
    kIfElse,  // with else
    kElse,
    kEnd,  // not of a loop
    kBranch,
    kBranchMaybe,
    kStop,  // the function ends here, or nothing follows
  };
  Kind kind;
  uint32_t value = 0;
};

constexpr uint32_t kFunctionLabel = 0xffffffffu;
constexpr size_t kNoLoop = ~size_t{0};

}  // namespace

class BodyScanner {
 public:
  BodyScanner(InstructionReader reader, uint32_t num_locals, size_t limit)
      : reader_(reader),
        limit_(limit),
        num_locals_(num_locals),
        last_(num_locals),
        seen_(num_locals) {}

  absl::StatusOr<BodyScan> Run() {
    labels_.push_back({kFunctionLabel, kNoLoop, 0});
    Instruction in;
    while (!labels_.empty()) {
      if (absl::Status status = reader_.Next(in); !status.ok()) return status;
      Scan(in);
      if (result_.changed_.size() > limit_ || work_ / 8 > limit_) {
        return absl::ResourceExhaustedError(
            absl::StrFormat("function too complex at offset 0x%x: too many locals change in too "
                            "many nested loops",
                            in.offset));
      }
    }
    FindLiveness();
    return std::move(result_);
  }

 private:
  // An open block.
  struct Label {
    uint32_t block;
    size_t loop;   // in `loops_`, if it is one
    size_t event;  // `if`: its event
  };
  struct OpenLoop {
    size_t begin;          // in `assigned_`
    size_t at_branch = 0;  // size of `assigned_` behind all from which a branch leads to here
    size_t outer = kNoLoop;
    size_t reach = kNoLoop;  // the outermost loop that branches from inside lead to
    uint32_t block = 0;
    bool targeted = false;
  };

  void Scan(const Instruction& in) {
    switch (in.op) {
      case Op::kBlock:
        labels_.push_back({num_blocks_++, kNoLoop, 0});
        break;
      case Op::kIf:
        labels_.push_back({num_blocks_, kNoLoop, events_.size()});
        events_.push_back({Event::kIf, num_blocks_++});
        break;
      case Op::kElse:
        events_[labels_.back().event].kind = Event::kIfElse;
        events_.push_back({Event::kElse, labels_.back().block});
        break;
      case Op::kLoop:
        labels_.push_back({num_blocks_, loops_.size(), 0});
        loops_.push_back({.begin = assigned_.size(), .outer = loop_, .block = num_blocks_});
        loop_ = loops_.size() - 1;
        result_.loops_.push_back({.block = num_blocks_});
        events_.push_back({Event::kLoop, num_blocks_++});
        break;
      case Op::kEnd:
        if (labels_.back().loop != kNoLoop) {
          CloseLoop();
        } else if (labels_.back().block != kFunctionLabel) {
          events_.push_back({Event::kEnd, labels_.back().block});
        }
        labels_.pop_back();
        break;
      case Op::kBr:
        Branch(in.index, Event::kBranch);
        break;
      case Op::kBrIf:
        Branch(in.index, Event::kBranchMaybe);
        break;
      case Op::kBrTable: {
        std::vector<uint32_t>& depths = depths_;
        depths = in.targets;
        std::sort(depths.begin(), depths.end());
        depths.erase(std::unique(depths.begin(), depths.end()), depths.end());
        for (uint32_t depth : depths) Branch(depth, Event::kBranchMaybe);
        events_.push_back({Event::kStop});
        break;
      }
      case Op::kReturn:
      case Op::kUnreachable:
      case Op::kReturnCall:
      case Op::kReturnCallIndirect:
        events_.push_back({Event::kStop});
        break;
      case Op::kLocalGet:
        events_.push_back({Event::kGet, in.index});
        break;
      case Op::kLocalSet:
      case Op::kLocalTee:
        events_.push_back({Event::kSet, in.index});
        Assign(in.index);
        break;
      default:
        break;
    }
  }

  void Assign(uint32_t local) {
    if (loop_ == kNoLoop) return;
    // `last_` counts from 1. Once in the innermost loop is enough: the loops around it see it
    // there.
    if (last_[local] > loops_[loop_].begin) return;
    assigned_.push_back(local);
    last_[local] = assigned_.size();
  }

  void Branch(uint32_t depth, Event::Kind kind) {
    const Label& label = labels_[labels_.size() - 1 - depth];
    events_.push_back({kind, label.block});
    if (label.loop == kNoLoop) return;
    loops_[label.loop].targeted = true;
    loops_[label.loop].at_branch = assigned_.size();
    loops_[loop_].reach = std::min(loops_[loop_].reach, label.loop);
  }

  void CloseLoop() {
    const OpenLoop& loop = loops_[loop_];
    if (loop.targeted) {
      work_ += loop.at_branch - loop.begin;
      ++visit_;
      std::vector<uint32_t>& changed = result_.changed_;
      const size_t begin = changed.size();
      for (size_t k = loop.begin; k < loop.at_branch; ++k) {
        const uint32_t local = assigned_[k];
        if (std::exchange(seen_[local], visit_) != visit_) changed.push_back(local);
      }
      std::sort(changed.begin() + static_cast<ptrdiff_t>(begin), changed.end());
      result_.loops_[loop_] = {loop.block, begin, changed.size() - begin, true};
      LeadOutwards(loop);
    }
    if (loop.outer != kNoLoop) {
      loops_[loop.outer].reach = std::min(loops_[loop.outer].reach, loop.reach);
    }
    loop_ = loop.outer;
  }

  // What the closing loop assigns after a branch to a loop around it comes to that branch the next
  // time round.
  void LeadOutwards(const OpenLoop& closing) {
    for (size_t k = closing.outer; k != kNoLoop && k >= closing.reach; k = loops_[k].outer) {
      ++work_;
      if (loops_[k].at_branch >= closing.begin) loops_[k].at_branch = assigned_.size();
    }
  }

  // -- liveness

  absl::Span<uint64_t> SetOf(uint32_t block) {
    return absl::MakeSpan(result_.live_).subspan(block * result_.words_, result_.words_);
  }

  static void Unite(absl::Span<uint64_t> to, absl::Span<const uint64_t> from) {
    for (size_t k = 0; k < to.size(); ++k) to[k] |= from[k];
  }

  void FindLiveness() {
    const size_t words = (num_locals_ + 63) / 64;
    size_t sets = 2 * size_t{num_blocks_};
    for (const Event& e : events_) sets += e.kind >= Event::kLoop ? 2 : 0;
    if (words == 0 || num_blocks_ == 0 || sets > kMaxLivenessWork / words ||
        num_blocks_ > kMaxLivenessWords / words) {
      return;
    }
    result_.words_ = words;
    result_.live_.resize(num_blocks_ * words);
    Walk();
    for (const OpenLoop& loop : loops_) {
      if (loop.outer != kNoLoop) Unite(SetOf(loop.block), SetOf(loops_[loop.outer].block));
    }
    Walk();

    std::vector<uint32_t> wanted;
    for (BodyScan::Loop& loop : result_.loops_) {
      const size_t begin = wanted.size();
      for (size_t k = loop.begin; k < loop.begin + loop.count; ++k) {
        const uint32_t local = result_.changed_[k];
        if (result_.IsLive(loop.block, local)) wanted.push_back(local);
      }
      loop.begin = begin;
      loop.count = wanted.size() - begin;
    }
    result_.changed_ = std::move(wanted);
  }

  // The set of a block is at its `end` what is live after it; that of a loop grows.
  void Walk() {
    std::vector<uint64_t> live(result_.words_);
    std::vector<std::vector<uint64_t>> else_arms;  // live at their start
    const auto span = absl::MakeSpan(live);
    for (size_t k = events_.size(); k-- > 0;) {
      const auto [kind, value] = events_[k];
      switch (kind) {
        case Event::kGet:
          live[value / 64] |= uint64_t{1} << (value % 64);
          break;
        case Event::kSet:
          live[value / 64] &= ~(uint64_t{1} << (value % 64));
          break;
        case Event::kLoop:
          Unite(SetOf(value), live);
          break;
        case Event::kIf:
          Unite(span, SetOf(value));
          break;
        case Event::kIfElse:
          Unite(span, else_arms.back());
          else_arms.pop_back();
          break;
        case Event::kElse:
          else_arms.push_back(live);
          std::copy_n(SetOf(value).begin(), live.size(), live.begin());
          break;
        case Event::kEnd:
          std::copy(live.begin(), live.end(), SetOf(value).begin());
          break;
        case Event::kBranch:
        case Event::kStop:
          std::fill(live.begin(), live.end(), 0);
          if (kind == Event::kStop) break;
          [[fallthrough]];
        case Event::kBranchMaybe:
          if (value != kFunctionLabel) Unite(span, SetOf(value));
          break;
      }
    }
  }

  InstructionReader reader_;
  const size_t limit_;
  const uint32_t num_locals_;
  BodyScan result_;
  std::vector<Label> labels_;    // of the open blocks
  std::vector<OpenLoop> loops_;  // all
  size_t loop_ = kNoLoop;        // the innermost open one
  uint32_t num_blocks_ = 0;
  std::vector<Event> events_;
  std::vector<uint32_t> assigned_;  // locals, in the order of their assignments
  std::vector<size_t> last_;        // by local: position of its last entry in `assigned_`, + 1
  std::vector<uint32_t> seen_;      // by local: == visit_ if seen in this visit
  uint32_t visit_ = 0;
  std::vector<uint32_t> depths_;
  size_t work_ = 0;
};

absl::StatusOr<BodyScan> ScanBody(InstructionReader reader, uint32_t num_locals, size_t limit) {
  return BodyScanner(reader, num_locals, limit).Run();
}

}  // namespace precast::wasm
