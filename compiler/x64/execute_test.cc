// Runs compiled code and compares it with a plain evaluation of the IR: every operation on edge and
// random values, and random functions with control flow, memory, deferred guest state, metering,
// traps and calls. At every stop the guest registers, reconstructed through the side tables, must
// be the evaluator's.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

using ir::Block;
using ir::Function;
using ir::InstData;
using ir::IntCond;
using ir::MemKind;
using ir::Opcode;
using ir::Type;
using ir::Value;

// Not a constant that random code makes: an accidental call of function 0 could recurse without end.
constexpr uint32_t kDispatchBase = 0x5a5b0000;
constexpr uint32_t kDispatchCount = 64;

codegen::CompileOptions Options() {
  codegen::CompileOptions options;
  options.check_allocation = true;
  options.dispatch_base = kDispatchBase;
  options.dispatch_count = kDispatchCount;
  return options;
}

// -- a plain model of the operations, on 64-bit containers

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

const Opcode kBinary[] = {Opcode::kAdd,       Opcode::kSub,       Opcode::kMul,
                          Opcode::kSmulHi,    Opcode::kUmulHi,    Opcode::kSumulHi,
                          Opcode::kSdivTotal, Opcode::kUdivTotal, Opcode::kSremTotal,
                          Opcode::kUremTotal, Opcode::kAnd,       Opcode::kOr,
                          Opcode::kXor,       Opcode::kShl,       Opcode::kShrU,
                          Opcode::kShrS,      Opcode::kRotl,      Opcode::kRotr};

// -- building without simplification: the back end shall see everything

class Build {
 public:
  explicit Build(Function& f) : f_(f) {}
  void At(Block b) { b_ = b; }
  Block at() const { return b_; }
  Value Op(Opcode op, Type type, std::vector<Value> args, Type result, uint8_t aux = 0,
           int64_t imm = 0, ir::Site site = {}) {
    InstData d{.op = op, .type = type, .aux = aux};
    d.imm = imm;
    d.site = site;
    return f_.result(f_.Append(b_, d, args, {result}));
  }
  void Do(Opcode op, std::vector<Value> args, uint8_t aux = 0, int64_t imm = 0, ir::Site site = {},
          std::vector<ir::Edge> edges = {}, Type type = Type::kI32) {
    InstData d{.op = op, .type = type, .aux = aux};
    d.imm = imm;
    d.site = site;
    f_.Append(b_, d, args, {}, std::move(edges));
  }
  Value Const(Type type, int64_t v) { return Op(Opcode::kIconst, type, {}, type, 0, v); }
  Value Binary(Opcode op, Type type, Value a, Value b) { return Op(op, type, {a, b}, type); }
  Value Icmp(IntCond c, Type type, Value a, Value b) {
    return Op(Opcode::kIcmp, type, {a, b}, Type::kI32, static_cast<uint8_t>(c));
  }
  // An i64 of two i32 halves.
  Value Join(Value low, Value high) {
    Value l = Op(Opcode::kExtendU32, Type::kI64, {low}, Type::kI64);
    Value h = Op(Opcode::kExtendU32, Type::kI64, {high}, Type::kI64);
    return Binary(Opcode::kOr, Type::kI64, l,
                  Binary(Opcode::kShl, Type::kI64, h, Const(Type::kI64, 32)));
  }
  Value Low(Value v) { return Op(Opcode::kWrap, Type::kI64, {v}, Type::kI32); }
  Value High(Value v) { return Low(Binary(Opcode::kShrU, Type::kI64, v, Const(Type::kI64, 32))); }

 private:
  Function& f_;
  Block b_;
};

Function NewFunction(size_t results) {
  return Function("f", {std::vector<Type>(abi::kNumPassed, Type::kI32),
                        std::vector<Type>(results, Type::kI32)});
}
std::vector<Value> NewEntry(Function& f, Block b, uint32_t pc) {
  std::vector<Value> params;
  for (int i = 0; i < abi::kNumPassed; ++i) params.push_back(f.AddParam(b, Type::kI32));
  f.block(b).guest_pc = pc;
  f.AddEntry(b);
  return params;
}

// -- single operations

std::vector<uint64_t> Interesting(Type t, std::mt19937_64& rng) {
  std::vector<uint64_t> v = {0,          1,          2,          3,         31,     32,
                             63,         127,        255,        0x7fff,    0x8000, 0x7fffffff,
                             0x80000000, 0x80000001, 0xffffffff, 0xfffffffe};
  if (t == Type::kI64) {
    for (uint64_t x : {uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 1,
                       ~(uint64_t{1} << 63)}) {
      v.push_back(x);
    }
  }
  for (int i = 0; i < 8; ++i) v.push_back((rng() >> (rng() % 64)) & Mask(t));
  return v;
}

