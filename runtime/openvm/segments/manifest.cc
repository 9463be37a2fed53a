// The manifest of a directory of segments as JSON.
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "loader/format/json_text.h"
#include "loader/format/sha256.h"
#include "nlohmann/json.hpp"
#include "openvm/metering_json.h"
#include "runtime/openvm/segments/chain.h"

namespace precast::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "precast-segments";
constexpr uint32_t kVersion = 1;

// Of the manifest without its digest.
std::string DigestOf(const Json& root) {
  const std::string text = root.dump(-1, ' ', false, Json::error_handler_t::replace);
  return HexOf(format::Sha256::Hash(
      absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size())));
}

class Reader {
 public:
  const Json* Find(const Json& object, const char* key, const std::string& path) {
    if (object.is_object()) {
      auto it = object.find(key);
      if (it != object.end()) return &*it;
    }
    Fail(absl::StrCat(path, key), "a value", "nothing");
    return nullptr;
  }
  uint64_t Number(const Json& object, const char* key, uint64_t most, const std::string& path) {
    const Json* value = Find(object, key, path);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned() || value->get<uint64_t>() > most) {
      Fail(absl::StrCat(path, key), absl::StrFormat("an integer from 0 to %d", most), Dump(*value));
      return 0;
    }
    return value->get<uint64_t>();
  }
  std::string Text(const Json& object, const char* key, const std::string& path) {
    const Json* value = Find(object, key, path);
    if (value == nullptr) return "";
    if (!value->is_string()) {
      Fail(absl::StrCat(path, key), "a string", Dump(*value));
      return "";
    }
    return value->get<std::string>();
  }
  std::string Hex(const Json& object, const char* key, const std::string& path) {
    const std::string text = Text(object, key, path);
    std::string bytes;
    if (!absl::HexStringToBytes(text, &bytes)) {
      Fail(absl::StrCat(path, key), "hexadecimal digits", text);
      return "";
    }
    return bytes;
  }
  MemoryDigest Digest(const Json& object, const char* key, const std::string& path) {
    const std::string bytes = Hex(object, key, path);
    MemoryDigest digest = {};
    if (bytes.size() != digest.size()) {
      Fail(absl::StrCat(path, key), "32 bytes", absl::StrCat(bytes.size()));
      return digest;
    }
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
  }
  void Fail(std::string_view path, std::string_view expected, std::string_view actual) {
    if (!status.ok()) return;
    status = ChainFault(
        ChainError::kMalformed,
        absl::StrFormat("manifest.json: %s: expected %s, actual %s", path, expected, actual));
  }
  static std::string Dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60);
  }

  absl::Status status;
};

}  // namespace

std::string ManifestToJson(const Manifest& m) {
  Json segments = Json::array();
  for (const ChainSegment& s : m.segments) {
    segments.push_back({{"first_instruction", s.metered.first_instruction},
                        {"instructions", s.metered.instructions},
                        {"initial_pc", s.initial_pc},
                        {"final_pc", s.final_pc},
                        {"initial_root", HexOf(s.initial_root)},
                        {"final_root", HexOf(s.final_root)},
                        {"heights", s.metered.heights}});
  }
  Json root = {{"format", kFormat},
               {"version", kVersion},
               {"program_guid", m.program_guid},
               {"program_commit", HexOf(m.program_commit)},
               {"machine", m.machine},
               {"entry_pc", m.entry_pc},
               {"hash", m.hash},
               {"memory_bits", m.memory_bits},
               {"exit_code", m.exit_code},
               {"public_values", absl::BytesToHexString(m.public_values)},
               {"segments", std::move(segments)},
               {"metering", Json::parse(precast::openvm::MeteringToJson(m.metering))}};
  root["digest"] = DigestOf(root);
  return absl::StrCat(root.dump(1, ' ', false, Json::error_handler_t::replace), "\n");
}

