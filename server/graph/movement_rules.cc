// Shapes of the operators that move, repeat or make elements.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/movement_geometry.h"
#include "server/graph/resize_geometry.h"
#include "server/graph/shape_rules_movement.h"

namespace stillwave::graph::rules {
namespace {

using tensor::DataType;
using tensor::Shape;

absl::Status RequireImage(const Shape& x, int64_t block) {
  if (x.rank() != 4) return absl::InvalidArgumentError(absl::StrCat("the input must be N×C×H×W; was ", x.ToString()));
  // Its square must fit into int64.
  if (block < 1 || block > INT32_MAX) {
    return absl::InvalidArgumentError(absl::StrCat("blocksize must be from 1 to 2^31-1; was ", block));
  }
  return absl::OkStatus();
}

absl::Status Multiply(int64_t factor, int64_t& dim) {
  const int64_t before = dim;
  if (!__builtin_mul_overflow(dim, factor, &dim)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("an axis of ", before, " elements cannot grow by a factor of ", factor));
}

}  // namespace

Result Infer(const SplitPart& op, Inputs inputs) {
  ASSIGN_OR_RETURN(const SplitRange range, ResolveSplit(op, inputs));
  Shape y = inputs[0].shape;
  y[range.axis] = range.length;
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Tile&, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> repeats, TileRepeats(inputs));
  Shape y = inputs[0].shape;
  for (int axis = 0; axis < y.rank(); ++axis) {
    RETURN_IF_ERROR(Multiply(repeats[static_cast<size_t>(axis)], y[axis]));
  }
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const DepthToSpace& op, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  RETURN_IF_ERROR(RequireImage(x, op.block));
  const int64_t area = op.block * op.block;
  if (x[1] % area != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("blocksize² must divide the ", x[1], " channels; blocksize was ", op.block));
  }
  Shape y({x[0], x[1] / area, x[2], x[3]});
  RETURN_IF_ERROR(Multiply(op.block, y[2]));
  RETURN_IF_ERROR(Multiply(op.block, y[3]));
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Interleave& op, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  if (x.rank() != 3 || op.factor < 1 || x[1] % op.factor != 0) {
    return absl::InvalidArgumentError(absl::StrCat("the input must be N×C×T, and the factor ", op.factor,
                                                   " must divide its channels; was ", x.ToString()));
  }
  Shape y({x[0], x[1] / op.factor, x[2]});
  RETURN_IF_ERROR(Multiply(op.factor, y[2]));
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const SpaceToDepth& op, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  RETURN_IF_ERROR(RequireImage(x, op.block));
  if (x[2] % op.block != 0 || x[3] % op.block != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("blocksize must divide height and width of ", x.ToString(), "; was ", op.block));
  }
  Shape y({x[0], x[1], x[2] / op.block, x[3] / op.block});
  RETURN_IF_ERROR(Multiply(op.block * op.block, y[1]));
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Resize& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs.first(1)));
  ASSIGN_OR_RETURN(const std::vector<ResizedAxis> axes, ResolveResize(op, inputs));
  TensorType y{inputs[0].data_type, {}};
  for (const ResizedAxis& axis : axes) y.shape.Append(axis.output);
  return y;
}

Result Infer(const SizeOf&, Inputs inputs) {
  // Not Shape(): GCC 12 takes its empty storage for uninitialized.
  return TensorType{DataType::kInt64, Shape(inputs[0].shape.dims().first(0))};
}

Result Infer(const Range&, Inputs inputs) {
  for (const InputType& input : inputs) {
    RETURN_IF_ERROR(RequireOneOf({DataType::kFloat32, DataType::kFloat64, DataType::kInt32, DataType::kInt64}, input));
    if (input.data_type != inputs[0].data_type) {
      return absl::InvalidArgumentError("start, limit and delta must be of one type");
    }
  }
  ASSIGN_OR_RETURN(const int64_t count, RangeCount(inputs));
  return TensorType{inputs[0].data_type, Shape({count})};
}

}  // namespace stillwave::graph::rules
