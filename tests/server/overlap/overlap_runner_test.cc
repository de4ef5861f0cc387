#include "server/overlap/overlap_runner.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/server_metrics.h"
#include "server/tensor/rows.h"
#include "tests/server/overlap/series_runs.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::overlap {
namespace {

using tensor::Shape;
using tensor::Tensor;
using test_support::IsOk;
using test_support::StatusIs;
using ::testing::HasSubstr;

constexpr int64_t kLength = 256;
constexpr int64_t kHop = 16;

// seed_block: three convolutions of kernel 3, mean over time, linear.
class OverlapRunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = model::LoadForTest(test_support::SmallModel("seed_block").model_file);
    ASSERT_THAT(model, IsOk());
    model_ = *model;
    window_ = model_->sample_shapes()[0];
    window_[window_.rank() - 1] = kLength;
    MakeRunner({});
  }

  void MakeRunner(const OverlapRunner::Options& options) {
    runner_ = std::make_unique<OverlapRunner>(model_, &metrics_, options);
  }

  std::unique_ptr<SeriesReuse> Open(int64_t hop = kHop) {
    auto series = runner_->Open(window_, hop);
    EXPECT_THAT(series, IsOk());
    return series.ok() ? *std::move(series) : nullptr;
  }

  // The answers to one batch of windows.
  Outputs RunWindows(const std::vector<const SeriesReuse*>& series, const std::vector<Tensor>& windows,
                     const std::vector<int64_t>& first_samples) {
    std::vector<Tensor> tickets;
    for (size_t i = 0; i < series.size(); ++i) tickets.push_back(series[i]->Tickets(first_samples[i]));
    const Tensor samples = Stack(windows);
    const Tensor ticket = Stack(tickets);
    auto outputs = RunBatch(*runner_, context_, {samples.view(), ticket.view()});
    EXPECT_THAT(outputs, IsOk());
    return outputs.ok() ? *std::move(outputs) : Outputs{};
  }
  Outputs RunWindow(const SeriesReuse& series, const RandomSeries& samples, int64_t first_sample) {
    std::vector<Tensor> windows;
    windows.push_back(samples.Window(first_sample));
    return RunWindows({&series}, windows, {first_sample});
  }
  Outputs RunFull(const Tensor& window) {
    auto outputs = RunBatch(*model_, context_, {window.view()});
    EXPECT_THAT(outputs, IsOk());
    return outputs.ok() ? *std::move(outputs) : Outputs{};
  }

  double computed() const { return metrics_.stream_computed_samples->Value(); }
  double reused() const { return metrics_.stream_reused_samples->Value(); }
  double mismatches() const { return metrics_.stream_verify_mismatches->Value(); }

  metrics::ServerMetrics all_metrics_;
  const metrics::ModelMetrics& metrics_ = all_metrics_.ForModel("seed", "1");
  std::shared_ptr<const model::LoadedModel> model_;
  Shape window_;
  std::unique_ptr<OverlapRunner> runner_;
  execution::ExecutionContext context_;
};

constexpr double kTolerance = 2e-5;

void ExpectSameBits(const tensor::TensorView& got, const tensor::TensorView& want) {
  ASSERT_EQ(got.shape, want.shape);
  EXPECT_EQ(std::memcmp(got.data, want.data, want.byte_size()), 0);
}

TEST_F(OverlapRunnerTest, WindowsOfASeriesAreWhatTheModelMakesOfThem) {
  const auto series = Open();
  const RandomSeries samples(window_, kLength + 40 * kHop, 1);
  for (int64_t first = 0; first <= 40 * kHop; first += kHop) {
    const Outputs got = RunWindow(*series, samples, first);
    EXPECT_LE(RelativeDifference(got, RunFull(samples.Window(first))), kTolerance) << "window at " << first;
  }
  const ReusePlan& plan = series->plan();
  EXPECT_EQ(computed(), kLength + 40 * plan.computed_samples());
  EXPECT_EQ(reused(), 40 * plan.reused_samples());
  EXPECT_LT(plan.computed_samples(), kLength / 4);
  EXPECT_EQ(mismatches(), 0);
}

