#include "tools/cli/command.h"

#include <getopt.h>

#include <cstdio>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace precast::cli {
namespace {

constexpr int kFirstLongFlag = 256;

absl::Status ParseNumber(std::string_view text, uint64_t* value) {
  std::string digits = absl::StrReplaceAll(text, {{"_", ""}});
  uint64_t scale = 1;
  if (!digits.empty() && !absl::StartsWith(digits, "0x")) {
    switch (digits.back()) {
      case 'k':
        scale = 1'000;
        break;
      case 'M':
        scale = 1'000'000;
        break;
      case 'G':
        scale = 1'000'000'000;
        break;
    }
    if (scale != 1) digits.pop_back();
  }
  // The library's parsers also take spaces and signs.
  uint64_t number = 0;
  const bool ok =
      absl::StartsWith(digits, "0x")
          ? absl::c_all_of(digits.substr(2), absl::ascii_isxdigit) &&
                absl::SimpleHexAtoi(digits, &number)
          : absl::c_all_of(digits, absl::ascii_isdigit) && absl::SimpleAtoi(digits, &number);
  if (!ok || number > UINT64_MAX / scale) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a number such as 1000, 10M or 0x40, found \"", text, "\""));
  }
  *value = number * scale;
  return absl::OkStatus();
}

std::string FullName(std::string_view program, const Command& command) {
  return absl::StrCat(program, command.name.empty() ? "" : " ", command.name);
}

}  // namespace

Flag Switch(std::string name, char letter, std::string help, bool* target) {
  return {std::move(name), letter, "", std::move(help), [target](std::string_view) {
            *target = true;
            return absl::OkStatus();
          }};
}

Flag Text(std::string name, char letter, std::string value, std::string help, std::string* target) {
  return {std::move(name), letter, std::move(value), std::move(help),
          [target](std::string_view text) {
            if (text.empty()) return absl::InvalidArgumentError("expected a value, found nothing");
            *target = std::string(text);
            return absl::OkStatus();
          }};
}

Flag Texts(std::string name, char letter, std::string value, std::string help,
           std::vector<std::string>* target) {
  return {std::move(name), letter, std::move(value), std::move(help),
          [target](std::string_view text) {
            target->emplace_back(text);
            return absl::OkStatus();
          }};
}

Flag Number(std::string name, char letter, std::string value, std::string help, uint64_t* target) {
  return {std::move(name), letter, std::move(value), std::move(help),
          [target](std::string_view text) { return ParseNumber(text, target); }};
}

std::optional<int> Parse(std::string_view program, Command& command, int argc, char** argv) {
  std::vector<option> options;
  std::string letters = ":";  // report a missing value as ':' instead of printing
  for (size_t i = 0; i < command.flags.size(); ++i) {
    const Flag& flag = command.flags[i];
    const int has_value = flag.value.empty() ? no_argument : required_argument;
    options.push_back(
        {flag.name.c_str(), has_value, nullptr, kFirstLongFlag + static_cast<int>(i)});
    if (flag.letter != 0)
      absl::StrAppend(&letters, std::string(1, flag.letter), flag.value.empty() ? "" : ":");
  }
  const int help = kFirstLongFlag + static_cast<int>(command.flags.size());
  options.push_back({"help", no_argument, nullptr, help});
  options.push_back({nullptr, 0, nullptr, 0});
  letters += "h";

  const std::string name = FullName(program, command);
  auto wrong = [&](std::string_view message) {
    absl::FPrintF(stderr, "%s: %s\nTry \"%s --help\".\n", name, message, name);
    return kExitUsage;
  };
  optind = 0;  // glibc: start over
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, letters.c_str(), options.data(), nullptr)) != -1;) {
    if (c == help || c == 'h') {
      absl::PrintF("%s", Help(program, command));
      return kExitOk;
    }
    if (c == '?') {
      // optopt is the letter, 0 for an unknown or ambiguous name, or a switch that was given a
      // value.
      if (optopt >= kFirstLongFlag) {
        return wrong(absl::StrCat("flag ", argv[optind - 1], ": it takes no value"));
      }
      return wrong(absl::StrCat("unknown flag ", optopt != 0 ? absl::StrFormat("-%c", optopt)
                                                             : std::string(argv[optind - 1])));
    }
    if (c == ':') return wrong(absl::StrCat("flag ", argv[optind - 1], " needs a value"));
    for (size_t i = 0; i < command.flags.size(); ++i) {
      const Flag& flag = command.flags[i];
      if (c != kFirstLongFlag + static_cast<int>(i) && c != flag.letter) continue;
      if (absl::Status status = flag.set(optarg != nullptr ? optarg : ""); !status.ok()) {
        return wrong(absl::StrCat("--", flag.name, ": ", status.message()));
      }
    }
  }
  for (int i = optind; i < argc; ++i) command.positional.emplace_back(argv[i]);
  return std::nullopt;
}

std::string Help(std::string_view program, const Command& command) {
  std::string text =
      absl::StrFormat("%s\n\nUsage: %s %s\n\n%s\n", command.summary, FullName(program, command),
                      command.usage, command.description);
  text += "\nFlags:\n";
  auto row = [&](std::string left, std::string_view help) {
    bool first = true;
    for (std::string_view line : absl::StrSplit(help, '\n')) {
      absl::StrAppendFormat(&text, "  %-26s %s\n", first ? left : "", line);
      first = false;
    }
  };
  for (const Flag& flag : command.flags) {
    std::string left = flag.letter != 0 ? absl::StrFormat("-%c, ", flag.letter) : "    ";
    absl::StrAppend(&left, "--", flag.name, flag.value.empty() ? "" : "=", flag.value);
    row(std::move(left), flag.help);
  }
  row("-h, --help", "print this");
  if (!command.examples.empty()) absl::StrAppend(&text, "\nExamples:\n", command.examples);
  return text;
}

}  // namespace precast::cli
