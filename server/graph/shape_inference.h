// Output types of one operator for concrete input shapes. There is no symbolic
// inference: a plan is compiled for one set of concrete input shapes, so
// everything that depends on them (also int64 shape arithmetic) is known by
// then.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/graph.h"

namespace stillwave::graph {

struct TensorType {
  tensor::DataType data_type = tensor::DataType::kFloat32;
  tensor::Shape shape;
};

// An input as the rules see it.
struct InputType {
  bool present = true;  // false: an optional input that is left out
  tensor::DataType data_type = tensor::DataType::kFloat32;
  tensor::Shape shape;                       // concrete
  const tensor::Tensor* constant = nullptr;  // when the value is known
};

// The output's type. INVALID_ARGUMENT, naming rule and value, when the operator
// cannot take such inputs; UNIMPLEMENTED when an input that must be known
// (axes, pads, …) is not a constant. The caller puts the node's name in front.
absl::StatusOr<TensorType> InferOutput(const Op& op, absl::Span<const InputType> inputs);

// The same for a node of a graph whose earlier values have their shapes.
absl::StatusOr<TensorType> InferNode(const Graph& graph, const Node& node);

// --- Pieces that kernels and plan compilation share ---

// The window's paddings for this input with auto_pad resolved, and the output's
// length, per spatial axis.
struct ResolvedWindow {
  std::vector<int64_t> pads_begin;
  std::vector<int64_t> pads_end;  // as ONNX says; ceil_mode may read further (see `output`)
  std::vector<int64_t> output;
};
// `input` is {N,C,spatial…}. INVALID_ARGUMENT when the window does not fit.
absl::StatusOr<ResolvedWindow> ResolveWindow(const Window& window, bool ceil_mode, const tensor::Shape& input);

// 0 <= result < rank. INVALID_ARGUMENT when -rank <= axis < rank does not hold.
absl::StatusOr<int> NormalizeAxis(int64_t axis, int rank);

// numpy's broadcasting of two shapes. INVALID_ARGUMENT when they do not match.
absl::StatusOr<tensor::Shape> BroadcastShapes(const tensor::Shape& a, const tensor::Shape& b);

// The elements of a constant int32 or int64 tensor of rank 0 or 1.
absl::StatusOr<std::vector<int64_t>> IntegerValues(const InputType& input, absl::string_view what);

// The axes that a Reduce works on, sorted, all in range.
absl::StatusOr<std::vector<int>> ReduceAxes(const Reduce& op, absl::Span<const InputType> inputs);

// Begin, step (may be negative) and count per axis of `data`.
struct SliceRange {
  int64_t begin = 0;
  int64_t step = 1;
  int64_t count = 0;
};
absl::StatusOr<std::vector<SliceRange>> SliceRanges(absl::Span<const InputType> inputs);

// Elements to add before and after each axis of `data`; negative removes.
struct PadAmount {
  int64_t begin = 0;
  int64_t end = 0;
};
absl::StatusOr<std::vector<PadAmount>> PadAmounts(absl::Span<const InputType> inputs);

// What Softmax normalises over: the middle one of {outer, length, inner}.
struct SoftmaxExtent {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;
};
absl::StatusOr<SoftmaxExtent> ResolveSoftmax(const Softmax& op, const tensor::Shape& shape);

// perm with its default filled in.
std::vector<int64_t> TransposePerm(const Transpose& op, int rank);

}  // namespace stillwave::graph
