#include "server/batching/batch_assembly.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/tensor/rows.h"

namespace stillwave::batching {
namespace {

using tensor::Tensor;
using tensor::TensorView;
using tensor::WithRows;

int64_t SampleCount(absl::Span<const WaitingTask> tasks) {
  int64_t samples = 0;
  for (const WaitingTask& waiting : tasks) samples += waiting.task.samples;
  return samples;
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
      const TensorView rows = tensor::Rows(output.view(), first, count);
      ASSIGN_OR_RETURN(Tensor part, Tensor::Create(rows.data_type, rows.shape));
      if (part.byte_size() > 0) std::memcpy(part.mutable_data(), rows.data, part.byte_size());
      split[i].push_back(std::move(part));
    }
    first += count;
  }
  return split;
}

}  // namespace stillwave::batching
