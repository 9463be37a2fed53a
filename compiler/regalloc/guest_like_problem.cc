// Emits blocks in layout order, cold ones apart; they are placed at the end.
#include "compiler/regalloc/guest_like_problem.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

namespace precast::regalloc {
namespace {

using Constraint = Operand::Constraint;
using Kind = Operand::Kind;
using OpPos = Operand::Pos;

constexpr uint8_t kShiftCount = 1;  // rcx
constexpr int kGuestRegisters = 32;

class GuestLike {
 public:
  GuestLike(uint64_t seed, const GuestLikeOptions& options) : random_(seed), o_(options) {
    for (uint8_t hw = 0; hw < 13; ++hw) p_.allocatable |= Bit(PReg{RegClass::kInt, hw});
    for (uint8_t hw = 0; hw < 15; ++hw) p_.allocatable |= Bit(PReg{RegClass::kVector, hw});
  }

  Problem Run() {
    current_ = NewBlock(1, false);
    for (int g = 0; g < o_.guest_registers; ++g) {
      now_[g] = New();
      Emit({Def(now_[g], Constraint::kReg)});
      writable_.push_back(g);
    }
    Sequence(0, o_.insts);
    Exit(current_);
    Assemble();
    return std::move(p_);
  }

 private:
  struct RoughInst {
    std::vector<Operand> operands;
    PRegSet clobbers = 0;
    bool is_move = false;
  };
  struct RoughEdge {
    size_t target;
    std::vector<VReg> args;
  };
  struct RoughTracked {
    VReg vreg;
    uint32_t from, to;
    uint8_t label;
  };
  struct RoughBlock {
    float frequency;
    bool cold;
    std::vector<VReg> params;
    std::vector<RoughInst> insts;
    std::vector<RoughEdge> edges;
    std::vector<RoughTracked> tracked;
  };

  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool Chance(double p) { return static_cast<double>(random_() % 1000000) < p * 1000000; }
  VReg New() {
    p_.vreg_class.push_back(RegClass::kInt);
    return static_cast<VReg>(p_.vreg_class.size() - 1);
  }
  static Operand Use(VReg v, Constraint c) { return {v, c, Kind::kUse, OpPos::kEarly}; }
  static Operand Def(VReg v, Constraint c) { return {v, c, Kind::kDef, OpPos::kLate}; }
  static Operand Fixed(Operand op, uint8_t hw) {
    op.constraint = Constraint::kFixed;
    op.fixed = {RegClass::kInt, hw};
    return op;
  }

  size_t NewBlock(float frequency, bool cold) {
    blocks_.push_back({frequency, cold, {}, {}, {}, {}});
    written_.fill(kNotWritten);
    return blocks_.size() - 1;
  }

  void Emit(std::vector<Operand> operands, PRegSet clobbers = 0) {
    blocks_[current_].insts.push_back({std::move(operands), clobbers, false});
  }

  // A few guest registers are used much more than others.
  int AnyRegister() {
    const int n = o_.guest_registers;
    return static_cast<int>(std::min(Below(n), Below(n)));
  }
  int WritableRegister() {
    const uint32_t n = static_cast<uint32_t>(writable_.size());
    return writable_[std::min(Below(n), Below(n))];
  }

  void Write(int g, VReg v) {
    now_[g] = v;
    written_[g] = static_cast<uint32_t>(blocks_[current_].insts.size());
  }

  // Something may fault here: what the block has written has to be found.
  void Observe() {
    if (!Chance(o_.tracked_rate)) return;
    const uint32_t at = static_cast<uint32_t>(blocks_[current_].insts.size());
    for (int g = 0; g < kGuestRegisters; ++g) {
      if (written_[g] == kNotWritten || written_[g] > at) continue;
      blocks_[current_].tracked.push_back({now_[g], written_[g], at, static_cast<uint8_t>(g)});
    }
  }

