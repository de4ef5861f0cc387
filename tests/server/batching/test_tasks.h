// Tasks for the tests of this folder.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "server/batching/inference_task.h"

namespace stillwave::batching {

// One request as a client holds it: its values and its answer. Outlives the task.
class Request {
 public:
  // {samples, length}, filled with first, first + 1, …
  explicit Request(int64_t samples, float first = 1, int64_t length = 3)
      : input_(*tensor::Tensor::Create(tensor::DataType::kFloat32, {samples, length})) {
    for (float& value : input_.mutable_values<float>()) value = first++;
  }

  InferenceTask Task(absl::Time deadline = absl::InfiniteFuture()) {
    InferenceTask task;
    task.inputs = {input_.view()};
    task.samples = input_.shape()[0];
    task.deadline = deadline;
    task.cancellation = cancellation_;
    task.done = [this](InferenceResult result) {
      absl::MutexLock lock(&mutex_);
      ++answers_;
      result_ = std::move(result);
    };
    return task;
  }

  // While the scheduler lives.
  void Cancel() { cancellation_->Cancel(); }

  const InferenceResult& Await() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Request::Answered));
    return result_;
  }
  int answers() const {
    absl::MutexLock lock(&mutex_);
    return answers_;
  }
  const tensor::Tensor& input() const { return input_; }

 private:
  bool Answered() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return answers_ > 0; }

  tensor::Tensor input_;
  const std::shared_ptr<Cancellation> cancellation_ = std::make_shared<Cancellation>();
  mutable absl::Mutex mutex_;
  int answers_ ABSL_GUARDED_BY(mutex_) = 0;
  InferenceResult result_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::batching
