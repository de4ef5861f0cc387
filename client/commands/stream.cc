#include "client/commands/stream.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/interrupt.h"
#include "client/model_choice.h"
#include "client/output.h"
#include "client/sample_reader.h"
#include "client/sample_source.h"
#include "client/stillwave_client.h"
#include "client/stream_report.h"
#include "client/stream_run.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr int64_t kDefaultChunkSamples = 4096;
constexpr double kRealtimeChunksPerSecond = 10;

bool IsLive(const StreamOptions& options) { return options.file == "-"; }

absl::Status CheckOptions(const StreamOptions& options) {
  if (options.realtime && options.rate_hz <= 0) return UsageError("--realtime needs --rate, the samples per second");
  if (!IsLive(options)) return absl::OkStatus();
  if (options.realtime) return UsageError("--realtime is for files: standard input has its own pace");
  if (options.to.has_value()) return UsageError("--to is for files: standard input ends where it ends");
  return absl::OkStatus();
}

// Null for standard input, which is read only when the server is known to be there.
absl::StatusOr<std::unique_ptr<SampleSource>> OpenFile(const StreamOptions& options) {
  if (IsLive(options)) return std::unique_ptr<SampleSource>();
  ASSIGN_OR_RETURN(SampleArray file, ReadSampleFile(options.file));
  ASSIGN_OR_RETURN(SampleArray samples, SelectColumns(std::move(file), options.columns));
  ASSIGN_OR_RETURN(std::unique_ptr<ArraySource> source,
                   ArraySource::Create(std::move(samples), options.from, options.to));
  return std::unique_ptr<SampleSource>(std::move(source));
}

absl::StatusOr<std::unique_ptr<SampleSource>> OpenStandardInput(const StreamOptions& options, Interrupt* interrupt) {
  ASSIGN_OR_RETURN(std::unique_ptr<LineSource> source,
                   LineSource::Create(STDIN_FILENO, "standard input", options.columns, interrupt));
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

StreamReportOptions ToReportOptions(const StreamOptions& options, bool json) {
  return {.format = {options.labels, options.softmax, options.rate_hz},
          .json = json,
          .only_changes = options.only_changes,
          .show_progress = isatty(STDERR_FILENO) == 1,
          .rows_on_terminal = isatty(STDOUT_FILENO) == 1,
          .flush_rows = IsLive(options) || options.realtime || isatty(STDOUT_FILENO) == 1};
}

}  // namespace

absl::StatusOr<ExitCode> RunStream(const GlobalOptions& global, const StreamOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  ASSIGN_OR_RETURN(std::unique_ptr<SampleSource> source, OpenFile(options));
  ASSIGN_OR_RETURN(const std::unique_ptr<StillwaveClient> client,
                   StillwaveClient::Connect(global.server, global.timeout));
  ASSIGN_OR_RETURN(const std::string model, ChooseModel(*client, options.model));
  Interrupt& interrupt = Interrupt::Install();
  if (source == nullptr) {
    ASSIGN_OR_RETURN(source, OpenStandardInput(options, &interrupt));
  }
  const std::unique_ptr<WindowStream> stream = client->OpenStream(ToSeriesOptions(options, model));
  ASSIGN_OR_RETURN(const SeriesOpened opened, ReadOpened(*stream));
  RETURN_IF_ERROR(CheckChannels(*source, opened, options.file));

  StreamReport report(ToReportOptions(options, global.json), opened, source->total_samples());
  StreamSummary summary;
  const absl::Status status =
      StreamRun(stream.get(), source.get(), &report, &interrupt, ChoosePace(options)).Run(&summary);
  report.End(summary);
  if (source->not_finite() > 0) {
    Warn(absl::StrCat(options.file, ": ", source->not_finite(), " values were NaN or infinite"));
  }
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(FlushOut());
  return summary.interrupted ? ExitCode::kInterrupted : ExitCode::kOk;
}

}  // namespace stillwave::client
