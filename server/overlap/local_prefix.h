// A network cut in two: what is local in time, and the rest.
//
//   samples {N,C,n} ─► prefix ─► the cut's values {N, positions, …} ─► tail ─► the network's outputs
//                 any length n                        of a whole window
//
// The prefix runs on whole windows and on strips of them; its activations can be kept from one window to the next. The
// tail runs in full for each window. The cut's values lie position by position, so that positions can be appended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/overlap/time_locality.h"
#include "server/tensor/shape.h"

namespace stillwave::overlap {

// A value that the tail reads.
struct CutValue {
  graph::ValueId value = graph::kNoValue;  // of the network
  Locality where;
  tensor::Shape step;  // of one position: the value's axes without batch and time
  // Positions before it are read by nothing: a network that goes on with the last step only has no use for a left edge.
  int64_t first_read = 0;
};

struct LocalPrefix {
  tensor::Shape window;  // of the network's input, for one window
  std::vector<CutValue> cuts;
  graph::Graph prefix;  // takes any length that agrees with the window's, see AgreesAt; outputs in the order of `cuts`
  graph::Graph tail;    // specialized to the window; inputs in the order of `cuts`: {1, positions, step…}
  // Of all convolutions in the prefix, whose kernels may depend on how many positions there are.
  std::vector<Locality> convolutions;
  // What hops, and the difference of a strip's length to the window's, must be multiples of.
  int64_t alignment = 1;
  // The operator that ends the prefix, and why; empty when all of the network is local.
  std::string end;
  // Of the prefix's values, in the order of its nodes' outputs.
  std::vector<std::pair<graph::ValueId, Locality>> values;

  int64_t window_samples() const { return window[window.rank() - 1]; }
  // The input's shape for `rows` pieces of `samples` samples.
  tensor::Shape InputShape(int64_t rows, int64_t samples) const;
};

// Splits `network` (optimized, not specialized) for windows of that shape, {1, …, L}. FAILED_PRECONDITION, with the
// reason, where nothing can be kept from window to window. Constants may be stand-ins without elements.
absl::StatusOr<LocalPrefix> SplitAtTime(const graph::Graph& network, const tensor::Shape& window);

// OK when the prefix does the same on pieces of `samples` samples as on windows: each value's positions look at the
// same samples from the beginning, its edges are as wide, and it has as many positions fewer as there are strides
// fewer. Where a network's operators depend on the length (SAME padding and strides, bounds that count from the end),
// they only do the same on some lengths. FAILED_PRECONDITION naming the value. REQUIRES: 0 < samples <= the window's.
absl::Status AgreesAt(const LocalPrefix& split, int64_t samples);

}  // namespace stillwave::overlap
