// Places the counting of rows, see place_rows.h.
#include "compiler/opt/place_rows.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/edge_classes.h"
#include "runtime/abi/meter_area.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;

// What one register counts.
using Group = std::array<int32_t, 4>;
constexpr Group kNone = {};
// Of a lane, counted ahead. A count has 16 bits.
constexpr int32_t kMostAhead = 1 << 10;
// Blocks of a class whose counts are tried out.
constexpr size_t kMostTried = 8;

Group operator+(const Group& a, const Group& b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]};
}
Group operator-(const Group& a, const Group& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]};
}

class RowPlacement {
 public:
  explicit RowPlacement(Function& f)
      : f_(f), cfg_(f), loops_(f, cfg_), classes_(f, cfg_), info_(f.num_blocks()) {}

  void Run() {
    if (!Collect()) return;
    FindClasses();
    for (size_t group = 0; group < abi::kRowRegisters; ++group) Choose(group);
    for (Block b : cfg_.order()) Rewrite(b);
  }

 private:
  struct Info {
    size_t at = 0;       // where it counts: behind what asks for fuel
    bool asks = false;   // for fuel: rows are exact there
    bool exact = false;  // at its end
    std::array<Group, abi::kRowRegisters> rows = {};
  };

  // False if there is nothing to do.
  bool Collect() {
    bool any = false;
    for (Block b : cfg_.order()) {
      Info& info = info_[b.index];
      const std::vector<Inst>& insts = f_.block(b).insts;
      size_t kept = 0;  // instructions that are not count_rows
      for (Inst i : insts) {
        const InstData& inst = f_.inst(i);
        switch (inst.op) {
          case Opcode::kCountRows:
            any = true;
            for (size_t lane = 0; lane < 4; ++lane) {
              info.rows[inst.aux][lane] += static_cast<int16_t>(
                  static_cast<uint16_t>(static_cast<uint64_t>(inst.imm) >> (16 * lane)));
            }
            continue;
          case Opcode::kMeter:
          case Opcode::kMeterCheck:
            if (info.asks || info.exact) return false;
            info.asks = true;
            info.at = kept + 1;
            break;
          case Opcode::kCall:
          case Opcode::kCallDispatch:
          case Opcode::kCallPointer:
          case Opcode::kCallRuntime:
            info.exact = true;
            break;
          default:
            break;
        }
        ++kept;
      }
    }
    return any;
  }

  void FindClasses() {
    exact_.assign(classes_.size(), false);
    for (Block e : f_.entries()) exact_[classes_.In(e)] = true;
    for (Block b : cfg_.order()) {
      const Info& info = info_[b.index];
      // Nothing goes ahead from one round of a loop to the next.
      if (info.asks && std::any_of(cfg_.predecessors(b).begin(), cfg_.predecessors(b).end(),
                                   [&](Block p) { return cfg_.IsRetreating(p, b); }))
        exact_[classes_.In(b)] = true;
      if (info.exact || ir::Successors(f_, b).empty()) exact_[classes_.Out(b)] = true;
    }
    targets_.resize(classes_.size());
    sources_.resize(classes_.size());
    for (auto b = cfg_.order().rbegin(); b != cfg_.order().rend(); ++b) {
      targets_[classes_.In(*b)].push_back(*b);
      sources_[classes_.Out(*b)].push_back(*b);
    }
    ahead_.assign(classes_.size(), {});
  }

  // What is counted ahead, in the order in which it is used last first.
  void Choose(size_t group) {
    std::vector<bool> decided = exact_;
    for (auto b = cfg_.order().rbegin(); b != cfg_.order().rend(); ++b) {
      const uint32_t c = classes_.In(*b);
      if (decided[c] || targets_[c].back() != *b) continue;
      ahead_[c][group] = ChooseFor(c, group, decided);
      decided[c] = true;
    }
  }

