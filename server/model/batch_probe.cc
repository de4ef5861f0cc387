#include "server/model/batch_probe.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/execution/execution_context.h"
#include "server/model/load_options.h"
#include "server/model/network_shapes.h"
#include "server/tensor/tensor.h"

namespace stillwave::model {
namespace {

using tensor::Shape;
using tensor::Tensor;

// More than rounding can explain: another order of a sum moves float results by parts in a million of the largest
// value.
constexpr float kRoundingPart = 1e-4F;

// Of all inputs together; larger batches of such samples are not probed.
constexpr double kMaxBatchBytes = 64 << 20;

// `most` (a power of two), or less where so many samples would be too much to make up; at least 2, to see a mixture.
int64_t BatchWithinMemory(const std::vector<Shape>& sample_shapes, int64_t most) {
  double sample_bytes = 0;
  for (const Shape& shape : sample_shapes) sample_bytes += static_cast<double>(shape.num_elements()) * sizeof(float);
  while (most > 2 && static_cast<double>(most) * sample_bytes > kMaxBatchBytes) most /= 2;
  return most;
}

struct Prober {
  execution::PlanCache& plans;
  const std::function<bool()>& stop_requested;
  execution::ExecutionContext context = {};

  absl::StatusOr<std::vector<Tensor>> Run(std::vector<Tensor>& inputs) {
    RETURN_IF_ERROR(CheckNotStopped(stop_requested));
    std::vector<Shape> shapes;
    std::vector<const void*> sources;
    for (const Tensor& input : inputs) {
      shapes.push_back(input.shape());
      sources.push_back(input.data());
    }
    ASSIGN_OR_RETURN(const std::shared_ptr<const execution::ExecutionPlan> plan, plans.Get(shapes));
    std::vector<Tensor> outputs;
    std::vector<void*> targets;
    for (const Shape& shape : plan->output_shapes()) {
      ASSIGN_OR_RETURN(Tensor output, Tensor::Create(tensor::DataType::kFloat32, shape));
      targets.push_back(output.mutable_data());
      outputs.push_back(std::move(output));
    }
    RETURN_IF_ERROR(plan->Run(context, sources, targets));
    return outputs;
  }
};

// Unit noise with another level in each row: rows that are alike would hide that they are mixed.
void FillNoise(Tensor& batch) {
  std::mt19937 generator(20260101);
  std::uniform_real_distribution<float> noise(-1.0F, 1.0F);
  const auto values = batch.mutable_values<float>();
  const auto rows = static_cast<size_t>(batch.shape()[0]);
  const size_t per_row = values.size() / rows;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto row = static_cast<float>(i / per_row);
    values[i] = noise(generator) * (1.0F + 0.25F * row) + 0.1F * row;
  }
}

Tensor Row(const Tensor& batch, int64_t row) {
  Shape shape = batch.shape();
  shape[0] = 1;
  const auto values = batch.values<float>();
  const size_t per_row = values.size() / static_cast<size_t>(batch.shape()[0]);
  return Tensor::FromValues<float>(shape, values.subspan(static_cast<size_t>(row) * per_row, per_row));
}

enum class Likeness { kSameBits, kRounding, kDifferent };

Likeness Compare(absl::Span<const float> alone, absl::Span<const float> in_batch) {
  if (std::memcmp(alone.data(), in_batch.data(), alone.size() * sizeof(float)) == 0) return Likeness::kSameBits;
  float largest = 0;
  for (const float value : alone) largest = std::max(largest, std::isfinite(value) ? std::abs(value) : 0);
  for (size_t i = 0; i < alone.size(); ++i) {
    const bool same_bits = std::memcmp(&alone[i], &in_batch[i], sizeof(float)) == 0;
    if (!same_bits && !(std::abs(alone[i] - in_batch[i]) <= kRoundingPart * largest)) return Likeness::kDifferent;
  }
  return Likeness::kRounding;
}

}  // namespace

absl::StatusOr<int64_t> ProbeBatchIndependence(execution::PlanCache& plans, const ModelSignature& signature,
                                               const std::vector<Shape>& sample_shapes, int64_t max_batch,
                                               const std::function<bool()>& stop_requested) {
  max_batch = BatchWithinMemory(sample_shapes, max_batch);
  Prober prober{plans, stop_requested};
  std::vector<Tensor> rows;
  for (const Shape& shape : WithBatch(sample_shapes, std::max<int64_t>(max_batch, 2))) {
    ASSIGN_OR_RETURN(Tensor batch, Tensor::Create(tensor::DataType::kFloat32, shape));
    FillNoise(batch);
    rows.push_back(std::move(batch));
  }
  // Two samples alone are enough to notice a mixture in every larger batch.
  std::vector<std::vector<Tensor>> alone;
  for (int64_t row = 0; row < 2; ++row) {
    std::vector<Tensor> inputs;
    for (const Tensor& batch : rows) inputs.push_back(Row(batch, row));
    ASSIGN_OR_RETURN(std::vector<Tensor> outputs, prober.Run(inputs));
    alone.push_back(std::move(outputs));
  }
  int64_t largest = 1;
  bool same_bits = true;
  for (int64_t samples = 2; samples <= max_batch; samples *= 2) {
    std::vector<Tensor> inputs;
    for (const Tensor& batch : rows) {
      Shape shape = batch.shape();
      shape[0] = samples;
      inputs.push_back(
          Tensor::FromValues<float>(shape, batch.values<float>().first(static_cast<size_t>(shape.num_elements()))));
    }
    const absl::StatusOr<std::vector<Tensor>> ran = prober.Run(inputs);
    // Long samples may need more memory together than a plan may have; they are served in smaller batches.
    if (absl::IsResourceExhausted(ran.status())) break;
    if (!ran.ok()) return ran.status();
    const std::vector<Tensor>& outputs = *ran;
    for (size_t j = 0; j < outputs.size(); ++j) {
      for (int64_t row = 0; row < 2; ++row) {
        const Tensor& expected = alone[static_cast<size_t>(row)][j];
        const bool has_rows = outputs[j].shape() == WithBatch({expected.shape()}, samples)[0];
        const Likeness likeness =
            has_rows ? Compare(expected.values<float>(), Row(outputs[j], row).values<float>()) : Likeness::kDifferent;
        if (likeness == Likeness::kDifferent) {
          return absl::FailedPreconditionError(
              absl::StrCat("output '", signature.outputs[j].name,
                           "' of one sample changes when another sample is in the batch (", samples,
                           " samples): the network mixes its rows and cannot be served frozen: call `model.eval()` "
                           "before torch.onnx.export, and let no operator merge dim 0 with another"));
        }
        same_bits = same_bits && likeness == Likeness::kSameBits;
      }
    }
    if (same_bits) largest = samples;
  }
  return largest;
}

}  // namespace stillwave::model
