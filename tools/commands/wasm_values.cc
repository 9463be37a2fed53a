#include "tools/commands/wasm_values.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace precast::aotc {
namespace {

using runtime::wasm::ExternKind;
using runtime::wasm::ExternType;
using runtime::wasm::FuncType;
using runtime::wasm::Limits;
using runtime::wasm::ValType;
using runtime::wasm::Value;

absl::Status Expected(std::string_view what, std::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", what, ", found \"", text, "\""));
}

bool ConsumeSign(std::string_view& text) {
  const bool negative = absl::StartsWith(text, "-");
  if (negative || absl::StartsWith(text, "+")) text.remove_prefix(1);
  return negative;
}

// Digits without sign; nothing if there are none, others, or too many.
std::optional<uint64_t> Magnitude(std::string_view text) {
  const int base = absl::StartsWith(text, "0x") || absl::StartsWith(text, "0X") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits += text[i];
    } else if (i == 0 || i + 1 == text.size() || text[i - 1] == '_') {
      return std::nullopt;
    }
  }
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<uint64_t> Integer(std::string_view text, int bits) {
  const bool negative = ConsumeSign(text);
  const std::optional<uint64_t> magnitude = Magnitude(text);
  if (!magnitude) return std::nullopt;
  const uint64_t most = negative ? uint64_t{1} << (bits - 1) : ~uint64_t{0} >> (64 - bits);
  if (*magnitude > most) return std::nullopt;
  const uint64_t value = negative ? 0 - *magnitude : *magnitude;
  return value & (~uint64_t{0} >> (64 - bits));
}

// Bits of T, an IEEE 754 type with `fraction_bits`.
template <typename T, typename Bits>
std::optional<Bits> Float(std::string_view text, int fraction_bits) {
  const bool negative = ConsumeSign(text);
  const Bits sign = negative ? Bits{1} << (sizeof(Bits) * 8 - 1) : 0;
  const Bits infinity = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
  if (text == "inf" || text == "infinity") return sign | infinity;
  if (text == "nan") return sign | infinity | Bits{1} << (fraction_bits - 1);
  if (absl::StartsWith(text, "nan:")) {
    const std::optional<uint64_t> payload = Magnitude(text.substr(4));
    if (!payload || *payload == 0 || *payload >> fraction_bits != 0) return std::nullopt;
    return sign | infinity | static_cast<Bits>(*payload);
  }
  if (text.empty() || (text[0] != '.' && (text[0] < '0' || text[0] > '9'))) return std::nullopt;
  T value = 0;
  const bool hexadecimal = absl::StartsWith(text, "0x") || absl::StartsWith(text, "0X");
  if (hexadecimal) text.remove_prefix(2);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(
      text.data(), end, value, hexadecimal ? std::chars_format::hex : std::chars_format::general);
  if (error != std::errc() || stop != end) return std::nullopt;
  return sign | std::bit_cast<Bits>(value);
}

template <typename T, typename Bits>
std::string FloatText(Bits bits, int fraction_bits) {
  const T value = std::bit_cast<T>(bits);
  if (std::isnan(value)) {
    const Bits payload = bits & ((Bits{1} << fraction_bits) - 1);
    const char* sign = std::signbit(value) ? "-" : "";
    if (payload == Bits{1} << (fraction_bits - 1)) return absl::StrCat(sign, "nan");
    return absl::StrFormat("%snan:0x%x", sign, payload);
  }
  std::array<char, 64> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), result.ptr);
}

std::optional<std::array<uint8_t, 16>> Vector(std::string_view text) {
  if (!absl::StartsWith(text, "0x") || text.size() < 3) return std::nullopt;
  std::array<uint8_t, 16> bytes = {};
  size_t digits = 0;
  for (size_t i = text.size(); i > 2; --i) {
    if (text[i - 1] == '_') continue;
    uint8_t digit = 0;
    const auto [stop, error] = std::from_chars(&text[i - 1], &text[i - 1] + 1, digit, 16);
    if (error != std::errc() || digits == 32) return std::nullopt;
    bytes[digits / 2] = static_cast<uint8_t>(bytes[digits / 2] | digit << (digits % 2 * 4));
    ++digits;
  }
  return bytes;
}

