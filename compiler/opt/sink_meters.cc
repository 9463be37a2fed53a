// See sink_meters.h.
#include "compiler/opt/sink_meters.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Inst;
using ir::InstData;
using ir::Opcode;

// A meter is copied to at most so many edges.
constexpr size_t kMaxPreds = 3;
// So many meters side by side are enough: each is copied to both edges of a branch, and named at
// each load on the way.
constexpr size_t kMaxTogether = 8;

class Pass {
 public:
  Pass(ir::Function& f, const ir::Cfg& cfg)
      : f_(f), cfg_(cfg), info_(f.num_blocks()), lead_(f.num_blocks()) {}

  void Run() {
    for (Block b : cfg_.order()) {
      if (!Collect(b)) return;
    }
    for (Block e : f_.entries()) info_[e.index].is_entry = true;
    ChooseLoops();
    for (Block b : cfg_.order()) {
      if (CanSink(b)) Sink(b);
    }
    for (Block b : cfg_.order()) Rewrite(b);
  }

 private:
  struct Info {
    bool is_entry = false;
    bool is_head = false;   // some edge from a block that is not before it leads here
    bool leads = false;     // a meter comes before all that can be observed
    bool ends = false;      // a meter comes before all that meters cannot be moved behind
    bool trails = false;    // meters can be moved behind all that comes after the last one
    bool all_lead = false;  // all meters come before all that can be observed
    bool passes = false;    // meters can be moved through it and there is none: it has one edge
    bool sinks = false;     // its last meters go to its edges
    bool hoisted = false;   // its leading meters go to the edges into it
  };

  Info& info(Block b) { return info_[b.index]; }

  bool IsObservable(const InstData& d) const {
    return ir::Info(d.op).has_side_effect || ir::CanStop(d.op);
  }

  // What only reads memory can stop, but is seen by nobody otherwise: if it faults, the runtime
  // charges for what was to come before it.
  static bool IsLoad(const InstData& d) { return d.op == Opcode::kLoad || d.op == Opcode::kLoadAt; }
  bool Holds(const InstData& d) const { return IsObservable(d) && !IsLoad(d); }

  // False if the function is not of the form required.
  bool Collect(Block b) {
    Info& info = this->info(b);
    if (!f_.block(b).state.empty()) return false;
    const absl::Span<const Block> preds = cfg_.predecessors(b);
    info.is_head =
        std::any_of(preds.begin(), preds.end(), [&](Block p) { return cfg_.IsRetreating(p, b); });
    bool observed = false, held = false;
    size_t meters = 0;
    for (Inst i : f_.block(b).insts) {
      const InstData& d = f_.inst(i);
      if (d.op == Opcode::kCharge || d.op == Opcode::kMeterCheck || d.op == Opcode::kDeferState) {
        return false;
      }
      if (d.op == Opcode::kMeter) {
        if (int64_t{d.site.refund} != d.imm) return false;
        if (!observed) {
          info.leads = true;
          lead_[b.index].push_back(d);
        }
        info.ends |= !held;
        info.all_lead = !observed;
        info.trails = true;
        ++meters;
      } else if (!ir::IsTerminator(d.op) && IsObservable(d)) {
        observed = true;
        if (IsLoad(d)) continue;
        held = true;
        info.trails = false;
      }
    }
    const Opcode last = f_.inst(f_.terminator(b)).op;
    info.trails &= last == Opcode::kBr || last == Opcode::kBrIf;
    info.passes = !held && meters == 0 && last == Opcode::kBr && !info.is_head;
    info.leads &= lead_[b.index].size() < kMaxTogether;
    return true;
  }

  // Whether edges into `b` may bring meters: its leading ones then go to the edges too, if there
  // are many.
  bool CanHoist(Block b) {
    const Info& info = this->info(b);
    const size_t preds = cfg_.predecessors(b).size();
    if (info.passes && preds == 1) {
      const Block next = ir::Successors(f_, b)[0].target;
      return cfg_.predecessors(next).size() > 1 && !this->info(next).passes && CanHoist(next);
    }
    if (info.is_entry) return false;
    if (preds == 1) return info.ends && !info.is_head;
    return info.leads && preds <= kMaxPreds && !(info.sinks && info.all_lead) &&
           (!info.is_head || info.hoisted);
  }

  bool HasTrailing(Block b) {
    const Info& info = this->info(b);
    return info.trails && !(info.hoisted && info.all_lead);
  }

  bool CanSink(Block b) {
    if (info(b).sinks || !HasTrailing(b)) return false;
    const absl::Span<const Edge> edges = ir::Successors(f_, b);
    return std::all_of(edges.begin(), edges.end(),
                       [&](const Edge& e) { return CanHoist(e.target); });
  }

  void Sink(Block b) {
    info(b).sinks = true;
    for (const Edge& e : ir::Successors(f_, b)) {
      if (cfg_.predecessors(e.target).size() > 1) {
        info(e.target).hoisted = true;
      } else if (info(e.target).passes) {
        Sink(e.target);
      }
    }
  }

