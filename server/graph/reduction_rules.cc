// Types and shapes of what folds axes or runs along one.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_rules.h"

namespace stillwave::graph::rules {
namespace {

using tensor::DataType;
using tensor::Shape;

absl::Status CheckType(ReduceKind kind, const InputType& x) {
  if (kind == ReduceKind::kMax || kind == ReduceKind::kMin) {
    return RequireOneOf({DataType::kFloat32, DataType::kFloat64, DataType::kInt32, DataType::kInt64, DataType::kUint32,
                         DataType::kUint64, DataType::kInt8, DataType::kUint8, DataType::kBool},
                        x);
  }
  return RequireOneOf({DataType::kFloat32, DataType::kFloat64, DataType::kInt32, DataType::kInt64, DataType::kUint32,
                       DataType::kUint64},
                      x);
}

}  // namespace

Result Infer(const Reduce& op, Inputs inputs) {
  RETURN_IF_ERROR(CheckType(op.kind, inputs[0]));
  ASSIGN_OR_RETURN(const std::vector<int> axes, ReduceAxes(op, inputs));
  const Shape& x = inputs[0].shape;
  Shape y;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), axis)) {
      y.Append(x[axis]);
      continue;
    }
    // Of the others ONNX says what they are of nothing: 0, 1, an infinity or the type's extreme.
    if (x[axis] == 0 && op.kind == ReduceKind::kMean) {
      return absl::InvalidArgumentError(absl::StrCat("cannot average over the empty axis ", axis));
    }
    if (op.keep_dims) y.Append(1);
  }
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const ArgReduce& op, Inputs inputs) {
  RETURN_IF_ERROR(
      RequireOneOf({DataType::kFloat32, DataType::kFloat64, DataType::kInt8, DataType::kInt16, DataType::kInt32,
                    DataType::kInt64, DataType::kUint8, DataType::kUint16, DataType::kUint32, DataType::kUint64},
                   inputs[0]));
  const Shape& x = inputs[0].shape;
  ASSIGN_OR_RETURN(const int folded, NormalizeAxis(op.axis, x.rank()));
  if (x[folded] == 0) return absl::InvalidArgumentError(absl::StrCat("the empty axis ", folded, " has no extreme"));
  Shape y;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis != folded) y.Append(x[axis]);
    if (axis == folded && op.keep_dims) y.Append(1);
  }
  return TensorType{DataType::kInt64, y};
}

Result Infer(const CumSum&, Inputs inputs) {
  RETURN_IF_ERROR(RequireOneOf({DataType::kFloat32, DataType::kFloat64, DataType::kInt32, DataType::kInt64,
                                DataType::kUint32, DataType::kUint64},
                               inputs[0]));
  ASSIGN_OR_RETURN(const std::vector<int64_t> axis, IntegerValues(inputs[1], "axis"));
  if (axis.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat("axis must be one number; has ", axis.size()));
  }
  RETURN_IF_ERROR(NormalizeAxis(axis[0], inputs[0].shape.rank()).status());
  return Like(inputs[0]);
}

}  // namespace stillwave::graph::rules
