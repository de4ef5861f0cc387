#include "server/execution/memory_planner.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <queue>
#include <utility>

#include "server/base/check.h"

namespace stillwave::execution {
namespace {

// The free ranges of the arena, by offset; the arena grows at its end.
class FreeRanges {
 public:
  size_t Take(size_t bytes) {
    auto best = ranges_.end();
    for (auto range = ranges_.begin(); range != ranges_.end(); ++range) {
      if (range->second >= bytes && (best == ranges_.end() || range->second < best->second)) best = range;
    }
    if (best != ranges_.end()) {
      const auto [offset, size] = *best;
      ranges_.erase(best);
      if (size > bytes) ranges_.emplace(offset + bytes, size - bytes);
      return offset;
    }
    // A free range at the end is extended rather than left unused.
    size_t offset = end_;
    if (!ranges_.empty()) {
      const auto last = std::prev(ranges_.end());
      if (last->first + last->second == end_) {
        offset = last->first;
        ranges_.erase(last);
      }
    }
    end_ = offset + bytes;
    return offset;
  }

  void Give(size_t offset, size_t bytes) {
    auto next = ranges_.lower_bound(offset);
    if (next != ranges_.end() && offset + bytes == next->first) {
      bytes += next->second;
      next = ranges_.erase(next);
    }
    if (next != ranges_.begin()) {
      const auto previous = std::prev(next);
      if (previous->first + previous->second == offset) {
        previous->second += bytes;
        return;
      }
    }
    ranges_.emplace(offset, bytes);
  }

  size_t end() const { return end_; }

 private:
  std::map<size_t, size_t> ranges_;
  size_t end_ = 0;
};

}  // namespace

MemoryPlan PlanMemory(absl::Span<const BufferLifetime> lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].first < lifetimes[b].first; });
  const auto rounded = [](size_t bytes) {
    return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  };
  using Ending = std::pair<int, size_t>;  // last step, index
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> alive;
  FreeRanges ranges;
  MemoryPlan plan;
  plan.offsets.resize(lifetimes.size());
  for (const size_t index : order) {
    const BufferLifetime& lifetime = lifetimes[index];
    SW_CHECK(lifetime.first <= lifetime.last);
    while (!alive.empty() && alive.top().first < lifetime.first) {
      const size_t ended = alive.top().second;
      alive.pop();
      if (lifetimes[ended].bytes > 0) ranges.Give(plan.offsets[ended], rounded(lifetimes[ended].bytes));
    }
    if (lifetime.bytes > 0) plan.offsets[index] = ranges.Take(rounded(lifetime.bytes));
    alive.emplace(lifetime.last, index);
  }
  plan.total_bytes = ranges.end();
  return plan;
}

}  // namespace stillwave::execution