// Parameters: a in x2/x10, b in x11/x12; the result in x2/x10.
class OperationTest : public ::testing::Test {
 protected:
  using Make = std::function<Value(Build&, Value a, Value b)>;
  codegen::CompiledFunction Compiled(Type t, Type result, const Make& make) {
    Function f = NewFunction(3);
    const Block b = f.NewBlock();
    const std::vector<Value> p = NewEntry(f, b, 0);
    Build build(f);
    build.At(b);
    Value x = t == Type::kI64 ? build.Join(p[0], p[1]) : p[0];
    Value y = t == Type::kI64 ? build.Join(p[2], p[3]) : p[2];
    Value r = make(build, x, y);
    const Value zero = build.Const(Type::kI32, 0);
    const Value low = result == Type::kI64 ? build.Low(r) : r;
    const Value high = result == Type::kI64 ? build.High(r) : zero;
    build.Do(Opcode::kRet, {zero, low, high});
    return Compile(f, Options());
  }
  static uint64_t Run(TestMachine& machine, uint32_t function, uint64_t a, uint64_t b) {
    auto& x = machine.context().x;
    x[2] = static_cast<uint32_t>(a);
    x[10] = static_cast<uint32_t>(a >> 32);
    x[11] = static_cast<uint32_t>(b);
    x[12] = static_cast<uint32_t>(b >> 32);
    EXPECT_EQ(machine.Run(function).kind, TestMachine::Stop::Kind::kReturned);
    return x[2] | uint64_t{x[10]} << 32;
  }
  std::mt19937_64 rng_{1};
};

TEST_F(OperationTest, BinaryOfRegisters) {
  for (Type t : {Type::kI32, Type::kI64}) {
    std::vector<codegen::CompiledFunction> functions;
    for (Opcode op : kBinary) {
      functions.push_back(
          Compiled(t, t, [&](Build& b, Value x, Value y) { return b.Binary(op, t, x, y); }));
    }
    TestMachine machine(std::move(functions));
    for (uint32_t i = 0; i < std::size(kBinary); ++i) {
      for (uint64_t a : Interesting(t, rng_)) {
        for (uint64_t b : Interesting(t, rng_)) {
          ASSERT_EQ(Run(machine, i, a, b), EvalBinary(kBinary[i], t, a, b))
              << ir::Info(kBinary[i]).text << (t == Type::kI64 ? " i64 " : " i32 ") << a << " "
              << b;
        }
      }
    }
  }
}

TEST_F(OperationTest, BinaryOfOneValue) {
  for (Type t : {Type::kI32, Type::kI64}) {
    std::vector<codegen::CompiledFunction> functions;
    for (Opcode op : kBinary) {
      functions.push_back(
          Compiled(t, t, [&](Build& b, Value x, Value) { return b.Binary(op, t, x, x); }));
      // The operand is used afterwards.
      functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value) {
        return b.Binary(Opcode::kXor, t, b.Binary(op, t, x, x), x);
      }));
    }
    TestMachine machine(std::move(functions));
    for (uint32_t i = 0; i < std::size(kBinary); ++i) {
      for (uint64_t a : Interesting(t, rng_)) {
        const uint64_t expected = EvalBinary(kBinary[i], t, a, a);
        ASSERT_EQ(Run(machine, 2 * i, a, 0), expected) << ir::Info(kBinary[i]).text << " " << a;
        ASSERT_EQ(Run(machine, 2 * i + 1, a, 0), expected ^ a)
            << ir::Info(kBinary[i]).text << " " << a;
      }
    }
  }
}

TEST_F(OperationTest, BinaryWithConstant) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (Opcode op : kBinary) {
      std::vector<uint64_t> constants = Interesting(t, rng_);
      for (uint64_t c : {5, 6, 7, 9, 10, 12, 100, 641, 1000, 10000, 1000000007})
        constants.push_back(c);
      for (uint64_t c : {3, 5, 7, 10, 1000}) constants.push_back((0 - c) & Mask(t));
      for (int k = 2; k < 31; k += 3) constants.push_back(uint64_t{1} << k);
      std::vector<codegen::CompiledFunction> functions;
      for (uint64_t c : constants) {
        functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value) {
          return b.Binary(op, t, x, b.Const(t, SignExtend(t, c)));
        }));
        functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value) {
          return b.Binary(op, t, b.Const(t, SignExtend(t, c)), x);
        }));
      }
      TestMachine machine(std::move(functions));
      for (uint32_t i = 0; i < constants.size(); ++i) {
        for (uint64_t a : Interesting(t, rng_)) {
          ASSERT_EQ(Run(machine, 2 * i, a, 0), EvalBinary(op, t, a, constants[i]))
              << ir::Info(op).text << " " << a << " const " << constants[i];
          ASSERT_EQ(Run(machine, 2 * i + 1, a, 0), EvalBinary(op, t, constants[i], a))
              << ir::Info(op).text << " const " << constants[i] << " " << a;
        }
      }
    }
  }
}

