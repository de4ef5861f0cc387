// A model that also runs windows of series, and keeps for each what the next window shares with it.
//
//   requests, full windows   x {N,C,L}                         ─► the model
//   windows of series        x {N,C,L}, ticket INT64 {N,3}     ─► strips, tapes, tail
//
// Both kinds go through one queue, so that streams and requests share workers as before; a batch holds one kind only,
// because it holds tasks of equal shapes. Windows of many series that have one length and hop run together, and so do
// neighbouring windows of one series, whose rows lie together and in order. A ticket names the series, its window's
// first sample and the hop. What is kept is a cache: when it is not of the window just a hop before (the first window,
// a gap), the window is computed in full.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/metrics/server_metrics.h"
#include "server/model/batch_runner.h"
#include "server/model/loaded_model.h"
#include "server/overlap/reuse_plan.h"
#include "server/overlap/series_table.h"
#include "server/overlap/window_reuse.h"

namespace stillwave::overlap {

// An open series, as long as it lives; windows that are in flight then are computed in full. May outlive the runner.
// Thread-safe.
class SeriesReuse {
 public:
  SeriesReuse(std::shared_ptr<SeriesTable> table, int64_t number, std::shared_ptr<const WindowReuse> reuse)
      : table_(std::move(table)), number_(number), reuse_(std::move(reuse)) {}
  ~SeriesReuse() { table_->Close(number_); }
  SeriesReuse(const SeriesReuse&) = delete;
  SeriesReuse& operator=(const SeriesReuse&) = delete;

  const ReusePlan& plan() const { return reuse_->plan(); }
  // {windows, 3}: what windows bring beside their values that begin at that sample and each a hop behind the other.
  tensor::Tensor Tickets(int64_t first_sample, int64_t windows = 1) const;

 private:
  const std::shared_ptr<SeriesTable> table_;
  const int64_t number_;
  const std::shared_ptr<const WindowReuse> reuse_;
};

// Thread-safe.
class OverlapRunner final : public model::BatchRunner {
 public:
  struct Options {
    ReuseLimits limits;
    // Of all series of the model together.
    int64_t max_kept_bytes = int64_t{1} << 30;
    // Pairs of window length and hop for which plans are held at the same time. Positive.
    size_t max_pairs = 64;
    // False: every window is computed in full.
    bool reuse = true;
    // Of the windows that reuse, the part that is computed in full too and compared, 0 to 1; so are the first two of
    // each pair.
    double verify_share = 0.001;
    // Of the largest output of a window: what the two may differ by. Above the rounding of float32 sums that are taken
    // in another order, below any mistake.
    float verify_tolerance = 2e-5F;
  };

  // `metrics` outlives the runner.
  OverlapRunner(std::shared_ptr<const model::LoadedModel> model, const metrics::ModelMetrics* metrics,
                const Options& options);

  // For windows of the shape {1, …, L} that start `hop` samples apart. FAILED_PRECONDITION, with the reason, where they
  // should be run in full, as any request. Compiles nothing: a thread that must not block may call it.
  absl::StatusOr<std::unique_ptr<SeriesReuse>> Open(const tensor::Shape& window, int64_t hop) const;

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override;
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes) const override;
  double NewPart(absl::Span<const tensor::TensorView> inputs, int64_t row) const override;
  bool MayDivide(absl::Span<const tensor::TensorView> inputs) const override;

 private:
  struct Window;
  struct SeriesWindows;
  struct NextWindow;
  using PairKey = std::pair<tensor::Shape, int64_t>;
  using ReusePtr = std::shared_ptr<const WindowReuse>;

  absl::StatusOr<ReusePtr> FindPair(const tensor::Shape& window, int64_t hop) const;
  void DropUnusedPairs() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status RunSeries(execution::ExecutionContext& context, absl::Span<SeriesWindows> series) const;
  // Those that do not follow what is kept; the others are added to `next`.
  absl::Status RunUnlessNext(execution::ExecutionContext& context, SeriesWindows& series,
                             std::vector<NextWindow>& next) const;
  // Those of one pair that follow what is kept.
  absl::Status RunNext(execution::ExecutionContext& context, absl::Span<const NextWindow> windows) const;
  absl::Status RunInFull(execution::ExecutionContext& context, const Window& window) const;
  absl::Status Verify(execution::ExecutionContext& context, const NextWindow& next) const;
  void Count(int64_t computed, int64_t reused) const;

  const std::shared_ptr<const model::LoadedModel> model_;
  const metrics::ModelMetrics* const metrics_;
  const Options options_;
  const std::shared_ptr<SeriesTable> table_;
  mutable absl::Mutex mutex_;
  // Whether and how, by window and hop.
  mutable absl::node_hash_map<PairKey, absl::StatusOr<ReusePtr>> pairs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::overlap
