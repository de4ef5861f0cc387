// Windows with reuse next to full ones, for every network that is there; docs/streaming.md has the lines that it
// prints.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "server/metrics/server_metrics.h"
#include "tests/server/overlap/series_runs.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::overlap {
namespace {

using tensor::Shape;
using test_support::IsOk;
using test_support::TestModel;

// The window of a test: 1024 samples where the network takes any number.
Shape WindowOf(const model::LoadedModel& model) {
  Shape window = model.sample_shapes()[0];
  const Shape& declared = model.signature().inputs[0].shape;
  if (declared[declared.rank() - 1] == tensor::kDynamicDim) window[window.rank() - 1] = 1024;
  return window;
}

constexpr int64_t kWindows = 6;

// The largest difference between the windows of `series` and the model's own answers.
double LargestDifference(const OverlapRunner& runner, const model::LoadedModel& model, const SeriesReuse& series) {
  const Shape& window = series.plan().split.window;
  const int64_t hop = series.plan().hop;
  const RandomSeries samples(window, series.plan().split.window_samples() + kWindows * hop, 1);
  execution::ExecutionContext context;
  double difference = 0;
  for (int64_t n = 0; n <= kWindows; ++n) {
    const tensor::Tensor values = samples.Window(n * hop);
    const tensor::Tensor ticket = series.Tickets(n * hop);
    const auto got = RunBatch(runner, context, {values.view(), ticket.view()});
    const auto want = RunBatch(model, context, {values.view()});
    EXPECT_TRUE(got.ok() && want.ok()) << got.status() << want.status();
    if (!got.ok() || !want.ok()) break;
    difference = std::max(difference, RelativeDifference(*got, *want));
  }
  return difference;
}

// "8 + 22" of each stage.
std::string Strips(const ReusePlan& plan) {
  std::string text;
  for (const Stage& stage : plan.stages) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", stage.left_samples, " + ", stage.right_samples);
  }
  return text;
}

class ZooReuse : public testing::TestWithParam<TestModel> {
 protected:
  void SetUp() override {
    const auto loaded = model::LoadForTest(GetParam().model_file);
    ASSERT_THAT(loaded, IsOk());
    model_ = *loaded;
    window_ = WindowOf(*model_);
    const absl::StatusOr<LocalPrefix> split = SplitAtTime(model_->network(), window_);
    if (split.ok()) alignment_ = split->alignment;
    runner_ = std::make_unique<OverlapRunner>(model_, &counts_, OverlapRunner::Options{});
  }

  // Series of that hop ran, and reused what they could.
  void ExpectReuse(const SeriesReuse& series) {
    EXPECT_EQ(counts_.stream_verify_mismatches->Value(), 0);
    EXPECT_EQ(counts_.stream_reused_samples->Value(), static_cast<double>(kWindows * series.plan().reused_samples()));
  }

  metrics::ServerMetrics metrics_;
  const metrics::ModelMetrics& counts_ = metrics_.ForModel("model", "1");
  std::shared_ptr<const model::LoadedModel> model_;
  Shape window_;
  int64_t alignment_ = 1;
  std::unique_ptr<OverlapRunner> runner_;
};

TEST_P(ZooReuse, WindowsAreWhatTheModelMakesOfThem) {
  const int64_t hop = std::lcm(int64_t{16}, 2 * alignment_);
  const std::string head = absl::StrFormat("| `%s` | %d | %d |", GetParam().name, window_[window_.rank() - 1], hop);
  const absl::StatusOr<std::unique_ptr<SeriesReuse>> series = runner_->Open(window_, hop);
  if (!series.ok()) {
    std::printf("%s full windows: %s | | |\n", head.c_str(), std::string(series.status().message()).c_str());
    EXPECT_EQ(series.status().code(), absl::StatusCode::kFailedPrecondition) << series.status();
    return;
  }
  const double difference = LargestDifference(*runner_, *model_, **series);
  EXPECT_LE(difference, 2e-5);
  ExpectReuse(**series);
  const ReusePlan& plan = (*series)->plan();
  std::printf("%s %s | %s | %.1f %% | %s |\n", head.c_str(), plan.split.end.c_str(), Strips(plan).c_str(),
              100 * plan.share, difference == 0 ? "to the bit" : absl::StrFormat("%.1e", difference).c_str());
}

// Kernels that take positions in pairs pair them otherwise in every second window.
TEST_P(ZooReuse, HopsOfAnOddNumberOfPositionsStayWithinTheTolerance) {
  const absl::StatusOr<std::unique_ptr<SeriesReuse>> series = runner_->Open(window_, 15 * alignment_);
  if (!series.ok()) GTEST_SKIP() << series.status();
  EXPECT_LE(LargestDifference(*runner_, *model_, **series), 2e-5);
  ExpectReuse(**series);
}

std::vector<TestModel> SeriesModels() {
  std::vector<TestModel> models = test_support::PromisedModels();
  // Streams take one series of samples.
  std::erase_if(models, [](const TestModel& model) { return model.name == "multi_io" || model.name == "resnet2d"; });
  return models;
}

INSTANTIATE_TEST_SUITE_P(Models, ZooReuse, testing::ValuesIn(SeriesModels()), test_support::TestSuffix);

}  // namespace
}  // namespace stillwave::overlap
