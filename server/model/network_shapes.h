// Which shapes a network takes and gives, found out by specialising it, because what files declare is often wrong.
#pragma once

#include <cstdint>
#include <string>
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
  // The same at another length, to probe there too; empty where no axis is dynamic or no other length works.
  std::vector<tensor::Shape> other_sample_shapes;
  // Every input declares a batch of 1: the file was exported for one sample.
  bool declares_one = false;
  // False when the graph takes the declared batch of 1 and nothing else: rows must run one by one.
  bool batches = true;
  // Of one sample of these shapes; see EstimateWork.
  int64_t work = 0;
};

// `output_names` are the file's (passes may rename outputs); `optimized` is what runs. Axis 0 of every input and output
// must be the batch: FAILED_PRECONDITION otherwise, naming the tensor. UNIMPLEMENTED for inputs that
// are not FP32. When no length of the dynamic axes works, the first length's error. `window_length` is the first length
// that is tried; 0: none given. Lengths that would take seconds to warm up for are passed over where others work.
absl::StatusOr<NetworkShapes> FindNetworkShapes(const std::vector<std::string>& output_names,
                                                const graph::Graph& optimized, int64_t window_length);

// The same shapes for `samples` samples. REQUIRES: axis 0 is the batch.
std::vector<tensor::Shape> WithBatch(std::vector<tensor::Shape> shapes, int64_t samples);

}  // namespace stillwave::model
