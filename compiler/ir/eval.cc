// The reference interpreter, see eval.h. Operations are written down as plainly as possible, on
// purpose not the way fold.cc does it.
#include "compiler/ir/eval.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "compiler/ir/eval_float.h"
#include "runtime/abi/round_slots.h"

namespace precast::ir {
namespace {

// The `width` bits of v as a signed number.
__int128 Signed(uint64_t v, int width) {
  const bool negative = (v >> (width - 1) & 1) != 0;
  return negative ? static_cast<__int128>(v) - (static_cast<__int128>(1) << width)
                  : static_cast<__int128>(v);
}

uint64_t Low(unsigned __int128 v, int width) {
  const uint64_t low = static_cast<uint64_t>(v);
  return width == 32 ? low & 0xffffffffu : low;
}

uint64_t High(__int128 product, int width) {
  return Low(static_cast<unsigned __int128>(product) >> width, width);
}

uint64_t SignExtendFrom(uint64_t v, int from, int width) {
  const uint64_t low = v & ((uint64_t{1} << from) - 1);
  return Low(static_cast<unsigned __int128>(Signed(low, from)), width);
}

uint64_t EvalIntegerBinary(Opcode op, int width, uint64_t a, uint64_t b) {
  const __int128 sa = Signed(a, width);
  const __int128 sb = Signed(b, width);
  const unsigned __int128 ua = a;
  const unsigned __int128 ub = b;
  const uint64_t all_ones = width == 32 ? 0xffffffffu : ~uint64_t{0};
  const int amount = static_cast<int>(b % static_cast<uint64_t>(width));
  switch (op) {
    case Opcode::kAdd:
      return Low(ua + ub, width);
    case Opcode::kSub:
      return Low(ua - ub, width);
    case Opcode::kMul:
      return Low(ua * ub, width);
    case Opcode::kSmulHi:
      return High(sa * sb, width);
    case Opcode::kUmulHi:
      return Low((ua * ub) >> width, width);
    case Opcode::kSumulHi:
      return High(sa * static_cast<__int128>(b), width);
    case Opcode::kSdivTotal:
      return b == 0 ? all_ones : Low(static_cast<unsigned __int128>(sa / sb), width);
    case Opcode::kUdivTotal:
      return b == 0 ? all_ones : a / b;
    case Opcode::kSremTotal:
      return b == 0 ? a : Low(static_cast<unsigned __int128>(sa % sb), width);
    case Opcode::kUremTotal:
      return b == 0 ? a : a % b;
    case Opcode::kAnd:
      return a & b;
    case Opcode::kOr:
      return a | b;
    case Opcode::kXor:
      return a ^ b;
    case Opcode::kShl:
      return Low(ua << amount, width);
    case Opcode::kShrU:
      return a >> amount;
    case Opcode::kShrS:
      return Low(static_cast<unsigned __int128>(sa >> amount), width);
    case Opcode::kRotl:
      return Low((ua << amount) | (ua >> (width - amount)), width);
    case Opcode::kRotr:
      return Low((ua >> amount) | (ua << (width - amount)), width);
    default:
      break;
  }
  LOG(FATAL) << "not a binary operation: " << Info(op).text;
}

uint64_t CountBits(Opcode op, int width, uint64_t a) {
  uint64_t count = 0;
  const auto bit = [&](int k) { return (a >> k & 1) != 0; };
  switch (op) {
    case Opcode::kClz:
      for (int k = width - 1; k >= 0 && !bit(k); --k) ++count;
      return count;
    case Opcode::kCtz:
      for (int k = 0; k < width && !bit(k); ++k) ++count;
      return count;
    default:
      for (int k = 0; k < width; ++k) count += bit(k) ? 1 : 0;
      return count;
  }
}

uint64_t Combine(AtomicOp op, uint64_t old, uint64_t operand) {
  switch (op) {
    case AtomicOp::kAdd:
      return old + operand;
    case AtomicOp::kSub:
      return old - operand;
    case AtomicOp::kAnd:
      return old & operand;
    case AtomicOp::kOr:
      return old | operand;
    case AtomicOp::kXor:
      return old ^ operand;
    case AtomicOp::kXchg:
      return operand;
  }
  LOG(FATAL) << "bad atomic operation";
}

bool Compare(IntCond cond, int width, uint64_t a, uint64_t b) {
  const bool below = a < b;
  const bool less = Signed(a, width) < Signed(b, width);
  switch (cond) {
    case IntCond::kEq:
      return a == b;
    case IntCond::kNe:
      return !(a == b);
    case IntCond::kSlt:
      return less;
    case IntCond::kSge:
      return !less;
    case IntCond::kSgt:
      return !less && a != b;
    case IntCond::kSle:
      return less || a == b;
    case IntCond::kUlt:
      return below;
    case IntCond::kUge:
      return !below;
    case IntCond::kUgt:
      return !below && a != b;
    case IntCond::kUle:
      return below || a == b;
  }
  LOG(FATAL) << "bad condition";
}

bool IsSignedAccess(MemKind kind) {
  return kind == MemKind::kS8 || kind == MemKind::kS16 || kind == MemKind::kS32;
}

int Width(Type type) { return type == Type::kI64 || type == Type::kF64 ? 64 : 32; }

class Evaluator {
 public:
  Evaluator(const Function& f, EvalMachine& machine, const EvalOptions& options)
      : f_(f), machine_(machine), options_(options), values_(f.num_values()) {}

