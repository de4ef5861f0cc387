// BatchNormalization, in its inference form only.
//
// Which form a node means is spelled three ways: opset 14 and later by training_mode; before that by the number of
// outputs (one: inference; more: training); before opset 7 by is_test as well, which means training where it is left
// out. The parameters' values are checked later, in frozen_check.
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

absl::Status TrainingError(absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat(what,
                   ", so it would normalize by the statistics of each request: call `model.eval()` before "
                   "torch.onnx.export, and keep track_running_stats=True"));
}

}  // namespace

absl::Status ConvertBatchNormalization(ConvertContext& context) {
  ASSIGN_OR_RETURN(const bool training, context.attributes().Bool("training_mode", false));
  if (training) return TrainingError("training_mode is 1");
  ASSIGN_OR_RETURN(const bool is_test, context.attributes().Bool("is_test", false));
  if (context.opset() < 7 && !is_test) return TrainingError("is_test is 0");
  for (size_t i = 1; i < 5; ++i) {
    if (context.OutputNamed(i)) return TrainingError("it has outputs beside Y, which is the training form");
  }
  ASSIGN_OR_RETURN(const bool spatial, context.attributes().Bool("spatial", true));
  if (!spatial) return absl::UnimplementedError("spatial must be 1 (statistics per channel); was 0");
  graph::BatchNormalization norm;
  ASSIGN_OR_RETURN(norm.epsilon, context.attributes().Float("epsilon", 1e-5F));
  // Only training uses momentum; its type is checked all the same.
  RETURN_IF_ERROR(context.attributes().Float("momentum", 0.9F).status());
  return context.Emit(norm);
}

}  // namespace stillwave::onnx_import