TEST_F(OperationTest, Compare) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (int c = 0; c < 10; ++c) {
      const IntCond cond = static_cast<IntCond>(c);
      std::vector<codegen::CompiledFunction> functions;
      std::vector<uint64_t> constants = Interesting(t, rng_);
      // As a value, negated, selecting, and against a masked zero.
      functions.push_back(Compiled(
          t, Type::kI32, [&](Build& b, Value x, Value y) { return b.Icmp(cond, t, x, y); }));
      functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value y) {
        const Value test = b.Icmp(cond, t, x, y);
        return b.Icmp(IntCond::kEq, Type::kI32, test, b.Const(Type::kI32, 0));
      }));
      functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value y) {
        return b.Op(Opcode::kSelect, t, {b.Icmp(cond, t, x, y), x, y}, t);
      }));
      functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value y) {
        return b.Icmp(cond, t, b.Binary(Opcode::kAnd, t, x, y), b.Const(t, 0));
      }));
      for (uint64_t k : constants) {
        functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value) {
          return b.Icmp(cond, t, x, b.Const(t, SignExtend(t, k)));
        }));
        functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value) {
          return b.Icmp(cond, t, b.Const(t, SignExtend(t, k)), x);
        }));
        functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value) {
          const Value masked = b.Binary(Opcode::kAnd, t, x, b.Const(t, SignExtend(t, k)));
          return b.Icmp(cond, t, masked, b.Const(t, 0));
        }));
      }
      TestMachine machine(std::move(functions));
      for (uint64_t a : Interesting(t, rng_)) {
        for (uint64_t b : Interesting(t, rng_)) {
          const uint64_t expected = EvalIcmp(cond, t, a, b);
          ASSERT_EQ(Run(machine, 0, a, b), expected) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 1, a, b), 1 - expected) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 2, a, b), expected ? a : b) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 3, a, b), EvalIcmp(cond, t, a & b, 0))
              << c << " " << a << " " << b;
        }
        for (uint32_t i = 0; i < constants.size(); ++i) {
          const uint64_t k = constants[i];
          ASSERT_EQ(Run(machine, 4 + 3 * i, a, 0), EvalIcmp(cond, t, a, k))
              << c << " " << a << " " << k;
          ASSERT_EQ(Run(machine, 5 + 3 * i, a, 0), EvalIcmp(cond, t, k, a))
              << c << " " << a << " " << k;
          ASSERT_EQ(Run(machine, 6 + 3 * i, a, 0), EvalIcmp(cond, t, a & k, 0))
              << c << " " << a << " " << k;
        }
      }
    }
  }
}

// -- evaluation of whole functions

struct Outcome {
  enum class Kind { kReturned, kSuspended, kTrap, kFault, kMiss } kind = Kind::kReturned;
  uint32_t guest_pc = 0;
  uint8_t trap_code = 0;
  std::vector<uint32_t> results;
};

class Evaluator {
 public:
  std::array<uint32_t, 33> x = {};  // at a stop: as exact
  int64_t fuel = 0;
  std::vector<uint8_t> memory = std::vector<uint8_t>(TestMachine::kGuestBytes);
  std::vector<const Function*> functions;

  Outcome Run(const Function& f, size_t entry, std::vector<uint32_t> args) {
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

 private:
  static size_t SizeOf(uint8_t aux) {
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
  Outcome CallOther(const InstData& d, std::vector<uint32_t> args) {
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
};

// -- random functions

class Generator {
 public:
  Generator(uint64_t seed, size_t num_functions) : rng_(seed), num_functions_(num_functions) {}

  // Function number `number` calls only functions of higher number.
  Function Make(size_t number, int size) {
    Function f = NewFunction(abi::kNumPassed + 1);
    f_ = &f;
    build_.emplace(f);
    number_ = number;
    budget_ = size;
    const Block entry = f.NewBlock();
    const uint32_t pc = static_cast<uint32_t>(kDispatchBase + 64 * number);
    Enter(entry, pc);
    Block second;
    if (Chance(3)) {
      // Another entry that leads into the middle of the function.
      second = f.NewBlock();
      const std::vector<Value> first_values = i32_;
      Body(2);
      const Block join = f.NewBlock();
      std::vector<Value> args, other;
      const size_t n = Pick(6);
      for (size_t k = 0; k < n; ++k) args.push_back(Any32());
      Flush();
      build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
      Enter(second, pc + 4);
      if (Chance(2)) f.block(second).cold = true;
      for (size_t k = 0; k < n; ++k) other.push_back(Any32());
      build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, other}});
      build_->At(join);
      i32_.clear();
      i64_.clear();
      for (size_t k = 0; k < n; ++k) i32_.push_back(f.AddParam(join, Type::kI32));
      i32_.push_back(build_->Const(Type::kI32, Constant()));
    }
    Body(4);
    Finish();
    return f;
  }

