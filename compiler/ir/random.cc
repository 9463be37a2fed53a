// Random functions. First a skeleton of blocks and edges; with the dominators of that it is known
// which values each block may use.
#include "compiler/ir/random.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"

namespace precast::ir {
namespace {

class Generator {
 public:
  Generator(uint64_t seed, const RandomOptions& options)
      : random_(seed),
        options_(options),
        f_(absl::StrCat("random", seed),
           Signature{.params = std::vector<Type>(options.num_params, Type::kI32),
                     .results = std::vector<Type>(options.num_results, Type::kI32),
                     .conv = options.wasm ? CallConv::kWasm : CallConv::kGuest}) {}

  Function Run() {
    MakeSkeleton();
    MakeParams();
    const Function skeleton = Skeleton();
    const Cfg cfg(skeleton);
    const Dominators dominators(skeleton, cfg);
    values_at_end_.resize(f_.num_blocks());
    for (Block b : cfg.order()) {
      // Values of the blocks that dominate this one.
      available_ = f_.block(b).params;
      for (Block d : cfg.order()) {
        if (d == b || !dominators.Dominates(d, b)) continue;
        const std::vector<Value>& own = values_at_end_[d.index];
        available_.insert(available_.end(), own.begin(), own.end());
      }
      own_ = f_.block(b).params;
      FillBlock(b);
      values_at_end_[b.index] = own_;
    }
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      if (cfg.reachable(Block(n))) continue;
      f_.Append(Block(n), {.op = Opcode::kTrap, .aux = 2}, {}, {});
    }
    return std::move(f_);
  }

 private:
  enum class End : uint8_t { kBr, kBrIf, kBrTable, kRet, kTrap, kTailCall, kTailDispatch };
  struct Plan {
    End end;
    std::vector<Block> targets;
  };

  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool Chance(uint32_t percent) { return Pick(100) < percent; }

  void MakeSkeleton() {
    num_entries_ = 1 + Pick(options_.max_entries);
    const uint32_t num_blocks = num_entries_ + 1 + Pick(options_.max_blocks);
    for (uint32_t n = 0; n < num_blocks; ++n) f_.NewBlock();
    for (uint32_t n = 0; n < num_blocks; ++n) {
      BlockData& block = f_.block(Block(n));
      block.guest_pc = 0x1000 + 0x100 * n;
      block.cold = Chance(10);
      block.weight = n % 4 == 3 ? n : 0;
      if (n < num_entries_) f_.AddEntry(Block(n));
      Plan plan;
      const uint32_t kind = Pick(100);
      if (n < num_entries_ && kind < 80) {
        plan.end = End::kBr;
      } else {
        plan.end = kind < 25   ? End::kBr
                   : kind < 70 ? End::kBrIf
                   : kind < 78 ? End::kBrTable
                   : kind < 90 ? End::kRet
                   : kind < 94 ? End::kTrap
                   : kind < 97 ? End::kTailCall
                               : End::kTailDispatch;
      }
      const uint32_t count = plan.end == End::kBr        ? 1
                             : plan.end == End::kBrIf    ? 2
                             : plan.end == End::kBrTable ? 1 + Pick(4)
                                                         : 0;
      for (uint32_t k = 0; k < count; ++k) {
        // Mostly forwards and near.
        uint32_t target = num_entries_ + Pick(num_blocks - num_entries_);
        if (n >= num_entries_ && n + 1 < num_blocks && Chance(60)) {
          target = n + 1 + Pick(std::min(3u, num_blocks - n - 1));
        }
        plan.targets.push_back(Block(target));
      }
      plans_.push_back(std::move(plan));
    }
  }

  void MakeParams() {
    std::vector<bool> no_params(f_.num_blocks(), false);
    for (const Plan& plan : plans_) {
      if (plan.end != End::kBrTable) continue;
      for (Block b : plan.targets) no_params[b.index] = true;
    }
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      if (n < num_entries_) {
        for (uint32_t k = 0; k < options_.num_params; ++k) f_.AddParam(Block(n), Type::kI32);
      } else if (!no_params[n]) {
        for (uint32_t k = Pick(5); k > 0; --k) f_.AddParam(Block(n), RandomType());
      }
    }
  }