  Group ChooseFor(uint32_t c, size_t group, const std::vector<bool>& decided) {
    Group best = kNone;
    int64_t best_cost = Cost(c, group, decided, kNone);
    int64_t heaviest = 0;
    for (Block b : targets_[c]) heaviest = std::max(heaviest, Weight(b));
    size_t tried = 0;
    for (Block b : targets_[c]) {
      const uint32_t out = classes_.Out(b);
      if (info_[b.index].asks || out == c || !decided[out] || Weight(b) != heaviest) continue;
      if (++tried > kMostTried) break;
      const Group candidate = info_[b.index].rows[group] + ahead_[out][group];
      if (std::any_of(candidate.begin(), candidate.end(),
                      [](int32_t n) { return n < 0 || n > kMostAhead; }))
        continue;
      const int64_t cost = Cost(c, group, decided, candidate);
      if (cost >= best_cost) continue;
      best = candidate;
      best_cost = cost;
    }
    return best;
  }

  // How often the blocks at both ends of class `c` would count, if so much is counted ahead there.
  int64_t Cost(uint32_t c, size_t group, const std::vector<bool>& decided, const Group& ahead) {
    int64_t cost = 0;
    for (Block b : targets_[c]) {
      const uint32_t out = classes_.Out(b);
      const Group after = info_[b.index].rows[group] + (out == c ? ahead : ahead_[out][group]);
      if (info_[b.index].asks) {
        cost += Weight(b) * ((ahead != kNone ? 1 : 0) + (after != kNone ? 1 : 0));
      } else if (after != ahead) {
        cost += Weight(b);
      }
    }
    for (Block b : sources_[c]) {
      const uint32_t in = classes_.In(b);
      if (in == c) continue;  // that was a target
      const Group before = decided[in] && !info_[b.index].asks ? ahead_[in][group] : kNone;
      if (info_[b.index].rows[group] + ahead != before) cost += Weight(b);
    }
    return cost;
  }

  int64_t Weight(Block b) const {
    constexpr uint32_t kDeepest = 8;
    return f_.block(b).cold ? 0 : int64_t{1} << (3 * std::min(loops_.depth(b), kDeepest));
  }

  void Rewrite(Block b) {
    const Info& info = info_[b.index];
    std::erase_if(f_.block(b).insts, [&](Inst i) { return f_.inst(i).op == Opcode::kCountRows; });
    const std::array<Group, abi::kRowRegisters>& in = ahead_[classes_.In(b)];
    const std::array<Group, abi::kRowRegisters>& out = ahead_[classes_.Out(b)];
    for (size_t group = 0; group < abi::kRowRegisters; ++group) {
      const Group rows = info.rows[group] + out[group];
      Count(b, info.at, group, info.asks ? rows : rows - in[group]);
    }
    if (!info.asks) return;
    // What another way has counted ahead is taken back before code may be left.
    for (size_t group = 0; group < abi::kRowRegisters; ++group)
      Count(b, info.at - 1, group, kNone - in[group]);
  }

  // Adds to register `group` before the instruction of `b` that is at `at`.
  void Count(Block b, size_t at, size_t group, Group rows) {
    while (rows != kNone) {
      uint64_t bits = 0;
      for (size_t lane = 0; lane < 4; ++lane) {
        const int32_t n = std::clamp(rows[lane], INT16_MIN, INT16_MAX);
        bits |= uint64_t{static_cast<uint16_t>(n)} << (16 * lane);
        rows[lane] -= n;
      }
      f_.Insert(b, at,
                {.op = Opcode::kCountRows,
                 .aux = static_cast<uint8_t>(group),
                 .imm = static_cast<int64_t>(bits)});
    }
  }

  Function& f_;
  const ir::Cfg cfg_;
  const ir::Loops loops_;
  EdgeClasses classes_;
  std::vector<Info> info_;   // by block
  std::vector<bool> exact_;  // by class: nothing may be counted ahead
  // By class, the last first.
  std::vector<std::vector<Block>> targets_, sources_;
  std::vector<std::array<Group, abi::kRowRegisters>> ahead_;  // by class
};

}  // namespace

void PlaceRows(ir::Function& f) { RowPlacement(f).Run(); }

}  // namespace precast::opt
