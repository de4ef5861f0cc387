// Operators whose output is their input at inference: Identity and Dropout.
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

constexpr absl::string_view kCure = ": call `model.eval()` before torch.onnx.export";

// Left out means inference. Before opset 12 the operator had no such input: from opset 7 on it always meant inference.
absl::Status CheckTrainingInput(const ConvertContext& context) {
  if (context.input(2) == graph::kNoValue) return absl::OkStatus();
  const tensor::Tensor* training = context.ConstantInput(2);
  if (training == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("training_mode is not constant, so dropout could be turned on", kCure));
  }
  if (training->data_type() != tensor::DataType::kBool || training->num_elements() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "training_mode must be one BOOL; is ", tensor::Name(training->data_type()), " ", training->shape().ToString()));
  }
  if (*static_cast<const bool*>(training->data())) {
    return absl::FailedPreconditionError(absl::StrCat("training_mode is true, so the output would be random", kCure));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ConvertIdentity(ConvertContext& context) { return context.Emit(graph::Identity{}); }

absl::Status ConvertDropout(ConvertContext& context) {
  if (context.OutputUsed(1)) {
    return absl::FailedPreconditionError(
        absl::StrCat("its mask output is used, which only training has a use for", kCure));
  }
  RETURN_IF_ERROR(CheckTrainingInput(context));
  ASSIGN_OR_RETURN(const bool is_test, context.attributes().Bool("is_test", false));
  if (context.opset() < 7 && !is_test) {
    return absl::FailedPreconditionError(absl::StrCat("is_test is 0, so the output would be random", kCure));
  }
  ASSIGN_OR_RETURN([[maybe_unused]] const float ratio, context.attributes().Float("ratio", 0.5F));
  ASSIGN_OR_RETURN([[maybe_unused]] const int64_t seed, context.attributes().Int("seed", 0));
  return context.Emit(graph::Dropout{}, {context.input(0)});
}

}  // namespace stillwave::onnx_import
