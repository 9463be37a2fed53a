// Extensions of x86-64 that generated code may need beyond the baseline (SSE2), as bits of
// AotFileInfo::cpu_features. The loader rejects an image that needs what the machine does not have.
#ifndef PRECAST_LOADER_FORMAT_CPU_FEATURES_H_
#define PRECAST_LOADER_FORMAT_CPU_FEATURES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace precast::format {

// Bit numbers are part of the format: append only.
//   PRECAST_CPU_FEATURE(Name, bit, name in reports)
#define PRECAST_CPU_FEATURES(PRECAST_CPU_FEATURE) \
  PRECAST_CPU_FEATURE(Sse3, 0, "sse3")            \
  PRECAST_CPU_FEATURE(Ssse3, 1, "ssse3")          \
  PRECAST_CPU_FEATURE(Sse41, 2, "sse4.1")         \
  PRECAST_CPU_FEATURE(Sse42, 3, "sse4.2")         \
  PRECAST_CPU_FEATURE(Popcnt, 4, "popcnt")        \
  PRECAST_CPU_FEATURE(Lzcnt, 5, "lzcnt")          \
  PRECAST_CPU_FEATURE(Bmi1, 6, "bmi")             \
  PRECAST_CPU_FEATURE(Bmi2, 7, "bmi2")            \
  PRECAST_CPU_FEATURE(Movbe, 8, "movbe")          \
  PRECAST_CPU_FEATURE(Adx, 9, "adx")              \
  PRECAST_CPU_FEATURE(Avx, 10, "avx")             \
  PRECAST_CPU_FEATURE(Fma, 11, "fma")             \
  PRECAST_CPU_FEATURE(Avx2, 12, "avx2")

enum class CpuFeature : uint64_t {
#define PRECAST_CPU_FEATURE(Name, bit, text) k##Name = uint64_t{1} << (bit),
  PRECAST_CPU_FEATURES(PRECAST_CPU_FEATURE)
#undef PRECAST_CPU_FEATURE
};

// x86-64-v2, except for what only compilers of whole programs use (CMPXCHG16B, LAHF): what code of
// WebAssembly modules may use.
inline constexpr uint64_t kX86_64V2 =
    static_cast<uint64_t>(CpuFeature::kSse3) | static_cast<uint64_t>(CpuFeature::kSsse3) |
    static_cast<uint64_t>(CpuFeature::kSse41) | static_cast<uint64_t>(CpuFeature::kSse42) |
    static_cast<uint64_t>(CpuFeature::kPopcnt);

// x86-64-v3, with the same exceptions.
inline constexpr uint64_t kX86_64V3 =
    kX86_64V2 | static_cast<uint64_t>(CpuFeature::kLzcnt) |
    static_cast<uint64_t>(CpuFeature::kBmi1) | static_cast<uint64_t>(CpuFeature::kBmi2) |
    static_cast<uint64_t>(CpuFeature::kMovbe) | static_cast<uint64_t>(CpuFeature::kAvx) |
    static_cast<uint64_t>(CpuFeature::kFma) | static_cast<uint64_t>(CpuFeature::kAvx2);

constexpr bool Has(uint64_t features, CpuFeature feature) {
  return (features & static_cast<uint64_t>(feature)) != 0;
}

// What code for `cpu` may need: "x86-64" (nothing), "x86-64-v2", "x86-64-v3", or "native": of the
// features of x86-64-v3 those that this machine has.
std::optional<uint64_t> CpuFeaturesOf(std::string_view cpu);

// Bits of the features this machine has and the operating system supports.
uint64_t HostCpuFeatures();

// As "bmi,bmi2"; "none" for 0, unknown bits as "bit<n>".
std::string CpuFeaturesToString(uint64_t features);

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_CPU_FEATURES_H_
