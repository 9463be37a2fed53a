#include "loader/format/cpu_features.h"

#include <cpuid.h>

#include "absl/strings/str_cat.h"

namespace precast::format {
namespace {

// State components that the operating system saves (Intel SDM volume 1, 13.3).
uint32_t ReadXcr0() {
  uint32_t eax, edx;
  __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return eax;
}

uint64_t Detect() {
  uint64_t result = 0;
  const auto add = [&result](unsigned bits, int bit, CpuFeature feature) {
    if (bits >> bit & 1) result |= static_cast<uint64_t>(feature);
  };
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  bool ymm = false;
  // Bit positions: Intel SDM volume 2, CPUID.
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
    add(ecx, 0, CpuFeature::kSse3);
    add(ecx, 9, CpuFeature::kSsse3);
    add(ecx, 19, CpuFeature::kSse41);
    add(ecx, 20, CpuFeature::kSse42);
    add(ecx, 22, CpuFeature::kMovbe);
    add(ecx, 23, CpuFeature::kPopcnt);
    constexpr unsigned kOsxsave = 1u << 27;
    constexpr uint32_t kSseAndYmm = 6;
    ymm = (ecx & kOsxsave) != 0 && (ReadXcr0() & kSseAndYmm) == kSseAndYmm;
    if (ymm) {
      add(ecx, 12, CpuFeature::kFma);
      add(ecx, 28, CpuFeature::kAvx);
    }
  }
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
    add(ebx, 3, CpuFeature::kBmi1);
    if (ymm) add(ebx, 5, CpuFeature::kAvx2);
    add(ebx, 8, CpuFeature::kBmi2);
    add(ebx, 19, CpuFeature::kAdx);
  }
  if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx)) add(ecx, 5, CpuFeature::kLzcnt);
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
