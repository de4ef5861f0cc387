// The table of all operators that can be imported. One row for each range of opsets in which an operator's attributes
// and inputs are spelled alike; docs/operators.md is made from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/onnx/convert_context.h"

namespace stillwave::onnx_import {

using Converter = absl::Status (*)(ConvertContext& context);

struct OpConverter {
  absl::string_view name;
  int64_t first_opset;  // inclusive, as is last_opset
  int64_t last_opset;
  int min_inputs;   // these must be there
  int max_inputs;   // kMaxNodeInputs: any number
  int max_outputs;  // that ONNX defines; the converter refuses those beyond the first where they are used
  absl::Span<const absl::string_view> attributes;
  Converter convert;
};

// Sorted by name, then by opset.
absl::Span<const OpConverter> OpConverters();

// The row of an operator at an opset; null when there is none.
const OpConverter* FindOpConverter(absl::string_view op_type, int64_t opset);

// Why there is no row: the opsets at which the operator is known, or names like it. `domain` is empty for ONNX's own.
std::string DescribeUnknownOp(absl::string_view op_type, absl::string_view domain, int64_t opset);

// One family of operators each: convert_<family>.cc.
absl::Status ConvertConv(ConvertContext& context);
absl::Status ConvertConvTranspose(ConvertContext& context);
absl::Status ConvertBatchNormalization(ConvertContext& context);
absl::Status ConvertMaxPool(ConvertContext& context);
absl::Status ConvertAveragePool(ConvertContext& context);
absl::Status ConvertLpPool(ConvertContext& context);
absl::Status ConvertGlobalAveragePool(ConvertContext& context);
absl::Status ConvertGlobalMaxPool(ConvertContext& context);
absl::Status ConvertGlobalLpPool(ConvertContext& context);
absl::Status ConvertGemm(ConvertContext& context);
absl::Status ConvertMatMul(ConvertContext& context);
absl::Status ConvertLegacyAdd(ConvertContext& context);
absl::Status ConvertLegacySub(ConvertContext& context);
absl::Status ConvertLegacyMul(ConvertContext& context);
absl::Status ConvertLegacyDiv(ConvertContext& context);
absl::Status ConvertLegacyPow(ConvertContext& context);
absl::Status ConvertLegacyPRelu(ConvertContext& context);
absl::Status ConvertRelu(ConvertContext& context);
absl::Status ConvertLeakyRelu(ConvertContext& context);
absl::Status ConvertElu(ConvertContext& context);
absl::Status ConvertSigmoid(ConvertContext& context);
absl::Status ConvertTanh(ConvertContext& context);
absl::Status ConvertAbs(ConvertContext& context);
absl::Status ConvertExp(ConvertContext& context);
absl::Status ConvertLog(ConvertContext& context);
absl::Status ConvertNeg(ConvertContext& context);
absl::Status ConvertSqrt(ConvertContext& context);
absl::Status ConvertAdd(ConvertContext& context);
absl::Status ConvertSub(ConvertContext& context);
absl::Status ConvertMul(ConvertContext& context);
absl::Status ConvertDiv(ConvertContext& context);
absl::Status ConvertPow(ConvertContext& context);
absl::Status ConvertPRelu(ConvertContext& context);
absl::Status ConvertMod(ConvertContext& context);
absl::Status ConvertSum(ConvertContext& context);
absl::Status ConvertMean(ConvertContext& context);
absl::Status ConvertMin(ConvertContext& context);
absl::Status ConvertMax(ConvertContext& context);
absl::Status ConvertClip6(ConvertContext& context);
absl::Status ConvertClip11(ConvertContext& context);
absl::Status ConvertSelu(ConvertContext& context);
absl::Status ConvertCelu(ConvertContext& context);
absl::Status ConvertHardSigmoid(ConvertContext& context);
absl::Status ConvertThresholdedRelu(ConvertContext& context);
absl::Status ConvertSwish(ConvertContext& context);
absl::Status ConvertGelu(ConvertContext& context);
absl::Status ConvertShrink(ConvertContext& context);
absl::Status ConvertInstanceNormalization(ConvertContext& context);
absl::Status ConvertLayerNormalization(ConvertContext& context);
absl::Status ConvertGroupNormalization(ConvertContext& context);
absl::Status ConvertLrn(ConvertContext& context);
absl::Status ConvertMeanVarianceNormalization(ConvertContext& context);
absl::Status ConvertLpNormalization(ConvertContext& context);
absl::Status ConvertHardmax(ConvertContext& context);
absl::Status ConvertArgMax(ConvertContext& context);
absl::Status ConvertArgMin(ConvertContext& context);
absl::Status ConvertCumSum(ConvertContext& context);
absl::Status ConvertSoftmax(ConvertContext& context);
absl::Status ConvertLogSoftmax(ConvertContext& context);
absl::Status ConvertReduceMean(ConvertContext& context);
absl::Status ConvertReduceSum(ConvertContext& context);
absl::Status ConvertReduceMax(ConvertContext& context);
absl::Status ConvertConcat(ConvertContext& context);
absl::Status ConvertSplit(ConvertContext& context);
absl::Status ConvertTile(ConvertContext& context);
absl::Status ConvertDepthToSpace(ConvertContext& context);
absl::Status ConvertSpaceToDepth(ConvertContext& context);
absl::Status ConvertResize(ConvertContext& context);
absl::Status ConvertUpsample(ConvertContext& context);
absl::Status ConvertReshape(ConvertContext& context);
absl::Status ConvertFlatten(ConvertContext& context);
absl::Status ConvertSqueeze(ConvertContext& context);
absl::Status ConvertUnsqueeze(ConvertContext& context);
absl::Status ConvertTranspose(ConvertContext& context);
absl::Status ConvertExpand(ConvertContext& context);
absl::Status ConvertPad(ConvertContext& context);
absl::Status ConvertSlice(ConvertContext& context);
absl::Status ConvertGather(ConvertContext& context);
absl::Status ConvertCast(ConvertContext& context);
absl::Status ConvertCastLike(ConvertContext& context);
absl::Status ConvertShape(ConvertContext& context);
absl::Status ConvertSize(ConvertContext& context);
absl::Status ConvertRange(ConvertContext& context);
absl::Status ConvertConstantOfShape(ConvertContext& context);
absl::Status ConvertConstant(ConvertContext& context);
absl::Status ConvertIdentity(ConvertContext& context);
absl::Status ConvertDropout(ConvertContext& context);

// Operators that are one kind of a family and have no attributes (Reduce: all of them have the same).
template <graph::UnaryKind kKind>
absl::Status ConvertUnary(ConvertContext& context) {
  return context.Emit(graph::Unary{kKind});
}
template <graph::BinaryKind kKind>
absl::Status ConvertBinary(ConvertContext& context) {
  return context.Emit(graph::Binary{kKind});
}
absl::Status ConvertReduceKind(ConvertContext& context, graph::ReduceKind kind);
template <graph::ReduceKind kKind>
absl::Status ConvertReduce(ConvertContext& context) {
  return ConvertReduceKind(context, kKind);
}
template <typename OpType>
absl::Status ConvertPlain(ConvertContext& context) {
  return context.Emit(OpType{});
}

}  // namespace stillwave::onnx_import
