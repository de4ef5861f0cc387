#include "server/onnx/window_reader.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

using graph::AutoPad;
using graph::Window;

std::string ListText(const std::vector<int64_t>& values) {
  // Enough of a hostile list to recognise it by.
  constexpr size_t kShown = 16;
  const bool cut = values.size() > kShown;
  return absl::StrCat("[", absl::StrJoin(values.begin(), values.begin() + (cut ? kShown : values.size()), ","),
                      cut ? ",...]" : "]");
}

absl::Status CheckLength(absl::string_view name, const std::vector<int64_t>& values, size_t wanted) {
  if (values.size() == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must have ", wanted, " entries; was ", ListText(values)));
}

absl::Status CheckPositive(absl::string_view name, const std::vector<int64_t>& values) {
  for (const int64_t value : values) {
    if (value < 1 || value > kMaxWindowExtent) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " must be from 1 to ", kMaxWindowExtent, "; was ", ListText(values)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ReadPositives(const ConvertContext& context, absl::string_view name,
                                                   size_t count) {
  if (!context.attributes().Has(name)) return std::vector<int64_t>(count, 1);
  ASSIGN_OR_RETURN(std::vector<int64_t> values, context.attributes().Ints(name));
  RETURN_IF_ERROR(CheckLength(name, values, count));
  RETURN_IF_ERROR(CheckPositive(name, values));
  return values;
}

absl::StatusOr<AutoPad> ReadAutoPad(const ConvertContext& context) {
  ASSIGN_OR_RETURN(const std::string text, context.attributes().String("auto_pad", "NOTSET"));
  if (text == "NOTSET") return AutoPad::kNotSet;
  if (text == "SAME_UPPER") return AutoPad::kSameUpper;
  if (text == "SAME_LOWER") return AutoPad::kSameLower;
  if (text == "VALID") return AutoPad::kValid;
  return absl::InvalidArgumentError(
      absl::StrCat("auto_pad must be NOTSET, SAME_UPPER, SAME_LOWER or VALID; was ", Quoted(text)));
}

// `pads` lists all begins, then all ends.
absl::Status ReadPads(const ConvertContext& context, Window& window) {
  const size_t axes = window.kernel.size();
  std::vector<int64_t> pads(2 * axes, 0);
  if (context.attributes().Has("pads")) {
    ASSIGN_OR_RETURN(pads, context.attributes().Ints("pads"));
    RETURN_IF_ERROR(CheckLength("pads", pads, 2 * axes));
  }
  const auto [least, most] = std::minmax_element(pads.begin(), pads.end());
  if (*least < 0) {
    return absl::UnimplementedError(absl::StrCat("pads must not be negative (cropping); was ", ListText(pads)));
  }
  if (*most > kMaxWindowExtent) {
    return absl::InvalidArgumentError(
        absl::StrCat("pads must not exceed ", kMaxWindowExtent, "; was ", ListText(pads)));
  }
  if (*most > 0 && window.auto_pad != AutoPad::kNotSet) {
    return absl::InvalidArgumentError(absl::StrCat("pads ", ListText(pads), " must not go with auto_pad"));
  }
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  return absl::OkStatus();
}

}  // namespace

int64_t EffectiveKernel(const Window& window, size_t axis) {
  return (window.kernel[axis] - 1) * window.dilations[axis] + 1;
}

absl::StatusOr<Window> ReadWindow(const ConvertContext& context, std::vector<int64_t> kernel) {
  if (kernel.empty() || kernel.size() > tensor::kMaxRank - 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("kernel_shape must have 1 to ", tensor::kMaxRank - 2, " entries; was ", ListText(kernel)));
  }
  RETURN_IF_ERROR(CheckPositive("kernel_shape", kernel));
  Window window;
  window.kernel = std::move(kernel);
  const size_t axes = window.kernel.size();
  ASSIGN_OR_RETURN(window.strides, ReadPositives(context, "strides", axes));
  ASSIGN_OR_RETURN(window.dilations, ReadPositives(context, "dilations", axes));
  ASSIGN_OR_RETURN(window.auto_pad, ReadAutoPad(context));
  RETURN_IF_ERROR(ReadPads(context, window));
  for (size_t axis = 0; axis < axes; ++axis) {
    // Both factors are below 2^31, so the product fits.
    if (EffectiveKernel(window, axis) > kMaxWindowExtent) {
      return absl::InvalidArgumentError(absl::StrCat("kernel_shape with dilations must reach at most ",
                                                     kMaxWindowExtent, "; reaches ", EffectiveKernel(window, axis)));
    }
  }
  return window;
}

}  // namespace stillwave::onnx_import
