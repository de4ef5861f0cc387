// Networks that run in stages, through oneDNN.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/metrics/server_metrics.h"
#include "server/tensor/rows.h"
#include "tests/server/overlap/series_runs.h"
#include "tests/server/overlap/small_networks.h"
#include "tests/support/status_matchers.h"

namespace stillwave::overlap {
namespace {

using tensor::Tensor;
using test_support::IsOk;

constexpr int64_t kStagedHop = 16;

class StagedReuseTest : public testing::Test {
 protected:
  void Load(const std::string& file, int64_t length) {
    const auto model = model::LoadedModel::LoadFromBytes(file, {});
    ASSERT_THAT(model, IsOk());
    model_ = *model;
    window_ = {1, 16, length};
    runner_ = std::make_unique<OverlapRunner>(model_, &metrics_, OverlapRunner::Options{});
  }

  Outputs Run(const model::BatchRunner& runner, const std::vector<tensor::TensorView>& inputs) {
    auto outputs = RunBatch(runner, context_, inputs);
    EXPECT_THAT(outputs, IsOk());
    return outputs.ok() ? *std::move(outputs) : Outputs{};
  }

  // Three series together, long enough that tapes begin anew, and one more alone.
  void ExpectWindowsOfTheModel(size_t least_stages) {
    std::vector<std::unique_ptr<SeriesReuse>> series;
    for (int i = 0; i < 4; ++i) {
      auto opened = runner_->Open(window_, kStagedHop);
      ASSERT_THAT(opened, IsOk());
      series.push_back(*std::move(opened));
    }
    EXPECT_GE(series[0]->plan().stages.size(), least_stages);
    const int64_t windows = window_[2] / kStagedHop;
    std::vector<RandomSeries> samples;
    for (uint64_t seed = 0; seed < 3; ++seed) samples.emplace_back(window_, window_[2] + windows * kStagedHop, seed);
    for (int64_t n = 0; n < windows; ++n) {
      std::vector<Tensor> values;
      std::vector<Tensor> tickets;
      for (size_t i = 0; i < 3; ++i) {
        values.push_back(samples[i].Window(n * kStagedHop));
        tickets.push_back(series[i]->Tickets(n * kStagedHop));
      }
      const Tensor batch = Stack(values);
      const Tensor ticket = Stack(tickets);
      const Outputs got = Run(*runner_, {batch.view(), ticket.view()});
      const Outputs want = Run(*model_, {batch.view()});
      ASSERT_LE(RelativeDifference(got, want), 2e-5) << "window " << n;
      const Tensor alone_ticket = series[3]->Tickets(n * kStagedHop);
      const Outputs alone = Run(*runner_, {values[2].view(), alone_ticket.view()});
      const tensor::TensorView row = tensor::Rows(got[0].view(), 2, 1);
      ASSERT_TRUE(std::equal(row.values<float>().begin(), row.values<float>().end(), alone[0].values<float>().begin()))
          << "window " << n << " alone has other bits";
    }
    EXPECT_EQ(metrics_.stream_verify_mismatches->Value(), 0);
    EXPECT_EQ(metrics_.stream_reused_samples->Value(),
              static_cast<double>(4 * (windows - 1) * series[0]->plan().reused_samples()));
  }

  metrics::ServerMetrics all_metrics_;
  const metrics::ModelMetrics& metrics_ = all_metrics_.ForModel("staged", "1");
  std::shared_ptr<const model::LoadedModel> model_;
  tensor::Shape window_;
  std::unique_ptr<OverlapRunner> runner_;
  execution::ExecutionContext context_;
};

TEST_F(StagedReuseTest, WindowsOfWideKernelsAreWhatTheModelMakesOfThem) {
  Load(WideKernelsFile(), 768);
  ExpectWindowsOfTheModel(/*least_stages=*/3);
}

TEST_F(StagedReuseTest, NeighbouringWindowsInOneBatchAreThoseOfOneAfterTheOther) {
  Load(WideKernelsFile(), 768);
  auto together = runner_->Open(window_, kStagedHop);
  auto alone = runner_->Open(window_, kStagedHop);
  ASSERT_THAT(together, IsOk());
  ASSERT_THAT(alone, IsOk());
  ASSERT_GE((*together)->plan().stages.size(), 3u);
  constexpr int64_t kTogether = 5;
  const RandomSeries samples(window_, window_[2] + 4 * kTogether * kStagedHop, 7);
  for (int64_t first = 0; first < 4 * kTogether; first += kTogether) {
    std::vector<Tensor> values;
    for (int64_t i = 0; i < kTogether; ++i) values.push_back(samples.Window((first + i) * kStagedHop));
    const Tensor batch = Stack(values);
    const Tensor tickets = (*together)->Tickets(first * kStagedHop, kTogether);
    const Outputs got = Run(*runner_, {batch.view(), tickets.view()});
    for (int64_t i = 0; i < kTogether; ++i) {
      const Tensor ticket = (*alone)->Tickets((first + i) * kStagedHop);
      const Outputs one = Run(*runner_, {values[static_cast<size_t>(i)].view(), ticket.view()});
      const tensor::TensorView row = tensor::Rows(got[0].view(), i, 1);
      ASSERT_TRUE(std::equal(row.values<float>().begin(), row.values<float>().end(), one[0].values<float>().begin()))
          << "window " << first + i;
    }
  }
  EXPECT_EQ(metrics_.stream_verify_mismatches->Value(), 0);
}

TEST_F(StagedReuseTest, WindowsOfCausalLayersAreWhatTheModelMakesOfThem) {
  Load(CausalFile(), 512);
  ExpectWindowsOfTheModel(/*least_stages=*/1);
}

}  // namespace
}  // namespace stillwave::overlap
