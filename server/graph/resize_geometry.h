// How long the axes of a Resize become.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/op.h"
#include "server/graph/shape_inference.h"

namespace stillwave::graph {

struct ResizedAxis {
  int64_t input = 1;
  int64_t output = 1;
  // Output elements per input element. Not output / input where the length was rounded.
  double scale = 1;
  // The part of the axis that tf_crop_and_resize looks at, as fractions of its length.
  double roi_begin = 0;
  double roi_end = 1;
};

// One entry for each axis of X. An input without elements counts as left out, as exporters write it.
absl::StatusOr<std::vector<ResizedAxis>> ResolveResize(const Resize& op, absl::Span<const InputType> inputs);

}  // namespace stillwave::graph
