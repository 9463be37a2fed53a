// See values.h.
#include "tools/wast/values.h"

#include <cstring>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace precast::wast {
namespace {

using nlohmann::json;
using runtime::wasm::ValType;
using runtime::wasm::Value;

struct TypeName {
  std::string_view name;
  ValType type;
  uint32_t bytes;
};
constexpr TypeName kTypes[] = {
    {"i32", ValType::kI32, 4},
    {"i64", ValType::kI64, 8},
    {"f32", ValType::kF32, 4},
    {"f64", ValType::kF64, 8},
    {"v128", ValType::kV128, 16},
    {"funcref", ValType::kFuncRef, 8},
    {"externref", ValType::kExternRef, 8},
};
constexpr TypeName kLaneTypes[] = {
    {"i8", ValType::kI32, 1},  {"i16", ValType::kI32, 2}, {"i32", ValType::kI32, 4},
    {"i64", ValType::kI64, 8}, {"f32", ValType::kF32, 4}, {"f64", ValType::kF64, 8},
};

const TypeName* Find(absl::Span<const TypeName> names, std::string_view name) {
  for (const TypeName& t : names) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

std::string_view NameOf(ValType type) {
  for (const TypeName& t : kTypes) {
    if (t.type == type) return t.name;
  }
  return "?";
}

absl::Status Wrong(const json& j) {
  return absl::InvalidArgumentError(
      absl::StrCat("value of a script: ", j.dump(-1, ' ', false, json::error_handler_t::replace)));
}

std::string Text(const json& j, const char* key) {
  const auto it = j.find(key);
  return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// Decimal, of either sign.
std::optional<uint64_t> Number(const std::string& text) {
  uint64_t unsigned_value;
  if (absl::SimpleAtoi(text, &unsigned_value)) return unsigned_value;
  int64_t signed_value;
  if (absl::SimpleAtoi(text, &signed_value)) return static_cast<uint64_t>(signed_value);
  return std::nullopt;
}

std::optional<Pattern::Lane> ParseLane(const std::string& text) {
  if (text == "nan:canonical") return Pattern::Lane{Pattern::Lane::Kind::kCanonicalNan, 0};
  if (text == "nan:arithmetic") return Pattern::Lane{Pattern::Lane::Kind::kArithmeticNan, 0};
  const std::optional<uint64_t> bits = Number(text);
  if (!bits) return std::nullopt;
  return Pattern::Lane{Pattern::Lane::Kind::kBits, *bits};
}

uint64_t LaneOf(const Value& value, uint32_t lane_bytes, size_t k) {
  uint64_t bits = 0;
  std::memcpy(&bits, value.bits.bytes + k * lane_bytes, lane_bytes);
  return bits;
}

uint64_t LaneMask(uint32_t bytes) {
  return bytes == 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * bytes)) - 1;
}

}  // namespace

uint64_t ExternReference(uint64_t n) { return n + 1; }

absl::StatusOr<Pattern> ParsePattern(const json& j) {
  if (!j.is_object()) return Wrong(j);
  const TypeName* type = Find(kTypes, Text(j, "type"));
  if (type == nullptr) return Wrong(j);
  Pattern out{.type = type->type, .lane_bytes = type->bytes, .lanes = {}, .any = false};
  const auto value = j.find("value");
  if (value == j.end()) {
    out.any = true;
    return out;
  }
  if (type->type == ValType::kV128) {
    const TypeName* lane = Find(kLaneTypes, Text(j, "lane_type"));
    if (lane == nullptr || !value->is_array() || value->size() * lane->bytes != 16) return Wrong(j);
    out.lane_bytes = lane->bytes;
    for (const json& v : *value) {
      const std::optional<Pattern::Lane> parsed =
          v.is_string() ? ParseLane(v.get<std::string>()) : std::nullopt;
      if (!parsed) return Wrong(j);
      out.lanes.push_back(*parsed);
    }
    return out;
  }
  if (!value->is_string()) return Wrong(j);
  const std::string text = value->get<std::string>();
  if (type->type == ValType::kFuncRef || type->type == ValType::kExternRef) {
    const std::optional<uint64_t> n = Number(text);
    if (text != "null" && !n) return Wrong(j);
    out.lanes.push_back({Pattern::Lane::Kind::kBits, n ? ExternReference(*n) : 0});
    return out;
  }
  const std::optional<Pattern::Lane> lane = ParseLane(text);
  if (!lane) return Wrong(j);
  out.lanes.push_back(*lane);
  return out;
}