  EvalResult Run(Block entry, absl::Span<const uint64_t> args) {
    Enter(entry, std::vector<uint64_t>(args.begin(), args.end()));
    uint64_t steps = 0;
    while (!done_) {
      if (++steps > options_.max_steps) {
        result_.outcome = EvalResult::Outcome::kOutOfSteps;
        break;
      }
      Step(f_.block(block_).insts[next_++]);
    }
    return std::move(result_);
  }

 private:
  void Enter(Block b, absl::Span<const uint64_t> args) {
    block_ = b;
    next_ = 0;
    const BlockData& block = f_.block(b);
    CHECK_EQ(block.params.size(), args.size());
    for (size_t k = 0; k < args.size(); ++k) values_[block.params[k].index] = args[k];
    deferred_.fill(std::nullopt);
    for (const auto& [slot, v] : block.state) deferred_[slot] = Get32(v);
  }

  void Take(const Edge& edge) {
    std::vector<uint64_t> args;
    for (Value v : edge.args) args.push_back(values_[v.index]);
    Enter(edge.target, args);
  }

  uint32_t Get32(Value v) const { return static_cast<uint32_t>(values_[v.index]); }

  // The machine as a stop at `site` leaves it.
  void Materialize(const Site& site, EvalMachine& machine) const {
    for (size_t slot = 0; slot < deferred_.size(); ++slot) {
      if (deferred_[slot]) machine.state[slot] = *deferred_[slot];
    }
    machine.fuel += site.refund;
    if (deferred_[abi::kSlotCounter] && deferred_[abi::kSlotBound] && deferred_[abi::kSlotStep] &&
        deferred_[abi::kSlotRoundCost]) {
      machine.fuel +=
          abi::FuelOfRoundsLeft(*deferred_[abi::kSlotCounter], *deferred_[abi::kSlotBound],
                                *deferred_[abi::kSlotStep], *deferred_[abi::kSlotRoundCost]);
    }
  }

  void Stop(EvalResult::Outcome outcome, Site site) {
    if (site.IsUnpaid()) {
      const Unpaid& unpaid = f_.unpaid(site);
      site.refund = unpaid.refund;
      for (const Unpaid::Charge& c : unpaid.charges) {
        if (machine_.fuel < c.amount) {
          outcome = EvalResult::Outcome::kSuspended;
          site = {.guest_pc = c.guest_pc, .refund = 0};
          break;
        }
        machine_.fuel -= c.amount;
      }
    }
    Materialize(site, machine_);
    result_.outcome = outcome;
    result_.site = site;
    done_ = true;
  }

