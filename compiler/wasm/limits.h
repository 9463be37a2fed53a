// What a module may have at most. The specification lets an implementation limit the size of
// everything (core specification 2.0, appendix "Implementation Limitations"); hostile modules must
// not be able to make us use much more memory or time than their own size. Most figures are those
// that browsers agreed on ("Implementation-defined Limits" of the JavaScript interface), so that a
// module that runs there is accepted here; where one differs a reason is given. A module beyond a
// limit is ResourceExhausted.
#ifndef PRECAST_COMPILER_WASM_LIMITS_H_
#define PRECAST_COMPILER_WASM_LIMITS_H_

#include <cstdint>

namespace precast::wasm {

inline constexpr uint64_t kMaxModuleBytes = uint64_t{1} << 30;
inline constexpr uint32_t kMaxTypes = 1'000'000;
inline constexpr uint32_t kMaxFunctions = 1'000'000;
inline constexpr uint32_t kMaxImports = 1'000'000;
inline constexpr uint32_t kMaxExports = 1'000'000;
inline constexpr uint32_t kMaxGlobals = 1'000'000;
inline constexpr uint32_t kMaxDataSegments = 100'000;
// Browsers allow 10,000,000: a hundred times more than for data, for no known program.
inline constexpr uint32_t kMaxElementSegments = 100'000;
inline constexpr uint32_t kMaxElementsInSegment = 10'000'000;
// Browsers allow 100,000. Here every table is a mapping of its own.
inline constexpr uint32_t kMaxTables = 10'000;
inline constexpr uint32_t kMaxMemories = 100;
// How many elements a table may have is the runtime's limit (10,000,000): a module with a larger
// one is valid and cannot be instantiated.

inline constexpr uint32_t kMaxParams = 1'000;
inline constexpr uint32_t kMaxResults = 1'000;
// Parameters included.
inline constexpr uint32_t kMaxLocals = 50'000;
inline constexpr uint32_t kMaxFunctionBytes = 7'654'321;
// Of blocks, loops and ifs inside each other. Browsers have no such limit, but no compiler nests
// this deep, and passes over the control flow may take stack or time per level.
inline constexpr uint32_t kMaxNesting = 50'000;
inline constexpr uint32_t kMaxBranchTableTargets = 65'520;
// Of one constant expression.
inline constexpr uint32_t kMaxConstExprBytes = 100'000;

// Not limits of ours but of the standard: pages of 64 KiB.
inline constexpr uint64_t kMaxPages32 = uint64_t{1} << 16;
inline constexpr uint64_t kMaxPages64 = uint64_t{1} << 48;

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_LIMITS_H_
