// See likely_charges.h.
#include "compiler/opt/likely_charges.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::IntCond;
using ir::Opcode;
using ir::Value;

// How often the function is executed; other frequencies are relative to it.
constexpr uint32_t kOnce = 1 << 20;
// One in how many equal comparisons holds, and ways are taken that are marked as cold.
constexpr uint32_t kEqual = 8;
constexpr uint32_t kCold = 64;
// No more than this is charged in advance.
constexpr int64_t kMaxMore = 1024;

class ChargeMover {
 public:
  ChargeMover(Function& f, const ir::Cfg& cfg) : f_(f), cfg_(cfg), info_(f.num_blocks()) {}

  void Run() {
    if (!Collect()) {
      for (Block b : cfg_.order()) ChargeAllAskedFor(b);
      return;
    }
    EstimateFrequencies();
    MakeNodes();
    ChooseTree();
    if (!IsPossible()) return;
    for (Block b : cfg_.order()) Rewrite(b);
    for (const Crossing& c : crossings_) ChargeOn(c);
  }

 private:
  struct Info {
    size_t at = 0;         // the position of what charges, or would
    bool charges = false;  // it is there
    int64_t charge = 0;
    bool asks = false;      // for fuel
    bool asks_for = false;  // just what it charges
    int64_t asked = 0;
    bool is_free = false;  // charging another amount costs nothing
    uint32_t frequency = 0;
  };
  // An edge from a block with others to a block to which others lead.
  struct Crossing {
    Block from;
    size_t edge;
    Block to;
    uint32_t frequency;
  };
  // A block, or an edge that may become one, between two nodes.
  struct Link {
    uint32_t in, out;
    int64_t charge;
    uint32_t frequency;
  };

  Info& info(Block b) { return info_[b.index]; }

  // False if there is nothing to move, or a loop or a call, next to which it is nothing.
  bool Collect() {
    bool any = false;
    if (cfg_.has_cycles() || cfg_.order().size() != f_.num_blocks()) return false;
    for (Block b : cfg_.order()) {
      Info& info = this->info(b);
      const std::vector<Inst>& insts = f_.block(b).insts;
      for (size_t k = 0; k < insts.size(); ++k) {
        const InstData& inst = f_.inst(insts[k]);
        switch (inst.op) {
          case Opcode::kCountRows:
          case Opcode::kLoadFuel:
            return false;
          case Opcode::kMeter:
          case Opcode::kMeterCheck:
            if (info.asks) return false;
            info.asks = true;
            info.asks_for = inst.op == Opcode::kMeter;
            info.asked = inst.imm;
            info.at = k + (info.asks_for ? 0 : 1);
            info.charges = info.asks_for;
            info.charge = info.asks_for ? inst.imm : 0;
            break;
          case Opcode::kCharge:
            // Others in the block stay.
            if (info.charges) break;
            info.at = k;
            info.charges = true;
            info.charge = inst.imm;
            any |= !info.asks;
            break;
          case Opcode::kChargeValue:
            if (info.asks || !TakesConstant(f_.args(insts[k])[0])) break;
            any = true;
            if (!info.charges) {
              info.at = k + 1;
              info.is_free = true;
            }
            break;
          default:
            if (ir::IsCall(inst.op)) return false;
        }
      }
    }
    return any;
  }

  // Whether what charges `v` charges a constant besides for nothing: if that is a carry, or what is
  // less than a constant.
  bool TakesConstant(Value v) const {
    if (f_.value(v).is_param) return false;
    const Inst def(f_.value(v).def);
    if (f_.inst(def).op == Opcode::kSub) return ir::ConstantOf(f_, f_.args(def)[0]).has_value();
    if (f_.inst(def).op != Opcode::kIcmp) return false;
    const auto cond = static_cast<IntCond>(f_.inst(def).aux);
    return cond == IntCond::kUlt || cond == IntCond::kUge;
  }

  // Where a block asks for more than it charges, and charges values later, of which one may take a
  // constant for nothing, the rest is charged at once and given back there: what charges what it
  // asks for is one instruction less.
  void ChargeAllAskedFor(Block b) {
    const std::vector<Inst>& insts = f_.block(b).insts;
    std::optional<size_t> check, last;
    for (size_t k = 0; k < insts.size(); ++k) {
      const InstData& d = f_.inst(insts[k]);
      if (d.op == Opcode::kMeter || d.op == Opcode::kCountRows || d.op == Opcode::kLoadFuel ||
          ir::IsCall(d.op) || (d.op == Opcode::kMeterCheck && check.has_value())) {
        return;
      }
      if (d.op == Opcode::kMeterCheck) check = k;
      if (d.op == Opcode::kChargeValue && check.has_value()) last = k;
    }
    if (!last.has_value()) return;
    InstData& meter = f_.inst(insts[*check]);
    const InstData& charge = f_.inst(insts[*check + 1]);
    const int64_t more = meter.imm - charge.imm;
    if (charge.op != Opcode::kCharge || meter.site.refund != 0 || more <= 0 || more > kMaxMore) {
      return;
    }
    meter.op = Opcode::kMeter;
    meter.site.refund = static_cast<uint32_t>(meter.imm);
    for (size_t k = *check + 1; k < *last; ++k) {
      InstData& between = f_.inst(insts[k]);
      if (ir::CanStop(between.op)) between.site.refund += static_cast<uint32_t>(more);
    }
    f_.Insert(b, *last + 1, {.op = Opcode::kCharge, .imm = -more});
    f_.block(b).insts.erase(insts.begin() + static_cast<std::ptrdiff_t>(*check + 1));
  }

