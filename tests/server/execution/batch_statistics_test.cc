#include "server/execution/onednn/batch_statistics.h"

#include <cmath>
#include <random>

#include "gtest/gtest.h"
#include "server/execution/execution_context.h"

namespace stillwave::execution::onednn {
namespace {

using tensor::Shape;

class BatchStatisticsTest : public ::testing::TestWithParam<Shape> {};

TEST_P(BatchStatisticsTest, GivesMeanBiasedVarianceAndTheNormalizedBatch) {
  ExecutionContext::UseOneThread();
  const Shape& shape = GetParam();
  const auto channels = static_cast<size_t>(shape[1]);
  const auto count = static_cast<size_t>(shape.num_elements());
  const size_t values = count / channels;
  const size_t inner = values / static_cast<size_t>(shape[0]);
  constexpr float kEpsilon = 1e-3F;
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal(0.5F, 2.0F);
  std::vector<float> src(count);
  std::vector<float> scale(channels);
  std::vector<float> shift(channels);
  for (auto* list : {&src, &scale, &shift}) {
    for (float& value : *list) value = normal(random);
  }

  absl::StatusOr<BatchStatistics> statistics = BatchStatistics::Create(shape, kEpsilon);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  std::vector<float> mean(channels);
  std::vector<float> variance(channels);
  std::vector<float> dst(count);
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(statistics->Run(src.data(), scale.data(), shift.data(), mean.data(), variance.data(), dst.data()).ok());
  }

  const auto channel_of = [&](size_t i) { return i / inner % channels; };
  std::vector<double> sum(channels, 0);
  std::vector<double> squares(channels, 0);
  for (size_t i = 0; i < count; ++i) sum[channel_of(i)] += static_cast<double>(src[i]);
  for (double& value : sum) value /= static_cast<double>(values);
  for (size_t i = 0; i < count; ++i) {
    squares[channel_of(i)] += std::pow(static_cast<double>(src[i]) - sum[channel_of(i)], 2);
  }
  for (size_t c = 0; c < channels; ++c) {
    EXPECT_NEAR(mean[c], sum[c], 2e-6) << c;
    EXPECT_NEAR(variance[c], squares[c] / static_cast<double>(values), 2e-5) << c;
  }
  for (size_t i = 0; i < count; ++i) {
    const size_t c = channel_of(i);
    const double deviation = std::sqrt(squares[c] / static_cast<double>(values) + static_cast<double>(kEpsilon));
    const double want = static_cast<double>(scale[c]) * (static_cast<double>(src[i]) - sum[c]) / deviation +
                        static_cast<double>(shift[c]);
    ASSERT_NEAR(dst[i], want, 5e-5) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, BatchStatisticsTest,
                         ::testing::Values(Shape{9, 5}, Shape{6, 3, 17}, Shape{1, 16, 64}, Shape{3, 8, 4, 6},
                                           Shape{2, 3, 2, 3, 4}),
                         [](const auto& test) {
                           return "Rank" + std::to_string(test.param.rank()) + "Of" + std::to_string(test.param[0]);
                         });

}  // namespace
}  // namespace stillwave::execution::onednn
