// Problems are grown along the dominator tree, so that every use is dominated by its definition.
#include "compiler/regalloc/random_problem.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace precast::regalloc {
namespace {

using Constraint = Operand::Constraint;
using Kind = Operand::Kind;
using OpPos = Operand::Pos;

class Generator {
 public:
  Generator(uint64_t seed, const RandomOptions& options) : random_(seed), o_(options) {}

  Problem Run() {
    MakeRegisters();
    if (o_.structured) {
      MakeStructuredGraph();
    } else {
      MakeGraph();
    }
    SplitCriticalEdges();
    OrderBlocks();
    ComputeDominators();
    std::vector<VReg> available;
    for (size_t b = 0; b < succs_.size(); ++b) {
      if (idom_[b] == Root()) Grow(b, available);
    }
    Assemble();
    if (o_.wide_rate < 1) ChooseWidths();
    return std::move(p_);
  }

 private:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool Chance(double p) { return static_cast<double>(random_() % 1000000) < p * 1000000; }
  size_t Root() const { return succs_.size(); }

  // --- Registers
  // ----------------------------------------------------------------------------------

  void MakeRegisters() {
    for (int cls = 0; cls < kNumClasses; ++cls) {
      std::vector<uint8_t> all;
      for (uint8_t hw = 0; hw < (cls == 0 ? 16 : 15); ++hw) all.push_back(hw);
      std::shuffle(all.begin(), all.end(), random_);
      const uint32_t n = cls == 0 ? o_.int_registers : o_.vector_registers;
      for (uint32_t k = 0; k < n && k < all.size(); ++k) {
        const PReg reg{static_cast<RegClass>(cls), all[k]};
        registers_[cls].push_back(reg);
        p_.allocatable |= Bit(reg);
      }
      pinned_[cls] = n < all.size() ? PReg{static_cast<RegClass>(cls), all[n]} : registers_[cls][0];
    }
  }

  // --- Graph
  // --------------------------------------------------------------------------------------

  void MakeGraph() {
    succs_.resize(o_.blocks);
    std::vector<bool> entry(o_.blocks, false);
    entry[0] = true;
    for (uint32_t b = 1; b < o_.blocks; ++b) {
      entry[b] = Chance(o_.entry_rate);
      if (!entry[b]) succs_[Below(b)].push_back(b);
    }
    for (uint32_t extra = Below(o_.blocks + 1); extra > 0; --extra) {
      const uint32_t from = Below(o_.blocks);
      const uint32_t to = Below(o_.blocks);
      if (!entry[to]) succs_[from].push_back(to);
    }
    for (uint32_t b = 0; b < o_.blocks; ++b) {
      const float choices[] = {1.0f, 1.0f, 8.0f, 64.0f, 0.01f};
      frequency_.push_back(choices[Below(5)]);
    }
  }

  // A sequence of straight blocks, diamonds, loops, and cold exits, with loops up to three deep.
  void MakeStructuredGraph() {
    int depth = 0;
    std::vector<size_t> headers;
    auto frequency = [&] {
      float f = 1;
      for (int k = 0; k < depth; ++k) f *= 8;
      return f;
    };
    auto block = [&](float f) {
      succs_.emplace_back();
      frequency_.push_back(f);
      return succs_.size() - 1;
    };
    std::vector<std::pair<size_t, size_t>> cold;  // from, back to
    size_t last = block(1);
    while (succs_.size() < o_.blocks || depth > 0) {
      const uint32_t what = succs_.size() >= o_.blocks ? 3 : Below(5);
      if (what == 0 && depth < 3) {
        ++depth;
        const size_t header = block(frequency());
        succs_[last].push_back(header);
        headers.push_back(header);
        last = header;
      } else if (what == 1) {
        const size_t then_block = block(frequency() / 2);
        const size_t else_block = block(frequency() / 2);
        const size_t join = block(frequency());
        succs_[last].push_back(then_block);
        succs_[last].push_back(else_block);
        succs_[then_block].push_back(join);
        succs_[else_block].push_back(join);
        last = join;
      } else if (what == 2) {
        const size_t next = block(frequency());
        succs_[last].push_back(next);
        cold.emplace_back(last, next);
        last = next;
      } else if (what == 3 && depth > 0) {
        --depth;
        const size_t next = block(frequency());
        succs_[last].push_back(headers.back());
        succs_[last].push_back(next);
        headers.pop_back();
        last = next;
      } else {
        const size_t next = block(frequency());
        succs_[last].push_back(next);
        last = next;
      }
    }
    for (const auto& [from, to] : cold) {
      const size_t side = block(0.01f);
      succs_[from].push_back(side);
      if (Chance(0.7)) succs_[side].push_back(to);
    }
  }

