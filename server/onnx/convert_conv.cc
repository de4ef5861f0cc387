// Conv and ConvTranspose.
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/onnx/limits.h"
#include "server/onnx/op_converters.h"
#include "server/onnx/window_reader.h"

namespace stillwave::onnx_import {
namespace {

// kernel_shape, or the weight's spatial dimensions where it is left out (as torch's newer exporter does).
absl::StatusOr<std::vector<int64_t>> ReadKernel(const ConvertContext& context) {
  ASSIGN_OR_RETURN(std::vector<int64_t> kernel, context.attributes().Ints("kernel_shape"));
  const bool given = context.attributes().Has("kernel_shape");
  const tensor::Shape* weight = context.DeclaredShape(1);
  if (weight == nullptr) {
    if (given) return kernel;
    return absl::UnimplementedError("kernel_shape is left out, so the weight must be a constant; it is computed");
  }
  // {M, C/group, kernel…}, or {C, M/group, kernel…} of a transposed convolution.
  if (weight->rank() < 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the weight must have at least 3 dimensions (channels, channels, kernel); has shape ", weight->ToString()));
  }
  for (const int64_t dim : weight->dims()) {
    if (dim == tensor::kDynamicDim) return kernel;
    if (dim == 0) {
      return absl::InvalidArgumentError(absl::StrCat("the weight must not be empty; has shape ", weight->ToString()));
    }
  }
  const std::vector<int64_t> from_weight(weight->dims().begin() + 2, weight->dims().end());
  if (given && kernel != from_weight) {
    return absl::InvalidArgumentError(absl::StrCat("kernel_shape must be the weight's [",
                                                   absl::StrJoin(from_weight, ","), "]; was [",
                                                   absl::StrJoin(kernel, ","), "]"));
  }
  return from_weight;
}

absl::StatusOr<int64_t> ReadGroup(const ConvertContext& context) {
  ASSIGN_OR_RETURN(const int64_t group, context.attributes().Int("group", 1));
  if (group < 1) return absl::InvalidArgumentError(absl::StrCat("group must be positive; was ", group));
  return group;
}

// One entry from 0 to kMaxWindowExtent for each spatial axis.
absl::StatusOr<std::vector<int64_t>> ReadLengths(const ConvertContext& context, absl::string_view name, size_t axes) {
  ASSIGN_OR_RETURN(std::vector<int64_t> values, context.attributes().Ints(name));
  if (values.size() != axes) {
    return absl::InvalidArgumentError(absl::StrCat(name, " must have ", axes, " entries; has ", values.size()));
  }
  for (const int64_t value : values) {
    if (value < 0 || value > kMaxWindowExtent) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " must be from 0 to ", kMaxWindowExtent, "; one is ", value));
    }
  }
  return values;
}

}  // namespace

absl::Status ConvertConv(ConvertContext& context) {
  graph::Conv conv;
  ASSIGN_OR_RETURN(std::vector<int64_t> kernel, ReadKernel(context));
  ASSIGN_OR_RETURN(conv.window, ReadWindow(context, std::move(kernel)));
  ASSIGN_OR_RETURN(conv.group, ReadGroup(context));
  return context.Emit(std::move(conv));
}

absl::Status ConvertConvTranspose(ConvertContext& context) {
  graph::ConvTranspose conv;
  ASSIGN_OR_RETURN(std::vector<int64_t> kernel, ReadKernel(context));
  ASSIGN_OR_RETURN(conv.window, ReadWindow(context, std::move(kernel)));
  ASSIGN_OR_RETURN(conv.group, ReadGroup(context));
  const size_t axes = conv.window.kernel.size();
  conv.output_padding.assign(axes, 0);
  if (context.attributes().Has("output_padding")) {
    ASSIGN_OR_RETURN(conv.output_padding, ReadLengths(context, "output_padding", axes));
  }
  if (context.attributes().Has("output_shape")) {
    ASSIGN_OR_RETURN(conv.output_shape, ReadLengths(context, "output_shape", axes));
  }
  return context.Emit(std::move(conv));
}

}  // namespace stillwave::onnx_import
