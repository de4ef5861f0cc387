#include "client/commands/bench.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/bench/bench_report.h"
#include "client/bench/bench_session.h"
#include "client/bench/load_input.h"
#include "client/bench/server_stats.h"
#include "client/interrupt.h"
#include "client/json_output.h"
#include "client/model_choice.h"
#include "client/output.h"
#include "client/progress.h"
#include "client/sample_reader.h"
#include "client/stillwave_client.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

using bench::BenchSession;
using bench::BenchSetup;
using bench::BenchStep;
using bench::LoadOptions;

absl::Status CheckOptions(const BenchOptions& options) {
  const LoadOptions& load = options.load;
  if (load.max_in_flight < load.threads) {
    return UsageError(
        absl::StrCat("--max-in-flight must be at least --threads, ", load.threads, "; was ", load.max_in_flight));
  }
  if (options.stream && options.batch != 1) return UsageError("--batch is for requests; a stream's windows come alone");
  if (!options.stream && options.file.empty() && options.hop.has_value()) {
    return UsageError("--hop is for series: give a file or --stream");
  }
  if (options.file.empty() && !options.columns.empty()) return UsageError("--columns needs a file");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SampleArray>> ReadInputFile(const BenchOptions& options) {
  if (options.file.empty()) return std::optional<SampleArray>();
  ASSIGN_OR_RETURN(SampleArray file, ReadSampleFile(options.file));
  ASSIGN_OR_RETURN(SampleArray samples, SelectColumns(std::move(file), options.columns));
  if (samples.not_finite > 0) {
    Warn(absl::StrCat(samples.source, ": ", samples.not_finite, " values are NaN or infinite"));
  }
  return std::optional<SampleArray>(std::move(samples));
}

std::vector<LoadOptions> StepsOf(const BenchOptions& options) {
  if (options.load.paced()) return {options.load};
  std::vector<LoadOptions> steps;
  for (const int64_t concurrency : options.concurrencies) {
    steps.push_back(options.load);
    steps.back().concurrency = concurrency;
  }
  for (const double rate : options.rates) {
    steps.push_back(options.load);
    steps.back().rate = rate;
  }
  return steps;
}

// "ecg [8,1,128], 16 random requests (seed 1)".
std::string InputText(const std::vector<bench::InferInputs>& inputs, const BenchOptions& options) {
  std::string text;
  for (const bench::InputTensor& tensor : inputs[0]) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", tensor.name, " ", ShapeText(tensor.shape));
  }
  return absl::StrCat(text, ", ", inputs.size(), " different requests, ",
                      options.file.empty() ? absl::StrCat("random (seed ", options.load.seed, ")") : options.file);
}

std::string SeriesText(const bench::SeriesSamples& samples, const BenchOptions& options) {
  return absl::StrCat("windows of ", samples.window, " samples, hop ", samples.hop, ", ", samples.channels,
                      samples.channels == 1 ? " channel, " : " channels, ",
                      samples.message_windows == 1 ? "" : absl::StrCat(samples.message_windows, " windows a message, "),
                      options.file.empty() ? absl::StrCat("random (seed ", options.load.seed, ")") : options.file);
}

// Windows a second follow from what the series send; the warm-up lasts until each series has had its first ones.
LoadOptions PacedOptions(LoadOptions load, int64_t series, const bench::SeriesSamples& samples) {
  load.rate = static_cast<double>(series) * load.sample_rate / static_cast<double>(samples.hop);
  const int64_t first = samples.window + 2 * samples.hop + load.chunk_samples;
  load.warmup = std::max(load.warmup, absl::Seconds(static_cast<double>(first) / load.sample_rate));
  return load;
}

// One benchmark: its steps run one after the other, and each is printed when it ends.
class Bench {
 public:
  Bench(const GlobalOptions& global, const BenchOptions& options)
      : global_(global),
        options_(options),
        steps_(StepsOf(options)),
        table_(steps_[0].open_loop(), options.stream, !options.server_stats.empty()),
        progress_(isatty(STDERR_FILENO) == 1) {}

  absl::StatusOr<ExitCode> Run() {
    ASSIGN_OR_RETURN(const std::optional<SampleArray> file, ReadInputFile(options_));
    ASSIGN_OR_RETURN(const std::unique_ptr<StillwaveClient> client,
                     StillwaveClient::Connect(global_.server, global_.timeout));
    ASSIGN_OR_RETURN(setup_.model, ChooseModel(*client, options_.model));
    ASSIGN_OR_RETURN(const ModelInfo info, client->GetModelInfo(setup_.model, options_.version));
    RETURN_IF_ERROR(Open(info, file.has_value() ? &*file : nullptr));
    Interrupt& interrupt = Interrupt::Install();
    RETURN_IF_ERROR(PrintHead());
    for (const LoadOptions& load : steps_) {
      RETURN_IF_ERROR(RunStep(load, &interrupt));
      RETURN_IF_ERROR(PrintStep());
      if (interrupt.raised()) break;
    }
    if (global_.json) WriteOut(BenchJson(setup_, done_) + "\n");
    RETURN_IF_ERROR(FlushOut());
    return interrupt.raised() ? absl::StatusOr<ExitCode>(ExitCode::kInterrupted) : Outcome();
  }