  // A loop's leading meters go to its edges only if they cannot go down, and all edges that lead
  // back bring some: else the way around the loop would become longer, not shorter.
  void ChooseLoops() {
    for (Block h : cfg_.order()) {
      const Info before = info(h);
      if (!before.is_head || !before.leads || cfg_.predecessors(h).size() > kMaxPreds) continue;
      if (CanSink(h)) continue;
      info(h).hoisted = true;
      bool all = true;
      for (Block p : cfg_.predecessors(h)) {
        if (cfg_.IsRetreating(p, h)) all = all && (info(p).sinks || CanSink(p));
      }
      if (!all) {
        info(h).hoisted = before.hoisted;
        continue;
      }
      for (Block p : cfg_.predecessors(h)) {
        if (cfg_.IsRetreating(p, h) && !info(p).sinks) Sink(p);
      }
    }
  }

  // -- rewriting

  void Rewrite(Block b) {
    std::vector<InstData> pending = MoveDown(b);
    const Info info = this->info(b);
    const Inst terminator = f_.terminator(b);
    if (!info.sinks || pending.size() >= kMaxTogether) {
      for (const InstData& meter : pending) InsertBeforeTerminator(b, meter);
      pending.clear();
    }
    const size_t num_edges = f_.edges(terminator).size();
    for (size_t k = 0; k < num_edges; ++k) {
      const Block to = f_.edges(terminator)[k].target;
      std::vector<InstData> meters = pending;
      if (this->info(to).hoisted) {
        meters.insert(meters.end(), lead_[to.index].begin(), lead_[to.index].end());
      }
      if (meters.empty()) continue;
      if (cfg_.predecessors(to).size() == 1) {
        for (size_t m = 0; m < meters.size(); ++m) InsertAt(to, m, meters[m]);
      } else if (num_edges == 1) {
        for (const InstData& meter : meters) InsertBeforeTerminator(b, meter);
      } else {
        SplitEdge(b, terminator, k, meters);
      }
    }
  }

  // Moves the meters of `b` down to the next meter, as far as nothing that holds them is between;
  // takes out those that reach the terminator, and the leading ones if they are hoisted. Returns
  // the former.
  std::vector<InstData> MoveDown(Block b) {
    std::vector<Inst> result;
    std::vector<Inst> meters;  // since the last instruction that holds them
    size_t first_at = 0;       // where the first of them would be
    std::vector<Inst> loads;   // behind the last of them
    size_t hoisted = info(b).hoisted ? lead_[b.index].size() : 0;
    for (Inst i : f_.block(b).insts) {
      const InstData& d = f_.inst(i);
      if (d.op == Opcode::kMeter) {
        if (hoisted > 0) {  // lead_ has it
          --hoisted;
          continue;
        }
        MoveBehind(loads, meters);
        meters.push_back(i);
        first_at = result.size();
        continue;
      }
      const bool is_last = ir::IsTerminator(d.op);
      if (is_last && info(b).sinks) {
        MoveBehind(loads, meters);
      } else if (is_last || Holds(d)) {
        Put(result, meters, first_at);
        loads.clear();
      } else if (IsLoad(d) && !meters.empty()) {
        loads.push_back(i);
      }
      result.push_back(i);
    }
    std::vector<InstData> pending;
    for (Inst i : meters) pending.push_back(f_.inst(i));
    f_.block(b).insts = std::move(result);
    return pending;
  }

  // `meters` come behind `loads`.
  void MoveBehind(std::vector<Inst>& loads, absl::Span<const Inst> meters) {
    for (Inst i : loads) {
      ir::Site& site = f_.inst(i).site;
      ir::Unpaid unpaid{.refund = site.refund};
      for (Inst m : meters) {
        const InstData& meter = f_.inst(m);
        unpaid.charges.push_back({meter.site.guest_pc, static_cast<uint32_t>(meter.imm)});
      }
      f_.SetUnpaid(site, std::move(unpaid));
    }
    loads.clear();
  }

  // All of `meters` where the last of them was.
  static void Put(std::vector<Inst>& result, std::vector<Inst>& meters, size_t at) {
    result.insert(result.begin() + static_cast<std::ptrdiff_t>(at), meters.begin(), meters.end());
    meters.clear();
  }

  static InstData Plain(const InstData& meter) {
    return {.op = Opcode::kMeter, .type = meter.type, .imm = meter.imm, .site = meter.site};
  }

  void InsertAt(Block b, size_t at, const InstData& meter) { f_.Insert(b, at, Plain(meter)); }
  void InsertBeforeTerminator(Block b, const InstData& meter) {
    InsertAt(b, f_.block(b).insts.size() - 1, meter);
  }

  void SplitEdge(Block from, Inst terminator, size_t k, absl::Span<const InstData> meters) {
    const Edge edge = f_.edges(terminator)[k];
    const Block between = f_.NewBlock();
    f_.block(between).guest_pc = f_.block(edge.target).guest_pc;
    f_.block(between).cold = f_.block(from).cold || f_.block(edge.target).cold;
    for (const InstData& meter : meters) f_.Append(between, Plain(meter), {}, {});
    f_.Append(between, {.op = Opcode::kBr}, {}, {}, {edge});
    Edge& changed = f_.mutable_edges(terminator)[k];
    changed.target = between;
    changed.args.clear();
  }

  ir::Function& f_;
  const ir::Cfg& cfg_;
  std::vector<Info> info_;
  std::vector<std::vector<InstData>> lead_;  // by block
};

}  // namespace

void SinkMeters(ir::Function& f, const ir::Graphs& graphs) {
  if (f.signature().conv != ir::CallConv::kWasm) return;
  Pass(f, graphs.cfg(f)).Run();
}

}  // namespace precast::opt
