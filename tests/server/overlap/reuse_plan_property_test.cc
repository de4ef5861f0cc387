// Strips put together as a plan says are the cut of a full window, and the tail makes of it what the network makes of
// the window: on random networks, in a plain interpreter.
#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "server/base/status_macros.h"
#include "server/graph/graph_text.h"
#include "server/overlap/reuse_plan.h"
#include "tests/server/overlap/series_windows.h"
#include "tests/support/network_builder.h"
#include "tests/support/random_graph.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::overlap {
namespace {

using test_support::Interpret;
using test_support::RefTensor;

// {1, positions, step…}: positions [from, from + count) of `strip` go to `to` of `kept`.
void CopyPositions(const RefTensor& strip, int64_t from, int64_t count, int64_t step, RefTensor& kept, int64_t to) {
  std::copy_n(strip.reals.begin() + from * step, count * step, kept.reals.begin() + to * step);
}

constexpr int kNetworks = 120;

// Windows four times as long as the network's least.
tensor::Shape WindowFor(const test_support::RandomNetwork& network) {
  tensor::Shape window = {1};
  for (const int64_t dim : network.sample_shape.dims()) window.Append(dim);
  window[window.rank() - 1] *= 4;
  return window;
}

// Whatever it costs.
absl::StatusOr<ReusePlan> PlanFor(const test_support::RandomNetwork& network, int64_t strides) {
  ASSIGN_OR_RETURN(const LocalPrefix split, SplitAtTime(network.graph, WindowFor(network)));
  return PlanReuse(network.graph, WindowFor(network), split.alignment * strides, {.max_share = 1e9});
}

class RandomReuse : public testing::TestWithParam<int> {};

TEST_P(RandomReuse, StripsAndWhatIsKeptMakeTheWindow) {
  const auto seed = static_cast<uint64_t>(GetParam());
  const test_support::RandomNetwork network = test_support::MakeRandomNetwork(seed);
  SCOPED_TRACE(graph::ToText(network.graph));
  const absl::StatusOr<ReusePlan> made = PlanFor(network, 1 + GetParam() % 3);
  if (!made.ok()) GTEST_SKIP() << made.status();
  const ReusePlan& plan = *made;
  const int64_t hop = plan.hop;
  const int64_t length = plan.split.window_samples();

  tensor::Shape shape = plan.split.window;
  shape[shape.rank() - 1] = length + hop;
  const RefTensor series = test_support::RandomTensor(shape, seed);
  const RefTensor second = Samples(series, hop, length);
  const auto kept = Interpret(plan.split.prefix, {Samples(series, 0, length)});
  const auto want = Interpret(plan.split.prefix, {second});
  const auto right = Interpret(plan.split.prefix, {Samples(second, length - plan.right_samples, plan.right_samples)});
  ASSERT_TRUE(kept.ok() && want.ok() && right.ok()) << kept.status() << want.status() << right.status();
  std::vector<RefTensor> cut;
  for (size_t i = 0; i < plan.cuts.size(); ++i) {
    const CutStrips& strips = plan.cuts[i];
    RefTensor value = test_support::ZeroTensor((*kept)[i].data_type, (*kept)[i].shape);
    const int64_t step = strips.step_elements;
    CopyPositions((*kept)[i], strips.hop, strips.positions - strips.hop, step, value, 0);
    ASSERT_EQ((*right)[i].shape[1], strips.right_strip);
    CopyPositions((*right)[i], strips.right_strip - strips.right, strips.right, step, value,
                  strips.positions - strips.right);
    if (plan.left_samples > 0) {
      const auto left = Interpret(plan.split.prefix, {Samples(second, 0, plan.left_samples)});
      ASSERT_TRUE(left.ok()) << left.status();
      ASSERT_EQ((*left)[i].shape[1], strips.left_strip);
      CopyPositions((*left)[i], 0, strips.left, step, value, 0);
    }
    EXPECT_EQ(test_support::Difference(value, (*want)[i], 0, 0), "") << "value " << i << " of the cut";
    cut.push_back(std::move(value));
  }
  const auto got = Interpret(plan.split.tail, std::move(cut));
  const auto full = Interpret(network.graph, {second});
  ASSERT_TRUE(got.ok() && full.ok()) << got.status() << full.status();
  ASSERT_EQ(got->size(), full->size());
  for (size_t j = 0; j < got->size(); ++j) EXPECT_EQ(test_support::Difference((*got)[j], (*full)[j], 0, 0), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomReuse, testing::Range(0, kNetworks));

TEST(RandomReuseTest, AppliesToNearlyAllOfThem) {
  int applies = 0;
  for (int seed = 0; seed < kNetworks; ++seed) {
    if (PlanFor(test_support::MakeRandomNetwork(static_cast<uint64_t>(seed)), 1).ok()) ++applies;
  }
  EXPECT_GE(applies, kNetworks * 9 / 10);
}

}  // namespace
}  // namespace stillwave::overlap
