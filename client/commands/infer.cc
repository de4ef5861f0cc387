#include "client/commands/infer.h"

#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/infer_input.h"
#include "client/json_output.h"
#include "client/model_choice.h"
#include "client/output.h"
#include "client/prediction.h"
#include "client/result_table.h"
#include "client/sample_reader.h"
#include "client/stillwave_client.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr double kMaxSampleIndex = 1e15;

absl::StatusOr<int64_t> StartSample(const InferOptions& options) {
  if (!options.at_seconds.has_value()) return options.start.value_or(0);
  if (options.start.has_value()) return UsageError("--at and --start are two words for one thing: leave one out");
  if (options.rate_hz <= 0) return UsageError("--at needs --rate, the samples per second");
  const double sample = *options.at_seconds * options.rate_hz;
  if (!(sample >= 0 && sample < kMaxSampleIndex)) {
    return UsageError(absl::StrCat("--at must be a time of the series; was ", *options.at_seconds));
  }
  return std::llround(sample);
}

absl::StatusOr<TensorInfo> OnlyInput(const ModelInfo& model) {
  if (model.inputs.size() == 1) return model.inputs[0];
  return BadInputError(absl::StrCat("model '", model.name, "' has ", model.inputs.size(),
                                    " inputs; this client can only feed models with one"));
}

absl::Status Print(const InferAnswer& answer, const std::vector<ResultRow>& rows, const ResultFormat& format,
                   bool json) {
  if (json) {
    WriteOut(InferJson(answer.model_name, answer.model_version, rows, format) + "\n");
    return FlushOut();
  }
  ResultTable table(format, rows[0]);
  for (const ResultRow& row : rows) table.Fit(row);
  WriteOut(table.HeaderLine());
  for (const ResultRow& row : rows) WriteOut(table.Line(row));
  return FlushOut();
}

}  // namespace

absl::StatusOr<ExitCode> RunInfer(const GlobalOptions& global, const InferOptions& options) {
  InferSelection selection{.window_length = options.window, .hop = options.hop, .batch = options.batch};
  ASSIGN_OR_RETURN(selection.start, StartSample(options));
  ASSIGN_OR_RETURN(SampleArray file, ReadSampleFile(options.file));
  ASSIGN_OR_RETURN(const SampleArray samples, SelectColumns(std::move(file), options.columns));
  if (samples.not_finite > 0) {
    Warn(absl::StrCat(samples.source, ": ", samples.not_finite, " values are NaN or infinite"));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<StillwaveClient> client,
                   StillwaveClient::Connect(global.server, global.timeout));
  ASSIGN_OR_RETURN(const std::string model, ChooseModel(*client, options.model));
  ASSIGN_OR_RETURN(const ModelInfo info, client->GetModelInfo(model, options.version));
  ASSIGN_OR_RETURN(const TensorInfo input, OnlyInput(info));
  ASSIGN_OR_RETURN(InferInput batch, MakeInferInput(samples, input, selection));

  const InferCall call{.model_name = model,
                       .model_version = options.version,
                       .input_name = input.name,
                       .shape = batch.shape,
                       .values = std::move(batch.values),
                       .outputs = options.outputs};
  ASSIGN_OR_RETURN(InferAnswer answer, client->Infer(call));
  for (size_t i = 0; i < batch.rows.size(); ++i) batch.rows[i].outputs = std::move(answer.rows[i]);
  RETURN_IF_ERROR(CheckLabels(batch.rows[0], options.labels));
  const double rate_hz = options.rate_hz > 0 ? options.rate_hz : samples.sample_rate_hz;
  const ResultFormat format{options.labels, options.softmax, rate_hz};
  RETURN_IF_ERROR(Print(answer, batch.rows, format, global.json));
  return ExitCode::kOk;
}

}  // namespace stillwave::client
