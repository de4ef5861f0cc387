// Where the window of a convolution, a pooling or a transposed convolution lands.
#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_inference.h"
#include "server/graph/transposed_window.h"

namespace stillwave::graph {
namespace {

// Bounds every extent, so that the arithmetic below cannot overflow int64.
constexpr int64_t kMaxExtent = int64_t{1} << 31;

absl::Status CheckRange(absl::string_view what, int64_t value, int64_t minimum) {
  if (value < minimum || value >= kMaxExtent) {
    return absl::InvalidArgumentError(absl::StrCat(what, " must be between ", minimum, " and 2^31-1; was ", value));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> SpatialRank(const tensor::Shape& input) {
  if (input.rank() < 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("the input must be N×C with one or more spatial axes; was ", input.ToString()));
  }
  return static_cast<size_t>(input.rank() - 2);
}

absl::Status CheckWindow(const Window& window, size_t spatial_rank) {
  for (const auto* list : {&window.kernel, &window.strides, &window.dilations, &window.pads_begin, &window.pads_end}) {
    if (list->size() != spatial_rank) {
      return absl::InvalidArgumentError(
          absl::StrCat("kernel_shape, strides, dilations and pads must have one entry per ", "spatial axis (",
                       spatial_rank, "); one has ", list->size()));
    }
  }
  for (size_t i = 0; i < spatial_rank; ++i) {
    RETURN_IF_ERROR(CheckRange("kernel_shape", window.kernel[i], 1));
    RETURN_IF_ERROR(CheckRange("strides", window.strides[i], 1));
    RETURN_IF_ERROR(CheckRange("dilations", window.dilations[i], 1));
    RETURN_IF_ERROR(CheckRange("pads", window.pads_begin[i], 0));
    RETURN_IF_ERROR(CheckRange("pads", window.pads_end[i], 0));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ResolvedWindow> ResolveWindow(const Window& window, bool ceil_mode, const tensor::Shape& input) {
  ASSIGN_OR_RETURN(const size_t spatial_rank, SpatialRank(input));
  RETURN_IF_ERROR(CheckWindow(window, spatial_rank));
  ResolvedWindow resolved;
  for (size_t i = 0; i < spatial_rank; ++i) {
    const int64_t length = input[static_cast<int>(i) + 2];
    RETURN_IF_ERROR(CheckRange("a spatial axis", length, 1));
    const int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const int64_t stride = window.strides[i];
    int64_t begin = window.pads_begin[i];
    int64_t end = window.pads_end[i];
    int64_t output = 0;
    if (window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower) {
      output = (length + stride - 1) / stride;
      const int64_t total = std::max<int64_t>(0, (output - 1) * stride + extent - length);
      begin = window.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
      end = total - begin;
    } else {
      const int64_t room = length + begin + end - extent;
      if (room < 0) {
        return absl::InvalidArgumentError(absl::StrCat("a kernel that spans ", extent, " does not fit into ", length,
                                                       " + padding ", begin, " + ", end));
      }
      output = room / stride + 1;
      // ceil_mode adds a last window that hangs over the end, if it starts
      // inside the input or its left padding.
      if (ceil_mode && room % stride != 0 && output * stride < length + begin) ++output;
    }
    resolved.pads_begin.push_back(begin);
    resolved.pads_end.push_back(end);
    resolved.output.push_back(output);
  }
  return resolved;
}

absl::StatusOr<ResolvedWindow> ResolveTransposedWindow(const ConvTranspose& op, const tensor::Shape& input) {
  ASSIGN_OR_RETURN(const size_t spatial_rank, SpatialRank(input));
  const Window& window = op.window;
  RETURN_IF_ERROR(CheckWindow(window, spatial_rank));
  if (op.output_padding.size() != spatial_rank ||
      (!op.output_shape.empty() && op.output_shape.size() != spatial_rank)) {
    return absl::InvalidArgumentError(
        absl::StrCat("output_padding and output_shape must have one entry per spatial axis (", spatial_rank, "); have ",
                     op.output_padding.size(), " and ", op.output_shape.size()));
  }
  ResolvedWindow resolved;
  for (size_t i = 0; i < spatial_rank; ++i) {
    const int64_t length = input[static_cast<int>(i) + 2];
    RETURN_IF_ERROR(CheckRange("a spatial axis", length, 1));
    RETURN_IF_ERROR(CheckRange("output_padding", op.output_padding[i], 0));
    const int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
    RETURN_IF_ERROR(CheckRange("a dilated kernel", extent, 1));
    const int64_t reach = (length - 1) * window.strides[i] + op.output_padding[i] + extent;
    const bool is_same = window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower;
    int64_t begin = window.pads_begin[i];
    int64_t end = window.pads_end[i];
    int64_t output = reach - begin - end;
    if (is_same || !op.output_shape.empty()) {
      output = op.output_shape.empty() ? length * window.strides[i] : op.output_shape[i];
      const int64_t total = std::max<int64_t>(0, reach - output);
      begin = window.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
      end = total - begin;
    }
    RETURN_IF_ERROR(CheckRange("a spatial axis of the output", output, 1));
    resolved.pads_begin.push_back(begin);
    resolved.pads_end.push_back(end);
    resolved.output.push_back(output);
  }
  return resolved;
}

}  // namespace stillwave::graph