  // Blocks and edges only.
  Function Skeleton() const {
    Function skeleton("skeleton", {});
    for (size_t n = 0; n < plans_.size(); ++n) skeleton.NewBlock();
    for (uint32_t n = 0; n < plans_.size(); ++n) {
      std::vector<Edge> edges;
      for (Block b : plans_[n].targets) edges.push_back({b});
      skeleton.Append(Block(n), {.op = Opcode::kBrTable}, {}, {}, std::move(edges));
      if (n < num_entries_) skeleton.AddEntry(Block(n));
    }
    return skeleton;
  }

  Type RandomType() {
    if (options_.wasm && Chance(40)) return Chance(50) ? Type::kF32 : Type::kF64;
    return RandomInteger();
  }
  Type RandomInteger() { return options_.i64 && Chance(20) ? Type::kI64 : Type::kI32; }

  Value Define(Inst i) {
    const Value v = f_.result(i);
    own_.push_back(v);
    available_.push_back(v);
    return v;
  }

  Value FloatConstant(Type type) {
    // Zeros, ones, halves, limits of integers, infinities, NaNs of both kinds, denormals.
    static constexpr uint32_t k32[] = {
        0,          0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0x40200000, 0x4f000000,
        0xcf000000, 0x4f800000, 0x5f000000, 0x5f800000, 0x7f800000, 0xff800000, 0x7fc00000,
        0xffc00123, 0x7f800001, 0xff812345, 1,          0x807fffff, 0x4b000001, 0x7f7fffff};
    static constexpr uint64_t k64[] = {0,
                                       0x8000000000000000,
                                       0x3ff0000000000000,
                                       0xbff0000000000000,
                                       0x3fe0000000000000,
                                       0x4004000000000000,
                                       0x41e0000000000000,
                                       0xc1e0000000200000,
                                       0x41efffffffe00000,
                                       0x43e0000000000000,
                                       0x43f0000000000000,
                                       0x7ff0000000000000,
                                       0xfff0000000000000,
                                       0x7ff8000000000000,
                                       0xfff8000000000123,
                                       0x7ff0000000000001,
                                       0xfff4000012345678,
                                       1,
                                       0x36a0000000000001,
                                       0x47efffffefffffff,
                                       0x7fefffffffffffff};
    uint64_t bits = random_();
    if (type == Type::kF32) {
      bits = Chance(70) ? k32[Pick(std::size(k32))] : bits & 0xffffffffu;
    } else if (Chance(70)) {
      bits = k64[Pick(std::size(k64))];
    }
    return Define(
        f_.Append(block_, {.op = Opcode::kFconst, .type = type, .imm = static_cast<int64_t>(bits)},
                  {}, {type}));
  }

  Value Constant(Type type) {
    if (IsFloat(type)) return FloatConstant(type);
    static constexpr int64_t kInteresting[] = {
        0,    1,      2,  3,  4,  7,    8,          16,        24,        31,         32,        63,
        0xff, 0xffff, -1, -2, -8, -128, 0x7fffffff, INT32_MIN, INT64_MIN, 0xff00ff00, 0x80000001};
    const int64_t raw =
        Chance(70) ? kInteresting[Pick(std::size(kInteresting))] : static_cast<int64_t>(random_());
    return Define(f_.Append(
        block_, {.op = Opcode::kIconst, .type = type, .imm = Canonical(type, raw)}, {}, {type}));
  }

  // Some value of the type, rather a recent one.
  Value Any(Type type) {
    if (!available_.empty() && !Chance(15)) {
      for (int k = 0; k < 8; ++k) {
        const size_t n = available_.size();
        const size_t span = Chance(50) ? std::min<size_t>(n, 4) : n;
        const Value v = available_[n - 1 - Pick(static_cast<uint32_t>(span))];
        if (f_.type(v) == type) return v;
      }
    }
    return Constant(type);
  }

