#include "compiler/x64/test_evaluator.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "compiler/ir/ir.h"
#include "compiler/x64/test_functions.h"
#include "gtest/gtest.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64::testing {

using ir::MemKind;

uint64_t Mask(Type t) { return t == Type::kI64 ? ~uint64_t{0} : 0xffffffffu; }
int64_t SignExtend(Type t, uint64_t v) {
  return t == Type::kI64 ? static_cast<int64_t>(v) : static_cast<int32_t>(static_cast<uint32_t>(v));
}

uint64_t EvalBinary(Opcode op, Type t, uint64_t a, uint64_t b) {
  const unsigned bits = t == Type::kI64 ? 64 : 32;
  const unsigned amount = static_cast<unsigned>(b % bits);
  const int64_t sa = SignExtend(t, a), sb = SignExtend(t, b);
  const bool overflow = sb == -1 && a == uint64_t{1} << (bits - 1);
  __extension__ using Wide = __int128;
  __extension__ using UWide = unsigned __int128;
  uint64_t r = 0;
  switch (op) {
    case Opcode::kAdd:
      r = a + b;
      break;
    case Opcode::kSub:
      r = a - b;
      break;
    case Opcode::kMul:
      r = a * b;
      break;
    case Opcode::kSmulHi:
      r = static_cast<uint64_t>((Wide{sa} * sb) >> bits);
      break;
    case Opcode::kUmulHi:
      r = static_cast<uint64_t>((UWide{a} * b) >> bits);
      break;
    case Opcode::kSumulHi:
      r = static_cast<uint64_t>((Wide{sa} * static_cast<Wide>(b)) >> bits);
      break;
    case Opcode::kSdivTotal:
      r = b == 0 ? ~uint64_t{0} : overflow ? a : static_cast<uint64_t>(sa / sb);
      break;
    case Opcode::kUdivTotal:
      r = b == 0 ? ~uint64_t{0} : a / b;
      break;
    case Opcode::kSremTotal:
      r = b == 0 ? a : overflow ? 0 : static_cast<uint64_t>(sa % sb);
      break;
    case Opcode::kUremTotal:
      r = b == 0 ? a : a % b;
      break;
    case Opcode::kAnd:
      r = a & b;
      break;
    case Opcode::kOr:
      r = a | b;
      break;
    case Opcode::kXor:
      r = a ^ b;
      break;
    case Opcode::kShl:
      r = a << amount;
      break;
    case Opcode::kShrU:
      r = a >> amount;
      break;
    case Opcode::kShrS:
      r = static_cast<uint64_t>(sa >> amount);
      break;
    case Opcode::kRotl:
      r = amount == 0 ? a : (a << amount) | (a >> (bits - amount));
      break;
    case Opcode::kRotr:
      r = amount == 0 ? a : (a >> amount) | (a << (bits - amount));
      break;
    default:
      ADD_FAILURE() << "not binary";
  }
  return r & Mask(t);
}

uint64_t EvalIcmp(IntCond c, Type t, uint64_t a, uint64_t b) {
  const int64_t sa = SignExtend(t, a), sb = SignExtend(t, b);
  switch (c) {
    case IntCond::kEq:
      return a == b;
    case IntCond::kNe:
      return a != b;
    case IntCond::kSlt:
      return sa < sb;
    case IntCond::kSge:
      return sa >= sb;
    case IntCond::kSgt:
      return sa > sb;
    case IntCond::kSle:
      return sa <= sb;
    case IntCond::kUlt:
      return a < b;
    case IntCond::kUge:
      return a >= b;
    case IntCond::kUgt:
      return a > b;
    case IntCond::kUle:
      return a <= b;
  }
  return 0;
}