  // The part of its executions after which a block goes on to its `k`th successor: one of `kCold`
  // and so on.
  uint32_t Part(Block b, size_t k) {
    const Inst last = f_.terminator(b);
    const absl::Span<const Edge> edges = ir::Successors(f_, b);
    const uint32_t n = info(b).frequency;
    if (f_.inst(last).op != Opcode::kBrIf) return n / static_cast<uint32_t>(edges.size());
    const auto shared = [&](bool first_is_rare, uint32_t parts) {
      return (k == 0) == first_is_rare ? n / parts : n - n / parts;
    };
    const bool first_cold = f_.inst(last).cold || f_.block(edges[0].target).cold;
    const bool second_cold = f_.block(edges[1].target).cold;
    if (first_cold != second_cold) return shared(first_cold, kCold);
    const ir::ValueData& condition = f_.value(f_.args(last)[0]);
    if (!condition.is_param && f_.inst(Inst(condition.def)).op == Opcode::kIcmp) {
      const auto cond = static_cast<IntCond>(f_.inst(Inst(condition.def)).aux);
      if ((cond == IntCond::kEq || cond == IntCond::kNe) && !IsBit(Inst(condition.def))) {
        return shared(cond == IntCond::kEq, kEqual);
      }
    }
    return k == 0 ? n / 2 : n - n / 2;
  }

  // Whether it is one bit of a number that is compared with 0.
  bool IsBit(Inst compare) const {
    const ir::ValueData& tested = f_.value(f_.args(compare)[0]);
    if (tested.is_param || f_.inst(Inst(tested.def)).op != Opcode::kAnd) return false;
    const std::optional<int64_t> mask = ir::ConstantOf(f_, f_.args(Inst(tested.def))[1]);
    return mask.has_value() && std::has_single_bit(static_cast<uint64_t>(*mask)) &&
           ir::ConstantOf(f_, f_.args(compare)[1]) == 0;
  }

  void EstimateFrequencies() {
    for (Block e : f_.entries()) info(e).frequency = kOnce / kCold;
    info(f_.entries()[0]).frequency = kOnce;
    for (Block b : cfg_.order()) {
      const size_t count = ir::Successors(f_, b).size();
      for (size_t k = 0; k < count; ++k) {
        const Block to = ir::Successors(f_, b)[k].target;
        const uint32_t part = Part(b, k);
        info(to).frequency += std::min(part, 4 * kOnce - info(to).frequency);
        if (count > 1 && cfg_.predecessors(to).size() > 1) crossings_.push_back({b, k, to, part});
      }
    }
  }

  // -- nodes: what is in front of each block, and behind it; the last one is where nothing may be
  // charged in advance

  uint32_t In(Block b) const { return 2 * b.index; }
  uint32_t Out(Block b) const { return 2 * b.index + 1; }
  uint32_t Exact() const { return static_cast<uint32_t>(2 * info_.size()); }

  void MakeNodes() {
    parent_.resize(size_t{Exact()} + 1);
    for (uint32_t n = 0; n < parent_.size(); ++n) parent_[n] = n;
    more_.assign(parent_.size(), 0);
    for (Block e : f_.entries()) Join(In(e), Exact(), 0);
    for (Block b : cfg_.order()) {
      if (info(b).asks) Join(In(b), Exact(), 0);
      const absl::Span<const Edge> edges = ir::Successors(f_, b);
      if (edges.empty()) Join(Out(b), Exact(), 0);
      for (const Edge& edge : edges) {
        if (edges.size() == 1 || cfg_.predecessors(edge.target).size() == 1) {
          Join(Out(b), In(edge.target), 0);
        }
      }
    }
  }

  // The root of `n`; `more_` of a node is relative to its parent, and to nothing for a root.
  uint32_t Find(uint32_t n) {
    uint32_t root = n;
    int64_t sum = 0;
    while (parent_[root] != root) {
      sum += more_[root];
      root = parent_[root];
    }
    while (parent_[n] != n) {
      const uint32_t next = std::exchange(parent_[n], root);
      sum -= std::exchange(more_[n], sum);
      n = next;
    }
    return root;
  }
  int64_t More(uint32_t n) {
    const uint32_t root = Find(n), exact = Find(Exact());
    const int64_t value = n == root ? 0 : more_[n];
    if (root != exact) return 0;
    return value - (Exact() == exact ? 0 : more_[Exact()]);
  }
  // From now on there is `difference` more at `a` than at `b`, unless that is decided already.
  void Join(uint32_t a, uint32_t b, int64_t difference) {
    const uint32_t root_a = Find(a), root_b = Find(b);
    if (root_a == root_b) return;
    const int64_t at_a = a == root_a ? 0 : more_[a], at_b = b == root_b ? 0 : more_[b];
    parent_[root_a] = root_b;
    more_[root_a] = at_b + difference - at_a;
  }

