// What the schema says of each field is what reading a configuration accepts, no less and no more.
#include "openvm/metering_schema.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "openvm/metering_json.h"

namespace precast::openvm {
namespace {

using Json = nlohmann::ordered_json;

Json Schema() { return Json::parse(kMeteringSchema); }
MeteringConfig Defaults() { return DefaultMetering(Config{}); }
Json DefaultJson() { return Json::parse(MeteringToJson(Defaults())); }
bool Accepts(const Json& config) { return MeteringFromJson(config.dump(), Defaults()).ok(); }

// A place in a configuration, and the schema of what is there.
struct Field {
  Json::json_pointer place;
  Json schema;
};

void Collect(const Json& schema, const Json::json_pointer& place, std::vector<Field>& fields) {
  for (const auto& [name, property] : schema.at("properties").items()) {
    const Json::json_pointer here = place / name;
    if (property.at("type") == "object") {
      Collect(property, here, fields);
    } else if (property.at("type") == "array") {
      // The first chip, which no other field names.
      Collect(property.at("items"), here / size_t{0}, fields);
    } else {
      fields.push_back({here, property});
    }
  }
}

std::vector<Field> Fields() {
  std::vector<Field> fields;
  Collect(Schema(), Json::json_pointer(), fields);
  return fields;
}

// The default configuration, changed at one place.
Json With(const Json::json_pointer& place, const Json& value) {
  Json config = DefaultJson();
  config[place] = value;
  return config;
}

bool IsA(const Field& field, const char* type) {
  const Json& types = field.schema.at("type");
  return types == type || (types.is_array() && types[0] == type);
}

TEST(MeteringSchema, HasEveryFieldAndNoOther) {
  const Json config = DefaultJson();
  Json without_optional = config;
  size_t optional = 0;
  for (const Field& field : Fields()) {
    const std::string place = field.place.to_string();
    // Not written if they say nothing.
    const bool may_lack = place == "/$schema" || place == "/chips/0/constant_height";
    optional += may_lack;
    EXPECT_TRUE(may_lack || config.contains(field.place)) << place;
  }
  EXPECT_EQ(optional, 2u);
  // One chip: /chips/0 has the same fields as the others.
  Json one = config;
  one["chips"] = Json::array({config["chips"][0]});
  std::vector<std::string> in_schema;
  for (const Field& field : Fields()) in_schema.push_back(field.place.to_string());
  const Json flat = one.flatten();
  for (const auto& [place, value] : flat.items())
    EXPECT_THAT(in_schema, ::testing::Contains(place));
}

TEST(MeteringSchema, LimitsAreThoseOfTheReader) {
  for (const Field& field : Fields()) {
    if (!IsA(field, "integer")) continue;
    const std::string place = field.place.to_string();
    const auto least = field.schema.at("minimum").get<uint64_t>();
    const auto most = field.schema.at("maximum").get<uint64_t>();
    EXPECT_TRUE(Accepts(With(field.place, least))) << place;
    EXPECT_TRUE(Accepts(With(field.place, most))) << place;
    EXPECT_FALSE(Accepts(With(field.place, static_cast<int64_t>(least) - 1))) << place;
    if (most != UINT64_MAX) {
      EXPECT_FALSE(Accepts(With(field.place, most + 1))) << place;
    }
    EXPECT_FALSE(Accepts(With(field.place, 1.5))) << place;
  }
}

TEST(MeteringSchema, TypesAreThoseOfTheReader) {
  for (const Field& field : Fields()) {
    const std::string place = field.place.to_string();
    EXPECT_FALSE(Accepts(With(field.place, Json::array()))) << place;
    EXPECT_EQ(Accepts(With(field.place, true)), IsA(field, "boolean")) << place;
    EXPECT_EQ(Accepts(With(field.place, nullptr)),
              field.schema.at("type") == Json({"integer", "null"}))
        << place;
    if (IsA(field, "string")) {
      EXPECT_FALSE(Accepts(With(field.place, 1))) << place;
    }
  }
}

TEST(MeteringSchema, DefaultsAreThoseOfTheMachine) {
  const Json config = DefaultJson();
  for (const Field& field : Fields()) {
    const std::string place = field.place.to_string();
    if (place.rfind("/chips/", 0) == 0 || !field.schema.contains("default")) continue;
    EXPECT_EQ(config.at(field.place), field.schema.at("default")) << place;
  }
}

TEST(MeteringSchema, UnknownFieldsAreRefused) {
  EXPECT_EQ(Schema().at("additionalProperties"), false);
  EXPECT_FALSE(Accepts(With(Json::json_pointer("/max_hights"), 1)));
  EXPECT_FALSE(Accepts(With(Json::json_pointer("/memory_model/skip"), 1)));
  EXPECT_FALSE(Accepts(With(Json::json_pointer("/chips/0/rows"), 1)));
}

}  // namespace
}  // namespace precast::openvm
