#include "client/bench/bench_report.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/text_width.h"

namespace stillwave::client::bench {
namespace {

constexpr int kBarCells = 20;

std::string Millis(absl::Duration duration) {
  const double millis = absl::ToDoubleMilliseconds(duration);
  return absl::StrFormat("%.*f", millis < 10 ? 3 : millis < 1000 ? 1 : 0, millis);
}

std::string PerSecond(double rate) { return absl::StrFormat("%.*f", rate < 100 ? 1 : 0, rate); }

// A dash where nothing was answered: zero would be praise.
std::string Latency(const LatencyHistogram& latency, double percent) {
  return latency.count() == 0 ? "-" : Millis(latency.Percentile(percent));
}

std::string LoadText(const LoadOptions& options) {
  if (options.open_loop()) return absl::StrCat(PerSecond(options.rate), "/s");
  return absl::StrCat(options.concurrency, " in flight");
}

std::vector<Column> Columns(bool open_loop, bool stream, bool server_stats) {
  const std::string load = open_loop ? "offered/s" : stream ? "series" : "in flight";
  std::vector<Column> columns;
  const auto add = [&columns](const std::string& title) { columns.push_back({title, Align::kRight, 9}); };
  for (const std::string& title :
       {load, std::string(stream ? "windows/s" : "ok/s"), std::string("p50 ms"), std::string("p90 ms"),
        std::string("p99 ms"), std::string("p99.9 ms"), std::string("max ms"), std::string("errors")}) {
    add(title);
  }
  if (server_stats) {
    for (const char* title : {"compute ms", "queue ms", "batch"}) add(title);
  }
  return columns;
}

}  // namespace

std::string SetupText(const BenchSetup& setup, const LoadOptions& options) {
  std::string text = absl::StrCat(setup.stream ? "windows of " : "requests to ", setup.model);
  if (!setup.version.empty()) absl::StrAppend(&text, " version ", setup.version);
  absl::StrAppend(&text, " at ", setup.server, ": ", setup.input, "\n");
  absl::StrAppend(&text, options.open_loop() ? "open loop" : "closed loop");
  if (options.paced()) {
    absl::StrAppend(&text, ", ", setup.series, " series, ", setup.series_per_call, " on a call, of ",
                    options.sample_rate, " samples/s in chunks of ", options.chunk_samples);
  } else if (options.open_loop()) {
    absl::StrAppend(&text, ", ", options.arrivals == Arrivals::kPoisson ? "Poisson" : "constant", " arrivals");
  }
  absl::StrAppend(&text, ", ", options.connections, options.connections == 1 ? " connection" : " connections", ", ",
                  options.threads, options.threads == 1 ? " thread" : " threads", "; each step ",
                  options.requests > 0 ? absl::StrCat(options.requests, setup.stream ? " windows" : " requests")
                                       : absl::FormatDuration(options.duration),
                  " after ", absl::FormatDuration(options.warmup), " of warm-up\n");
  return EscapeControlCharacters(text.substr(0, text.find('\n'))) + text.substr(text.find('\n'));
}

BenchTable::BenchTable(bool open_loop, bool stream, bool server_stats)
    : open_loop_(open_loop), server_stats_(server_stats), layout_(Columns(open_loop, stream, server_stats)) {}

std::string BenchTable::Line(const BenchStep& step) {
  const LoadResult& result = step.result;
  std::vector<std::string> cells = {open_loop_ ? PerSecond(step.options.rate) : absl::StrCat(step.options.concurrency),
                                    PerSecond(result.goodput())};
  for (const double percent : {50.0, 90.0, 99.0, 99.9, 100.0}) cells.push_back(Latency(result.latency, percent));
  cells.push_back(absl::StrCat(result.errors()));
  if (server_stats_) {
    const ServerStats stats = step.server.value_or(ServerStats());
    cells.push_back(Millis(stats.Compute()));
    cells.push_back(Millis(stats.Queue()));
    cells.push_back(absl::StrFormat("%.1f", stats.BatchSamples()));
  }
  return layout_.Line(cells);
}

std::string NotesText(const BenchStep& step) {
  const LoadResult& result = step.result;
  std::string text;
  for (const auto& [code, group] : result.groups) {
    absl::StrAppend(&text, "  ", absl::StatusCodeToString(code), ": ", group.latency.count(), ", p50 ",
                    Latency(group.latency, 50), " ms, p99 ", Latency(group.latency, 99),
                    " ms: ", EscapeControlCharacters(group.message), "\n");
  }
  if (result.unsent > 0) {
    absl::StrAppend(&text, "  not sent: ", result.unsent, "; ", step.options.max_in_flight,
                    " requests (--max-in-flight) waited for answers\n");
  }
  if (result.late > 0) {
    absl::StrAppendFormat(&text, "  late: %d of %d answers (%.2f %%) took longer than %s ms\n", result.late,
                          result.ok(), 100 * static_cast<double>(result.late) / static_cast<double>(result.ok()),
                          Millis(step.options.deadline));
  }
  if (step.memory.has_value() && step.series > 0) {
    absl::StrAppendFormat(
        &text, "  server memory: %.1f MiB with the series open, %.1f before: %.1f KiB a series\n",
        step.memory->open_bytes / (1 << 20), step.memory->before_bytes / (1 << 20),
        (step.memory->open_bytes - step.memory->before_bytes) / 1024 / static_cast<double>(step.series));
  }
  if (result.abandoned > 0) absl::StrAppend(&text, "  given up at the interruption: ", result.abandoned, "\n");
  const absl::Duration delay = result.send_delay.Percentile(99);
  if (result.latency.count() > 0 && delay > absl::Milliseconds(1) && 2 * delay > result.latency.Percentile(99)) {
    absl::StrAppend(&text, "  this client was late: it sent 1 % of the requests ", Millis(delay),
                    " ms or more after they were due\n");
  }
  return text;
}

std::string StepProgressText(const LoadOptions& options, size_t step, size_t steps, absl::Duration elapsed, int64_t ok,
                             int64_t errors) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  double share = seconds / std::max(1e-9, absl::ToDoubleSeconds(options.warmup + options.duration));
  if (options.requests > 0) share = static_cast<double>(ok + errors) / static_cast<double>(options.requests);
  share = std::clamp(share, 0.0, 1.0);
  const size_t filled = static_cast<size_t>(share * kBarCells);
  std::string text =
      absl::StrFormat("%d of %d  %s  [%s%s] %3.0f %%  %d answers  %.0f/s", step, steps, LoadText(options),
                      std::string(filled, '#'), std::string(kBarCells - filled, '-'), share * 100, ok + errors,
                      seconds > 0 ? static_cast<double>(ok + errors) / seconds : 0.0);
  if (errors > 0) absl::StrAppend(&text, "  ", errors, " errors");
  return text;
}

}  // namespace stillwave::client::bench