  void Leave(EvalResult::Outcome outcome, std::vector<uint64_t> values) {
    result_.outcome = outcome;
    result_.values = std::move(values);
    done_ = true;
  }

  // The address of an access, or nullopt if it faults.
  std::optional<size_t> Access(const InstData& inst, Value address) {
    const int64_t at = int64_t{Get32(address)} + inst.imm;
    const int64_t bytes = AccessBytes(static_cast<MemKind>(inst.aux));
    if (at < 0 || at + bytes > static_cast<int64_t>(machine_.memory.size())) {
      result_.address = at;
      Stop(EvalResult::Outcome::kMemoryFault, inst.site);
      return std::nullopt;
    }
    return static_cast<size_t>(at);
  }

  // Where a host address leads to, if `bytes` lie there.
  uint8_t* Host(uint64_t address, uint64_t bytes) {
    const auto in = [&](std::vector<uint8_t>& part, uint64_t begin) -> uint8_t* {
      const uint64_t at = address - begin;
      if (at > part.size() || part.size() - at < bytes) return nullptr;
      return part.data() + at;
    };
    if (uint8_t* p = in(machine_.context, machine_.context_address)) return p;
    return in(machine_.host, machine_.host_address);
  }

  static uint64_t Read(const uint8_t* from, MemKind kind, Type type) {
    uint64_t v = 0;
    for (int k = AccessBytes(kind) - 1; k >= 0; --k) v = v << 8 | from[k];
    return IsSignedAccess(kind) ? SignExtendFrom(v, 8 * AccessBytes(kind), Width(type)) : v;
  }

  static void Write(uint8_t* to, MemKind kind, uint64_t v) {
    for (int k = 0; k < AccessBytes(kind); ++k) to[k] = static_cast<uint8_t>(v >> (8 * k));
  }

  // Loads, stores and atomics; all but those of vectors.
  void AccessMemory(const InstData& inst, absl::Span<const Value> operands,
                    absl::Span<const uint64_t> args) {
    const MemKind kind = static_cast<MemKind>(inst.aux);
    const uint64_t bytes = static_cast<uint64_t>(AccessBytes(kind));
    const uint64_t imm = static_cast<uint64_t>(inst.imm);
    uint8_t* p = nullptr;
    switch (inst.op) {
      case Opcode::kLoad:
      case Opcode::kStore: {
        const std::optional<size_t> at = Access(inst, operands[0]);
        if (!at) return;
        p = machine_.memory.data() + *at;
        break;
      }
      case Opcode::kLoadAt:
      case Opcode::kStoreAt:
      case Opcode::kAtomicRmw:
      case Opcode::kAtomicCmpxchg: {
        // (An atomic's imm is the operation.)
        const bool plain = inst.op == Opcode::kLoadAt || inst.op == Opcode::kStoreAt;
        const uint64_t address = args[0] + args[1] + (plain ? imm : 0);
        p = Host(address, bytes);
        if (p == nullptr) {
          result_.address = static_cast<int64_t>(address - machine_.host_address);
          return Stop(EvalResult::Outcome::kMemoryFault, inst.site);
        }
        break;
      }
      default: {
        const bool context = inst.op == Opcode::kLoadContext || inst.op == Opcode::kStoreContext;
        p = Host((context ? machine_.context_address : args[0]) + imm, bytes);
        if (p == nullptr) return Leave(EvalResult::Outcome::kUnsupported, {});
        break;
      }
    }
    if (inst.results_count == 0) return Write(p, kind, args.back());
    const uint64_t old = Read(p, kind, inst.type);
    values_[inst.results_begin] = old;
    if (inst.op == Opcode::kAtomicRmw) {
      Write(p, kind, Combine(static_cast<AtomicOp>(inst.imm), old, args[2]));
    } else if (inst.op == Opcode::kAtomicCmpxchg && old == args[2]) {
      Write(p, kind, args[3]);
    }
  }

