// What the operators that move or make elements read and write, for the shape rules and the kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/op.h"
#include "server/graph/shape_inference.h"

namespace stillwave::graph {

// The part of its axis that a SplitPart takes.
struct SplitRange {
  int axis = 0;
  int64_t begin = 0;
  int64_t length = 0;
};
absl::StatusOr<SplitRange> ResolveSplit(const SplitPart& op, absl::Span<const InputType> inputs);

// How often Tile repeats each axis.
absl::StatusOr<std::vector<int64_t>> TileRepeats(absl::Span<const InputType> inputs);

// How many elements Range makes.
absl::StatusOr<int64_t> RangeCount(absl::Span<const InputType> inputs);

}  // namespace stillwave::graph
