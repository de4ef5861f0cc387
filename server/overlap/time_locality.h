// Which values of a network are local in time, and where in the series each of their positions looks.
//
// Two windows of a series that start `hop` samples apart share all but `hop` of their samples. A value is local in time
// when each of its positions depends on a bounded stretch of samples, and moves along with them:
//
//   samples      0 1 2 3 4 5 6 7 8 9 …          one window
//                  └─┬─┘                        position j looks at samples [stride*j + first, stride*j + last]
//   value v      E E • • • • • • E E            E: reached by the zeros beyond the window's ends
//                └┬┘             └┬┘
//                left            right          the edges; what lies between is the interior
//
// An interior position of one window is position j - hop/stride of the window that starts hop samples later, if it is
// interior there too: the same operations on the same samples. Edges must be computed for each window.
//
// For an operator that slides a kernel of k taps, stride s, dilation d and padding p over a value:
//   stride' = stride*s    first' = first - stride*p    last' = last + stride*((k-1)*d - p)    left' = ceil((left +
//   p)/s)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/graph.h"
#include "server/tensor/shape.h"

namespace stillwave::overlap {

struct Locality {
  int time_axis = 0;
  int64_t positions = 0;  // length of the time axis
  int64_t stride = 1;     // samples from one position to the next
  int64_t first = 0;      // of the samples that position 0 looks at; negative: in the padding
  int64_t last = 0;
  int64_t left = 0;   // positions at the beginning that the padding before the window reaches, at most `positions`
  int64_t right = 0;  // at the end; a short window's positions may be of both

  int64_t interior() const { return positions > left + right ? positions - left - right : 0; }

  friend bool operator==(const Locality&, const Locality&) = default;
};

struct TimeLocality {
  // By ValueId; nothing where a value is not local, and for constants.
  std::vector<std::optional<Locality>> values;
  // The first operator that reads something local and gives something that is not, and why: "GlobalAveragePool 'pool'
  // reads the whole window". Empty when there is none.
  std::string end;
};

// What is known of the node's output when `values` (by ValueId) is known of what it reads: nothing where it reads
// nothing local. FAILED_PRECONDITION, in words that follow the node's name, when its output is not local.
absl::StatusOr<std::optional<Locality>> LocateOutput(const graph::Graph& graph, const graph::Node& node,
                                                     absl::Span<const std::optional<Locality>> values);

// Of samples in a tensor of that shape: time is its last axis.
Locality LocalityOfSamples(const tensor::Shape& input);

// REQUIRES: `graph` is specialized to concrete shapes and has one input, whose last axis is time.
TimeLocality FindTimeLocality(const graph::Graph& graph);

}  // namespace stillwave::overlap
