#include "client/bench_arguments.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/bench/sweep.h"
#include "client/exit_code.h"
#include "client/help_text.h"
#include "client/option_kinds.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr int64_t kMaxInFlight = 16384;
constexpr int64_t kMaxSeries = int64_t{1} << 20;
constexpr int64_t kMaxBenchBatch = int64_t{1} << 16;
constexpr int64_t kMaxBenchRequests = int64_t{1} << 40;
constexpr double kMinBenchRate = 0.01;
constexpr double kMaxBenchRate = 1e6;
constexpr double kMaxBenchSeconds = 86400;
constexpr double kMaxSampleRate = 1e6;
constexpr double kMaxDeadlineMillis = 1e6;
constexpr double kDefaultChunkSeconds = 0.5;

void AddBenchLoad(CLI::App* command, BenchOptions* options, BenchText* text) {
  CLI::Option* const concurrency =
      command
          ->add_option("--concurrency", text->concurrency,
                       "Requests in flight, or series of a stream: one number or a sweep, from 1 to 16384 (default 1)")
          ->type_name("SWEEP");
  command
      ->add_option("--rate", text->rate,
                   "Requests a second instead, answered or not: one number or a sweep, from 0.01 to 1000000")
      ->type_name("SWEEP")
      ->excludes(concurrency);
  command
      ->add_option("--arrivals", text->arrivals,
                   "Of --rate: poisson, at random times as of many users (default), or constant, in equal distances")
      ->check(CLI::IsMember({"poisson", "constant"}).description(""))
      ->type_name("poisson|constant");
  CLI::Option* const duration =
      command->add_option("--duration", text->duration_seconds, "Measured time of each step (default 10)")
          ->check(SecondsRange(0.1, kMaxBenchSeconds))
          ->type_name("SECONDS");
  AddCount(command, "--requests", options->load.requests, 1, kMaxBenchRequests,
           "Measure so many requests in each step, however long it takes")
      ->excludes(duration);
  command->add_option("--warmup", text->warmup_seconds, "Time before each step that is not measured (default 1)")
      ->check(SecondsRange(0, kMaxBenchSeconds))
      ->type_name("SECONDS");
  AddCount(command, "--max-in-flight", options->load.max_in_flight, 1, kMaxInFlight,
           "Of --rate: most requests that wait for their answers; later ones wait at this client (default 4096)");
  command->add_option("--connections", options->load.connections, "TCP connections, used in turns (default 1)")
      ->check(CountRange(1, 4096))
      ->type_name("N");
  command->add_option("--threads", options->load.threads, "Threads of this client that send and receive (default 1)")
      ->check(CountRange(1, 64))
      ->type_name("N");
}

void AddBenchStream(CLI::App* command, BenchOptions* options, BenchText* text) {
  command->add_flag("--stream", options->stream,
                    "Windows of live series through StreamWindows: from a chunk sent to its result");
  AddCount(command, "--series", options->series, 1, kMaxSeries,
           "Of --stream with --rate or --sample-rate: series (default 16)");
  AddCount(command, "--series-per-stream", options->series_per_call, 1, kMaxSeries,
           "Of --stream: series that share a call (default 1)");
  AddCount(command, "--message-windows", options->message_windows, 1, kMaxMessageWindows,
           "Of --stream with --concurrency: windows that the samples of a message complete (default 1)");
  AddCount(command, "--calls", text->calls, 1, kMaxSeries, "Of --stream: calls that the series are dealt out to");
  command
      ->add_option("--sample-rate", options->load.sample_rate,
                   "Of --stream: samples a second of each series, sent when they would be there, answered or not")
      ->check(CLI::Range(1e-3, kMaxSampleRate).description(""))
      ->type_name("HZ");
  AddCount(command, "--chunk", options->load.chunk_samples, 1, kMaxChunk,
           "Of --sample-rate: samples in a message (default: half a second)");
  command
      ->add_option("--deadline-ms", text->deadline_millis, "Count answers that took longer as late (default: none is)")
      ->check(CLI::Range(1e-3, kMaxDeadlineMillis).description(""))
      ->type_name("MS");
}

