#include "compiler/x64/simd_test_program.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"
#include "loader/format/cpu_features.h"

namespace precast::x64::testing {
namespace {

using ir::MemKind;

constexpr uint32_t kOperands = 0x1000, kResults = 0x8000;  // guest addresses

constexpr SimdOp kAllOps[] = {
#define PRECAST_IR_SIMD(Name, ...) SimdOp::k##Name,
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
};

// -- operands

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

}  // namespace

absl::Span<const SimdOp> AllSimdOps() { return kAllOps; }

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
V128 ShuffleReference(const V128& a, const V128& b, const V128& pattern) {
  V128 r;
  for (size_t k = 0; k < 16; ++k) r[k] = pattern[k] < 16 ? a[pattern[k]] : b[pattern[k] - 16];
  return r;
}

std::vector<uint64_t> CpuLevels() {
  std::vector<uint64_t> levels = {0};
  if (format::Has(format::HostCpuFeatures(), format::CpuFeature::kAvx2)) {
    levels.push_back(format::HostCpuFeatures() & format::kX86_64V3);
  }
  return levels;
}

std::string LevelName(const ::testing::TestParamInfo<uint64_t>& info) {
  return info.param == 0 ? "Baseline" : "V3";
}

SimdProgram::SimdProgram(uint64_t cpu_features)
    : cpu_features_(cpu_features), f_(NewFunction(1)), build_(f_) {
  const Block b = f_.NewBlock();
  params_ = NewEntry(f_, b, 0x10000);
  build_.At(b);
}

Value SimdProgram::Load(Type type, uint32_t slot) {
  return build_.Op(Opcode::kLoad, type, {Address(kOperands, slot)}, type,
                   static_cast<uint8_t>(MemOf(type)));
}

void SimdProgram::Store(Value v, uint32_t slot) {
  const Type type = f_.type(v);
  build_.Do(Opcode::kStore, {Address(kResults, slot), v}, static_cast<uint8_t>(MemOf(type)), 0, {},
            {}, type);
}

Value SimdProgram::Simd(SimdOp op, std::vector<Value> operands, uint8_t lane) {
  return build_.Op(Opcode::kSimd, Type::kV128, std::move(operands), ir::Info(op).result,
                   static_cast<uint8_t>(op), lane);
}

Value SimdProgram::Shuffle(Value a, Value b, const V128& pattern) {
  return build_.Op(Opcode::kShuffle, Type::kV128, {a, b}, Type::kV128, 0, f_.AddV128(pattern));
}

Value SimdProgram::Constant(Type type, const V128& v) {
  int64_t bits;
  std::memcpy(&bits, v.data(), 8);
  switch (type) {
    case Type::kV128:
      return build_.Op(Opcode::kVconst, type, {}, type, 0, f_.AddV128(v));
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

codegen::CompiledFunction SimdProgram::Compile() {
  build_.Do(Opcode::kRet, {params_[0]});
  codegen::CompileOptions options = Options();
  options.cpu_features = cpu_features_;
  return x64::Compile(f_, options);
}

Value SimdProgram::Address(uint32_t area, uint32_t slot) {
  return build_.Const(Type::kI32, static_cast<int32_t>(area + 16 * slot));
}

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

}  // namespace precast::x64::testing
