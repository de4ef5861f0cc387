// Resize, and Upsample, which is one of its cases.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/names.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::CoordinateMode;
using graph::kNoValue;
using graph::NearestMode;
using graph::Resize;
using graph::ResizeMode;
using graph::ValueId;

constexpr int64_t kTransformsSince = 11;
constexpr int64_t kSymmetricSince = 19;
// Opsets 11 and 12 have it.
constexpr absl::string_view kTfHalfPixel = "tf_half_pixel_for_nn";

template <typename Enum>
struct Spelling {
  absl::string_view text;
  Enum value;
};

template <typename Enum, size_t kCount>
absl::StatusOr<Enum> ReadEnum(const ConvertContext& context, absl::string_view name, absl::string_view default_text,
                              const Spelling<Enum> (&spellings)[kCount]) {
  ASSIGN_OR_RETURN(const std::string text, context.attributes().String(name, default_text));
  std::string known;
  for (const Spelling<Enum>& spelling : spellings) {
    if (spelling.text == text) return spelling.value;
    absl::StrAppend(&known, known.empty() ? "" : ", ", spelling.text);
  }
  return absl::InvalidArgumentError(absl::StrCat(name, " must be one of ", known, "; was ", Quoted(text)));
}

constexpr Spelling<ResizeMode> kModes[] = {
    {"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}, {"cubic", ResizeMode::kCubic}};
// Upsample's word for linear before opset 9 was also "bilinear".
constexpr Spelling<ResizeMode> kUpsampleModes[] = {
    {"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}, {"bilinear", ResizeMode::kLinear}};
constexpr Spelling<CoordinateMode> kCoordinates[] = {{"half_pixel", CoordinateMode::kHalfPixel},
                                                     {"half_pixel_symmetric", CoordinateMode::kHalfPixelSymmetric},
                                                     {"pytorch_half_pixel", CoordinateMode::kPytorchHalfPixel},
                                                     {"align_corners", CoordinateMode::kAlignCorners},
                                                     {"asymmetric", CoordinateMode::kAsymmetric},
                                                     {"tf_crop_and_resize", CoordinateMode::kTfCropAndResize},
                                                     {kTfHalfPixel, CoordinateMode::kHalfPixel}};
constexpr Spelling<NearestMode> kNearest[] = {{"round_prefer_floor", NearestMode::kRoundPreferFloor},
                                              {"round_prefer_ceil", NearestMode::kRoundPreferCeil},
                                              {"floor", NearestMode::kFloor},
                                              {"ceil", NearestMode::kCeil}};
constexpr Spelling<graph::AspectPolicy> kPolicies[] = {{"stretch", graph::AspectPolicy::kStretch},
                                                       {"not_larger", graph::AspectPolicy::kNotLarger},
                                                       {"not_smaller", graph::AspectPolicy::kNotSmaller}};

// Which operator names the coordinate transform depends on the opset.
absl::Status CheckTransform(const ConvertContext& context, absl::string_view text, const Resize& resize) {
  if (text == "half_pixel_symmetric" && context.opset() < kSymmetricSince) {
    return absl::InvalidArgumentError(absl::StrCat("half_pixel_symmetric exists since opset ", kSymmetricSince));
  }
  if (text != kTfHalfPixel) return absl::OkStatus();
  if (context.opset() >= 13) return absl::InvalidArgumentError(absl::StrCat(kTfHalfPixel, " exists until opset 12"));
  if (resize.mode != ResizeMode::kNearest || resize.nearest != NearestMode::kFloor) {
    return absl::UnimplementedError(
        absl::StrCat(kTfHalfPixel, " is supported with mode nearest and nearest_mode floor only"));
  }
  return absl::OkStatus();
}

// Before opset 11 "nearest" meant the element at or before the position, or behind it where elements are dropped.
absl::StatusOr<NearestMode> NearestBeforeModes(const tensor::Tensor* scales) {
  if (scales == nullptr || scales->data_type() != tensor::DataType::kFloat32) {
    return absl::UnimplementedError(
        "mode nearest needs constant FP32 scales at this opset: export with opset 11 or newer");
  }
  const absl::Span<const float> values = scales->values<float>();
  const bool grows = std::any_of(values.begin(), values.end(), [](float scale) { return scale > 1; });
  const bool shrinks = std::any_of(values.begin(), values.end(), [](float scale) { return scale < 1; });
  if (grows && shrinks) {
    return absl::UnimplementedError(
        "mode nearest that makes one axis longer and another shorter is not supported at this opset: export with "
        "opset 11 or newer");
  }
  return shrinks ? NearestMode::kCeil : NearestMode::kFloor;
}

absl::Status ConvertSimpleResize(ConvertContext& context, ResizeMode mode, const tensor::Tensor* known_scales,
                                 ValueId scales) {
  Resize resize;
  resize.mode = mode;
  resize.coordinates = CoordinateMode::kAsymmetric;
  if (mode == ResizeMode::kNearest) {
    ASSIGN_OR_RETURN(resize.nearest, NearestBeforeModes(known_scales));
  }
  return context.Emit(std::move(resize), {context.input(0), kNoValue, scales});
}

}  // namespace

absl::Status ConvertUpsample(ConvertContext& context) {
  ASSIGN_OR_RETURN(const ResizeMode mode, ReadEnum(context, "mode", "nearest", kUpsampleModes));
  if (context.opset() >= 9) return ConvertSimpleResize(context, mode, context.ConstantInput(1), context.input(1));
  if (!context.attributes().Has("scales")) return absl::InvalidArgumentError("attribute 'scales' is missing");
  ASSIGN_OR_RETURN(const std::vector<float> scales, context.attributes().Floats("scales"));
  const tensor::Shape shape = {static_cast<int64_t>(scales.size())};
  const tensor::Tensor known = tensor::Tensor::FromValues<float>(shape, scales);
  return ConvertSimpleResize(context, mode, &known, context.AddConstant("scales", known.Clone()));
}

absl::Status ConvertResize(ConvertContext& context) {
  const AttributeReader& attributes = context.attributes();
  Resize resize;
  ASSIGN_OR_RETURN(resize.mode, ReadEnum(context, "mode", "nearest", kModes));
  if (context.opset() < kTransformsSince) {
    if (resize.mode == ResizeMode::kCubic) return absl::InvalidArgumentError("mode cubic exists since opset 11");
    return ConvertSimpleResize(context, resize.mode, context.ConstantInput(1), context.input(1));
  }
  ASSIGN_OR_RETURN(resize.nearest, ReadEnum(context, "nearest_mode", "round_prefer_floor", kNearest));
  ASSIGN_OR_RETURN(resize.coordinates, ReadEnum(context, "coordinate_transformation_mode", "half_pixel", kCoordinates));
  ASSIGN_OR_RETURN(const std::string transform, attributes.String("coordinate_transformation_mode", ""));
  RETURN_IF_ERROR(CheckTransform(context, transform, resize));
  // floor((i + 1/2) / scale) is half_pixel's position rounded half up.
  if (transform == kTfHalfPixel) resize.nearest = NearestMode::kRoundPreferCeil;
  ASSIGN_OR_RETURN(resize.aspect, ReadEnum(context, "keep_aspect_ratio_policy", "stretch", kPolicies));
  ASSIGN_OR_RETURN(resize.antialias, attributes.Bool("antialias", false));
  if (resize.antialias && resize.mode == ResizeMode::kNearest) {
    return absl::InvalidArgumentError("antialias must not go with mode nearest");
  }
  ASSIGN_OR_RETURN(resize.exclude_outside, attributes.Bool("exclude_outside", false));
  ASSIGN_OR_RETURN(resize.cubic_coefficient, attributes.Float("cubic_coeff_a", -0.75F));
  ASSIGN_OR_RETURN(resize.extrapolation_value, attributes.Float("extrapolation_value", 0));
  ASSIGN_OR_RETURN(resize.axes, attributes.Ints("axes"));
  return context.Emit(std::move(resize));
}

}  // namespace stillwave::onnx_import
