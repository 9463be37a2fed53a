#include "openvm/config.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace precast::openvm {
namespace {

constexpr size_t kMaxNumberBytes = 64;

// number := number · factor + digit
void MultiplyAdd(Number& number, uint32_t factor, uint32_t digit) {
  uint32_t carry = digit;
  for (uint8_t& byte : number) {
    carry += byte * factor;
    byte = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  if (carry != 0) number.push_back(static_cast<uint8_t>(carry));
}

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

}  // namespace

absl::StatusOr<Number> ParseNumber(std::string_view text) {
  std::string_view digits = text;
  int base = 10;
  if (digits.substr(0, 2) == "0x") {
    base = 16;
    digits.remove_prefix(2);
  }
  Number number;
  for (char c : digits) {
    if (DigitValue(c) >= base) {
      return absl::InvalidArgumentError(
          absl::StrFormat("number \"%s\": unexpected character '%c'", text, c));
    }
    MultiplyAdd(number, static_cast<uint32_t>(base), static_cast<uint32_t>(DigitValue(c)));
    if (number.size() > kMaxNumberBytes) {
      return absl::InvalidArgumentError(
          absl::StrFormat("number \"%s\": more than %d bytes", text, kMaxNumberBytes));
    }
  }
  if (digits.empty()) return absl::InvalidArgumentError("number without digits");
  return number;
}

std::string FormatNumber(const Number& number) {
  std::string text;
  for (size_t i = number.size(); i-- > 0;) absl::StrAppendFormat(&text, "%02x", number[i]);
  const size_t first = text.find_first_not_of('0');
  return absl::StrCat("0x", first == std::string::npos ? "0" : text.substr(first));
}

std::string ToText(const Config& config) {
  std::string text;
  absl::StrAppendFormat(&text, "memory_bits %d\npublic_values %d\n", config.memory_bits,
                        config.public_values);
  for (const std::string& name : config.extensions)
    absl::StrAppend(&text, "extension ", name, "\n");
  for (const Number& n : config.moduli) absl::StrAppend(&text, "modulus ", FormatNumber(n), "\n");
  for (const Number& n : config.fp2_moduli) absl::StrAppend(&text, "fp2 ", FormatNumber(n), "\n");
  for (const Curve& c : config.curves) {
    absl::StrAppend(&text, "curve ", c.name.empty() ? "-" : c.name, " ", FormatNumber(c.modulus),
                    " ", FormatNumber(c.scalar), " ", FormatNumber(c.a), " ", FormatNumber(c.b),
                    "\n");
  }
  for (PairingCurve p : config.pairings) {
    absl::StrAppend(&text, "pairing ", p == PairingCurve::kBn254 ? "Bn254" : "Bls12_381", "\n");
  }
  if (config.deferrals != 0) absl::StrAppend(&text, "deferrals ", config.deferrals, "\n");
  return text;
}

absl::StatusOr<Config> FromText(std::string_view text) {
  Config config;
  int line_number = 0;
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    if (line.empty()) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    auto fail = [&](std::string_view expected) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "OpenVM configuration, line %d: expected %s, found \"%s\"", line_number, expected, line));
    };
    auto number = [&](size_t i) -> absl::StatusOr<Number> {
      if (i >= words.size()) return fail("a number");
      return ParseNumber(words[i]);
    };
    auto small = [&](uint32_t& out) {
      return words.size() == 2 && absl::SimpleAtoi(words[1], &out);
    };
    const std::string& key = words[0];
    if (key == "memory_bits") {
      if (!small(config.memory_bits) || config.memory_bits < 12 || config.memory_bits > 32)
        return fail("memory_bits from 12 to 32");
    } else if (key == "public_values") {
      if (!small(config.public_values) || config.public_values < 8 ||
          config.public_values > 1u << 20 ||
          (config.public_values & (config.public_values - 1)) != 0)
        return fail("public_values that are a power of two from 8 to 2^20");
    } else if (key == "deferrals") {
      if (!small(config.deferrals) || config.deferrals > 1024) return fail("deferrals up to 1024");
    } else if (key == "extension") {
      if (words.size() != 2 || words[1].empty()) return fail("extension NAME");
      config.extensions.push_back(words[1]);
    } else if (key == "modulus" || key == "fp2") {
      absl::StatusOr<Number> n = number(1);
      if (!n.ok()) return n.status();
      if (words.size() != 2) return fail("one number");
      (key == "fp2" ? config.fp2_moduli : config.moduli).push_back(*std::move(n));
    } else if (key == "curve") {
      if (words.size() != 6) return fail("curve NAME MODULUS SCALAR A B");
      Curve curve;
      if (words[1] != "-") curve.name = words[1];
      Number* const fields[] = {&curve.modulus, &curve.scalar, &curve.a, &curve.b};
      for (size_t i = 0; i < 4; ++i) {
        absl::StatusOr<Number> n = number(i + 2);
        if (!n.ok()) return n.status();
        *fields[i] = *std::move(n);
      }
      config.curves.push_back(std::move(curve));
    } else if (key == "pairing") {
      if (words.size() == 2 && words[1] == "Bn254") {
        config.pairings.push_back(PairingCurve::kBn254);
      } else if (words.size() == 2 && words[1] == "Bls12_381") {
        config.pairings.push_back(PairingCurve::kBls12_381);
      } else {
        return fail("pairing Bn254 or Bls12_381");
      }
    } else {
      return fail("a known key");
    }
  }
  std::sort(config.extensions.begin(), config.extensions.end());
  return config;
}

absl::StatusOr<std::vector<Number>> ParseGuestSection(absl::Span<const uint8_t> section) {
  std::vector<Number> moduli;
  size_t at = 0;
  auto fail = [&](std::string_view expected, size_t found) {
    return absl::InvalidArgumentError(
        absl::StrFormat("section .openvm, offset %d: expected %s, found %d", at, expected, found));
  };
  while (at < section.size()) {
    if (section[at] == 0) {  // padding
      ++at;
      continue;
    }
    constexpr size_t kHeader = 6;
    if (section[at] != 1) return fail("a modulus (1)", section[at]);
    if (section.size() - at < kHeader) return fail("a record of 6 bytes", section.size() - at);
    const size_t index = section[at + 1];
    uint32_t size = 0;
    for (int i = 0; i < 4; ++i) size |= uint32_t{section[at + 2 + i]} << (8 * i);
    if (size > kMaxNumberBytes || size > section.size() - at - kHeader) {
      return fail("a number within the section and of at most 64 bytes", size);
    }
    if (moduli.size() <= index) moduli.resize(index + 1);
    if (!moduli[index].empty()) return fail("every index once", index);
    const absl::Span<const uint8_t> bytes = section.subspan(at + kHeader, size);
    moduli[index].assign(bytes.begin(), bytes.end());
    while (!moduli[index].empty() && moduli[index].back() == 0) moduli[index].pop_back();
    if (moduli[index].empty()) return fail("a modulus other than 0", 0);
    at += kHeader + size;
  }
  for (size_t i = 0; i < moduli.size(); ++i) {
    if (moduli[i].empty()) return fail("a modulus for every index, none for index", i);
  }
  return moduli;
}

}  // namespace precast::openvm
