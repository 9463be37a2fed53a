// Places metering, see meter.h.
#include "compiler/opt/meter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/edge_classes.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

// A check is replaced by at most so many others.
constexpr size_t kMaxSpread = 4;
// Rounds in which that is tried.
constexpr int kMaxRounds = 16;

class MeterPlacement {
 public:
  MeterPlacement(Function& f, const MeterOptions& options, const ir::Graphs& graphs)
      : f_(f),
        options_(options),
        max_headroom_(options.max_headroom),
        graphs_(graphs),
        loops_(&graphs.loops(f)),
        cfg_(&graphs.cfg(f)),
        info_(f.num_blocks()) {}

  void Run() {
    if (!Collect()) return;
    if (options_.split_edges) {
      AskOnExits();
      SplitEdges();
    }
    FindChecks();
    BreakCycles();
    BoundHeadroom();
    ComputeHeadroom();
    ChoosePrepaid();
    if (options_.spread_checks) SpreadChecks();
    for (Block b : cfg_->order()) Rewrite(b);
    JoinEdges();
  }

 private:
  struct Info {
    std::optional<size_t> meter;  // position of the meter in the block
    int64_t instructions = 0;     // what it charges
    int64_t maybe = 0;            // and what it charges at most at its end, by what it has computed
    bool calls = false;
    // Fuel must be asked for from here on before any instruction is executed: by the block itself
    // if it has a meter, else by all that follow.
    bool checks = false;
    int64_t headroom = 0;  // largest number of instructions from here to the next check
  };

  // Edge number `edge` of `from` leads through `between`.
  struct Split {
    Block from;
    size_t edge;
    Block between;
  };

  Info& info(Block b) { return info_[b.index]; }

  // Finds the meters. False if the function is not of the form required.
  bool Collect() {
    if (cfg_->order().size() != f_.num_blocks()) return false;
    for (Block b : cfg_->order()) {
      Info& info = this->info(b);
      const std::vector<Inst>& insts = f_.block(b).insts;
      bool site_seen = false;
      for (size_t k = 0; k < insts.size(); ++k) {
        const InstData& inst = f_.inst(insts[k]);
        if (inst.op == Opcode::kCharge || inst.op == Opcode::kMeterCheck) return false;
        if (inst.op == Opcode::kChargeValue) {
          const std::optional<int64_t> most = MostOf(f_.args(insts[k])[0]);
          if (!most.has_value()) return false;
          info.maybe += *most;
        }
        if (inst.op == Opcode::kMeter) {
          if (site_seen || inst.imm < 0 || int64_t{inst.site.refund} != inst.imm) return false;
          info.meter = k;
          info.instructions = inst.imm;
        }
        if (ir::IsCall(inst.op)) info.calls = true;
        if (ir::CanStop(inst.op)) site_seen = true;
      }
    }
    return true;
  }

