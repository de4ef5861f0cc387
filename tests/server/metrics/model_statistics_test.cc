#include "server/metrics/model_statistics.h"

#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/server_metrics.h"

namespace stillwave::metrics {
namespace {

constexpr ComputeTimes Times(int64_t input, int64_t infer, int64_t output) {
  return {absl::Nanoseconds(input), absl::Nanoseconds(infer), absl::Nanoseconds(output)};
}

void Expect(const StatisticDuration& duration, uint64_t count, uint64_t nanoseconds) {
  EXPECT_EQ(duration.count, count);
  EXPECT_EQ(duration.nanoseconds, nanoseconds);
}

TEST(ModelStatisticsTest, BeginsWithNothing) {
  const ModelStatistics statistics;
  const StatisticsSnapshot snapshot = statistics.Read();
  EXPECT_EQ(snapshot.last_inference, absl::UnixEpoch());
  EXPECT_EQ(snapshot.inferences, 0U);
  EXPECT_EQ(snapshot.executions, 0U);
  Expect(snapshot.success, 0, 0);
  EXPECT_TRUE(snapshot.batches.empty());
}

TEST(ModelStatisticsTest, SumsRequestsBySuccess) {
  ModelStatistics statistics;
  const absl::Time before = absl::Now();
  statistics.CountRequest(/*success=*/true, absl::Nanoseconds(100));
  statistics.CountRequest(/*success=*/true, absl::Nanoseconds(50));
  statistics.CountRequest(/*success=*/false, absl::Nanoseconds(7));
  const StatisticsSnapshot snapshot = statistics.Read();
  Expect(snapshot.success, 2, 150);
  Expect(snapshot.fail, 1, 7);
  EXPECT_GE(snapshot.last_inference, before);
  EXPECT_LE(snapshot.last_inference, absl::Now());
}

TEST(ModelStatisticsTest, SumsTheStagesByRequestAndByBatch) {
  ModelStatistics statistics;
  // A batch of 3 samples from 2 requests, and one of 1.
  statistics.CountBatch(3, Times(10, 100, 20));
  statistics.CountComputed(absl::Nanoseconds(5), Times(10, 100, 20));
  statistics.CountComputed(absl::Nanoseconds(6), Times(10, 100, 20));
  statistics.CountBatch(1, Times(1, 40, 2));
  statistics.CountComputed(absl::Nanoseconds(0), Times(1, 40, 2));
  const StatisticsSnapshot snapshot = statistics.Read();
  EXPECT_EQ(snapshot.inferences, 4U);
  EXPECT_EQ(snapshot.executions, 2U);
  Expect(snapshot.queue, 3, 11);
  Expect(snapshot.compute.input, 3, 21);
  Expect(snapshot.compute.infer, 3, 240);
  Expect(snapshot.compute.output, 3, 42);
  ASSERT_EQ(snapshot.batches.size(), 2U);
  EXPECT_EQ(snapshot.batches[0].samples, 1U);
  Expect(snapshot.batches[0].compute.infer, 1, 40);
  EXPECT_EQ(snapshot.batches[1].samples, 3U);
  Expect(snapshot.batches[1].compute.input, 1, 10);
  Expect(snapshot.batches[1].compute.output, 1, 20);
}

TEST(ModelStatisticsTest, KeepsEveryBatchSizeApart) {
  ModelStatistics statistics;
  const std::vector<int64_t> sizes = {1, 63, 64, 65, 128, 129, 4096};
  for (const int64_t size : sizes) statistics.CountBatch(size, Times(1, static_cast<int64_t>(size), 1));
  statistics.CountBatch(5000, Times(1, 4, 1));
  const StatisticsSnapshot snapshot = statistics.Read();
  ASSERT_EQ(snapshot.batches.size(), sizes.size());
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    EXPECT_EQ(snapshot.batches[i].samples, static_cast<uint64_t>(sizes[i]));
    Expect(snapshot.batches[i].compute.infer, 1, static_cast<uint64_t>(sizes[i]));
  }
  Expect(snapshot.batches.back().compute.infer, 2, 4100);  // what is too large counts as the largest
}

TEST(ModelStatisticsTest, LosesNothingOfManyThreads) {
  ModelStatistics statistics;
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&statistics] {
      for (int i = 0; i < kEach; ++i) {
        statistics.CountBatch(i % 200 + 1, Times(1, 2, 3));
        statistics.CountRequest(/*success=*/true, absl::Nanoseconds(1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const StatisticsSnapshot snapshot = statistics.Read();
  EXPECT_EQ(snapshot.executions, uint64_t{kThreads} * kEach);
  Expect(snapshot.success, uint64_t{kThreads} * kEach, uint64_t{kThreads} * kEach);
  uint64_t batches = 0;
  for (const BatchStatistics& batch : snapshot.batches) batches += batch.compute.infer.count;
  EXPECT_EQ(batches, uint64_t{kThreads} * kEach);
  EXPECT_EQ(snapshot.batches.size(), 200U);
}

TEST(ModelStatisticsTest, ModelMetricsCountIntoIt) {
  ServerMetrics metrics;
  const ModelMetrics& model = metrics.ForModel("ecg", "1");
  model.CountRequest(Method::kModelInfer, absl::StatusCode::kOk, absl::Nanoseconds(10));
  model.CountRequest(Method::kModelStreamInfer, absl::StatusCode::kInvalidArgument, absl::Nanoseconds(20));
  model.CountRequest(Method::kStreamWindows, absl::StatusCode::kOk, absl::Nanoseconds(1000));
  model.CountWindow(/*time_steps=*/64, absl::Nanoseconds(30));
  const StatisticsSnapshot snapshot = model.statistics->Read();
  Expect(snapshot.success, 2, 40);
  Expect(snapshot.fail, 1, 20);
  EXPECT_EQ(model.stream_computed_samples->Value(), 64);
  EXPECT_EQ(metrics.unknown_model().statistics, nullptr);
  EXPECT_NE(metrics.ForModel("ecg", "2").statistics, model.statistics);
}

}  // namespace
}  // namespace stillwave::metrics
