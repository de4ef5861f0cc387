#include "client/commands/stream.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/interrupt.h"
#include "client/model_choice.h"
#include "client/output.h"
#include "client/prediction_file.h"
#include "client/raw_source.h"
#include "client/sample_reader.h"
#include "client/sample_source.h"
#include "client/stillwave_client.h"
#include "client/stream_report.h"
#include "client/stream_run.h"
#include "client/terminal.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr int64_t kDefaultChunkSamples = 4096;
constexpr double kRealtimeChunksPerSecond = 10;

bool IsLive(const StreamOptions& options) { return options.file == "-"; }

absl::Status CheckOptions(const StreamOptions& options, bool json) {
  if (options.plot && json) return UsageError("--plot and --json both write to standard output; try --out FILE.jsonl");
  if (options.plot && options.only_changes) return UsageError("--changes is for rows; --plot shows every window");
  if (!IsLive(options) && options.raw.has_value()) {
    return UsageError("--raw-format is for standard input: stillwave stream - < FILE");
  }
  if (!IsLive(options)) return absl::OkStatus();
  if (options.realtime) return UsageError("--realtime is for files: standard input has its own pace");
  if (options.to.has_value()) return UsageError("--to is for files: standard input ends where it ends");
  return absl::OkStatus();
}

// Reads the file, and takes its rate unless the user gave one. Null for standard input, which is read only when the
// server is known to be there.
absl::StatusOr<std::unique_ptr<SampleSource>> OpenFile(StreamOptions* options) {
  if (IsLive(*options)) return std::unique_ptr<SampleSource>();
  ASSIGN_OR_RETURN(SampleArray file, ReadSampleFile(options->file));
  if (options->rate_hz <= 0) options->rate_hz = file.sample_rate_hz;
  if (options->realtime && options->rate_hz <= 0) {
    return UsageError("--realtime needs --rate, the samples per second");
  }
  ASSIGN_OR_RETURN(SampleArray samples, SelectColumns(std::move(file), options->columns));
  ASSIGN_OR_RETURN(std::unique_ptr<ArraySource> source,
                   ArraySource::Create(std::move(samples), options->from, options->to));
  return std::unique_ptr<SampleSource>(std::move(source));
}

absl::StatusOr<std::unique_ptr<SampleSource>> OpenStandardInput(const StreamOptions& options, Interrupt* interrupt) {
  constexpr char kName[] = "standard input";
  if (options.raw.has_value()) {
    ASSIGN_OR_RETURN(std::unique_ptr<RawSource> source,
                     RawSource::Create(STDIN_FILENO, kName, *options.raw, options.columns, interrupt));
    return std::unique_ptr<SampleSource>(std::move(source));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<LineSource> source,
                   LineSource::Create(STDIN_FILENO, kName, options.columns, interrupt));
  return std::unique_ptr<SampleSource>(std::move(source));
}

SeriesOptions ToSeriesOptions(const StreamOptions& options, const std::string& model) {
  return {.model_name = model,
          .model_version = options.version,
          .window_length = options.window,
          .hop = options.hop,
          .pad_partial_window = options.pad,
          .first_sample_index = options.from,
          .sample_rate_hz = options.rate_hz,
          .outputs = options.outputs};
}

absl::StatusOr<SeriesOpened> ReadOpened(WindowStream& stream) {
  ASSIGN_OR_RETURN(const std::optional<StreamEvent> event, stream.Read());
  if (event.has_value() && std::holds_alternative<SeriesOpened>(*event)) return std::get<SeriesOpened>(*event);
  if (event.has_value() && std::holds_alternative<Draining>(*event)) {
    return absl::UnavailableError("the server stops and takes no new series");
  }
  return absl::InternalError("the server did not say that the series is open");
}

// Otherwise samples of 2 channels would silently be taken for twice as many of 1.
absl::Status CheckChannels(const SampleSource& source, const SeriesOpened& opened, const std::string& file) {
  if (source.channels() == opened.channels) return absl::OkStatus();
  return BadInputError(absl::StrCat(file, ": the series has ", source.channels(), " channels, model '",
                                    opened.model_name, "' takes ", opened.channels,
                                    source.channels() > opened.channels ? "; choose with --columns" : ""));
}

Pace ChoosePace(const StreamOptions& options) {
  Pace pace{.chunk_samples = kDefaultChunkSamples, .realtime_rate_hz = options.realtime ? options.rate_hz : 0};
  if (options.realtime) {
    pace.chunk_samples =
        std::clamp<int64_t>(static_cast<int64_t>(options.rate_hz / kRealtimeChunksPerSecond), 1, kDefaultChunkSamples);
  }
  if (options.chunk > 0) pace.chunk_samples = options.chunk;
  return pace;
}

SignalPlotOptions ToPlotOptions(const StreamOptions& options, const Terminal& terminal, int64_t channels) {
  return {.title = IsLive(options) ? "standard input" : options.file,
          // A full line would leave the cursor on its last character.
          .columns = terminal.columns - (terminal.interactive ? 1 : 0),
          .utf8 = terminal.utf8,
          .color = terminal.color,
          .channels = channels,
          .first_sample = options.from,
          .sample_rate_hz = options.rate_hz};
}

