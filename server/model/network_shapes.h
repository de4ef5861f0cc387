// Which shapes a network takes and gives, found out by specialising it, because what files declare is often wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/model/model_signature.h"
#include "server/tensor/shape.h"

namespace stillwave::model {

struct NetworkShapes {
  ModelSignature signature;
  // Of the inputs for one sample, every axis concrete; the network takes them.
  std::vector<tensor::Shape> sample_shapes;
  // False when the graph takes the declared batch of 1 and nothing else: rows must run one by one.
  bool batches = true;
};

// `imported` gives names and declared shapes (passes may rename outputs); `optimized` is what runs. Axis 0 of every
// input and output must be the batch: FAILED_PRECONDITION otherwise, naming the tensor. UNIMPLEMENTED for inputs that
// are not FP32. When no length of the dynamic axes works, the first length's error. `window_length` is the first length
// that is tried; 0: none given.
absl::StatusOr<NetworkShapes> FindNetworkShapes(const graph::Graph& imported, const graph::Graph& optimized,
                                                int64_t window_length);

// The same shapes for `samples` samples. REQUIRES: axis 0 is the batch.
std::vector<tensor::Shape> WithBatch(std::vector<tensor::Shape> shapes, int64_t samples);

}  // namespace stillwave::model
