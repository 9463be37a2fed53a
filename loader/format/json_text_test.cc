#include "loader/format/json_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace precast::format {
namespace {

std::string ErrorOf(std::string_view text) {
  const auto json = ParseJson(text);
  return json.ok() ? "" : std::string(json.status().message());
}

std::string Nested(size_t depth) {
  return absl::StrCat(std::string(depth, '['), std::string(depth, ']'));
}

TEST(JsonText, KeepsTheOrder) {
  const auto json = ParseJson(R"({"b": [1, -2, 0.5, null, true], "a": {"b": "x"}, "c": {"b": 1}})");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->dump(), R"({"b":[1,-2,0.5,null,true],"a":{"b":"x"},"c":{"b":1}})");
}

TEST(JsonText, SaysWhereItIsWrong) {
  EXPECT_EQ(ErrorOf("{\n  \"a\": ]\n}"), "line 2, column 8: expected JSON");
  EXPECT_NE(ErrorOf(""), "");
  EXPECT_NE(ErrorOf("{"), "");
  EXPECT_NE(ErrorOf("\xff\n\x01"), "");
  EXPECT_NE(ErrorOf(std::string_view("\0", 1)), "");
  EXPECT_NE(ErrorOf("{} {}"), "");
  EXPECT_NE(ErrorOf("\"\xc0\""), "");
}

TEST(JsonText, HasLimits) {
  EXPECT_EQ(ErrorOf(Nested(kMaxJsonDepth)), "");
  EXPECT_EQ(ErrorOf(Nested(kMaxJsonDepth + 1)), "expected at most 32 levels of nesting");
  // Deep enough to run out of stack in whatever is recursive.
  EXPECT_EQ(ErrorOf(Nested(1000000)), "expected at most 32 levels of nesting");
  EXPECT_EQ(ErrorOf(R"({"a": 1, "b": {"a": 2}, "a": 3})"),
            "expected each key once, \"a\" is there twice");
  std::string many = "{";
  for (size_t i = 0; i < 100000; ++i) absl::StrAppend(&many, i == 0 ? "" : ",", "\"", i, "\":0");
  EXPECT_EQ(ErrorOf(absl::StrCat(many, "}")), "expected at most 1000 keys in an object");
}

}  // namespace
}  // namespace precast::format