 private:
  uint64_t Pick(uint64_t n) { return rng_() % n; }
  bool Chance(uint64_t n) { return Pick(n) == 0; }
  Value Any32() {
    return i32_[i32_.size() - 1 - Pick(std::min<size_t>(i32_.size(), Chance(4) ? 60 : 8))];
  }
  Value Any64() {
    if (i64_.empty() || Chance(8)) return build_->Join(Any32(), Any32());
    return i64_[Pick(i64_.size())];
  }
  int64_t Constant() {
    switch (Pick(4)) {
      case 0:
        return static_cast<int64_t>(Pick(32));
      case 1:
        return -static_cast<int64_t>(Pick(300));
      case 2:
        return static_cast<int32_t>(rng_());
      default:
        return int64_t{1} << Pick(31);
    }
  }
  ir::Site Site() {
    return {static_cast<uint32_t>(0x100000 + 4 * ++sites_ + 0x100000 * number_),
            static_cast<uint32_t>(Pick(5))};
  }
  void Enter(Block b, uint32_t pc) {
    i32_ = NewEntry(*f_, b, pc);
    i64_.clear();
    deferred_.clear();
    build_->At(b);
  }
  void Flush() {
    for (const auto& [slot, v] : deferred_) build_->Do(Opcode::kStoreState, {v}, slot);
    deferred_.clear();
  }

  void Body(int depth) {
    const int n = 1 + static_cast<int>(Pick(12));
    for (int k = 0; k < n && budget_ > 0; ++k) {
      --budget_;
      const uint64_t kind = Pick(100);
      if (kind < 70) {
        Simple();
      } else if (kind < 74) {
        Wide();
      } else if (kind < 88) {
        if (depth > 0) Diamond(depth - 1);
      } else if (kind < 94) {
        if (depth > 0) Loop(depth - 1);
      } else if (kind < 97) {
        if (depth > 0) Switch(depth - 1);
      } else {
        CallSomething();
      }
    }
  }

  void Simple() {
    const uint64_t kind = Pick(30);
    if (kind < 14) {
      const Opcode op = kBinary[Pick(std::size(kBinary))];
      const Value a = Any32(), b = Chance(3) ? build_->Const(Type::kI32, Constant()) : Any32();
      i32_.push_back(Chance(10) ? build_->Binary(op, Type::kI32, b, a)
                                : build_->Binary(op, Type::kI32, a, b));
    } else if (kind < 16) {
      i32_.push_back(build_->Icmp(AnyCond(), Type::kI32, Any32(), Any32()));
    } else if (kind < 17) {
      i32_.push_back(
          build_->Op(Opcode::kSelect, Type::kI32, {Condition(), Any32(), Any32()}, Type::kI32));
    } else if (kind < 18) {
      i32_.push_back(build_->Op(Chance(2) ? Opcode::kExtendS8 : Opcode::kExtendS16, Type::kI32,
                                {Any32()}, Type::kI32));
    } else if (kind < 20) {
      const uint8_t slot = static_cast<uint8_t>(1 + Pick(32));
      const Value v = Chance(4) ? build_->Const(Type::kI32, Constant()) : Any32();
      build_->Do(Opcode::kStoreState, {v}, slot);
      deferred_.erase(slot);
    } else if (kind < 22) {
      const uint8_t slot = static_cast<uint8_t>(1 + Pick(32));
      if (!deferred_.count(slot)) {
        i32_.push_back(build_->Op(Opcode::kLoadState, Type::kI32, {}, Type::kI32, slot));
      }
    } else if (kind < 26) {
      const uint8_t slot = static_cast<uint8_t>(1 + Pick(32));
      const Value v = Chance(4) ? build_->Const(Type::kI32, Constant()) : Any32();
      build_->Do(Opcode::kDeferState, {v}, slot);
      deferred_[slot] = v;
    } else if (kind < 28) {
      Memory();
    } else if (kind < 29) {
      const int64_t charge = static_cast<int64_t>(Pick(200));
      switch (Pick(3)) {
        case 0:
          build_->Do(Opcode::kCharge, {}, 0, charge % 10);
          break;
        case 1: {
          ir::Site site = Site();
          site.refund = static_cast<uint32_t>(charge);
          build_->Do(Opcode::kMeter, {}, 0, charge, site);
          break;
        }
        default: {
          ir::Site site = Site();
          site.refund = 0;
          build_->Do(Opcode::kMeterCheck, {}, 0, charge, site);
          break;
        }
      }
    } else {
      // Rarely true.
      const Value c = build_->Icmp(
          IntCond::kEq, Type::kI32,
          build_->Binary(Opcode::kAnd, Type::kI32, Any32(), build_->Const(Type::kI32, 63)),
          build_->Const(Type::kI32, 21));
      build_->Do(Opcode::kTrapIf, {c}, static_cast<uint8_t>(1 + Pick(6)), 0, Site());
    }
  }

