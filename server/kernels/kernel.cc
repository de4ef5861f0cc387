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
  Result operator()(const graph::Cast& op) const { return MakeCast(op, inputs, output); }
  Result operator()(const graph::Binary& op) const { return MakeBinary(op, inputs, output); }
  Result operator()(const graph::Reduce& op) const { return MakeReduce(op, inputs, output); }
  Result operator()(const graph::Reshape&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Flatten&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Squeeze&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Unsqueeze&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Identity&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Dropout&) const { return MakeCopy(inputs, output); }
  Result operator()(const graph::Unary& op) const {
    return op.kind == graph::UnaryKind::kLog ? MakeLog(inputs, output) : None(op);
  }
  Result operator()(const graph::Softmax& op) const { return op.log ? MakeLogSoftmax(op, inputs, output) : None(op); }
  Result operator()(const auto& op) const { return None(op); }

  static Result None(const graph::Op& op) {
    return absl::UnimplementedError(absl::StrCat("no plain kernel for ", graph::OpName(op)));
  }
};

}  // namespace

bool HasKernel(const graph::Op& op) {
  if (const auto* unary = std::get_if<graph::Unary>(&op)) return unary->kind == graph::UnaryKind::kLog;
  if (const auto* softmax = std::get_if<graph::Softmax>(&op)) return softmax->log;
  return !(std::holds_alternative<graph::Conv>(op) || std::holds_alternative<graph::BatchNormalization>(op) ||
           std::holds_alternative<graph::Pool>(op) || std::holds_alternative<graph::GlobalPool>(op) ||
           std::holds_alternative<graph::Gemm>(op) || std::holds_alternative<graph::MatMul>(op));
}

absl::StatusOr<Kernel> MakeKernel(const graph::Op& op, Inputs inputs, const Output& output) {
  return std::visit(Maker{inputs, output}, op);
}

}  // namespace stillwave::kernels