absl::Status FinishBenchSeries(const CLI::App& command, const BenchText& text, BenchOptions* options) {
  for (const char* stream_only : {"--series", "--series-per-stream", "--calls", "--sample-rate", "--message-windows"}) {
    if (command.count(stream_only) > 0 && !options->stream) {
      return UsageError(absl::StrCat(stream_only, " needs --stream"));
    }
  }
  const bool paced = command.count("--sample-rate") > 0;
  if (command.count("--series") > 0 && !paced && options->rates.empty()) {
    return UsageError("--series needs --rate or --sample-rate");
  }
  if (command.count("--chunk") > 0 && !paced) return UsageError("--chunk needs --sample-rate");
  if (options->message_windows > 1 && (paced || !options->rates.empty())) {
    return UsageError(absl::StrCat("--message-windows needs a closed loop: leave out ",
                                   paced ? "--sample-rate, which has --chunk" : "--rate"));
  }
  if (paced && options->load.chunk_samples == 0) {
    options->load.chunk_samples =
        std::clamp<int64_t>(static_cast<int64_t>(options->load.sample_rate * kDefaultChunkSeconds), 1, kMaxChunk);
  }
  for (const char* other_load : {"--rate", "--concurrency", "--requests", "--max-in-flight"}) {
    if (paced && command.count(other_load) > 0) {
      return UsageError(absl::StrCat("--sample-rate says when samples are sent; leave out ", other_load));
    }
  }
  if (!text.calls.has_value()) return absl::OkStatus();
  if (command.count("--series-per-stream") > 0) {
    return UsageError("--calls and --series-per-stream say the same: leave one out");
  }
  const int64_t series = paced || !options->rates.empty()
                             ? options->series
                             : *std::max_element(options->concurrencies.begin(), options->concurrencies.end());
  if (*text.calls > series) {
    return UsageError(absl::StrCat("--calls must be at most the number of series, ", series, "; was ", *text.calls));
  }
  options->series_per_call = (series + *text.calls - 1) / *text.calls;
  return absl::OkStatus();
}

}  // namespace

CLI::App* AddBench(CLI::App* app, BenchOptions* options, BenchText* text) {
  CLI::App* command = app->add_subcommand("bench", kBenchHelp);
  command->footer(kBenchFooter);
  command->add_option("file", options->file, ".npy, CSV, WAV or FLAC with what to send (default: random values)")
      ->type_name("FILE");
  command->add_option("--model", options->model, "Name of the model; may be left out when the server has one")
      ->type_name("NAME");
  command->add_option("--version", options->version, "Version of the model (default: the newest that is ready)")
      ->type_name("V");
  AddBenchLoad(command, options, text);
  AddCount(command, "--batch", options->batch, 1, kMaxBenchBatch, "Samples in a request (default 1)");
  AddCount(command, "--window", options->window, 1, kMaxWindow, "Time steps of a sample (default: the model's own)");
  AddCount(command, "--hop", options->hop, 1, kMaxIndex,
           "Of series: samples between window starts (default: the window's length)");
  command->add_option("--columns", text->columns, "Columns of FILE to send as channels, as of infer")->type_name("A,B");
  command->add_option("--seed", options->load.seed, "Of random values and arrival times (default 1)")
      ->check(CountRange(0, kMaxIndex))
      ->type_name("N");
  AddBenchStream(command, options, text);
  command
      ->add_option(
          "--server-stats", options->server_stats,
          "HTTP address of the server: also show its mean compute and queue time, and its memory for a series, "
          "from /metrics")
      ->type_name("HOST:PORT");
  return command;
}

absl::Status FinishBench(const CLI::App& command, const BenchText& text, const GlobalOptions& global,
                         BenchOptions* options) {
  ASSIGN_OR_RETURN(options->columns, SplitList("--columns", text.columns));
  if (command.count("--rate") > 0) {
    ASSIGN_OR_RETURN(options->rates, bench::ParseSweep("--rate", text.rate, {kMinBenchRate, kMaxBenchRate, false}));
  } else {
    ASSIGN_OR_RETURN(const std::vector<double> values,
                     bench::ParseSweep("--concurrency", text.concurrency, {1, double{kMaxInFlight}, true}));
    options->concurrencies.assign(values.begin(), values.end());
  }
  for (const char* open_loop_only : {"--arrivals", "--max-in-flight"}) {
    if (command.count(open_loop_only) > 0 && options->rates.empty()) {
      return UsageError(absl::StrCat(open_loop_only, " needs --rate"));
    }
  }
  RETURN_IF_ERROR(FinishBenchSeries(command, text, options));
  options->load.arrivals = text.arrivals == "poisson" ? bench::Arrivals::kPoisson : bench::Arrivals::kConstant;
  options->load.duration = absl::Seconds(text.duration_seconds);
  options->load.warmup = absl::Seconds(text.warmup_seconds);
  if (text.deadline_millis > 0) options->load.deadline = absl::Milliseconds(text.deadline_millis);
  options->load.timeout = global.timeout;
  return absl::OkStatus();
}

}  // namespace stillwave::client