  void Memory() {
    Value at = Any32();
    if (!Chance(40)) {
      at = build_->Binary(Opcode::kAnd, Type::kI32, at, build_->Const(Type::kI32, 0x7ffff));
    }
    if (Chance(8)) at = build_->Const(Type::kI32, static_cast<int64_t>(Pick(0x80000)));
    const int64_t offset = Chance(2) ? 0 : static_cast<int64_t>(Pick(0x1000)) - 0x10;
    const bool wide = Chance(6);
    const uint8_t kind = static_cast<uint8_t>(Pick(wide ? 7 : 6));
    const Type t = wide ? Type::kI64 : Type::kI32;
    if (Chance(2)) {
      const Value v = build_->Op(Opcode::kLoad, t, {at}, t, kind, offset, Site());
      (wide ? i64_ : i32_).push_back(v);
    } else {
      const Value v = Chance(5) ? build_->Const(t, Constant()) : wide ? Any64() : Any32();
      build_->Do(Opcode::kStore, {at, v}, kind, offset, Site(), {}, t);
    }
  }

  void Wide() {
    const Type t = Type::kI64;
    switch (Pick(5)) {
      case 0:
        i64_.push_back(
            build_->Op(Chance(2) ? Opcode::kExtendU32 : Opcode::kExtendS32, t, {Any32()}, t));
        break;
      case 1:
        i32_.push_back(build_->Low(Any64()));
        break;
      case 2:
        i32_.push_back(build_->Icmp(AnyCond(), t, Any64(), Any64()));
        break;
      case 3:
        i64_.push_back(build_->Op(Opcode::kSelect, t, {Condition(), Any64(), Any64()}, t));
        break;
      default: {
        const Value b = Chance(3) ? build_->Const(t, Constant()) : Any64();
        i64_.push_back(build_->Binary(kBinary[Pick(std::size(kBinary))], t, Any64(), b));
      }
    }
  }

  IntCond AnyCond() { return static_cast<IntCond>(Pick(10)); }
  Value Condition() {
    switch (Pick(4)) {
      case 0:
        return Any32();
      case 1:
        return build_->Binary(Opcode::kAnd, Type::kI32, Any32(),
                              build_->Const(Type::kI32, Constant()));
      default: {
        const Value b = Chance(2) ? build_->Const(Type::kI32, Constant()) : Any32();
        return build_->Icmp(AnyCond(), Type::kI32, Any32(), b);
      }
    }
  }

  // Values and state at the start of the arm of a branch.
  struct Scope {
    size_t i32, i64;
    std::map<uint8_t, Value> deferred;
  };
  Scope Save() const { return {i32_.size(), i64_.size(), deferred_}; }
  void Restore(const Scope& s) {
    i32_.resize(s.i32);
    i64_.resize(s.i64);
    deferred_ = s.deferred;
  }
  void StartArm(Block b, const Scope& s) {
    Restore(s);
    build_->At(b);
    for (const auto& [slot, v] : deferred_) f_->block(b).state.push_back({slot, v});
  }
  // Values for the join: some of the arm, then the slots deferred before the branch. Slots deferred
  // only in the arm are stored, so are some others at random.
  std::vector<Value> EndArm(const Scope& s, size_t n) {
    std::vector<Value> args;
    for (size_t k = 0; k < n; ++k) args.push_back(Any32());
    for (auto it = deferred_.begin(); it != deferred_.end();) {
      if (s.deferred.count(it->first)) {
        ++it;
      } else {
        build_->Do(Opcode::kStoreState, {it->second}, it->first);
        it = deferred_.erase(it);
      }
    }
    for (const auto& [slot, v] : s.deferred) {
      auto it = deferred_.find(slot);
      // A slot stored in the arm is current in the context: defer it again with the same value.
      args.push_back(it != deferred_.end()
                         ? it->second
                         : build_->Op(Opcode::kLoadState, Type::kI32, {}, Type::kI32, slot));
    }
    return args;
  }
  void StartJoin(Block b, const Scope& s, size_t n) {
    Restore(s);
    build_->At(b);
    for (size_t k = 0; k < n; ++k) i32_.push_back(f_->AddParam(b, Type::kI32));
    for (auto& [slot, v] : deferred_) {
      v = f_->AddParam(b, Type::kI32);
      f_->block(b).state.push_back({slot, v});
    }
  }

