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

// How long the task may wait by its policy and its own word.
absl::Duration TimeoutOf(const InferenceTask& task, const LevelPolicy& policy) {
  if (policy.timeout == absl::InfiniteDuration()) return task.timeout;
  return policy.allow_override ? std::min(task.timeout, policy.timeout) : policy.timeout;
}

}  // namespace

bool SameSampleShapes(const InferenceTask& a, const InferenceTask& b) {
  return std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(), SameSampleShape);
}

int64_t ElementsOf(const InferenceTask& task) {
  int64_t elements = 0;
  for (const tensor::TensorView& input : task.inputs) elements += input.shape.num_elements();
  return std::max<int64_t>(1, elements);
}

BatchQueue::BatchQueue(std::vector<LevelPolicy> levels, size_t default_level)
    : lanes_(levels.size() * 2), default_level_(default_level) {
  SW_CHECK(default_level < levels.size());
  for (const LevelPolicy& policy : levels) {
    SW_CHECK(policy.max_samples > 0);
    levels_.push_back({policy});
  }
}

size_t BatchQueue::LevelOf(uint64_t priority) const {
  return priority >= 1 && priority <= levels_.size() ? static_cast<size_t>(priority - 1) : default_level_;
}

absl::Time BatchQueue::oldest() const {
  absl::Time oldest = absl::InfiniteFuture();
  for (const Lane& lane : lanes_) {
    if (!lane.tasks.empty()) oldest = std::min(oldest, lane.tasks.front().waiting.enqueued);
  }
  return oldest;
}

int64_t BatchQueue::ElementsBefore(size_t level) const {
  int64_t elements = 0;
  for (size_t lane = 0; lane <= level * 2; ++lane) elements += lanes_[lane].elements;
  return elements;
}

int64_t BatchQueue::waiting_elements() const {
  int64_t elements = 0;
  for (const Lane& lane : lanes_) elements += lane.elements;
  return elements;
}

absl::Time BatchQueue::GiveUpAt(const InferenceTask& task, absl::Time now) const {
  const LevelPolicy& policy = levels_[LevelOf(task.priority)].policy;
  return policy.late_step_back ? task.deadline : std::min(task.deadline, now + TimeoutOf(task, policy));
}

WaitingTask BatchQueue::Receive(InferenceTask task, absl::Time now) const {
  WaitingTask waiting;
  waiting.enqueued = now;
  waiting.level = LevelOf(task.priority);
  waiting.elements = ElementsOf(task);
  waiting.give_up = GiveUpAt(task, now);
  const LevelPolicy& policy = levels_[waiting.level].policy;
  if (policy.late_step_back) waiting.step_back = now + TimeoutOf(task, policy);
  waiting.task = std::move(task);
  return waiting;
}

QueuedTask& BatchQueue::Push(WaitingTask waiting) {
  SW_CHECK(HasSpaceFor(waiting.task.samples, waiting.level));
  Level& level = levels_[waiting.level];
  level.samples += waiting.task.samples;
  waiting_samples_ += waiting.task.samples;
  ++waiting_tasks_;
  Lane& lane = lanes_[waiting.level * 2];
  lane.elements += waiting.elements;
  QueuedTask& queued = lane.tasks.emplace_back();
  queued.waiting = std::move(waiting);
  queued.place = std::prev(lane.tasks.end());
  SetTimer(queued);
  if (Cancellation* cancellation = queued.waiting.task.cancellation.get(); cancellation != nullptr) {
    queued.next_to_cancel = std::exchange(cancellation->waiting_, &queued);
  }
  return queued;
}

void BatchQueue::SetTimer(QueuedTask& queued) {
  const absl::Time step_back = queued.late ? absl::InfiniteFuture() : queued.waiting.step_back;
  const absl::Time time = std::min(queued.waiting.give_up, step_back);
  queued.timer = time == absl::InfiniteFuture() ? timers_.end() : timers_.emplace(time, &queued);
}

WaitingTask BatchQueue::Take(QueuedTask& queued) {
  if (queued.timer != timers_.end()) timers_.erase(queued.timer);
  if (Cancellation* cancellation = queued.waiting.task.cancellation.get(); cancellation != nullptr) {
    QueuedTask** link = &cancellation->waiting_;
    while (*link != &queued) link = &(*link)->next_to_cancel;
    *link = queued.next_to_cancel;
  }
  Lane& lane = LaneOf(queued);
  lane.elements -= queued.waiting.elements;
  levels_[queued.waiting.level].samples -= queued.waiting.task.samples;
  waiting_samples_ -= queued.waiting.task.samples;
  --waiting_tasks_;
  WaitingTask waiting = std::move(queued.waiting);
  lane.tasks.erase(queued.place);
  return waiting;
}

BatchQueue::Lane& BatchQueue::NextLane() {
  Lane* first = nullptr;
  Lane* oldest = nullptr;
  for (Lane& lane : lanes_) {
    if (lane.tasks.empty()) continue;
    if (first == nullptr) first = &lane;
    if (oldest == nullptr || lane.tasks.front().waiting.enqueued < oldest->tasks.front().waiting.enqueued) {
      oldest = &lane;
    }
  }
  SW_CHECK(first != nullptr);
  if (oldest == first || passed_over_ + 1 == kTurnsUntilOldest) {
    passed_over_ = 0;
    return *oldest;
  }
  ++passed_over_;
  return *first;
}

BatchQueue::Batch BatchQueue::TakeBatch(const BatchLimits& limits, std::vector<WaitingTask>& tasks) {
  Batch batch;
  if (empty()) return batch;
  Lane& lane = NextLane();
  const size_t first = tasks.size();
  int passed_over = 0;
  for (auto it = lane.tasks.begin(); it != lane.tasks.end() && passed_over < kMaxPassedOver;) {
    QueuedTask& queued = *it++;
    const WaitingTask& waiting = queued.waiting;
    if (tasks.size() > first) {
      if (!SameSampleShapes(tasks[first].task, waiting.task)) {
        ++passed_over;
        continue;
      }
      // A smaller one behind it may not overtake.
      if (batch.samples + waiting.task.samples > limits.samples ||
          batch.elements + waiting.elements > limits.elements) {
        batch.full = true;
        break;
      }
    }
    batch.samples += waiting.task.samples;
    batch.elements += waiting.elements;
    tasks.push_back(Take(queued));
    if (batch.samples >= limits.samples || batch.elements >= limits.elements) {
      batch.full = true;
      break;
    }
  }
  return batch;
}

void BatchQueue::TakeOverdue(absl::Time now, std::vector<WaitingTask>& overdue) {
  while (next_timer() <= now) {
    QueuedTask& queued = *timers_.begin()->second;
    if (queued.waiting.give_up <= now) {
      overdue.push_back(Take(queued));
    } else {
      StepBack(queued);
    }
  }
}

void BatchQueue::StepBack(QueuedTask& queued) {
  Lane& from = LaneOf(queued);
  timers_.erase(queued.timer);
  queued.late = true;
  Lane& to = LaneOf(queued);
  from.elements -= queued.waiting.elements;
  to.elements += queued.waiting.elements;
  to.tasks.splice(to.tasks.end(), from.tasks, queued.place);
  SetTimer(queued);
}

}  // namespace stillwave::batching
