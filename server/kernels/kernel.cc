#include "server/kernels/kernel.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {
namespace {

struct Maker {
  Inputs inputs;
  const Output& output;

  using Result = absl::StatusOr<Kernel>;
  Result operator()(const graph::Concat& op) const { return MakeConcat(op, inputs, output); }
  Result operator()(const graph::Transpose& op) const { return MakeTranspose(op, inputs, output); }
  Result operator()(const graph::Slice&) const { return MakeSlice(inputs, output); }
  Result operator()(const graph::Expand&) const { return MakeExpand(inputs, output); }
  Result operator()(const graph::Pad& op) const { return MakePad(op, inputs, output); }
  Result operator()(const graph::Gather& op) const { return MakeGather(op, inputs, output); }
  Result operator()(const graph::ShapeOf& op) const { return MakeShapeOf(op, inputs, output); }
  Result operator()(const graph::ConstantOfShape& op) const { return MakeConstantOfShape(op, inputs, output); }
  Result operator()(const graph::Cast& op) const { return MakeCast(op.to, inputs, output); }
  Result operator()(const graph::CastLike&) const { return MakeCast(output.data_type, inputs, output); }
  Result operator()(const graph::Unary& op) const { return MakeUnary(op, inputs, output); }
  Result operator()(const graph::Binary& op) const { return MakeBinary(op, inputs, output); }
  Result operator()(const graph::Where&) const { return MakeWhere(inputs, output); }
  Result operator()(const graph::Softmax& op) const { return MakeSoftmax(op, inputs, output); }
  Result operator()(const graph::InstanceNormalization& op) const {
    return MakeInstanceNormalization(op, inputs, output);
  }
  Result operator()(const graph::LayerNormalization& op) const { return MakeLayerNormalization(op, inputs, output); }
  Result operator()(const graph::GroupNormalization& op) const { return MakeGroupNormalization(op, inputs, output); }
  Result operator()(const graph::Lrn& op) const { return MakeLrn(op, inputs, output); }
  Result operator()(const graph::Reduce& op) const { return MakeReduce(op, inputs, output); }
  Result operator()(const graph::SplitPart& op) const { return MakeSplitPart(op, inputs, output); }
  Result operator()(const graph::Tile&) const { return MakeTile(inputs, output); }
  Result operator()(const graph::DepthToSpace& op) const { return MakeDepthToSpace(op, inputs, output); }
  Result operator()(const graph::SpaceToDepth& op) const { return MakeSpaceToDepth(op, inputs, output); }
  Result operator()(const graph::Interleave& op) const { return MakeInterleave(op, inputs, output); }
  Result operator()(const graph::Resize& op) const { return MakeResize(op, inputs, output); }
  Result operator()(const graph::SizeOf&) const { return MakeSizeOf(inputs, output); }
  Result operator()(const graph::Range&) const { return MakeRange(inputs, output); }
  Result operator()(const graph::Conv& op) const { return MakeConv(op, inputs, output); }
  Result operator()(const graph::ConvTranspose& op) const { return MakeConvTranspose(op, inputs, output); }
  Result operator()(const graph::Pool& op) const { return MakePool(op, inputs, output); }
  Result operator()(const graph::MaxPoolIndices& op) const { return MakeMaxPoolIndices(op, inputs, output); }
  Result operator()(const graph::GlobalPool& op) const { return MakeGlobalPool(op, inputs, output); }
  Result operator()(const graph::Gemm& op) const { return MakeGemm(op, inputs, output); }
  Result operator()(const graph::MatMul&) const { return MakeMatMul(inputs, output); }
  Result operator()(const graph::BatchNormalization& op) const { return MakeBatchNormalization(op, inputs, output); }
  Result operator()(const graph::ArgReduce& op) const { return MakeArgReduce(op, inputs, output); }
  Result operator()(const graph::CumSum& op) const { return MakeCumSum(op, inputs, output); }
  Result operator()(const graph::Reshape&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Flatten&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Squeeze&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Unsqueeze&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Identity&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Dropout&) const { return MakeCopy(inputs, output); }
};

}  // namespace

absl::StatusOr<Kernel> MakeKernel(const graph::Op& op, Inputs inputs, const Output& output) {
  return std::visit(Maker{inputs, output}, op);
}

}  // namespace stillwave::kernels
