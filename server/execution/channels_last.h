// Operators on tensors that lie channels last, for kernels that know only row-major.
//
// A tensor {N,C,T} that lies channels last is the row-major tensor {N,T,C}. Most operators do not care which axis is
// which as long as their own axes move along: Concat over axis 1 of {N,C,T} is Concat over axis 2 of {N,T,C}.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/op.h"
#include "server/graph/shape_inference.h"
#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::execution {

// Where axis `axis` of a tensor of that rank stands in memory: 0 -> 0, 1 -> rank-1, 2 -> 1, …
int ChannelsLastAxis(int axis, int rank);

// {N,C,T} -> {N,T,C}; {N,C,H,W} -> {N,H,W,C}.
tensor::Shape ChannelsLastShape(const tensor::Shape& shape);

// The constant, of a rank up to `rank`, broadcast against a tensor of that rank: its elements in channels-last order,
// and the shape {…} that row-major kernels should see. Shares the elements when their order does not change.
struct ChannelsLastConstant {
  std::shared_ptr<const tensor::Tensor> tensor;
  tensor::Shape shape;
};
absl::StatusOr<ChannelsLastConstant> ToChannelsLast(const std::shared_ptr<const tensor::Tensor>& constant, int rank);

// An operator rewritten for operands that lie channels last.
struct ChannelsLastOp {
  graph::Op op;
  // By input: what stands in for an input that names axes, or has one entry for each axis. Null: the input stays.
  std::vector<std::shared_ptr<const tensor::Tensor>> replaced;
  // The first inputs that are data: tensors of the operator's rank, or constants that broadcast to it.
  size_t data_inputs = 1;
};

// Nothing for an operator whose result depends on the order of axes (Reshape), or that has no such form here. `inputs`
// are those of the row-major operator. Errors as graph::InferOutput.
absl::StatusOr<std::optional<ChannelsLastOp>> ToChannelsLast(const graph::Op& op,
                                                             absl::Span<const graph::InputType> inputs);

}  // namespace stillwave::execution
