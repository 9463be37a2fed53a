// Marks pages, see mark_pages.h: puts in the marks that others have found. What is touched:
// touched_positions.h; what is known of that: marked_facts.h; what is to be marked: block_marks.h;
// where else than before it is touched: hoist_marks.h.
#include "compiler/opt/mark_pages.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/mark_mode.h"
#include "compiler/opt/block_marks.h"
#include "compiler/opt/hoist_marks.h"
#include "compiler/opt/marked_facts.h"
#include "compiler/opt/touched_positions.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

constexpr int kMostRounds = 3;

class PageMarking {
 public:
  explicit PageMarking(Function& f)
      : f_(f), cfg_(f), positions_(f, cfg_), facts_(f, cfg_, positions_) {}

  void Run() {
    TakeKnown();
    HoistedMarks hoisted(f_, cfg_, positions_, facts_);
    facts_.Propagate();
    if (positions_.words() != 0) {
      for (int round = 0; round < kMostRounds && hoisted.Find(); ++round) facts_.Propagate();
    }
    for (Block b : cfg_.order()) {
      const std::vector<Mark> marks = hoisted.Remaining(b);
      if (!marks.empty()) Insert(b, marks);
    }
    for (const auto& [block, marks] : hoisted.ahead()) InsertAhead(Block(block), marks);
    for (Block b : cfg_.order())
      std::erase_if(f_.block(b).insts, [&](Inst i) { return ir::IsTouch(f_.inst(i)); });
  }

 private:
  // What others know of.
  void TakeKnown() {
    for (Block b : cfg_.order()) {
      std::erase_if(f_.block(b).insts, [&](Inst i) {
        const InstData& inst = f_.inst(i);
        if (inst.op != Opcode::kMarkPage || inst.aux != ir::kMarkKnown) return false;
        const auto number = positions_.NumberOf(positions_.PositionOf(f_.args(i)[0], inst.imm));
        if (number.has_value()) facts_.GiveBefore(b, *number);
        return true;
      });
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

  // At the end of `b`.
  void InsertAhead(Block b, const std::vector<Mark>& marks) {
    std::vector<Mark> always, guarded;
    for (const Mark& mark : marks) (mark.guard.valid() ? guarded : always).push_back(mark);
    if (!always.empty()) Insert(b, always);
    if (!guarded.empty()) InsertGuarded(b, guarded);
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

  // The value that `v` of the block at the end of `edge` will be, at the end of the instructions of
  // `b`, whose only edge is `edge`.
  Value Copy(Block b, const ir::Edge& edge, Value v) {
    const ir::ValueData data = f_.value(v);
    if (data.is_param) return data.def == edge.target.index ? edge.args[data.index] : v;
    if (!positions_.IsDefinedIn(edge.target, v)) return v;
    const InstData inst = f_.inst(Inst(data.def));
    const InstData made{.op = inst.op, .type = inst.type, .aux = inst.aux, .imm = inst.imm};
    std::vector<Value> args;
    if (inst.op != Opcode::kIconst) {
      const Value first = f_.args(Inst(data.def))[0], second = f_.args(Inst(data.def))[1];
      args = {Copy(b, edge, first), Copy(b, edge, second)};
    }
    return f_.result(f_.Append(b, made, args, {data.type}));
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
  TouchedPositions positions_;
  MarkedFacts facts_;
};

}  // namespace

void MarkPages(ir::Function& f) { PageMarking(f).Run(); }

}  // namespace precast::opt
