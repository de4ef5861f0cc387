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

// rearrange.cc
absl::StatusOr<Kernel> MakeSplitPart(const graph::SplitPart& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeTile(Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeDepthToSpace(const graph::DepthToSpace& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeInterleave(const graph::Interleave& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeSpaceToDepth(const graph::SpaceToDepth& op, Inputs inputs, const Output& output);

// resize.cc
absl::StatusOr<Kernel> MakeResize(const graph::Resize& op, Inputs inputs, const Output& output);

// pad.cc
absl::StatusOr<Kernel> MakePad(const graph::Pad& op, Inputs inputs, const Output& output);

// gather.cc
absl::StatusOr<Kernel> MakeGather(const graph::Gather& op, Inputs inputs, const Output& output);

// shape_values.cc
absl::StatusOr<Kernel> MakeShapeOf(const graph::ShapeOf& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeSizeOf(Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeRange(Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeConstantOfShape(const graph::ConstantOfShape& op, Inputs inputs, const Output& output);

// cast.cc
absl::StatusOr<Kernel> MakeCast(tensor::DataType to, Inputs inputs, const Output& output);

// unary.cc
absl::StatusOr<Kernel> MakeUnary(const graph::Unary& op, Inputs inputs, const Output& output);

// binary.cc
absl::StatusOr<Kernel> MakeBinary(const graph::Binary& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeWhere(Inputs inputs, const Output& output);

// softmax.cc
absl::StatusOr<Kernel> MakeSoftmax(const graph::Softmax& op, Inputs inputs, const Output& output);

// normalization.cc
absl::StatusOr<Kernel> MakeInstanceNormalization(const graph::InstanceNormalization& op, Inputs inputs,
                                                 const Output& output);
absl::StatusOr<Kernel> MakeLayerNormalization(const graph::LayerNormalization& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeGroupNormalization(const graph::GroupNormalization& op, Inputs inputs, const Output& output);

// lrn.cc
absl::StatusOr<Kernel> MakeLrn(const graph::Lrn& op, Inputs inputs, const Output& output);

// reduce.cc
absl::StatusOr<Kernel> MakeReduce(const graph::Reduce& op, Inputs inputs, const Output& output);

// convolution.cc
absl::StatusOr<Kernel> MakeConv(const graph::Conv& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeConvTranspose(const graph::ConvTranspose& op, Inputs inputs, const Output& output);

// pooling.cc
absl::StatusOr<Kernel> MakePool(const graph::Pool& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeMaxPoolIndices(const graph::MaxPoolIndices& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeGlobalPool(const graph::GlobalPool& op, Inputs inputs, const Output& output);

// linear.cc
absl::StatusOr<Kernel> MakeGemm(const graph::Gemm& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeMatMul(Inputs inputs, const Output& output);

// batch_normalization.cc
absl::StatusOr<Kernel> MakeBatchNormalization(const graph::BatchNormalization& op, Inputs inputs, const Output& output);
// along_axis.cc
absl::StatusOr<Kernel> MakeArgReduce(const graph::ArgReduce& op, Inputs inputs, const Output& output);
absl::StatusOr<Kernel> MakeCumSum(const graph::CumSum& op, Inputs inputs, const Output& output);

}  // namespace stillwave::kernels