  void SplitCriticalEdges() {
    std::vector<uint32_t> preds(succs_.size(), 0);
    for (const std::vector<size_t>& targets : succs_) {
      for (size_t t : targets) ++preds[t];
    }
    const size_t n = succs_.size();
    for (size_t b = 0; b < n; ++b) {
      if (succs_[b].size() < 2) continue;
      for (size_t e = 0; e < succs_[b].size(); ++e) {
        const size_t target = succs_[b][e];
        if (preds[target] < 2) continue;
        const size_t middle = succs_.size();
        succs_[b][e] = middle;
        succs_.push_back({target});
        frequency_.push_back(std::min(frequency_[b], frequency_[target]));
        after_[middle] = b;
      }
    }
  }

  void OrderBlocks() {
    order_.clear();
    for (size_t b = 0; b < succs_.size(); ++b) {
      if (o_.structured && after_.count(b) != 0) continue;
      order_.push_back(b);
      if (!o_.structured) continue;
      for (const auto& [middle, from] : after_) {
        if (from == b) order_.push_back(middle);
      }
    }
    if (!o_.structured && Chance(0.7)) std::shuffle(order_.begin() + 1, order_.end(), random_);
    std::vector<size_t> rank(order_.size());
    for (size_t k = 0; k < order_.size(); ++k) rank[order_[k]] = k;
    std::vector<std::vector<size_t>> succs(succs_.size());
    std::vector<float> frequency(succs_.size());
    for (size_t b = 0; b < succs_.size(); ++b) {
      for (size_t t : succs_[b]) succs[rank[b]].push_back(rank[t]);
      frequency[rank[b]] = frequency_[b];
    }
    succs_ = std::move(succs);
    frequency_ = std::move(frequency);
    preds_.assign(succs_.size(), {});
    for (size_t b = 0; b < succs_.size(); ++b) {
      for (size_t t : succs_[b]) preds_[t].push_back(b);
    }
  }

