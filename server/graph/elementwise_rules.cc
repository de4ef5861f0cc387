// Types and shapes of what works element by element.
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_rules.h"

namespace stillwave::graph::rules {
namespace {

using tensor::DataType;
using tensor::Shape;

absl::Status RequireNumber(const InputType& input) {
  return RequireOneOf({DataType::kFloat32, DataType::kFloat64, DataType::kInt8, DataType::kInt16, DataType::kInt32,
                       DataType::kInt64, DataType::kUint8, DataType::kUint16, DataType::kUint32, DataType::kUint64},
                      input);
}

absl::Status RequireSameType(const InputType& a, const InputType& b) {
  if (a.data_type == b.data_type) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("both inputs must be of one type; are ", tensor::Name(a.data_type),
                                                 " and ", tensor::Name(b.data_type)));
}

absl::Status CheckTypes(BinaryKind kind, const InputType& a, const InputType& b) {
  if (kind == BinaryKind::kPow) {
    RETURN_IF_ERROR(RequireNumber(a));
    return RequireNumber(b);
  }
  RETURN_IF_ERROR(RequireSameType(a, b));
  if (kind == BinaryKind::kAnd || kind == BinaryKind::kOr || kind == BinaryKind::kXor) {
    return RequireOneOf({DataType::kBool}, a);
  }
  if (kind == BinaryKind::kEqual && a.data_type == DataType::kBool) return absl::OkStatus();
  return RequireNumber(a);
}

}  // namespace

Result Infer(const Unary& op, Inputs inputs) {
  const InputType& x = inputs[0];
  switch (op.kind) {
    case UnaryKind::kNot:
      RETURN_IF_ERROR(RequireOneOf({DataType::kBool}, x));
      return Like(x);
    case UnaryKind::kIsNan:
      RETURN_IF_ERROR(RequireOneOf({DataType::kFloat32, DataType::kFloat64}, x));
      return TensorType{DataType::kBool, x.shape};
    case UnaryKind::kAbs:
    case UnaryKind::kSign:
    case UnaryKind::kClip:
      RETURN_IF_ERROR(RequireNumber(x));
      return Like(x);
    case UnaryKind::kNeg:
    case UnaryKind::kRelu:
      RETURN_IF_ERROR(RequireOneOf({DataType::kFloat32, DataType::kFloat64, DataType::kInt8, DataType::kInt16,
                                    DataType::kInt32, DataType::kInt64},
                                   x));
      return Like(x);
    default:
      RETURN_IF_ERROR(RequireOneOf({DataType::kFloat32, DataType::kFloat64}, x));
      return Like(x);
  }
}

Result Infer(const Binary& op, Inputs inputs) {
  const InputType& a = inputs[0];
  const InputType& b = inputs[1];
  RETURN_IF_ERROR(CheckTypes(op.kind, a, b));
  ASSIGN_OR_RETURN(const Shape y, BroadcastShapes(a.shape, b.shape));
  if (op.kind == BinaryKind::kPRelu && y != a.shape) {
    return absl::InvalidArgumentError(
        absl::StrCat("slope ", b.shape.ToString(), " does not broadcast to the input ", a.shape.ToString()));
  }
  return TensorType{op.kind >= BinaryKind::kEqual ? DataType::kBool : a.data_type, y};
}

Result Infer(const Where&, Inputs inputs) {
  if (inputs[0].data_type != DataType::kBool) {
    return absl::InvalidArgumentError(absl::StrCat("condition must be BOOL; is ", tensor::Name(inputs[0].data_type)));
  }
  RETURN_IF_ERROR(RequireSameType(inputs[1], inputs[2]));
  ASSIGN_OR_RETURN(const Shape branches, BroadcastShapes(inputs[1].shape, inputs[2].shape));
  ASSIGN_OR_RETURN(const Shape y, BroadcastShapes(inputs[0].shape, branches));
  return TensorType{inputs[1].data_type, y};
}

Result Infer(const Cast& op, Inputs inputs) { return TensorType{op.to, inputs[0].shape}; }

Result Infer(const CastLike&, Inputs inputs) { return TensorType{inputs[1].data_type, inputs[0].shape}; }

}  // namespace stillwave::graph::rules
