#include "server/overlap/tape.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/base/status_macros.h"

namespace stillwave::overlap {
namespace {

// Positions beyond the window: with a quarter of it, a window is moved once for the hops that fit into that quarter,
// and so four hops' worth of positions for each window.
int64_t Room(const KeptValue& kept) { return std::max(kept.hop, kept.positions / 4); }

}  // namespace

Tape::Tape(const KeptValue& kept, int64_t capacity, tensor::Tensor values)
    : positions_(kept.positions),
      hop_(kept.hop),
      step_elements_(kept.step_elements),
      capacity_(capacity),
      values_(std::move(values)) {}

absl::StatusOr<Tape> Tape::Create(const KeptValue& kept) {
  const int64_t capacity = kept.positions + Room(kept);
  ASSIGN_OR_RETURN(tensor::Tensor values,
                   tensor::Tensor::Create(tensor::DataType::kFloat32, {capacity, kept.step_elements}));
  return Tape(kept, capacity, std::move(values));
}

void Tape::Advance() {
  if (start_ + hop_ + positions_ <= capacity_) {
    start_ += hop_;
    return;
  }
  const float* const kept = window() + hop_ * step_elements_;
  start_ = 0;
  std::memmove(window(), kept, static_cast<size_t>((positions_ - hop_) * step_elements_) * sizeof(float));
}

absl::StatusOr<KeptWindow> MakeKeptWindow(const ReusePlan& plan) {
  KeptWindow window;
  for (const KeptValue& kept : plan.kept) {
    ASSIGN_OR_RETURN(Tape tape, Tape::Create(kept));
    window.tapes.push_back(std::move(tape));
  }
  return window;
}

int64_t TapeBytes(const ReusePlan& plan) {
  int64_t bytes = 0;
  for (const KeptValue& kept : plan.kept) {
    bytes += (kept.positions + Room(kept)) * kept.step_elements * static_cast<int64_t>(sizeof(float));
  }
  return bytes;
}

}  // namespace stillwave::overlap
