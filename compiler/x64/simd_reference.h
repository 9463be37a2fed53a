// What the operations on v128 mean, lane by lane and in plain C++, for the tests of the back end.
// Written from the WebAssembly core specification, section 4.3 "Numerics", and simd.def for the
// relaxed ones; shares nothing with the code it is to judge.
#ifndef PRECAST_COMPILER_X64_SIMD_REFERENCE_H_
#define PRECAST_COMPILER_X64_SIMD_REFERENCE_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "compiler/ir/ir.h"

namespace precast::x64::testing {

// How lanes that are NaN are to be read.
enum class NanLanes : uint8_t { kExact, kF32, kF64 };

struct SimdExpectation {
  // The result; a scalar is in the low bytes, the others zero.
  ir::V128 value{};
  // Unless kExact, a NaN lane stands for more than itself: the canonical NaN for both canonical
  // NaNs, any other for every quiet NaN.
  NanLanes nans = NanLanes::kExact;
};

// Operands like results.
SimdExpectation SimdReference(ir::SimdOp op, absl::Span<const ir::V128> operands, uint8_t lane);

// Whether `actual` is what is expected.
bool Matches(const SimdExpectation& expected, const ir::V128& actual);

// Bytes from the first to the last, in hexadecimal.
std::string ToString(const ir::V128& v);

}  // namespace precast::x64::testing

#endif  // PRECAST_COMPILER_X64_SIMD_REFERENCE_H_