  void Pure(Opcode op, Type type, uint8_t aux, std::vector<Value> args, Type result) {
    Define(f_.Append(block_, {.op = op, .type = type, .aux = aux}, args, {result}));
  }

  static Opcode Offset(Opcode first, uint32_t n) {
    return static_cast<Opcode>(static_cast<uint32_t>(first) + n);
  }

  void RandomFloat() {
    const Type type = Chance(50) ? Type::kF32 : Type::kF64;
    const uint32_t kind = Pick(100);
    if (kind < 40) {
      const Value a = Any(type);
      Pure(Offset(Opcode::kFadd, Pick(7)), type, 0, {a, Chance(30) ? Constant(type) : Any(type)},
           type);
    } else if (kind < 60) {
      Pure(Offset(Opcode::kFneg, Pick(7)), type, 0, {Any(type)}, type);
    } else if (kind < 75) {
      const Value a = Any(type);
      Pure(Opcode::kFcmp, type, static_cast<uint8_t>(Pick(6)),
           {a, Chance(40) ? Constant(type) : Any(type)}, Type::kI32);
    } else {
      RandomConversion(type, RandomInteger());
    }
  }

  void RandomConversion(Type floating, Type integer) {
    const Opcode op = Offset(Opcode::kFtoS, Pick(7));
    Type from = floating;
    Type to = floating;
    switch (op) {
      case Opcode::kFtoS:
      case Opcode::kFtoU:
        to = integer;
        break;
      case Opcode::kStoF:
      case Opcode::kUtoF:
        from = integer;
        break;
      case Opcode::kFpromote:
        from = Type::kF32;
        to = Type::kF64;
        break;
      case Opcode::kFdemote:
        from = Type::kF64;
        to = Type::kF32;
        break;
      default:
        to = floating == Type::kF32 ? Type::kI32 : Type::kI64;
        if (Chance(50)) std::swap(from, to);
        break;
    }
    Pure(op, to, 0, {Any(from)}, to);
  }

  // A division as WebAssembly lifts it: of a checked divisor.
  void RandomGuardedDivision() {
    const Type type = RandomInteger();
    const Value a = Any(type);
    const Value b = Any(type);
    const Value zero =
        Define(f_.Append(block_, {.op = Opcode::kIconst, .type = type, .imm = 0}, {}, {type}));
    const Opcode op = Offset(Opcode::kSdivTotal, Pick(4));
    TrapIfEqual(b, zero, type);
    if (op == Opcode::kSdivTotal) {
      const Value all =
          Define(f_.Append(block_, {.op = Opcode::kIconst, .type = type, .imm = -1}, {}, {type}));
      TrapIfEqual(b, all, type);  // more than is needed
    }
    Pure(op, type, 1, {a, b}, type);
  }

  void TrapIfEqual(Value a, Value b, Type type) {
    Pure(Opcode::kIcmp, type, static_cast<uint8_t>(IntCond::kEq), {a, b}, Type::kI32);
    InstData trap{.op = Opcode::kTrapIf, .aux = static_cast<uint8_t>(1 + Pick(4))};
    trap.site = NextSite();
    f_.Append(block_, trap, {own_.back()}, {});
  }

  // An access kind for `type`.
  MemKind RandomKind(Type type) {
    if (type == Type::kF32) return MemKind::kU32;
    if (type == Type::kF64) return MemKind::k64;
    return type == Type::kI64 && Chance(40) ? MemKind::k64 : static_cast<MemKind>(Pick(6));
  }

  Value I64(uint64_t v) {
    return Define(f_.Append(
        block_, {.op = Opcode::kIconst, .type = Type::kI64, .imm = static_cast<int64_t>(v)}, {},
        {Type::kI64}));
  }

  // An offset in the host's memory, most of the time: a multiple of 8.
  Value HostOffset() {
    const Value wide = Any(Type::kI64);
    const uint64_t mask = (options_.memory_size - 1) & ~uint64_t{7};
    const Value bits = I64(Chance(95) ? mask : ~uint64_t{7} & 0xffff);
    return Define(
        f_.Append(block_, {.op = Opcode::kAnd, .type = Type::kI64}, {wide, bits}, {Type::kI64}));
  }

