// See slp_vectorize.h.
#include "compiler/opt/slp_vectorize.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/opt/counted_loop.h"
#include "compiler/opt/fold_addresses.h"
#include "compiler/opt/value_homes.h"
#include "runtime/abi/vm_context.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::MemKind;
using ir::Opcode;
using ir::SimdOp;
using ir::Type;
using ir::Value;

constexpr uint32_t kNone = 0xffffffffu;
constexpr uint32_t kVectorBytes = 16;
// Larger loops stay as they are.
constexpr size_t kMaxInsts = 512;
constexpr size_t kMaxAccesses = 64;
constexpr size_t kMaxTerms = 6;
constexpr int kMaxDepth = 16;

bool IsAccess(Opcode op) { return op == Opcode::kLoad || op == Opcode::kStore; }

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

struct LaneOps {
  SimdOp splat, replace;
};
LaneOps LaneOpsOf(Type type) {
  switch (type) {
    case Type::kF64:
      return {SimdOp::kF64x2Splat, SimdOp::kF64x2ReplaceLane};
    case Type::kF32:
      return {SimdOp::kF32x4Splat, SimdOp::kF32x4ReplaceLane};
    case Type::kI64:
      return {SimdOp::kI64x2Splat, SimdOp::kI64x2ReplaceLane};
    default:
      return {SimdOp::kI32x4Splat, SimdOp::kI32x4ReplaceLane};
  }
}

// An address as the loop computes it: sum of terms and a constant, growing by `step` each round, all modulo 2^32.
struct Linear {
  struct Term {
    Value value;
    uint32_t shift;
    auto operator<=>(const Term&) const = default;
  };
  std::vector<Term> terms;  // sorted
  uint32_t constant = 0;
  uint32_t step = 0;
};

struct Access {
  uint32_t position;  // in the block
  bool is_store;
  Value root;
  uint32_t displacement;
  uint32_t size;
  const Linear* linear;  // of the root; null if that is no sum
  uint32_t pack = kNone, lane = 0;
};

// What becomes one vector value, or one store.
struct Pack {
  enum class Kind : uint8_t { kOutside, kLoad, kStore, kOperation };
  Kind kind;
  Type type;                        // of a lane
  std::vector<Value> outside = {};  // kOutside: the lanes, made before the loop
  std::vector<Inst> insts = {};     // others: by lane
  SimdOp op = {};
  std::vector<uint32_t> operands = {};  // packs; kStore: what is stored
  Value vector = {};                    // once it is made
};

// One loop.
class Loop {
 public:
  Loop(Function& f, ValueUses& facts, Block block, Block before, bool bounded_memory)
      : f_(f), facts_(facts), block_(block), before_(before), bounded_memory_(bounded_memory) {}

  // Finds what to do; nothing is changed.
  bool Plan() {
    if (!Collect()) return false;
    FindPacks();
    return !packs_.empty() && OnlyPacksUse() && OrderIsKept() && FindAddresses();
  }

  // Does it, and returns the block that follows the loops. `replaced` gets what users behind them have to use instead,
  // by value.
  Block Rewrite(std::vector<Value>& replaced) {
    const Block vector_loop = f_.NewBlock();
    const Block check = f_.NewBlock();
    for (Block b : {vector_loop, check}) {
      f_.block(b).guest_pc = f_.block(block_).guest_pc;
      f_.block(b).cold = f_.block(block_).cold;
    }
    const Block exit = MergeExits(replaced);
    Check(check);
    for (Pack& pack : packs_) {
      if (pack.kind == Pack::Kind::kOutside) pack.vector = Gather(check, pack);
    }
    if (bounded_memory_) FindBases(check);
    CopyLoop(vector_loop);
    if (const auto counted = CountedLoop::Find(f_, block_, initial_)) {
      const Block pay = f_.NewBlock();
      Branch(check, {pay, {}});
      counted->PayBefore(f_, pay, vector_loop, block_, initial_);
    } else {
      Branch(check, {vector_loop, initial_});
    }
    return exit;
  }

