// Inlining, see inline.h.
#include "compiler/opt/inline.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/profile.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Type;
using ir::Value;

// Bodies within bodies.
constexpr uint32_t kMaxNesting = 3;
// Instructions by which a function may grow: at least these, or by half.
constexpr size_t kMinGrowth = 300;

class Inliner {
 public:
  Inliner(Function& f, absl::FunctionRef<const Function*(ir::FuncRef)> body)
      : f_(f), body_(body), replaced_(f.num_values()) {}

  void Run(const ir::Graphs& graphs) {
    self_ = f_.block(f_.entries()[0]).guest_pc;
    budget_ = std::max(kMinGrowth, NumInsts(f_) / 2);
    hot_budget_ = budget_;
    if (!HasCallee()) return;
    const ir::Loops& loops = graphs.loops(f_);
    for (uint32_t n = 0; n < f_.num_blocks(); ++n)
      work_.push_back({Block(n), 0, loops.depth(Block(n)) != 0});
    for (size_t next = 0; next < work_.size() && budget_ > 0; ++next) Scan(work_[next]);
    if (any_) replaced_.Apply(f_);
  }

 private:
  struct Place {
    Block block;
    uint32_t nesting;
    bool in_loop;
  };

  // Whether there is a call of something that could be put in.
  bool HasCallee() const {
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      if (f_.block(Block(n)).cold) continue;
      for (Inst i : f_.block(Block(n)).insts) {
        if (f_.inst(i).op == Opcode::kCall &&
            body_(ir::FuncRef(static_cast<uint32_t>(f_.inst(i).imm))) != nullptr) {
          return true;
        }
      }
    }
    return false;
  }

  // From the last call to the first, so that every instruction is moved at most once.
  void Scan(Place place) {
    if (f_.block(place.block).cold) return;
    for (size_t k = f_.block(place.block).insts.size(); k-- > 0;) {
      const Inst i = f_.block(place.block).insts[k];
      if (f_.inst(i).op != Opcode::kCall) continue;
      const ir::FuncRef callee(static_cast<uint32_t>(f_.inst(i).imm));
      const Function* body = body_(callee);
      if (body == nullptr) continue;
      const size_t size = NumInsts(*body);
      const uint32_t weight = f_.block(place.block).weight;
      const bool hot = weight >= kHotWeight;
      if (size > kMaxInlinedInsts && !hot) continue;
      // Outside of loops calls take little time, but as much room. A function that calls itself is
      // as good as a loop. A profile knows better.
      const bool often =
          weight != 0 ? hot : place.in_loop || callee.index == self_ || Calls(*body, callee);
      if (size > kMaxInlinedStraightInsts && !often) continue;
      size_t& budget = hot && size > budget_ ? hot_budget_ : budget_;
      if (size > budget) continue;
      budget -= size;
      Inline(place, k, i, *body);
    }
  }

  static size_t NumInsts(const Function& f) {
    size_t size = 0;
    for (uint32_t n = 0; n < f.num_blocks(); ++n) size += f.block(Block(n)).insts.size();
    return size;
  }

  static bool Calls(const Function& f, ir::FuncRef callee) {
    for (uint32_t n = 0; n < f.num_blocks(); ++n) {
      for (Inst i : f.block(Block(n)).insts) {
        if (f.inst(i).op == Opcode::kCall && f.inst(i).imm == callee.index) return true;
      }
    }
    return false;
  }

  void Inline(Place place, size_t at, Inst call, const Function& body) {
    any_ = true;
    const Block b = place.block;
    const Block rest = f_.NewBlock();
    {
      std::vector<Inst>& insts = f_.block(b).insts;
      const auto behind = insts.begin() + static_cast<std::ptrdiff_t>(at);
      f_.block(rest).insts.assign(behind + 1, insts.end());
      insts.erase(behind, insts.end());
      f_.block(rest).guest_pc = f_.inst(call).site.guest_pc;
      f_.block(rest).weight = f_.block(b).weight;
    }
    for (uint32_t k = 0; k < f_.inst(call).results_count; ++k) {
      const Value result = f_.result(call, k);
      replaced_.Set(result, f_.AddParam(rest, f_.type(result)));
    }

    // Every value and block of the body gets one here. The entry's parameters are the arguments.
    const ir::Cfg cfg(body);
    std::vector<Value> values(body.num_values());
    std::vector<Block> blocks(body.num_blocks());
    const Block entry = body.entries()[0];
    for (Block from : cfg.order()) {
      const Block to = f_.NewBlock();
      blocks[from.index] = to;
      f_.block(to).guest_pc = body.block(from).guest_pc;
      f_.block(to).cold = body.block(from).cold;
      f_.block(to).weight = body.block(from).weight;
      const std::vector<Value>& params = body.block(from).params;
      for (size_t k = 0; k < params.size(); ++k) {
        values[params[k].index] =
            from == entry ? f_.args(call)[k] : f_.AddParam(to, body.type(params[k]));
      }
      if (place.nesting + 1 < kMaxNesting) work_.push_back({to, place.nesting + 1, place.in_loop});
    }
    f_.Append(b, {.op = Opcode::kBr}, {}, {}, {Edge{blocks[entry.index]}});
    // Definitions come before uses in this order.
    for (Block from : cfg.order()) Copy(body, from, blocks, rest, values);
  }

  void Copy(const Function& body, Block from, const std::vector<Block>& blocks, Block rest,
            std::vector<Value>& values) {
    const Block to = blocks[from.index];
    for (Inst i : body.block(from).insts) {
      InstData data = body.inst(i);
      args_.clear();
      for (Value v : body.args(i)) args_.push_back(values[v.index]);
      if (data.op == Opcode::kRet) {
        f_.Append(to, {.op = Opcode::kBr}, {}, {}, {Edge{rest, args_}});
        continue;
      }
      std::vector<Edge> edges;
      for (const Edge& edge : body.edges(i)) {
        Edge copy{blocks[edge.target.index]};
        for (Value v : edge.args) copy.args.push_back(values[v.index]);
        edges.push_back(std::move(copy));
      }
      if (data.op == Opcode::kVconst || data.op == Opcode::kShuffle) {
        data.imm = f_.AddV128(body.v128_constants()[static_cast<size_t>(data.imm)]);
      }
      types_.clear();
      for (uint32_t k = 0; k < data.results_count; ++k) {
        types_.push_back(body.type(body.result(i, k)));
      }
      const Inst copied = f_.Append(to, data, args_, types_, std::move(edges));
      for (uint32_t k = 0; k < data.results_count; ++k) {
        values[body.result(i, k).index] = f_.result(copied, k);
      }
    }
  }

  Function& f_;
  const absl::FunctionRef<const Function*(ir::FuncRef)> body_;
  Replacements replaced_;
  uint32_t self_ = 0;  // what calls of the function itself name
  size_t budget_ = 0;
  size_t hot_budget_ = 0;  // more of it, for hot calls
  std::vector<Place> work_;
  bool any_ = false;
  std::vector<Value> args_;
  std::vector<Type> types_;
};

}  // namespace