  void RandomHostMemory() {
    const Type type = RandomType();
    InstData data{.op = Opcode::kLoadContext, .type = type};
    const MemKind kind = RandomKind(type);
    data.aux = static_cast<uint8_t>(kind);
    const auto load = [&](std::vector<Value> args) {
      Define(f_.Append(block_, data, args, {data.type}));
    };
    switch (Pick(8)) {
      case 0:
        data.imm = Pick(options_.context_size - 7);
        return load({});
      case 1: {
        data.op = Opcode::kStoreContext;
        data.imm = Pick(options_.context_size - 7);
        const Value v = Any(type);
        f_.Append(block_, data, {v}, {});
        return;
      }
      case 2:
      case 3: {
        const int64_t at = Pick(options_.context_size - 7);
        const int64_t split = Pick(32);
        const Value pointer = Define(f_.Append(
            block_, {.op = Opcode::kContextAddress, .imm = at - split}, {}, {Type::kI64}));
        data.imm = split;
        if (Chance(60)) {
          data.op = Opcode::kLoadHost;
          return load({pointer});
        }
        data.op = Opcode::kStoreHost;
        const Value v = Any(type);
        f_.Append(block_, data, {pointer, v}, {});
        return;
      }
      case 4:
        data.op = Opcode::kLoadAt;
        break;
      case 5:
        data.op = Opcode::kStoreAt;
        break;
      case 6:
        data.op = Opcode::kAtomicRmw;
        break;
      default:
        if (Chance(10)) {
          f_.Append(block_, {.op = Chance(50) ? Opcode::kFence : Opcode::kAcquire}, {}, {});
          return;
        }
        data.op = Opcode::kAtomicCmpxchg;
        break;
    }
    const bool atomic = data.op == Opcode::kAtomicRmw || data.op == Opcode::kAtomicCmpxchg;
    if (atomic) {
      static constexpr MemKind kKinds[] = {MemKind::kU8, MemKind::kU16, MemKind::kU32,
                                           MemKind::k64};
      data.type = RandomInteger();
      data.aux = static_cast<uint8_t>(kKinds[Pick(data.type == Type::kI64 ? 4 : 3)]);
      if (data.op == Opcode::kAtomicRmw) data.imm = Pick(6);
    } else {
      data.imm = Pick(8);
    }
    std::vector<Value> args = {I64(options_.host_address), HostOffset()};
    if (data.op != Opcode::kLoadAt) args.push_back(Any(data.type));
    if (data.op == Opcode::kAtomicCmpxchg) args.push_back(Any(data.type));
    data.site = NextSite();
    if (data.op != Opcode::kStoreAt) return load(std::move(args));
    f_.Append(block_, data, args, {});
  }

  void RandomPure() {
    if (options_.wasm && Chance(40)) {
      if (Chance(10)) return RandomGuardedDivision();
      if (Chance(10)) {
        const Type type = RandomInteger();
        return Pure(Offset(Opcode::kClz, Pick(4)), type, 0, {Any(type)}, type);
      }
      return RandomFloat();
    }
    const Type type = RandomInteger();
    const uint32_t kind = Pick(100);
    if (kind < 65) {
      constexpr uint32_t kCount =
          static_cast<uint32_t>(Opcode::kRotr) - static_cast<uint32_t>(Opcode::kAdd) + 1;
      const Opcode op = static_cast<Opcode>(static_cast<uint32_t>(Opcode::kAdd) + Pick(kCount));
      const Value a = Any(type);
      const Value b = Chance(40) ? Constant(type) : Any(type);
      Pure(op, type, 0, Chance(90) ? std::vector{a, b} : std::vector{b, a}, type);
    } else if (kind < 80) {
      const Value a = Any(type);
      const Value b = Chance(40) ? Constant(type) : Any(type);
      Pure(Opcode::kIcmp, type, static_cast<uint8_t>(Pick(10)), {a, b}, Type::kI32);
    } else if (kind < 88) {
      const Type any = options_.wasm ? RandomType() : type;
      const Value cond = Any(Type::kI32);
      const Value a = Any(any);
      Pure(Opcode::kSelect, any, 0, {cond, a, Any(any)}, any);
    } else if (kind < 94 || !options_.i64) {
      Pure(Chance(50) ? Opcode::kExtendS8 : Opcode::kExtendS16, type, 0, {Any(type)}, type);
    } else if (Chance(50)) {
      Pure(Opcode::kWrap, Type::kI64, 0, {Any(Type::kI64)}, Type::kI32);
    } else {
      Pure(Chance(50) ? Opcode::kExtendU32 : Opcode::kExtendS32, Type::kI32, 0, {Any(Type::kI32)},
           Type::kI64);
    }
  }

