// A value of a network that is local in time, and the order in which its positions are kept: time first.
#pragma once

#include <vector>

#include "server/graph/graph.h"
#include "server/overlap/time_locality.h"
#include "server/tensor/shape.h"

namespace stillwave::overlap {

struct LocalValue {
  graph::ValueId value = graph::kNoValue;  // of the network
  Locality where;
  tensor::Shape step;  // of one position: the value's axes without batch and time
};

// The axes of one position of `shape`, without batch and time.
tensor::Shape StepShape(const tensor::Shape& shape, int time_axis);

// Axes for a Transpose of {N, …, T, …} to {N, T, …}; empty where time comes second already.
std::vector<int64_t> PermToTimeSecond(int rank, int time_axis);
// And back.
std::vector<int64_t> PermFromTimeSecond(int rank, int time_axis);

}  // namespace stillwave::overlap
