#include "tools/bench/peers.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace precast::bench {
namespace {

// The words of a command; nothing if a quote is not closed.
std::optional<Argv> Words(std::string_view text) {
  Argv words;
  bool quoted = false, in_word = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      if (!in_word) words.emplace_back();
      in_word = true;
    } else if (absl::ascii_isspace(static_cast<unsigned char>(c)) && !quoted) {
      in_word = false;
    } else {
      if (!in_word) words.emplace_back();
      in_word = true;
      words.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return words;
}

absl::Status Fault(int line, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("peers file, line ", line, ": ", what));
}

absl::StatusOr<Argv> Command(int line, std::string_view field, std::string_view text) {
  std::optional<Argv> words = Words(text);
  if (!words) return Fault(line, absl::StrCat(field, ": a double quote is not closed"));
  for (const std::string& word : *words) {
    for (size_t at = word.find('{'); at != std::string::npos; at = word.find('{', at + 1)) {
      const size_t end = word.find('}', at);
      const std::string name = word.substr(at, end == std::string::npos ? end : end - at + 1);
      if (name != "{guest}" && name != "{out}" && name != "{dir}" && name != "{name}") {
        return Fault(
            line, absl::StrCat(field, ": expected {guest}, {out}, {dir} or {name}, found ", name));
      }
    }
  }
  return *std::move(words);
}

bool Mentions(const Argv& argv, std::string_view placeholder) {
  return std::any_of(argv.begin(), argv.end(),
                     [&](const std::string& word) { return absl::StrContains(word, placeholder); });
}

absl::StatusOr<Peer> ParseLine(int line, std::string_view text) {
  std::vector<std::string_view> fields = absl::StrSplit(text, '|');
  for (std::string_view& field : fields) field = absl::StripAsciiWhitespace(field);
  if (fields.size() < 4 || fields.size() > 5) {
    return Fault(
        line,
        absl::StrCat("expected 4 or 5 fields (name | guest | compile | run | version), found ",
                     fields.size()));
  }
  Peer peer;
  Engine& engine = peer.engine;
  engine.name = fields[0];
  if (engine.name.empty() || engine.name.find_first_of(" \t,*?[]") != std::string::npos ||
      engine.name[0] == '-') {
    return Fault(
        line,
        absl::StrCat("name: expected a word without , * ? [ ] and not beginning with -, found \"",
                     engine.name, "\""));
  }
  if (fields[1] == "wasm") {
    engine.kind = GuestKind::kWasm;
  } else if (fields[1] == "riscv") {
    engine.kind = GuestKind::kRiscv;
  } else if (fields[1] == "native") {
    engine.kind = GuestKind::kNative;
  } else {
    return Fault(line,
                 absl::StrCat("guest: expected riscv, wasm or native, found \"", fields[1], "\""));
  }
  bool reads_guest = false, writes_out = false;
  if (fields[2] != "-") {
    for (const std::string_view step : absl::StrSplit(fields[2], "&&")) {
      absl::StatusOr<Argv> argv = Command(line, "compile", step);
      if (!argv.ok()) return argv.status();
      if (argv->empty()) return Fault(line, "compile: expected a command or -, found nothing");
      reads_guest |= Mentions(*argv, "{guest}");
      writes_out |= Mentions(*argv, "{out}");
      engine.compile.push_back(*std::move(argv));
    }
    if (!reads_guest || !writes_out) {
      return Fault(line, "compile: expected {guest} and {out} in it");
    }
  }
  absl::StatusOr<Argv> run = Command(line, "run", fields[3]);
  if (!run.ok()) return run.status();
  if (run->empty()) return Fault(line, "run: expected a command, found nothing");
  if (Mentions(*run, "{dir}")) return Fault(line, "run: {dir} is there while compiling only");
  if (writes_out ? !Mentions(*run, "{out}") : !Mentions(*run, "{guest}")) {
    return Fault(line, writes_out ? "run: expected {out} in it, which compile makes"
                                  : "run: expected {guest} in it, for nothing is compiled");
  }
  engine.run = *std::move(run);
  engine.cached = writes_out;

  std::set<std::string> programs;
  for (const Argv& argv : engine.compile) programs.insert(argv[0]);
  programs.insert(engine.run[0]);
  for (const std::string& program : programs) {
    if (!absl::StrContains(program, "{")) peer.programs.push_back(program);
  }
  if (fields.size() == 5) {
    absl::StatusOr<Argv> version = Command(line, "version", fields[4]);
    if (!version.ok()) return version.status();
    peer.version_command = *std::move(version);
  } else if (const std::string& first =
                 engine.compile.empty() ? engine.run[0] : engine.compile[0][0];
             !absl::StrContains(first, "{")) {
    peer.version_command = {first, "--version"};
  }
  return peer;
}

}  // namespace

absl::StatusOr<std::vector<Peer>> ParsePeers(std::string_view text) {
  std::vector<Peer> peers;
  std::set<std::string> names;
  int number = 0;
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    absl::StatusOr<Peer> peer = ParseLine(number, line);
    if (!peer.ok()) return peer.status();
    if (!names.insert(peer->engine.name).second) {
      return Fault(number, absl::StrCat("name: there is a \"", peer->engine.name, "\" already"));
    }
    peers.push_back(*std::move(peer));
  }
  return peers;
}

}  // namespace precast::bench
