#include "client/infer_input.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "client/exit_code.h"
#include "client/window_cutter.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr int64_t kDynamic = -1;

absl::Status MismatchError(const SampleArray& samples, const TensorInfo& input, absl::string_view message) {
  return BadInputError(absl::StrCat(samples.source, ": shape ", ShapeText(samples.shape), " does not fit the model's '",
                                    input.name, "' ", ShapeText(input.shape), ": ", message));
}

absl::Status CheckReadyBatch(const SampleArray& samples, const TensorInfo& input) {
  for (size_t axis = 1; axis < input.shape.size(); ++axis) {
    if (input.shape[axis] == kDynamic || input.shape[axis] == samples.shape[axis]) continue;
    return MismatchError(samples, input, absl::StrCat("dimension ", axis, " must be ", input.shape[axis]));
  }
  return absl::OkStatus();
}

absl::StatusOr<InferInput> TakeRows(const SampleArray& samples, const TensorInfo& input,
                                    const InferSelection& selection) {
  RETURN_IF_ERROR(CheckReadyBatch(samples, input));
  if (selection.window_length.has_value() || selection.hop.has_value()) {
    return UsageError(absl::StrCat("--window and --hop are for series; ", samples.source, " of shape ",
                                   ShapeText(samples.shape), " is a ready batch for this model"));
  }
  const int64_t available = samples.shape[0];
  const int64_t start = selection.start;
  if (start < 0 || start >= available) {
    return UsageError(absl::StrCat("--start must be a row from 0 to ", available - 1, "; was ", start));
  }
  const int64_t count = selection.batch.value_or(available - start);
  if (count < 1 || count > available - start) {
    return UsageError(
        absl::StrCat("--batch must be from 1 to the ", available - start, " rows that are there; was ", count));
  }
  const int64_t row_values = static_cast<int64_t>(samples.values.size()) / available;
  InferInput batch;
  batch.shape = samples.shape;
  batch.shape[0] = count;
  const auto begin = samples.values.begin() + start * row_values;
  batch.values.assign(begin, begin + count * row_values);
  for (int64_t row = 0; row < count; ++row) batch.rows.push_back(ResultRow{.index = start + row});
  return batch;
}

// {S} has one channel, {S, C} has C.
absl::StatusOr<int64_t> SeriesChannels(const SampleArray& samples, const TensorInfo& input) {
  const int64_t channels = samples.shape.size() == 1 ? 1 : samples.shape[1];
  const int64_t wanted = input.shape.size() == 3 ? input.shape[1] : 1;
  if (wanted == kDynamic || wanted == channels) return channels;
  absl::string_view hint = "";
  if (channels > wanted) hint = "; choose with --columns";
  if (samples.shape.size() == 2 && samples.shape[0] == wanted) hint = "; a series is [samples, channels]: transpose it";
  return MismatchError(samples, input,
                       absl::StrCat("the series has ", channels, " channels, the model takes ", wanted, hint));
}

absl::StatusOr<InferInput> CutSeries(const SampleArray& samples, const TensorInfo& input,
                                     const InferSelection& selection) {
  ASSIGN_OR_RETURN(const int64_t channels, SeriesChannels(samples, input));
  const int64_t model_length = input.shape.back();
  if (model_length == kDynamic && !selection.window_length.has_value()) {
    return UsageError(absl::StrCat("the model takes windows of any length (", ShapeText(input.shape),
                                   "): say how many samples with --window"));
  }
  WindowCut cut;
  cut.length = selection.window_length.value_or(model_length);
  if (model_length != kDynamic && cut.length != model_length) {
    return UsageError(absl::StrCat("--window must be ", model_length, " for this model; was ", cut.length));
  }
  cut.hop = selection.hop.value_or(cut.length);
  cut.first = selection.start;
  cut.count = selection.batch.value_or(1);
  RETURN_IF_ERROR(CheckWindowCut(cut, samples.shape[0]));

  InferInput batch;
  batch.shape = {cut.count, channels, cut.length};
  if (input.shape.size() == 2) batch.shape = {cut.count, cut.length};
  batch.values = CutWindows(samples.values, channels, cut);
  for (int64_t window = 0; window < cut.count; ++window) {
    batch.rows.push_back(
        ResultRow{.index = window, .samples = SampleRange{cut.start(window), cut.last_sample(window)}});
  }
  return batch;
}

}  // namespace

absl::StatusOr<InferInput> MakeInferInput(const SampleArray& samples, const TensorInfo& model_input,
                                          const InferSelection& selection) {
  if (model_input.datatype != "FP32") {
    return BadInputError(absl::StrCat("the model's input '", model_input.name, "' takes ", model_input.datatype,
                                      "; this client sends FP32 only"));
  }
  const size_t model_rank = model_input.shape.size();
  const size_t file_rank = samples.shape.size();
  if (file_rank == model_rank && model_rank >= 2) return TakeRows(samples, model_input, selection);
  const bool windows_fit = (model_rank == 3 && file_rank <= 2) || (model_rank == 2 && file_rank == 1);
  if (windows_fit) return CutSeries(samples, model_input, selection);
  return MismatchError(samples, model_input, "neither a series nor a ready batch for it");
}

}  // namespace stillwave::client
