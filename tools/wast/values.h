// Values of specification scripts: arguments, and patterns that results are compared with.
#ifndef PRECAST_TOOLS_WAST_VALUES_H_
#define PRECAST_TOOLS_WAST_VALUES_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "runtime/wasm/types.h"

namespace precast::wast {

// What one result has to be. Numbers are compared lane by lane (a scalar is one lane).
struct Pattern {
  struct Lane {
    enum class Kind : uint8_t {
      kBits,
      kCanonicalNan,   // payload: the top bit only; any sign
      kArithmeticNan,  // the top bit of the payload is set
    } kind = Kind::kBits;
    uint64_t bits = 0;
  };
  runtime::wasm::ValType type = runtime::wasm::ValType::kI32;
  uint32_t lane_bytes = 4;
  std::vector<Lane> lanes;
  bool any = false;  // any value of the type; of a reference: any that is not null
};

// The host's number for `ref.extern n` of a script; not 0, which is null.
uint64_t ExternReference(uint64_t n);

absl::StatusOr<runtime::wasm::Value> ParseValue(const nlohmann::json& json);
absl::StatusOr<Pattern> ParsePattern(const nlohmann::json& json);

bool Matches(const runtime::wasm::Value& value, const Pattern& pattern);

std::string ToString(const runtime::wasm::Value& value);
std::string ToString(const Pattern& pattern);

}  // namespace precast::wast

#endif  // PRECAST_TOOLS_WAST_VALUES_H_
