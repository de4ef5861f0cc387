// Gemm and MatMul.
#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {

absl::Status ConvertGemm(ConvertContext& context) {
  graph::Gemm gemm;
  ASSIGN_OR_RETURN(gemm.alpha, context.attributes().Float("alpha", 1));
  ASSIGN_OR_RETURN(gemm.beta, context.attributes().Float("beta", 1));
  // As numbers: some exporters write any non-zero for true.
  ASSIGN_OR_RETURN(const int64_t transpose_a, context.attributes().Int("transA", 0));
  ASSIGN_OR_RETURN(const int64_t transpose_b, context.attributes().Int("transB", 0));
  // `broadcast` of the first opsets only allowed what numpy's rule allows anyway.
  RETURN_IF_ERROR(context.attributes().Bool("broadcast", false).status());
  gemm.transpose_a = transpose_a != 0;
  gemm.transpose_b = transpose_b != 0;
  return context.Emit(gemm);
}

absl::Status ConvertMatMul(ConvertContext& context) { return context.Emit(graph::MatMul{}); }

}  // namespace stillwave::onnx_import