TEST_F(OverlapRunnerTest, AWindowBehindAGapIsComputedInFullAndTheNextReusesIt) {
  const auto series = Open();
  const RandomSeries samples(window_, kLength + 200, 2);
  RunWindow(*series, samples, 0);
  for (const int64_t first : std::vector<int64_t>{100, 100 + kHop, 150}) {
    const Outputs got = RunWindow(*series, samples, first);
    EXPECT_LE(RelativeDifference(got, RunFull(samples.Window(first))), kTolerance) << "window at " << first;
  }
  EXPECT_EQ(reused(), series->plan().reused_samples());
}

TEST_F(OverlapRunnerTest, SeriesInOneBatchKeepWhatIsTheirs) {
  const auto a = Open();
  const auto b = Open();
  const auto other_hop = Open(2 * kHop);
  const std::vector<const SeriesReuse*> series = {a.get(), other_hop.get(), b.get()};
  std::vector<RandomSeries> samples;
  for (uint64_t seed = 0; seed < 3; ++seed) samples.emplace_back(window_, kLength + 20 * kHop, seed);
  for (int64_t n = 0; n < 10; ++n) {
    const std::vector<int64_t> first = {n * kHop, n * 2 * kHop, n * kHop};
    std::vector<Tensor> windows;
    for (size_t i = 0; i < series.size(); ++i) windows.push_back(samples[i].Window(first[i]));
    const Outputs want = RunFull(Stack(windows));
    EXPECT_LE(RelativeDifference(RunWindows(series, windows, first), want), kTolerance) << "window " << n;
  }
  EXPECT_EQ(reused(), 9 * (2 * a->plan().reused_samples() + other_hop->plan().reused_samples()));
}

// The windows of a batch, as many as each series has rows in it.
struct BatchOfSeries {
  std::vector<const SeriesReuse*> series;
  std::vector<Tensor> windows;
  std::vector<int64_t> first_samples;

  void Add(const SeriesReuse& one, const RandomSeries& samples, int64_t first_sample, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      series.push_back(&one);
      first_samples.push_back(first_sample + i * one.plan().hop);
      windows.push_back(samples.Window(first_samples.back()));
    }
  }
};

TEST_F(OverlapRunnerTest, NeighbouringWindowsOfASeriesInOneBatchReuseWhatTheyShare) {
  const auto a = Open();
  const auto b = Open();
  const auto alone = Open();
  const RandomSeries of_a(window_, kLength + 80 * kHop, 4);
  const RandomSeries of_b(window_, kLength + 80 * kHop, 5);
  int64_t at_a = 0, at_b = 0;
  for (const int64_t count : std::vector<int64_t>{3, 1, 8, 5, 2, 7, 8, 6}) {  // long enough that tapes begin anew
    BatchOfSeries batch;
    batch.Add(*a, of_a, at_a * kHop, count);
    batch.Add(*b, of_b, at_b * kHop, 3);
    const Outputs got = RunWindows(batch.series, batch.windows, batch.first_samples);
    EXPECT_LE(RelativeDifference(got, RunFull(Stack(batch.windows))), kTolerance) << "window " << at_a;
    for (int64_t i = 0; i < count; ++i) {
      const Outputs one = RunWindow(*alone, of_a, (at_a + i) * kHop);
      ExpectSameBits(tensor::Rows(got[0].view(), i, 1), one[0].view());
    }
    at_a += count;
    at_b += 3;
  }
  EXPECT_EQ(reused(), (2 * (at_a - 1) + at_b - 1) * a->plan().reused_samples());
}

TEST_F(OverlapRunnerTest, AGapBetweenWindowsOfABatchIsNoMistake) {
  const auto series = Open();
  const RandomSeries samples(window_, kLength + 20 * kHop, 6);
  BatchOfSeries batch;
  batch.Add(*series, samples, 0, 2);
  batch.Add(*series, samples, 3 * kHop, 2);  // not just a hop behind
  const Outputs got = RunWindows(batch.series, batch.windows, batch.first_samples);
  EXPECT_LE(RelativeDifference(got, RunFull(Stack(batch.windows))), kTolerance);
  EXPECT_EQ(reused(), series->plan().reused_samples());
  const Outputs next = RunWindow(*series, samples, 5 * kHop);
  EXPECT_LE(RelativeDifference(next, RunFull(samples.Window(5 * kHop))), kTolerance);
}

