// Marks pages, see mark_pages.h.
#include "compiler/opt/mark_pages.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
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
    for (Block b : cfg_.order()) Rewrite(b);
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
    for (Block b : cfg_.order()) {
      for (Inst i : f_.block(b).insts) {
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

  struct Mark {
    Inst before;
    Value address;
    int64_t displacement;
  };

  void Rewrite(Block b) {
    // By root: the positions to be touched, the first access, and those touched already.
    struct Root {
      Inst first;
      int64_t first_at = 0;
      std::set<int64_t> needed;
    };
    std::map<Value, Root> roots;
    std::vector<Mark> marks;
    const auto flush = [&] {
      for (auto& [value, root] : roots)
        MarkRoot(b, value, root.first, root.first_at, root.needed, marks);
      roots.clear();
    };
    for (Inst i : f_.block(b).insts) {
      switch (f_.inst(i).op) {
        // Native code may be left there, to go on behind it another time.
        case Opcode::kMeter:
        case Opcode::kMeterCheck:
        case Opcode::kCall:
        case Opcode::kCallDispatch:
        case Opcode::kCallPointer:
          flush();
          break;
        default:
          break;
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
    if (!marks.empty()) Insert(b, marks);
  }

  // Positions relative to `root` that have been touched before `b`.
  std::set<int64_t> Known(Block b, Value root) const {
    std::set<int64_t> known;
    const Facts& facts = facts_in_[b.index];
    if (facts.empty()) return known;
    for (auto it = numbers_.lower_bound({root, INT64_MIN});
         it != numbers_.end() && it->first.root == root; ++it) {
      if ((facts[it->second / 64] >> (it->second % 64) & 1) != 0) known.insert(it->first.at);
    }
    return known;
  }

  void MarkRoot(Block b, Value root, Inst first, int64_t first_at, std::set<int64_t>& needed,
                std::vector<Mark>& marks) const {
    const Value address = f_.args(first)[0];
    const int64_t first_displacement = f_.inst(first).imm;
    std::set<int64_t> known = Known(b, root);
    const auto mark = [&](int64_t at) {
      marks.push_back({first, address, first_displacement + (at - first_at)});
    };
    if (!root.valid()) {  // addresses: pages are known
      std::set<int64_t> pages;
      for (int64_t at : known) pages.insert(at / kPage);
      for (int64_t at : needed) {
        if (pages.insert(at / kPage).second) {
          marks.push_back({first, Value(), at});
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
    std::vector<Inst> insts = std::move(f_.block(b).insts);
    f_.block(b).insts.clear();
    for (Inst i : insts) {
      for (const Mark& mark : marks) {
        if (mark.before != i) continue;
        Value address = mark.address;
        int64_t displacement = static_cast<int32_t>(mark.displacement);
        if (!address.valid()) {
          const Inst constant =
              f_.Append(b, {.op = Opcode::kIconst, .imm = static_cast<int32_t>(mark.displacement)},
                        {}, {ir::Type::kI32});
          address = f_.result(constant);
          displacement = 0;
        }
        f_.Append(b, {.op = Opcode::kMarkPage, .imm = displacement}, {address}, {});
      }
      f_.block(b).insts.push_back(i);
    }
  }

  Function& f_;
  const ir::Cfg cfg_;
  std::map<Position, uint32_t> numbers_;
  std::vector<std::set<uint32_t>> touched_;  // by block
  size_t words_ = 0;                         // of Facts; 0: not used
  std::vector<Facts> facts_in_;              // by block
};

}  // namespace

void MarkPages(ir::Function& f) { PageMarking(f).Run(); }

}  // namespace precast::opt