  void Diamond(int depth) {
    const Block yes = f_->NewBlock(), no = f_->NewBlock(), join = f_->NewBlock();
    const size_t n = Pick(4);
    const Value c = Condition();
    const Scope scope = Save();
    f_->block(yes).cold = Chance(5);
    if (Chance(3)) {
      // One-armed: the other edge goes straight to the join.
      std::vector<Value> direct;
      for (size_t k = 0; k < n; ++k) direct.push_back(Any32());
      for (const auto& [slot, v] : scope.deferred) direct.push_back(v);
      ir::Edge taken{yes}, skipped{join, direct};
      const bool swap = Chance(2);
      build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {swap ? skipped : taken, swap ? taken : skipped});
      StartArm(yes, scope);
      Body(depth);
      std::vector<Value> args = EndArm(scope, n);
      build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
      build_->At(no);  // unreachable
      build_->Do(Opcode::kTrap, {}, 1, 0, Site());
    } else {
      build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {{yes}, {no}});
      StartArm(yes, scope);
      Body(depth);
      std::vector<Value> args = EndArm(scope, n);
      build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
      StartArm(no, scope);
      Body(depth);
      if (Chance(6)) {
        build_->Do(Opcode::kTrap, {}, 2, 0, Site());
      } else {
        args = EndArm(scope, n);
        build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
      }
    }
    StartJoin(join, scope, n);
  }

  void Loop(int depth) {
    const Block head = f_->NewBlock(), exit = f_->NewBlock();
    const size_t n = Pick(4);
    const Scope scope = Save();
    std::vector<Value> args;
    for (size_t k = 0; k < n; ++k) args.push_back(Any32());
    for (const auto& [slot, v] : scope.deferred) args.push_back(v);
    args.push_back(build_->Const(Type::kI32, static_cast<int64_t>(1 + Pick(4))));
    build_->Do(Opcode::kBr, {}, 0, 0, {}, {{head, args}});
    StartJoin(head, scope, n);
    const Scope inside = Save();
    const Value counter = f_->AddParam(head, Type::kI32);
    Body(depth);
    const bool exit_early = Chance(3);
    if (exit_early) {
      const Block next = f_->NewBlock();
      // Leaves the loop from its middle, with the exit's arguments.
      const Value c = Condition();
      std::vector<Value> out = EndArm(inside, n);
      build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {{exit, out}, {next}});
      Scope now = Save();
      now.deferred = deferred_;
      StartArm(next, now);
      Body(0);
    }
    std::vector<Value> again = EndArm(inside, n);
    const Value left =
        build_->Binary(Opcode::kSub, Type::kI32, counter, build_->Const(Type::kI32, 1));
    std::vector<Value> out = again;
    again.push_back(left);
    const Value c =
        Chance(2) ? left
                  : build_->Icmp(IntCond::kNe, Type::kI32, left, build_->Const(Type::kI32, 0));
    build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {{head, again}, {exit, out}});
    StartJoin(exit, scope, n);
  }

  void Switch(int depth) {
    const size_t cases = 1 + Pick(5);
    const Block join = f_->NewBlock();
    const size_t n = Pick(3);
    const Value index =
        build_->Binary(Opcode::kAnd, Type::kI32, Any32(), build_->Const(Type::kI32, 7));
    const Scope scope = Save();
    std::vector<Block> arms;
    for (size_t k = 0; k < cases; ++k) arms.push_back(f_->NewBlock());
    std::vector<ir::Edge> edges;
    for (size_t k = 0; k < cases; ++k) edges.push_back({arms[k]});
    for (size_t k = Pick(4); k > 0; --k) edges.push_back({arms[Pick(cases)]});
    build_->Do(Opcode::kBrTable, {index}, 0, 0, {}, edges);
    for (Block arm : arms) {
      StartArm(arm, scope);
      Body(std::min(depth, 1));
      std::vector<Value> args = EndArm(scope, n);
      build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
    }
    StartJoin(join, scope, n);
  }

  std::vector<Value> PassedArguments() {
    std::vector<Value> args;
    for (int k = 0; k < abi::kNumPassed; ++k) {
      args.push_back(Chance(6) ? build_->Const(Type::kI32, Constant()) : Any32());
    }
    return args;
  }
  Value DispatchTarget() {
    const uint32_t pc = kDispatchBase + 64 * static_cast<uint32_t>(
                                                 number_ + 1 + Pick(num_functions_ - number_ + 1));
    if (Chance(10)) return Any32();
    return build_->Const(Type::kI32, Chance(10) ? pc + 8 : pc);
  }

  void CallSomething() {
    Flush();
    InstData d{.op = Opcode::kCall};
    d.site = Site();
    std::vector<Value> args = PassedArguments();
    switch (number_ + 1 < num_functions_ ? Pick(3) : 0) {
      case 0:
        d.op = Opcode::kCallRuntime;
        d.aux = static_cast<uint8_t>(abi::Callback::kHostCall);
        break;
      case 1:
        d.imm = static_cast<int64_t>(number_ + 1 + Pick(num_functions_ - number_ - 1));
        break;
      default:
        d.op = Opcode::kCallDispatch;
        args.insert(args.begin(), DispatchTarget());
        break;
    }
    const std::vector<Type> results(Chance(3) ? Pick(abi::kNumPassed + 2) : abi::kNumPassed + 1,
                                    Type::kI32);
    const ir::Inst i = f_->Append(build_->at(), d, args, results);
    for (uint32_t k = 0; k < results.size(); ++k) i32_.push_back(f_->result(i, k));
  }

  void Finish() {
    Flush();
    switch (number_ + 1 < num_functions_ ? Pick(5) : 4) {
      case 0:
        build_->Do(Opcode::kTailCall, PassedArguments(), 0,
                   static_cast<int64_t>(number_ + 1 + Pick(num_functions_ - number_ - 1)));
        return;
      case 1: {
        std::vector<Value> args = PassedArguments();
        args.insert(args.begin(), DispatchTarget());
        build_->Do(Opcode::kTailDispatch, args);
        return;
      }
      default: {
        std::vector<Value> results = PassedArguments();
        results.push_back(Any32());
        build_->Do(Opcode::kRet, results);
      }
    }
  }

  std::mt19937_64 rng_;
  size_t num_functions_;
  size_t number_ = 0;
  int budget_ = 0;
  uint32_t sites_ = 0;
  Function* f_ = nullptr;
  std::optional<Build> build_;
  std::vector<Value> i32_, i64_;
  std::map<uint8_t, Value> deferred_;
};

