// The operators of the reference interpreter, by overload on their attributes. `inputs` holds null where an optional
// input is left out; required ones are there. Each computes its own output shape.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/graph/op.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::test_support {

using RefInputs = absl::Span<const RefTensor* const>;

// reference_window_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::Conv& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::ConvTranspose& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Pool& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::MaxPoolIndices& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::GlobalPool& op, RefInputs inputs);
// reference_math_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::BatchNormalization& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Gemm& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::MatMul& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Softmax& op, RefInputs inputs);
// reference_reduce_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::Reduce& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::ArgReduce& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::CumSum& op, RefInputs inputs);
// reference_normalization_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::InstanceNormalization& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::LayerNormalization& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::GroupNormalization& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Lrn& op, RefInputs inputs);
// reference_unary_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::Unary& op, RefInputs inputs);
// reference_binary_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::Binary& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Where& op, RefInputs inputs);
// reference_cast_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::Cast& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::CastLike& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Identity& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Dropout& op, RefInputs inputs);
// reference_shape_ops.cc: the same elements under another shape, and shapes as elements
absl::StatusOr<RefTensor> Evaluate(const graph::Reshape& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Flatten& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Squeeze& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Unsqueeze& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::ShapeOf& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::ConstantOfShape& op, RefInputs inputs);
// reference_movement_ops.cc: each output element is a copy of some input element
absl::StatusOr<RefTensor> Evaluate(const graph::Concat& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Transpose& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Pad& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Slice& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Gather& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Expand& op, RefInputs inputs);
// reference_rearrange_ops.cc
absl::StatusOr<RefTensor> Evaluate(const graph::SplitPart& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Tile& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::DepthToSpace& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::SpaceToDepth& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Interleave& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::SizeOf& op, RefInputs inputs);
absl::StatusOr<RefTensor> Evaluate(const graph::Range& op, RefInputs inputs);
// reference_resize_op.cc
absl::StatusOr<RefTensor> Evaluate(const graph::Resize& op, RefInputs inputs);

// --- What the families share: coordinates, axes and integer inputs ---

using Coordinates = std::vector<int64_t>;

// Steps to the next coordinates in row-major order. False after the last, when `at` is all zeros again.
bool NextCoordinates(const tensor::Shape& shape, Coordinates& at);

// The row-major position of `at`. REQUIRES: 0 <= at[i] < shape[i].
size_t PositionOf(const tensor::Shape& shape, const Coordinates& at);

// The shape that two broadcast to (numpy): INVALID_ARGUMENT when there is none.
absl::StatusOr<tensor::Shape> Broadcast(const tensor::Shape& a, const tensor::Shape& b);

// Where the element at `at` of the broadcast shape comes from in a tensor of shape `from`.
size_t BroadcastPosition(const tensor::Shape& from, const Coordinates& at);

// `axis` counted from the front. INVALID_ARGUMENT when it is not within [-rank, rank).
absl::StatusOr<int> AxisFromFront(int64_t axis, int rank);

// The elements of input `index` when it is given; INVALID_ARGUMENT when they are no integers.
// REQUIRES: the input is given.
absl::StatusOr<std::vector<int64_t>> IntegersOf(RefInputs inputs, size_t index, absl::string_view name);

// Whether an optional input is given.
inline bool Given(RefInputs inputs, size_t index) { return index < inputs.size() && inputs[index] != nullptr; }

// Copies element `source` of `from` to element `target` of `to`. REQUIRES: equal types.
void CopyElement(const RefTensor& from, size_t source, RefTensor& to, size_t target);

// INVALID_ARGUMENT unless all given inputs are real.
absl::Status RequireReal(RefInputs inputs);

}  // namespace stillwave::test_support