  void Step(Inst i) {
    const InstData& inst = f_.inst(i);
    const absl::Span<const Value> operands = f_.args(i);
    std::vector<uint64_t> args;
    for (Value v : operands) args.push_back(values_[v.index]);
    const absl::Span<const Edge> edges = f_.edges(i);
    if (inst.op < Opcode::kLoad) {
      if (inst.type == Type::kV128 || inst.op == Opcode::kSimd) {
        return Leave(EvalResult::Outcome::kUnsupported, {});
      }
      const Type operand = operands.empty() ? Type::kI32 : f_.type(operands[0]);
      values_[inst.results_begin] = EvalPure(inst, args, operand);
      return;
    }
    switch (inst.op) {
      case Opcode::kLoad:
      case Opcode::kStore:
      case Opcode::kLoadAt:
      case Opcode::kStoreAt:
      case Opcode::kAtomicRmw:
      case Opcode::kAtomicCmpxchg:
      case Opcode::kLoadContext:
      case Opcode::kStoreContext:
      case Opcode::kLoadHost:
      case Opcode::kStoreHost:
        if (IsVector(static_cast<MemKind>(inst.aux))) {
          return Leave(EvalResult::Outcome::kUnsupported, {});
        }
        return AccessMemory(inst, operands, args);
      case Opcode::kFence:
      case Opcode::kAcquire:
        return;
      case Opcode::kContextAddress:
        values_[inst.results_begin] = machine_.context_address + static_cast<uint64_t>(inst.imm);
        return;
      case Opcode::kLoadState:
        values_[inst.results_begin] = machine_.state[inst.aux];
        return;
      case Opcode::kStoreState:
        machine_.state[inst.aux] = static_cast<uint32_t>(args[0]);
        deferred_[inst.aux] = std::nullopt;
        return;
      case Opcode::kDeferState:
        deferred_[inst.aux] = static_cast<uint32_t>(args[0]);
        return;
      case Opcode::kCharge:
        machine_.fuel -= inst.imm;
        return;
      case Opcode::kChargeValue:
        machine_.fuel -= static_cast<uint32_t>(args[0]);
        return;
      case Opcode::kLoadFuel:
        values_[inst.results_begin] = static_cast<uint64_t>(machine_.fuel);
        return;
      case Opcode::kCountRows:
      case Opcode::kMarkPage:
        return;  // nothing that the guest could see
      case Opcode::kMeter:
      case Opcode::kMeterCheck: {
        const bool charges = inst.op == Opcode::kMeter;
        if (options_.meter) {
          EvalMachine stopped = machine_;
          if (charges) stopped.fuel -= inst.imm;
          Materialize(inst.site, stopped);
          options_.meter(inst, stopped);
        }
        const bool short_of_fuel = machine_.fuel < inst.imm;
        if (charges) machine_.fuel -= inst.imm;
        if (short_of_fuel) Stop(EvalResult::Outcome::kSuspended, inst.site);
        return;
      }
      case Opcode::kTrapIf:
        if (static_cast<uint32_t>(args[0]) == 0) return;
        result_.trap_code = inst.aux;
        return Stop(EvalResult::Outcome::kTrap, inst.site);
      case Opcode::kTrap:
        result_.trap_code = inst.aux;
        return Stop(EvalResult::Outcome::kTrap, inst.site);
      case Opcode::kCall:
      case Opcode::kCallDispatch:
      case Opcode::kCallRuntime:
      case Opcode::kCallPointer: {
        deferred_.fill(std::nullopt);
        std::optional<std::vector<uint64_t>> results;
        if (options_.call) results = options_.call(inst, args, machine_);
        if (!results) return Stop(EvalResult::Outcome::kStoppedByCall, inst.site);
        CHECK_EQ(results->size(), inst.results_count);
        for (size_t k = 0; k < results->size(); ++k) {
          const Value v = f_.result(i, static_cast<uint32_t>(k));
          values_[v.index] = Width(f_.type(v)) == 32 ? Low((*results)[k], 32) : (*results)[k];
        }
        return;
      }
      case Opcode::kBr:
        return Take(edges[0]);
      case Opcode::kBrIf:
        return Take(edges[static_cast<uint32_t>(args[0]) != 0 ? 0 : 1]);
      case Opcode::kBrTable:
        return Take(edges[std::min<uint64_t>(args[0], edges.size() - 1)]);
      case Opcode::kRet:
        return Leave(EvalResult::Outcome::kReturned, std::move(args));
      case Opcode::kTailCall:
        result_.callee = static_cast<uint32_t>(inst.imm);
        return Leave(EvalResult::Outcome::kTailCall, std::move(args));
      case Opcode::kTailDispatch:
        return Leave(EvalResult::Outcome::kTailDispatch, std::move(args));
      case Opcode::kTailPointer:
        return Leave(EvalResult::Outcome::kTailPointer, std::move(args));
      default:
        break;
    }
    LOG(FATAL) << "cannot evaluate " << Info(inst.op).text;
  }

