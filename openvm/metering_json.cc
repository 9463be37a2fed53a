#include "openvm/metering_json.h"

#include <limits>
#include <set>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "loader/format/json_text.h"
#include "nlohmann/json.hpp"

namespace precast::openvm {
namespace {

using Json = nlohmann::ordered_json;

absl::Status Unexpected(std::string_view path, std::string_view expected, const Json& actual) {
  std::string text = actual.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 40) text = absl::StrCat(text.substr(0, 40), "...");
  return absl::InvalidArgumentError(
      absl::StrFormat("%s: expected %s, actual %s", path, expected, text));
}

// Reads the fields of one object. The first error stays.
class Fields {
 public:
  Fields(const Json& object, std::string path, absl::Status& status)
      : object_(object), path_(std::move(path)), status_(status) {
    if (!object.is_object()) Fail(path_.empty() ? "file" : path_, "an object", object);
  }
  // Complains about fields that nobody has asked for.
  ~Fields() {
    if (!object_.is_object()) return;
    for (const auto& [key, value] : object_.items()) {
      if (asked_.count(key) == 0) Fail(PathOf(key), "no such field", value);
    }
  }
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // Null if it is not there.
  const Json* Find(const char* key) {
    asked_.insert(key);
    if (!object_.is_object()) return nullptr;
    auto it = object_.find(key);
    return it == object_.end() ? nullptr : &*it;
  }
  template <typename T>
  void Number(const char* key, T& value) {
    static_assert(std::is_unsigned_v<T>);
    const Json* found = Find(key);
    if (found == nullptr) return;
    constexpr uint64_t kMost = std::numeric_limits<T>::max();
    if (!found->is_number_unsigned() || found->get<uint64_t>() > kMost) {
      Fail(PathOf(key), absl::StrFormat("an integer from 0 to %d", kMost), *found);
      return;
    }
    value = static_cast<T>(found->get<uint64_t>());
  }
  void Boolean(const char* key, bool& value) {
    const Json* found = Find(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) {
      Fail(PathOf(key), "true or false", *found);
      return;
    }
    value = found->get<bool>();
  }
  void Text(const char* key, std::string& value) {
    const Json* found = Find(key);
    if (found == nullptr) return;
    if (!found->is_string()) {
      Fail(PathOf(key), "a string", *found);
      return;
    }
    value = found->get<std::string>();
  }
  void Fail(std::string_view path, std::string_view expected, const Json& actual) {
    if (status_.ok()) status_ = Unexpected(path, expected, actual);
  }
  std::string PathOf(std::string_view key) const {
    return path_.empty() ? std::string(key) : absl::StrCat(path_, ".", key);
  }