StreamReportOptions ToReportOptions(const StreamOptions& options, bool json, int64_t channels) {
  const Terminal terminal = DescribeTerminal(STDOUT_FILENO);
  StreamReportOptions report{.format = {options.labels, options.softmax, options.rate_hz},
                             .json = json,
                             .only_changes = options.only_changes,
                             .show_progress = isatty(STDERR_FILENO) == 1,
                             .rows_on_terminal = isatty(STDOUT_FILENO) == 1,
                             .flush_rows = IsLive(options) || options.realtime || isatty(STDOUT_FILENO) == 1};
  if (options.plot) report.plot = ToPlotOptions(options, terminal, channels);
  report.plot_on_terminal = options.plot && terminal.interactive;
  return report;
}

// A series that goes on must be the same one: windows of another length would be nonsense beside the first ones.
absl::Status CheckReopened(const SeriesOpened& before, const SeriesOpened& now) {
  if (now.window_length != before.window_length || now.hop != before.hop || now.channels != before.channels) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the server came back with windows of ", now.window_length, " samples of ", now.channels, " channels, hop ",
        now.hop, "; they were ", before.window_length, " of ", before.channels, ", hop ", before.hop));
  }
  if (now.model_version != before.model_version) {
    Warn(
        absl::StrCat("the server now has version ", now.model_version, " of the model; it was ", before.model_version));
  }
  return absl::OkStatus();
}

ResumePlan MakeResumePlan(const GlobalOptions& global, const StreamOptions& options, StillwaveClient* client,
                          const SeriesOptions& series, const SeriesOpened& opened) {
  ResumePlan plan{.patience = global.timeout, .first_sample = options.from};
  if (options.no_retry) return plan;
  plan.reopen = [=](int64_t sample, int64_t window) -> absl::StatusOr<std::unique_ptr<WindowStream>> {
    SeriesOptions rest = series;
    rest.first_sample_index = sample;
    rest.first_window_index = window;
    std::unique_ptr<WindowStream> stream = client->OpenStream(rest);
    ASSIGN_OR_RETURN(const SeriesOpened now, ReadOpened(*stream));
    RETURN_IF_ERROR(CheckReopened(opened, now));
    return stream;
  };
  return plan;
}

absl::StatusOr<std::unique_ptr<PredictionFile>> OpenOut(const StreamOptions& options) {
  if (options.out.empty()) return std::unique_ptr<PredictionFile>();
  return PredictionFile::Create(options.out, {options.labels, options.softmax, options.rate_hz});
}

// What came is kept also when an error or Ctrl-C ended the stream.
absl::Status CommitOut(const StreamOptions& options, PredictionFile* file) {
  if (file == nullptr) return absl::OkStatus();
  if (file->rows() == 0) Warn(absl::StrCat("there was no window: ", options.out, " is not written"));
  return file->Commit();
}

}  // namespace

absl::StatusOr<ExitCode> RunStream(const GlobalOptions& global, const StreamOptions& given) {
  StreamOptions options = given;
  RETURN_IF_ERROR(CheckOptions(options, global.json));
  ASSIGN_OR_RETURN(std::unique_ptr<SampleSource> source, OpenFile(&options));
  ASSIGN_OR_RETURN(const std::unique_ptr<PredictionFile> file, OpenOut(options));
  ASSIGN_OR_RETURN(const std::unique_ptr<StillwaveClient> client,
                   StillwaveClient::Connect(global.server, global.timeout));
  ASSIGN_OR_RETURN(const std::string model, ChooseModel(*client, options.model));
  Interrupt& interrupt = Interrupt::Install();
  if (source == nullptr) {
    ASSIGN_OR_RETURN(source, OpenStandardInput(options, &interrupt));
  }
  const SeriesOptions series = ToSeriesOptions(options, model);
  std::unique_ptr<WindowStream> stream = client->OpenStream(series);
  ASSIGN_OR_RETURN(const SeriesOpened opened, ReadOpened(*stream));
  RETURN_IF_ERROR(CheckChannels(*source, opened, options.file));

  StreamReport report(ToReportOptions(options, global.json, source->channels()), opened, source->total_samples(),
                      file.get());
  StreamSummary summary{.sample_rate_hz = options.rate_hz};
  StreamRun run(std::move(stream), opened.hop, source.get(), &report, &interrupt, ChoosePace(options),
                MakeResumePlan(global, options, client.get(), series, opened));
  const absl::Status status = run.Run(&summary);
  report.End(summary);
  if (source->not_finite() > 0) {
    Warn(absl::StrCat(options.file, ": ", source->not_finite(), " values were NaN or infinite"));
  }
  const absl::Status committed = CommitOut(options, file.get());
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(committed);
  RETURN_IF_ERROR(FlushOut());
  return summary.interrupted ? ExitCode::kInterrupted : ExitCode::kOk;
}

}  // namespace stillwave::client
