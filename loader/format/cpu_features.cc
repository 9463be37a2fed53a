#include "loader/format/cpu_features.h"

#include "absl/strings/str_cat.h"
#include "loader/format/x86_cpu.h"

namespace precast::format {
namespace {

// What the processor has and the operating system lets be used. The C library has asked when the
// process started, and asking again costs a hypervisor's trap for each question.
uint64_t Detect() {
  uint64_t result = 0;
  const auto add = [&result](unsigned index, CpuFeature feature) {
    if (x86_cpu_active(index)) result |= static_cast<uint64_t>(feature);
  };
  add(x86_cpu_SSE3, CpuFeature::kSse3);
  add(x86_cpu_SSSE3, CpuFeature::kSsse3);
  add(x86_cpu_SSE4_1, CpuFeature::kSse41);
  add(x86_cpu_SSE4_2, CpuFeature::kSse42);
  add(x86_cpu_MOVBE, CpuFeature::kMovbe);
  add(x86_cpu_POPCNT, CpuFeature::kPopcnt);
  add(x86_cpu_FMA, CpuFeature::kFma);
  add(x86_cpu_AVX, CpuFeature::kAvx);
  add(x86_cpu_BMI1, CpuFeature::kBmi1);
  add(x86_cpu_AVX2, CpuFeature::kAvx2);
  add(x86_cpu_BMI2, CpuFeature::kBmi2);
  add(x86_cpu_ADX, CpuFeature::kAdx);
  add(x86_cpu_LZCNT, CpuFeature::kLzcnt);
  return result;
}

}  // namespace

uint64_t HostCpuFeatures() {
  static const uint64_t features = Detect();
  return features;
}

std::optional<uint64_t> CpuFeaturesOf(std::string_view cpu) {
  if (cpu == "x86-64") return 0;
  if (cpu == "x86-64-v2") return kX86_64V2;
  if (cpu == "x86-64-v3") return kX86_64V3;
  if (cpu == "native") return HostCpuFeatures() & kX86_64V3;
  return std::nullopt;
}

std::string CpuFeaturesToString(uint64_t features) {
  std::string text;
  const auto add = [&](std::string_view name) {
    absl::StrAppend(&text, text.empty() ? "" : ",", name);
  };
#define PRECAST_CPU_FEATURE(Name, bit, name)                   \
  if (features & static_cast<uint64_t>(CpuFeature::k##Name)) { \
    add(name);                                                 \
    features &= ~static_cast<uint64_t>(CpuFeature::k##Name);   \
  }
  PRECAST_CPU_FEATURES(PRECAST_CPU_FEATURE)
#undef PRECAST_CPU_FEATURE
  for (int bit = 0; bit < 64; ++bit) {
    if (features >> bit & 1) add(absl::StrCat("bit", bit));
  }
  return text.empty() ? "none" : text;
}

}  // namespace precast::format
