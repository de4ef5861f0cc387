#include "server/metrics/server_metrics.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::metrics {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::set<std::string> Names(const std::string& text) {
  std::set<std::string> names;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() == 4 && words[1] == "TYPE") names.insert(words[2]);
  }
  return names;
}

TEST(ServerMetricsTest, ExposesEveryMetricOfALoadedModel) {
  ServerMetrics metrics;
  metrics.ForModel("ecg", "1");
  metrics.SetModelInfo("ecg", "1", "abc", "fp32", "primitive");
  metrics.SetModelReady("ecg", "1", true);
  metrics.SetLoadDuration("ecg", "1", absl::Seconds(1));
  metrics.CountLoad("ecg", LoadResult::kReady);
  metrics.SetRepositoryReadable(true);
  const std::set<std::string> names = Names(metrics.Text());
  for (const char* name : {"requests_total",
                           "request_duration_seconds",
                           "queue_duration_seconds",
                           "compute_duration_seconds",
                           "samples_total",
                           "not_finite_samples_total",
                           "batch_samples",
                           "batches_total",
                           "queue_samples",
                           "rejections_total",
                           "streams",
                           "stream_series",
                           "stream_series_bytes",
                           "stream_windows_total",
                           "stream_window_duration_seconds",
                           "stream_computed_samples_total",
                           "stream_reused_samples_total",
                           "stream_verify_mismatches_total",
                           "model_info",
                           "model_ready",
                           "model_load_duration_seconds",
                           "plan_compile_duration_seconds",
                           "drift_samples_total",
                           "drift_dropped_samples_total",
                           "model_loads_total",
                           "repository_readable"}) {
    EXPECT_THAT(names, Contains(absl::StrCat("stillwave_", name)));
  }
  EXPECT_THAT(names, Contains("process_cpu_seconds_total"));
}

TEST(ServerMetricsTest, CountsARequestUnderItsMethodAndCode) {
  ServerMetrics metrics;
  const ModelMetrics& model = metrics.ForModel("ecg", "1");
  model.CountRequest(Method::kModelInfer, absl::StatusCode::kOk, absl::Milliseconds(2));
  model.CountRequest(Method::kModelInfer, absl::StatusCode::kResourceExhausted, absl::Milliseconds(2));
  model.CountRequest(Method::kStreamWindows, absl::StatusCode::kOk, absl::Hours(1));
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("stillwave_requests_total{code=\"OK\",method=\"ModelInfer\",model=\"ecg\","
                              "version=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("stillwave_requests_total{code=\"RESOURCE_EXHAUSTED\",method=\"ModelInfer\","
                              "model=\"ecg\",version=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("stillwave_requests_total{code=\"OK\",method=\"StreamWindows\",model=\"ecg\","
                              "version=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("stillwave_request_duration_seconds_count{method=\"ModelInfer\",model=\"ecg\","
                              "version=\"1\"} 2"));
  EXPECT_THAT(text, Not(HasSubstr("stillwave_request_duration_seconds_count{method=\"StreamWindows\"")));
}

TEST(ServerMetricsTest, ACodeThatIsNoCanonicalOneCountsAsUnknown) {
  ServerMetrics metrics;
  const ModelMetrics& model = metrics.ForModel("ecg", "1");
  model.CountRequest(Method::kModelInfer, static_cast<absl::StatusCode>(99), absl::ZeroDuration());
  EXPECT_EQ(model.requests[0][static_cast<size_t>(absl::StatusCode::kUnknown)]->Value(), 1);
}

TEST(ServerMetricsTest, ABatchCountsItsReasonItsSizeAndItsSamples) {
  ServerMetrics metrics;
  metrics.ForModel("ecg", "1").CountBatch(BatchReason::kFull, 8);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("stillwave_batches_total{model=\"ecg\",reason=\"full\",version=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("stillwave_samples_total{model=\"ecg\",version=\"1\"} 8"));
  EXPECT_THAT(text, HasSubstr("stillwave_batch_samples_sum{model=\"ecg\",version=\"1\"} 8"));
}

TEST(ServerMetricsTest, ARequestForNoModelHasEmptyLabelsAndNoModelState) {
  ServerMetrics metrics;
  metrics.unknown_model().CountRequest(Method::kModelInfer, absl::StatusCode::kNotFound, absl::ZeroDuration());
  metrics.unknown_model().CountRejection(Rejection::kTooManyStreams);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("{code=\"NOT_FOUND\",method=\"ModelInfer\",model=\"\",version=\"\"} 1"));
  EXPECT_THAT(text, HasSubstr("stillwave_rejections_total{model=\"\",reason=\"too_many_streams\",version=\"\"} 1"));
  // An alert on model_ready == 0 must not see a model without a name.
  EXPECT_THAT(text, Not(HasSubstr("stillwave_model_ready")));
}

TEST(ServerMetricsTest, TheSameModelGivesTheSameChildren) {
  ServerMetrics metrics;
  const ModelMetrics& first = metrics.ForModel("ecg", "1");
  EXPECT_EQ(&first, &metrics.ForModel("ecg", "1"));
  EXPECT_NE(&first, &metrics.ForModel("ecg", "2"));
}

TEST(ServerMetricsTest, ModelInfoSaysOnlyWhatHoldsNow) {
  ServerMetrics metrics;
  metrics.SetModelInfo("ecg", "1", "old", "fp32", "primitive");
  metrics.SetModelInfo("ecg", "1", "new", "fp32", "folded");
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_model_info{batchnorm=\"folded\",model=\"ecg\",precision=\"fp32\","
                                        "sha256=\"new\",version=\"1\"} 1"));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("sha256=\"old\"")));
  metrics.RemoveVersion("ecg", "1");
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("stillwave_model_info")));
}