Outcome Evaluator::Run(const Function& f, size_t entry, std::vector<uint32_t> args) {
  std::vector<uint64_t> v(f.num_values(), 0);
  std::map<uint8_t, uint32_t> deferred;
  Block b = f.entries()[entry];
  std::vector<uint64_t> incoming(args.begin(), args.end());
  auto stop = [&](Outcome o) {
    for (const auto& [slot, value] : deferred) x[slot] = value;
    return o;
  };
  while (true) {
    for (size_t k = 0; k < incoming.size(); ++k) v[f.block(b).params[k].index] = incoming[k];
    deferred.clear();
    for (const auto& [slot, value] : f.block(b).state) {
      deferred[slot] = static_cast<uint32_t>(v[value.index]);
    }
    for (ir::Inst i : f.block(b).insts) {
      const InstData& d = f.inst(i);
      const auto a = f.args(i);
      auto arg = [&](size_t k) { return v[a[k].index]; };
      auto arg32 = [&](size_t k) { return static_cast<uint32_t>(v[a[k].index]); };
      auto set = [&](uint64_t value) { v[f.result(i).index] = value; };
      const ir::Edge* taken = nullptr;
      switch (d.op) {
        case Opcode::kIconst:
          set(static_cast<uint64_t>(d.imm) & Mask(d.type));
          break;
        case Opcode::kIcmp:
          set(EvalIcmp(static_cast<IntCond>(d.aux), d.type, arg(0), arg(1)));
          break;
        case Opcode::kSelect:
          set(arg32(0) != 0 ? arg(1) : arg(2));
          break;
        case Opcode::kExtendU32:
          set(arg32(0));
          break;
        case Opcode::kExtendS32:
          set(static_cast<uint64_t>(int64_t{static_cast<int32_t>(arg32(0))}));
          break;
        case Opcode::kWrap:
          set(arg32(0));
          break;
        case Opcode::kExtendS8:
          set(static_cast<uint64_t>(int64_t{static_cast<int8_t>(arg(0))}) & Mask(d.type));
          break;
        case Opcode::kExtendS16:
          set(static_cast<uint64_t>(int64_t{static_cast<int16_t>(arg(0))}) & Mask(d.type));
          break;
        case Opcode::kLoad: {
          const int64_t at = int64_t{arg32(0)} + d.imm;
          const size_t size = SizeOf(d.aux);
          if (at < 0 || at + static_cast<int64_t>(size) > static_cast<int64_t>(memory.size())) {
            fuel += d.site.refund;
            return stop({Outcome::Kind::kFault, d.site.guest_pc, 0, {}});
          }
          uint64_t value = 0;
          std::memcpy(&value, &memory[static_cast<size_t>(at)], size);
          switch (static_cast<MemKind>(d.aux)) {
            case MemKind::kS8:
              value = static_cast<uint64_t>(int64_t{static_cast<int8_t>(value)});
              break;
            case MemKind::kS16:
              value = static_cast<uint64_t>(int64_t{static_cast<int16_t>(value)});
              break;
            case MemKind::kS32:
              value = static_cast<uint64_t>(int64_t{static_cast<int32_t>(value)});
              break;
            default:
              break;
          }
          set(value & Mask(d.type));
          break;
        }
        case Opcode::kStore: {
          const int64_t at = int64_t{arg32(0)} + d.imm;
          const size_t size = SizeOf(d.aux);
          if (at < 0 || at + static_cast<int64_t>(size) > static_cast<int64_t>(memory.size())) {
            fuel += d.site.refund;
            return stop({Outcome::Kind::kFault, d.site.guest_pc, 0, {}});
          }
          const uint64_t value = arg(1);
          std::memcpy(&memory[static_cast<size_t>(at)], &value, size);
          break;
        }
        case Opcode::kLoadState:
          set(x[d.aux]);
          break;
        case Opcode::kStoreState:
          x[d.aux] = arg32(0);
          deferred.erase(d.aux);
          break;
        case Opcode::kDeferState:
          deferred[d.aux] = arg32(0);
          break;
        case Opcode::kCharge:
          fuel -= d.imm;
          break;
        case Opcode::kChargeValue:
          fuel -= arg32(0);
          break;
        case Opcode::kMeter:
        case Opcode::kMeterCheck:
          if (fuel < d.imm) return stop({Outcome::Kind::kSuspended, d.site.guest_pc, 0, {}});
          if (d.op == Opcode::kMeter) fuel -= d.imm;
          break;
        case Opcode::kTrapIf:
          if (arg32(0) == 0) break;
          [[fallthrough]];
        case Opcode::kTrap:
          fuel += d.site.refund;
          return stop({Outcome::Kind::kTrap, d.site.guest_pc, d.aux, {}});
        case Opcode::kCall:
        case Opcode::kCallDispatch:
        case Opcode::kCallRuntime: {
          std::vector<uint32_t> values;
          for (size_t k = 0; k < a.size(); ++k) values.push_back(arg32(k));
          Outcome o = CallOther(d, values);
          if (o.kind != Outcome::Kind::kReturned) return o;
          for (uint32_t k = 0; k < d.results_count; ++k) v[f.result(i, k).index] = o.results[k];
          deferred.clear();
          break;
        }
        case Opcode::kBr:
          taken = &f.edges(i)[0];
          break;
        case Opcode::kBrIf:
          taken = &f.edges(i)[arg32(0) != 0 ? 0 : 1];
          break;
        case Opcode::kBrTable:
          taken = &f.edges(i)[std::min<size_t>(arg32(0), f.edges(i).size() - 1)];
          break;
        case Opcode::kRet: {
          Outcome o;
          for (size_t k = 0; k < a.size(); ++k) o.results.push_back(arg32(k));
          return o;
        }
        case Opcode::kTailCall:
        case Opcode::kTailDispatch: {
          std::vector<uint32_t> values;
          for (size_t k = 0; k < a.size(); ++k) values.push_back(arg32(k));
          return CallOther(d, values);
        }
        case Opcode::kFconst:
          ADD_FAILURE();
          break;
        default:
          set(EvalBinary(d.op, d.type, arg(0), arg(1)));
          break;
      }
      if (taken != nullptr) {
        incoming.clear();
        for (Value value : taken->args) incoming.push_back(v[value.index]);
        b = taken->target;
      }
    }
  }
}

size_t Evaluator::SizeOf(uint8_t aux) {
  switch (static_cast<MemKind>(aux)) {
    case MemKind::kU8:
    case MemKind::kS8:
      return 1;
    case MemKind::kU16:
    case MemKind::kS16:
      return 2;
    case MemKind::kU32:
    case MemKind::kS32:
      return 4;
    default:
      return 8;
  }
}

Outcome Evaluator::CallOther(const InstData& d, std::vector<uint32_t> args) {
  if (d.op == Opcode::kCallRuntime) {  // what TestMachine's HostCall does
    ++x[31];
    Outcome o;
    o.results.push_back(args[1]);
    for (uint32_t arg : args) o.results.push_back(arg + 1);
    return o;
  }
  if (d.op == Opcode::kCall || d.op == Opcode::kTailCall) {
    return Run(*functions[static_cast<size_t>(d.imm)], 0, args);
  }
  const uint32_t pc = args[0];
  args.erase(args.begin());
  for (const Function* f : functions) {
    for (size_t e = 0; e < f->entries().size(); ++e) {
      if (f->block(f->entries()[e]).guest_pc == pc) return Run(*f, e, args);
    }
  }
  x[32] = pc;
  for (int k = 0; k < abi::kNumPassed; ++k) x[abi::kPassed[k]] = args[static_cast<size_t>(k)];
  return {Outcome::Kind::kMiss, 0, 0, {}};
}

}  // namespace precast::x64::testing