bool IsInlinable(const Function& f) {
  if (f.signature().conv != ir::CallConv::kWasm || f.entries().size() != 1) return false;
  const bool hot = f.block(f.entries()[0]).weight >= kHotWeight;
  const size_t limit = hot ? kMaxInlinedHotInsts : kMaxInlinedInsts;
  if (f.num_insts() > 4 * limit) return false;
  size_t size = 0;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (!f.block(Block(n)).state.empty()) return false;
    for (Inst i : f.block(Block(n)).insts) {
      switch (f.inst(i).op) {
        case Opcode::kTailCall:
        case Opcode::kTailDispatch:
        case Opcode::kTailPointer:
          return false;
        default:
          ++size;
      }
    }
  }
  if (size <= kMaxInlinedInsts) return true;
  if (size > limit) return false;
  const ir::Cfg cfg(f);
  for (Block b : cfg.order()) {
    for (const Edge& edge : ir::Successors(f, b)) {
      if (cfg.IsRetreating(b, edge.target)) return false;
    }
  }
  return true;
}

void InlineCalls(Function& f, absl::FunctionRef<const Function*(ir::FuncRef)> body,
                 const ir::Graphs& graphs) {
  if (f.signature().conv != ir::CallConv::kWasm) return;
  Inliner(f, body).Run(graphs);
}

}  // namespace precast::opt
