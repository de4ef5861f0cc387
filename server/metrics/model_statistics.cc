#include "server/metrics/model_statistics.h"

#include <algorithm>
#include <memory>

#include "absl/time/clock.h"

namespace stillwave::metrics {

ModelStatistics::~ModelStatistics() {
  for (std::atomic<Block*>& block : blocks_) delete block.load();
}

void ModelStatistics::CountRequest(bool success, absl::Duration duration) {
  (success ? success_ : fail_).Add(duration);
  last_inference_.store(absl::GetCurrentTimeNanos(), std::memory_order_relaxed);
}

void ModelStatistics::CountComputed(absl::Duration queue, const ComputeTimes& times) {
  queue_.Add(queue);
  compute_.Add(times);
}

void ModelStatistics::CountBatch(int64_t samples, const ComputeTimes& times) {
  inferences_.fetch_add(static_cast<uint64_t>(samples), std::memory_order_relaxed);
  executions_.fetch_add(1, std::memory_order_relaxed);
  OfSize(samples).Add(times);
}

ModelStatistics::ComputeSums& ModelStatistics::OfSize(int64_t samples) {
  const auto index = static_cast<size_t>(std::clamp<int64_t>(samples, 1, kMaxBatch) - 1);
  std::atomic<Block*>& place = blocks_[index / kSizesInBlock];
  Block* block = place.load(std::memory_order_acquire);
  if (block == nullptr) {
    auto made = std::make_unique<Block>();
    // Of two threads that made one, the other's stays.
    if (place.compare_exchange_strong(block, made.get(), std::memory_order_acq_rel)) block = made.release();
  }
  return (*block)[index % kSizesInBlock];
}

StatisticsSnapshot ModelStatistics::Read() const {
  StatisticsSnapshot snapshot;
  snapshot.last_inference = absl::FromUnixNanos(last_inference_.load(std::memory_order_relaxed));
  snapshot.inferences = inferences_.load(std::memory_order_relaxed);
  snapshot.executions = executions_.load(std::memory_order_relaxed);
  snapshot.success = success_.Read();
  snapshot.fail = fail_.Read();
  snapshot.queue = queue_.Read();
  snapshot.compute = compute_.Read();
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Block* const block = blocks_[i].load(std::memory_order_acquire);
    if (block == nullptr) continue;
    for (size_t j = 0; j < kSizesInBlock; ++j) {
      const ComputeStatistics compute = (*block)[j].Read();
      if (compute.infer.count > 0) snapshot.batches.push_back({i * kSizesInBlock + j + 1, compute});
    }
  }
  return snapshot;
}

}  // namespace stillwave::metrics
