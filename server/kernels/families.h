// The kernels, by family. Internal to this folder: callers use kernel.h.
#pragma once

#include "server/kernels/kernel.h"

namespace stillwave::kernels {

using Inputs = absl::Span<const graph::InputType>;
using Output = graph::TensorType;

// movement.cc
absl::StatusOr<Kernel> MakeConcat(const graph::Concat& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeTranspose(const graph::Transpose& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeSlice(Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeExpand(Inputs inputs, const Output& output);
// Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout: the same elements in the same order.
absl::StatusOr<Kernel> MakeCopy(Inputs inputs, const Output& output);

// pad.cc
absl::StatusOr<Kernel> MakePad(const graph::Pad& op, Inputs inputs, const Output& output);

// gather.cc
absl::StatusOr<Kernel> MakeGather(const graph::Gather& op, Inputs inputs, const Output& output);

// shape_values.cc
absl::StatusOr<Kernel> MakeShapeOf(const graph::ShapeOf& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeConstantOfShape(const graph::ConstantOfShape& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeCast(const graph::Cast& op, Inputs inputs, const Output& output);

// logarithm.cc
absl::StatusOr<Kernel> MakeLog(Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeLogSoftmax(const graph::Softmax& op, Inputs inputs, const Output& output);

// binary.cc
absl::StatusOr<Kernel> MakeBinary(const graph::Binary& op, Inputs inputs, const Output& output);

// reduce.cc
absl::StatusOr<Kernel> MakeReduce(const graph::Reduce& op, Inputs inputs, const Output& output);

}  // namespace stillwave::kernels
