// What is kept of the window that was computed last, as the next one needs it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/overlap/reuse_plan.h"
#include "server/tensor/tensor.h"

namespace stillwave::overlap {

// One value, position by position. The window (its last positions, where only those are read) lies in one piece and
// moves to the right by a hop at a time, so that what two windows share is not moved; at the end of the room it goes
// back to the beginning.
//
//   positions   0                                                       positions + room
//               │        ┌────────── window n ──────────┐                 │
//               │            ┌────────── window n+1 ────────┐             │
//
// What the left edge of a window overwrites, no later window reads. Not thread-safe.
class Tape {
 public:
  // RESOURCE_EXHAUSTED when there is no memory.
  static absl::StatusOr<Tape> Create(const KeptValue& kept);

  // positions × step_elements floats.
  float* window() { return values_.mutable_values<float>().data() + start_ * step_elements_; }

  // The window moves on by a hop; its last `hop` positions hold nothing yet.
  void Advance();

  size_t byte_size() const { return values_.byte_size(); }

 private:
  Tape(const KeptValue& kept, int64_t capacity, tensor::Tensor values);

  int64_t positions_;
  int64_t hop_;
  int64_t step_elements_;
  int64_t capacity_;  // positions that there is memory for
  int64_t start_ = 0;
  tensor::Tensor values_;
};

// Everything that is kept for a series.
struct KeptWindow {
  std::vector<Tape> tapes;   // in the order of ReusePlan::kept
  int64_t first_sample = 0;  // index in the series; meaningless while empty
  bool empty = true;         // no window was computed yet, or the last one failed
};

absl::StatusOr<KeptWindow> MakeKeptWindow(const ReusePlan& plan);

// What MakeKeptWindow takes.
int64_t TapeBytes(const ReusePlan& plan);

}  // namespace stillwave::overlap
