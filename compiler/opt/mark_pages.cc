// Marks pages, see mark_pages.h.
#include "compiler/opt/mark_pages.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/mark_mode.h"
#include "runtime/abi/meter_area.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

constexpr int64_t kPage = int64_t{1} << abi::kMarkedPageBits;
constexpr size_t kMostEntering = 4;

// A guest address as a sum; without a value, a constant.
struct Position {
  Value root;
  int64_t at = 0;  // for a root: of int32 range
  auto operator<=>(const Position&) const = default;
};

class PageMarking {
 public:
  explicit PageMarking(Function& f) : f_(f), cfg_(f), facts_in_(f.num_blocks()) {}

  void Run() {
    Collect();
    Propagate();
    FindLoops();
    if (!ahead_.empty()) Propagate();
    for (Block b : cfg_.order()) Rewrite(b);
    InsertAhead();
  }

 private:
  using Facts = std::vector<uint64_t>;  // bits by number of position

  std::optional<int64_t> ConstantOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param) return std::nullopt;
    const InstData& inst = f_.inst(Inst(data.def));
    if (inst.op != Opcode::kIconst) return std::nullopt;
    return inst.imm;
  }

  Position PositionOf(Value v, int64_t displacement) const {
    for (int depth = 0; depth < 8; ++depth) {
      if (const std::optional<int64_t> c = ConstantOf(v)) {
        return {Value(), static_cast<uint32_t>(*c + displacement)};
      }
      const ir::ValueData& data = f_.value(v);
      if (data.is_param) break;
      const Inst def(data.def);
      if (f_.inst(def).op != Opcode::kAdd) break;
      const std::optional<int64_t> c = ConstantOf(f_.args(def)[1]);
      if (!c.has_value()) break;
      displacement += *c;
      v = f_.args(def)[0];
    }
    return {v, static_cast<int32_t>(displacement)};
  }

  // Calls visit(position) for those that say which pages `inst` touches.
  template <typename Visit>
  void ForEachPosition(Inst i, Visit visit) const {
    const InstData& inst = f_.inst(i);
    if (inst.op != Opcode::kLoad && inst.op != Opcode::kStore) return;
    const Value address = f_.args(i)[0];
    visit(PositionOf(address, inst.imm));
    const int bytes = ir::AccessBytes(static_cast<ir::MemKind>(inst.aux));
    // Two words that became one, or part of a larger number: anywhere.
    if (bytes > 4) visit(PositionOf(address, inst.imm + bytes - 1));
  }

  uint32_t NumberOf(const Position& p) {
    return numbers_.emplace(p, static_cast<uint32_t>(numbers_.size())).first->second;
  }

  void Collect() {
    touched_.resize(f_.num_blocks());
    block_of_.assign(f_.num_insts(), Block::kNone);
    for (Block b : cfg_.order()) {
      for (Inst i : f_.block(b).insts) {
        block_of_[i.index] = b.index;
        ForEachPosition(i, [&](const Position& p) { touched_[b.index].insert(NumberOf(p)); });
      }
    }
    words_ = (numbers_.size() + 63) / 64;
    constexpr size_t kMostWords = size_t{1} << 22;
    if (words_ * cfg_.order().size() > kMostWords) words_ = 0;  // block by block
  }

  // Which positions have been touched before each block.
  void Propagate() {
    if (words_ == 0) return;
    std::vector<Facts> out(f_.num_blocks());
    const Facts all(words_, ~uint64_t{0});
    for (Block b : cfg_.order()) {
      out[b.index] = all;
      facts_in_[b.index].assign(words_, 0);
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (Block b : cfg_.order()) {
        Facts in(words_, 0);
        if (!cfg_.predecessors(b).empty()) {
          in = all;
          for (Block p : cfg_.predecessors(b)) {
            for (size_t w = 0; w < words_; ++w) in[w] &= out[p.index][w];
          }
        }
        facts_in_[b.index] = in;
        for (uint32_t n : touched_[b.index]) in[n / 64] |= uint64_t{1} << (n % 64);
        if (in != out[b.index]) {
          out[b.index] = std::move(in);
          changed = true;
        }
      }
    }
  }

  // What is to be marked before instruction `before`: `address` + `displacement`, which is position `at` of `root`.
  struct Mark {
    Inst before;
    Value address;  // not valid: a constant
    int64_t displacement;
    Value root;
    int64_t at;
    uint8_t mode;
  };

  // Whether native code may be left there, to go on behind it another time.
  static bool IsBarrier(Opcode op) {
    return op == Opcode::kMeter || op == Opcode::kMeterCheck || op == Opcode::kCall ||
           op == Opcode::kCallDispatch || op == Opcode::kCallPointer;
  }

  // The marks that `b` needs. The first `*first_group` are of accesses before which there is no barrier but the meter
  // that the block begins with.
  std::vector<Mark> MarksOf(Block b, size_t* first_group = nullptr) const {
    // By root: the positions to be touched, the first access, and those touched already.
    struct Root {
      Inst first;
      int64_t first_at = 0;
      std::set<int64_t> needed;
    };
    std::map<Value, Root> roots;
    std::vector<Mark> marks;
    bool accessed = false;
    if (first_group != nullptr) *first_group = SIZE_MAX;
    const auto flush = [&] {
      for (auto& [value, root] : roots)
        MarkRoot(b, value, root.first, root.first_at, root.needed, marks);
      accessed |= !roots.empty();
      if (accessed && first_group != nullptr && *first_group == SIZE_MAX)
        *first_group = marks.size();
      roots.clear();
    };
    bool metered = false;
    for (Inst i : f_.block(b).insts) {
      const Opcode op = f_.inst(i).op;
      if (IsBarrier(op)) {
        // Only one meter before the first group, and nothing else.
        if (first_group != nullptr && *first_group == SIZE_MAX && roots.empty()) {
          if (metered || (op != Opcode::kMeter && op != Opcode::kMeterCheck)) *first_group = 0;
          metered = true;
        }
        flush();
      }
      ForEachPosition(i, [&](const Position& p) {
        Root& root = roots[p.root];
        if (!root.first.valid()) {
          root.first = i;
          root.first_at = p.at;
        }
        root.needed.insert(p.at);
      });
    }
    flush();
    if (first_group != nullptr && (*first_group == SIZE_MAX || !metered)) *first_group = 0;
    return marks;
  }

  void Rewrite(Block b) {
    std::vector<Mark> marks = MarksOf(b);
    for (Mark& mark : marks) {
      const auto stride = strides_.find({b.index, {mark.root, mark.at}});
      if (stride != strides_.end()) mark.mode = stride->second;
    }
    if (!marks.empty()) Insert(b, marks);
  }

  // -- loops. What the head of a loop touches in every round is marked on the way into the loop: what does not change,
  // for good; what is at a parameter that each round changes by a small constant needs another look only where that
  // constant may have led to the next page.

  // The block whose end is an edge to `head` and nothing else; not valid if there is no such block.
  std::vector<Block> Entering(Block head) const {
    std::vector<Block> blocks;
    for (Block p : cfg_.predecessors(head)) {
      if (cfg_.IsRetreating(p, head)) continue;
      if (f_.inst(f_.terminator(p)).op != Opcode::kBr) return {};
      blocks.push_back(p);
    }
    return blocks;
  }

  bool IsLoop(Block head) const {
    return std::any_of(cfg_.predecessors(head).begin(), cfg_.predecessors(head).end(),
                       [&](Block p) { return cfg_.IsRetreating(p, head); });
  }

  // Index of `v` among the parameters of `b`.
  std::optional<size_t> ParameterOf(Block b, Value v) const {
    const std::vector<Value>& params = f_.block(b).params;
    const auto it = std::find(params.begin(), params.end(), v);
    if (it == params.end()) return std::nullopt;
    return static_cast<size_t>(it - params.begin());
  }

  bool IsDefinedIn(Block b, Value v) const {
    const ir::ValueData& data = f_.value(v);
    return (data.is_param ? data.def : block_of_[data.def]) == b.index;
  }

  // The mode of a mark at most `step` from what is marked.
  static uint8_t StepMode(int64_t step) {
    uint8_t bits = 0;
    while ((int64_t{1} << bits) < std::abs(step)) ++bits;
    return static_cast<uint8_t>((step < 0 ? ir::kMarkDown : ir::kMarkUp) + bits);
  }

  // The mode of marks at parameter `index` of `head`: kMarkAlways if nothing is known of its changes.
  uint8_t StrideOf(Block head, size_t index) const {
    int64_t least = 0, most = 0;
    const Value param = f_.block(head).params[index];
    for (Block p : cfg_.predecessors(head)) {
      if (!cfg_.IsRetreating(p, head)) continue;
      for (const ir::Edge& edge : ir::Successors(f_, p)) {
        if (edge.target != head) continue;
        const Position next = PositionOf(edge.args[index], 0);
        if (next.root != param) return ir::kMarkAlways;
        least = std::min(least, next.at);
        most = std::max(most, next.at);
      }
    }
    if ((least < 0 && most > 0) || least < -kPage / 2 || most > kPage / 2 || least == most)
      return ir::kMarkAlways;
    return StepMode(least < 0 ? least : most);
  }

  void FindLoops() {
    if (words_ == 0) return;
    for (Block head : cfg_.order()) {
      if (!IsLoop(head)) continue;
      const std::vector<Block> entering = Entering(head);
      if (entering.empty() || entering.size() > kMostEntering) continue;
      size_t count = 0;
      const std::vector<Mark> marks = MarksOf(head, &count);
      for (size_t k = 0; k < count; ++k) AddAhead(head, entering, marks[k]);
    }
  }

  void AddAhead(Block head, const std::vector<Block>& entering, const Mark& mark) {
    const Position position{mark.root, mark.at};
    std::optional<size_t> parameter;
    if (mark.root.valid()) {
      parameter = ParameterOf(head, mark.root);
      if (!parameter.has_value() && IsDefinedIn(head, mark.root)) return;
    }
    if (parameter.has_value()) {
      const uint8_t mode = StrideOf(head, *parameter);
      if (mode == ir::kMarkAlways) return;
      strides_[{head.index, position}] = mode;
    }
    for (Block p : entering) {
      Mark ahead{f_.terminator(p), mark.root, mark.at, mark.root, mark.at, ir::kMarkAhead};
      if (parameter.has_value()) {
        const ir::Edge& edge = ir::Successors(f_, p)[0];
        ahead.address = edge.args[*parameter];
        const Position there = PositionOf(ahead.address, mark.at);
        ahead.root = there.root;
        ahead.at = there.at;
        if (!there.root.valid()) {
          ahead.address = Value();
          ahead.displacement = there.at;
        }
      } else if (mark.address.valid() && !IsDefinedIn(head, mark.address)) {
        ahead.address = mark.address;
        ahead.displacement = mark.displacement;
      }
      const uint32_t number = NumberOf({ahead.root, ahead.at});
      if (number / 64 < words_) {
        if (!touched_[p.index].contains(number) && !IsFact(facts_in_[p.index], number))
          ahead_[p.index].push_back(ahead);
        touched_[p.index].insert(number);
      } else {
        ahead_[p.index].push_back(ahead);
      }
    }
  }

  static bool IsFact(const Facts& facts, uint32_t number) {
    return (facts[number / 64] >> (number % 64) & 1) != 0;
  }

  void InsertAhead() {
    for (const auto& [block, marks] : ahead_) Insert(Block(block), marks);
  }

  // Positions relative to `root` that have been touched before `b`, of those at most a page from one of `needed`. (All
  // would be too many: constant addresses have one root, and a function may use thousands.)
  std::set<int64_t> Known(Block b, Value root, const std::set<int64_t>& needed) const {
    std::set<int64_t> known;
    const Facts& facts = facts_in_[b.index];
    if (facts.empty()) return known;
    int64_t seen = INT64_MIN;  // all up to it have been looked at
    for (int64_t at : needed) {
      for (auto it = numbers_.lower_bound({root, std::max(seen, at - kPage)});
           it != numbers_.end() && it->first.root == root && it->first.at <= at + kPage; ++it) {
        if (it->second / 64 < facts.size() && IsFact(facts, it->second)) known.insert(it->first.at);
      }
      seen = std::max(seen, at + kPage);
    }
    return known;
  }

  void MarkRoot(Block b, Value root, Inst first, int64_t first_at, std::set<int64_t>& needed,
                std::vector<Mark>& marks) const {
    const Value address = f_.args(first)[0];
    const int64_t first_displacement = f_.inst(first).imm;
    std::set<int64_t> known = Known(b, root, needed);
    const auto mark = [&](int64_t at) {
      // Near to what is marked it is another page seldom.
      uint8_t mode = ir::kMarkAlways;
      int64_t nearest = kPage / 2 + 1;
      const auto above = known.lower_bound(at);
      if (above != known.begin() && at - *std::prev(above) < nearest) {
        nearest = at - *std::prev(above);
        mode = StepMode(nearest);
      }
      if (above != known.end() && *above - at < nearest) mode = StepMode(at - *above);
      marks.push_back({first, address, first_displacement + (at - first_at), root, at, mode});
      known.insert(at);
    };
    if (!root.valid()) {  // addresses: pages are known
      std::set<int64_t> pages;
      for (int64_t at : known) pages.insert(at / kPage);
      for (int64_t at : needed) {
        if (pages.insert(at / kPage).second) {
          marks.push_back({first, Value(), at, Value(), at, ir::kMarkAlways});
        }
      }
      return;
    }
    const auto covered = [&](int64_t at) {
      const auto above = known.lower_bound(at);
      if (above == known.end()) return false;
      if (*above == at) return true;
      return above != known.begin() && *above - *std::prev(above) <= kPage;
    };
    std::erase_if(needed, covered);
    while (!needed.empty()) {
      const int64_t low = *needed.begin();
      const int64_t high = *std::prev(needed.upper_bound(low + kPage));
      // One end may have been touched already.
      const auto below = known.lower_bound(high - kPage);
      const auto above = known.lower_bound(high);
      const bool has_below = below != known.end() && *below < low;
      const bool has_above = above != known.end() && *above - low <= kPage;
      if (!has_below) mark(low);
      if (high != low || has_below) {
        if (has_below || !has_above) mark(high);
      }
      needed.erase(needed.begin(), needed.upper_bound(high));
    }
  }

  void Insert(Block b, const std::vector<Mark>& marks) {
    std::unordered_map<uint32_t, std::vector<const Mark*>> before;  // by instruction
    for (const Mark& mark : marks) before[mark.before.index].push_back(&mark);
    std::vector<Inst> insts = std::move(f_.block(b).insts);
    f_.block(b).insts.clear();
    for (Inst i : insts) {
      const auto found = before.find(i.index);
      if (found == before.end()) {
        f_.block(b).insts.push_back(i);
        continue;
      }
      for (const Mark* m : found->second) {
        const Mark& mark = *m;
        Value address = mark.address;
        int64_t displacement = static_cast<int32_t>(mark.displacement);
        if (!address.valid()) {
          const Inst constant =
              f_.Append(b, {.op = Opcode::kIconst, .imm = static_cast<int32_t>(mark.displacement)},
                        {}, {ir::Type::kI32});
          address = f_.result(constant);
          displacement = 0;
        }
        f_.Append(b, {.op = Opcode::kMarkPage, .aux = mark.mode, .imm = displacement}, {address},
                  {});
      }
      f_.block(b).insts.push_back(i);
    }
  }

  Function& f_;
  const ir::Cfg cfg_;
  std::map<Position, uint32_t> numbers_;
  std::vector<uint32_t> block_of_;                            // by instruction, before any is added
  std::vector<std::set<uint32_t>> touched_;                   // by block
  size_t words_ = 0;                                          // of Facts; 0: not used
  std::vector<Facts> facts_in_;                               // by block
  std::map<uint32_t, std::vector<Mark>> ahead_;               // by block, before its end
  std::map<std::pair<uint32_t, Position>, uint8_t> strides_;  // by head
};

}  // namespace

void MarkPages(ir::Function& f) { PageMarking(f).Run(); }

}  // namespace precast::opt