 private:
  bool InLoop(Value v) const { return facts_.home[v.index] == block_.index; }
  const InstData* DefinedBy(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  bool IsConstant(Value v) const {
    const InstData* d = DefinedBy(v);
    return d != nullptr && (d->op == Opcode::kIconst || d->op == Opcode::kFconst);
  }
  bool IsOutside(Value v) const { return !InLoop(v) || IsConstant(v); }

  // -- what there is

  // The accesses of the block; false if it is not such a loop.
  bool Collect() {
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

  const Linear* LinearOf(Value v) {
    auto [it, inserted] = linear_.try_emplace(v.index);
    if (inserted) {
      Linear linear;
      if (AddTerms(v, 0, 0, linear)) {
        std::sort(linear.terms.begin(), linear.terms.end());
        it->second = std::move(linear);
      }
    }
    return it->second.has_value() ? &*it->second : nullptr;
  }

  // Adds v << shift.
  bool AddTerms(Value v, uint32_t shift, int depth, Linear& sum) const {
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

  // What a parameter grows by in each round.
  std::optional<uint32_t> StepOf(Value param) const {
    const Value next = BackEdge().args[f_.value(param).index];
    if (next == param) return 0;
    const InstData* d = DefinedBy(next);
    if (d == nullptr || d->op != Opcode::kAdd) return std::nullopt;
    const absl::Span<const Value> args = f_.args(Inst(f_.value(next).def));
    const std::optional<int64_t> c = ir::ConstantOf(f_, args[1]);
    if (args[0] != param || !c.has_value()) return std::nullopt;
    return static_cast<uint32_t>(*c);
  }

  const Edge& BackEdge() const {
    const absl::Span<const Edge> edges = f_.edges(f_.terminator(block_));
    return edges[0].target == block_ ? edges[0] : edges[1];
  }

  // -- packs

  // The access that inst `i` is.
  Access& AccessOf(Inst i) { return accesses_[access_at_.at(position_.at(i.index))]; }

  void FindPacks() {
    const size_t count = accesses_.size();
    for (size_t first = 0; first < count; ++first) {
      const Access& seed = accesses_[first];
      const Inst inst = f_.block(block_).insts[seed.position];
      const Type type = f_.inst(inst).type;
      if (!seed.is_store || seed.pack != kNone || type == Type::kV128) continue;
      if (seed.size != static_cast<uint32_t>(ir::TypeBytes(type))) continue;
      std::vector<Inst> insts = {inst};
      std::vector<Value> stored = {f_.args(inst)[1]};
      for (size_t next = first + 1; next < count && insts.size() * seed.size < kVectorBytes;
           ++next) {
        const Access& a = accesses_[next];
        const Inst other = f_.block(block_).insts[a.position];
        if (!a.is_store || a.pack != kNone || a.root != seed.root || a.size != seed.size) continue;
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
      AddPack({.kind = Pack::Kind::kStore, .type = type, .insts = insts, .operands = {*value}});
    }
  }

  uint32_t AddPack(Pack pack) {
    const uint32_t number = static_cast<uint32_t>(packs_.size());
    for (uint32_t lane = 0; lane < pack.insts.size(); ++lane) {
      member_[pack.insts[lane].index] = {number, lane};
      if (IsAccess(f_.inst(pack.insts[lane]).op)) {
        AccessOf(pack.insts[lane]).pack = number;
        AccessOf(pack.insts[lane]).lane = lane;
      }
    }
    packs_.push_back(std::move(pack));
    return number;
  }

  // Forgets all packs from number `from` on.
  void Drop(size_t from) {
    for (; packs_.size() > from; packs_.pop_back()) {
      for (Inst i : packs_.back().insts) {
        member_.erase(i.index);
        if (IsAccess(f_.inst(i).op)) AccessOf(i).pack = kNone;
      }
    }
  }

  // The pack with these lanes.
  std::optional<uint32_t> PackOf(const std::vector<Value>& lanes, int depth) {
    const Type type = f_.type(lanes[0]);
    if (std::all_of(lanes.begin(), lanes.end(), [&](Value v) { return IsOutside(v); })) {
      return AddPack({.kind = Pack::Kind::kOutside, .type = type, .outside = lanes});
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
      return AddPack({.kind = Pack::Kind::kLoad, .type = type, .insts = insts});
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
    return AddPack({.kind = Pack::Kind::kOperation,
                    .type = type,
                    .insts = insts,
                    .op = *simd,
                    .operands = operands});
  }

  // Whether loads are of adjacent places, the first of them first.
  bool AreNeighbours(const std::vector<Inst>& loads) {
    const Access& first = AccessOf(loads[0]);
    if (first.size * loads.size() != kVectorBytes) return false;
    for (size_t lane = 1; lane < loads.size(); ++lane) {
      const Access& a = AccessOf(loads[lane]);
      if (a.root != first.root || a.displacement != first.displacement + lane * first.size ||
          a.position < first.position) {
        return false;
      }
    }
    return true;
  }

  // Whether nothing but packs uses what is in packs.
  bool OnlyPacksUse() const {
    absl::flat_hash_map<uint32_t, uint32_t> uses;  // by value
    for (const Pack& pack : packs_) {
      for (Inst i : pack.insts) {
        // Addresses stay scalar.
        const size_t from = pack.kind == Pack::Kind::kLoad || pack.kind == Pack::Kind::kStore;
        for (size_t k = from; k < f_.args(i).size(); ++k) ++uses[f_.args(i)[k].index];
      }
    }
    for (const Pack& pack : packs_) {
      if (pack.kind == Pack::Kind::kStore) continue;
      for (Inst i : pack.insts) {
        const Value v = f_.result(i);
        if (facts_.count[v.index] != uses[v.index]) return false;
      }
    }
    return true;
  }

  // -- order. All of a pack happens where its first lane did.

  uint32_t NewPosition(const Access& a) const {
    return a.pack == kNone ? a.position : position_.at(packs_[a.pack].insts[0].index);
  }

  bool OrderIsKept() const {
    for (const Access& a : accesses_) {
      if (a.pack == kNone) continue;
      if (a.is_store && !NothingFaultsBefore(a)) return false;
      for (const Access& b : accesses_) {
        if (!a.is_store && !b.is_store) continue;
        const bool was_before = a.position < b.position;
        const bool is_before = NewPosition(a) < NewPosition(b);
        if (was_before == is_before || (a.pack == b.pack)) continue;
        if (!Differ(a, b)) return false;
      }
    }
    return true;
  }

  // Whether, where store `a` happens now, nothing that came before it can still stop execution: only lanes whose first
  // lane has been accessed before.
  bool NothingFaultsBefore(const Access& a) const {
    const uint32_t now = NewPosition(a);
    for (uint32_t n = now + 1; n < a.position; ++n) {
      const Inst i = f_.block(block_).insts[n];
      if (!ir::CanStop(f_.inst(i).op)) continue;
      const auto access = access_at_.find(n);
      if (access == access_at_.end()) return false;
      const Access& other = accesses_[access->second];
      if (other.pack == kNone || other.lane == 0 || NewPosition(other) > now) return false;
    }
    return true;
  }

  // Whether two accesses never touch the same byte, if packs are aligned.
  bool Differ(const Access& a, const Access& b) const {
    if (a.linear == nullptr || b.linear == nullptr) return false;
    if (a.linear->terms == b.linear->terms) {
      const uint32_t distance = AddressOf(b) - AddressOf(a);
      return distance >= a.size && 0 - distance >= b.size;
    }
    // Vectors that are aligned are the same, lane by lane, or have nothing in common.
    return a.pack != kNone && b.pack != kNone && a.size == b.size && a.lane != b.lane;
  }

  uint32_t AddressOf(const Access& a) const { return a.linear->constant + a.displacement; }

  // Whether alignment can be asked for before the loop, and may be given.
  bool FindAddresses() {
    absl::flat_hash_map<uint32_t, uint32_t> remainder;  // of an address modulo 16, by root
    for (const Pack& pack : packs_) {
      if (pack.kind != Pack::Kind::kLoad && pack.kind != Pack::Kind::kStore) continue;
      const Access& a = AccessOf(pack.insts[0]);
      if (a.linear == nullptr || a.linear->step % kVectorBytes != 0) return false;
      const uint32_t low = AddressOf(a) % kVectorBytes;
      if (remainder.try_emplace(a.root.index, low).first->second != low) return false;
    }
    return true;
  }

  // -- rewriting

  Value Append(Block b, const InstData& d, absl::Span<const Value> args) {
    const Type type = d.type;
    return f_.result(f_.Append(b, d, args, absl::MakeConstSpan(&type, 1)));
  }
  Value Constant(Block b, int64_t c) {
    return Append(b, {.op = Opcode::kIconst, .imm = ir::Canonical(Type::kI32, c)}, {});
  }
  Value Simd(Block b, SimdOp op, absl::Span<const Value> args, int64_t lane = 0) {
    const Type type = Type::kV128;
    return f_.result(f_.Append(
        b, {.op = Opcode::kSimd, .type = type, .aux = static_cast<uint8_t>(op), .imm = lane}, args,
        absl::MakeConstSpan(&type, 1)));
  }
  Value Two(Block b, Opcode op, Value x, Value y, Type type = Type::kI32) {
    const std::array<Value, 2> args = {x, y};
    return Append(b, {.op = op, .type = type}, args);
  }
  Value Extended(Block b, Value v) {
    const Type type = Type::kI64;
    return f_.result(f_.Append(b, {.op = Opcode::kExtendU32}, {v}, absl::MakeConstSpan(&type, 1)));
  }

  // What leaves the loop goes through one block, whose parameters stand for the loop's values.
  Block MergeExits(std::vector<Value>& replaced) {
    std::vector<Value> escaping;
    const auto add = [&](Value v) {
      if (facts_.escapes[v.index]) escaping.push_back(v);
    };
    for (Value v : f_.block(block_).params) add(v);
    for (Inst i : f_.block(block_).insts) {
      for (uint32_t k = 0; k < f_.inst(i).results_count; ++k) add(f_.result(i, k));
    }
    const Block exit = f_.NewBlock();
    f_.block(exit).guest_pc = f_.block(block_).guest_pc;
    f_.block(exit).cold = f_.block(block_).cold;
    for (Value v : escaping) replaced[v.index] = f_.AddParam(exit, f_.type(v));
    const absl::Span<Edge> edges = f_.mutable_edges(f_.terminator(block_));
    Edge& edge = edges[0].target == block_ ? edges[1] : edges[0];
    std::vector<Value> args;
    for (Value v : edge.args) args.push_back(f_.AddParam(exit, f_.type(v)));
    edge.args.insert(edge.args.begin(), escaping.begin(), escaping.end());
    const Block target = std::exchange(edge.target, exit);
    f_.Append(exit, {.op = Opcode::kBr}, {}, {}, {Edge{target, args}});
    return exit;
  }

  Edge& EntryEdge() {
    const absl::Span<Edge> edges = f_.mutable_edges(f_.terminator(before_));
    const auto found = std::find_if(edges.begin(), edges.end(),
                                    [&](const Edge& edge) { return edge.target == block_; });
    CHECK(found != edges.end()) << f_.name() << ": no edge into the loop";
    return *found;
  }

  // Begins `check`: whether everything is aligned.
  void Check(Block check) {
    initial_ = EntryEdge().args;
    EntryEdge() = Edge{check, {}};
    for (Value v : initial_) {
      if (v.index < facts_.escapes.size()) facts_.escapes[v.index] = true;
    }
    absl::flat_hash_set<uint32_t> asked;  // roots
    Value low;
    for (const Pack& pack : packs_) {
      if (pack.kind != Pack::Kind::kLoad && pack.kind != Pack::Kind::kStore) continue;
      if (!asked.insert(AccessOf(pack.insts[0]).root.index).second) continue;
      const Access& a = AccessOf(pack.insts[0]);
      Value address = First(check, a);
      if (a.displacement != 0) {
        address = Two(check, Opcode::kAdd, address, Constant(check, a.displacement));
      }
      low = low.valid() ? Two(check, Opcode::kOr, low, address) : address;
    }
    misaligned_ = Two(check, Opcode::kAnd, low, Constant(check, kVectorBytes - 1));
  }

  void Branch(Block check, const Edge& if_aligned) {
    f_.Append(check, {.op = Opcode::kBrIf}, absl::MakeConstSpan(&misaligned_, 1), {},
              {Edge{block_, initial_}, if_aligned});
  }

  // What the root of an access is in the first round.
  Value First(Block check, const Access& a) {
    Value& sum = first_[a.root.index];
    if (sum.valid()) return sum;
    for (const Linear::Term& term : a.linear->terms) {
      Value v = InLoop(term.value) ? initial_[f_.value(term.value).index] : term.value;
      if (term.shift != 0) v = Two(check, Opcode::kShl, v, Constant(check, term.shift));
      sum = sum.valid() ? Two(check, Opcode::kAdd, sum, v) : v;
    }
    const uint32_t constant = a.linear->constant;
    if (!sum.valid()) return sum = Constant(check, constant);
    if (constant != 0) sum = Two(check, Opcode::kAdd, sum, Constant(check, constant));
    return sum;
  }

  // -- one offset for all addresses. A sum that is one grows by a small step each round, and does not wrap around
  // 2^32, since where the round before accessed memory is below kMaxMemory. So its distance from anything else that
  // grows like that is the same in all rounds, and known before the loop.

  // Whether each access to this root shows that.
  bool StaysInMemory(Value root) {
    return std::all_of(accesses_.begin(), accesses_.end(), [&](const Access& a) {
      return a.root != root || (a.pack != kNone && a.displacement <= INT32_MAX);
    });
  }

  // A parameter that counts by `step` from one constant to another, without wrapping around either.
  Value FindCounter(uint32_t step) const {
    const auto counter = CountedLoop::FindCounter(f_, block_);
    if (!counter.has_value() || counter->step != step || counter->bound.valid()) return {};
    const std::optional<int64_t> first = ir::ConstantOf(f_, initial_[counter->param]);
    if (!first.has_value()) return {};
    const uint32_t begin = static_cast<uint32_t>(*first);
    const uint32_t distance = counter->constant_bound - begin;
    if (distance == 0 || distance % step != 0 || uint64_t{begin} + distance > uint64_t{1} << 32)
      return {};
    return f_.block(block_).params[counter->param];
  }

  // Gives roots that are sums a base each, if there is something to add to it: a counter, a pointer, or one of them.
  void FindBases(Block check) {
    // A place in the round before, and a step from there, is below 2^32.
    constexpr uint32_t kMaxStep = static_cast<uint32_t>((uint64_t{1} << 32) - kMaxMemory);
    std::vector<const Access*> sums;
    Value pointer;
    uint32_t step = 0;
    for (const Access& a : accesses_) {
      if (a.pack == kNone || a.linear == nullptr || !InLoop(a.root) || !StaysInMemory(a.root)) {
        continue;
      }
      if (a.linear->step == 0 || a.linear->step > kMaxStep) continue;
      if (step == 0) step = a.linear->step;
      if (a.linear->step != step) continue;
      if (f_.value(a.root).is_param) {
        pointer = a.root;
      } else if (std::none_of(sums.begin(), sums.end(),
                              [&](const Access* other) { return other->root == a.root; })) {
        sums.push_back(&a);
      }
    }
    if (sums.empty()) return;
    offset_ = FindCounter(step);
    if (!offset_.valid()) offset_ = pointer;
    if (!offset_.valid()) offset_ = sums[0]->root;
    if (offset_ == sums[0]->root && sums.size() == 1) return;
    const Value memory = Append(check,
                                {.op = Opcode::kLoadContext,
                                 .type = Type::kI64,
                                 .aux = static_cast<uint8_t>(MemKind::k64),
                                 .imm = offsetof(abi::VmContext, memory_base)},
                                {});
    const Value begin =
        f_.value(offset_).is_param ? initial_[f_.value(offset_).index] : First(check, *sums[0]);
    for (const Access* a : sums) {
      if (a->root == offset_) continue;
      Value base = Two(check, Opcode::kAdd, memory, Extended(check, First(check, *a)), Type::kI64);
      if (ir::ConstantOf(f_, begin) != 0) {
        base = Two(check, Opcode::kSub, base, Extended(check, begin), Type::kI64);
      }
      bases_[a->root.index] = base;
    }
  }

  // The vector of values that are there before the loop.
  Value Gather(Block check, const Pack& pack) {
    std::vector<Value> lanes;
    for (Value v : pack.outside) {
      if (InLoop(v)) v = Append(check, InstData(*DefinedBy(v)), {});  // a constant
      lanes.push_back(v);
    }
    const LaneOps ops = LaneOpsOf(pack.type);
    Value vector = Simd(check, ops.splat, {lanes[0]});
    for (size_t k = 1; k < lanes.size(); ++k) {
      if (pack.outside[k] == pack.outside[0]) continue;
      vector = Simd(check, ops.replace, {vector, lanes[k]}, static_cast<int64_t>(k));
    }
    return vector;
  }

  void CopyLoop(Block to) {
    absl::flat_hash_map<uint32_t, Value> copy;
    const auto copied = [&](Value v) {
      const auto it = copy.find(v.index);
      return it == copy.end() ? v : it->second;
    };
    const std::vector<Value> params = f_.block(block_).params;
    for (Value v : params) copy[v.index] = f_.AddParam(to, f_.type(v));
    Value offset;  // offset_, extended
    MakeReady(to);
    const std::vector<Inst> insts = f_.block(block_).insts;
    for (Inst i : insts) {
      if (const auto member = member_.find(i.index); member != member_.end()) {
        Pack& pack = packs_[member->second.pack];
        if (member->second.lane != 0 || !IsAccess(f_.inst(i).op)) continue;
        const Value root = f_.args(i)[0];
        const auto base = bases_.find(root.index);
        if (base == bases_.end()) {
          AccessVector(to, pack, {copied(root)});
        } else {
          if (!offset.valid()) offset = Extended(to, copied(offset_));
          AccessVector(to, pack, {base->second, offset});
        }
        continue;
      }
      std::vector<Value> args;
      for (Value v : f_.args(i)) args.push_back(copied(v));
      std::vector<Type> results;
      for (uint32_t k = 0; k < f_.inst(i).results_count; ++k)
        results.push_back(f_.type(f_.result(i, k)));
      std::vector<Edge> edges;
      for (const Edge& edge : f_.edges(i)) {
        Edge& other = edges.emplace_back(Edge{edge.target == block_ ? to : edge.target, {}});
        for (Value v : edge.args) other.args.push_back(copied(v));
      }
      const Inst made = f_.Append(to, InstData(f_.inst(i)), args, results, std::move(edges));
      for (uint32_t k = 0; k < results.size(); ++k)
        copy[f_.result(i, k).index] = f_.result(made, k);
    }
  }

  // At an address, or at an offset from a base.
  void AccessVector(Block to, Pack& pack, std::vector<Value> args) {
    InstData d = f_.inst(pack.insts[0]);
    d.type = Type::kV128;
    d.aux = static_cast<uint8_t>(MemKind::k128Aligned);
    const bool at = args.size() == 2;
    if (pack.kind == Pack::Kind::kLoad) {
      if (at) d.op = Opcode::kLoadAt;
      pack.vector = Append(to, d, args);
      MakeReady(to);
    } else {
      if (at) d.op = Opcode::kStoreAt;
      args.push_back(packs_[pack.operands[0]].vector);
      f_.Append(to, d, args, {});
    }
  }

  // Computes what can be computed by now: a load right before its user becomes that one's operand.
  void MakeReady(Block to) {
    for (Pack& pack : packs_) {
      if (pack.kind != Pack::Kind::kOperation || pack.vector.valid()) continue;
      std::vector<Value> args;
      for (uint32_t operand : pack.operands) args.push_back(packs_[operand].vector);
      if (std::all_of(args.begin(), args.end(), [](Value v) { return v.valid(); })) {
        pack.vector = Simd(to, pack.op, args);
      }
    }
  }

  struct Member {
    uint32_t pack, lane;
  };

  Function& f_;
  ValueUses& facts_;
  const Block block_;
  const Block before_;  // where the loop is entered from
  const bool bounded_memory_;
  absl::flat_hash_map<uint32_t, uint32_t> position_;             // by instruction
  std::vector<Access> accesses_;                                 // in order
  absl::flat_hash_map<uint32_t, uint32_t> access_at_;            // by position
  absl::node_hash_map<uint32_t, std::optional<Linear>> linear_;  // by value
  std::vector<Pack> packs_;                                      // operands before users
  absl::flat_hash_map<uint32_t, Member> member_;                 // by instruction
  std::vector<Value> initial_;                  // arguments of the way into the loop
  Value misaligned_;                            // zero if the vector loop can be used
  Value offset_;                                // see FindBases
  absl::flat_hash_map<uint32_t, Value> bases_;  // by root
  absl::flat_hash_map<uint32_t, Value> first_;  // by root
};

// Whether `b` ends in a branch to itself or out, and stores enough.
bool MayVectorize(const Function& f, Block b) {
  if (f.block(b).insts.empty()) return false;
  const Inst last = f.terminator(b);
  if (f.inst(last).op != Opcode::kBrIf) return false;
  const absl::Span<const Edge> edges = f.edges(last);
  if ((edges[0].target == b) == (edges[1].target == b)) return false;
  size_t stores = 0;
  for (Inst i : f.block(b).insts) {
    if (f.inst(i).site.IsUnpaid()) return false;
    stores += f.inst(i).op == Opcode::kStore;
  }
  return stores >= 2;
}

// Values are used as parameters of what is behind their loop.
void Replace(Function& f, const ValueUses& facts, const std::vector<Value>& replaced) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    const auto replace = [&](Value& v) {
      if (v.index >= replaced.size() || !replaced[v.index].valid()) return;
      if (facts.home[v.index] != n) v = replaced[v.index];
    };
    for (auto& [slot, v] : f.block(Block(n)).state) replace(v);
    for (Inst i : f.block(Block(n)).insts) {
      for (Value& v : f.mutable_args(i)) replace(v);
      for (Edge& edge : f.mutable_edges(i)) {
        for (Value& v : edge.args) replace(v);
      }
    }
  }
}

}  // namespace

void VectorizeLoops(Function& f, bool bounded_memory) {
  std::vector<Block> candidates;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (MayVectorize(f, Block(n))) candidates.push_back(Block(n));
  }
  if (candidates.empty()) return;
  const ir::Cfg cfg(f);
  ValueUses facts(f);
  std::vector<Value> replaced(f.num_values());
  std::vector<Block> exit(f.num_blocks());  // by loop that has been changed
  bool changed = false;
  for (Block b : candidates) {
    if (!cfg.reachable(b)) continue;
    const absl::Span<const Block> predecessors = cfg.predecessors(b);
    if (predecessors.size() != 2) continue;
    Block before = predecessors[0] == b ? predecessors[1] : predecessors[0];
    if (exit[before.index].valid()) before = exit[before.index];
    Loop loop(f, facts, b, before, bounded_memory);
    if (!loop.Plan()) continue;
    exit[b.index] = loop.Rewrite(replaced);
    changed = true;
  }
  if (changed) Replace(f, facts, replaced);
}

}  // namespace precast::opt