TEST_F(OverlapRunnerTest, WindowsOfOneSeriesMayNotBeDivided) {
  const auto a = Open();
  const auto b = Open();
  const RandomSeries samples(window_, kLength + 4 * kHop, 7);
  const auto may_divide = [&](const std::vector<const SeriesReuse*>& series) {
    std::vector<Tensor> tickets, windows;
    for (size_t i = 0; i < series.size(); ++i) {
      tickets.push_back(series[i]->Tickets(static_cast<int64_t>(i) * kHop));
      windows.push_back(samples.Window(0));
    }
    const Tensor stacked = Stack(windows);
    const Tensor ticket = Stack(tickets);
    EXPECT_TRUE(runner_->MayDivide({stacked.view()})) << "requests";
    return runner_->MayDivide({stacked.view(), ticket.view()});
  };
  EXPECT_TRUE(may_divide({a.get()}));
  EXPECT_TRUE(may_divide({a.get(), b.get()}));
  EXPECT_FALSE(may_divide({b.get(), a.get(), a.get()}));
}

TEST_F(OverlapRunnerTest, AWindowOfAClosedSeriesIsComputedInFull) {
  auto series = Open();
  const RandomSeries samples(window_, kLength + kHop, 5);
  RunWindow(*series, samples, 0);
  const Tensor ticket = series->Tickets(kHop);
  series.reset();
  const Tensor window = samples.Window(kHop);
  const auto got = RunBatch(*runner_, context_, {window.view(), ticket.view()});
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(RelativeDifference(*got, RunFull(window)), 0);
  EXPECT_EQ(reused(), 0);
}

TEST_F(OverlapRunnerTest, SaysHowMuchOfAWindowIsNew) {
  const Tensor window = RandomSeries(window_, kLength, 6).Window(0);
  EXPECT_EQ(runner_->NewPart({window.view()}, 0), 1);
  std::vector<Tensor> tickets;
  tickets.push_back(Open(kHop)->Tickets(0));
  tickets.push_back(Open(2 * kHop)->Tickets(0));
  const Tensor ticket = Stack(tickets);
  std::vector<Tensor> both;
  both.push_back(window.Clone());
  both.push_back(window.Clone());
  const Tensor windows = Stack(both);
  EXPECT_DOUBLE_EQ(runner_->NewPart({windows.view(), ticket.view()}, 0), static_cast<double>(kHop) / kLength);
  EXPECT_DOUBLE_EQ(runner_->NewPart({windows.view(), ticket.view()}, 1), 2.0 * kHop / kLength);
}

TEST_F(OverlapRunnerTest, RunsRequestsAsTheModelDoes) {
  const RandomSeries samples(window_, kLength, 6);
  const Tensor window = samples.Window(0);
  const auto got = RunBatch(*runner_, context_, {window.view()});
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(RelativeDifference(*got, RunFull(window)), 0);
  EXPECT_EQ(computed(), 0);
}

TEST_F(OverlapRunnerTest, AMismatchIsCountedAndEndsTheReuse) {
  MakeRunner({.verify_tolerance = -1});  // no two answers are that close
  const auto series = Open();
  const RandomSeries samples(window_, kLength + 3 * kHop, 7);
  for (int64_t n = 0; n < 4; ++n) {
    const Outputs got = RunWindow(*series, samples, n * kHop);
    EXPECT_LE(RelativeDifference(got, RunFull(samples.Window(n * kHop))), kTolerance);
  }
  EXPECT_EQ(mismatches(), 1);
  EXPECT_EQ(reused(), 0);
  EXPECT_THAT(runner_->Open(window_, kHop).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("were not what the model makes of them")));
}

TEST_F(OverlapRunnerTest, AfterAMismatchNoWindowOfItsBatchIsOneThatReused) {
  MakeRunner({.verify_tolerance = -1});
  const auto a = Open();
  const auto b = Open();
  const RandomSeries samples(window_, kLength + 8 * kHop, 7);
  BatchOfSeries batch;
  batch.Add(*a, samples, 0, 5);
  batch.Add(*b, samples, kHop, 3);
  const Outputs got = RunWindows(batch.series, batch.windows, batch.first_samples);
  const Outputs want = RunFull(Stack(batch.windows));
  for (size_t i : {1u, 2u, 3u, 4u, 6u, 7u}) {  // those that follow one
    const auto row = static_cast<int64_t>(i);
    ExpectSameBits(tensor::Rows(got[0].view(), row, 1), tensor::Rows(want[0].view(), row, 1));
  }
  EXPECT_EQ(mismatches(), 1);
  EXPECT_EQ(reused(), 0);
  EXPECT_EQ(computed(), 8 * kLength);
}