  const Function& f_;
  EvalMachine& machine_;
  const EvalOptions& options_;
  std::vector<uint64_t> values_;
  std::array<std::optional<uint32_t>, 256> deferred_;
  Block block_;
  size_t next_ = 0;
  bool done_ = false;
  EvalResult result_;
};

}  // namespace

uint64_t EvalPure(const InstData& inst, absl::Span<const uint64_t> args, Type operand) {
  const int width = Width(inst.type);
  switch (inst.op) {
    case Opcode::kIconst:
    case Opcode::kFconst:
      return Low(static_cast<unsigned __int128>(static_cast<uint64_t>(inst.imm)), width);
    case Opcode::kIcmp:
      return Compare(static_cast<IntCond>(inst.aux), width, args[0], args[1]) ? 1 : 0;
    case Opcode::kSelect:
      return static_cast<uint32_t>(args[0]) != 0 ? args[1] : args[2];
    case Opcode::kExtendU32:
      return args[0] & 0xffffffffu;
    case Opcode::kExtendS32:
      return SignExtendFrom(args[0], 32, 64);
    case Opcode::kWrap:
      return args[0] & 0xffffffffu;
    case Opcode::kExtendS8:
      return SignExtendFrom(args[0], 8, width);
    case Opcode::kExtendS16:
      return SignExtendFrom(args[0], 16, width);
    case Opcode::kClz:
    case Opcode::kCtz:
    case Opcode::kPopcnt:
      return CountBits(inst.op, width, args[0]);
    case Opcode::kBswap: {
      uint64_t swapped = 0;
      for (int at = 0; at < width; at += 8) swapped = swapped << 8 | (args[0] >> at & 0xff);
      return swapped;
    }
    case Opcode::kFadd:
    case Opcode::kFsub:
    case Opcode::kFmul:
    case Opcode::kFdiv:
    case Opcode::kFmin:
    case Opcode::kFmax:
    case Opcode::kFcopysign:
      return EvalFloatBinary(inst.op, inst.type, args[0], args[1]);
    case Opcode::kFneg:
    case Opcode::kFabs:
    case Opcode::kFsqrt:
    case Opcode::kFceil:
    case Opcode::kFfloor:
    case Opcode::kFtrunc:
    case Opcode::kFnearest:
      return EvalFloatUnary(inst.op, inst.type, args[0]);
    case Opcode::kFcmp:
      return EvalFcmp(static_cast<FloatCond>(inst.aux), inst.type, args[0], args[1]) ? 1 : 0;
    case Opcode::kFtoS:
    case Opcode::kFtoU:
    case Opcode::kStoF:
    case Opcode::kUtoF:
    case Opcode::kFpromote:
    case Opcode::kFdemote:
    case Opcode::kBitcast:
      return EvalConversion(inst.op, operand, inst.type, args[0]);
    default:
      return EvalIntegerBinary(inst.op, width, args[0], args[1]);
  }
}

EvalResult Eval(const Function& function, Block entry, absl::Span<const uint64_t> args,
                EvalMachine& machine, const EvalOptions& options) {
  return Evaluator(function, machine, options).Run(entry, args);
}

}  // namespace precast::ir
