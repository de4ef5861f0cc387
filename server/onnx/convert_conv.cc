// Conv.
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"
#include "server/onnx/window_reader.h"

namespace stillwave::onnx_import {
namespace {

// kernel_shape, or the weight's spatial dimensions where it is left out (as torch's newer exporter does).
absl::StatusOr<std::vector<int64_t>> ReadKernel(const ConvertContext& context) {
  ASSIGN_OR_RETURN(std::vector<int64_t> kernel, context.attributes().Ints("kernel_shape"));
  const bool given = context.attributes().Has("kernel_shape");
  const tensor::Tensor* weight = context.ConstantInput(1);
  if (weight == nullptr) {
    if (given) return kernel;
    return absl::UnimplementedError("a Conv without kernel_shape needs a constant weight; it is computed");
  }
  // {M, C/group, kernel…}
  const tensor::Shape& shape = weight->shape();
  if (shape.rank() < 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weight must have at least 3 dimensions (M, C/group, kernel); has shape ", shape.ToString()));
  }
  if (weight->num_elements() == 0) {
    return absl::InvalidArgumentError(absl::StrCat("the weight must not be empty; has shape ", shape.ToString()));
  }
  const std::vector<int64_t> from_weight(shape.dims().begin() + 2, shape.dims().end());
  if (given && kernel != from_weight) {
    return absl::InvalidArgumentError(absl::StrCat("kernel_shape must be the weight's [",
                                                   absl::StrJoin(from_weight, ","), "]; was [",
                                                   absl::StrJoin(kernel, ","), "]"));
  }
  return from_weight;
}

}  // namespace

absl::Status ConvertConv(ConvertContext& context) {
  graph::Conv conv;
  ASSIGN_OR_RETURN(std::vector<int64_t> kernel, ReadKernel(context));
  ASSIGN_OR_RETURN(conv.window, ReadWindow(context, std::move(kernel)));
  ASSIGN_OR_RETURN(conv.group, context.attributes().Int("group", 1));
  if (conv.group < 1) return absl::InvalidArgumentError(absl::StrCat("group must be positive; was ", conv.group));
  return context.Emit(std::move(conv));
}

}  // namespace stillwave::onnx_import