  void Straight() {
    const VReg v = New();
    const VReg a = now_[AnyRegister()];
    const VReg b = now_[AnyRegister()];
    if (Chance(o_.call_rate)) {
      Emit({Fixed(Use(a, Constraint::kReg), 7), Fixed(Use(b, Constraint::kReg), 6),
            Fixed(Def(v, Constraint::kReg), 0)},
           p_.allocatable);
      Write(WritableRegister(), v);
      return;
    }
    switch (Below(8)) {
      case 0:
      case 1:  // load
        Observe();
        Emit({Use(a, Constraint::kReg), Def(v, Constraint::kReg)});
        break;
      case 2:  // store
        Observe();
        Emit({Use(a, Constraint::kReg), Use(b, Constraint::kReg)});
        return;
      case 3:  // constant
        Emit({Def(v, Constraint::kReg)});
        break;
      case 4: {
        Operand def = Def(v, Constraint::kReuse);
        if (Chance(0.3)) {
          Emit({Use(a, Constraint::kReg), Fixed(Use(b, Constraint::kReg), kShiftCount), def});
        } else {
          Emit({Use(a, Constraint::kReg), def});
        }
        break;
      }
      default: {
        Operand def = Def(v, Constraint::kReuse);
        Emit({Use(a, Constraint::kReg), Use(b, Constraint::kAny), def});
      }
    }
    Write(WritableRegister(), v);
  }

  void Exit(size_t block) {
    const size_t before = current_;
    current_ = block;
    std::vector<Operand> all;
    for (int g = 0; g < o_.guest_registers; ++g) all.push_back(Use(now_[g], Constraint::kAny));
    Emit(all);
    Emit({});
    current_ = before;
  }

  void Branch() {
    Emit({Use(now_[AnyRegister()], Constraint::kReg), Use(now_[0], Constraint::kAny)});
  }

  float Frequency(int depth) const {
    float f = 1;
    for (int k = 0; k < depth; ++k) f *= 8;
    return f;
  }

  // Edge from `block`, ending it with a jump, to a block whose parameters are the guest registers
  // in `which`.
  void Join(size_t block, size_t target, const std::vector<int>& which,
            const std::array<VReg, kGuestRegisters>& values) {
    RoughEdge edge{target, {}};
    for (int g : which) edge.args.push_back(values[g]);
    blocks_[block].edges.push_back(edge);
  }

  void Condition(int depth) {
    Branch();
    const size_t from = current_;
    const std::array<VReg, kGuestRegisters> before = now_;
    std::array<VReg, kGuestRegisters> after[2];
    size_t ends[2];
    for (int side = 0; side < 2; ++side) {
      now_ = before;
      current_ = NewBlock(Frequency(depth) / 2, false);
      blocks_[from].edges.push_back({current_, {}});
      for (uint32_t k = Below(6); k > 0; --k) Straight();
      Emit({});
      after[side] = now_;
      ends[side] = current_;
    }
    const size_t join = NewBlock(Frequency(depth), false);
    std::vector<int> which;
    for (int g = 0; g < o_.guest_registers; ++g) {
      if (after[0][g] != after[1][g]) which.push_back(g);
    }
    Join(ends[0], join, which, after[0]);
    Join(ends[1], join, which, after[1]);
    now_ = after[0];
    for (int g : which) {
      now_[g] = New();
      blocks_[join].params.push_back(now_[g]);
    }
    current_ = join;
  }

  void Loop(int depth, uint32_t budget) {
    std::vector<int> all = writable_;
    std::shuffle(all.begin(), all.end(), random_);
    all.resize(std::min<size_t>(all.size(), 3 + Below(6)));
    const std::vector<int> outer = std::exchange(writable_, all);
    Emit({});
    const size_t before = current_;
    const size_t header = NewBlock(Frequency(depth + 1), false);
    Join(before, header, writable_, now_);
    for (int g : writable_) {
      now_[g] = New();
      blocks_[header].params.push_back(now_[g]);
    }
    current_ = header;
    // Counter check with a cold call.
    Branch();
    const size_t cold = NewBlock(0.01f, true);
    const size_t around = NewBlock(Frequency(depth + 1), false);
    const size_t body = NewBlock(Frequency(depth + 1), false);
    blocks_[header].edges = {{cold, {}}, {around, {}}};
    current_ = cold;
    Emit({Fixed(Use(now_[2], Constraint::kReg), 7)}, p_.allocatable);
    Emit({});
    blocks_[cold].edges = {{body, {}}};
    blocks_[around].insts.push_back({});
    blocks_[around].edges = {{body, {}}};
    current_ = body;
    Sequence(depth + 1, budget);
    Branch();
    const size_t latch_from = current_;
    const size_t latch = NewBlock(Frequency(depth + 1), false);
    blocks_[latch].insts.push_back({});
    Join(latch, header, writable_, now_);
    const size_t next = NewBlock(Frequency(depth), false);
    blocks_[latch_from].edges = {{latch, {}}, {next, {}}};
    current_ = next;
    writable_ = outer;
  }