TEST_F(OverlapRunnerTest, WindowsOfManySeriesTogetherAreThoseOfEachAlone) {
  constexpr size_t kSeries = 11;  // runs as 8, 2 and 1
  std::vector<std::unique_ptr<SeriesReuse>> together;
  std::vector<std::unique_ptr<SeriesReuse>> alone;
  std::vector<const SeriesReuse*> series;
  std::vector<RandomSeries> samples;
  for (size_t i = 0; i < kSeries; ++i) {
    together.push_back(Open());
    alone.push_back(Open());
    series.push_back(together.back().get());
    samples.emplace_back(window_, kLength + 6 * kHop, i);
  }
  for (int64_t n = 0; n <= 6; ++n) {
    std::vector<Tensor> windows;
    for (const RandomSeries& one : samples) windows.push_back(one.Window(n * kHop));
    const Outputs got = RunWindows(series, windows, std::vector<int64_t>(kSeries, n * kHop));
    for (size_t i = 0; i < kSeries; ++i) {
      const Outputs want = RunWindow(*alone[i], samples[i], n * kHop);
      ExpectSameBits(tensor::Rows(got[0].view(), static_cast<int64_t>(i), 1), want[0].view());
    }
  }
  EXPECT_EQ(reused(), 2 * 6 * kSeries * static_cast<double>(together[0]->plan().reused_samples()));
}

// What is verified leaves with the model's own bits; with a hop of an odd number of positions the others may differ in
// the last ones.
TEST_F(OverlapRunnerTest, AsManyWindowsAreVerifiedAsIsAskedFor) {
  const auto windows_with_other_bits = [&](double share) {
    MakeRunner({.verify_share = share});
    const auto series = Open(/*hop=*/15);
    const RandomSeries samples(window_, kLength + 20 * 15, 8);
    int count = 0;
    for (int64_t first = 0; first <= 20 * 15; first += 15) {
      count += RelativeDifference(RunWindow(*series, samples, first), RunFull(samples.Window(first))) > 0 ? 1 : 0;
    }
    return count;
  };
  const int of_none = windows_with_other_bits(0);
  if (of_none < 6) GTEST_SKIP() << "this CPU's kernels give the same bits for odd hops";
  EXPECT_EQ(windows_with_other_bits(1), 0);
  const int of_half = windows_with_other_bits(0.5);
  EXPECT_GT(of_half, 0);
  EXPECT_LT(of_half, of_none);
}

TEST_F(OverlapRunnerTest, ReuseCanBeTurnedOff) {
  MakeRunner({.reuse = false});
  EXPECT_THAT(runner_->Open(window_, kHop).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("turns reuse off (stream_reuse)")));
}

TEST_F(OverlapRunnerTest, RefusesWhatDoesNotPay) {
  EXPECT_THAT(runner_->Open(window_, kLength).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("hop must be smaller than the window")));
  EXPECT_THAT(runner_->Open(window_, kLength - 8).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not worth it")));
}

TEST_F(OverlapRunnerTest, BoundsTheMemoryOfAllSeries) {
  const int64_t bytes = TapeBytes(Open()->plan());
  MakeRunner({.max_kept_bytes = 2 * bytes});
  auto a = Open();
  const auto b = Open();
  EXPECT_THAT(runner_->Open(window_, kHop).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("what is kept for all series")));
  a.reset();
  EXPECT_THAT(runner_->Open(window_, kHop), IsOk());
}

TEST_F(OverlapRunnerTest, BoundsThePairsOfLengthAndHopThatAreInUse) {
  MakeRunner({.max_pairs = 2});
  auto a = Open(16);
  const auto b = Open(32);
  EXPECT_THAT(runner_->Open(window_, 8).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("must be at most 2")));
  a.reset();
  EXPECT_THAT(runner_->Open(window_, 8), IsOk());
}

}  // namespace
}  // namespace stillwave::overlap