  void ChooseTree() {
    std::vector<Link> links;
    for (Block b : cfg_.order()) {
      const Info& info = this->info(b);
      // What asks for just what it charges goes on to do so; what asks for more charges besides,
      // but if that becomes as much.
      links.push_back({In(b), Out(b), info.asks_for ? 0 : info.charge - info.asked,
                       info.is_free ? 0 : info.frequency << (info.asks_for ? 1 : 0)});
    }
    // A block made for it would be a jump more.
    for (const Crossing& c : crossings_) {
      links.push_back({Out(c.from), In(c.to), 0, c.frequency + c.frequency / 2});
    }
    std::stable_sort(links.begin(), links.end(),
                     [](const Link& a, const Link& b) { return a.frequency > b.frequency; });
    for (const Link& link : links) Join(link.out, link.in, -link.charge);
    // What hangs together with nothing that is exact is as it was.
  }

  // --

  int64_t ChargeOf(Block b) { return info(b).charge + (More(Out(b)) - More(In(b))); }

  // Whether no refund becomes negative, and not too much is charged in advance.
  bool IsPossible() {
    bool any = false;
    for (Block b : cfg_.order()) {
      const int64_t in = More(In(b)), out = More(Out(b));
      any |= in != 0 || out != 0;
      if (std::max(std::abs(in), std::abs(out)) > kMaxMore) return false;
      const std::vector<Inst>& insts = f_.block(b).insts;
      for (size_t k = 0; k < insts.size(); ++k) {
        const InstData& inst = f_.inst(insts[k]);
        if (!ir::CanStop(inst.op)) continue;
        if (int64_t{inst.site.refund} + (k < info(b).at ? in : out) < 0) return false;
        // Where fuel is asked for, and what asks for just what it charges, nothing changes.
        if (inst.op == Opcode::kMeter && (in != 0 || out < 0)) return false;
      }
    }
    return any;
  }

  void Rewrite(Block b) {
    const int64_t in = More(In(b)), out = More(Out(b));
    if (in == 0 && out == 0) return;
    const size_t at = info(b).at;
    std::vector<Inst>& insts = f_.block(b).insts;
    for (size_t k = 0; k < insts.size(); ++k) {
      InstData& inst = f_.inst(insts[k]);
      if (!ir::CanStop(inst.op)) continue;
      const int64_t more = k < at ? in : out;
      inst.site.refund = static_cast<uint32_t>(int64_t{inst.site.refund} + more);
    }
    const int64_t charge = ChargeOf(b);
    if (info(b).asks && !info(b).asks_for && charge == info(b).asked &&
        f_.inst(insts[at - 1]).site.refund == 0) {
      InstData& meter = f_.inst(insts[at - 1]);
      meter.op = Opcode::kMeter;
      meter.site.refund = static_cast<uint32_t>(charge);
      if (info(b).charges) insts.erase(insts.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    }
    if (info(b).charges) {
      f_.inst(insts[at]).imm = charge;
      if (charge == 0) insts.erase(insts.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (charge != 0) {
      f_.Insert(b, at, {.op = Opcode::kCharge, .imm = charge});
    }
  }

  // On the edge itself, if there is something to charge.
  void ChargeOn(const Crossing& c) {
    const int64_t charge = More(In(c.to)) - More(Out(c.from));
    if (charge == 0) return;
    const Block between = f_.NewBlock();
    f_.block(between).guest_pc = f_.block(c.to).guest_pc;
    f_.block(between).cold = f_.block(c.to).cold;
    Edge& edge = f_.mutable_edges(f_.terminator(c.from))[c.edge];
    const Edge on = std::exchange(edge, Edge{between, {}});
    f_.Append(between, {.op = Opcode::kCharge, .imm = charge}, {}, {});
    f_.Append(between, {.op = Opcode::kBr}, {}, {}, {on});
  }

  Function& f_;
  const ir::Cfg& cfg_;
  std::vector<Info> info_;  // by block
  std::vector<Crossing> crossings_;
  std::vector<uint32_t> parent_;  // by node
  std::vector<int64_t> more_;
};

}  // namespace

void MoveCharges(Function& f, const ir::Graphs& graphs) {
  if (f.signature().conv == ir::CallConv::kWasm) return;
  ChargeMover(f, graphs.cfg(f)).Run();
}

}  // namespace precast::opt