absl::StatusOr<Value> ParseValue(const json& j) {
  absl::StatusOr<Pattern> pattern = ParsePattern(j);
  if (!pattern.ok()) return pattern.status();
  Value out{pattern->type, {}};
  for (size_t k = 0; k < pattern->lanes.size(); ++k) {
    const Pattern::Lane& lane = pattern->lanes[k];
    uint64_t bits = lane.bits;
    // A NaN as an argument: the canonical one is as good as any.
    if (lane.kind != Pattern::Lane::Kind::kBits) {
      bits = pattern->lane_bytes == 4 ? 0x7fc00000u : 0x7ff8000000000000u;
    }
    std::memcpy(out.bits.bytes + k * pattern->lane_bytes, &bits, pattern->lane_bytes);
  }
  return out;
}

bool Matches(const Value& value, const Pattern& pattern) {
  if (value.type != pattern.type) return false;
  const bool is_reference =
      pattern.type == ValType::kFuncRef || pattern.type == ValType::kExternRef;
  if (pattern.any) return !is_reference || LaneOf(value, 8, 0) != 0;
  for (size_t k = 0; k < pattern.lanes.size(); ++k) {
    const uint64_t bits = LaneOf(value, pattern.lane_bytes, k);
    // Of a NaN: exponent and top payload bit; the rest of the payload.
    const uint64_t quiet = pattern.lane_bytes == 4 ? 0x7fc00000u : 0x7ff8000000000000u;
    const uint64_t magnitude = pattern.lane_bytes == 4 ? 0x7fffffffu : ~uint64_t{0} >> 1;
    switch (pattern.lanes[k].kind) {
      case Pattern::Lane::Kind::kBits:
        if (bits != (pattern.lanes[k].bits & LaneMask(pattern.lane_bytes))) return false;
        break;
      case Pattern::Lane::Kind::kCanonicalNan:
        if ((bits & magnitude) != quiet) return false;
        break;
      case Pattern::Lane::Kind::kArithmeticNan:
        if ((bits & quiet) != quiet) return false;
        break;
    }
  }
  return true;
}

std::string ToString(const Value& value) {
  const ValType type = value.type;
  if (type == ValType::kV128) {
    return absl::StrFormat("v128:0x%016x%016x", LaneOf(value, 8, 1), LaneOf(value, 8, 0));
  }
  const bool narrow = type == ValType::kI32 || type == ValType::kF32;
  return absl::StrFormat("%s:0x%x", NameOf(type), LaneOf(value, narrow ? 4 : 8, 0));
}

std::string ToString(const Pattern& pattern) {
  if (pattern.any) return absl::StrCat(NameOf(pattern.type), ":any");
  return absl::StrCat(
      NameOf(pattern.type), ":",
      absl::StrJoin(pattern.lanes, ",", [](std::string* out, const Pattern::Lane& lane) {
        switch (lane.kind) {
          case Pattern::Lane::Kind::kBits:
            absl::StrAppend(out, "0x", absl::Hex(lane.bits));
            break;
          case Pattern::Lane::Kind::kCanonicalNan:
            absl::StrAppend(out, "nan:canonical");
            break;
          case Pattern::Lane::Kind::kArithmeticNan:
            absl::StrAppend(out, "nan:arithmetic");
            break;
        }
      }));
}

}  // namespace precast::wast
