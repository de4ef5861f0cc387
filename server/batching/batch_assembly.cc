#include "server/batching/batch_assembly.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"

namespace stillwave::batching {
namespace {

using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;

int64_t SampleCount(absl::Span<const WaitingTask> tasks) {
  int64_t samples = 0;
  for (const WaitingTask& waiting : tasks) samples += waiting.task.samples;
  return samples;
}

Shape WithRows(const Shape& shape, int64_t rows) {
  Shape result = shape;
  result[0] = rows;
  return result;
}

size_t RowBytes(const Shape& shape, tensor::DataType data_type) {
  return static_cast<size_t>(WithRows(shape, 1).num_elements()) * SizeOf(data_type);
}

}  // namespace

absl::StatusOr<BatchInputs> ConcatenateInputs(absl::Span<const WaitingTask> tasks) {
  SW_CHECK(!tasks.empty());
  const InferenceTask& oldest = tasks.front().task;
  if (tasks.size() == 1) return BatchInputs{oldest.inputs, {}};

  const int64_t samples = SampleCount(tasks);
  BatchInputs batch;
  for (size_t i = 0; i < oldest.inputs.size(); ++i) {
    const TensorView& first = oldest.inputs[i];
    ASSIGN_OR_RETURN(Tensor joined, Tensor::Create(first.data_type, WithRows(first.shape, samples)));
    auto* out = static_cast<std::byte*>(joined.mutable_data());
    for (const WaitingTask& waiting : tasks) {
      const TensorView& input = waiting.task.inputs[i];
      const size_t bytes = input.byte_size();
      if (bytes > 0) std::memcpy(out, input.data, bytes);
      out += bytes;
    }
    batch.storage.push_back(std::move(joined));
    batch.views.push_back(batch.storage.back().view());
  }
  return batch;
}

absl::StatusOr<std::vector<std::vector<Tensor>>> SplitOutputs(std::vector<Tensor> outputs,
                                                              absl::Span<const WaitingTask> tasks) {
  std::vector<std::vector<Tensor>> split(tasks.size());
  if (tasks.size() == 1) {
    split[0] = std::move(outputs);
    return split;
  }
  int64_t first = 0;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const int64_t count = tasks[i].task.samples;
    for (const Tensor& output : outputs) {
      const TensorView rows = Rows(output.view(), first, count);
      ASSIGN_OR_RETURN(Tensor part, Tensor::Create(rows.data_type, rows.shape));
      if (part.byte_size() > 0) std::memcpy(part.mutable_data(), rows.data, part.byte_size());
      split[i].push_back(std::move(part));
    }
    first += count;
  }
  return split;
}

TensorView Rows(const TensorView& view, int64_t first, int64_t count) {
  SW_CHECK(first >= 0 && count >= 0 && first + count <= view.shape[0]);
  const size_t offset = static_cast<size_t>(first) * RowBytes(view.shape, view.data_type);
  return {view.data_type, WithRows(view.shape, count), static_cast<const std::byte*>(view.data) + offset};
}

tensor::MutableTensorView Rows(const tensor::MutableTensorView& view, int64_t first, int64_t count) {
  SW_CHECK(first >= 0 && count >= 0 && first + count <= view.shape[0]);
  const size_t offset = static_cast<size_t>(first) * RowBytes(view.shape, view.data_type);
  return {view.data_type, WithRows(view.shape, count), static_cast<std::byte*>(view.data) + offset};
}

}  // namespace stillwave::batching