 private:
  absl::Status Open(const ModelInfo& info, const SampleArray* file) {
    setup_.server = global_.server;
    setup_.version = options_.version;
    setup_.stream = options_.stream;
    setup_.batch = options_.batch;
    setup_.series = options_.series;
    setup_.series_per_call = options_.series_per_call;
    setup_.message_windows = options_.message_windows;
    const bench::InputOptions input{.batch = options_.batch,
                                    .window = options_.window,
                                    .hop = options_.hop,
                                    .message_windows = options_.message_windows,
                                    .seed = options_.load.seed};
    const BenchSession::Target target{global_.server, setup_.model, options_.version, options_.load.connections,
                                      global_.timeout};
    if (options_.stream) {
      ASSIGN_OR_RETURN(bench::SeriesSamples samples, bench::MakeSeriesSamples(info, input, file));
      setup_.input = SeriesText(samples, options_);
      if (steps_[0].paced()) steps_[0] = PacedOptions(steps_[0], options_.series, samples);
      ASSIGN_OR_RETURN(session_, BenchSession::ForStreams(target, std::move(samples), options_.series_per_call));
    } else {
      ASSIGN_OR_RETURN(const std::vector<bench::InferInputs> inputs, bench::MakeInferInputs(info, input, file));
      setup_.input = InputText(inputs, options_);
      ASSIGN_OR_RETURN(session_, BenchSession::ForRequests(target, inputs));
    }
    return absl::OkStatus();
  }

  absl::Status PrintHead() {
    if (global_.json) return absl::OkStatus();
    WriteOut(absl::StrCat(SetupText(setup_, steps_[0]), "\n", table_.HeaderLine()));
    return FlushOut();
  }

  absl::Status RunStep(const LoadOptions& load, Interrupt* interrupt) {
    BenchStep step{.options = load};
    if (options_.stream) step.series = load.open_loop() ? options_.series : load.concurrency;
    std::optional<bench::ServerStats> before;
    if (!options_.server_stats.empty()) {
      ASSIGN_OR_RETURN(before, bench::FetchServerStats(options_.server_stats, setup_.model, global_.timeout));
    }
    step.sent_bytes_per_answer = session_->sent_bytes_per_answer(load);
    const absl::Duration look_at_memory = load.warmup + 0.8 * load.duration;
    const auto show = [&](const bench::StepProgress& progress) {
      if (before.has_value() && options_.stream && !step.memory.has_value() && progress.elapsed >= look_at_memory) {
        step.memory = ReadMemory(before->resident_bytes);
      }
      progress_.Draw(bench::StepProgressText(load, done_.size() + 1, steps_.size(), progress.elapsed, progress.ok,
                                             progress.errors),
                     absl::Now());
    };
    ASSIGN_OR_RETURN(step.result, session_->Run(load, step.series, interrupt, show));
    if (before.has_value()) {
      ASSIGN_OR_RETURN(const bench::ServerStats after,
                       bench::FetchServerStats(options_.server_stats, setup_.model, global_.timeout));
      step.server = after.Since(*before);
    }
    step.interrupted = interrupt->raised();
    done_.push_back(std::move(step));
    return absl::OkStatus();
  }

  // What cannot be read is told when the step has ended.
  bench::ServerMemory ReadMemory(double before_bytes) const {
    const auto now = bench::FetchServerStats(options_.server_stats, setup_.model, global_.timeout);
    return {before_bytes, now.ok() ? now->resident_bytes : before_bytes};
  }

  absl::Status PrintStep() {
    progress_.Clear();
    if (global_.json) return absl::OkStatus();
    WriteOut(absl::StrCat(table_.Line(done_.back()), bench::NotesText(done_.back())));
    return FlushOut();
  }

  // Refusals are what an overload test is for; a server that only refuses is an error.
  absl::StatusOr<ExitCode> Outcome() const {
    for (const BenchStep& step : done_) {
      if (step.result.ok() > 0 || step.result.groups.empty()) continue;
      const auto most = std::max_element(
          step.result.groups.begin(), step.result.groups.end(),
          [](const auto& a, const auto& b) { return a.second.latency.count() < b.second.latency.count(); });
      return absl::Status(most->first, absl::StrCat("no request was answered with OK: ", most->second.message));
    }
    return ExitCode::kOk;
  }

  const GlobalOptions& global_;
  const BenchOptions& options_;
  std::vector<LoadOptions> steps_;
  BenchSetup setup_;
  bench::BenchTable table_;
  ProgressLine progress_;
  std::unique_ptr<BenchSession> session_;
  std::vector<BenchStep> done_;
};

}  // namespace

absl::StatusOr<ExitCode> RunBench(const GlobalOptions& global, const BenchOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  return Bench(global, options).Run();
}

}  // namespace stillwave::client
