#include "tools/bench/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "loader/format/sha256.h"
#include "nlohmann/json.hpp"
#include "tools/bench/process.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::time_t kKeepSeconds = 30 * 24 * 3600;

// Each part with its length before it, so that no two lists give the same bytes.
class Key {
 public:
  void Add(std::string_view part) {
    const uint64_t size = part.size();
    sha_.Update({reinterpret_cast<const uint8_t*>(&size), sizeof size});
    sha_.Update({reinterpret_cast<const uint8_t*>(part.data()), part.size()});
  }
  std::string Finish() {
    const format::Sha256Digest digest = sha_.Finish();
    return absl::BytesToHexString(
        {reinterpret_cast<const char*>(digest.data()), digest.size() / 2});
  }

 private:
  format::Sha256 sha_;
};

std::string LastLines(std::string_view text) {
  constexpr size_t kLines = 4;
  std::vector<std::string_view> lines =
      absl::StrSplit(absl::StripAsciiWhitespace(text), '\n', absl::SkipWhitespace());
  if (lines.size() > kLines) lines.erase(lines.begin(), lines.end() - kLines);
  return absl::StrJoin(lines, "\n  ");
}

absl::StatusOr<Artifact> RunSteps(const std::vector<Argv>& steps,
                                  const Placeholders& placeholders) {
  Artifact artifact;
  artifact.file = placeholders.words.at("out");
  for (const Argv& step : steps) {
    const Argv argv = Expand(step, placeholders);
    const absl::StatusOr<ProcessResult> result = RunProcess(argv);
    if (!result.ok()) return result.status();
    if (!result->ok()) {
      return absl::InternalError(absl::StrCat(CommandText(argv), ": exit code ", result->exit_code,
                                              "\n  ", LastLines(result->err + result->out)));
    }
    artifact.seconds += result->user + result->system;
    artifact.peak_bytes = std::max(artifact.peak_bytes, result->peak_bytes);
  }
  if (access(artifact.file.c_str(), R_OK) != 0) {
    return absl::InternalError(absl::StrCat(CommandText(Expand(steps.back(), placeholders)),
                                            ": wrote no ", artifact.file));
  }
  return artifact;
}

// What Make wrote beside an artifact.
absl::StatusOr<Artifact> ReadEntry(const std::string& directory) {
  const absl::StatusOr<std::vector<uint8_t>> text = aotc::ReadFile(directory + "/made.json");
  if (!text.ok()) return text.status();
  const nlohmann::json json = nlohmann::json::parse(text->begin(), text->end(), nullptr, false);
  const std::string file = directory + "/out";
  if (!json.is_object() || !json.contains("seconds") || !json["seconds"].is_number() ||
      !json.contains("peak_bytes") || !json["peak_bytes"].is_number_unsigned() ||
      access(file.c_str(), R_OK) != 0) {
    return absl::DataLossError("cache entry is damaged");
  }
  utime(directory.c_str(), nullptr);
  return Artifact{file, json["seconds"].get<double>(), json["peak_bytes"].get<uint64_t>()};
}

}  // namespace

std::string Cache::DefaultFolder() {
  for (const auto& [variable, below] : {std::pair{"XDG_CACHE_HOME", ""}, {"HOME", "/.cache"}}) {
    const char* value = getenv(variable);
    if (value != nullptr && value[0] == '/') return absl::StrCat(value, below, "/precast/bench");
  }
  return (fs::temp_directory_path() / "precast_bench").string();
}

absl::StatusOr<std::unique_ptr<Cache>> Cache::Open(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  std::string scratch = absl::StrCat(fs::absolute(folder).string(), "/scratch.XXXXXX");
  if (mkdtemp(scratch.data()) == nullptr) return absl::ErrnoToStatus(errno, scratch);
  std::unique_ptr<Cache> cache(new Cache(fs::absolute(folder).string(), std::move(scratch)));
  cache->RemoveOld();
  return cache;
}

Cache::~Cache() {
  std::error_code error;
  fs::remove_all(scratch_, error);
}

void Cache::RemoveOld() const {
  std::error_code error;
  const std::time_t now = std::time(nullptr);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    struct stat info;
    if (stat(entry.path().c_str(), &info) == 0 && now - info.st_mtime > kKeepSeconds) {
      fs::remove_all(entry.path(), error);
    }
  }
}

std::string Cache::ScratchFile(const std::string& suffix) {
  return absl::StrCat(scratch_, "/", next_++, suffix);
}

absl::StatusOr<Artifact> Cache::Make(const std::vector<Argv>& steps,
                                     const Placeholders& placeholders,
                                     const std::vector<std::string>& inputs,
                                     const std::string& version, bool keep) {
  std::string entry;
  if (keep) {
    Key key;
    key.Add("1");  // of what follows
    key.Add(version);
    for (const Argv& step : steps) key.Add(absl::StrJoin(step, "\0"));
    for (const auto& [name, values] : placeholders.lists) {
      key.Add(absl::StrCat(name, "=", absl::StrJoin(values, " ")));
    }
    for (const std::string& input : inputs) {
      const absl::StatusOr<std::vector<uint8_t>> bytes = aotc::ReadFile(input);
      if (!bytes.ok()) return bytes.status();
      key.Add(fs::path(input).filename().string());
      key.Add({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    }
    entry = absl::StrCat(folder_, "/", key.Finish());
    if (absl::StatusOr<Artifact> old = ReadEntry(entry); old.ok()) return old;
  }

  const std::string directory = ScratchFile("");
  std::error_code error;
  if (!fs::create_directory(directory, error)) {
    return absl::UnavailableError(absl::StrCat(directory, ": ", error.message()));
  }
  Placeholders all = placeholders;
  all.words["dir"] = directory;
  all.words["out"] = directory + "/out";
  absl::StatusOr<Artifact> artifact = RunSteps(steps, all);
  if (!artifact.ok() || !keep) return artifact;

  const nlohmann::json made = {{"seconds", artifact->seconds},
                               {"peak_bytes", artifact->peak_bytes}};
  if (absl::Status s = aotc::WriteFile(directory + "/made.json", made.dump()); !s.ok()) return s;
  fs::remove_all(entry, error);  // a damaged one
  fs::rename(directory, entry, error);
  if (!error) artifact->file = entry + "/out";
  return artifact;
}

}  // namespace precast::bench
