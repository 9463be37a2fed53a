// See slp_packs.h.
#include "compiler/opt/slp_packs.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "compiler/ir/fold.h"

namespace precast::opt {
namespace {

using ir::Edge;
using ir::Inst;
using ir::InstData;
using ir::MemKind;
using ir::Opcode;
using ir::SimdOp;
using ir::Type;
using ir::Value;

// Larger loops stay as they are.
constexpr size_t kMaxInsts = 512;
constexpr size_t kMaxAccesses = 64;
constexpr size_t kMaxTerms = 6;
constexpr int kMaxDepth = 16;

// The operation on vectors that does `op` on each lane, with the same bits for NaNs too.
std::optional<SimdOp> VectorOp(Opcode op, Type type) {
  switch (op) {
    case Opcode::kFadd:
      return type == Type::kF64 ? SimdOp::kF64x2Add : SimdOp::kF32x4Add;
    case Opcode::kFsub:
      return type == Type::kF64 ? SimdOp::kF64x2Sub : SimdOp::kF32x4Sub;
    case Opcode::kFmul:
      return type == Type::kF64 ? SimdOp::kF64x2Mul : SimdOp::kF32x4Mul;
    case Opcode::kFdiv:
      return type == Type::kF64 ? SimdOp::kF64x2Div : SimdOp::kF32x4Div;
    case Opcode::kFsqrt:
      return type == Type::kF64 ? SimdOp::kF64x2Sqrt : SimdOp::kF32x4Sqrt;
    case Opcode::kFneg:
      return type == Type::kF64 ? SimdOp::kF64x2Neg : SimdOp::kF32x4Neg;
    case Opcode::kFabs:
      return type == Type::kF64 ? SimdOp::kF64x2Abs : SimdOp::kF32x4Abs;
    case Opcode::kAdd:
      return type == Type::kI64 ? SimdOp::kI64x2Add : SimdOp::kI32x4Add;
    case Opcode::kSub:
      return type == Type::kI64 ? SimdOp::kI64x2Sub : SimdOp::kI32x4Sub;
    case Opcode::kMul:
      if (type == Type::kI64) return std::nullopt;
      return SimdOp::kI32x4Mul;
    case Opcode::kAnd:
      return SimdOp::kV128And;
    case Opcode::kOr:
      return SimdOp::kV128Or;
    case Opcode::kXor:
      return SimdOp::kV128Xor;
    default:
      return std::nullopt;
  }
}

bool IsAccess(Opcode op) { return op == Opcode::kLoad || op == Opcode::kStore; }

uint32_t AddressOf(const MemoryAccess& a) { return a.linear->constant + a.displacement; }

}  // namespace

bool LoopPacks::Find() {
  if (!Collect()) return false;
  FindPacks();
  return !packs_.empty() && OnlyPacksUse() && OrderIsKept() && FindAddresses();
}

bool LoopPacks::IsConstant(Value v) const {
  const InstData* d = DefinedBy(v);
  return d != nullptr && (d->op == Opcode::kIconst || d->op == Opcode::kFconst);
}

bool LoopPacks::Collect() {
  const std::vector<Inst>& insts = f_.block(block_).insts;
  if (insts.size() > kMaxInsts || !f_.block(block_).state.empty()) return false;
  for (uint32_t n = 0; n < insts.size(); ++n) {
    const InstData& d = f_.inst(insts[n]);
    position_[insts[n].index] = n;
    switch (d.op) {
      case Opcode::kLoad:
      case Opcode::kStore: {
        const Value root = f_.args(insts[n])[0];
        if (f_.type(root) != Type::kI32 || accesses_.size() == kMaxAccesses) return false;
        access_at_[n] = static_cast<uint32_t>(accesses_.size());
        accesses_.push_back(
            {.position = n,
             .is_store = d.op == Opcode::kStore,
             .root = root,
             .displacement = static_cast<uint32_t>(d.imm),
             .size = static_cast<uint32_t>(ir::AccessBytes(static_cast<MemKind>(d.aux))),
             .linear = LinearOf(root)});
        break;
      }
      case Opcode::kCharge:
      case Opcode::kMeter:
      case Opcode::kMeterCheck:
      case Opcode::kTrapIf:
      case Opcode::kBrIf:
        break;
      default:
        if (ir::Info(d.op).has_side_effect || ir::IsTerminator(d.op)) return false;
    }
  }
  return true;
}

const LinearAddress* LoopPacks::LinearOf(Value v) {
  auto [it, inserted] = linear_.try_emplace(v.index);
  if (inserted) {
    LinearAddress linear;
    if (AddTerms(v, 0, 0, linear)) {
      std::sort(linear.terms.begin(), linear.terms.end());
      it->second = std::move(linear);
    }
  }
  return it->second.has_value() ? &*it->second : nullptr;
}

bool LoopPacks::AddTerms(Value v, uint32_t shift, int depth, LinearAddress& sum) const {
  const InstData* d = DefinedBy(v);
  if (const std::optional<int64_t> c = ir::ConstantOf(f_, v)) {
    sum.constant += static_cast<uint32_t>(*c) << shift;
    return true;
  }
  if (InLoop(v) && d != nullptr) {
    const absl::Span<const Value> args = f_.args(Inst(f_.value(v).def));
    if (depth == kMaxDepth) return false;
    if (d->op == Opcode::kAdd) {
      return AddTerms(args[0], shift, depth + 1, sum) && AddTerms(args[1], shift, depth + 1, sum);
    }
    if (d->op != Opcode::kShl) return false;
    const std::optional<int64_t> amount = ir::ConstantOf(f_, args[1]);
    if (!amount.has_value()) return false;
    const uint32_t total = shift + (static_cast<uint32_t>(*amount) & 31);
    return total < 32 && AddTerms(args[0], total, depth + 1, sum);
  }
  if (InLoop(v)) {  // a parameter
    const std::optional<uint32_t> step = StepOf(v);
    if (!step.has_value()) return false;
    sum.step += *step << shift;
  }
  if (sum.terms.size() == kMaxTerms) return false;
  sum.terms.push_back({v, shift});
  return true;
}

std::optional<uint32_t> LoopPacks::StepOf(Value param) const {
  const Value next = BackEdge().args[f_.value(param).index];
  if (next == param) return 0;
  const InstData* d = DefinedBy(next);
  if (d == nullptr || d->op != Opcode::kAdd) return std::nullopt;
  const absl::Span<const Value> args = f_.args(Inst(f_.value(next).def));
  const std::optional<int64_t> c = ir::ConstantOf(f_, args[1]);
  if (args[0] != param || !c.has_value()) return std::nullopt;
  return static_cast<uint32_t>(*c);
}

const Edge& LoopPacks::BackEdge() const {
  const absl::Span<const Edge> edges = f_.edges(f_.terminator(block_));
  return edges[0].target == block_ ? edges[0] : edges[1];
}

void LoopPacks::FindPacks() {
  const size_t count = accesses_.size();
  for (size_t first = 0; first < count; ++first) {
    const MemoryAccess& seed = accesses_[first];
    const Inst inst = f_.block(block_).insts[seed.position];
    const Type type = f_.inst(inst).type;
    if (!seed.is_store || seed.pack != kNoPack || type == Type::kV128) continue;
    if (seed.size != static_cast<uint32_t>(ir::TypeBytes(type))) continue;
    std::vector<Inst> insts = {inst};
    std::vector<Value> stored = {f_.args(inst)[1]};
    for (size_t next = first + 1; next < count && insts.size() * seed.size < kVectorBytes; ++next) {
      const MemoryAccess& a = accesses_[next];
      const Inst other = f_.block(block_).insts[a.position];
      if (!a.is_store || a.pack != kNoPack || a.root != seed.root || a.size != seed.size) continue;
      if (f_.inst(other).type != type) continue;
      if (a.displacement != seed.displacement + insts.size() * seed.size) continue;
      insts.push_back(other);
      stored.push_back(f_.args(other)[1]);
    }
    if (insts.size() * seed.size < kVectorBytes) continue;
    const size_t before = packs_.size();
    const std::optional<uint32_t> value = PackOf(stored, 0);
    if (!value.has_value()) {
      Drop(before);
      continue;
    }
    AddPack({.kind = SlpPack::Kind::kStore, .type = type, .insts = insts, .operands = {*value}});
  }
}

uint32_t LoopPacks::AddPack(SlpPack pack) {
  const uint32_t number = static_cast<uint32_t>(packs_.size());
  for (uint32_t lane = 0; lane < pack.insts.size(); ++lane) {
    member_[pack.insts[lane].index] = {number, lane};
    if (IsAccess(f_.inst(pack.insts[lane]).op)) {
      MutableAccessOf(pack.insts[lane]).pack = number;
      MutableAccessOf(pack.insts[lane]).lane = lane;
    }
  }
  packs_.push_back(std::move(pack));
  return number;
}

void LoopPacks::Drop(size_t from) {
  for (; packs_.size() > from; packs_.pop_back()) {
    for (Inst i : packs_.back().insts) {
      member_.erase(i.index);
      if (IsAccess(f_.inst(i).op)) MutableAccessOf(i).pack = kNoPack;
    }
  }
}

std::optional<uint32_t> LoopPacks::PackOf(const std::vector<Value>& lanes, int depth) {
  const Type type = f_.type(lanes[0]);
  if (std::all_of(lanes.begin(), lanes.end(), [&](Value v) { return IsOutside(v); })) {
    return AddPack({.kind = SlpPack::Kind::kOutside, .type = type, .outside = lanes});
  }
  if (depth == kMaxDepth) return std::nullopt;
  std::vector<Inst> insts;
  for (Value v : lanes) {
    if (!InLoop(v) || f_.value(v).is_param) return std::nullopt;
    insts.push_back(Inst(f_.value(v).def));
  }
  for (size_t lane = 0; lane < insts.size(); ++lane) {
    const InstData& d = f_.inst(insts[lane]);
    const InstData& first = f_.inst(insts[0]);
    if (d.op != first.op || d.type != first.type || d.aux != first.aux) return std::nullopt;
    if (std::count(insts.begin(), insts.end(), insts[lane]) != 1) return std::nullopt;
  }
  if (const auto known = member_.find(insts[0].index); known != member_.end()) {
    if (packs_[known->second.pack].insts != insts) return std::nullopt;
    return known->second.pack;
  }
  for (Inst i : insts) {
    if (member_.contains(i.index)) return std::nullopt;
  }
  const Opcode op = f_.inst(insts[0]).op;
  if (op == Opcode::kLoad) {
    if (!AreNeighbours(insts)) return std::nullopt;
    return AddPack({.kind = SlpPack::Kind::kLoad, .type = type, .insts = insts});
  }
  const std::optional<SimdOp> simd = VectorOp(op, type);
  if (!simd.has_value()) return std::nullopt;
  std::vector<uint32_t> operands;
  for (size_t k = 0; k < f_.args(insts[0]).size(); ++k) {
    std::vector<Value> inputs;
    for (Inst i : insts) inputs.push_back(f_.args(i)[k]);
    const std::optional<uint32_t> operand = PackOf(inputs, depth + 1);
    if (!operand.has_value()) return std::nullopt;
    operands.push_back(*operand);
  }
  // The operands may have taken them.
  for (Inst i : insts) {
    if (member_.contains(i.index)) return std::nullopt;
  }
  return AddPack({.kind = SlpPack::Kind::kOperation,
                  .type = type,
                  .insts = insts,
                  .op = *simd,
                  .operands = operands});
}

bool LoopPacks::AreNeighbours(const std::vector<Inst>& loads) const {
  const MemoryAccess& first = AccessOf(loads[0]);
  if (first.size * loads.size() != kVectorBytes) return false;
  for (size_t lane = 1; lane < loads.size(); ++lane) {
    const MemoryAccess& a = AccessOf(loads[lane]);
    if (a.root != first.root || a.displacement != first.displacement + lane * first.size ||
        a.position < first.position) {
      return false;
    }
  }
  return true;
}

bool LoopPacks::OnlyPacksUse() const {
  absl::flat_hash_map<uint32_t, uint32_t> uses;  // by value
  for (const SlpPack& pack : packs_) {
    for (Inst i : pack.insts) {
      // Addresses stay scalar.
      const size_t from = pack.kind == SlpPack::Kind::kLoad || pack.kind == SlpPack::Kind::kStore;
      for (size_t k = from; k < f_.args(i).size(); ++k) ++uses[f_.args(i)[k].index];
    }
  }
  for (const SlpPack& pack : packs_) {
    if (pack.kind == SlpPack::Kind::kStore) continue;
    for (Inst i : pack.insts) {
      const Value v = f_.result(i);
      if (facts_.count[v.index] != uses[v.index]) return false;
    }
  }
  return true;
}

uint32_t LoopPacks::NewPosition(const MemoryAccess& a) const {
  return a.pack == kNoPack ? a.position : position_.at(packs_[a.pack].insts[0].index);
}

bool LoopPacks::OrderIsKept() const {
  for (const MemoryAccess& a : accesses_) {
    if (a.pack == kNoPack) continue;
    if (a.is_store && !NothingFaultsBefore(a)) return false;
    for (const MemoryAccess& b : accesses_) {
      if (!a.is_store && !b.is_store) continue;
      const bool was_before = a.position < b.position;
      const bool is_before = NewPosition(a) < NewPosition(b);
      if (was_before == is_before || (a.pack == b.pack)) continue;
      if (!Differ(a, b)) return false;
    }
  }
  return true;
}

bool LoopPacks::NothingFaultsBefore(const MemoryAccess& a) const {
  const uint32_t now = NewPosition(a);
  for (uint32_t n = now + 1; n < a.position; ++n) {
    const Inst i = f_.block(block_).insts[n];
    if (!ir::CanStop(f_.inst(i).op)) continue;
    const auto access = access_at_.find(n);
    if (access == access_at_.end()) return false;
    const MemoryAccess& other = accesses_[access->second];
    if (other.pack == kNoPack || other.lane == 0 || NewPosition(other) > now) return false;
  }
  return true;
}

bool LoopPacks::Differ(const MemoryAccess& a, const MemoryAccess& b) const {
  if (a.linear == nullptr || b.linear == nullptr) return false;
  if (a.linear->terms == b.linear->terms) {
    const uint32_t distance = AddressOf(b) - AddressOf(a);
    return distance >= a.size && 0 - distance >= b.size;
  }
  // Vectors that are aligned are the same, lane by lane, or have nothing in common.
  return a.pack != kNoPack && b.pack != kNoPack && a.size == b.size && a.lane != b.lane;
}

bool LoopPacks::FindAddresses() const {
  absl::flat_hash_map<uint32_t, uint32_t> remainder;  // of an address modulo 16, by root
  for (const SlpPack& pack : packs_) {
    if (pack.kind != SlpPack::Kind::kLoad && pack.kind != SlpPack::Kind::kStore) continue;
    const MemoryAccess& a = AccessOf(pack.insts[0]);
    if (a.linear == nullptr || a.linear->step % kVectorBytes != 0) return false;
    const uint32_t low = AddressOf(a) % kVectorBytes;
    if (remainder.try_emplace(a.root.index, low).first->second != low) return false;
  }
  return true;
}

}  // namespace precast::opt
