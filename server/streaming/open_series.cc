#include "server/streaming/open_series.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/overlap/tape.h"
#include "server/tensor/data_type.h"

namespace stillwave::streaming {
namespace {

using tensor::kDynamicDim;
using tensor::Shape;

absl::Status Invalid(absl::string_view field, absl::string_view rule, absl::string_view value) {
  return absl::InvalidArgumentError(absl::StrCat(field, " must ", rule, "; was ", value));
}

absl::Status CheckNumbers(const v1::OpenSeries& request, const SeriesLimits& limits) {
  if (static_cast<int64_t>(request.series_id().size()) > limits.max_id_bytes) {
    return Invalid("series_id", absl::StrCat("have at most ", limits.max_id_bytes, " bytes"),
                   absl::StrCat(request.series_id().size()));
  }
  if (request.window_length() < 0 || request.window_length() > limits.max_window_length) {
    return Invalid("window_length", absl::StrCat("be 0 (the model's) to ", limits.max_window_length),
                   absl::StrCat(request.window_length()));
  }
  if (request.hop() < 0 || request.hop() > SlidingWindow::kMaxHop) {
    return Invalid("hop", absl::StrCat("be 0 (the window's length) to ", SlidingWindow::kMaxHop),
                   absl::StrCat(request.hop()));
  }
  constexpr int64_t kMaxIndex = SlidingWindow::kMaxSampleIndex;
  if (request.first_sample_index() < -kMaxIndex || request.first_sample_index() > kMaxIndex) {
    return Invalid("first_sample_index", absl::StrCat("be ", -kMaxIndex, " to ", kMaxIndex),
                   absl::StrCat(request.first_sample_index()));
  }
  if (request.first_window_index() < 0 || request.first_window_index() > kMaxIndex) {
    return Invalid("first_window_index", absl::StrCat("be 0 to ", kMaxIndex),
                   absl::StrCat(request.first_window_index()));
  }
  if (!std::isfinite(request.sample_rate_hz()) || request.sample_rate_hz() < 0) {
    return Invalid("sample_rate_hz", "be finite and not negative", absl::StrCat(request.sample_rate_hz()));
  }
  return absl::OkStatus();
}

absl::Status CheckChoices(const v1::OpenSeries& request) {
  const auto invalid = [](absl::string_view field, absl::string_view type, int value) {
    return Invalid(field, absl::StrCat("be a ", type), absl::StrCat(value));
  };
  if (!v1::SampleLayout_IsValid(request.layout())) return invalid("layout", "SampleLayout", request.layout());
  if (!v1::PartialWindow_IsValid(request.partial_window())) {
    return invalid("partial_window", "PartialWindow", request.partial_window());
  }
  if (!v1::RepeatedSamples_IsValid(request.repeated_samples())) {
    return invalid("repeated_samples", "RepeatedSamples", request.repeated_samples());
  }
  if (!v1::StepOutputs_IsValid(request.step_outputs())) {
    return invalid("step_outputs", "StepOutputs", request.step_outputs());
  }
  return absl::OkStatus();
}

// The model's input as {N, C, T}; fixed_length is kDynamicDim when a request may choose T.
struct TimeSeriesInput {
  int64_t channels = 1;
  int64_t fixed_length = kDynamicDim;
};

absl::StatusOr<TimeSeriesInput> CheckInput(const StreamModel& model, const SeriesLimits& limits) {
  const auto refuse = [&model](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("model '", model.name,
                                                   "' cannot run on a stream, which takes models ",
                                                   "with one FP32 input of shape [-1,C,T] or [-1,T]; it has ", what));
  };
  const std::vector<model::TensorSpec>& inputs = model.signature.inputs;
  if (inputs.size() != 1) return refuse(absl::StrCat(inputs.size(), " inputs"));
  const model::TensorSpec& input = inputs[0];
  const Shape& shape = input.shape;
  if (input.data_type != tensor::DataType::kFloat32 || (shape.rank() != 2 && shape.rank() != 3)) {
    return refuse(absl::StrCat("input '", input.name, "' of ", Name(input.data_type), " ", shape.ToString()));
  }
  const int64_t channels = shape.rank() == 3 ? shape[1] : 1;
  if (channels < 1) return refuse(absl::StrCat("input '", input.name, "' with a channel count that is not fixed"));
  if (channels > limits.max_channels) {
    return refuse(absl::StrCat(channels, " channels, and the limit is ", limits.max_channels));
  }
  return TimeSeriesInput{channels, shape[shape.rank() - 1]};
}

absl::StatusOr<int64_t> ChooseLength(const v1::OpenSeries& request, const StreamModel& model,
                                     const TimeSeriesInput& input) {
  const int64_t asked = request.window_length();
  if (input.fixed_length != kDynamicDim) {
    if (asked == 0 || asked == input.fixed_length) return input.fixed_length;
    return Invalid("window_length",
                   absl::StrCat("be ", input.fixed_length, ", which the input of model '", model.name, "' has"),
                   absl::StrCat(asked));
  }
  if (asked != 0) return asked;
  if (model.window_length > 0) return model.window_length;
  return Invalid("window_length", absl::StrCat("be given, as model '", model.name, "' takes any and configures none"),
                 "0");
}

int64_t ChooseHop(const v1::OpenSeries& request, const StreamModel& model, int64_t window_length) {
  if (request.hop() > 0) return request.hop();
  // A hop is configured for the configured window; with another length it would be a guess.
  if (model.hop > 0 && (request.window_length() == 0 || request.window_length() == model.window_length)) {
    return model.hop;
  }
  return window_length;
}

absl::StatusOr<std::vector<size_t>> ChooseOutputs(const v1::OpenSeries& request, const StreamModel& model) {
  const std::vector<model::TensorSpec>& known = model.signature.outputs;
  std::vector<size_t> chosen;
  if (request.outputs().empty()) {
    for (size_t i = 0; i < known.size(); ++i) chosen.push_back(i);
  }
  for (const std::string& name : request.outputs()) {
    const auto it = std::find_if(known.begin(), known.end(), [&](const auto& spec) { return spec.name == name; });
    if (it == known.end()) {
      const auto print = [](std::string* out, const model::TensorSpec& spec) { absl::StrAppend(out, spec.name); };
      return Invalid("outputs", absl::StrCat("be of ", absl::StrJoin(known, ", ", print)),
                     absl::StrCat("'", name, "'"));
    }
    const auto index = static_cast<size_t>(it - known.begin());
    if (std::find(chosen.begin(), chosen.end(), index) != chosen.end()) {
      return Invalid("outputs", "name each output once", absl::StrCat("'", name, "' twice"));
    }
    chosen.push_back(index);
  }
  for (const size_t index : chosen) {
    if (known[index].data_type != tensor::DataType::kFloat32) {
      return Invalid("outputs", "be FP32 on a stream",
                     absl::StrCat("'", known[index].name, "' of ", Name(known[index].data_type)));
    }
  }
  return chosen;
}

absl::Status CheckBytes(absl::string_view what, const Shape& shape, const SeriesLimits& limits) {
  const absl::StatusOr<int64_t> count = shape.ElementCount();
  if (count.ok() && *count <= limits.max_window_bytes / static_cast<int64_t>(sizeof(float))) return absl::OkStatus();
  return Invalid(what, absl::StrCat("have at most ", limits.max_window_bytes, " bytes"), shape.ToString());
}

tensor::Shape WindowShape(const StreamModel& model, int64_t channels, int64_t length) {
  return model.signature.inputs[0].shape.rank() == 3 ? Shape{1, channels, length} : Shape{1, length};
}

// REQUIRES: the outputs' shapes are known.
void FindSteps(SeriesInfo& series, const TimeSeriesInput& input) {
  const int64_t length = series.window.length;
  if (input.fixed_length != kDynamicDim) {
    for (SeriesInfo::Output& output : series.outputs) output.steps = GuessStepAxis(output.shape, length);
    return;
  }
  const Shape twice = WindowShape(series.model, input.channels, 2 * length);
  const absl::StatusOr<std::vector<Shape>> shapes = series.model.runner->OutputShapes({&twice, 1});
  if (!shapes.ok()) return;  // a network that bounds its length: nothing is known of its steps
  for (SeriesInfo::Output& output : series.outputs) {
    output.steps = FindStepAxis(output.shape, (*shapes)[output.index], length);
  }
}

// That the new steps of a window are whole ones.
absl::Status CheckNewSteps(const SeriesInfo& series) {
  const auto name = [&series](const SeriesInfo::Output& output) {
    return series.model.signature.outputs[output.index].name;
  };
  bool any = false;
  for (const SeriesInfo::Output& output : series.outputs) {
    if (!output.steps) continue;
    any = true;
    if (series.window.hop % output.steps->samples_per_step == 0) continue;
    return Invalid("hop",
                   absl::StrCat("be a multiple of ", output.steps->samples_per_step,
                                ", the samples of a step of output '", name(output), "', for STEP_OUTPUTS_NEW"),
                   absl::StrCat(series.window.hop));
  }
  if (any) return absl::OkStatus();
  const auto print = [&name](std::string* out, const SeriesInfo::Output& output) {
    absl::StrAppend(out, "'", name(output), "' ", output.shape.ToString());
  };
  return Invalid("step_outputs", "be STEP_OUTPUTS_ALL for a series whose outputs have no time axis",
                 absl::StrCat("STEP_OUTPUTS_NEW, with outputs ", absl::StrJoin(series.outputs, ", ", print)));
}

void ChooseReuse(SeriesInfo& series) {
  if (series.model.overlap == nullptr) {
    series.full_windows_because = "the model keeps nothing between windows";
    return;
  }
  absl::StatusOr<std::unique_ptr<overlap::SeriesReuse>> reuse =
      series.model.overlap->Open(series.input_shape, series.window.hop);
  if (reuse.ok()) {
    series.reuse = *std::move(reuse);
  } else {
    series.full_windows_because = std::string(reuse.status().message());
  }
}

}  // namespace