  void SideExit() {
    Branch();
    const size_t from = current_;
    const size_t cold = NewBlock(0.01f, true);
    Exit(cold);
    current_ = NewBlock(blocks_[from].frequency, false);
    blocks_[from].edges = {{cold, {}}, {current_, {}}};
  }

  void Sequence(int depth, uint32_t budget) {
    const size_t start = p_.vreg_class.size();
    while (p_.vreg_class.size() - start < budget) {
      const uint32_t what = Below(10);
      if (what == 0 && depth < 4) {
        Loop(depth, 10 + Below(depth == 0 ? 600 : 100));
      } else if (what < 3) {
        Condition(depth);
      } else if (what == 3) {
        SideExit();
      } else {
        for (uint32_t k = 1 + Below(8); k > 0; --k) Straight();
      }
    }
  }

  void Assemble() {
    std::vector<size_t> order;
    for (const bool cold : {false, true}) {
      for (size_t b = 0; b < blocks_.size(); ++b) {
        if (blocks_[b].cold == cold) order.push_back(b);
      }
    }
    std::vector<BlockIndex> rank(order.size());
    for (size_t k = 0; k < order.size(); ++k) rank[order[k]] = static_cast<BlockIndex>(k);
    std::vector<std::vector<BlockIndex>> preds(order.size());
    for (size_t b : order) {
      const RoughBlock& from = blocks_[b];
      Block block;
      block.frequency = from.frequency;
      block.begin = static_cast<InstIndex>(p_.insts.size());
      for (const RoughTracked& t : from.tracked) {
        p_.tracked.push_back({t.vreg, block.begin + t.from, block.begin + t.to, t.label});
      }
      for (const RoughInst& i : from.insts) {
        Inst inst;
        inst.operands_begin = static_cast<uint32_t>(p_.operands.size());
        inst.operands_count = static_cast<uint16_t>(i.operands.size());
        inst.clobbers = i.clobbers;
        p_.operands.insert(p_.operands.end(), i.operands.begin(), i.operands.end());
        p_.insts.push_back(inst);
      }
      block.end = static_cast<InstIndex>(p_.insts.size());
      block.params_begin = static_cast<uint32_t>(p_.block_params.size());
      block.params_count = static_cast<uint32_t>(from.params.size());
      p_.block_params.insert(p_.block_params.end(), from.params.begin(), from.params.end());
      block.succs_begin = static_cast<uint32_t>(p_.edges.size());
      block.succs_count = static_cast<uint32_t>(from.edges.size());
      for (const RoughEdge& e : from.edges) {
        p_.edges.push_back({rank[e.target], static_cast<uint32_t>(p_.edge_args.size()),
                            static_cast<uint32_t>(e.args.size())});
        p_.edge_args.insert(p_.edge_args.end(), e.args.begin(), e.args.end());
        preds[rank[e.target]].push_back(rank[b]);
      }
      p_.blocks.push_back(block);
    }
    for (size_t b = 0; b < preds.size(); ++b) {
      p_.blocks[b].preds_begin = static_cast<uint32_t>(p_.pred_blocks.size());
      p_.blocks[b].preds_count = static_cast<uint32_t>(preds[b].size());
      p_.pred_blocks.insert(p_.pred_blocks.end(), preds[b].begin(), preds[b].end());
    }
    std::stable_sort(p_.tracked.begin(), p_.tracked.end(),
                     [](const auto& a, const auto& b) { return a.from < b.from; });
  }

  static constexpr uint32_t kNotWritten = ~uint32_t{0};

  std::mt19937_64 random_;
  GuestLikeOptions o_;
  Problem p_;
  std::vector<RoughBlock> blocks_;
  size_t current_ = 0;
  std::array<VReg, kGuestRegisters> now_{};          // value of each guest register
  std::array<uint32_t, kGuestRegisters> written_{};  // instruction after the block's write to it
  std::vector<int> writable_;                        // by the loop being generated
};

}  // namespace

Problem GuestLikeProblem(uint64_t seed, const GuestLikeOptions& options) {
  return GuestLike(seed, options).Run();
}

}  // namespace precast::regalloc
