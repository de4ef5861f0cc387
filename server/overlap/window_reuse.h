// Runs the windows of series that have one model, window length and hop.
//
//   window {1,C,L} ──────────────► prefix ─► tapes ─► tail ─► outputs            the first of a series
//
//   first samples ─► prefix ─► left edge ─┐
//                                         ├─► tapes ─► tail ─► outputs           one that follows
//   last samples ──► prefix ─► new, right edge
//
// The strips of several series run as one batch; each series' tail reads its own tapes where they lie.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "server/execution/execution_context.h"
#include "server/execution/execution_plan.h"
#include "server/model/loaded_model.h"
#include "server/overlap/reuse_plan.h"
#include "server/overlap/tape.h"

namespace stillwave::overlap {

// One window of one series. Borrowed.
struct WindowRow {
  const float* samples = nullptr;  // [C][L]
  KeptWindow* kept = nullptr;
  std::vector<void*> outputs;  // of the network, for one sample
};

// Thread-safe with distinct contexts and rows; plans are compiled when they are first needed.
class WindowReuse {
 public:
  WindowReuse(std::shared_ptr<const model::LoadedModel> model, ReusePlan plan);

  const ReusePlan& plan() const { return plan_; }

  // Computes a window in full and keeps its cut.
  absl::Status RunFirst(execution::ExecutionContext& context, const WindowRow& row) const;

  // Computes windows of different series, each of which starts a hop after the one that is kept.
  absl::Status RunNext(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const;

  // The number of this window among those that reused something: 1, 2, …
  int64_t CountReuse() const { return reuses_.fetch_add(1, std::memory_order_relaxed) + 1; }
  // A window was not what the model makes of it: from now on they should all be computed by the model.
  void Distrust() const { trusted_.store(false, std::memory_order_relaxed); }
  bool trusted() const { return trusted_.load(std::memory_order_relaxed); }

 private:
  using PlanPtr = std::shared_ptr<const execution::ExecutionPlan>;

  absl::StatusOr<PlanPtr> PrefixPlan(int64_t rows, int64_t samples) const;
  absl::StatusOr<PlanPtr> TailPlan() const;
  // Runs the prefix on `samples` samples of each row from `begin` on. The cut's values, {rows, positions, step…}.
  absl::StatusOr<std::vector<tensor::Tensor>> RunStrips(execution::ExecutionContext& context,
                                                        absl::Span<WindowRow> rows, int64_t begin,
                                                        int64_t samples) const;
  absl::Status RunTail(execution::ExecutionContext& context, const WindowRow& row) const;
  absl::Status RunTogether(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const;

  const std::shared_ptr<const model::LoadedModel> model_;
  const ReusePlan plan_;
  mutable std::atomic<int64_t> reuses_{0};
  mutable std::atomic<bool> trusted_{true};
  mutable absl::Mutex mutex_;
  // By rows and samples: three lengths, powers of two in rows.
  mutable absl::flat_hash_map<std::pair<int64_t, int64_t>, PlanPtr> prefix_plans_ ABSL_GUARDED_BY(mutex_);
  mutable PlanPtr tail_plan_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::overlap
