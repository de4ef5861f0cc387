// Runs the windows of series that have one model, window length and hop.
//
//   window {1,C,L} ──────────────► prefix ─► tapes ─► tail ─► outputs            the first of a series
//
//   first samples ─► stage ─► left edge ─┐
//                                        ├─► tapes ─► … ─► tail ─► outputs       one that follows
//   last samples ──► stage ─► new, right edge
//
// The strips of several series run as one batch, gathered from their samples and tapes and put back into their tapes.
// Each series' tail reads its own tapes where they lie, or all run as a batch too, where that is less work.
//
// Of one series several windows may come at once. A prefix of one stage is cut from samples alone, so that the strips
// of all of them run as one batch; then the tapes take them in turn, each followed by its tail. With more stages, the
// next one's strips are cut from tapes, and each window goes all its way before the one that follows.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/execution/execution_context.h"
#include "server/execution/execution_plan.h"
#include "server/model/loaded_model.h"
#include "server/overlap/part_plans.h"
#include "server/overlap/reuse_plan.h"
#include "server/overlap/tape.h"
#include "server/tensor/tensor.h"

namespace stillwave::overlap {

// One window of one series. Borrowed.
struct WindowRow {
  const float* samples = nullptr;  // [C][L]
  KeptWindow* kept = nullptr;
  size_t place = 0;                                // how many windows of its series go before it at the same time
  std::vector<tensor::MutableTensorView> outputs;  // of the network, {1, …}
};

// Thread-safe with distinct contexts and rows; plans are compiled when they are first needed.
class WindowReuse {
 public:
  WindowReuse(std::shared_ptr<const model::LoadedModel> model, ReusePlan plan);

  const ReusePlan& plan() const { return plan_; }

  // Computes a window in full and keeps what the next one needs.
  absl::Status RunFirst(execution::ExecutionContext& context, const WindowRow& row) const;

  // Computes windows that start a hop after the one that is kept, or that goes before. In the order of their places;
  // of a series at most one in each place, and none is left out.
  absl::Status RunNext(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const;

  // The number of this window among those that reused something: 1, 2, …
  int64_t CountReuse() const { return reuses_.fetch_add(1, std::memory_order_relaxed) + 1; }
  // A window was not what the model makes of it: from now on they should all be computed by the model.
  void Distrust() const { trusted_.store(false, std::memory_order_relaxed); }
  bool trusted() const { return trusted_.load(std::memory_order_relaxed); }

 private:
  using PlanPtr = std::shared_ptr<const execution::ExecutionPlan>;
  // Which end of the window a strip lies at.
  enum class End { kLeft, kRight };

  int64_t SamplesAt(size_t stage, End end) const {
    return end == End::kLeft ? plan_.stages[stage].left_samples : plan_.stages[stage].right_samples;
  }
  // `part`: a stage's index; behind the last one, all of the prefix, and then the tail.
  absl::StatusOr<PlanPtr> PlanOf(size_t part, int64_t rows, int64_t samples) const;
  absl::StatusOr<PlanPtr> CompilePart(size_t part, int64_t rows, int64_t samples) const;

  // What a plan computed, FP32, and where.
  struct Computed {
    std::vector<tensor::Tensor> values;
    std::vector<void*> targets;
  };
  static absl::StatusOr<Computed> AllocateFor(const execution::ExecutionPlan& plan);

  // A power of two of rows, as many as may run at once.
  absl::Status RunInTurn(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const;
  absl::Status RunAtOnce(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const;
  absl::StatusOr<Computed> RunStrips(execution::ExecutionContext& context, absl::Span<WindowRow> rows, size_t stage,
                                     End end) const;
  // Into the tapes of `rows`, which are those of the strips from `first_row` on.
  void KeepStrips(const Computed& computed, size_t first_row, absl::Span<WindowRow> rows, size_t stage, End end) const;
  // As many rows as RunInTurn takes, of one place.
  absl::Status RunTails(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const;
  absl::Status RunTail(execution::ExecutionContext& context, const WindowRow& row) const;

  // {rows, C, samples} and {rows, positions, step…} of what lies at that end of the rows' windows.
  absl::StatusOr<tensor::Tensor> GatherSamples(absl::Span<WindowRow> rows, int64_t samples, End end) const;
  absl::StatusOr<tensor::Tensor> GatherKept(absl::Span<WindowRow> rows, size_t kept, int64_t positions, End end) const;

  const std::shared_ptr<const model::LoadedModel> model_;
  const ReusePlan plan_;
  mutable std::atomic<int64_t> reuses_{0};
  mutable std::atomic<bool> trusted_{true};
  mutable PartPlans plans_;
};

}  // namespace stillwave::overlap
