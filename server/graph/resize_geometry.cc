#include "server/graph/resize_geometry.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::graph {
namespace {

using Inputs = absl::Span<const InputType>;

constexpr size_t kRoi = 1;
constexpr size_t kScales = 2;
constexpr size_t kSizes = 3;

constexpr double kMaxLength = static_cast<double>(int64_t{1} << 31);

bool IsGiven(Inputs inputs, size_t index) {
  return index < inputs.size() && inputs[index].present && inputs[index].shape != tensor::Shape({0});
}

absl::StatusOr<std::vector<float>> FloatValues(const InputType& input, absl::string_view what, size_t count) {
  if (input.constant == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(what, " must be known from the weights and the input shapes; it depends on the input's values"));
  }
  if (input.data_type != tensor::DataType::kFloat32) {
    return absl::UnimplementedError(absl::StrCat(what, " must be FP32; is ", tensor::Name(input.data_type)));
  }
  const absl::Span<const float> values = input.constant->values<float>();
  if (values.size() != count) {
    return absl::InvalidArgumentError(absl::StrCat(what, " must have ", count, " entries; has ", values.size()));
  }
  return std::vector<float>(values.begin(), values.end());
}

// The axes that the inputs speak of, in their order.
absl::StatusOr<std::vector<size_t>> NamedAxes(const Resize& op, int rank) {
  std::vector<size_t> axes;
  if (op.axes.empty()) {
    for (int axis = 0; axis < rank; ++axis) axes.push_back(static_cast<size_t>(axis));
    return axes;
  }
  for (const int64_t value : op.axes) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(value, rank));
    if (std::find(axes.begin(), axes.end(), static_cast<size_t>(axis)) != axes.end()) {
      return absl::InvalidArgumentError(absl::StrCat("axes must differ; ", axis, " stands twice"));
    }
    axes.push_back(static_cast<size_t>(axis));
  }
  return axes;
}

absl::Status SetLength(double length, ResizedAxis& axis) {
  // Negated, so that a NaN fails too.
  if (!(length >= 0 && length < kMaxLength)) {
    return absl::InvalidArgumentError(absl::StrCat("an axis of ", axis.input, " elements must not become ", length));
  }
  if (length >= 1 && axis.input == 0) return absl::InvalidArgumentError("cannot resize an empty axis");
  axis.output = static_cast<int64_t>(length);
  return absl::OkStatus();
}

absl::Status ApplyScales(const Resize& op, const std::vector<float>& scales, const std::vector<size_t>& named,
                         std::vector<ResizedAxis>& axes) {
  for (size_t i = 0; i < named.size(); ++i) {
    ResizedAxis& axis = axes[named[i]];
    if (!(scales[i] > 0) || !std::isfinite(scales[i])) {
      return absl::InvalidArgumentError(absl::StrCat("scales must be positive and finite; one is ", scales[i]));
    }
    axis.scale = static_cast<double>(scales[i]);
    // In float, as exporters and runtimes multiply: 10 * 0.7 must be 7, which it is not quite in double.
    const float extent = static_cast<float>(axis.input) * static_cast<float>(axis.roi_end - axis.roi_begin);
    const bool crops = op.coordinates == CoordinateMode::kTfCropAndResize;
    RETURN_IF_ERROR(SetLength(std::floor((crops ? extent : static_cast<float>(axis.input)) * scales[i]), axis));
  }
  return absl::OkStatus();
}

absl::Status ApplySizes(const Resize& op, const std::vector<int64_t>& sizes, const std::vector<size_t>& named,
                        std::vector<ResizedAxis>& axes) {
  if (sizes.size() != named.size()) {
    return absl::InvalidArgumentError(absl::StrCat("sizes must have ", named.size(), " entries; has ", sizes.size()));
  }
  double least = kMaxLength;
  double most = 0;
  for (size_t i = 0; i < named.size(); ++i) {
    ResizedAxis& axis = axes[named[i]];
    RETURN_IF_ERROR(SetLength(static_cast<double>(sizes[i]), axis));
    axis.scale = axis.input == 0 ? 1 : static_cast<double>(sizes[i]) / static_cast<double>(axis.input);
    least = std::min(least, axis.scale);
    most = std::max(most, axis.scale);
  }
  if (op.aspect == AspectPolicy::kStretch) return absl::OkStatus();
  const double scale = op.aspect == AspectPolicy::kNotLarger ? least : most;
  for (const size_t i : named) {
    axes[i].scale = scale;
    RETURN_IF_ERROR(SetLength(std::floor(scale * static_cast<double>(axes[i].input) + 0.5), axes[i]));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ResizedAxis>> ResolveResize(const Resize& op, Inputs inputs) {
  const tensor::Shape& x = inputs[0].shape;
  ASSIGN_OR_RETURN(const std::vector<size_t> named, NamedAxes(op, x.rank()));
  std::vector<ResizedAxis> axes;
  for (const int64_t dim : x.dims()) axes.push_back({dim, dim});
  if (op.coordinates == CoordinateMode::kTfCropAndResize) {
    if (!IsGiven(inputs, kRoi)) return absl::InvalidArgumentError("tf_crop_and_resize needs roi; it is left out");
    ASSIGN_OR_RETURN(const std::vector<float> roi, FloatValues(inputs[kRoi], "roi", 2 * named.size()));
    for (size_t i = 0; i < named.size(); ++i) {
      if (!std::isfinite(roi[i]) || !std::isfinite(roi[named.size() + i])) {
        return absl::InvalidArgumentError("roi must be finite");
      }
      axes[named[i]].roi_begin = static_cast<double>(roi[i]);
      axes[named[i]].roi_end = static_cast<double>(roi[named.size() + i]);
    }
  }
  const bool has_scales = IsGiven(inputs, kScales);
  if (has_scales == IsGiven(inputs, kSizes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("either scales or sizes must be given; ", has_scales ? "both are" : "none is"));
  }
  if (has_scales) {
    ASSIGN_OR_RETURN(const std::vector<float> scales, FloatValues(inputs[kScales], "scales", named.size()));
    RETURN_IF_ERROR(ApplyScales(op, scales, named, axes));
  } else {
    ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, IntegerValues(inputs[kSizes], "sizes"));
    RETURN_IF_ERROR(ApplySizes(op, sizes, named, axes));
  }
  for (const ResizedAxis& axis : axes) {
    // Only a roi beyond the input leads here, and would let each element read any number of others.
    if (op.antialias && axis.output > 0 && axis.scale * static_cast<double>(axis.input) < 0.5) {
      return absl::InvalidArgumentError(
          absl::StrCat("antialias cannot make ", axis.output, " elements of ", axis.input, " at scale ", axis.scale));
    }
  }
  return axes;
}

}  // namespace stillwave::graph
