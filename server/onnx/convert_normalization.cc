// Normalizations by a sample's own statistics.
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::BinaryKind;
using graph::ReduceKind;
using graph::UnaryKind;
using graph::ValueId;

absl::StatusOr<float> Epsilon(const ConvertContext& context) {
  ASSIGN_OR_RETURN(const float epsilon, context.attributes().Float("epsilon", 1e-5F));
  if (epsilon < 0) {
    return absl::InvalidArgumentError(absl::StrCat("attribute 'epsilon' must not be negative; was ", epsilon));
  }
  return epsilon;
}

// The type in which the first stage is computed; here it is FP32 and better.
absl::Status CheckStashType(const ConvertContext& context) {
  constexpr int64_t kFloat = 1;
  ASSIGN_OR_RETURN(const int64_t stash_type, context.attributes().Int("stash_type", kFloat));
  if (stash_type == kFloat) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("attribute 'stash_type' must be 1 (FLOAT); was ", stash_type));
}

// LayerNormalization's further outputs, which no plain network reads: mean and 1/sqrt(variance + epsilon), with x's
// shape in which the normalized axes are 1. The rank is not known yet, so x is seen as {outer, inner} meanwhile.
absl::Status EmitStatistics(ConvertContext& context, int64_t axis, float epsilon) {
  const auto binary = [&](absl::string_view suffix, BinaryKind kind, ValueId a, ValueId b) {
    return context.AddNode(suffix, graph::Binary{kind}, {a, b});
  };
  const ValueId x = context.input(0);
  const ValueId inner = context.AddInt64s("inner", {1});
  const ValueId flat = context.AddNode("flat", graph::Flatten{axis}, {x});
  const ValueId mean = context.AddNode("mean", graph::Reduce{ReduceKind::kMean}, {flat, inner});
  const ValueId kept = context.AddNode("kept", graph::ShapeOf{.start = 0, .end = axis}, {x});
  const ValueId run = context.AddNode("run", graph::ShapeOf{.start = axis}, {x});
  const ValueId ones = binary("ones", BinaryKind::kMin, run, context.AddInt64s("one", {1}));
  const ValueId shape = context.AddNode("shape", graph::Concat{0}, {kept, ones});
  if (context.OutputUsed(1)) RETURN_IF_ERROR(context.EmitOutput(1, graph::Reshape{}, {mean, shape}));
  if (!context.OutputUsed(2)) return absl::OkStatus();
  const ValueId centered = binary("centered", BinaryKind::kSub, flat, mean);
  const ValueId squares = binary("squares", BinaryKind::kMul, centered, centered);
  const ValueId variance = context.AddNode("variance", graph::Reduce{ReduceKind::kMean}, {squares, inner});
  const ValueId raised = binary("raised", BinaryKind::kAdd, variance, context.AddFloatScalar("epsilon", epsilon));
  const ValueId root = context.AddNode("root", graph::Unary{UnaryKind::kSqrt}, {raised});
  const ValueId inverse = context.AddNode("inverse", graph::Unary{UnaryKind::kReciprocal}, {root});
  return context.EmitOutput(2, graph::Reshape{}, {inverse, shape});
}

}  // namespace

absl::Status ConvertInstanceNormalization(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float epsilon, Epsilon(context));
  return context.Emit(graph::InstanceNormalization{epsilon});
}

absl::Status ConvertLayerNormalization(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float epsilon, Epsilon(context));
  ASSIGN_OR_RETURN(const int64_t axis, context.attributes().Int("axis", -1));
  RETURN_IF_ERROR(CheckStashType(context));
  RETURN_IF_ERROR(context.Emit(graph::LayerNormalization{axis, epsilon}));
  if (!context.OutputUsed(1) && !context.OutputUsed(2)) return absl::OkStatus();
  return EmitStatistics(context, axis, epsilon);
}

absl::Status ConvertGroupNormalization(ConvertContext& context) {
  constexpr int64_t kAffinePerChannelSince = 21;
  ASSIGN_OR_RETURN(const float epsilon, Epsilon(context));
  if (!context.attributes().Has("num_groups")) return absl::InvalidArgumentError("attribute 'num_groups' is missing");
  ASSIGN_OR_RETURN(const int64_t groups, context.attributes().Int("num_groups", 1));
  RETURN_IF_ERROR(CheckStashType(context));
  return context.Emit(graph::GroupNormalization{groups, epsilon, context.opset() < kAffinePerChannelSince});
}

absl::Status ConvertLrn(ConvertContext& context) {
  if (!context.attributes().Has("size")) return absl::InvalidArgumentError("attribute 'size' is missing");
  graph::Lrn lrn;
  ASSIGN_OR_RETURN(lrn.size, context.attributes().Int("size", 1));
  ASSIGN_OR_RETURN(lrn.alpha, context.attributes().Float("alpha", lrn.alpha));
  ASSIGN_OR_RETURN(lrn.beta, context.attributes().Float("beta", lrn.beta));
  ASSIGN_OR_RETURN(lrn.bias, context.attributes().Float("bias", lrn.bias));
  return context.Emit(lrn);
}

// (x - mean) / (sqrt(variance) + 1e-9) over the given axes, as ONNX defines it.
absl::Status ConvertMeanVarianceNormalization(ConvertContext& context) {
  std::vector<int64_t> wanted = {0, 2, 3};
  if (context.attributes().Has("axes")) {
    ASSIGN_OR_RETURN(wanted, context.attributes().Ints("axes"));
  }
  const ValueId x = context.input(0);
  const ValueId axes = context.AddInt64s("axes", wanted);
  const ValueId mean = context.AddNode("mean", graph::Reduce{ReduceKind::kMean}, {x, axes});
  const ValueId centered = context.AddNode("centered", graph::Binary{BinaryKind::kSub}, {x, mean});
  const ValueId squares = context.AddNode("squares", graph::Binary{BinaryKind::kMul}, {centered, centered});
  const ValueId variance = context.AddNode("variance", graph::Reduce{ReduceKind::kMean}, {squares, axes});
  const ValueId deviation = context.AddNode("deviation", graph::Unary{UnaryKind::kSqrt}, {variance});
  const ValueId divisor = context.AddNode("divisor", graph::Binary{BinaryKind::kAdd},
                                          {deviation, context.AddFloatScalar("epsilon", 1e-9F)});
  return context.Emit(graph::Binary{BinaryKind::kDiv}, {centered, divisor});
}

// x / norm along one axis; where all is 0 it stays 0.
absl::Status ConvertLpNormalization(ConvertContext& context) {
  ASSIGN_OR_RETURN(const int64_t axis, context.attributes().Int("axis", -1));
  ASSIGN_OR_RETURN(const int64_t p, context.attributes().Int("p", 2));
  if (p != 1 && p != 2) return absl::InvalidArgumentError(absl::StrCat("attribute 'p' must be 1 or 2; was ", p));
  const ValueId x = context.input(0);
  const ValueId norm = context.AddNode("norm", graph::Reduce{p == 1 ? ReduceKind::kL1 : ReduceKind::kL2},
                                       {x, context.AddInt64s("axes", {axis})});
  const ValueId is_zero =
      context.AddNode("is_zero", graph::Binary{BinaryKind::kEqual}, {norm, context.AddFloatScalar("zero", 0)});
  const ValueId divisor = context.AddNode("divisor", graph::Where{}, {is_zero, context.AddFloatScalar("one", 1), norm});
  return context.Emit(graph::Binary{BinaryKind::kDiv}, {x, divisor});
}

}  // namespace stillwave::onnx_import
