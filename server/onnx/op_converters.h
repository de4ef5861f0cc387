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
absl::Status ConvertBatchNormalization(ConvertContext& context);
absl::Status ConvertMaxPool(ConvertContext& context);
absl::Status ConvertAveragePool(ConvertContext& context);
absl::Status ConvertGlobalAveragePool(ConvertContext& context);
absl::Status ConvertGlobalMaxPool(ConvertContext& context);
absl::Status ConvertGemm(ConvertContext& context);
absl::Status ConvertMatMul(ConvertContext& context);
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
absl::Status ConvertSoftmax(ConvertContext& context);
absl::Status ConvertLogSoftmax(ConvertContext& context);
absl::Status ConvertReduceMean(ConvertContext& context);
absl::Status ConvertReduceSum(ConvertContext& context);
absl::Status ConvertReduceMax(ConvertContext& context);
absl::Status ConvertConcat(ConvertContext& context);
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
absl::Status ConvertShape(ConvertContext& context);
absl::Status ConvertConstantOfShape(ConvertContext& context);
absl::Status ConvertConstant(ConvertContext& context);
absl::Status ConvertIdentity(ConvertContext& context);
absl::Status ConvertDropout(ConvertContext& context);

}  // namespace stillwave::onnx_import
