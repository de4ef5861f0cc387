#include "client/bench/server_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/exit_matchers.h"

namespace stillwave::client::bench {
namespace {

constexpr char kPage[] = R"(# HELP stillwave_compute_duration_seconds Time of computing
# TYPE stillwave_compute_duration_seconds histogram
stillwave_compute_duration_seconds_count{model="ecg",version="1"} 10
stillwave_compute_duration_seconds_sum{model="ecg",version="1"} 0.001
stillwave_compute_duration_seconds_bucket{model="ecg",version="1",le="0.1"} 10
stillwave_compute_duration_seconds_count{model="ecg",version="2"} 10
stillwave_compute_duration_seconds_sum{model="ecg",version="2"} 0.003
stillwave_compute_duration_seconds_count{model="other",version="1"} 1000
stillwave_queue_duration_seconds_count{version="1",model="ecg"} 20
stillwave_queue_duration_seconds_sum{version="1",model="ecg"} 0.0005
stillwave_samples_total{model="ecg",version="1"} 60
stillwave_batches_total{model="ecg",reason="idle",version="1"} 12
stillwave_batches_total{model="ecg",reason="full",version="1"} 3
stillwave_streams 4
process_resident_memory_bytes 1.5e+07
)";

TEST(ServerStats, AddsUpTheVersionsOfOneModel) {
  const ServerStats stats = ParseServerStats(kPage, "ecg");
  EXPECT_EQ(stats.computed, 20);
  EXPECT_EQ(stats.Compute(), absl::Microseconds(200));
  EXPECT_EQ(stats.Queue(), absl::Microseconds(25));
  EXPECT_EQ(stats.BatchSamples(), 4);
  EXPECT_EQ(stats.resident_bytes, 1.5e7);
}

TEST(ServerStats, ADifferenceIsOfWhatWasCountedBetween) {
  ServerStats before;
  before.compute_seconds = 0.002;
  before.computed = 10;
  before.resident_bytes = 1e7;
  const ServerStats stats = ParseServerStats(kPage, "ecg").Since(before);
  EXPECT_EQ(stats.computed, 10);
  EXPECT_EQ(stats.Compute(), absl::Microseconds(200));
  EXPECT_EQ(stats.resident_bytes, 1.5e7) << "memory is what it is now";
}

TEST(ServerStats, AModelsNameIsNotAPartOfAnother) {
  EXPECT_EQ(ParseServerStats(kPage, "ec").computed, 0);
  EXPECT_EQ(ParseServerStats("stillwave_samples_total{submodel=\"ecg\"} 5\n", "ecg").samples, 0);
  EXPECT_EQ(ParseServerStats("stillwave_samples_total{model=\"a\\\"b\\\\c\"} 5\n", "a\"b\\c").samples, 5);
}

TEST(ServerStats, PassesOverWhatIsNoMetric) {
  const ServerStats stats = ParseServerStats(
      "stillwave_samples_total{model=\"ecg\"\nstillwave_samples_total{model=\"ecg\"} many\n} {\n\n"
      "stillwave_samples_total{model=\"ecg\"} NaN\nstillwave_samples_total{model=\"ecg\"} 7",
      "ecg");
  EXPECT_EQ(stats.samples, 7);
  EXPECT_EQ(stats.Compute(), absl::ZeroDuration());
  EXPECT_EQ(stats.BatchSamples(), 0);
}

TEST(ServerStats, AnAddressWithoutAPortIsAWrongOption) {
  for (const char* address : {"localhost", ":80", "h:0", "h:65536", "h:x"}) {
    EXPECT_THAT(FetchServerStats(address, "ecg", absl::Seconds(1)),
                FailsWith(ExitCode::kUsage, testing::HasSubstr("--server-stats must be HOST:PORT")));
  }
}

}  // namespace
}  // namespace stillwave::client::bench
