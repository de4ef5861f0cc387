#include "client/bench/load_input.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/infer_input.h"
#include "server/base/status_macros.h"

namespace stillwave::client::bench {
namespace {

constexpr int64_t kDynamic = -1;
constexpr int64_t kRandomRequests = 16;
constexpr int64_t kFileRequests = 64;
constexpr int64_t kPieces = 32;
constexpr int64_t kMaxRequestValues = int64_t{1} << 28;  // 1 GiB
constexpr int64_t kMaxAllValues = int64_t{1} << 26;      // 256 MiB for all of them, unless one is larger

// Standard normal numbers; by hand, because the standard library's differ between libraries.
class NormalValues {
 public:
  explicit NormalValues(uint64_t seed) : random_(seed) {}

  std::vector<float> Take(int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = Next();
    return values;
  }

 private:
  // Box and Muller.
  float Next() {
    const double radius = std::sqrt(-2 * std::log1p(-Uniform()));
    return static_cast<float>(radius * std::cos(2 * std::numbers::pi * Uniform()));
  }
  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }  // [0, 1)

  std::mt19937_64 random_;
};

absl::Status CheckDatatype(const TensorInfo& input) {
  if (input.datatype == "FP32") return absl::OkStatus();
  return BadInputError(
      absl::StrCat("the model's input '", input.name, "' takes ", input.datatype, "; this client sends FP32 only"));
}

// The input's shape with the options' numbers where the model leaves them open.
absl::StatusOr<std::vector<int64_t>> ConcreteShape(const TensorInfo& input, const InputOptions& options) {
  RETURN_IF_ERROR(CheckDatatype(input));
  std::vector<int64_t> shape = input.shape;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis == 0 && (shape[0] == kDynamic || shape[0] == options.batch)) {
      shape[0] = options.batch;
    } else if (axis == 0) {
      return UsageError(absl::StrCat("--batch must be ", shape[0], " for this model; was ", options.batch));
    } else if (shape[axis] == kDynamic && axis + 1 == shape.size() && options.window.has_value()) {
      shape[axis] = *options.window;
    } else if (shape[axis] == kDynamic && axis + 1 == shape.size()) {
      return UsageError(absl::StrCat("the model's '", input.name, "' takes any length (", ShapeText(input.shape),
                                     "): say how many time steps with --window"));
    } else if (shape[axis] == kDynamic) {
      return UsageError(absl::StrCat("the model's '", input.name, "' ", ShapeText(input.shape),
                                     " leaves open more than its length: give a file"));
    }
  }
  int64_t count = 1;
  for (const int64_t dim : shape) {
    if (dim < 1 || __builtin_mul_overflow(count, dim, &count) || count > kMaxRequestValues) {
      return UsageError(absl::StrCat("a request must have from 1 to ", kMaxRequestValues, " values; its shape was ",
                                     ShapeText(shape)));
    }
  }
  return shape;
}

int64_t CountOf(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape) count *= dim;
  return count;
}

absl::StatusOr<std::vector<InferInputs>> RandomInputs(const ModelInfo& model, const InputOptions& options) {
  InferInputs empty;
  int64_t values = 0;
  for (const TensorInfo& input : model.inputs) {
    ASSIGN_OR_RETURN(std::vector<int64_t> shape, ConcreteShape(input, options));
    values += CountOf(shape);
    empty.push_back({input.name, std::move(shape), {}});
  }
  const bool window_used = std::any_of(model.inputs.begin(), model.inputs.end(), [](const TensorInfo& input) {
    return input.shape.size() > 1 && input.shape.back() == kDynamic;
  });
  if (options.window.has_value() && !window_used) {
    return UsageError(absl::StrCat("--window is for models that take any length; '", model.name, "' has its own"));
  }
  NormalValues random(options.seed);
  std::vector<InferInputs> requests(
      static_cast<size_t>(std::clamp<int64_t>(kMaxAllValues / std::max<int64_t>(values, 1), 1, kRandomRequests)),
      empty);
  for (InferInputs& request : requests) {
    for (InputTensor& input : request) input.values = random.Take(CountOf(input.shape));
  }
  return requests;
}

absl::StatusOr<TensorInfo> OnlyInput(const ModelInfo& model) {
  if (model.inputs.size() == 1) return model.inputs[0];
  return BadInputError(
      absl::StrCat("model '", model.name, "' has ", model.inputs.size(), " inputs; a file is for models with one"));
}

