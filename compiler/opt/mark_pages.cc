// Marks pages, see mark_pages.h.
#include "compiler/opt/mark_pages.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
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
// Marks that are made instead of one.
constexpr size_t kMostHoisted = 6;
constexpr int kMostRounds = 3;
// Instructions of a test that are executed twice.
constexpr size_t kMostCopies = 4;
// Where more ways meet, nothing is followed back.
constexpr size_t kMostWays = 32;

// A guest address as a sum; without a value, a constant.
struct Position {
  Value root;
  int64_t at = 0;  // for a root: of int32 range
  auto operator<=>(const Position&) const = default;
};

class PageMarking {
 public:
  explicit PageMarking(Function& f)
      : f_(f), cfg_(f), facts_in_(f.num_blocks()), ahead_of_guard_(f.num_blocks()) {}

  void Run() {
    Collect();
    FindTranslations();
    Propagate();
    if (words_ != 0) {
      for (int round = 0; round < kMostRounds && Hoist(); ++round) Propagate();
    }
    for (Block b : cfg_.order()) Rewrite(b);
    InsertAhead();
  }

 private:
  using Facts = std::vector<uint64_t>;  // bits by number of position

  Position PositionOf(Value v, int64_t displacement) const {
    for (int depth = 0; depth < 8; ++depth) {
      if (const std::optional<int64_t> c = ir::ConstantOf(f_, v)) {
        return {Value(), static_cast<uint32_t>(*c + displacement)};
      }
      const ir::ValueData& data = f_.value(v);
      if (data.is_param) break;
      const Inst def(data.def);
      if (f_.inst(def).op != Opcode::kAdd) break;
      const std::optional<int64_t> c = ir::ConstantOf(f_, f_.args(def)[1]);
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

  // Number of a position, if it has one: its place among all in their order.
  std::optional<uint32_t> NumberOf(const Position& p) const {
    const auto it = std::lower_bound(positions_.begin(), positions_.end(), p);
    if (it == positions_.end() || *it != p) return std::nullopt;
    return static_cast<uint32_t>(it - positions_.begin());
  }

  // The positions that are touched, and what they are on the way to the blocks of whose parameters they are.
  void Collect() {
    home_.assign(f_.num_insts(), UINT32_MAX);
    for (Block b : cfg_.order()) {
      for (Inst i : f_.block(b).insts) home_[i.index] = b.index;
    }
    std::vector<std::vector<Position>> touched(f_.num_blocks());
    std::set<Position> all;
    std::vector<Position> work;
    const auto add = [&](const Position& p) {
      if (all.insert(p).second) work.push_back(p);
    };
    for (Block b : cfg_.order()) {
      for (Inst i : f_.block(b).insts) {
        ForEachPosition(i, [&](const Position& p) {
          touched[b.index].push_back(p);
          add(p);
        });
      }
    }
    // Where each round of a loop adds something, there is no end of them.
    const size_t most = 4 * all.size();
    for (size_t k = 0; k < work.size() && all.size() < most; ++k) {
      const Position p = work[k];
      ForEachSource(p, [&](Block, const Position& source) {
        if (source.root != p.root) add(source);
      });
    }
    positions_.assign(all.begin(), all.end());
    words_ = (positions_.size() + 63) / 64;
    constexpr size_t kMostWords = size_t{1} << 22;
    if (words_ * cfg_.order().size() > kMostWords) words_ = 0;  // block by block
    touched_.resize(f_.num_blocks());
    for (Block b : cfg_.order()) {
      std::vector<uint32_t>& numbers = touched_[b.index];
      for (const Position& p : touched[b.index]) numbers.push_back(*NumberOf(p));
      std::sort(numbers.begin(), numbers.end());
      numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    }
  }

  // Calls visit(predecessor, position) for what `p`, whose root is a parameter, is at the end of each predecessor of its block.
  template <typename Visit>
  void ForEachSource(const Position& p, Visit visit) const {
    if (!p.root.valid() || !f_.value(p.root).is_param) return;
    const ir::ValueData& data = f_.value(p.root);
    if (cfg_.predecessors(Block(data.def)).size() > kMostWays) return;
    ForEachEdge(Block(data.def), [&](Block from, const ir::Edge& edge) {
      visit(from, PositionOf(edge.args[data.index], p.at));
    });
  }

  // Calls visit(predecessor, edge) for each edge to `b`.
  template <typename Visit>
  void ForEachEdge(Block b, Visit visit) const {
    const absl::Span<const Block> from = cfg_.predecessors(b);
    for (size_t k = 0; k < from.size(); ++k) {
      if (std::find(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(k), from[k]) !=
          from.begin() + static_cast<std::ptrdiff_t>(k))
        continue;
      for (const ir::Edge& edge : ir::Successors(f_, from[k])) {
        if (edge.target == b) visit(from[k], edge);
      }
    }
  }

  // Of the positions relative to parameters, and of those that a block touches where ways meet.
  void FindTranslations() {
    translations_.resize(f_.num_blocks());
    if (words_ == 0) return;
    for (uint32_t n = 0; n < positions_.size(); ++n) {
      const Value root = positions_[n].root;
      if (!root.valid() || !f_.value(root).is_param) continue;
      Translation t{.number = n, .sources = {}};
      ForEachSource(positions_[n], [&](Block from, const Position& source) {
        t.sources.emplace_back(from, source);
      });
      translations_[f_.value(root).def].push_back(std::move(t));
    }
    for (Block b : cfg_.order()) {
      const size_t ways = cfg_.predecessors(b).size();
      if (ways < 2 || ways > kMostWays) continue;
      for (uint32_t n : touched_[b.index]) {
        const Position& p = positions_[n];
        if (p.root.valid() && IsDefinedIn(b, p.root)) continue;
        Translation t{.number = n, .sources = {}};
        ForEachEdge(b, [&](Block from, const ir::Edge&) { t.sources.emplace_back(from, p); });
        translations_[b.index].push_back(std::move(t));
      }
    }
  }

  static bool IsFact(const Facts& facts, size_t number) {
    return (facts[number / 64] >> (number % 64) & 1) != 0;
  }
  static void SetFact(Facts& facts, size_t number, bool is) {
    const uint64_t bit = uint64_t{1} << (number % 64);
    facts[number / 64] = (facts[number / 64] & ~bit) | (is ? bit : 0);
  }

  // Distances from `p` of the nearest positions, relative to the same root, that are known; kFar if there are none near.
  struct Near {
    int64_t below, above;  // both 0 if `p` itself is known
  };
  static constexpr int64_t kFar = kPage + 1;
  Near FindNear(const Facts& facts, const Position& p) const {
    Near near{kFar, kFar};
    const auto at = std::lower_bound(positions_.begin(), positions_.end(), p);
    for (auto it = at; it != positions_.end() && it->root == p.root && it->at - p.at < kFar; ++it) {
      if (!IsFact(facts, static_cast<size_t>(it - positions_.begin()))) continue;
      near.above = it->at - p.at;
      break;
    }
    for (auto it = at; it != positions_.begin();) {
      if (near.above == 0) return {0, 0};
      --it;
      if (it->root != p.root || p.at - it->at >= kFar) break;
      if (!IsFact(facts, static_cast<size_t>(it - positions_.begin()))) continue;
      near.below = p.at - it->at;
      break;
    }
    if (near.above == 0) return {0, 0};
    if (!p.root.valid()) {  // pages are known
      const int64_t in_page = p.at & (kPage - 1);
      if (near.below <= in_page || near.above < kPage - in_page) return {0, 0};
    }
    return near;
  }
  // Whether the page at `p` is known to be marked: it is between two that are.
  bool Covers(const Facts& facts, const Position& p) const {
    const Near near = FindNear(facts, p);
    return near.below + near.above <= kPage;
  }

  // Which positions have been touched before each block. What is relative to a parameter is a matter of the edges.
  void Propagate() {
    if (words_ == 0) return;
    facts_out_.assign(f_.num_blocks(), {});
    const Facts all(words_, ~uint64_t{0});
    for (Block b : cfg_.order()) {
      facts_out_[b.index] = all;
      facts_in_[b.index].assign(words_, 0);
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (Block b : cfg_.order()) {
        Facts in(words_, 0);
        if (!cfg_.predecessors(b).empty()) {
          in = all;
          for (Block p : cfg_.predecessors(b)) {
            for (size_t w = 0; w < words_; ++w) in[w] &= facts_out_[p.index][w];
          }
          for (const Translation& t : translations_[b.index]) {
            SetFact(in, t.number,
                    !t.sources.empty() &&
                        std::all_of(t.sources.begin(), t.sources.end(), [&](const auto& source) {
                          return Covers(facts_out_[source.first.index], source.second);
                        }));
          }
        }
        for (uint32_t n : ahead_of_guard_[b.index]) SetFact(in, n, true);
        facts_in_[b.index] = in;
        for (uint32_t n : touched_[b.index]) SetFact(in, n, true);
        if (in != facts_out_[b.index]) {
          facts_out_[b.index] = std::move(in);
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
    // If valid: only if that block, to which the edge at hand leads, goes on to its edge `guarded`.
    Block guard = Block();
    size_t guarded = 0;
  };

  // Whether native code may be left there, to go on behind it another time.
  static bool IsBarrier(Opcode op) {
    return op == Opcode::kMeter || op == Opcode::kMeterCheck || op == Opcode::kCall ||
           op == Opcode::kCallDispatch || op == Opcode::kCallPointer;
  }

  // Whether all that has been charged before this meter has been executed.
  bool IsExact(Inst meter) const {
    const InstData& inst = f_.inst(meter);
    return int64_t{inst.site.refund} == (inst.op == Opcode::kMeter ? inst.imm : 0);
  }

  // The marks that `b` needs. The first `*first_group` are of accesses before which there is no barrier but at most one meter,
  // before which fuel is exact; `*asks`: there is one.
  std::vector<Mark> MarksOf(Block b, size_t* first_group = nullptr, bool* asks = nullptr) const {
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
    bool metered = false;
    const auto flush = [&] {
      for (auto& [value, root] : roots)
        MarkRoot(b, value, root.first, root.first_at, root.needed, marks);
      accessed |= !roots.empty();
      if (accessed && first_group != nullptr && *first_group == SIZE_MAX) {
        *first_group = marks.size();
        *asks = metered;
      }
      roots.clear();
    };
    for (Inst i : f_.block(b).insts) {
      const Opcode op = f_.inst(i).op;
      if (IsBarrier(op)) {
        flush();
        // Only one meter before the first group, and nothing else.
        if (first_group != nullptr && *first_group == SIZE_MAX) {
          if (metered || (op != Opcode::kMeter && op != Opcode::kMeterCheck) || !IsExact(i))
            *first_group = 0;
          metered = true;
        }
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
    if (first_group != nullptr && *first_group == SIZE_MAX) *first_group = 0;
    return marks;
  }

  void Rewrite(Block b) {
    std::vector<Mark> marks = MarksOf(b);
    for (Mark& mark : marks) {
      const auto stride = strides_.find({b.index, {mark.root, mark.at}});
      if (stride != strides_.end()) mark.mode = stride->second;
    }
    const std::vector<Mark> all = marks;
    std::erase_if(marks, [&](const Mark& mark) {
      const auto granted = granted_.find({b.index, {mark.root, mark.at}});
      return granted != granted_.end() && std::any_of(all.begin(), all.end(), [&](const Mark& m) {
               return m.root == mark.root && m.at == granted->second;
             });
    });
    if (!marks.empty()) Insert(b, marks);
  }

  // -- what is marked before its block. Where a block touches in its first group what some of its predecessors have touched
  // already (itself, maybe, in the round of a loop before), it is marked in the others, and the block does nothing; or it
  // needs another look only where the constant that a loop adds to a pointer may have led to the next page.

  bool IsDefinedIn(Block b, Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? data.def == b.index : home_[data.def] == b.index;
  }

  // The mode of a mark at most `step` from what is marked.
  static uint8_t StepMode(int64_t step) {
    uint8_t bits = 0;
    while ((int64_t{1} << bits) < std::abs(step)) ++bits;
    return static_cast<uint8_t>((step < 0 ? ir::kMarkDown : ir::kMarkUp) + bits);
  }

  // Makes marks at the ends of predecessors. False if there are none to make.
  bool Hoist() {
    bool any = false;
    for (Block b : cfg_.order()) {
      Guard guard;
      if (cfg_.predecessors(b).size() == 1) guard = GuardOf(b);
      const size_t ways = cfg_.predecessors(guard.block.valid() ? guard.block : b).size();
      if (ways < 2 || ways > kMostWays) continue;
      size_t count = 0;
      bool asks = false;
      const std::vector<Mark> marks = MarksOf(b, &count, &asks);
      if (asks && guard.block.valid()) continue;  // fuel is not that before the guard
      asks |= guard.asks;
      for (size_t k = 0; k < count; ++k) {
        if (k + 1 == count || marks[k].root != marks[k + 1].root ||
            marks[k + 1].at - marks[k].at > kPage) {
          any |= HoistMark(b, guard, marks[k], asks, false, nullptr);
          continue;
        }
        // The end of a range that a loop moves on with is enough: the rest is between that and what has been touched.
        const Mark &low = marks[k], &high = marks[k + 1];
        any |= HoistMark(b, guard, high, asks, true, nullptr);
        any |=
            HoistMark(b, guard, low, asks, true, IsStride(b, high, ir::kMarkUp) ? &high : nullptr);
        if (IsStride(b, low, ir::kMarkDown)) any |= HoistMark(b, guard, high, asks, true, &low);
        ++k;
      }
    }
    return any;
  }

  bool IsStride(Block b, const Mark& mark, uint8_t mode) const {
    const auto it = strides_.find({b.index, {mark.root, mark.at}});
    return it != strides_.end() && (it->second & mode) != 0;
  }

  // The only way to a block: from the head of a loop that tests something and does nothing else.
  struct Guard {
    Block block;  // not valid: there is none
    size_t edge = 0;
    bool asks = false;  // for fuel
  };
  Guard GuardOf(Block b) const {
    const Block g = cfg_.predecessors(b)[0];
    const absl::Span<const Block> from = cfg_.predecessors(g);
    if (std::none_of(from.begin(), from.end(), [&](Block p) { return cfg_.IsRetreating(p, g); }))
      return {};
    const Inst branch = f_.terminator(g);
    if (f_.inst(branch).op != Opcode::kBrIf ||
        f_.edges(branch)[0].target == f_.edges(branch)[1].target)
      return {};
    Guard guard{.block = g, .edge = f_.edges(branch)[0].target == b ? size_t{0} : size_t{1}};
    bool charged = false;
    for (Inst i : f_.block(g).insts) {
      const InstData& inst = f_.inst(i);
      charged |= inst.op == Opcode::kCharge;
      if (inst.op == Opcode::kMeter || inst.op == Opcode::kMeterCheck) {
        if (guard.asks || charged || !IsExact(i)) return {};
        guard.asks = true;
      } else if (i != branch && !ir::IsPure(inst.op) && inst.op != Opcode::kCharge &&
                 inst.op != Opcode::kDeferState && inst.op != Opcode::kCountRows) {
        return {};
      }
    }
    size_t copies = 0;
    return CanCopy(g, f_.args(branch)[0], copies) ? guard : Guard{};
  }

  // Whether what `g` makes `v` of can be computed at the ends of its predecessors.
  bool CanCopy(Block g, Value v, size_t& copies) const {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param || home_[data.def] != g.index) return true;
    const Inst i(data.def);
    const InstData& inst = f_.inst(i);
    if (inst.op == Opcode::kIconst) return true;
    if (++copies > kMostCopies) return false;
    if ((!ir::IsBinary(inst.op) || ir::IsDivision(inst.op)) && inst.op != Opcode::kIcmp)
      return false;
    return CanCopy(g, f_.args(i)[0], copies) && CanCopy(g, f_.args(i)[1], copies);
  }
  // That, at the end of the instructions of `b`, whose only edge is `edge`.
  Value Copy(Block b, const ir::Edge& edge, Value v) {
    const ir::ValueData data = f_.value(v);
    if (data.is_param) return data.def == edge.target.index ? edge.args[data.index] : v;
    if (home_[data.def] != edge.target.index) return v;
    const InstData inst = f_.inst(Inst(data.def));
    const InstData made{.op = inst.op, .type = inst.type, .aux = inst.aux, .imm = inst.imm};
    std::vector<Value> args;
    if (inst.op != Opcode::kIconst) {
      const Value first = f_.args(Inst(data.def))[0], second = f_.args(Inst(data.def))[1];
      args = {Copy(b, edge, first), Copy(b, edge, second)};
    }
    return f_.result(f_.Append(b, made, args, {data.type}));
  }

  // `other`: of the same root, and marked by `b` in any case; or null. With a guard: on the ways to that.
  bool HoistMark(Block b, const Guard& guard, const Mark& mark, bool asks, bool in_pair,
                 const Mark* other) {
    const Block head = guard.block.valid() ? guard.block : b;
    const Position here{mark.root, mark.at};
    if (granted_.contains({b.index, here})) return false;
    if (other == nullptr && strides_.contains({b.index, here})) return false;
    if (!NumberOf(here).has_value()) return false;
    Position at_head = here;
    if (guard.block.valid() && mark.root.valid() && IsDefinedIn(b, mark.root)) {
      if (!f_.value(mark.root).is_param) return false;
      at_head = PositionOf(
          f_.edges(f_.terminator(head))[guard.edge].args[f_.value(mark.root).index], mark.at);
    }
    const Value root = at_head.root;
    const bool is_param =
        root.valid() && f_.value(root).is_param && Block(f_.value(root).def) == head;
    if (root.valid() && !is_param && IsDefinedIn(head, root)) return false;
    std::vector<std::pair<Block, Position>> lacking;
    bool possible = true, known = false;
    int64_t below = 0, above = 0;  // how far it is from what is known, at most
    ForEachEdge(head, [&](Block from, const ir::Edge& edge) {
      const Position there =
          is_param ? PositionOf(edge.args[f_.value(root).index], at_head.at) : at_head;
      const Near near = FindNear(facts_out_[from.index], there);
      const int64_t to_other = other == nullptr      ? kFar
                               : other->at > mark.at ? near.below + (other->at - mark.at)
                                                     : near.above + (mark.at - other->at);
      if (near.below + near.above <= kPage || to_other <= kPage) {
        known = true;
      } else if (!cfg_.IsRetreating(from, head) && f_.inst(f_.terminator(from)).op == Opcode::kBr) {
        lacking.emplace_back(from, there);
      } else if (near.below <= kPage / 2) {
        below = std::max(below, near.below);
      } else if (near.above <= kPage / 2) {
        above = std::max(above, near.above);
      } else {
        possible = false;
      }
    });
    const bool is_stride = below != 0 || above != 0;
    if (is_stride && !mark.root.valid()) return false;
    if (!guard.block.valid()) {
      for (const auto& [from, there] : lacking) possible &= NumberOf(there).has_value();
    }
    if (!possible || (below != 0 && above != 0) || lacking.size() > kMostHoisted) return false;
    if (other != nullptr) {
      if (is_stride || !known) return false;
      granted_[{b.index, here}] = other->at;
    } else if (is_stride ? !in_pair && mark.mode != ir::kMarkAlways : !known || lacking.empty()) {
      return false;
    }
    if (is_stride) {
      strides_[{b.index, here}] = StepMode(below != 0 ? below : -above);
    } else if (guard.block.valid() && other == nullptr) {
      ahead_of_guard_[b.index].push_back(*NumberOf(here));
    }
    for (const auto& [from, there] : lacking) {
      Mark ahead{.before = f_.terminator(from),
                 .address = there.root,
                 .displacement = there.at,
                 .root = there.root,
                 .at = there.at,
                 .mode = asks ? ir::kMarkAhead : ir::kMarkAlways,
                 .guard = guard.block,
                 .guarded = guard.edge};
      if (is_param && there.root.valid()) {
        ahead.address = ir::Successors(f_, from)[0].args[f_.value(root).index];
        ahead.displacement = at_head.at;
      } else if (!is_param && mark.address.valid() && !guard.block.valid() &&
                 !IsDefinedIn(b, mark.address)) {
        ahead.address = mark.address;
        ahead.displacement = mark.displacement;
      }
      ahead_[from.index].push_back(ahead);
      if (guard.block.valid()) continue;  // of the guard nothing is known
      touched_[from.index].push_back(*NumberOf(there));
      SetFact(facts_out_[from.index], *NumberOf(there), true);
    }
    return true;
  }

  void InsertAhead() {
    for (const auto& [block, marks] : ahead_) {
      std::vector<Mark> always, guarded;
      for (const Mark& mark : marks) (mark.guard.valid() ? guarded : always).push_back(mark);
      if (!always.empty()) Insert(Block(block), always);
      if (!guarded.empty()) InsertGuarded(Block(block), guarded);
    }
  }

  // Makes the guard's test at the end of `b`, and the marks on the ways that it will go on.
  void InsertGuarded(Block b, const std::vector<Mark>& marks) {
    const ir::Edge edge = f_.edges(f_.terminator(b))[0];
    f_.block(b).insts.pop_back();
    const Value taken = Copy(b, edge, f_.args(f_.terminator(edge.target))[0]);
    std::array<ir::Edge, 2> edges = {edge, edge};
    for (size_t k = 0; k < edges.size(); ++k) {
      if (std::none_of(marks.begin(), marks.end(), [&](const Mark& m) { return m.guarded == k; }))
        continue;
      const Block between = f_.NewBlock();
      f_.block(between).guest_pc = f_.block(edge.target).guest_pc;
      f_.block(between).cold = f_.block(b).cold || f_.block(edge.target).cold;
      for (const Mark& mark : marks) {
        if (mark.guarded == k) Append(between, mark);
      }
      f_.Append(between, {.op = Opcode::kBr}, {}, {}, {edge});
      edges[k] = {between, {}};
    }
    f_.Append(b, {.op = Opcode::kBrIf}, {taken}, {}, {edges[0], edges[1]});
  }

  // Positions relative to `root` that have been touched before `b`, of those at most a page from one of `needed`. (All
  // would be too many: constant addresses have one root, and a function may use thousands.)
  std::set<int64_t> Known(Block b, Value root, const std::set<int64_t>& needed) const {
    std::set<int64_t> known;
    const Facts& facts = facts_in_[b.index];
    if (facts.empty()) return known;
    int64_t seen = INT64_MIN;  // all up to it have been looked at
    for (int64_t at : needed) {
      const Position from{root, std::max(seen, at - kPage)};
      for (auto it = std::lower_bound(positions_.begin(), positions_.end(), from);
           it != positions_.end() && it->root == root && it->at <= at + kPage; ++it) {
        if (IsFact(facts, static_cast<size_t>(it - positions_.begin()))) known.insert(it->at);
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
      for (const Mark* mark : found->second) Append(b, *mark);
      f_.block(b).insts.push_back(i);
    }
  }

  void Append(Block b, const Mark& mark) {
    Value address = mark.address;
    int64_t displacement = static_cast<int32_t>(mark.displacement);
    if (!address.valid()) {
      const Inst constant =
          f_.Append(b, {.op = Opcode::kIconst, .imm = static_cast<int32_t>(mark.displacement)}, {},
                    {ir::Type::kI32});
      address = f_.result(constant);
      displacement = 0;
    }
    f_.Append(b, {.op = Opcode::kMarkPage, .aux = mark.mode, .imm = displacement}, {address}, {});
  }

  Function& f_;
  const ir::Cfg cfg_;
  // What a position relative to a parameter is at the ends of the predecessors.
  struct Translation {
    uint32_t number;
    std::vector<std::pair<Block, Position>> sources;
  };

  std::vector<uint32_t> home_;       // of instructions: the block, before marks were added
  std::vector<Position> positions_;  // ascending; their numbers are their places
  std::vector<std::vector<uint32_t>> touched_;          // by block
  std::vector<std::vector<Translation>> translations_;  // by block
  size_t words_ = 0;                                    // of Facts; 0: not used
  std::vector<Facts> facts_in_, facts_out_;             // by block
  std::vector<std::vector<uint32_t>> ahead_of_guard_;   // by block: marked, where it is entered
  std::map<uint32_t, std::vector<Mark>> ahead_;         // by block, before its end
  std::map<std::pair<uint32_t, Position>, uint8_t> strides_;  // by block
  // By block: what is known once another position, relative to the same root, has been marked.
  std::map<std::pair<uint32_t, Position>, int64_t> granted_;
};

}  // namespace

void MarkPages(ir::Function& f) { PageMarking(f).Run(); }

}  // namespace precast::opt