std::string LimitsText(const Limits& limits) {
  return limits.max ? absl::StrCat(limits.min, "..", *limits.max) : absl::StrCat(limits.min, "..");
}

std::string Names(const std::vector<ValType>& types) {
  return absl::StrJoin(types, ", ",
                       [](std::string* out, ValType t) { absl::StrAppend(out, TypeName(t)); });
}

}  // namespace

absl::StatusOr<Value> ParseValue(ValType type, std::string_view text) {
  switch (type) {
    case ValType::kI32:
      if (auto v = Integer(text, 32)) return Value::I32(static_cast<uint32_t>(*v));
      return Expected("an i32, decimal or 0x hexadecimal, -2147483648 to 4294967295", text);
    case ValType::kI64:
      if (auto v = Integer(text, 64)) return Value::I64(*v);
      return Expected("an i64, decimal or 0x hexadecimal, -2^63 to 2^64 - 1", text);
    case ValType::kF32:
      if (auto v = Float<float, uint32_t>(text, 23)) return Value::Of(type, *v);
      return Expected("an f32 such as 1.5, -0x1p-3, inf, nan or nan:0x200000", text);
    case ValType::kF64:
      if (auto v = Float<double, uint64_t>(text, 52)) return Value::Of(type, *v);
      return Expected("an f64 such as 1.5, -0x1p-3, inf, nan or nan:0x4000000000000", text);
    case ValType::kV128:
      if (auto v = Vector(text)) return Value::V128(*v);
      return Expected("a v128: 0x and up to 32 hexadecimal digits", text);
    case ValType::kFuncRef:
      if (text == "null") return Value::FuncRef(0);
      return Expected("null (other funcrefs cannot be written)", text);
    case ValType::kExternRef:
      if (text == "null") return Value::ExternRef(0);
      if (auto v = Integer(text, 64)) return Value::ExternRef(*v);
      return Expected("null or a number as externref", text);
  }
  return Expected("a value", text);
}

std::string ValueText(const Value& value) {
  switch (value.type) {
    case ValType::kI32:
      return absl::StrCat(value.As<int32_t>());
    case ValType::kI64:
      return absl::StrCat(value.As<int64_t>());
    case ValType::kF32:
      return FloatText<float, uint32_t>(value.As<uint32_t>(), 23);
    case ValType::kF64:
      return FloatText<double, uint64_t>(value.As<uint64_t>(), 52);
    case ValType::kV128: {
      const auto halves = value.As<std::array<uint64_t, 2>>();
      return absl::StrFormat("0x%016x%016x", halves[1], halves[0]);
    }
    case ValType::kFuncRef:
      return value.As<uint64_t>() == 0 ? "null" : "funcref";
    case ValType::kExternRef:
      return value.As<uint64_t>() == 0 ? "null" : absl::StrCat(value.As<uint64_t>());
  }
  return "?";
}

std::string_view TypeName(ValType type) {
  switch (type) {
    case ValType::kI32:
      return "i32";
    case ValType::kI64:
      return "i64";
    case ValType::kF32:
      return "f32";
    case ValType::kF64:
      return "f64";
    case ValType::kV128:
      return "v128";
    case ValType::kFuncRef:
      return "funcref";
    case ValType::kExternRef:
      return "externref";
  }
  return "?";
}

std::string TypeText(const FuncType& type) {
  const std::string results = Names(type.results);
  return absl::StrCat("(", Names(type.params), ") -> ",
                      type.results.size() == 1 ? results : absl::StrCat("(", results, ")"));
}

std::string TypeText(const ExternType& type) {
  switch (type.kind) {
    case ExternKind::kFunction:
      return absl::StrCat("function ", TypeText(type.function));
    case ExternKind::kTable:
      return absl::StrCat("table ", LimitsText(type.table.limits), " of ",
                          TypeName(type.table.element), type.table.is_64 ? ", 64-bit" : "");
    case ExternKind::kMemory:
      return absl::StrCat("memory ", LimitsText(type.memory.limits), " pages",
                          type.memory.is_64 ? ", 64-bit" : "",
                          type.memory.shared ? ", shared" : "");
    case ExternKind::kGlobal:
      return absl::StrCat("global ", type.global.is_mutable ? "mutable " : "",
                          TypeName(type.global.type));
  }
  return "?";
}

}  // namespace precast::aotc