int64_t SeriesInfo::MemoryBytes() const {
  const auto scaling = static_cast<int64_t>((int16_scaling.scale.size() + int16_scaling.offset.size()) * sizeof(float));
  return kSeriesStateBytes + scaling + WindowBytes() + (reuse == nullptr ? 0 : overlap::TapeBytes(reuse->plan()));
}

absl::StatusOr<SeriesInfo> ResolveSeries(const v1::OpenSeries& request, const ModelSource& source,
                                         const SeriesLimits& limits) {
  RETURN_IF_ERROR(CheckNumbers(request, limits));
  RETURN_IF_ERROR(CheckChoices(request));
  SeriesInfo series;
  series.id = request.series_id();
  ASSIGN_OR_RETURN(series.model, source(request.model_name(), request.model_version()));
  ASSIGN_OR_RETURN(const TimeSeriesInput input, CheckInput(series.model, limits));
  ASSIGN_OR_RETURN(const int64_t length, ChooseLength(request, series.model, input));
  series.window = {length, ChooseHop(request, series.model, length), input.channels, request.first_sample_index(),
                   request.first_window_index()};
  series.input_shape = WindowShape(series.model, input.channels, length);
  RETURN_IF_ERROR(CheckBytes("a window", series.input_shape, limits));
  series.int16_scaling.scale.assign(request.int16_scale().begin(), request.int16_scale().end());
  series.int16_scaling.offset.assign(request.int16_offset().begin(), request.int16_offset().end());
  RETURN_IF_ERROR(CheckScaling(series.int16_scaling, input.channels));
  ASSIGN_OR_RETURN(const std::vector<size_t> outputs, ChooseOutputs(request, series.model));
  // The network may still be unable to take this length: a kernel wider than the window, say.
  const absl::StatusOr<std::vector<Shape>> output_shapes = series.model.runner->OutputShapes({&series.input_shape, 1});
  if (!output_shapes.ok()) {
    return base::Annotate(output_shapes.status(),
                          absl::StrCat("window_length ", length, " does not suit model '", series.model.name, "'"));
  }
  for (const Shape& shape : *output_shapes) RETURN_IF_ERROR(CheckBytes("an output of a window", shape, limits));
  for (const size_t index : outputs) series.outputs.push_back({index, (*output_shapes)[index], std::nullopt});
  FindSteps(series, input);
  series.new_steps_only = request.step_outputs() == v1::STEP_OUTPUTS_NEW;
  if (series.new_steps_only) RETURN_IF_ERROR(CheckNewSteps(series));
  series.layout =
      request.layout() == v1::SAMPLE_LAYOUT_CHANNELS_FIRST ? ChunkLayout::kChannelsFirst : ChunkLayout::kSamplesFirst;
  series.pad_partial_window = request.partial_window() == v1::PARTIAL_WINDOW_ZERO_PAD;
  series.drop_repeated_samples = request.repeated_samples() == v1::REPEATED_SAMPLES_DROP;
  series.sample_rate_hz = request.sample_rate_hz();
  ChooseReuse(series);
  return series;
}

}  // namespace stillwave::streaming
