#include "server/batching/batch_run.h"

#include <algorithm>
#include <utility>

#include "server/base/status_macros.h"
#include "server/batching/batch_assembly.h"

namespace stillwave::batching {
namespace {

using tensor::MutableTensorView;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;
using OutputsOfTasks = std::vector<std::vector<Tensor>>;

// Takes the task by value: what `done` owns dies before the next task is answered.
void Answer(WaitingTask waiting, InferenceResult result) { std::move(waiting.task.done)(std::move(result)); }

void AnswerCancelled(const metrics::ModelMetrics& metrics, absl::Time now, std::vector<WaitingTask>& tasks) {
  const auto cancelled = std::stable_partition(tasks.begin(), tasks.end(),
                                               [](const WaitingTask& waiting) { return !IsCancelled(waiting.task); });
  for (auto it = cancelled; it != tasks.end(); ++it) {
    metrics.CountRejection(metrics::Rejection::kCancelled);
    InferenceResult result;
    result.status = absl::CancelledError("the request was cancelled before it was computed");
    result.queue_duration = now - it->enqueued;
    Answer(std::move(*it), std::move(result));
  }
  tasks.erase(cancelled, tasks.end());
}

absl::StatusOr<std::vector<Tensor>> AllocateOutputs(const BatchTarget& target, absl::Span<const TensorView> inputs) {
  std::vector<Shape> input_shapes;
  for (const TensorView& input : inputs) input_shapes.push_back(input.shape);
  ASSIGN_OR_RETURN(const std::vector<Shape> shapes, target.runner.OutputShapes(input_shapes));
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const bool typed = i < target.output_types.size();
    ASSIGN_OR_RETURN(Tensor output,
                     Tensor::Create(typed ? target.output_types[i] : tensor::DataType::kFloat32, shapes[i]));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

// In parts of at most max_batch_size samples, each straight into its rows of `outputs`.
absl::Status RunParts(const BatchTarget& target, execution::ExecutionContext& context,
                      absl::Span<const TensorView> inputs, std::vector<Tensor>& outputs, int64_t samples) {
  std::vector<TensorView> part_inputs(inputs.size());
  std::vector<MutableTensorView> part_outputs(outputs.size());
  for (int64_t first = 0; first < samples; first += target.max_batch_size) {
    const int64_t count = std::min(target.max_batch_size, samples - first);
    for (size_t i = 0; i < inputs.size(); ++i) part_inputs[i] = Rows(inputs[i], first, count);
    for (size_t i = 0; i < outputs.size(); ++i) part_outputs[i] = Rows(outputs[i].mutable_view(), first, count);
    RETURN_IF_ERROR(target.runner.Run(context, part_inputs, part_outputs));
  }
  return absl::OkStatus();
}

absl::StatusOr<OutputsOfTasks> Compute(const BatchTarget& target, execution::ExecutionContext& context,
                                       absl::Span<const WaitingTask> tasks, int64_t samples) {
  ASSIGN_OR_RETURN(const BatchInputs inputs, ConcatenateInputs(tasks));
  ASSIGN_OR_RETURN(std::vector<Tensor> outputs, AllocateOutputs(target, inputs.views));
  RETURN_IF_ERROR(RunParts(target, context, inputs.views, outputs, samples));
  return SplitOutputs(std::move(outputs), tasks);
}

}  // namespace

void RunBatch(const BatchTarget& target, metrics::BatchReason reason, const base::Clock& clock,
              execution::ExecutionContext& context, std::vector<WaitingTask> tasks) {
  const absl::Time start = clock.Now();
  AnswerCancelled(target.metrics, start, tasks);
  if (tasks.empty()) return;
  int64_t samples = 0;
  for (const WaitingTask& waiting : tasks) samples += waiting.task.samples;

  absl::StatusOr<OutputsOfTasks> outputs = Compute(target, context, tasks, samples);

  const absl::Duration compute_duration = clock.Now() - start;
  target.metrics.CountBatch(reason, samples);
  for (size_t i = 0; i < tasks.size(); ++i) {
    InferenceResult result;
    result.status = outputs.status();
    if (outputs.ok()) result.outputs = std::move((*outputs)[i]);
    result.queue_duration = start - tasks[i].enqueued;
    result.compute_duration = compute_duration;
    target.metrics.queue_duration->Observe(absl::ToDoubleSeconds(result.queue_duration));
    target.metrics.compute_duration->Observe(absl::ToDoubleSeconds(compute_duration));
    Answer(std::move(tasks[i]), std::move(result));
  }
}

void AnswerOverdue(const metrics::ModelMetrics& metrics, absl::Time now, std::vector<WaitingTask> tasks) {
  for (WaitingTask& waiting : tasks) {
    metrics.CountRejection(metrics::Rejection::kDeadline);
    InferenceResult result;
    result.status = absl::DeadlineExceededError("the deadline passed while the request waited for a worker");
    result.queue_duration = now - waiting.enqueued;
    Answer(std::move(waiting), std::move(result));
  }
}

}  // namespace stillwave::batching
