#include "client/replay_buffer.h"

#include <algorithm>

#include "server/base/check.h"

namespace stillwave::client {

void ReplayBuffer::Append(absl::Span<const float> samples) {
  absl::MutexLock lock(&mutex_);
  values_.insert(values_.end(), samples.begin(), samples.end());
  const int64_t too_many = static_cast<int64_t>(values_.size()) - max_values_;
  if (too_many > 0) Drop((too_many + channels_ - 1) / channels_);
}

void ReplayBuffer::DropBefore(int64_t sample) {
  absl::MutexLock lock(&mutex_);
  Drop(std::clamp<int64_t>(sample - begin_, 0, End() - begin_));
}

void ReplayBuffer::Drop(int64_t samples) {
  values_.erase(values_.begin(), values_.begin() + samples * channels_);
  begin_ += samples;
}

int64_t ReplayBuffer::begin() const {
  absl::MutexLock lock(&mutex_);
  return begin_;
}

int64_t ReplayBuffer::end() const {
  absl::MutexLock lock(&mutex_);
  return End();
}

std::vector<float> ReplayBuffer::From(int64_t sample, int64_t max_samples) const {
  absl::MutexLock lock(&mutex_);
  SW_CHECK(sample >= begin_);
  const int64_t count = std::clamp<int64_t>(End() - sample, 0, max_samples);
  if (count == 0) return {};
  const auto from = values_.begin() + (sample - begin_) * channels_;
  return {from, from + count * channels_};
}

}  // namespace stillwave::client