// Compiles `functions`, runs function 0 from `entry` natively and in the evaluator, and compares.
void Compare(TestMachine& machine, const std::vector<Function>& functions, uint32_t entry,
             uint64_t seed) {
  std::mt19937_64 rng(seed);
  Evaluator e;
  for (const Function& f : functions) e.functions.push_back(&f);
  for (uint32_t& x : e.x) x = static_cast<uint32_t>(rng() >> (rng() % 48));
  e.x[0] = 0;
  e.fuel = static_cast<int64_t>(rng() % 4 == 0 ? rng() % 500 : 1000000);
  for (size_t k = 0; k < e.memory.size(); k += 8) {
    const uint64_t word = rng();
    std::memcpy(&e.memory[k], &word, 8);
  }
  std::memcpy(machine.memory(), e.memory.data(), e.memory.size());
  abi::VmContext& ctx = machine.context();
  for (int k = 0; k < 32; ++k) ctx.x[k] = e.x[static_cast<size_t>(k)];
  ctx.pc = e.x[32];
  ctx.fuel = e.fuel;
  std::vector<uint32_t> args;
  for (uint8_t r : abi::kPassed) args.push_back(e.x[r]);
  const Outcome expected = e.Run(functions[0], entry, args);
  const TestMachine::Stop stop = machine.Run(0, entry);

  using Kind = TestMachine::Stop::Kind;
  switch (expected.kind) {
    case Outcome::Kind::kReturned:
      ASSERT_EQ(stop.kind, Kind::kReturned);
      ASSERT_EQ(ctx.pc, expected.results[0]);
      for (size_t k = 1; k < expected.results.size(); ++k) {
        ASSERT_EQ(ctx.x[abi::kPassed[k - 1]], expected.results[k]) << "result " << k;
      }
      ASSERT_EQ(ctx.fuel, e.fuel);
      break;
    case Outcome::Kind::kMiss:
      ASSERT_EQ(stop.kind, Kind::kCallback);
      ASSERT_EQ(stop.callback, abi::Callback::kDispatchMiss);
      ASSERT_EQ(static_cast<uint32_t>(ctx.gpr[0]), e.x[32]);
      for (int k = 0; k < abi::kNumPassed; ++k) {
        ASSERT_EQ(static_cast<uint32_t>(ctx.gpr[abi::kPassedIn[k]]), e.x[abi::kPassed[k]]);
      }
      ASSERT_EQ(ctx.fuel, e.fuel);
      break;
    default: {
      const TestMachine::SiteState state = machine.StateAt(stop.function, stop.offset);
      ASSERT_EQ(state.site->guest_pc, expected.guest_pc);
      switch (expected.kind) {
        case Outcome::Kind::kSuspended:
          ASSERT_EQ(stop.kind, Kind::kCallback);
          ASSERT_EQ(stop.callback, abi::Callback::kSuspend);
          ASSERT_EQ(state.site->kind, codegen::Site::Kind::kSuspend);
          break;
        case Outcome::Kind::kTrap:
          ASSERT_EQ(stop.kind, Kind::kIllegal);
          ASSERT_EQ(state.site->kind, codegen::Site::Kind::kTrap);
          ASSERT_EQ(state.site->trap_code, expected.trap_code);
          break;
        default:
          ASSERT_EQ(stop.kind, Kind::kFault);
          ASSERT_EQ(state.site->kind, codegen::Site::Kind::kMemory);
          break;
      }
      ASSERT_EQ(machine.FuelAt(stop), e.fuel);
      for (uint8_t slot = 1; slot <= 32; ++slot) {
        ASSERT_EQ(machine.SlotAt(stop, slot), e.x[slot]) << "x" << int{slot};
      }
    }
  }
  if (expected.kind == Outcome::Kind::kReturned || expected.kind == Outcome::Kind::kMiss) {
    for (size_t k = 1; k < 32; ++k) {
      bool passed = false;
      for (uint8_t r : abi::kPassed) passed |= r == k;
      if (!passed) {
        ASSERT_EQ(ctx.x[k], e.x[k]) << "x" << k;
      }
    }
  }
  ASSERT_EQ(std::memcmp(machine.memory(), e.memory.data(), e.memory.size()), 0) << "memory";
}

