#include "client/json_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace stillwave::client {
namespace {

using testing::HasSubstr;

TEST(JsonOutput, PrintsARowWithItsPredictionAndOutputs) {
  const ResultRow row{
      .index = 1, .samples = SampleRange{90, 179}, .outputs = {{"y", "FP32", {2}, {static_cast<double>(0.1f), 0.9f}}}};
  EXPECT_EQ(WindowJson(row, {.labels = {"a", "b"}, .sample_rate_hz = 90}),
            R"({"window":1,"first_sample":90,"last_sample":179,"start_seconds":1.0,"end_seconds":2.0,"class":1,)"
            R"("label":"b","probability":0.8999999761581421,)"
            R"("outputs":{"y":{"datatype":"FP32","shape":[2],"values":[0.1,0.9]}}})");
}

TEST(JsonOutput, PrintsWholeNumbersAndBooleansAsSuch) {
  const ResultRow row{.outputs = {{"i", "INT64", {1}, {7}}, {"b", "BOOL", {1}, {1}}}};
  EXPECT_EQ(InferJson("m", "2", {row}, {}),
            R"({"model":"m","version":"2","rows":[{"row":0,"outputs":{"i":{"datatype":"INT64","shape":[1],)"
            R"("values":[7]},"b":{"datatype":"BOOL","shape":[1],"values":[true]}}}]})");
}

TEST(JsonOutput, PrintsNullForWhatJsonCannotSay) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const ResultRow row{.outputs = {{"y", "FP32", {2}, {nan, infinity}}, {"z", "FP64", {1}, {-infinity}}}};
  EXPECT_THAT(WindowJson(row, {}), HasSubstr(R"("values":[null,null])"));
}

TEST(JsonOutput, ReplacesBytesThatAreNotUtf8) {
  EXPECT_THAT(OpenedJson({.model_name = "a\xff"}), HasSubstr("\"model\":\"a\xef\xbf\xbd\""));
}

TEST(JsonOutput, TellsTheLinesOfAStreamApartByTheirFirstKey) {
  EXPECT_EQ(
      OpenedJson({"m", "1", 180, 90, 2, 0.5, "kept"}),
      R"({"opened":{"model":"m","version":"1","window_length":180,"hop":90,"channels":2,"recomputed_share":0.5,"overlap":"kept"}})");
  EXPECT_EQ(GapJson({10, 20, 3}), R"({"gap":{"expected_sample":10,"received_sample":20,"discarded_samples":3}})");
  EXPECT_EQ(SummaryJson({.windows = 10,
                         .gaps = 1,
                         .samples_sent = 100,
                         .bytes_sent = 400,
                         .partial_samples = 5,
                         .elapsed = absl::Seconds(2),
                         .sample_rate_hz = 25,
                         .resumed = 3,
                         .interrupted = true}),
            R"({"summary":{"windows":10,"gaps":1,"samples_sent":100,"bytes_sent":400,"partial_samples":5,)"
            R"("seconds":2.0,"windows_per_second":5.0,"samples_per_second":50.0,"real_time_factor":2.0,"resumed":3,)"
            R"("interrupted":true}})");
}

TEST(JsonOutput, PrintsModelsAndHealth) {
  const IndexEntry refused{"m", "1", "UNAVAILABLE", "bad file"};
  EXPECT_EQ(ModelsJson({{refused, {}}}),
            R"({"models":[{"name":"m","version":"1","ready":false,"state":"UNAVAILABLE","reason":"bad file",)"
            R"("platform":"","inputs":[],"outputs":[]}]})");
  const ModelInfo info{"m", {"1"}, "onnx", {{"x", "FP32", {-1, 1, -1}}}, {{"y", "FP32", {-1, 3}}}};
  EXPECT_THAT(ModelsJson({{{"m", "1", "READY", ""}, info}}),
              HasSubstr(R"("inputs":[{"name":"x","datatype":"FP32","shape":[-1,1,-1]}])"));
  EXPECT_EQ(HealthJson({"h:1", {"stillwave", "0.1", {}}, true, false, {}, false}),
            R"({"server":"h:1","name":"stillwave","version":"0.1","live":true,"ready":false,"serving":false,)"
            R"("models":[]})");
}

}  // namespace
}  // namespace stillwave::client
