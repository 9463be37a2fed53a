#include "loader/format/json_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace precast::format {
namespace {

using Json = nlohmann::ordered_json;

// What the parser calls; `false` ends it.
class Checker {
 public:
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(int64_t) { return true; }
  bool number_unsigned(uint64_t) { return true; }
  bool number_float(double, const std::string&) { return true; }
  bool string(const std::string&) { return true; }
  bool binary(const Json::binary_t&) { return true; }
  bool start_object(size_t) { return Enter(); }
  bool start_array(size_t) { return Enter(); }
  bool end_object() { return Leave(); }
  bool end_array() { return Leave(); }
  bool key(const std::string& name) {
    std::set<std::string>& keys = keys_.back();
    if (!keys.insert(name).second)
      return Fail(absl::StrFormat("expected each key once, \"%s\" is there twice",
                                  absl::CHexEscape(name.substr(0, 60))));
    if (keys.size() > kMaxJsonKeys)
      return Fail(absl::StrCat("expected at most ", kMaxJsonKeys, " keys in an object"));
    return true;
  }
  template <typename Exception>
  bool parse_error(size_t position, const std::string&, const Exception&) {
    position_ = position;
    return Fail("expected JSON");
  }

  const std::string& fault() const { return fault_; }
  // Characters up to the fault, if the parser has said so.
  size_t position() const { return position_; }

 private:
  bool Enter() {
    keys_.emplace_back();
    return keys_.size() <= kMaxJsonDepth ||
           Fail(absl::StrCat("expected at most ", kMaxJsonDepth, " levels of nesting"));
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }
  bool Fail(std::string fault) {
    fault_ = std::move(fault);
    return false;
  }

  std::vector<std::set<std::string>> keys_;  // of the objects (and, empty, arrays) around
  std::string fault_;
  size_t position_ = 0;
};

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text) {
  Checker checker;
  if (!Json::sax_parse(text, &checker)) {
    if (checker.position() == 0) return absl::InvalidArgumentError(checker.fault());
    const std::string_view before = text.substr(0, checker.position() - 1);
    const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    return absl::InvalidArgumentError(absl::StrFormat(
        "line %d, column %d: %s", std::count(before.begin(), before.end(), '\n') + 1,
        before.size() - line_begin + 1, checker.fault()));
  }
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace precast::format