TEST(ServerMetricsTest, AVersionThatIsNotListedAnyMoreHasNoState) {
  ServerMetrics metrics;
  metrics.SetModelReady("ecg", "1", true);
  metrics.SetModelReady("ecg", "2", false);
  metrics.SetLoadDuration("ecg", "2", absl::Milliseconds(250));
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_model_ready{model=\"ecg\",version=\"2\"} 0"));
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_model_load_duration_seconds{model=\"ecg\",version=\"2\"} 0.25"));
  metrics.RemoveVersion("ecg", "2");
  metrics.RemoveVersion("ecg", "3");  // never listed
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_model_ready{model=\"ecg\",version=\"1\"} 1"));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("version=\"2\"")));
}

TEST(ServerMetricsTest, LoadsAreCountedByModelUntilTheModelIsGone) {
  ServerMetrics metrics;
  metrics.CountLoad("ecg", LoadResult::kReady);
  metrics.CountLoad("ecg", LoadResult::kReady);
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_model_loads_total{model=\"ecg\",result=\"ready\"} 2"));
  // There from the first load on, so that a rate sees the first refusal.
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_model_loads_total{model=\"ecg\",result=\"refused\"} 0"));
  metrics.RemoveModel("ecg");
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("stillwave_model_loads_total")));
}

TEST(ServerMetricsTest, SeriesOfASharedVersionGoWithItsLastHolder) {
  ServerMetrics metrics;
  auto first = metrics.ShareModel("ecg", "1");
  first->CountRequest(Method::kModelInfer, absl::StatusCode::kOk, absl::Milliseconds(2));
  first->CountBatch(BatchReason::kFull, 8);
  auto second = metrics.ShareModel("ecg", "1");
  EXPECT_EQ(first, second);
  first.reset();
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_samples_total{model=\"ecg\",version=\"1\"} 8"))
      << "a version that is loaded again goes on counting";
  second.reset();
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("ecg"))) << "not one series is left";
  const auto anew = metrics.ShareModel("ecg", "1");
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_samples_total{model=\"ecg\",version=\"1\"} 0"));
}

TEST(ServerMetricsTest, VersionAfterVersionTakesNoMoreSpace) {
  ServerMetrics metrics;
  const auto size_with = [&](int version) {
    const auto held = metrics.ShareModel("ecg", absl::StrCat(version));
    return metrics.Text().size();
  };
  const size_t once = size_with(100);
  for (int version = 101; version < 150; ++version) size_with(version);
  EXPECT_LT(size_with(150), once + 100);
}

TEST(ServerMetricsTest, PromtoolFindsNothingToComplainAbout) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not on PATH";
  ServerMetrics metrics;
  const ModelMetrics& model = metrics.ForModel("a \"quoted\\ name\n", "1");
  metrics.SetModelInfo("ecg", "1", "abc", "fp32", "primitive");
  model.CountRequest(Method::kModelInfer, absl::StatusCode::kOk, absl::Microseconds(60));
  model.CountBatch(BatchReason::kIdle, 3);
  const std::string path = absl::StrCat(testing::TempDir(), "stillwave_metrics.txt");
  std::ofstream(path) << metrics.Text();
  EXPECT_EQ(std::system(absl::StrCat("promtool check metrics < '", path, "'").c_str()), 0);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace stillwave::metrics
