// The part of the builder that makes instructions with effects: they are appended as they are,
// except for branches that are decided.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"

namespace precast::ir {

Value Builder::Load(MemKind kind, Type type, Value address, int64_t offset, Site site) {
  const Inst i = f_.Append(block_,
                           {.op = Opcode::kLoad,
                            .type = type,
                            .aux = static_cast<uint8_t>(kind),
                            .imm = offset,
                            .site = site},
                           {address}, {type});
  return f_.result(i);
}

void Builder::Store(MemKind kind, Value address, Value value, int64_t offset, Site site) {
  f_.Append(block_,
            {.op = Opcode::kStore,
             .type = f_.type(value),
             .aux = static_cast<uint8_t>(kind),
             .imm = offset,
             .site = site},
            {address, value}, {});
}

Value Builder::AppendLoad(const InstData& data, absl::Span<const Value> args) {
  return f_.result(f_.Append(block_, data, args, {data.type}));
}

Value Builder::LoadAt(MemKind kind, Type type, Value base, Value offset, int64_t imm, Site site) {
  return AppendLoad({.op = Opcode::kLoadAt,
                     .type = type,
                     .aux = static_cast<uint8_t>(kind),
                     .imm = imm,
                     .site = site},
                    {base, offset});
}

void Builder::StoreAt(MemKind kind, Value base, Value offset, Value value, int64_t imm, Site site) {
  f_.Append(block_,
            {.op = Opcode::kStoreAt,
             .type = f_.type(value),
             .aux = static_cast<uint8_t>(kind),
             .imm = imm,
             .site = site},
            {base, offset, value}, {});
}

Value Builder::AtomicRmw(AtomicOp op, MemKind kind, Value base, Value offset, Value operand,
                         Site site) {
  return AppendLoad({.op = Opcode::kAtomicRmw,
                     .type = f_.type(operand),
                     .aux = static_cast<uint8_t>(kind),
                     .imm = static_cast<int64_t>(op),
                     .site = site},
                    {base, offset, operand});
}

Value Builder::AtomicCmpxchg(MemKind kind, Value base, Value offset, Value expected,
                             Value replacement, Site site) {
  return AppendLoad({.op = Opcode::kAtomicCmpxchg,
                     .type = f_.type(expected),
                     .aux = static_cast<uint8_t>(kind),
                     .site = site},
                    {base, offset, expected, replacement});
}

void Builder::Fence() { f_.Append(block_, {.op = Opcode::kFence}, {}, {}); }

void Builder::Acquire() { f_.Append(block_, {.op = Opcode::kAcquire}, {}, {}); }

Value Builder::LoadContext(MemKind kind, Type type, int64_t displacement) {
  return AppendLoad({.op = Opcode::kLoadContext,
                     .type = type,
                     .aux = static_cast<uint8_t>(kind),
                     .imm = displacement},
                    {});
}

void Builder::StoreContext(MemKind kind, Value value, int64_t displacement) {
  f_.Append(block_,
            {.op = Opcode::kStoreContext,
             .type = f_.type(value),
             .aux = static_cast<uint8_t>(kind),
             .imm = displacement},
            {value}, {});
}

Value Builder::LoadHost(MemKind kind, Type type, Value pointer, int64_t displacement) {
  return AppendLoad({.op = Opcode::kLoadHost,
                     .type = type,
                     .aux = static_cast<uint8_t>(kind),
                     .imm = displacement},
                    {pointer});
}

void Builder::StoreHost(MemKind kind, Value pointer, Value value, int64_t displacement) {
  f_.Append(block_,
            {.op = Opcode::kStoreHost,
             .type = f_.type(value),
             .aux = static_cast<uint8_t>(kind),
             .imm = displacement},
            {pointer, value}, {});
}

Value Builder::LoadState(StateSlot slot) {
  return f_.result(f_.Append(block_, {.op = Opcode::kLoadState, .aux = slot}, {}, {Type::kI32}));
}

void Builder::StoreState(StateSlot slot, Value value) {
  f_.Append(block_, {.op = Opcode::kStoreState, .aux = slot}, {value}, {});
}

void Builder::DeferState(StateSlot slot, Value value) {
  f_.Append(block_, {.op = Opcode::kDeferState, .aux = slot}, {value}, {});
}

Value Builder::LoadFuel() {
  const Type type = Type::kI64;
  return f_.result(f_.Append(block_, {.op = Opcode::kLoadFuel}, {}, absl::MakeConstSpan(&type, 1)));
}

void Builder::Charge(int64_t amount) {
  if (amount != 0) f_.Append(block_, {.op = Opcode::kCharge, .imm = amount}, {}, {});
}

void Builder::ChargeValue(Value amount) {
  if (const std::optional<int64_t> c = ConstantOf(amount)) {
    return Charge(static_cast<int64_t>(Bits(Type::kI32, *c)));
  }
  f_.Append(block_, {.op = Opcode::kChargeValue}, {amount}, {});
}

void Builder::Meter(int64_t amount, Site site) {
  f_.Append(block_, {.op = Opcode::kMeter, .imm = amount, .site = site}, {}, {});
}

void Builder::CountRows(uint8_t row_register, uint64_t counts) {
  f_.Append(block_,
            {.op = Opcode::kCountRows, .aux = row_register, .imm = static_cast<int64_t>(counts)},
            {}, {});
}

void Builder::MeterCheck(int64_t amount, Site site) {
  f_.Append(block_, {.op = Opcode::kMeterCheck, .imm = amount, .site = site}, {}, {});
}

void Builder::TrapIf(Value cond, TrapCode code, Site site) {
  if (const std::optional<int64_t> c = ConstantOf(cond); c && *c == 0) return;
  f_.Append(block_, {.op = Opcode::kTrapIf, .aux = code, .site = site}, {cond}, {});
}

std::vector<Value> Builder::AppendCall(InstData data, absl::Span<const Value> args,
                                       absl::Span<const Type> results) {
  const Inst i = f_.Append(block_, data, args, results);
  std::vector<Value> values;
  values.reserve(results.size());
  for (uint32_t k = 0; k < results.size(); ++k) values.push_back(f_.result(i, k));
  return values;
}

std::vector<Value> Builder::Call(FuncRef callee, absl::Span<const Value> args,
                                 absl::Span<const Type> results, Site site) {
  return AppendCall({.op = Opcode::kCall, .imm = callee.index, .site = site}, args, results);
}

std::vector<Value> Builder::CallDispatch(Value guest_pc, absl::Span<const Value> args,
                                         absl::Span<const Type> results, Site site) {
  std::vector<Value> all = {guest_pc};
  all.insert(all.end(), args.begin(), args.end());
  return AppendCall({.op = Opcode::kCallDispatch, .site = site}, all, results);
}

std::vector<Value> Builder::CallRuntime(uint8_t callback, absl::Span<const Value> args,
                                        absl::Span<const Type> results, Site site) {
  return AppendCall({.op = Opcode::kCallRuntime, .aux = callback, .site = site}, args, results);
}

std::vector<Value> Builder::CallPointer(Value code, Value record, Value type,
                                        absl::Span<const Value> args,
                                        absl::Span<const Type> results, Site site) {
  std::vector<Value> all = {code, record, type};
  all.insert(all.end(), args.begin(), args.end());
  return AppendCall({.op = Opcode::kCallPointer, .site = site}, all, results);
}

void Builder::Br(Edge edge) {
  std::vector<Edge> edges;
  edges.push_back(std::move(edge));
  f_.Append(block_, {.op = Opcode::kBr}, {}, {}, std::move(edges));
}

void Builder::BrIf(Value cond, Edge if_true, Edge if_false, bool cold) {
  if (const std::optional<int64_t> c = ConstantOf(cond)) {
    Br(std::move(*c != 0 ? if_true : if_false));
    return;
  }
  if (if_true.target == if_false.target && if_true.args == if_false.args) {
    Br(std::move(if_true));
    return;
  }
  std::vector<Edge> edges;
  edges.push_back(std::move(if_true));
  edges.push_back(std::move(if_false));
  f_.Append(block_, {.op = Opcode::kBrIf, .cold = cold}, {cond}, {}, std::move(edges));
}

void Builder::BrTable(Value index, std::vector<Edge> edges) {
  DCHECK(!edges.empty());
  if (const std::optional<int64_t> c = ConstantOf(index)) {
    const uint64_t k = std::min<uint64_t>(Bits(Type::kI32, *c), edges.size() - 1);
    Br(std::move(edges[k]));
    return;
  }
  if (edges.size() == 1) {
    Br(std::move(edges[0]));
    return;
  }
  f_.Append(block_, {.op = Opcode::kBrTable}, {index}, {}, std::move(edges));
}

void Builder::Ret(absl::Span<const Value> values) {
  f_.Append(block_, {.op = Opcode::kRet}, values, {});
}

void Builder::TailCall(FuncRef callee, absl::Span<const Value> args, Site site) {
  f_.Append(block_, {.op = Opcode::kTailCall, .imm = callee.index, .site = site}, args, {});
}

void Builder::TailDispatch(Value guest_pc, absl::Span<const Value> args, Site site) {
  std::vector<Value> all = {guest_pc};
  all.insert(all.end(), args.begin(), args.end());
  f_.Append(block_, {.op = Opcode::kTailDispatch, .site = site}, all, {});
}

void Builder::TailPointer(Value code, Value record, Value type, absl::Span<const Value> args,
                          Site site) {
  std::vector<Value> all = {code, record, type};
  all.insert(all.end(), args.begin(), args.end());
  f_.Append(block_, {.op = Opcode::kTailPointer, .site = site}, all, {});
}

void Builder::Trap(TrapCode code, Site site) {
  f_.Append(block_, {.op = Opcode::kTrap, .aux = code, .site = site}, {}, {});
}

}  // namespace precast::ir
