#include "server/streaming/stream_responses.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/overlap/describe_reuse.h"
#include "server/tensor/rows.h"

namespace stillwave::streaming {
namespace {

std::string ToText(absl::string_view text) { return std::string(text.data(), text.size()); }

// `steps`: those to keep; all when there is no such choice.
void SetOutput(const model::TensorSpec& spec, const tensor::TensorView& values, const std::optional<StepAxis>& axis,
               const std::optional<StepRange>& steps, v1::OutputTensor* output) {
  output->set_name(spec.name);
  // {1, …}: without the batch axis.
  for (int i = 1; i < values.shape.rank(); ++i) output->add_shape(values.shape[i]);
  if (!axis || !steps) {
    output->set_fp32_values(values.data, values.byte_size());
    return;
  }
  output->set_shape(axis->axis - 1, steps->end - steps->begin);
  output->set_first_step(steps->begin);
  output->set_fp32_values(CopySteps(values, *axis, *steps));
}

}  // namespace

v1::StreamWindowsResponse OpenedResponse(const SeriesInfo& series) {
  v1::StreamWindowsResponse response;
  v1::SeriesOpened* opened = response.mutable_opened();
  opened->set_series_id(series.id);
  opened->set_model_name(series.model.name);
  opened->set_model_version(series.model.version);
  opened->set_window_length(series.window.length);
  opened->set_hop(series.window.hop);
  opened->set_channels(series.window.channels);
  opened->set_recomputed_share(series.reuse == nullptr ? 1 : series.reuse->plan().share);
  opened->set_overlap(series.reuse == nullptr ? absl::StrCat("full windows: ", series.full_windows_because)
                                              : overlap::DescribeReuse(series.reuse->plan()));
  for (const SeriesInfo::Output& output : series.outputs) {
    if (!output.steps) continue;
    v1::StepOutput* const steps = opened->add_step_outputs();
    steps->set_name(series.model.signature.outputs[output.index].name);
    steps->set_time_axis(output.steps->axis - 1);  // without the batch axis
    steps->set_samples_per_step(output.steps->samples_per_step);
  }
  opened->set_memory_bytes(series.MemoryBytes());
  return response;
}

v1::StreamWindowsResponse WindowResponse(const SeriesInfo& series, const WindowInfo& window,
                                         absl::Span<const tensor::Tensor> outputs, int64_t row) {
  SW_CHECK(outputs.size() == series.model.signature.outputs.size());
  v1::StreamWindowsResponse response;
  v1::WindowResult* result = response.mutable_window();
  result->set_series_id(series.id);
  result->set_window_index(window.index);
  result->set_first_sample_index(window.first_sample);
  result->set_last_sample_index(window.last_sample);
  if (series.sample_rate_hz > 0) {
    result->set_start_seconds(static_cast<double>(window.first_sample) / series.sample_rate_hz);
    result->set_end_seconds(static_cast<double>(window.last_sample + 1) / series.sample_rate_hz);
  }
  result->set_padded_samples(window.padded_samples);
  for (const SeriesInfo::Output& output : series.outputs) {
    std::optional<StepRange> steps;
    if (series.new_steps_only && output.steps) steps = NewSteps(*output.steps, window, series.window.length);
    SetOutput(series.model.signature.outputs[output.index], tensor::Rows(outputs[output.index].view(), row, 1),
              output.steps, steps, result->add_outputs());
  }
  return response;
}

v1::StreamWindowsResponse GapResponse(absl::string_view series_id, int64_t expected_sample_index,
                                      int64_t received_sample_index, int64_t discarded_samples) {
  v1::StreamWindowsResponse response;
  v1::SeriesGap* gap = response.mutable_gap();
  gap->set_series_id(ToText(series_id));
  gap->set_expected_sample_index(expected_sample_index);
  gap->set_received_sample_index(received_sample_index);
  gap->set_discarded_samples(discarded_samples);
  return response;
}

v1::StreamWindowsResponse ClosedResponse(absl::string_view series_id, const SeriesTotals& totals) {
  v1::StreamWindowsResponse response;
  v1::SeriesClosed* closed = response.mutable_closed();
  closed->set_series_id(ToText(series_id));
  closed->set_windows(totals.windows);
  closed->set_samples(totals.samples);
  closed->set_partial_samples(totals.partial_samples);
  closed->set_repeated_samples(totals.repeated_samples);
  return response;
}

v1::StreamWindowsResponse ErrorResponse(absl::string_view series_id, const absl::Status& error) {
  SW_CHECK(!error.ok());
  v1::StreamWindowsResponse response;
  v1::SeriesError* message = response.mutable_error();
  message->set_series_id(ToText(series_id));
  message->set_code(static_cast<int>(error.code()));
  message->set_message(ToText(error.message()));
  return response;
}

v1::StreamWindowsResponse DrainingResponse() {
  v1::StreamWindowsResponse response;
  response.mutable_draining();
  return response;
}

}  // namespace stillwave::streaming
