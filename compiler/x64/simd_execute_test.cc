// Every operation on v128, compiled and run on random operands and at the edges, compared with simd_reference:
// one operation a function, and many in one function whose values do not all fit into registers.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/simd_reference.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"

namespace precast::x64::testing {
namespace {

using ir::MemKind;
using ir::SimdOp;
using ir::V128;
using Rng = std::mt19937_64;

const SimdOp kAllOps[] = {
#define PRECAST_IR_SIMD(Name, ...) SimdOp::k##Name,
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
};

// -- operands

template <typename T, size_t n>
T Pick(const T (&list)[n], Rng& rng) {
  return list[rng() % n];
}

const uint64_t kInts[] = {0, 1, 2, 15, 16, ~uint64_t{0}, ~uint64_t{1}};
const float kF32[] = {0.0f,           -0.0f,          0.5f,           -0.5f,         1.0f,
                      -1.0f,          1.5f,           2.5f,           -2.5f,         0.99999994f,
                      1e-45f,         -1e-40f,        1.1754944e-38f, 3.4028235e38f, -3.4028235e38f,
                      8388607.5f,     8388608.0f,     2147483520.0f,  2147483648.0f, 2147483904.0f,
                      -2147483648.0f, -2147483904.0f, 4294967040.0f,  4294967296.0f, 8589934592.0f,
                      1e20f};
// Infinities, canonical NaNs, other quiet ones, signaling ones.
const uint32_t kF32Bits[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc00001,
                             0xffffffff, 0x7f800001, 0xffa00000, 0x7fbfffff};
const double kF64[] = {0.0,
                       -0.0,
                       0.5,
                       -0.5,
                       1.0,
                       -1.0,
                       1.5,
                       2.5,
                       -2.5,
                       0.99999999999999989,
                       5e-324,
                       -1e-310,
                       2.2250738585072014e-308,
                       1.7976931348623157e308,
                       -1e308,
                       1e39,
                       1.4e-45,
                       3.4028235677973366e38,
                       2147483647.0,
                       2147483647.5,
                       2147483648.0,
                       -2147483648.0,
                       -2147483648.9,
                       -2147483649.0,
                       4294967295.0,
                       4294967295.5,
                       4294967296.0,
                       -0.9,
                       4503599627370495.5,
                       4503599627370496.0};
const uint64_t kF64Bits[] = {0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
                             0xfff8000000000000, 0x7ff8000000000001, 0xffffffffffffffff,
                             0x7ff0000000000001, 0xfff4000000000000};

template <typename T>
T FromDouble(double value, Rng& rng) {
  return static_cast<T>(value * static_cast<double>(static_cast<int64_t>(rng())));
}

// `size` bytes: an edge of some interpretation, or anything.
void RandomLane(uint8_t* lane, size_t size, bool as_float, Rng& rng) {
  uint64_t bits = rng();
  const unsigned kind = rng() % 4;
  if (as_float && size == 4 && kind != 3) {
    if (kind == 0) {
      bits = Pick(kF32Bits, rng);
    } else {
      const float value = kind == 1 ? Pick(kF32, rng) : FromDouble<float>(0x1p-40, rng);
      std::memcpy(&bits, &value, 4);
    }
  } else if (as_float && size == 8 && kind != 3) {
    if (kind == 0) {
      bits = Pick(kF64Bits, rng);
    } else {
      const double value = kind == 1 ? Pick(kF64, rng) : FromDouble<double>(0x1p-40, rng);
      std::memcpy(&bits, &value, 8);
    }
  } else if (kind == 0) {
    bits = Pick(kInts, rng);
  } else if (kind == 1) {  // about the smallest and the largest
    bits = (uint64_t{1} << (8 * size - 1)) + rng() % 3 - 1;
  } else if (kind == 2) {
    bits = rng() % 64;
  }
  std::memcpy(lane, &bits, size);
}

V128 RandomVector(Rng& rng) {
  V128 v;
  const size_t size = size_t{1} << (rng() % 4);
  const bool as_float = rng() % 2 != 0;
  for (size_t k = 0; k < 16; k += size) {
    RandomLane(&v[k], size, as_float, rng);
    if (k != 0 && rng() % 4 == 0) std::memcpy(&v[k], &v[k - size], size);  // equal lanes
  }
  return v;
}

// A value of the type that simd.def writes as a letter, in the low bytes.
V128 RandomValue(char type, Rng& rng) {
  if (type == 'v') return RandomVector(rng);
  V128 v{};
  const bool wide = type == 'l' || type == 'd';
  RandomLane(v.data(), wide ? 8 : 4, type == 'f' || type == 'd', rng);
  return v;
}

Type TypeOf(char letter) {
  switch (letter) {
    case 'i':
      return Type::kI32;
    case 'l':
      return Type::kI64;
    case 'f':
      return Type::kF32;
    case 'd':
      return Type::kF64;
    default:
      return Type::kV128;
  }
}
MemKind MemOf(Type type) {
  switch (type) {
    case Type::kI32:
    case Type::kF32:
      return MemKind::kU32;
    case Type::kI64:
    case Type::kF64:
      return MemKind::k64;
    case Type::kV128:
      break;
  }
  return MemKind::k128;
}

// -- functions: operands come from memory, results go there

constexpr uint32_t kOperands = 0x1000, kResults = 0x8000;

class Program {
 public:
  Program() : f_(NewFunction(1)), build_(f_) {
    const Block b = f_.NewBlock();
    params_ = NewEntry(f_, b, 0x10000);
    build_.At(b);
  }
  Value Load(Type type, uint32_t slot) {
    return build_.Op(Opcode::kLoad, type, {Address(kOperands, slot)}, type,
                     static_cast<uint8_t>(MemOf(type)));
  }
  void Store(Value v, uint32_t slot) {
    const Type type = f_.type(v);
    build_.Do(Opcode::kStore, {Address(kResults, slot), v}, static_cast<uint8_t>(MemOf(type)), 0,
              {}, {}, type);
  }
  Value Simd(SimdOp op, std::vector<Value> operands, uint8_t lane) {
    return build_.Op(Opcode::kSimd, Type::kV128, std::move(operands), ir::Info(op).result,
                     static_cast<uint8_t>(op), lane);
  }
  Value Shuffle(Value a, Value b, const V128& pattern) {
    return build_.Op(Opcode::kShuffle, Type::kV128, {a, b}, Type::kV128, 0, f_.AddV128(pattern));
  }
  Value Constant(const V128& v) {
    return build_.Op(Opcode::kVconst, Type::kV128, {}, Type::kV128, 0, f_.AddV128(v));
  }
  // The low bytes of `v` as `type`.
  Value Constant(Type type, const V128& v) {
    int64_t bits;
    std::memcpy(&bits, v.data(), 8);
    switch (type) {
      case Type::kV128:
        return Constant(v);
      case Type::kI32:
        return build_.Const(type, static_cast<int32_t>(bits));
      case Type::kI64:
        return build_.Const(type, bits);
      case Type::kF32:
      case Type::kF64:
        break;
    }
    return build_.Op(Opcode::kFconst, type, {}, type, 0, bits);
  }
  codegen::CompiledFunction Compile() {
    build_.Do(Opcode::kRet, {params_[0]});
    return x64::Compile(f_, Options());
  }