void CompareRandom(uint64_t seed, size_t num_functions, int size, int runs) {
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Generator generator(seed, num_functions);
  std::vector<Function> functions;
  for (size_t k = 0; k < num_functions; ++k) functions.push_back(generator.Make(k, size));
  std::vector<codegen::CompiledFunction> compiled;
  for (const Function& f : functions) compiled.push_back(Compile(f, Options()));
  TestMachine machine(std::move(compiled), kDispatchBase, kDispatchCount);
  for (int run = 0; run < runs; ++run) {
    const uint32_t entry = static_cast<uint32_t>(run) % functions[0].entries().size();
    Compare(machine, functions, entry, seed * 1000 + static_cast<uint64_t>(run));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// How many times the usual number of random functions; the long target sets it.
#ifndef PRECAST_SEED_FACTOR
#define PRECAST_SEED_FACTOR 1
#endif
constexpr uint64_t kSeedFactor = PRECAST_SEED_FACTOR;

TEST(RandomFunctionTest, Small) {
  for (uint64_t seed = 1; seed <= 400 * kSeedFactor && !::testing::Test::HasFatalFailure(); ++seed)
    CompareRandom(seed, 1, 10, 2);
}
TEST(RandomFunctionTest, Calls) {
  for (uint64_t seed = 1; seed <= 200 * kSeedFactor && !::testing::Test::HasFatalFailure(); ++seed)
    CompareRandom(seed, 4, 20, 3);
}
TEST(RandomFunctionTest, Large) {
  for (uint64_t seed = 1; seed <= 100 * kSeedFactor && !::testing::Test::HasFatalFailure(); ++seed)
    CompareRandom(seed, 2, 200, 4);
}

// -- particular situations

// Forty values that are all used at the end, in an order other than that of their definition.
TEST(ExecuteTest, Pressure) {
  Function f = NewFunction(2);
  const Block b = f.NewBlock();
  const std::vector<Value> p = NewEntry(f, b, 0);
  Build build(f);
  build.At(b);
  std::vector<Value> values;
  std::vector<uint32_t> expected;
  const uint32_t x = 0x1234567;
  for (int k = 0; k < 40; ++k) {
    values.push_back(
        build.Binary(Opcode::kMul, Type::kI32, p[0], build.Const(Type::kI32, 3 + 7 * k)));
    expected.push_back(x * static_cast<uint32_t>(3 + 7 * k));
  }
  Value sum = values[0];
  uint32_t expected_sum = expected[0];
  for (size_t k = 0; k < 40; ++k) {
    const size_t j = k * 17 % 40;
    sum = build.Binary(Opcode::kSub, Type::kI32, values[j],
                       build.Binary(Opcode::kXor, Type::kI32, sum, p[1]));
    expected_sum = expected[j] - (expected_sum ^ 99);
  }
  build.Do(Opcode::kRet, {sum, sum});
  TestMachine machine({Compile(f, Options())});
  machine.context().x[2] = x;
  machine.context().x[10] = 99;
  ASSERT_EQ(machine.Run(0).kind, TestMachine::Stop::Kind::kReturned);
  EXPECT_EQ(machine.context().pc, expected_sum);
}

TEST(ExecuteTest, StackExhausted) {
  Function f = NewFunction(1);
  const Block b = f.NewBlock();
  const std::vector<Value> p = NewEntry(f, b, 0x10040);
  Build build(f);
  build.At(b);
  f.Append(b, {.op = Opcode::kCall}, p, {Type::kI32});
  build.Do(Opcode::kRet, {p[3]});
  TestMachine machine({Compile(f, Options())});
  machine.set_stack_exhausted(true);
  machine.context().x[11] = 5;
  const TestMachine::Stop stop = machine.Run(0);
  ASSERT_EQ(stop.kind, TestMachine::Stop::Kind::kCallback);
  EXPECT_EQ(stop.callback, abi::Callback::kStackExhausted);
  const TestMachine::SiteState state = machine.StateAt(0, stop.offset);
  EXPECT_EQ(state.site->guest_pc, 0x10040u);
  EXPECT_EQ(state.site->kind, codegen::Site::Kind::kStack);
  EXPECT_TRUE(state.locations.empty());
  EXPECT_EQ(machine.context().gpr[4], machine.context().native_stack_top - 8);
  EXPECT_EQ(machine.context().gpr[6], 5u);  // x11 in rsi
}

// Deep recursion ends at the limit, not in a fault.
TEST(ExecuteTest, Recursion) {
  Function f = NewFunction(1);
  const Block b = f.NewBlock();
  const std::vector<Value> p = NewEntry(f, b, 0x10040);
  Build build(f);
  build.At(b);
  const ir::Inst call = f.Append(b, {.op = Opcode::kCall}, p, {Type::kI32});
  build.Do(Opcode::kRet, {f.result(call)});
  TestMachine machine({Compile(f, Options())});
  const TestMachine::Stop stop = machine.Run(0);
  ASSERT_EQ(stop.kind, TestMachine::Stop::Kind::kCallback);
  EXPECT_EQ(stop.callback, abi::Callback::kStackExhausted);
}

}  // namespace
}  // namespace precast::x64