  // The most that a condition, or a multiple of it, can be.
  std::optional<int64_t> MostOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param) return std::nullopt;
    const Inst i(data.def);
    if (f_.inst(i).op == Opcode::kIcmp) return 1;
    if (f_.inst(i).op != Opcode::kShl || f_.value(f_.args(i)[0]).is_param ||
        f_.inst(Inst(f_.value(f_.args(i)[0]).def)).op != Opcode::kIcmp) {
      return std::nullopt;
    }
    const std::optional<int64_t> amount = ir::ConstantOf(f_, f_.args(i)[1]);
    if (amount.value_or(8) >= 8) return std::nullopt;
    return int64_t{1} << *amount;
  }

  // -- edges with a block of their own

  void UpdateBlocks() {
    loops_ = &graphs_.loops(f_);
    cfg_ = &graphs_.cfg(f_);
    info_.resize(f_.num_blocks());
  }

  // The end of an inner loop asks for fuel on its way out, so that others that lead there need not.
  void AskOnExits() {
    const size_t before = f_.num_blocks();
    for (Block b : cfg_->order()) {
      for (size_t k = 0; k < ir::Successors(f_, b).size(); ++k) {
        if (!ChecksOnExit(b, ir::Successors(f_, b)[k].target)) continue;
        const Edge edge = ir::Successors(f_, b)[k];
        AskOnEdge(SplitEdge(b, k), edge);
      }
    }
    if (f_.num_blocks() == before) return;
    UpdateBlocks();
    for (const auto& [b, at] : asking_) info(b).meter = at;
  }

  // A loop's way on is charged in advance where it forks only if the other way can give that back.
  // If others lead to that other block too (to the loop's head, or out of the loop), it needs a
  // place of its own to do so.
  void SplitEdges() {
    const size_t before = f_.num_blocks();
    for (Block b : cfg_->order()) {
      const Block loop = loops_->head(b);
      if (!loop.valid() || f_.block(b).cold || f_.inst(f_.terminator(b)).op != Opcode::kBrIf)
        continue;
      for (size_t k = 0; k < 2; ++k) {
        const Block to = ir::Successors(f_, b)[k].target;
        const Block other = ir::Successors(f_, b)[1 - k].target;
        if (cfg_->predecessors(to).size() < 2 || cfg_->predecessors(other).size() != 1) continue;
        if (!loops_->Contains(loop, other) || (to != loop && loops_->Contains(loop, to))) continue;
        splits_.push_back({b, k, SplitEdge(b, k)});
        break;
      }
    }
    if (f_.num_blocks() != before) UpdateBlocks();
  }

  Block SplitEdge(Block b, size_t k) {
    const Block to = ir::Successors(f_, b)[k].target;
    const Block between = f_.NewBlock();
    f_.block(between).guest_pc = f_.block(to).guest_pc;
    f_.block(between).cold = f_.block(to).cold;
    f_.Append(between, {.op = Opcode::kBr}, {}, {}, {ir::Successors(f_, b)[k]});
    Edge& edge = f_.mutable_edges(f_.terminator(b))[k];
    edge.target = between;
    edge.args.clear();
    return between;
  }

  // Whether a loop ends from `from` to `to`, in a loop around it, and others lead to `to` that need
  // not ask for fuel there.
  bool ChecksOnExit(Block from, Block to) {
    if (to.index >= info_.size()) return false;  // an edge with a block of its own
    const auto is_exit = [&](Block b) {
      return loops_->head(b).valid() && !loops_->Contains(loops_->head(b), to);
    };
    if (!is_exit(from) || loops_->depth(to) == 0 || f_.block(to).cold || !IsCopiedToMeter(to)) {
      return false;
    }
    const absl::Span<const Block> preds = cfg_->predecessors(to);
    return std::none_of(preds.begin(), preds.end(),
                        [&](Block p) { return cfg_->IsRetreating(p, to); }) &&
           std::any_of(preds.begin(), preds.end(),
                       [&](Block p) { return !is_exit(p) && !info(p).calls; });
  }

  // Whether `b` has a meter, and before it only constants and what the state is.
  bool IsCopiedToMeter(Block b) {
    if (!info(b).meter) return false;
    const auto begin = f_.block(b).insts.begin();
    return std::all_of(begin, begin + Offset(*info(b).meter), [&](Inst i) {
      return f_.inst(i).op == Opcode::kIconst || f_.inst(i).op == Opcode::kDeferState;
    });
  }

  // A meter in `between`, for what comes behind it: with the state that its target's has, reached
  // by `edge`.
  void AskOnEdge(Block between, const Edge& edge) {
    const Block to = edge.target;
    std::vector<std::pair<Value, Value>> renamed;
    for (size_t k = 0; k < edge.args.size(); ++k) {
      renamed.emplace_back(f_.block(to).params[k], edge.args[k]);
    }
    const auto here = [&](Value v) {
      for (const auto& [old, now] : renamed) {
        if (old == v) return now;
      }
      return v;
    };
    f_.block(between).insts.clear();
    f_.block(between).state = f_.block(to).state;
    for (auto& [slot, value] : f_.block(between).state) value = here(value);
    const size_t at = *info(to).meter;
    for (size_t k = 0; k <= at; ++k) {
      const Inst i = f_.block(to).insts[k];
      const InstData d = f_.inst(i);
      InstData copy = {.op = d.op, .type = d.type, .aux = d.aux, .imm = d.imm, .site = d.site};
      if (d.op == Opcode::kMeter) {
        copy.imm = 0;
        copy.site.refund = 0;
      }
      if (d.op == Opcode::kDeferState) {
        f_.Append(between, copy, {here(f_.args(i)[0])}, {});
      } else if (d.op == Opcode::kIconst) {
        const Inst made = f_.Append(between, copy, {}, {d.type});
        renamed.emplace_back(f_.result(i), f_.result(made));
      } else {
        f_.Append(between, copy, {}, {});
      }
    }
    f_.Append(between, {.op = Opcode::kBr}, {}, {}, {edge});
    asking_.emplace_back(between, at);
  }

  // Removes the blocks for which there was no use.
  void JoinEdges() {
    const auto keep = std::make_unique<bool[]>(f_.num_blocks());
    std::fill_n(keep.get(), f_.num_blocks(), true);
    bool any = false;
    for (const Split& split : splits_) {
      if (f_.block(split.between).insts.size() != 1) continue;
      const Edge edge = ir::Successors(f_, split.between)[0];
      f_.mutable_edges(f_.terminator(split.from))[split.edge] = edge;
      keep[split.between.index] = false;
      any = true;
    }
    if (any) f_.RetainBlocks(absl::MakeConstSpan(keep.get(), f_.num_blocks()));
  }

  // Checks after entries, calls and loops.
  void FindChecks() {
    for (Block e : f_.entries()) AddCheck(e);
    for (Block b : cfg_->order()) {
      const Block loop = loops_->head(b);
      for (const Edge& edge : ir::Successors(f_, b)) {
        if (info(b).calls || (loop.valid() && !loops_->Contains(loop, edge.target))) {
          AddCheck(edge.target);
        }
      }
    }
  }

  // Makes `b` check, or what follows it if it has no meter.
  void AddCheck(Block b) {
    if (info(b).checks) return;
    std::vector<Block>& work = work_;
    work.assign(1, b);
    while (!work.empty()) {
      const Block at = work.back();
      work.pop_back();
      if (info(at).checks) continue;
      info(at).checks = true;
      if (info(at).meter) continue;
      for (const Edge& edge : ir::Successors(f_, at)) work.push_back(edge.target);
    }
  }

  // Adds checks until no cycle is without one, and orders the blocks such that edges to blocks that
  // do not check go backwards in `order_`. A depth-first walk of those edges gives both.
  void BreakCycles() {
    enum State : uint8_t { kNew, kActive, kDone };
    std::vector<State> state(f_.num_blocks(), kNew);
    struct Frame {
      Block block;
      uint32_t next_edge;
    };
    std::vector<Frame> stack;
    for (Block root : cfg_->order()) {
      if (state[root.index] != kNew) continue;
      state[root.index] = kActive;
      stack.push_back({root, 0});
      while (!stack.empty()) {
        const Block b = stack.back().block;
        const absl::Span<const Edge> edges = ir::Successors(f_, b);
        if (stack.back().next_edge == edges.size()) {
          state[b.index] = kDone;
          order_.push_back(b);
          stack.pop_back();
          continue;
        }
        const Block to = edges[stack.back().next_edge++].target;
        if (info(to).checks) continue;
        if (state[to.index] == kActive) AddCheck(to);
        if (state[to.index] != kNew) continue;
        state[to.index] = kActive;
        stack.push_back({to, 0});
      }
    }
  }

  // Instructions on the longest path that goes on at `b` without being checked. A block without a
  // meter that needs a check leads to checks before any instruction.
  int64_t Unchecked(Block b) { return info(b).checks ? 0 : info(b).headroom; }

  void ComputeHeadroom() {
    for (Block b : order_) {
      int64_t longest = 0;
      for (const Edge& edge : ir::Successors(f_, b)) {
        longest = std::max(longest, Unchecked(edge.target));
      }
      info(b).headroom = info(b).instructions + info(b).maybe + longest;
    }
  }

  // Adds checks where headroom would be too large.
  void BoundHeadroom() {
    for (Block b : order_) {
      int64_t longest = 0;
      for (const Edge& edge : ir::Successors(f_, b)) {
        const int64_t length = Unchecked(edge.target);
        if (length != 0 && info(b).instructions + info(b).maybe + length > max_headroom_)
          AddCheck(edge.target);
        longest = std::max(longest, Unchecked(edge.target));
      }
      info(b).headroom = info(b).instructions + info(b).maybe + longest;
    }
  }

  // -- what is charged in advance, by class of edges

  int64_t PrepaidIn(Block b) { return prepaid_[classes_->In(b)]; }
  int64_t PrepaidOut(Block b) { return prepaid_[classes_->Out(b)]; }

  void ChoosePrepaid() {
    EdgeClasses& classes = classes_.emplace(f_, *cfg_);
    // What is without instructions charges nothing if it can leave that to what only it leads to.
    for (Block b : cfg_->order()) {
      if (info(b).meter || info(b).calls || cfg_->predecessors(b).empty()) continue;
      const absl::Span<const Edge> edges = ir::Successors(f_, b);
      if (edges.size() != 1 || info(edges[0].target).checks) continue;
      if (cfg_->predecessors(edges[0].target).size() == 1) classes.JoinEnds(b);
    }
    prepaid_.assign(classes.size(), 0);
    std::vector<bool> decided(classes.size(), false);
    for (Block b : cfg_->order()) {
      // Fuel is exact on the way into a loop, so that its check can charge what it asks for.
      const bool is_head =
          info(b).checks && std::any_of(cfg_->predecessors(b).begin(), cfg_->predecessors(b).end(),
                                        [&](Block p) { return cfg_->IsRetreating(p, b); });
      const bool is_entry = cfg_->predecessors(b).empty();
      if (is_head || is_entry) decided[classes.In(b)] = true;
      if (info(b).calls || ir::Successors(f_, b).empty() || (is_entry && !info(b).meter)) {
        decided[classes.Out(b)] = true;
      }
    }
    // Blocks by class, in order; a class's turn comes with its last block that does not check, so
    // that what its blocks lead to is decided where possible. If all check, nothing is prepaid.
    std::vector<std::vector<Block>> targets(classes.size());
    std::vector<Block> last(classes.size());
    for (Block b : order_) {
      const uint32_t c = classes.In(b);
      targets[c].push_back(b);
      if (!info(b).checks) last[c] = b;
    }
    for (size_t c = 0; c < last.size(); ++c) {
      if (!last[c].valid()) decided[c] = true;
    }
    for (Block b : order_) {
      const uint32_t c = classes.In(b);
      if (decided[c] || last[c] != b) continue;
      prepaid_[c] = ChooseFor(targets[c], decided);
      decided[c] = true;
    }
  }

  // The prepaid amount that saves the charge of one of `targets`: of those executed most often the
  // one with the most instructions ahead, since then a check before them most likely asks for just
  // that amount.
  int64_t ChooseFor(const std::vector<Block>& targets, const std::vector<bool>& decided) {
    const auto hotness = [&](Block b) {
      return f_.block(b).cold ? 0 : 1 + static_cast<int64_t>(loops_->depth(b));
    };
    int64_t hottest = 0;
    for (Block b : targets) hottest = std::max(hottest, hotness(b));
    int64_t best = 0;
    for (Block b : targets) {
      if (hotness(b) != hottest || info(b).checks) continue;
      const uint32_t out = classes_->Out(b);
      if (!decided[out]) continue;
      const int64_t amount = info(b).instructions + prepaid_[out];
      if (amount <= 2 * max_headroom_) best = std::max(best, amount);
    }
    return best;
  }

  // -- more checks instead of longer ones

  int64_t ChargeOf(Block b) { return info(b).instructions + PrepaidOut(b) - PrepaidIn(b); }

  // A check in a loop that asks for more than it charges is two instructions; in most rounds the
  // ways for which it asks may not be taken. Where each of them charges again, that can be the
  // check of the rest.
  void SpreadChecks() {
    std::vector<Block> work;
    for (Block b : cfg_->order()) {
      if (info(b).checks) work.push_back(b);
    }
    // In rounds: after each, headrooms are computed again, which takes as long as there are blocks.
    for (int round = 0; round < kMaxRounds && !work.empty(); ++round) {
      std::vector<Block> added;
      for (Block b : work) {
        const int64_t charge = ChargeOf(b);
        if (!info(b).meter || loops_->depth(b) == 0 || f_.block(b).cold || charge <= 0 ||
            charge >= info(b).headroom - PrepaidIn(b)) {
          continue;
        }
        for (Block t : NextCharges(b)) {
          info(t).checks = true;
          added.push_back(t);
        }
      }
      if (!added.empty()) ComputeHeadroom();
      work = std::move(added);
    }
  }

  // The blocks that charge next on the ways from `b` that are not checked; none if there are too
  // many, or one cannot check.
  std::vector<Block> NextCharges(Block b) {
    std::vector<Block> result;
    std::vector<Block> seen = {b};
    for (size_t k = 0; k < seen.size(); ++k) {
      for (const Edge& edge : ir::Successors(f_, seen[k])) {
        const Block t = edge.target;
        if (info(t).checks || std::find(seen.begin(), seen.end(), t) != seen.end() ||
            std::find(result.begin(), result.end(), t) != result.end()) {
          continue;
        }
        if (ChargeOf(t) <= 0) {
          seen.push_back(t);
        } else if (!info(t).meter) {
          return {};
        } else {
          result.push_back(t);
        }
        if (seen.size() > kMaxSpread || result.size() > kMaxSpread) return {};
      }
    }
    return result;
  }

  // -- rewriting

  void Rewrite(Block b) {
    const Info& info = this->info(b);
    const int64_t in = PrepaidIn(b);
    const int64_t out = PrepaidOut(b);
    const int64_t charge = info.instructions + out - in;
    if (out != 0) {
      for (Inst i : f_.block(b).insts) {
        InstData& inst = f_.inst(i);
        if (ir::CanStop(inst.op) && inst.op != Opcode::kMeter) {
          inst.site.refund += static_cast<uint32_t>(out);
        }
      }
    }
    if (!info.meter) {
      if (charge != 0) f_.Insert(b, 0, {.op = Opcode::kCharge, .imm = charge});
      return;
    }
    const size_t at = *info.meter;
    InstData& meter = f_.inst(f_.block(b).insts[at]);
    if (!info.checks) {
      meter.op = Opcode::kCharge;
      meter.imm = charge;
      meter.site = {};
      if (charge == 0) f_.block(b).insts.erase(f_.block(b).insts.begin() + Offset(at));
      if (charge < 0) GiveBackLate(b, at, -charge);
      return;
    }
    // Fuel is short of its true value by what has been prepaid.
    const int64_t need = info.headroom - in;
    if (charge >= need) {
      meter.imm = charge;
      meter.site.refund = static_cast<uint32_t>(charge + in);
      return;
    }
    meter.op = Opcode::kMeterCheck;
    meter.imm = need;
    meter.site.refund = static_cast<uint32_t>(in);
    if (charge != 0) f_.Insert(b, at + 1, {.op = Opcode::kCharge, .imm = charge});
  }

  // Moves what a block gives back to its end, if that is where a loop's head is next: it may become
  // one with the head's meter there.
  void GiveBackLate(Block b, size_t at, int64_t amount) {
    std::vector<Inst>& insts = f_.block(b).insts;
    if (f_.inst(insts.back()).op != Opcode::kBr ||
        !cfg_->IsRetreating(b, ir::Successors(f_, b)[0].target)) {
      return;
    }
    const Inst charge = insts[at];
    insts.erase(insts.begin() + Offset(at));
    insts.insert(insts.end() - 1, charge);
    for (size_t k = at; k + 2 < insts.size(); ++k) {
      InstData& inst = f_.inst(insts[k]);
      if (ir::CanStop(inst.op)) inst.site.refund += static_cast<uint32_t>(amount);
    }
  }

  static std::ptrdiff_t Offset(size_t at) { return static_cast<std::ptrdiff_t>(at); }

  Function& f_;
  const MeterOptions options_;
  const int64_t max_headroom_;
  const ir::Graphs& graphs_;
  const ir::Loops* loops_;
  const ir::Cfg* cfg_;
  std::vector<Info> info_;  // by block
  std::vector<Split> splits_;
  std::vector<std::pair<Block, size_t>> asking_;  // blocks on edges that ask for fuel, and where
  std::vector<Block> work_;                       // of AddCheck
  // All blocks; of two joined by an edge to one that does not check, the target comes first.
  std::vector<Block> order_;
  std::optional<EdgeClasses> classes_;
  std::vector<int64_t> prepaid_;  // by class
};

}  // namespace

void PlaceMeters(Function& f, const MeterOptions& options, const ir::Graphs& graphs) {
  if (f.signature().conv == ir::CallConv::kWasm) return;
  MeterPlacement(f, options, graphs).Run();
}

void RemoveMeters(ir::Function& f) {
  for (uint32_t b = 0; b < f.num_blocks(); ++b) {
    std::erase_if(f.block(Block(b)).insts, [&](Inst i) {
      InstData& inst = f.inst(i);
      inst.site.refund = 0;
      return inst.op == Opcode::kMeter || inst.op == Opcode::kMeterCheck ||
             inst.op == Opcode::kCharge || inst.op == Opcode::kChargeValue;
    });
  }
}

}  // namespace precast::opt