 private:
  const Json& object_;
  const std::string path_;
  absl::Status& status_;
  std::set<std::string, std::less<>> asked_;
};

Chip ReadChip(const Json& json, const std::string& path, absl::Status& status) {
  Chip chip;
  Fields in(json, path, status);
  if (in.Find("name") == nullptr) in.Fail(in.PathOf("name"), "a string", nullptr);
  in.Text("name", chip.name);
  in.Number("width", chip.width);
  in.Number("interactions", chip.interactions);
  in.Boolean("next_row", chip.next_row);
  in.Number("constraint_cells", chip.constraint_cells);
  if (const Json* height = in.Find("constant_height"); height != nullptr && !height->is_null()) {
    uint32_t value = 0;
    in.Number("constant_height", value);
    chip.constant_height = value;
  }
  return chip;
}

void ReadModel(const Json& json, MemoryModel& m, absl::Status& status) {
  Fields in(json, "memory_model", status);
  in.Number("base_field_bytes", m.base_field_bytes);
  in.Number("extension_degree", m.extension_degree);
  in.Number("digest_bytes", m.digest_bytes);
  in.Number("log_blowup", m.log_blowup);
  in.Number("l_skip", m.l_skip);
  in.Number("log_stacked_height", m.log_stacked_height);
  in.Number("k_whir", m.k_whir);
  in.Number("max_constraint_degree", m.max_constraint_degree);
  in.Boolean("cache_stacked_matrix", m.cache_stacked_matrix);
  in.Boolean("cache_rs_code_matrix", m.cache_rs_code_matrix);
  in.Boolean("zerocheck_save_memory", m.zerocheck_save_memory);
}

void ReadRoot(const Json& root, MeteringConfig& config, absl::Status& status) {
  Fields in(root, "", status);
  std::string schema;
  in.Text("$schema", schema);  // for editors
  std::string boundary = config.chips[config.boundary].name;
  std::string merkle = config.chips[config.merkle].name;
  std::string poseidon2 = config.chips[config.poseidon2].name;
  if (const Json* chips = in.Find("chips")) {
    if (!chips->is_array()) {
      in.Fail("chips", "an array", *chips);
      return;
    }
    config.chips.clear();
    for (size_t i = 0; i < chips->size(); ++i)
      config.chips.push_back(ReadChip((*chips)[i], absl::StrFormat("chips[%d]", i), status));
  }
  in.Text("boundary", boundary);
  in.Text("merkle", merkle);
  in.Text("poseidon2", poseidon2);
  auto find = [&](const char* field, const std::string& name, uint32_t& index) {
    if (const std::optional<uint32_t> found = config.FindChip(name)) {
      index = *found;
    } else {
      in.Fail(field, "the name of a chip in \"chips\"", name);
    }
  };
  find("boundary", boundary, config.boundary);
  find("merkle", merkle, config.merkle);
  find("poseidon2", poseidon2, config.poseidon2);
  in.Number("tree_height", config.tree_height);
  in.Number("max_height_bits", config.max_height_bits);
  in.Number("max_memory", config.max_memory);
  in.Number("max_interactions", config.max_interactions);
  in.Number("check_interval", config.check_interval);
  in.Number("max_cost", config.max_cost);
  if (const Json* model = in.Find("memory_model")) ReadModel(*model, config.memory_model, status);
}

}  // namespace

absl::StatusOr<MeteringConfig> MeteringFromJson(std::string_view text,
                                                const MeteringConfig& defaults) {
  const absl::StatusOr<Json> root = format::ParseJson(text);
  if (!root.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("metering configuration: ", root.status().message()));
  }
  MeteringConfig config = defaults;
  absl::Status status;
  ReadRoot(*root, config, status);
  if (status.ok()) status = Validate(config);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat("metering configuration: ", status.message()));
  }
  return config;
}

std::string MeteringToJson(const MeteringConfig& config) {
  Json chips = Json::array();
  for (const Chip& chip : config.chips) {
    Json json = {{"name", chip.name},
                 {"width", chip.width},
                 {"interactions", chip.interactions},
                 {"next_row", chip.next_row},
                 {"constraint_cells", chip.constraint_cells}};
    if (chip.constant_height.has_value()) json["constant_height"] = *chip.constant_height;
    chips.push_back(std::move(json));
  }
  const MemoryModel& m = config.memory_model;
  const Json root = {
      {"chips", std::move(chips)},
      {"boundary", config.chips[config.boundary].name},
      {"merkle", config.chips[config.merkle].name},
      {"poseidon2", config.chips[config.poseidon2].name},
      {"tree_height", config.tree_height},
      {"max_height_bits", config.max_height_bits},
      {"max_memory", config.max_memory},
      {"max_interactions", config.max_interactions},
      {"check_interval", config.check_interval},
      {"max_cost", config.max_cost},
      {"memory_model",
       {{"base_field_bytes", m.base_field_bytes},
        {"extension_degree", m.extension_degree},
        {"digest_bytes", m.digest_bytes},
        {"log_blowup", m.log_blowup},
        {"l_skip", m.l_skip},
        {"log_stacked_height", m.log_stacked_height},
        {"k_whir", m.k_whir},
        {"max_constraint_degree", m.max_constraint_degree},
        {"cache_stacked_matrix", m.cache_stacked_matrix},
        {"cache_rs_code_matrix", m.cache_rs_code_matrix},
        {"zerocheck_save_memory", m.zerocheck_save_memory}}},
  };
  return absl::StrCat(root.dump(2), "\n");
}

}  // namespace precast::openvm
