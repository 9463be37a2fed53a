#include "openvm/toml.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace precast::openvm {
namespace {

// A value, as far as anybody here cares: a string, a word (integer, boolean), or an array.
struct Value {
  enum class Kind : uint8_t { kString, kWord, kArray } kind = Kind::kWord;
  std::string text;
  std::vector<Value> items;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  absl::StatusOr<Config> Read() {
    while (Skip(/*newlines=*/true), at_ < text_.size()) {
      if (absl::Status s = text_[at_] == '[' ? Table() : Entry(); !s.ok()) return s;
    }
    std::sort(config_.extensions.begin(), config_.extensions.end());
    // Checks ranges, too.
    return FromText(ToText(config_));
  }

 private:
  static constexpr int kMaxDepth = 8;

  absl::Status Fail(std::string_view expected) const {
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(at_), '\n');
    return absl::InvalidArgumentError(
        absl::StrFormat("openvm.toml, line %d: expected %s", line, expected));
  }

  // Skips blanks and comments.
  void Skip(bool newlines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || c == '\r' || (newlines && c == '\n')) {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool Take(std::string_view token) {
    if (!absl::StartsWith(text_.substr(at_), token)) return false;
    at_ += token.size();
    return true;
  }

  static bool IsWordChar(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '.';
  }
  // A key with dots, a number, or a boolean.
  std::string Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWordChar(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  absl::Status EndOfLine() {
    Skip(/*newlines=*/false);
    if (at_ == text_.size() || Take("\n")) return absl::OkStatus();
    return Fail("the end of the line");
  }

  absl::Status Table() {
    const bool of_array = Take("[[");
    if (!of_array) Take("[");
    Skip(false);
    table_ = Word();
    Skip(false);
    if (table_.empty() || !Take(of_array ? "]]" : "]")) return Fail("[table] or [[table]]");
    std::string_view name = table_;
    if (absl::ConsumePrefix(&name, "app_vm_config.")) {
      const std::string first(name.substr(0, name.find('.')));
      if (first == "ecc" && of_array) config_.curves.emplace_back();
      AddExtension(first);
    }
    return EndOfLine();
  }

  void AddExtension(const std::string& name) {
    // RV32IM and its I/O are always there.
    if (name == "rv32i" || name == "rv32m" || name == "system") return;
    const std::string extension = name == "io" ? "rv32io" : name;
    if (std::find(config_.extensions.begin(), config_.extensions.end(), extension) ==
        config_.extensions.end()) {
      config_.extensions.push_back(extension);
    }
  }

  absl::StatusOr<Value> ParseValue(int depth) {
    Value value;
    if (Take("\"")) {
      value.kind = Value::Kind::kString;
      const size_t end = text_.find_first_of("\"\\\n", at_);
      if (end == std::string_view::npos || text_[end] != '"')
        return Fail("a string without escapes");
      value.text = std::string(text_.substr(at_, end - at_));
      at_ = end + 1;
      return value;
    }
    if (Take("[")) {
      if (depth == kMaxDepth) return Fail("fewer arrays in arrays");
      value.kind = Value::Kind::kArray;
      for (;;) {
        Skip(true);
        if (Take("]")) return value;
        absl::StatusOr<Value> item = ParseValue(depth + 1);
        if (!item.ok()) return item;
        value.items.push_back(*std::move(item));
        Skip(true);
        if (Take(",")) continue;
        Skip(true);
        if (!Take("]")) return Fail("\",\" or \"]\"");
        return value;
      }
    }
    value.text = Word();
    if (value.text.empty()) return Fail("a value");
    return value;
  }

  absl::Status Entry() {
    const std::string key = Word();
    Skip(false);
    if (key.empty() || !Take("=")) return Fail("key = value");
    Skip(false);
    const absl::StatusOr<Value> value = ParseValue(0);
    if (!value.ok()) return value.status();
    if (absl::Status s = Use(key, *value); !s.ok()) return s;
    return EndOfLine();
  }

  absl::StatusOr<Number> ToNumber(const Value& value) const {
    absl::StatusOr<Number> number = ParseNumber(value.text);
    if (!number.ok()) return Fail(absl::StrCat("a number: ", number.status().message()));
    return number;
  }

  absl::Status AddNumber(const Value& value, std::vector<Number>& numbers) {
    absl::StatusOr<Number> number = ToNumber(value);
    if (!number.ok()) return number.status();
    numbers.push_back(*std::move(number));
    return absl::OkStatus();
  }

  absl::Status Use(const std::string& key, const Value& value) {
    if (table_ == "app_vm_config.modular" && key == "supported_moduli") {
      for (const Value& item : value.items) {
        if (absl::Status s = AddNumber(item, config_.moduli); !s.ok()) return s;
      }
    } else if (table_ == "app_vm_config.fp2" && key == "supported_moduli") {
      for (const Value& item : value.items) {
        // A name and the modulus.
        if (item.items.size() != 2) return Fail("[\"name\", \"modulus\"]");
        if (absl::Status s = AddNumber(item.items[1], config_.fp2_moduli); !s.ok()) return s;
      }
    } else if (table_ == "app_vm_config.pairing" && key == "supported_curves") {
      for (const Value& item : value.items) {
        if (item.text != "Bn254" && item.text != "Bls12_381") return Fail("Bn254 or Bls12_381");
        config_.pairings.push_back(item.text == "Bn254" ? PairingCurve::kBn254
                                                        : PairingCurve::kBls12_381);
      }
    } else if (table_ == "app_vm_config.ecc.supported_curves" && !config_.curves.empty()) {
      Curve& curve = config_.curves.back();
      if (key == "struct_name") {
        curve.name = value.text;
        return absl::OkStatus();
      }
      Number* const field = key == "modulus"  ? &curve.modulus
                            : key == "scalar" ? &curve.scalar
                            : key == "a"      ? &curve.a
                            : key == "b"      ? &curve.b
                                              : nullptr;
      if (field == nullptr) return absl::OkStatus();
      absl::StatusOr<Number> number = ToNumber(value);
      if (!number.ok()) return number.status();
      *field = *std::move(number);
    } else if (absl::StartsWith(table_, "app_vm_config.system")) {
      uint32_t* const field = key == "num_public_values"  ? &config_.public_values
                              : key == "pointer_max_bits" ? &config_.memory_bits
                                                          : nullptr;
      if (field != nullptr && !absl::SimpleAtoi(value.text, field)) return Fail("a small number");
    }
    return absl::OkStatus();
  }

  const std::string_view text_;
  size_t at_ = 0;
  std::string table_;
  Config config_;
};

}  // namespace

absl::StatusOr<Config> FromToml(std::string_view text) { return Reader(text).Read(); }

absl::StatusOr<Config> ReadConfig(std::string_view text) {
  return absl::StartsWith(text, "memory_bits ") ? FromText(text) : FromToml(text);
}

}  // namespace precast::openvm
