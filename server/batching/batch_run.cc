#include "server/batching/batch_run.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/tensor/rows.h"

namespace stillwave::batching {
namespace {

using tensor::MutableTensorView;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;

// Takes the task by value: what `done` owns dies before the next task is answered.
void Give(WaitingTask waiting, InferenceResult result) { std::move(waiting.task.done)(std::move(result)); }

void GiveInOrder(AnswerOrder* order, WaitingTask waiting, InferenceResult result) {
  if (order == nullptr) return Give(std::move(waiting), std::move(result));
  const uint64_t ticket = waiting.ticket;
  const int64_t samples = waiting.task.samples;
  order->Leave(ticket, samples, [waiting = std::move(waiting), result = std::move(result)]() mutable {
    Give(std::move(waiting), std::move(result));
  });
}

bool IsGivenUp(const WaitingTask& waiting, absl::Time now) {
  return IsCancelled(waiting.task) || waiting.give_up <= now;
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

}  // namespace

BatchRun::BatchRun(const BatchTarget& target, metrics::BatchReason reason, const base::Clock& clock,
                   std::vector<WaitingTask> tasks, int64_t parts)
    : target_(target),
      reason_(reason),
      clock_(clock),
      tasks_(std::move(tasks)),
      accepted_tasks_(static_cast<int64_t>(tasks_.size())),
      wanted_parts_(parts) {
  SW_CHECK(parts > 0);
}

void BatchRun::Prepare() {
  start_ = clock_.Now();
  AnswerThoseGivenUp();
  if (tasks_.empty()) return;
  for (const WaitingTask& waiting : tasks_) {
    samples_ += waiting.task.samples;
    elements_ += waiting.elements;
  }
  if (const absl::Status status = JoinAndAllocate(); !status.ok()) return Fail(status);
  part_samples_ = target_.runner.MayDivide(inputs_.views)
                      ? std::min((samples_ + wanted_parts_ - 1) / wanted_parts_, target_.max_batch_size)
                      : samples_;
  parts_ = (samples_ + part_samples_ - 1) / part_samples_;
  unfinished_parts_.store(parts_, std::memory_order_relaxed);
}

void BatchRun::AnswerThoseGivenUp() {
  const auto is_wanted = [this](const WaitingTask& waiting) { return !IsGivenUp(waiting, start_); };
  if (std::all_of(tasks_.begin(), tasks_.end(), is_wanted)) return;
  const auto given_up = std::stable_partition(tasks_.begin(), tasks_.end(), is_wanted);
  for (auto it = given_up; it != tasks_.end(); ++it) {
    AnswerGivenUp(target_.metrics, target_.order, start_, std::move(*it));
  }
  tasks_.erase(given_up, tasks_.end());
}

absl::Status BatchRun::JoinAndAllocate() {
  ASSIGN_OR_RETURN(inputs_, ConcatenateInputs(tasks_));
  joined_ = clock_.Now();
  ASSIGN_OR_RETURN(outputs_, AllocateOutputs(target_, inputs_.views));
  return absl::OkStatus();
}

BatchOutcome BatchRun::RunParts(execution::ExecutionContext& context, absl::FunctionRef<bool()> goes_on) {
  // The first one's time begins with Prepare.
  const absl::Time begin = begun_.exchange(true, std::memory_order_relaxed) ? clock_.Now() : start_;
  absl::Time end = begin;
  for (bool first = true; first || goes_on(); first = false) {
    const int64_t part = next_part_.fetch_add(1, std::memory_order_relaxed);
    if (part >= parts_) break;
    // Without part_samples_ there is nothing to compute, only to answer.
    if (part_samples_ > 0) {
      if (const absl::Status status = RunPart(context, part); !status.ok()) Fail(status);
    }
    const absl::Time now = clock_.Now();
    busy_nanoseconds_.fetch_add(absl::ToInt64Nanoseconds(now - end), std::memory_order_relaxed);
    end = now;
    if (unfinished_parts_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      BatchOutcome outcome = Answer(end);
      outcome.busy = end - begin;
      return outcome;
    }
  }
  BatchOutcome outcome;
  outcome.busy = end - begin;
  return outcome;
}

absl::Status BatchRun::RunPart(execution::ExecutionContext& context, int64_t part) {
  const int64_t first = part * part_samples_;
  const int64_t count = std::min(part_samples_, samples_ - first);
  std::vector<TensorView> inputs(inputs_.views.size());
  std::vector<MutableTensorView> outputs(outputs_.size());
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = tensor::Rows(inputs_.views[i], first, count);
  for (size_t i = 0; i < outputs.size(); ++i) outputs[i] = tensor::Rows(outputs_[i].mutable_view(), first, count);
  return target_.runner.Run(context, inputs, outputs);
}

void BatchRun::Fail(const absl::Status& status) {
  absl::MutexLock lock(&status_mutex_);
  status_.Update(status);
}

BatchOutcome BatchRun::Answer(absl::Time end) {
  BatchOutcome outcome;
  outcome.answered = accepted_tasks_;
  if (tasks_.empty()) return outcome;
  absl::Status status;
  {
    absl::MutexLock lock(&status_mutex_);
    status = status_;
  }
  std::vector<std::vector<Tensor>> outputs;
  metrics::ComputeTimes times;
  if (status.ok()) {
    outcome.elements = elements_;
    outcome.total_busy = absl::Nanoseconds(busy_nanoseconds_.load(std::memory_order_relaxed));
    absl::StatusOr<std::vector<std::vector<Tensor>>> split = SplitOutputs(std::move(outputs_), tasks_);
    status = split.status();
    if (split.ok()) outputs = *std::move(split);
    times = {joined_ - start_, end - joined_, clock_.Now() - end};
  }
  target_.metrics.CountBatch(reason_, samples_);
  if (status.ok()) target_.metrics.statistics->CountBatch(samples_, times);
  for (size_t i = 0; i < tasks_.size(); ++i) {
    InferenceResult result;
    result.status = status;
    if (status.ok()) result.outputs = std::move(outputs[i]);
    result.queue_duration = start_ - tasks_[i].enqueued;
    result.compute_duration = end - start_;
    target_.metrics.queue_duration->Observe(absl::ToDoubleSeconds(result.queue_duration));
    target_.metrics.compute_duration->Observe(absl::ToDoubleSeconds(result.compute_duration));
    if (status.ok()) target_.metrics.statistics->CountComputed(result.queue_duration, times);
    GiveInOrder(target_.order, std::move(tasks_[i]), std::move(result));
  }
  return outcome;
}

std::vector<WaitingTask> BatchRun::ReleaseTasks() {
  tasks_.clear();
  return std::move(tasks_);
}

BatchOutcome RunBatch(const BatchTarget& target, metrics::BatchReason reason, const base::Clock& clock,
                      execution::ExecutionContext& context, std::vector<WaitingTask>& tasks) {
  BatchRun run(target, reason, clock, std::move(tasks));
  run.Prepare();
  BatchOutcome outcome = run.RunParts(context);
  tasks = run.ReleaseTasks();
  return outcome;
}

void AnswerGivenUp(const metrics::ModelMetrics& metrics, AnswerOrder* order, absl::Time now, WaitingTask waiting) {
  InferenceResult result;
  result.queue_duration = now - waiting.enqueued;
  if (IsCancelled(waiting.task)) {
    metrics.CountRejection(metrics::Rejection::kCancelled);
    result.status = absl::CancelledError("the request was cancelled before it was computed");
  } else {
    metrics.CountRejection(metrics::Rejection::kDeadline);
    result.status = absl::DeadlineExceededError("the deadline passed while the request waited for a worker");
  }
  // Nobody waits for an answer that only says so.
  const uint64_t ticket = waiting.ticket;
  Give(std::move(waiting), std::move(result));
  if (order != nullptr) order->Skip(ticket);
}

}  // namespace stillwave::batching