// One request after the other from the file, until it has no more.
absl::StatusOr<std::vector<InferInputs>> FileInputs(const ModelInfo& model, const InputOptions& options,
                                                    const SampleArray& file) {
  ASSIGN_OR_RETURN(const TensorInfo input, OnlyInput(model));
  InferSelection selection{.window_length = options.window, .hop = options.hop, .batch = options.batch};
  std::vector<InferInputs> requests;
  int64_t values = 0;
  while (static_cast<int64_t>(requests.size()) < kFileRequests && values <= kMaxAllValues) {
    absl::StatusOr<InferInput> cut = MakeInferInput(file, input, selection);
    if (!cut.ok() && requests.empty()) return cut.status();
    if (!cut.ok()) break;
    const ResultRow& last = cut->rows.back();
    // Rows of a ready batch follow each other; windows begin a hop after the last one.
    selection.start =
        last.samples.has_value() ? last.samples->first + options.hop.value_or(cut->shape.back()) : last.index + 1;
    values += static_cast<int64_t>(cut->values.size());
    requests.push_back({{input.name, std::move(cut->shape), std::move(cut->values)}});
  }
  return requests;
}

struct SeriesShape {
  int64_t channels = 0;
  int64_t window = 0;
};

// {N, C, T}, or {N, T} of one channel.
absl::StatusOr<SeriesShape> ShapeOfSeries(const TensorInfo& input, const InputOptions& options) {
  const size_t rank = input.shape.size();
  if (rank != 2 && rank != 3) {
    return BadInputError(absl::StrCat("windows of a series need a model of [N,C,T] or [N,T]; '", input.name, "' is ",
                                      ShapeText(input.shape)));
  }
  TensorInfo one = input;
  one.shape[0] = kDynamic;
  ASSIGN_OR_RETURN(const std::vector<int64_t> shape, ConcreteShape(one, options));
  if (options.window.has_value() && *options.window != shape.back()) {
    return UsageError(absl::StrCat("--window must be ", shape.back(), " for this model; was ", *options.window));
  }
  return SeriesShape{rank == 3 ? shape[1] : 1, shape.back()};
}

}  // namespace

absl::StatusOr<std::vector<InferInputs>> MakeInferInputs(const ModelInfo& model, const InputOptions& options,
                                                         const SampleArray* file) {
  return file == nullptr ? RandomInputs(model, options) : FileInputs(model, options, *file);
}

absl::StatusOr<SeriesSamples> MakeSeriesSamples(const ModelInfo& model, const InputOptions& options,
                                                const SampleArray* file) {
  ASSIGN_OR_RETURN(const TensorInfo input, OnlyInput(model));
  ASSIGN_OR_RETURN(const SeriesShape shape, ShapeOfSeries(input, options));
  SeriesSamples series{.window = shape.window,
                       .hop = options.hop.value_or(shape.window),
                       .channels = shape.channels,
                       .message_windows = options.message_windows};
  if (series.hop > kMaxAllValues / series.channels / series.message_windows) {
    return UsageError(absl::StrCat("--hop must be at most ", kMaxAllValues / series.channels / series.message_windows,
                                   " samples for this model and --message-windows ", series.message_windows, "; was ",
                                   series.hop));
  }
  const int64_t piece = series.message_windows * series.hop * series.channels;
  const int64_t pieces = std::clamp<int64_t>(kMaxAllValues / piece, 1, kPieces);
  const int64_t needed = series.window * series.channels + pieces * piece;
  std::vector<float> values;
  if (file == nullptr) {
    values = NormalValues(options.seed).Take(needed);
  } else {
    const int64_t channels = file->shape.size() == 1 ? 1 : file->shape.back();
    if (file->shape.size() > 2 || channels != series.channels) {
      return BadInputError(absl::StrCat(file->source, ": shape ", ShapeText(file->shape), " is no series of ",
                                        series.channels, " channels, [samples, channels]"));
    }
    // A short recording is repeated.
    values.reserve(static_cast<size_t>(needed));
    while (static_cast<int64_t>(values.size()) < needed) {
      const int64_t left = needed - static_cast<int64_t>(values.size());
      const int64_t count = std::min<int64_t>(left, static_cast<int64_t>(file->values.size()));
      values.insert(values.end(), file->values.begin(), file->values.begin() + count);
    }
  }
  auto at = values.begin() + series.window * series.channels;
  series.first.assign(values.begin(), at);
  for (int64_t i = 0; i < pieces; ++i, at += piece) series.next.emplace_back(at, at + piece);
  return series;
}

}  // namespace stillwave::client::bench
