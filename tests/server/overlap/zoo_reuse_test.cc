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

class ZooReuse : public testing::TestWithParam<TestModel> {};

TEST_P(ZooReuse, WindowsAreWhatTheModelMakesOfThem) {
  const auto loaded = model::LoadForTest(GetParam().model_file);
  ASSERT_THAT(loaded, IsOk());
  const std::shared_ptr<const model::LoadedModel> model = *loaded;
  const Shape window = WindowOf(*model);
  const int64_t length = window[window.rank() - 1];
  const absl::StatusOr<LocalPrefix> split = SplitAtTime(model->network(), window);
  const int64_t hop = split.ok() ? std::lcm(int64_t{16}, 2 * split->alignment) : 16;
  metrics::ServerMetrics metrics;
  const metrics::ModelMetrics& counts = metrics.ForModel(GetParam().name, "1");
  const OverlapRunner runner(model, &counts, {});
  const std::string head = absl::StrFormat("| `%s` | %d | %d |", GetParam().name, length, hop);
  const absl::StatusOr<std::unique_ptr<SeriesReuse>> series = runner.Open(window, hop);
  if (!series.ok()) {
    std::printf("%s full windows: %s | | |\n", head.c_str(), std::string(series.status().message()).c_str());
    EXPECT_EQ(series.status().code(), absl::StatusCode::kFailedPrecondition) << series.status();
    return;
  }
  constexpr int64_t kWindows = 6;
  const RandomSeries samples(window, length + kWindows * hop, 1);
  execution::ExecutionContext context;
  double difference = 0;
  for (int64_t n = 0; n <= kWindows; ++n) {
    const tensor::Tensor values = samples.Window(n * hop);
    const tensor::Tensor ticket = (*series)->Ticket(n * hop);
    const auto got = RunBatch(runner, context, {values.view(), ticket.view()});
    const auto want = RunBatch(*model, context, {values.view()});
    ASSERT_TRUE(got.ok() && want.ok()) << got.status() << want.status();
    difference = std::max(difference, RelativeDifference(*got, *want));
  }
  const ReusePlan& plan = (*series)->plan();
  EXPECT_EQ(counts.stream_verify_mismatches->Value(), 0);
  EXPECT_EQ(counts.stream_reused_samples->Value(), static_cast<double>(kWindows * plan.reused_samples()));
  EXPECT_LE(difference, 2e-5);
  std::printf("%s %s | %d + %d | %.1f %% | %s |\n", head.c_str(), plan.split.end.c_str(),
              static_cast<int>(plan.left_samples), static_cast<int>(plan.right_samples), 100 * plan.share,
              difference == 0 ? "to the bit" : absl::StrFormat("%.1e", difference).c_str());
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