  Site NextSite() {
    if (retired_ < charged_ && Chance(70)) ++retired_;
    pc_ += 4;
    return {pc_, charged_ - retired_};
  }

  void RandomMemory() {
    Value address = Any(Type::kI32);
    if (Chance(85)) {
      // Into the memory, most of the time.
      const Value mask = Define(f_.Append(
          block_,
          {.op = Opcode::kIconst, .imm = static_cast<int64_t>(options_.memory_size / 2 - 1)}, {},
          {Type::kI32}));
      address = Define(f_.Append(block_, {.op = Opcode::kAnd}, {address, mask}, {Type::kI32}));
    }
    const Type type = RandomType();
    const MemKind kind = RandomKind(type);
    const int64_t offset = Chance(60)
                               ? int64_t{Pick(64)}
                               : int64_t{Pick(options_.memory_size)} - options_.memory_size / 2;
    InstData data{.op = Opcode::kLoad, .type = type, .aux = static_cast<uint8_t>(kind)};
    data.imm = offset;
    if (Chance(60)) {
      data.site = NextSite();
      Define(f_.Append(block_, data, {address}, {type}));
    } else {
      data.op = Opcode::kStore;
      const Value v = Any(type);
      data.site = NextSite();
      f_.Append(block_, data, {address, v}, {});
    }
  }

  void RandomState() {
    const uint8_t slot = static_cast<uint8_t>(1 + Pick(6));
    if (Chance(30)) {
      Define(f_.Append(block_, {.op = Opcode::kLoadState, .aux = slot}, {}, {Type::kI32}));
    } else {
      const Value v = Any(Type::kI32);
      f_.Append(block_, {.op = Chance(30) ? Opcode::kStoreState : Opcode::kDeferState, .aux = slot},
                {v}, {});
    }
  }

  // What a call through a function record has before its parameters.
  void AddPointer(std::vector<Value>& args) {
    const Value code = Any(Type::kI64);
    const Value record = Any(Type::kI64);
    args.insert(args.begin(), {code, record, Any(Type::kI32)});
  }

  void RandomCall() {
    std::vector<Value> args;
    for (uint32_t k = 0; k < options_.num_params; ++k) args.push_back(Any(Type::kI32));
    InstData data{.op = Opcode::kCall};
    const uint32_t kind = Pick(3);
    if (kind == 0) {
      data.imm = Pick(100);
    } else if (options_.wasm) {
      data.op = Opcode::kCallPointer;
      AddPointer(args);
    } else if (kind == 1) {
      data.op = Opcode::kCallDispatch;
      args.insert(args.begin(), Any(Type::kI32));
    } else {
      data.op = Opcode::kCallRuntime;
      data.aux = static_cast<uint8_t>(Pick(4));
    }
    data.site = NextSite();
    const Inst i =
        f_.Append(block_, data, args, std::vector<Type>(options_.num_results, Type::kI32));
    for (uint32_t k = 0; k < options_.num_results; ++k) {
      own_.push_back(f_.result(i, k));
      available_.push_back(f_.result(i, k));
    }
  }