  // Iterative, over a reverse postorder from the virtual root.
  void ComputeDominators() {
    const size_t n = succs_.size();
    std::vector<size_t> post;
    std::vector<size_t> number(n + 1, 0);
    std::vector<bool> seen(n, false);
    std::vector<std::pair<size_t, size_t>> stack;
    for (size_t entry = 0; entry < n; ++entry) {
      if (!preds_[entry].empty()) continue;
      seen[entry] = true;
      stack.emplace_back(entry, 0);
      while (!stack.empty()) {
        const size_t b = stack.back().first;
        if (stack.back().second == succs_[b].size()) {
          number[b] = post.size();
          post.push_back(b);
          stack.pop_back();
          continue;
        }
        const size_t t = succs_[b][stack.back().second++];
        if (!seen[t]) {
          seen[t] = true;
          stack.emplace_back(t, 0);
        }
      }
    }
    number[n] = n;
    const size_t none = n + 1;
    idom_.assign(n + 1, none);
    idom_[n] = n;
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t k = post.size(); k-- > 0;) {
        const size_t b = post[k];
        size_t dominator = preds_[b].empty() ? n : none;
        for (size_t pred : preds_[b]) {
          if (idom_[pred] == none) continue;
          if (dominator == none) {
            dominator = pred;
            continue;
          }
          size_t other = pred;
          while (dominator != other) {
            while (number[dominator] < number[other]) dominator = idom_[dominator];
            while (number[other] < number[dominator]) other = idom_[other];
          }
        }
        if (idom_[b] != dominator) {
          idom_[b] = dominator;
          changed = true;
        }
      }
    }
    children_.assign(n, {});
    for (size_t b = 0; b < n; ++b) {
      if (idom_[b] < n) children_[idom_[b]].push_back(b);
    }
    insts_.resize(n);
    params_.resize(n);
    at_end_.resize(n);
    tracked_.resize(n);
  }

  // --- Instructions
  // -------------------------------------------------------------------------------

  struct RandomInst {
    std::vector<Operand> operands;
    bool is_move = false;
    PRegSet clobbers = 0;
  };
  struct RandomTracked {
    VReg vreg;
    uint32_t from, to;  // within the block
    uint8_t label;
  };

  VReg NewVReg(RegClass cls) {
    p_.vreg_class.push_back(cls);
    return static_cast<VReg>(p_.vreg_class.size() - 1);
  }

  RegClass RandomClass() { return Chance(0.3) ? RegClass::kVector : RegClass::kInt; }

  // A value of the class; recent ones are likelier.
  VReg Pick(const std::vector<VReg>& available, RegClass cls) {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const uint32_t n = static_cast<uint32_t>(available.size());
      const uint32_t back = Chance(0.6) ? Below(std::min(n, 12u)) : Below(n);
      const VReg v = available[n - 1 - back];
      if (p_.vreg_class[v] == cls) return v;
    }
    for (VReg v : available) {
      if (p_.vreg_class[v] == cls) return v;
    }
    return available[0];
  }

  PReg RandomRegister(RegClass cls) {
    const std::vector<PReg>& registers = registers_[static_cast<int>(cls)];
    return registers[Below(static_cast<uint32_t>(registers.size()))];
  }

  // Can all register operands be satisfied together, whatever else is live?
  bool Feasible(const RandomInst& inst) const {
    for (int cls = 0; cls < kNumClasses; ++cls) {
      PRegSet early = 0;
      PRegSet late = inst.clobbers;
      int both = 0;
      int early_only = 0;
      int late_only = 0;
      for (const Operand& op : inst.operands) {
        if (static_cast<int>(p_.vreg_class[op.vreg]) != cls) continue;
        const bool use = op.kind == Kind::kUse;
        const bool is_early = use || op.pos == OpPos::kEarly;
        const bool is_late = !use || op.pos == OpPos::kLate;
        if (op.constraint == Constraint::kFixed) {
          if (is_early && (early & Bit(op.fixed))) return false;
          if (is_late && (late & Bit(op.fixed)) && !(inst.clobbers & Bit(op.fixed))) return false;
          if (is_early && is_late && (inst.clobbers & Bit(op.fixed))) return false;
          if (is_early) early |= Bit(op.fixed);
          if (is_late) late |= Bit(op.fixed);
        } else if (op.constraint == Constraint::kReuse) {
          ++both;
        } else if (op.constraint == Constraint::kReg || inst.is_move) {
          ++(is_early && is_late ? both : is_early ? early_only : late_only);
        }
      }
      auto left = [&](PRegSet taken) {
        int n = 0;
        for (PReg reg : registers_[cls]) n += !(taken & Bit(reg));
        return n;
      };
      if (both > left(early | late) || both + early_only > left(early) ||
          both + late_only > left(late)) {
        return false;
      }
    }
    return true;
  }

  Operand Use(VReg v, Constraint constraint, OpPos pos = OpPos::kEarly) {
    return {v, constraint, Kind::kUse, pos};
  }
  Operand FixedUse(VReg v, PReg reg) {
    Operand op = Use(v, Constraint::kFixed);
    op.fixed = reg;
    return op;
  }
  Operand Def(RegClass cls, Constraint constraint, OpPos pos = OpPos::kLate) {
    return {NewVReg(cls), constraint, Kind::kDef, pos};
  }
  Operand FixedDef(PReg reg) {
    Operand op = Def(reg.cls, Constraint::kFixed);
    op.fixed = reg;
    return op;
  }
  Operand ReuseDef(RegClass cls, uint8_t operand) {
    Operand op = Def(cls, Constraint::kReuse);
    op.reuse = operand;
    return op;
  }

  RandomInst RandomOf(const std::vector<VReg>& available) {
    RandomInst inst;
    std::vector<Operand>& ops = inst.operands;
    const RegClass cls = RandomClass();
    auto pick = [&](RegClass c) { return Pick(available, c); };
    const PReg a = RandomRegister(RegClass::kInt);
    const PReg d = RandomRegister(RegClass::kInt);
    if (Chance(o_.call_rate)) {  // call
      inst.clobbers =
          Chance(0.8) ? p_.allocatable : static_cast<PRegSet>(random_()) & p_.allocatable;
      PRegSet taken = 0;
      for (uint32_t k = Below(5); k > 0; --k) {
        const RegClass c = RandomClass();
        const PReg reg = RandomRegister(c);
        if (taken & Bit(reg)) continue;
        taken |= Bit(reg);
        ops.push_back(FixedUse(pick(c), reg));
      }
      if (Chance(0.3)) ops.push_back(Use(pick(RegClass::kInt), Constraint::kAny));
      if (Chance(0.2)) ops.push_back(Use(pick(RegClass::kInt), Constraint::kReg));
      if (Chance(0.7)) ops.push_back(FixedDef(a));
      if (Chance(0.1)) ops.push_back(FixedDef(RandomRegister(RegClass::kVector)));
      return inst;
    }
    switch (Below(10)) {
      case 0:  // division: dividend and quotient in one register, remainder in another
        ops = {FixedUse(pick(RegClass::kInt), a), Use(pick(RegClass::kInt), Constraint::kReg)};
        if (Chance(0.5)) ops.push_back(FixedUse(pick(RegClass::kInt), d));
        ops.push_back(FixedDef(a));
        if (Chance(0.7)) ops.push_back(FixedDef(d));
        return inst;
      case 1:  // shift
        ops = {Use(pick(RegClass::kInt), Constraint::kReg), FixedUse(pick(RegClass::kInt), a),
               ReuseDef(RegClass::kInt, 0)};
        return inst;
      case 2:  // copy
        inst.is_move = true;
        ops = {Use(pick(cls), Chance(0.5) ? Constraint::kAny : Constraint::kReg),
               Def(cls, Chance(0.5) ? Constraint::kAny : Constraint::kReg)};
        return inst;
      case 3:
      case 4:
      case 5:  // two-address
        ops = {Use(pick(cls), Constraint::kReg),
               Use(pick(cls), Chance(0.5) ? Constraint::kAny : Constraint::kReg), ReuseDef(cls, 0)};
        return inst;
      case 6:  // one value in several fixed registers, a pinned register
      {
        const VReg v = pick(RegClass::kInt);
        ops = {FixedUse(v, a), FixedUse(Chance(0.5) ? v : pick(RegClass::kInt), d)};
        if (Chance(0.3)) ops.push_back(Use(v, Constraint::kReg));
        if (Chance(0.3)) ops.push_back(FixedUse(v, pinned_[0]));
        if (Chance(0.5)) ops.push_back(Def(RegClass::kInt, Constraint::kReg));
        return inst;
      }
      case 7:  // constants
        ops = {Def(cls, Chance(0.8) ? Constraint::kReg : Constraint::kAny)};
        return inst;
      default:
        for (uint32_t k = Below(4); k > 0; --k) {
          const RegClass c = RandomClass();
          ops.push_back(Use(pick(c), Chance(0.4) ? Constraint::kAny : Constraint::kReg,
                            Chance(0.2) ? OpPos::kLate : OpPos::kEarly));
        }
        for (uint32_t k = Below(3); k > 0; --k) {
          ops.push_back(Def(RandomClass(), Chance(0.2) ? Constraint::kAny : Constraint::kReg,
                            Chance(0.3) ? OpPos::kEarly : OpPos::kLate));
        }
        if (Chance(0.2)) inst.clobbers = Bit(a);
        return inst;
    }
  }

  void AddInst(size_t b, RandomInst inst, std::vector<VReg>& available) {
    for (const Operand& op : inst.operands) {
      if (op.kind == Kind::kDef && !Chance(0.1)) available.push_back(op.vreg);
    }
    insts_[b].push_back(std::move(inst));
  }

  RandomInst RandomFeasible(const std::vector<VReg>& available) {
    for (int attempt = 0; attempt < 10; ++attempt) {
      const size_t vregs = p_.vreg_class.size();
      RandomInst inst = RandomOf(available);
      if (Feasible(inst)) return inst;
      p_.vreg_class.resize(vregs);
    }
    return {};
  }

  RandomInst Terminator(size_t b, const std::vector<VReg>& available) {
    RandomInst inst;
    const bool jump = succs_[b].size() == 1 && preds_[succs_[b][0]].size() > 1;
    if (jump) return inst;
    for (uint32_t k = Below(3); k > 0; --k) {
      const RegClass c = RandomClass();
      const VReg v = Pick(available, c);
      inst.operands.push_back(Chance(0.5)   ? FixedUse(v, RandomRegister(c))
                              : Chance(0.5) ? Use(v, Constraint::kAny)
                                            : Use(v, Constraint::kReg));
    }
    if (Chance(0.3)) inst.operands.push_back(Def(RegClass::kInt, Constraint::kReg, OpPos::kEarly));
    return Feasible(inst) ? inst : RandomInst();
  }

  void Grow(size_t b, std::vector<VReg> available) {
    if (!preds_[b].empty()) {
      for (uint32_t k = Below(4); k > 0; --k) {
        const VReg v = NewVReg(RandomClass());
        params_[b].push_back(v);
        if (Chance(0.9)) available.push_back(v);
      }
    }
    if (idom_[b] == Root()) {
      RandomInst entry;
      entry.operands = {FixedDef(registers_[0][0]), FixedDef(registers_[1][0])};
      if (Chance(0.5)) entry.operands.push_back(FixedDef(registers_[0][1]));
      if (Chance(0.3)) entry.operands.push_back(FixedDef(registers_[0][2]));
      available.push_back(entry.operands[0].vreg);
      available.push_back(entry.operands[1].vreg);
      AddInst(b, std::move(entry), available);
    }
    const uint32_t n = Below(2 * o_.insts_per_block + 1);
    std::vector<std::pair<VReg, uint32_t>> ready;  // may be tracked from this instruction on
    for (VReg v : available) ready.emplace_back(v, static_cast<uint32_t>(insts_[b].size()));
    for (uint32_t k = 0; k < n; ++k) {
      const size_t known = available.size();
      AddInst(b, RandomFeasible(available), available);
      for (size_t j = known; j < available.size(); ++j) {
        ready.emplace_back(available[j], static_cast<uint32_t>(insts_[b].size()));
      }
    }
    insts_[b].push_back(Terminator(b, available));
    const uint32_t size = static_cast<uint32_t>(insts_[b].size());
    for (uint32_t k = 0; k < size; ++k) {
      if (!Chance(o_.tracked_rate)) continue;
      const auto& [v, from] = ready[Below(static_cast<uint32_t>(ready.size()))];
      const uint32_t begin = from + Below(size - from);
      tracked_[b].push_back(
          {v, begin, begin + Below(size - begin), static_cast<uint8_t>(Below(32))});
    }
    at_end_[b] = available;
    for (size_t child : children_[b]) Grow(child, available);
  }

  void Assemble() {
    for (size_t b = 0; b < succs_.size(); ++b) {
      Block block;
      block.frequency = frequency_[b];
      block.begin = static_cast<InstIndex>(p_.insts.size());
      for (const RandomInst& from : insts_[b]) {
        Inst inst;
        inst.operands_begin = static_cast<uint32_t>(p_.operands.size());
        inst.operands_count = static_cast<uint16_t>(from.operands.size());
        inst.is_move = from.is_move;
        inst.clobbers = from.clobbers;
        p_.operands.insert(p_.operands.end(), from.operands.begin(), from.operands.end());
        p_.insts.push_back(inst);
      }
      block.end = static_cast<InstIndex>(p_.insts.size());
      block.params_begin = static_cast<uint32_t>(p_.block_params.size());
      block.params_count = static_cast<uint32_t>(params_[b].size());
      p_.block_params.insert(p_.block_params.end(), params_[b].begin(), params_[b].end());
      block.succs_begin = static_cast<uint32_t>(p_.edges.size());
      block.succs_count = static_cast<uint32_t>(succs_[b].size());
      for (size_t t : succs_[b]) {
        Edge edge;
        edge.target = static_cast<BlockIndex>(t);
        edge.args_begin = static_cast<uint32_t>(p_.edge_args.size());
        edge.args_count = static_cast<uint32_t>(params_[t].size());
        for (VReg param : params_[t]) {
          p_.edge_args.push_back(Pick(at_end_[b], p_.vreg_class[param]));
        }
        p_.edges.push_back(edge);
      }
      block.preds_begin = static_cast<uint32_t>(p_.pred_blocks.size());
      block.preds_count = static_cast<uint32_t>(preds_[b].size());
      for (size_t pred : preds_[b]) p_.pred_blocks.push_back(static_cast<BlockIndex>(pred));
      std::vector<RandomTracked>& tracked = tracked_[b];
      std::stable_sort(tracked.begin(), tracked.end(),
                       [](const auto& x, const auto& y) { return x.from < y.from; });
      for (const RandomTracked& t : tracked) {
        p_.tracked.push_back({t.vreg, block.begin + t.from, block.begin + t.to, t.label});
      }
      p_.blocks.push_back(block);
    }
  }

  // Int values of both widths. What is only copied keeps its width.
  void ChooseWidths() {
    std::vector<bool> wide(p_.vreg_class.size());
    for (VReg v = 0; v < wide.size(); ++v)
      wide[v] = p_.vreg_class[v] == RegClass::kInt && Chance(o_.wide_rate);
    bool changed = true;
    auto same = [&](VReg a, VReg b) {
      if (wide[a] == wide[b]) return;
      wide[a] = wide[b] = changed = true;
    };
    while (std::exchange(changed, false)) {
      for (const Inst& inst : p_.insts) {
        const Operand* const op = &p_.operands[inst.operands_begin];
        if (inst.is_move) same(op[0].vreg, op[1].vreg);
      }
      for (const Edge& edge : p_.edges) {
        for (uint32_t k = 0; k < edge.args_count; ++k) {
          same(p_.edge_args[edge.args_begin + k],
               p_.block_params[p_.blocks[edge.target].params_begin + k]);
        }
      }
    }
    p_.vreg_wide = std::move(wide);
  }

  std::mt19937_64 random_;
  RandomOptions o_;
  Problem p_;
  std::vector<PReg> registers_[kNumClasses];
  PReg pinned_[kNumClasses];  // outside `allocatable`, if there is one
  std::vector<std::vector<size_t>> succs_, preds_, children_;
  std::vector<float> frequency_;
  std::map<size_t, size_t> after_;  // block on a split edge -> the edge's source
  std::vector<size_t> order_;
  std::vector<size_t> idom_;
  std::vector<std::vector<RandomInst>> insts_;
  std::vector<std::vector<VReg>> params_;
  std::vector<std::vector<VReg>> at_end_;  // values available at the block's end
  std::vector<std::vector<RandomTracked>> tracked_;
};

}  // namespace

RandomOptions RandomOptionsFor(uint64_t seed) {
  std::mt19937_64 random(seed * 2 + 1);
  auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  RandomOptions o;
  const uint32_t blocks[] = {1, 2, 4, 8, 16, 30};
  o.blocks = blocks[below(6)];
  const uint32_t insts[] = {1, 3, 6, 15};
  o.insts_per_block = insts[below(4)];
  const uint32_t ints[] = {3, 3, 4, 6, 14};
  o.int_registers = ints[below(5)];
  const uint32_t vectors[] = {2, 3, 8, 15};
  o.vector_registers = vectors[below(4)];
  o.call_rate = below(3) * 0.08;
  o.entry_rate = below(3) * 0.1;
  o.tracked_rate = below(3) * 0.4;
  o.structured = below(3) == 0;
  o.wide_rate = below(4) / 3.0;
  return o;
}

Problem RandomProblem(uint64_t seed, const RandomOptions& options) {
  return Generator(seed, options).Run();
}

}  // namespace precast::regalloc
