#include "client/bench/bench_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "client/json_output.h"

namespace stillwave::client::bench {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// 3 OK of 2, 4 and 6 ms and one refusal in 2 s.
BenchStep Step() {
  BenchStep step{.options = {.concurrency = 8}};
  step.result.sent = 4;
  for (const int millis : {2, 4, 6}) step.result.latency.Add(absl::Milliseconds(millis));
  ErrorGroup& refused = step.result.groups[absl::StatusCode::kResourceExhausted];
  refused.latency.Add(absl::Microseconds(500));
  refused.message = "queue of model 'm' is full\n";
  step.result.measured = absl::Seconds(2);
  step.result.ok_in_time = 3;
  step.result.errors_in_time = 1;
  step.result.timeline = {{3, 1, absl::Milliseconds(6)}};
  step.result.timeline_step = absl::Milliseconds(100);
  return step;
}

TEST(BenchReport, ARowHasRatePercentilesAndErrors) {
  BenchTable table(/*open_loop=*/false, /*stream=*/false, /*server_stats=*/false);
  EXPECT_EQ(table.HeaderLine(),
            "in flight       ok/s     p50 ms     p90 ms     p99 ms   p99.9 ms     max ms     errors\n");
  EXPECT_EQ(table.Line(Step()),
            "        8        1.5      4.006      6.000      6.000      6.000      6.000          1\n");
}

TEST(BenchReport, AStepWithoutAnOkHasNoLatency) {
  BenchStep step = Step();
  step.result.latency = {};
  step.result.ok_in_time = 0;
  BenchTable table(/*open_loop=*/false, /*stream=*/false, /*server_stats=*/false);
  EXPECT_THAT(table.Line(step), HasSubstr("0.0          -          -"));
}

TEST(BenchReport, NotesNameCodesAndWhatWasNotSent) {
  BenchStep step = Step();
  EXPECT_EQ(NotesText(step), "  RESOURCE_EXHAUSTED: 1, p50 0.500 ms, p99 0.500 ms: queue of model 'm' is full\\n\n");
  step.result.unsent = 7;
  step.result.abandoned = 2;
  EXPECT_THAT(NotesText(step), HasSubstr("not sent: 7; 4096 requests (--max-in-flight) waited"));
  EXPECT_THAT(NotesText(step), HasSubstr("given up at the interruption: 2"));
  EXPECT_THAT(NotesText(BenchStep{}), IsEmpty());
}

TEST(BenchReport, NotesCountWhatCameTooLateAndTheMemoryOfASeries) {
  BenchStep step = Step();
  step.options.deadline = absl::Milliseconds(5);
  step.result.late = 1;
  EXPECT_THAT(NotesText(step), HasSubstr("  late: 1 of 3 answers (33.33 %) took longer than 5.000 ms\n"));
  step.series = 1024;
  step.memory = ServerMemory{.before_bytes = 20 << 20, .open_bytes = 30 << 20};
  EXPECT_THAT(NotesText(step),
              HasSubstr("  server memory: 30.0 MiB with the series open, 20.0 before: 10.0 KiB a series\n"));
}

TEST(BenchReport, ALateClientSaysSo) {
  BenchStep step = Step();
  step.result.send_delay.Add(absl::Microseconds(900));
  EXPECT_THAT(NotesText(step), Not(HasSubstr("client was late")));
  step.result.send_delay.Add(absl::Milliseconds(5));
  EXPECT_THAT(NotesText(step), HasSubstr("this client was late: it sent 1 % of the requests 5.000 ms"));
}

TEST(BenchReport, TheSetupSaysWhatIsMeasured) {
  const BenchSetup setup{.server = "h:1", .model = "m", .input = "x [1,2,4]"};
  EXPECT_EQ(SetupText(setup, {.concurrency = 1}),
            "requests to m at h:1: x [1,2,4]\n"
            "closed loop, 1 connection, 1 thread; each step 10s after 1s of warm-up\n");
  EXPECT_THAT(SetupText(setup, {.rate = 5, .requests = 9, .threads = 2}),
              HasSubstr("open loop, Poisson arrivals, 1 connection, 2 threads; each step 9 requests after 1s"));
}

TEST(BenchReport, TheSetupOfPacedSeriesSaysHowTheySend) {
  const BenchSetup setup{
      .server = "h:1", .model = "m", .input = "x", .stream = true, .series = 100, .series_per_call = 10};
  EXPECT_THAT(SetupText(setup, {.rate = 5, .sample_rate = 50, .chunk_samples = 25}),
              HasSubstr("open loop, 100 series, 10 on a call, of 50 samples/s in chunks of 25, 1 connection"));
}

TEST(BenchReport, ProgressShowsStepShareAndRate) {
  EXPECT_EQ(StepProgressText({.concurrency = 8}, 2, 7, absl::Seconds(5.5), 1100, 0),
            "2 of 7  8 in flight  [##########----------]  50 %  1100 answers  200/s");
  EXPECT_EQ(StepProgressText({.rate = 50, .requests = 10}, 1, 1, absl::Seconds(1), 20, 1),
            "1 of 1  50.0/s  [####################] 100 %  21 answers  21/s  1 errors");
}

TEST(BenchReport, JsonHasEveryFigure) {
  BenchStep step = Step();
  step.server = ServerStats{.compute_seconds = 0.002, .computed = 4};
  const json parsed = json::parse(BenchJson({.server = "h:1", .model = "m", .input = "x"}, {step}));
  EXPECT_EQ(parsed["model"], "m");
  EXPECT_EQ(parsed["connections"], 1);
  const json& row = parsed["steps"][0];
  EXPECT_EQ(row["concurrency"], 8);
  EXPECT_FALSE(row.contains("rate"));
  EXPECT_EQ(row["sent"], 4);
  EXPECT_EQ(row["ok"], 3);
  EXPECT_EQ(row["errors"], 1);
  EXPECT_EQ(row["goodput"], 1.5);
  EXPECT_EQ(row["throughput"], 2);
  EXPECT_NEAR(row["latency_ms"]["p50"].get<double>(), 4, 0.02);
  EXPECT_EQ(row["latency_ms"]["max"], 6);
  EXPECT_EQ(row["codes"]["RESOURCE_EXHAUSTED"]["count"], 1);
  EXPECT_NEAR(row["refusal_latency_ms"]["p99"].get<double>(), 0.5, 0.002);
  EXPECT_EQ(row["server"]["compute_ms"], 0.5);
  EXPECT_EQ(row["timeline"]["entries"][0]["ok"], 3);
  EXPECT_EQ(row["interrupted"], false);
}

TEST(BenchReport, JsonOfPacedSeriesHasLatenessAndMemory) {
  BenchStep step = Step();
  step.options = {.rate = 39, .deadline = absl::Milliseconds(5), .sample_rate = 50, .chunk_samples = 25};
  step.series = 100;
  step.result.late = 1;
  step.memory = ServerMemory{.before_bytes = 1000, .open_bytes = 3000};
  const json row = json::parse(BenchJson({.stream = true, .series_per_call = 10}, {step}))["steps"][0];
  EXPECT_EQ(row["sample_rate"], 50);
  EXPECT_EQ(row["chunk_samples"], 25);
  EXPECT_EQ(row["series"], 100);
  EXPECT_EQ(row["deadline_ms"], 5);
  EXPECT_EQ(row["late"], 1);
  EXPECT_EQ(row["server_memory"]["open_bytes"], 3000);
}

TEST(BenchReport, JsonOfAnOpenLoopHasRateAndSendDelay) {
  BenchStep step{.options = {.rate = 100, .arrivals = Arrivals::kConstant}};
  const json row = json::parse(BenchJson({}, {step}))["steps"][0];
  EXPECT_EQ(row["rate"], 100);
  EXPECT_EQ(row["arrivals"], "constant");
  EXPECT_TRUE(row["send_delay_ms"].is_null());
  EXPECT_TRUE(row["latency_ms"].is_null());
}

}  // namespace
}  // namespace stillwave::client::bench
