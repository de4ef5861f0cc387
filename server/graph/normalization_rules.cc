// Shapes of the normalizations whose statistics come from the sample itself, and of softmax.
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_rules.h"

namespace stillwave::graph::rules {
namespace {

using tensor::Shape;

absl::Status RequireChannels(const Shape& x, int min_rank) {
  if (x.rank() >= min_rank) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the input must be N×C", min_rank > 2 ? " with a spatial axis" : "",
                                                 " or more; was ", x.ToString()));
}

// `what` must broadcast to the input without making it larger.
absl::Status RequireBroadcastTo(const InputType& input, absl::string_view what, const Shape& x) {
  const absl::StatusOr<Shape> joined = BroadcastShapes(input.shape, x);
  if (joined.ok() && *joined == x) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " ", input.shape.ToString(), " does not broadcast to the input ", x.ToString()));
}

}  // namespace

Result Infer(const InstanceNormalization&, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& x = inputs[0].shape;
  RETURN_IF_ERROR(RequireChannels(x, 3));
  RETURN_IF_ERROR(RequireLength(inputs[1], "scale", x[1]));
  RETURN_IF_ERROR(RequireLength(inputs[2], "bias", x[1]));
  return Like(inputs[0]);
}

Result Infer(const LayerNormalization& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& x = inputs[0].shape;
  RETURN_IF_ERROR(NormalizeAxis(op.axis, x.rank()).status());
  RETURN_IF_ERROR(RequireBroadcastTo(inputs[1], "scale", x));
  if (inputs.size() > 2 && inputs[2].present) RETURN_IF_ERROR(RequireBroadcastTo(inputs[2], "bias", x));
  return Like(inputs[0]);
}

Result Infer(const GroupNormalization& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& x = inputs[0].shape;
  RETURN_IF_ERROR(RequireChannels(x, 2));
  if (op.groups < 1 || x[1] % op.groups != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_groups must be positive and divide ", x[1], " channels; was ", op.groups));
  }
  const int64_t affine = op.per_group_affine ? op.groups : x[1];
  RETURN_IF_ERROR(RequireLength(inputs[1], "scale", affine));
  RETURN_IF_ERROR(RequireLength(inputs[2], "bias", affine));
  return Like(inputs[0]);
}

Result Infer(const Lrn& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  RETURN_IF_ERROR(RequireChannels(inputs[0].shape, 2));
  if (op.size < 1) return absl::InvalidArgumentError(absl::StrCat("size must be positive; was ", op.size));
  return Like(inputs[0]);
}

Result Infer(const Softmax& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  RETURN_IF_ERROR(NormalizeAxis(op.axis, inputs[0].shape.rank()).status());
  return Like(inputs[0]);
}

}  // namespace stillwave::graph::rules
