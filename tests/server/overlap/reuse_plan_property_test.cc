// Windows put together from strips and what is kept, as a plan says, are what the network makes of them: on random
// networks, in a plain interpreter, in one stage and cut into as many as there can be.
#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "server/base/status_macros.h"
#include "server/graph/graph_text.h"
#include "server/overlap/reuse_plan.h"
#include "tests/server/overlap/interpreted_series.h"
#include "tests/support/network_builder.h"
#include "tests/support/random_graph.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::overlap {
namespace {

using test_support::Interpret;
using test_support::RefTensor;

constexpr int kNetworks = 120;
constexpr int64_t kWindows = 4;

// Whatever they cost.
constexpr ReuseLimits kOneStage = {.max_share = 1e9, .least_gain = 1e9};
constexpr ReuseLimits kManyStages = {.max_share = 1e9, .least_gain = -1e9, .least_gain_per_mebibyte = -1e9};

// Windows four times as long as the network's least.
tensor::Shape WindowFor(const test_support::RandomNetwork& network) {
  tensor::Shape window = {1};
  for (const int64_t dim : network.sample_shape.dims()) window.Append(dim);
  window[window.rank() - 1] *= 4;
  return window;
}

absl::StatusOr<ReusePlan> PlanFor(const test_support::RandomNetwork& network, int64_t strides,
                                  const ReuseLimits& limits) {
  ASSIGN_OR_RETURN(const LocalPrefix split, SplitAtTime(network.graph, WindowFor(network)));
  return PlanReuse(network.graph, WindowFor(network), split.alignment * strides, limits);
}

class RandomReuse : public testing::TestWithParam<int> {
 protected:
  void ExpectWindowsOf(const ReuseLimits& limits) {
    const auto seed = static_cast<uint64_t>(GetParam());
    const test_support::RandomNetwork network = test_support::MakeRandomNetwork(seed);
    SCOPED_TRACE(graph::ToText(network.graph));
    const absl::StatusOr<ReusePlan> plan = PlanFor(network, 1 + GetParam() % 3, limits);
    if (!plan.ok()) GTEST_SKIP() << plan.status();
    const int64_t length = plan->split.window_samples();
    tensor::Shape shape = plan->split.window;
    shape[shape.rank() - 1] = length + kWindows * plan->hop;
    const RefTensor samples = test_support::RandomTensor(shape, seed);
    InterpretedSeries series(*plan);
    for (int64_t n = 0; n < kWindows; ++n) {
      const RefTensor window = Samples(samples, n * plan->hop, length);
      const auto got = n == 0 ? series.First(window) : series.Next(window);
      const auto want = Interpret(network.graph, {window});
      ASSERT_TRUE(got.ok() && want.ok()) << got.status() << want.status();
      ASSERT_EQ(got->size(), want->size());
      for (size_t j = 0; j < got->size(); ++j) {
        EXPECT_EQ(test_support::Difference((*got)[j], (*want)[j], 0, 0), "") << "window " << n << " output " << j;
      }
    }
  }
};

TEST_P(RandomReuse, OneStageMakesTheWindows) { ExpectWindowsOf(kOneStage); }
TEST_P(RandomReuse, ManyStagesMakeTheWindows) { ExpectWindowsOf(kManyStages); }

INSTANTIATE_TEST_SUITE_P(Seeds, RandomReuse, testing::Range(0, kNetworks));

TEST(RandomReuseTest, AppliesToNearlyAllOfThemAndMostCanBeCut) {
  int applies = 0;
  int cut = 0;
  for (int seed = 0; seed < kNetworks; ++seed) {
    const test_support::RandomNetwork network = test_support::MakeRandomNetwork(static_cast<uint64_t>(seed));
    const absl::StatusOr<ReusePlan> plan = PlanFor(network, 1, kManyStages);
    if (!plan.ok()) continue;
    ++applies;
    if (plan->stages.size() > 1) ++cut;
  }
  EXPECT_GE(applies, kNetworks * 9 / 10);
  EXPECT_GE(cut, kNetworks / 2);
}

}  // namespace
}  // namespace stillwave::overlap