 private:
  Value Address(uint32_t area, uint32_t slot) {
    return build_.Const(Type::kI32, static_cast<int32_t>(area + 16 * slot));
  }

  Function f_;
  Build build_;
  std::vector<Value> params_;
};

void SetOperand(TestMachine& machine, uint32_t slot, const V128& v) {
  std::memcpy(machine.memory() + kOperands + 16 * slot, v.data(), 16);
}
V128 Result(TestMachine& machine, uint32_t slot) {
  V128 v;
  std::memcpy(v.data(), machine.memory() + kResults + 16 * slot, 16);
  return v;
}
void RunOn(TestMachine& machine, uint32_t function, uint32_t results) {
  std::memset(machine.memory() + kResults, 0, 16 * size_t{results});
  ASSERT_EQ(machine.Run(function).kind, TestMachine::Stop::Kind::kReturned);
}

// -- one operation

struct Single {
  SimdOp op;
  uint8_t lane = 0;
  bool same = false;   // all operands of one type are the same value
  bool kept = false;   // the operands are used afterwards
  int fixed = -1;      // number of an operand that is a constant
  V128 constant = {};  // its value
};

bool IsShift(SimdOp op) {
  const ir::SimdInfo& info = ir::Info(op);
  return std::string(info.operands) == "vi" && info.lanes == 0;
}

std::vector<Single> Singles() {
  std::vector<Single> singles;
  Rng rng(2);
  for (SimdOp op : kAllOps) {
    const ir::SimdInfo& info = ir::Info(op);
    for (uint8_t lane = 0; lane < std::max<uint8_t>(info.lanes, 1); ++lane) {
      singles.push_back({.op = op, .lane = lane});
      singles.push_back({.op = op, .lane = lane, .same = true});
      singles.push_back({.op = op, .lane = lane, .kept = true});
    }
    const std::string letters = info.operands;
    for (int k = 0; k < static_cast<int>(letters.size()); ++k) {
      for (int n = 0; n < 6; ++n) {
        Single s{
            .op = op, .fixed = k, .constant = RandomValue(letters[static_cast<size_t>(k)], rng)};
        if (info.lanes != 0) s.lane = static_cast<uint8_t>(rng() % info.lanes);
        singles.push_back(s);
      }
    }
    if (IsShift(op)) {
      for (uint8_t amount = 0; amount < 70; ++amount) {
        singles.push_back({.op = op, .fixed = 1, .constant = {amount}});
      }
    }
  }
  return singles;
}

TEST(SimdExecuteTest, EveryOperation) {
  const std::vector<Single> singles = Singles();
  std::vector<codegen::CompiledFunction> compiled;
  for (const Single& s : singles) {
    const std::string letters = ir::Info(s.op).operands;
    Program program;
    std::vector<Value> operands;
    for (uint32_t k = 0; k < letters.size(); ++k) {
      if (k > 0 && s.same && letters[k] == letters[0]) {
        operands.push_back(operands[0]);
      } else if (static_cast<int>(k) == s.fixed) {
        operands.push_back(program.Constant(TypeOf(letters[k]), s.constant));
      } else {
        operands.push_back(program.Load(TypeOf(letters[k]), k));
      }
    }
    program.Store(program.Simd(s.op, operands, s.lane), 0);
    for (uint32_t k = 0; s.kept && k < letters.size(); ++k) program.Store(operands[k], k + 1);
    compiled.push_back(program.Compile());
  }
  TestMachine machine(std::move(compiled));
  Rng rng(1);
  for (uint32_t n = 0; n < singles.size(); ++n) {
    const Single& s = singles[n];
    const std::string letters = ir::Info(s.op).operands;
    for (int run = 0; run < (s.fixed >= 0 ? 40 : 400); ++run) {
      std::vector<V128> operands;
      for (uint32_t k = 0; k < letters.size(); ++k) {
        V128 value = RandomValue(letters[k], rng);
        if (k > 0 && s.same && letters[k] == letters[0]) value = operands[0];
        if (static_cast<int>(k) == s.fixed) value = s.constant;
        operands.push_back(value);
        SetOperand(machine, k, value);
      }
      ASSERT_NO_FATAL_FAILURE(RunOn(machine, n, 4));
      for (uint32_t k = 0; s.kept && k < letters.size(); ++k) {
        ASSERT_EQ(ToString(Result(machine, k + 1)), ToString(operands[k]));
      }
      const SimdExpectation expected = SimdReference(s.op, operands, s.lane);
      const V128 actual = Result(machine, 0);
      if (Matches(expected, actual)) continue;
      std::string context =
          absl::StrCat(ir::Info(s.op).text, " ", s.lane, ", constant operand ", s.fixed);
      for (const V128& v : operands) absl::StrAppend(&context, "\noperand  ", ToString(v));
      ADD_FAILURE() << context << "\nexpected " << ToString(expected.value) << "\nactual   "
                    << ToString(actual);
      break;
    }
  }
}

// -- shuffles and constants

V128 ShuffleReference(const V128& a, const V128& b, const V128& pattern) {
  V128 r;
  for (size_t k = 0; k < 16; ++k) r[k] = pattern[k] < 16 ? a[pattern[k]] : b[pattern[k] - 16];
  return r;
}

// Patterns that have instructions of their own, and near misses, and any.
std::vector<V128> Patterns() {
  std::vector<V128> patterns;
  auto add = [&](auto lane_of, size_t size) {
    V128 p;
    for (size_t k = 0; k < 16; ++k) {
      p[k] = static_cast<uint8_t>((lane_of(k / size) * size + k % size) % 32);
    }
    patterns.push_back(p);
    p[7] = static_cast<uint8_t>((p[7] + 1) % 32);
    patterns.push_back(p);
  };
  Rng rng(3);
  for (size_t k = 0; k < 32; ++k) add([&](size_t i) { return i + k; }, 1);  // palignr
  for (size_t size : {1, 2, 4, 8}) {
    const size_t count = 16 / size;
    for (size_t first : {size_t{0}, count / 2}) {  // punpck
      add([&](size_t i) { return first + i / 2 + i % 2 * count; }, size);
      add([&](size_t i) { return first + i / 2 + (1 - i % 2) * count; }, size);
      add([&](size_t i) { return first + i / 2; }, size);
      add([&](size_t i) { return first + i / 2 + count; }, size);
    }
    for (int n = 0; n < 12; ++n) {
      std::array<size_t, 16> lanes;
      for (size_t& lane : lanes) lane = rng();
      add([&](size_t i) { return lanes[i] % count; }, size);                  // of one
      add([&](size_t i) { return lanes[i] % count + count; }, size);          // of the other
      add([&](size_t i) { return lanes[i] % 2 * count + i; }, size);          // blend
      add([&](size_t i) { return lanes[i] % count + i / 2 * count; }, size);  // shufps
      add([&](size_t i) { return i < 4 ? lanes[i] % 4 : i; }, size);          // pshuflw
      add([&](size_t i) { return i >= 4 ? 4 + lanes[i] % 4 : i; }, size);     // pshufhw
      add([&](size_t i) { return lanes[i] % (2 * count); }, size);
    }
    add([&](size_t i) { return i % 2 == 0 ? i / 2 : 31; }, size);  // extension
    add([&](size_t) { return 5; }, size);                          // splat
  }
  return patterns;
}

TEST(SimdExecuteTest, Shuffles) {
  const std::vector<V128> patterns = Patterns();
  constexpr uint32_t kForms = 6;
  std::vector<codegen::CompiledFunction> compiled;
  for (const V128& pattern : patterns) {
    for (uint32_t form = 0; form < kForms; ++form) {
      Program program;
      Value a = program.Load(Type::kV128, 0), b = program.Load(Type::kV128, 1);
      if (form == 1) b = a;
      if (form == 2) b = program.Constant(V128{});
      if (form == 3) a = program.Constant(V128{});
      program.Store(program.Shuffle(a, b, pattern), 0);
      if (form == 4) program.Store(a, 1);
      if (form == 5) program.Store(b, 1);
      compiled.push_back(program.Compile());
    }
  }
  TestMachine machine(std::move(compiled));
  Rng rng(4);
  for (uint32_t n = 0; n < kForms * patterns.size(); ++n) {
    const uint32_t form = n % kForms;
    V128 a = RandomVector(rng), b = RandomVector(rng);
    for (uint8_t k = 0; k < 16; ++k) {
      a[k] = static_cast<uint8_t>(0xa0 + k);
      b[k] = static_cast<uint8_t>(0xb0 + k);
    }
    SetOperand(machine, 0, a);
    SetOperand(machine, 1, b);
    if (form == 1) b = a;
    if (form == 2) b = V128{};
    if (form == 3) a = V128{};
    ASSERT_NO_FATAL_FAILURE(RunOn(machine, n, 2));
    const V128& pattern = patterns[n / kForms];
    EXPECT_EQ(ToString(Result(machine, 0)), ToString(ShuffleReference(a, b, pattern)))
        << ToString(pattern) << " form " << form;
    if (form >= 4) {
      EXPECT_EQ(ToString(Result(machine, 1)), ToString(form == 4 ? a : b));
    }
  }
}

TEST(SimdExecuteTest, Constants) {
  Rng rng(5);
  std::vector<V128> values = {V128{}};
  values.emplace_back();
  values.back().fill(0xff);
  for (int k = 0; k < 10; ++k) values.push_back(RandomVector(rng));
  Program program;
  for (uint32_t k = 0; k < values.size(); ++k) program.Store(program.Constant(values[k]), k);
  TestMachine machine({program.Compile()});
  ASSERT_NO_FATAL_FAILURE(RunOn(machine, 0, static_cast<uint32_t>(values.size())));
  for (uint32_t k = 0; k < values.size(); ++k) {
    EXPECT_EQ(ToString(Result(machine, k)), ToString(values[k]));
  }
}

// -- many operations, all of whose results are live at the end

void ManyOperations(uint64_t seed) {
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Rng rng(seed);
  struct Known {
    Value value;
    V128 bits;
  };
  std::vector<Known> pool[256];  // by letter
  std::vector<std::pair<Value, SimdExpectation>> stored;
  std::vector<std::string> names;
  std::vector<V128> operands_in_memory;
  Program program;
  for (const auto& [letter, count] :
       {std::pair{'v', 10 + rng() % 15}, std::pair{'i', rng() % 12 + 1},
        std::pair{'l', rng() % 4 + 1}, std::pair{'f', rng() % 4 + 1},
        std::pair{'d', rng() % 4 + 1}}) {
    for (uint64_t k = 0; k < count; ++k) {
      const V128 bits = RandomValue(letter, rng);
      const uint32_t slot = static_cast<uint32_t>(operands_in_memory.size());
      operands_in_memory.push_back(bits);
      const Value value = rng() % 4 == 0 ? program.Constant(TypeOf(letter), bits)
                                         : program.Load(TypeOf(letter), slot);
      pool[static_cast<uint8_t>(letter)].push_back({value, bits});
      stored.push_back({value, {bits}});
      names.push_back("input");
    }
  }
  auto pick = [&](char letter) -> const Known& {
    const std::vector<Known>& known = pool[static_cast<uint8_t>(letter)];
    return known[rng() % known.size()];
  };
  for (uint64_t n = rng() % 60; n > 0; --n) {
    if (rng() % 8 == 0) {
      V128 pattern;
      for (uint8_t& p : pattern) p = rng() % 32;
      const Known a = pick('v'), b = pick('v');
      const Known r = {program.Shuffle(a.value, b.value, pattern),
                       ShuffleReference(a.bits, b.bits, pattern)};
      pool[static_cast<uint8_t>('v')].push_back(r);
      stored.push_back({r.value, {r.bits}});
      names.push_back("shuffle");
      continue;
    }
    const SimdOp op = Pick(kAllOps, rng);
    const ir::SimdInfo& info = ir::Info(op);
    const uint8_t lane = info.lanes == 0 ? 0 : static_cast<uint8_t>(rng() % info.lanes);
    std::vector<Value> operands;
    std::vector<V128> bits;
    for (const char* letter = info.operands; *letter != '\0'; ++letter) {
      const Known& known = pick(*letter);
      operands.push_back(known.value);
      bits.push_back(known.bits);
    }
    const Value value = program.Simd(op, operands, lane);
    const SimdExpectation expected = SimdReference(op, bits, lane);
    // What NaN a result has is not known: such results are not computed with.
    if (expected.nans == NanLanes::kExact) {
      for (char letter : {'v', 'i', 'l', 'f', 'd'}) {
        if (TypeOf(letter) == info.result) {
          pool[static_cast<uint8_t>(letter)].push_back({value, expected.value});
        }
      }
    }
    stored.push_back({value, expected});
    names.push_back(info.text);
  }
  std::vector<uint32_t> order(stored.size());
  for (uint32_t k = 0; k < order.size(); ++k) order[k] = k;
  std::shuffle(order.begin(), order.end(), rng);
  for (uint32_t k : order) program.Store(stored[k].first, k);
  TestMachine machine({program.Compile()});
  for (uint32_t k = 0; k < operands_in_memory.size(); ++k) {
    SetOperand(machine, k, operands_in_memory[k]);
  }
  ASSERT_NO_FATAL_FAILURE(RunOn(machine, 0, static_cast<uint32_t>(stored.size())));
  for (uint32_t k = 0; k < stored.size(); ++k) {
    const V128 actual = Result(machine, k);
    ASSERT_TRUE(Matches(stored[k].second, actual))
        << k << ": " << names[k] << "\nexpected " << ToString(stored[k].second.value)
        << "\nactual   " << ToString(actual);
  }
}

TEST(SimdExecuteTest, ManyOperations) {
  for (uint64_t seed = 1; seed <= 1000 && !::testing::Test::HasFatalFailure(); ++seed) {
    ManyOperations(seed);
  }
}

}  // namespace
}  // namespace precast::x64::testing