  void FillBlock(Block b) {
    block_ = b;
    pc_ = f_.block(b).guest_pc;
    charged_ = retired_ = 0;
    const bool is_entry = b.index < num_entries_;
    if (options_.state && !is_entry) {
      std::vector<Value> candidates;
      for (Value v : available_) {
        if (f_.type(v) == Type::kI32) candidates.push_back(v);
      }
      for (uint8_t slot = 1; slot <= 6 && !candidates.empty(); ++slot) {
        if (!Chance(40)) continue;
        const Value v = candidates[Pick(static_cast<uint32_t>(candidates.size()))];
        f_.block(b).state.emplace_back(slot, v);
      }
    }
    if (options_.meters && Chance(is_entry ? 20 : 85)) {
      charged_ = Chance(5) ? 200 + Pick(200) : 1 + Pick(12);
      InstData meter{.op = Opcode::kMeter};
      meter.imm = charged_;
      meter.site = {pc_, charged_};
      f_.Append(b, meter, {}, {});
    }
    for (uint32_t k = Pick(options_.max_insts + 1); k > 0; --k) {
      const uint32_t kind = Pick(100);
      if (kind < 20 && options_.memory) {
        if (options_.wasm && Chance(60)) {
          RandomHostMemory();
        } else {
          RandomMemory();
        }
      } else if (kind < 35 && options_.state) {
        RandomState();
      } else if (kind < 38 && options_.calls) {
        RandomCall();
      } else if (kind < 41) {
        // Rarely true.
        const Value x = Any(Type::kI32);
        const Value y = Constant(Type::kI32);
        Pure(Opcode::kIcmp, Type::kI32, static_cast<uint8_t>(IntCond::kEq), {x, y}, Type::kI32);
        InstData trap{.op = Opcode::kTrapIf, .aux = static_cast<uint8_t>(1 + Pick(4))};
        trap.site = NextSite();
        f_.Append(b, trap, {own_.back()}, {});
      } else {
        RandomPure();
      }
    }
    Terminate(plans_[b.index]);
  }

  void Terminate(const Plan& plan) {
    std::vector<Edge> edges;
    for (Block target : plan.targets) {
      Edge edge{target};
      for (Value param : f_.block(target).params) edge.args.push_back(Any(f_.type(param)));
      edges.push_back(std::move(edge));
    }
    std::vector<Value> args;
    InstData data{.op = Opcode::kBr};
    switch (plan.end) {
      case End::kBr:
        break;
      case End::kBrIf:
        data.op = Opcode::kBrIf;
        data.cold = Chance(10);
        args.push_back(Any(Type::kI32));
        break;
      case End::kBrTable:
        data.op = Opcode::kBrTable;
        args.push_back(Any(Type::kI32));
        break;
      case End::kRet:
        data.op = Opcode::kRet;
        for (uint32_t k = 0; k < options_.num_results; ++k) args.push_back(Any(Type::kI32));
        break;
      case End::kTrap:
        data.op = Opcode::kTrap;
        data.aux = static_cast<uint8_t>(1 + Pick(4));
        data.site = NextSite();
        break;
      case End::kTailDispatch:
      case End::kTailCall: {
        const bool direct = plan.end == End::kTailCall;
        data.op = direct          ? Opcode::kTailCall
                  : options_.wasm ? Opcode::kTailPointer
                                  : Opcode::kTailDispatch;
        if (data.op == Opcode::kTailDispatch) args.push_back(Any(Type::kI32));
        if (data.op == Opcode::kTailPointer) AddPointer(args);
        for (uint32_t k = 0; k < options_.num_params; ++k) args.push_back(Any(Type::kI32));
        break;
      }
    }
    f_.Append(block_, data, args, {}, std::move(edges));
  }

  std::mt19937_64 random_;
  const RandomOptions options_;
  Function f_;
  uint32_t num_entries_ = 1;
  std::vector<Plan> plans_;
  std::vector<std::vector<Value>> values_at_end_;

  // The block being filled.
  Block block_;
  std::vector<Value> available_;  // values that may be used
  std::vector<Value> own_;        // those defined in this block
  uint32_t pc_ = 0;
  uint32_t charged_ = 0;
  uint32_t retired_ = 0;
};

}  // namespace

Function RandomFunction(uint64_t seed, const RandomOptions& options) {
  return Generator(seed, options).Run();
}

}  // namespace precast::ir