absl::StatusOr<Manifest> ManifestFromJson(std::string_view text) {
  absl::StatusOr<Json> parsed = format::ParseJson(text);
  if (!parsed.ok()) {
    return ChainFault(ChainError::kMalformed,
                      absl::StrCat("manifest.json: ", parsed.status().message()));
  }
  Json& root = *parsed;
  if (!root.is_object())
    return ChainFault(ChainError::kMalformed, "manifest.json: expected a JSON object");
  Reader in;
  if (const std::string format = in.Text(root, "format", ""); format != kFormat)
    in.Fail("format", kFormat, format);
  if (const uint64_t version = in.Number(root, "version", UINT32_MAX, ""); version != kVersion)
    in.Fail("version", absl::StrCat(kVersion), absl::StrCat(version));
  const std::string digest = in.Text(root, "digest", "");
  if (!in.status.ok()) return in.status;
  root.erase("digest");
  if (const std::string actual = DigestOf(root); actual != digest) {
    return ChainFault(
        ChainError::kDamaged,
        absl::StrFormat("manifest.json: digest: expected %s, actual %s", digest, actual));
  }

  Manifest m;
  m.program_guid = in.Text(root, "program_guid", "");
  m.program_commit = in.Digest(root, "program_commit", "");
  m.machine = in.Text(root, "machine", "");
  m.entry_pc = static_cast<uint32_t>(in.Number(root, "entry_pc", UINT32_MAX, ""));
  m.hash = in.Text(root, "hash", "");
  m.memory_bits = static_cast<uint32_t>(in.Number(root, "memory_bits", 32, ""));
  if (m.memory_bits < 12) in.Fail("memory_bits", "12 to 32", absl::StrCat(m.memory_bits));
  m.exit_code = static_cast<uint32_t>(in.Number(root, "exit_code", UINT32_MAX, ""));
  m.public_values = in.Hex(root, "public_values", "");
  const Json* metering = in.Find(root, "metering", "");
  const Json* segments = in.Find(root, "segments", "");
  if (!in.status.ok()) return in.status;
  precast::openvm::Config machine;
  auto config = precast::openvm::MeteringFromJson(metering->dump(),
                                                  precast::openvm::DefaultMetering(machine));
  if (!config.ok()) {
    return ChainFault(ChainError::kMalformed,
                      absl::StrCat("manifest.json: metering: ", config.status().message()));
  }
  m.metering = *std::move(config);
  if (!segments->is_array() || segments->empty())
    in.Fail("segments", "an array that is not empty", Reader::Dump(*segments));
  for (size_t i = 0; i < segments->size() && in.status.ok(); ++i) {
    const Json& json = (*segments)[i];
    const std::string path = absl::StrFormat("segments[%d].", i);
    ChainSegment s;
    constexpr uint64_t kMost = uint64_t{1} << 62;
    s.metered.first_instruction = in.Number(json, "first_instruction", kMost, path);
    s.metered.instructions = in.Number(json, "instructions", kMost, path);
    s.initial_pc = static_cast<uint32_t>(in.Number(json, "initial_pc", UINT32_MAX, path));
    s.final_pc = static_cast<uint32_t>(in.Number(json, "final_pc", UINT32_MAX, path));
    s.initial_root = in.Digest(json, "initial_root", path);
    s.final_root = in.Digest(json, "final_root", path);
    const Json* heights = in.Find(json, "heights", path);
    if (heights == nullptr) break;
    if (!heights->is_array() || heights->size() != m.metering.chips.size()) {
      in.Fail(absl::StrCat(path, "heights"),
              absl::StrFormat("an array of %d numbers", m.metering.chips.size()),
              Reader::Dump(*heights));
      break;
    }
    for (const Json& height : *heights) {
      if (!height.is_number_unsigned() || height.get<uint64_t>() > UINT32_MAX)
        in.Fail(absl::StrCat(path, "heights"), "integers from 0 to 2^32 - 1", Reader::Dump(height));
      s.metered.heights.push_back(in.status.ok() ? height.get<uint32_t>() : 0);
    }
    m.segments.push_back(std::move(s));
  }
  if (!in.status.ok()) return in.status;
  return m;
}

}  // namespace precast::runtime
