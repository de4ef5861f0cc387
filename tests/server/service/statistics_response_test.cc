#include "server/service/statistics_response.h"

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/service/served_model_fixture.h"

namespace stillwave::service {
namespace {

using inference::ModelStatisticsRequest;
using inference::ModelStatisticsResponse;
using test_support::IsOk;
using test_support::StatusIs;
using testing::HasSubstr;

class StatisticsResponseTest : public ServedModelTest {
 protected:
  void SetUp() override { Load(); }

  ModelStatisticsRequest request_;
  ModelStatisticsResponse response_;
};

TEST_F(StatisticsResponseTest, TellsEveryFigure) {
  const absl::Time before = absl::Now();
  metrics::ModelStatistics& statistics = *Model()->metrics().statistics;
  const metrics::ComputeTimes times{absl::Nanoseconds(1), absl::Nanoseconds(20), absl::Nanoseconds(3)};
  statistics.CountBatch(4, times);
  statistics.CountComputed(absl::Nanoseconds(7), times);
  statistics.CountComputed(absl::Nanoseconds(8), times);
  statistics.CountRequest(/*success=*/true, absl::Nanoseconds(100));
  statistics.CountRequest(/*success=*/false, absl::Nanoseconds(9));
  ASSERT_THAT(FillStatistics(*repository_, request_, &response_), IsOk());
  ASSERT_EQ(response_.model_stats_size(), 1);
  const inference::ModelStatistics& stats = response_.model_stats(0);
  EXPECT_EQ(stats.name(), "seed_block");
  EXPECT_EQ(stats.version(), "1");
  EXPECT_EQ(stats.inference_count(), 4U);
  EXPECT_EQ(stats.execution_count(), 1U);
  EXPECT_GE(stats.last_inference(), static_cast<uint64_t>(absl::ToUnixMillis(before)));
  EXPECT_EQ(stats.inference_stats().success().count(), 1U);
  EXPECT_EQ(stats.inference_stats().success().ns(), 100U);
  EXPECT_EQ(stats.inference_stats().fail().count(), 1U);
  EXPECT_EQ(stats.inference_stats().fail().ns(), 9U);
  EXPECT_EQ(stats.inference_stats().queue().count(), 2U);
  EXPECT_EQ(stats.inference_stats().queue().ns(), 15U);
  EXPECT_EQ(stats.inference_stats().compute_input().ns(), 2U);
  EXPECT_EQ(stats.inference_stats().compute_infer().ns(), 40U);
  EXPECT_EQ(stats.inference_stats().compute_output().ns(), 6U);
  EXPECT_TRUE(stats.inference_stats().has_cache_hit());
  ASSERT_EQ(stats.batch_stats_size(), 1);
  EXPECT_EQ(stats.batch_stats(0).batch_size(), 4U);
  EXPECT_EQ(stats.batch_stats(0).compute_infer().count(), 1U);
  EXPECT_EQ(stats.batch_stats(0).compute_infer().ns(), 20U);
}

TEST_F(StatisticsResponseTest, SelectsByNameAndVersion) {
  request_.set_name("seed_block");
  ASSERT_THAT(FillStatistics(*repository_, request_, &response_), IsOk());
  EXPECT_EQ(response_.model_stats_size(), 1);
  response_.Clear();
  request_.set_version("1");
  ASSERT_THAT(FillStatistics(*repository_, request_, &response_), IsOk());
  EXPECT_EQ(response_.model_stats_size(), 1);
  request_.set_version("2");
  EXPECT_THAT(FillStatistics(*repository_, request_, &response_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("2")));
  request_.set_name("nobody");
  request_.clear_version();
  EXPECT_THAT(FillStatistics(*repository_, request_, &response_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nobody")));
  request_.clear_name();
  request_.set_version("1");
  EXPECT_THAT(FillStatistics(*repository_, request_, &response_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("version must be empty when name is")));
}

TEST_F(StatisticsResponseTest, AModelThatHasNotRunSaysZero) {
  ASSERT_THAT(FillStatistics(*repository_, request_, &response_), IsOk());
  EXPECT_EQ(response_.model_stats(0).last_inference(), 0U);
  EXPECT_EQ(response_.model_stats(0).batch_stats_size(), 0);
}

}  // namespace
}  // namespace stillwave::service
