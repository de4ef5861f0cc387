#include "server/model/folded_layers.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace stillwave::model {
namespace {

using nlohmann::json;
using test_support::IsOk;
using test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The example of docs/drift-metadata.md.
json Example() {
  return json::parse(R"({"layer": "features.1", "channels": 2, "epsilon": 1e-05, "mean": "AACAPwAAAEA=",
    "variance": "AACAPwAAgD8=", "scale": "AACAPwAAgD8=", "shift": "AAAAAAAAAAA="})");
}

TEST(FoldedLayersTest, ReadsTheDocumentsExample) {
  const auto layer = ParseFoldedLayer(Example().dump());
  ASSERT_THAT(layer, IsOk());
  EXPECT_EQ(layer->name, "features.1");
  EXPECT_EQ(layer->epsilon, 1e-5);
  EXPECT_THAT(layer->mean, ElementsAre(1, 2));
  EXPECT_THAT(layer->variance, ElementsAre(1, 1));
  EXPECT_THAT(layer->scale, ElementsAre(1, 1));
  EXPECT_THAT(layer->shift, ElementsAre(0, 0));
}

TEST(FoldedLayersTest, OtherFieldsArePassedOver) {
  json entry = Example();
  entry["made_by"] = {1, 2};
  EXPECT_THAT(ParseFoldedLayer(entry.dump()), IsOk());
}

TEST(FoldedLayersTest, AFieldThatIsWrongIsNamed) {
  const auto refused = [](const char* field, const json& value, const char* rule) {
    json entry = Example();
    entry[field] = value;
    EXPECT_THAT(ParseFoldedLayer(entry.dump()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(rule))) << entry;
    entry.erase(field);
    EXPECT_THAT(ParseFoldedLayer(entry.dump()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(std::string("'") + field + "' must be")));
  };
  refused("layer", 3, "'layer' must be a string");
  refused("layer", "", "'layer' must be 1 to 1024 bytes");
  refused("channels", 0, "'channels' must be an integer from 1");
  refused("channels", 2.0, "'channels' must be an integer from 1");
  refused("channels", 1LL << 40, "'channels' must be an integer from 1");
  refused("channels", 3, "'mean' must be 3 floats, as 'channels' says; has 8 bytes");
  refused("epsilon", -1, "'epsilon' must be a finite number that is not negative");
  refused("epsilon", "1e-5", "'epsilon' must be a finite number");
  refused("mean", {1, 2}, "'mean' must be a string in base64");
  refused("scale", "AACAPw=", "'scale' must be");
  refused("shift", "AADAfwAAAAA=", "'shift' must be finite");                  // NaN, 0
  refused("variance", "AACAvwAAgD8=", "'variance' must be free of negative");  // -1, 1
}

TEST(FoldedLayersTest, WhatIsNoObjectIsRefused) {
  for (const char* text : {"", "{", "[]", "3", "null", "{\"layer\": \"a\"", "\xff"}) {
    EXPECT_THAT(ParseFoldedLayer(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a JSON object")))
        << text;
  }
}

}  // namespace
}  // namespace stillwave::model
