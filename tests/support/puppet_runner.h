// A BatchRunner that a test holds and lets go by hand.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/model/batch_runner.h"

namespace stillwave::test_support {

// One FP32 input {N, …}, two FP32 outputs: {N, 2} with a sample's sum and its first value, and {N, …}, the sample with
// every value doubled. Thread-safe.
class PuppetRunner final : public model::BatchRunner {
 public:
  static float Sum(absl::Span<const float> sample) {
    float sum = 0;
    for (const float value : sample) sum += value;
    return sum;
  }

  // From now on a call of Run waits until it is let go.
  void Hold() {
    absl::MutexLock lock(&mutex_);
    held_ = true;
  }
  // Lets one call that waits, or the next that comes, go on.
  void LetOneGo() {
    absl::MutexLock lock(&mutex_);
    ++passes_;
  }
  // Lets all go on, and does not hold those that follow.
  void LetAllGo() {
    absl::MutexLock lock(&mutex_);
    held_ = false;
  }
  // Waits until `count` calls have begun since the start.
  void AwaitCalls(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto begun = [this, count]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return batch_sizes_.size() >= count; };
    mutex_.Await(absl::Condition(&begun));
  }
  // What every call answers from now on.
  void Answer(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    status_ = std::move(status);
  }
  // What OutputShapes answers from now on, when it is not OK.
  void RefuseShapes(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    shape_status_ = std::move(status);
  }
  // The samples of each call so far, in the order in which they began.
  std::vector<int64_t> batch_sizes() const {
    absl::MutexLock lock(&mutex_);
    return batch_sizes_;
  }

  absl::Status Run(execution::ExecutionContext&, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override {
    {
      absl::MutexLock lock(&mutex_);
      batch_sizes_.push_back(inputs[0].shape[0]);
      mutex_.Await(absl::Condition(this, &PuppetRunner::MayPass));
      if (held_) --passes_;
      if (!status_.ok()) return status_;
    }
    Compute(inputs[0], outputs);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes) const override {
    absl::MutexLock lock(&mutex_);
    if (!shape_status_.ok()) return shape_status_;
    return std::vector<tensor::Shape>{{input_shapes[0][0], 2}, input_shapes[0]};
  }

 private:
  bool MayPass() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !held_ || passes_ > 0; }

  static void Compute(const tensor::TensorView& input, absl::Span<const tensor::MutableTensorView> outputs) {
    const absl::Span<const float> values = input.values<float>();
    const auto samples = static_cast<size_t>(input.shape[0]);
    const size_t length = values.size() / samples;
    for (size_t n = 0; n < samples; ++n) {
      const absl::Span<const float> sample = values.subspan(n * length, length);
      outputs[0].values<float>()[n * 2] = Sum(sample);
      outputs[0].values<float>()[n * 2 + 1] = sample[0];
      for (size_t i = 0; i < length; ++i) outputs[1].values<float>()[n * length + i] = 2 * sample[i];
    }
  }

  mutable absl::Mutex mutex_;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  mutable int passes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  absl::Status shape_status_ ABSL_GUARDED_BY(mutex_);
  mutable std::vector<int64_t> batch_sizes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::test_support
