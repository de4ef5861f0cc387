// The figures of the protocol's ModelStatistics: counts and summed durations since the server started.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace stillwave::metrics {

// How often something happened and how long it took in all.
struct StatisticDuration {
  uint64_t count = 0;
  uint64_t nanoseconds = 0;
};

// The stages of a batch on a worker.
struct ComputeTimes {
  absl::Duration input;   // to bring the requests' inputs into one batch
  absl::Duration infer;   // to run the network
  absl::Duration output;  // to give each request its rows
};

struct ComputeStatistics {
  StatisticDuration input;
  StatisticDuration infer;
  StatisticDuration output;
};

struct BatchStatistics {
  uint64_t samples = 0;       // in a batch
  ComputeStatistics compute;  // counts are batches of this size
};

// A reading. What is counted meanwhile may be in one figure and not yet in another.
struct StatisticsSnapshot {
  absl::Time last_inference = absl::UnixEpoch();  // when the last request was answered; UnixEpoch: none was
  uint64_t inferences = 0;                        // samples computed
  uint64_t executions = 0;                        // batches computed
  // Counts are requests (windows of streams are requests too); of times that are not a success's or a failure's, tasks:
  // windows of a series that were computed together are one.
  StatisticDuration success;
  StatisticDuration fail;
  StatisticDuration queue;
  ComputeStatistics compute;
  std::vector<BatchStatistics> batches;  // sizes that occurred, ascending
};

// Thread-safe. Counting takes no lock.
class ModelStatistics {
 public:
  // Larger batches count as this. No model's max_batch_size is larger.
  static constexpr int64_t kMaxBatch = 4096;

  ModelStatistics() = default;
  ~ModelStatistics();
  ModelStatistics(const ModelStatistics&) = delete;
  ModelStatistics& operator=(const ModelStatistics&) = delete;

  // A request was answered `duration` after it came, refused ones included.
  void CountRequest(bool success, absl::Duration duration);
  // A request was computed as part of a batch that took `times`.
  void CountComputed(absl::Duration queue, const ComputeTimes& times);
  // A batch was computed without an error.
  void CountBatch(int64_t samples, const ComputeTimes& times);

  StatisticsSnapshot Read() const;

 private:
  class Sum {
   public:
    void Add(absl::Duration duration) {
      count_.fetch_add(1, std::memory_order_relaxed);
      const int64_t nanoseconds = absl::ToInt64Nanoseconds(duration);
      if (nanoseconds > 0) nanoseconds_.fetch_add(static_cast<uint64_t>(nanoseconds), std::memory_order_relaxed);
    }
    StatisticDuration Read() const {
      return {count_.load(std::memory_order_relaxed), nanoseconds_.load(std::memory_order_relaxed)};
    }

   private:
    std::atomic<uint64_t> count_{0};
    std::atomic<uint64_t> nanoseconds_{0};
  };
  struct ComputeSums {
    void Add(const ComputeTimes& times) {
      input.Add(times.input);
      infer.Add(times.infer);
      output.Add(times.output);
    }
    ComputeStatistics Read() const { return {input.Read(), infer.Read(), output.Read()}; }
    Sum input;
    Sum infer;
    Sum output;
  };
  // Batch sizes that lie next to each other; made when the first of them occurs.
  static constexpr size_t kSizesInBlock = 64;
  using Block = std::array<ComputeSums, kSizesInBlock>;

  ComputeSums& OfSize(int64_t samples);

  std::atomic<int64_t> last_inference_{0};  // nanoseconds since the epoch
  std::atomic<uint64_t> inferences_{0};
  std::atomic<uint64_t> executions_{0};
  Sum success_;
  Sum fail_;
  Sum queue_;
  ComputeSums compute_;
  std::array<std::atomic<Block*>, kMaxBatch / kSizesInBlock> blocks_{};  // owned; size s is in block (s - 1) / 64
};

}  // namespace stillwave::metrics
