// See counted_loop.h.
#include "compiler/opt/counted_loop.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "runtime/abi/round_slots.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::IntCond;
using ir::Opcode;
using ir::Type;
using ir::Value;

// What is charged at once.
constexpr int64_t kMaxCharge = int64_t{1} << 30;

const InstData* DefinedBy(const Function& f, Value v) {
  const ir::ValueData& data = f.value(v);
  return data.is_param ? nullptr : &f.inst(Inst(data.def));
}

bool IsParamOf(const Function& f, Value v, Block b) {
  return f.value(v).is_param && f.value(v).def == b.index;
}

bool IsDefinedIn(const Function& f, Value v, Block b) {
  if (f.value(v).is_param) return f.value(v).def == b.index;
  const std::vector<Inst>& insts = f.block(b).insts;
  return std::find(insts.begin(), insts.end(), Inst(f.value(v).def)) != insts.end();
}

// What keeps the loop going: these two differ. `b` is not valid if it is 0.
std::optional<std::pair<Value, Value>> StaysWhileDifferent(const Function& f, Block b) {
  const Inst last = f.terminator(b);
  if (f.inst(last).op != Opcode::kBrIf) return std::nullopt;
  const absl::Span<const Edge> edges = f.edges(last);
  const bool stays_if_true = edges[0].target == b;
  if (stays_if_true == (edges[1].target == b)) return std::nullopt;
  const Value cond = f.args(last)[0];
  const InstData* d = DefinedBy(f, cond);
  if (d != nullptr && d->op == Opcode::kIcmp) {
    if (d->type != Type::kI32) return std::nullopt;
    const auto wanted = stays_if_true ? IntCond::kNe : IntCond::kEq;
    if (static_cast<IntCond>(d->aux) != wanted) return std::nullopt;
    const absl::Span<const Value> args = f.args(Inst(f.value(cond).def));
    return std::pair(args[0], args[1]);
  }
  if (!stays_if_true) return std::nullopt;
  return std::pair(cond, Value());
}

// The parameter of `b` and what it grows by, if `v` is what it is in this round or will be in the
// next one.
std::optional<std::pair<size_t, uint32_t>> Grows(const Function& f, Block b, Value v) {
  const absl::Span<const Edge> edges = f.edges(f.terminator(b));
  const Edge& back = edges[0].target == b ? edges[0] : edges[1];
  const Value next = IsParamOf(f, v, b) ? back.args[f.value(v).index] : v;
  const InstData* d = DefinedBy(f, next);
  if (d == nullptr || d->op != Opcode::kAdd || d->type != Type::kI32) return std::nullopt;
  const absl::Span<const Value> args = f.args(Inst(f.value(next).def));
  const std::optional<int64_t> step = ir::ConstantOf(f, args[1]);
  if (!IsParamOf(f, args[0], b) || !step.has_value() || *step == 0) return std::nullopt;
  const size_t param = f.value(args[0]).index;
  if (back.args[param] != next || (v != next && v != args[0])) return std::nullopt;
  return std::pair(param, static_cast<uint32_t>(*step));
}

uint32_t SizeOf(uint32_t step) { return (step >> 31) != 0 ? 0 - step : step; }

}  // namespace

std::optional<CountedLoop> CountedLoop::FindCounter(const Function& f, Block b) {
  const auto different = StaysWhileDifferent(f, b);
  if (!different.has_value()) return std::nullopt;
  auto [counter, bound] = *different;
  auto grows = Grows(f, b, counter);
  if (!grows.has_value() && bound.valid()) {
    std::swap(counter, bound);
    grows = Grows(f, b, counter);
  }
  if (!grows.has_value()) return std::nullopt;
  CountedLoop loop{.param = grows->first, .step = grows->second, .bound = {}, .cost = 0};
  if (IsParamOf(f, counter, b)) loop.beyond = loop.step;
  std::optional<int64_t> constant = 0;
  if (bound.valid()) {
    constant = ir::ConstantOf(f, bound);
    if (!constant.has_value() && IsDefinedIn(f, bound, b)) return std::nullopt;
  }
  if (constant.has_value()) {
    loop.constant_bound = static_cast<uint32_t>(*constant) + std::exchange(loop.beyond, 0);
  } else {
    loop.bound = bound;
  }
  return loop;
}

