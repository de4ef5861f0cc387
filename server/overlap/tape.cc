#include "server/overlap/tape.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/base/status_macros.h"

namespace stillwave::overlap {
namespace {

// Positions beyond the window: with a quarter of it, a window is moved once for the hops that fit into that quarter,
// and so four hops' worth of positions for each window.
int64_t Room(const CutStrips& strips) { return std::max(strips.hop, strips.positions / 4); }

}  // namespace

Tape::Tape(const CutStrips& strips, int64_t capacity, tensor::Tensor values)
    : positions_(strips.positions),
      hop_(strips.hop),
      step_elements_(strips.step_elements),
      capacity_(capacity),
      values_(std::move(values)) {}

absl::StatusOr<Tape> Tape::Create(const CutStrips& strips) {
  const int64_t capacity = strips.positions + Room(strips);
  ASSIGN_OR_RETURN(tensor::Tensor values,
                   tensor::Tensor::Create(tensor::DataType::kFloat32, {capacity, strips.step_elements}));
  return Tape(strips, capacity, std::move(values));
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
  KeptWindow kept;
  for (const CutStrips& strips : plan.cuts) {
    ASSIGN_OR_RETURN(Tape tape, Tape::Create(strips));
    kept.tapes.push_back(std::move(tape));
  }
  return kept;
}

int64_t TapeBytes(const ReusePlan& plan) {
  int64_t bytes = 0;
  for (const CutStrips& strips : plan.cuts) {
    bytes += (strips.positions + Room(strips)) * strips.step_elements * static_cast<int64_t>(sizeof(float));
  }
  return bytes;
}

}  // namespace stillwave::overlap
