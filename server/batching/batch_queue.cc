#include "server/batching/batch_queue.h"

#include <algorithm>
#include <utility>

#include "server/base/check.h"

namespace stillwave::batching {
namespace {

// Tasks of other shapes that TakeBatch passes over before it gives up: bounds the time that the queue is locked.
constexpr int kMaxPassedOver = 64;

bool SameSampleShape(const tensor::TensorView& a, const tensor::TensorView& b) {
  const absl::Span<const int64_t> a_dims = a.shape.dims(), b_dims = b.shape.dims();
  return a.data_type == b.data_type && a_dims.size() == b_dims.size() &&
         std::equal(a_dims.begin() + 1, a_dims.end(), b_dims.begin() + 1);
}

}  // namespace

bool SameSampleShapes(const InferenceTask& a, const InferenceTask& b) {
  return std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(), SameSampleShape);
}

BatchQueue::BatchQueue(int64_t max_samples) : max_samples_(max_samples) { SW_CHECK(max_samples > 0); }

absl::Time BatchQueue::earliest_deadline() const {
  return deadlines_.empty() ? absl::InfiniteFuture() : deadlines_.begin()->first;
}

void BatchQueue::Push(WaitingTask task) {
  SW_CHECK(HasSpaceFor(task.task.samples));
  waiting_samples_ += task.task.samples;
  tasks_.push_back(std::move(task));
  const absl::Time deadline = tasks_.back().task.deadline;
  if (deadline != absl::InfiniteFuture()) deadlines_.emplace(deadline, std::prev(tasks_.end()));
}

WaitingTask BatchQueue::Take(Tasks::iterator it) {
  const auto [first, last] = deadlines_.equal_range(it->task.deadline);
  const auto entry = std::find_if(first, last, [it](const auto& candidate) { return candidate.second == it; });
  if (entry != last) deadlines_.erase(entry);
  waiting_samples_ -= it->task.samples;
  WaitingTask task = std::move(*it);
  tasks_.erase(it);
  return task;
}

BatchQueue::Batch BatchQueue::TakeBatch(int64_t max_batch_size) {
  Batch batch;
  int passed_over = 0;
  for (auto it = tasks_.begin(); it != tasks_.end() && passed_over < kMaxPassedOver;) {
    const auto current = it++;
    if (!batch.tasks.empty()) {
      if (!SameSampleShapes(batch.tasks.front().task, current->task)) {
        ++passed_over;
        continue;
      }
      // A smaller one behind it may not overtake.
      if (batch.samples + current->task.samples > max_batch_size) {
        batch.full = true;
        break;
      }
    }
    batch.samples += current->task.samples;
    batch.tasks.push_back(Take(current));
    if (batch.samples >= max_batch_size) {
      batch.full = true;
      break;
    }
  }
  return batch;
}

std::vector<WaitingTask> BatchQueue::TakeOverdue(absl::Time now) {
  std::vector<WaitingTask> overdue;
  while (earliest_deadline() <= now) overdue.push_back(Take(deadlines_.begin()->second));
  return overdue;
}

}  // namespace stillwave::batching