std::optional<CountedLoop> CountedLoop::Find(const Function& f, Block b,
                                             absl::Span<const Value> initial) {
  std::optional<CountedLoop> found = FindCounter(f, b);
  if (!found.has_value()) return std::nullopt;
  CountedLoop& loop = *found;
  for (Inst i : f.block(b).insts) {
    const InstData& d = f.inst(i);
    if (d.op == Opcode::kMeter) loop.cost += d.imm;
    if (d.op == Opcode::kMeterCheck || d.op == Opcode::kCharge || d.op == Opcode::kChargeValue ||
        d.op == Opcode::kDeferState) {
      return std::nullopt;
    }
  }
  if (loop.cost <= 0 || loop.cost > kMaxCharge || !f.block(b).state.empty()) return std::nullopt;
  const uint32_t size = SizeOf(loop.step);
  const std::optional<int64_t> first = ir::ConstantOf(f, initial[loop.param]);
  // In front of the loop, only shifts and masks.
  if (!first.has_value() || loop.bound.valid()) {
    if (!std::has_single_bit(size)) return std::nullopt;
    return loop;
  }
  const uint32_t up = loop.constant_bound - static_cast<uint32_t>(*first);
  const uint32_t distance = (loop.step == size ? up : 0 - up) - size;
  if (distance % size != 0 || (int64_t{distance / size} + 1) * loop.cost > kMaxCharge) {
    return std::nullopt;
  }
  return loop;
}

void CountedLoop::PayBefore(Function& f, Block at, Block loop, Block otherwise,
                            absl::Span<const Value> initial) const {
  const Block pay = f.NewBlock();
  f.block(pay).guest_pc = f.block(loop).guest_pc;
  f.block(pay).cold = f.block(loop).cold;
  f.block(at).guest_pc = f.block(loop).guest_pc;
  f.block(at).cold = f.block(loop).cold;
  ir::Builder builder(f);
  builder.SetBlock(at);
  const auto number = [&](uint32_t n) {
    return builder.Iconst(Type::kI32, static_cast<int32_t>(n));
  };
  const Value end = bound.valid() ? builder.Add(bound, number(beyond)) : number(constant_bound);
  const uint32_t size = SizeOf(step);
  const Value first = initial[param];
  const Value distance = step == size ? builder.Sub(end, first) : builder.Sub(first, end);
  const Value after_first = builder.Sub(distance, number(size));
  Value cannot = number(0);
  Value rounds;  // after the first
  if (std::has_single_bit(size)) {
    cannot = builder.And(distance, number(size - 1));
    rounds = builder.ShrU(after_first, number(static_cast<uint32_t>(std::countr_zero(size))));
  } else {
    rounds = builder.Divide(Opcode::kUdivTotal, after_first, number(size), /*guarded=*/true);
  }
  const Value all = builder.Mul(
      builder.Add(builder.Unary(Opcode::kExtendU32, rounds), builder.Iconst(Type::kI64, 1)),
      builder.Iconst(Type::kI64, cost));
  const Value too_much = builder.Icmp(IntCond::kUgt, all, builder.Iconst(Type::kI64, kMaxCharge));
  const Value too_little = builder.Icmp(IntCond::kSlt, builder.LoadFuel(), all);
  cannot = builder.Or(cannot, builder.Or(too_much, too_little));
  f.block(loop).state = {{abi::kSlotCounter, f.block(loop).params[param]},
                         {abi::kSlotBound, end},
                         {abi::kSlotStep, number(step)},
                         {abi::kSlotRoundCost, number(static_cast<uint32_t>(cost))}};
  builder.BrIf(cannot, Edge{otherwise, {initial.begin(), initial.end()}}, Edge{pay, {}});
  builder.SetBlock(pay);
  builder.ChargeValue(builder.Unary(Opcode::kWrap, all));
  builder.Br(Edge{loop, {initial.begin(), initial.end()}});

  RemoveMeters(f, loop);
  CompareNext(f, loop, end);
}

void CountedLoop::CompareNext(Function& f, Block loop, Value end) const {
  const Inst last = f.terminator(loop);
  const Value counter = f.block(loop).params[param];
  const InstData* d = DefinedBy(f, f.args(last)[0]);
  if (d == nullptr || d->op != Opcode::kIcmp) return;
  const absl::Span<const Value> args = f.args(Inst(f.value(f.args(last)[0]).def));
  if (args[0] != counter && args[1] != counter) return;
  const absl::Span<const Edge> edges = f.edges(last);
  const Value next = (edges[0].target == loop ? edges[0] : edges[1]).args[param];
  const InstData compare = {.op = Opcode::kIcmp, .type = Type::kI32, .aux = d->aux};
  const Type type = Type::kI32;
  f.block(loop).insts.pop_back();
  const Inst made = f.Append(loop, compare, {next, end}, absl::MakeConstSpan(&type, 1));
  f.block(loop).insts.push_back(last);
  f.mutable_args(last)[0] = f.result(made);
}

void CountedLoop::RemoveMeters(Function& f, Block loop) const {
  // A site gives back what the meters behind it would not have charged yet.
  int64_t behind = 0;
  std::vector<Inst>& insts = f.block(loop).insts;
  for (auto it = insts.rbegin(); it != insts.rend(); ++it) {
    InstData& d = f.inst(*it);
    if (d.op == Opcode::kMeter) {
      behind += d.imm;
    } else if (ir::CanStop(d.op)) {
      d.site.refund += static_cast<uint32_t>(behind);
    }
  }
  std::erase_if(insts, [&](Inst i) { return f.inst(i).op == Opcode::kMeter; });
}

}  // namespace precast::opt
