#include "server/graph/shape_inference.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/graph_text.h"
#include "server/graph/shape_rules_movement.h"

namespace stillwave::graph {
namespace {

using rules::Infer;
using rules::Inputs;
using rules::Like;
using rules::RequireFloat;
using rules::RequireLength;
using rules::Result;
using tensor::DataType;
using tensor::Shape;

Result Infer(const BatchNormalization&, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& x = inputs[0].shape;
  if (x.rank() < 2) {
    return absl::InvalidArgumentError(absl::StrCat("the input must be N×C or more; was ", x.ToString()));
  }
  static constexpr absl::string_view kNames[] = {"", "scale", "bias", "mean", "variance"};
  for (size_t i = 1; i < 5; ++i) RETURN_IF_ERROR(RequireLength(inputs[i], kNames[i], x[1]));
  return Like(inputs[0]);
}

Result Infer(const Gemm& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  if (a.rank() != 2 || b.rank() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("A and B must be of rank 2; are ", a.ToString(), " and ", b.ToString()));
  }
  const int64_t m = a[op.transpose_a ? 1 : 0];
  const int64_t k = a[op.transpose_a ? 0 : 1];
  const int64_t n = b[op.transpose_b ? 0 : 1];
  const int64_t b_rows = b[op.transpose_b ? 1 : 0];
  if (k != b_rows) {
    return absl::InvalidArgumentError(absl::StrCat("A gives ", k, " features, B wants ", b_rows));
  }
  const Shape y({m, n});
  if (inputs.size() > 2 && inputs[2].present) {
    ASSIGN_OR_RETURN(const Shape joined, BroadcastShapes(inputs[2].shape, y));
    if (joined != y) {
      return absl::InvalidArgumentError(
          absl::StrCat("C ", inputs[2].shape.ToString(), " does not broadcast to ", y.ToString()));
    }
  }
  return TensorType{DataType::kFloat32, y};
}

Result Infer(const MatMul&, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  if (a.rank() == 0 || b.rank() == 0) return absl::InvalidArgumentError("takes no scalars");
  const int64_t k = a[a.rank() - 1];
  const int64_t b_rows = b[std::max(0, b.rank() - 2)];
  if (k != b_rows) {
    return absl::InvalidArgumentError(
        absl::StrCat("A ", a.ToString(), " gives ", k, " features, B ", b.ToString(), " wants ", b_rows));
  }
  Shape a_batch(a.dims().first(static_cast<size_t>(std::max(0, a.rank() - 2))));
  Shape b_batch(b.dims().first(static_cast<size_t>(std::max(0, b.rank() - 2))));
  ASSIGN_OR_RETURN(Shape y, BroadcastShapes(a_batch, b_batch));
  if (a.rank() > 1) y.Append(a[a.rank() - 2]);
  if (b.rank() > 1) y.Append(b[b.rank() - 1]);
  return TensorType{DataType::kFloat32, y};
}

Result Infer(const Concat& op, Inputs inputs) {
  Shape y = inputs[0].shape;
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(op.axis, y.rank()));
  for (const InputType& input : inputs.subspan(1)) {
    bool matches = input.data_type == inputs[0].data_type && input.shape.rank() == y.rank();
    for (int i = 0; matches && i < y.rank(); ++i) matches = i == axis || input.shape[i] == y[i];
    if (!matches) {
      return absl::InvalidArgumentError(absl::StrCat("inputs must agree in type and all axes but ", axis, "; are ",
                                                     inputs[0].shape.ToString(), " and ", input.shape.ToString()));
    }
    y[axis] += input.shape[axis];
  }
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Reshape& op, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, IntegerValues(inputs[1], "shape"));
  const Shape& x = inputs[0].shape;
  if (wanted.size() > static_cast<size_t>(tensor::kMaxRank)) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape must have at most ", tensor::kMaxRank, " entries; has ", wanted.size()));
  }
  Shape y;
  int open_axis = -1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    int64_t dim = wanted[i];
    if (dim == 0 && !op.allow_zero) {
      if (static_cast<int>(i) >= x.rank()) {
        return absl::InvalidArgumentError(
            absl::StrCat("shape entry ", i, " is 0 (copy the input's axis), but the input is ", x.ToString()));
      }
      dim = x[static_cast<int>(i)];
    } else if (dim == -1) {
      if (open_axis >= 0) return absl::InvalidArgumentError("shape may have one -1 only; has two");
      open_axis = static_cast<int>(i);
      dim = 1;
    } else if (dim < 0) {
      return absl::InvalidArgumentError(absl::StrCat("shape entries must be -1 or more; one is ", dim));
    }
    y.Append(dim);
  }
  ASSIGN_OR_RETURN(const int64_t have, x.ElementCount());
  ASSIGN_OR_RETURN(const int64_t known, y.ElementCount());
  if (open_axis >= 0) {
    if (known == 0 || have % known != 0) {
      return absl::InvalidArgumentError(absl::StrCat(have, " elements of ", x.ToString(), " do not fill ", y.ToString(),
                                                     " with axis ", open_axis, " open"));
    }
    y[open_axis] = have / known;
  } else if (known != have) {
    return absl::InvalidArgumentError(
        absl::StrCat(have, " elements of ", x.ToString(), " cannot become ", y.ToString()));
  }
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Flatten& op, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  const int rank = x.rank();
  if (op.axis < -rank || op.axis > rank) {
    return absl::InvalidArgumentError(absl::StrCat("axis must be between ", -rank, " and ", rank, "; was ", op.axis));
  }
  const int axis = static_cast<int>(op.axis < 0 ? op.axis + rank : op.axis);
  const Shape rows(x.dims().first(static_cast<size_t>(axis)));
  const Shape columns(x.dims().subspan(static_cast<size_t>(axis)));
  ASSIGN_OR_RETURN(const int64_t m, rows.ElementCount());
  ASSIGN_OR_RETURN(const int64_t n, columns.ElementCount());
  return TensorType{inputs[0].data_type, Shape({m, n})};
}

Result Infer(const Squeeze&, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  std::vector<bool> remove(static_cast<size_t>(x.rank()), false);
  if (inputs.size() > 1 && inputs[1].present) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntegerValues(inputs[1], "axes"));
    for (const int64_t value : axes) {
      ASSIGN_OR_RETURN(const int axis, NormalizeAxis(value, x.rank()));
      if (x[axis] != 1) {
        return absl::InvalidArgumentError(
            absl::StrCat("axis ", axis, " must be of length 1 to be squeezed; the input is ", x.ToString()));
      }
      remove[static_cast<size_t>(axis)] = true;
    }
  } else {
    for (int axis = 0; axis < x.rank(); ++axis) remove[static_cast<size_t>(axis)] = x[axis] == 1;
  }
  Shape y;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (!remove[static_cast<size_t>(axis)]) y.Append(x[axis]);
  }
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Unsqueeze&, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntegerValues(inputs[1], "axes"));
  const size_t rank = static_cast<size_t>(x.rank()) + axes.size();
  if (rank > static_cast<size_t>(tensor::kMaxRank)) {
    return absl::InvalidArgumentError(absl::StrCat("rank must be at most ", tensor::kMaxRank, "; becomes ", rank));
  }
  std::vector<bool> inserted(rank, false);
  for (const int64_t value : axes) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(value, static_cast<int>(rank)));
    if (inserted[static_cast<size_t>(axis)]) {
      return absl::InvalidArgumentError(absl::StrCat("axes must differ; ", axis, " stands twice"));
    }
    inserted[static_cast<size_t>(axis)] = true;
  }
  Shape y;
  int next = 0;
  for (size_t axis = 0; axis < rank; ++axis) y.Append(inserted[axis] ? 1 : x[next++]);
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Transpose& op, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  const std::vector<int64_t> perm = TransposePerm(op, x.rank());
  std::vector<bool> seen(static_cast<size_t>(x.rank()), false);
  Shape y;
  bool valid = perm.size() == static_cast<size_t>(x.rank());
  for (size_t i = 0; valid && i < perm.size(); ++i) {
    valid = perm[i] >= 0 && perm[i] < x.rank() && !seen[static_cast<size_t>(perm[i])];
    if (!valid) break;
    seen[static_cast<size_t>(perm[i])] = true;
    y.Append(x[static_cast<int>(perm[i])]);
  }
  if (!valid) {
    return absl::InvalidArgumentError(
        absl::StrCat("perm must hold each axis of ", x.ToString(), " once; is [", OpAttributes(op), "]"));
  }
  return TensorType{inputs[0].data_type, y};
}

// What negative amounts leave of an axis.
int64_t KeptLength(int64_t length, const PadAmount& amount) {
  return std::max<int64_t>(0, length + std::min<int64_t>(0, amount.begin) + std::min<int64_t>(0, amount.end));
}

Result Infer(const Pad& op, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<PadAmount> amounts, PadAmounts(inputs));
  const Shape& x = inputs[0].shape;
  if (inputs.size() > 2 && inputs[2].present) {
    if (inputs[2].data_type != inputs[0].data_type || inputs[2].shape.num_elements() != 1) {
      return absl::InvalidArgumentError("constant_value must be one element of the input's type");
    }
  }
  Shape y;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const PadAmount& amount = amounts[static_cast<size_t>(axis)];
    int64_t length = 0;
    if (__builtin_add_overflow(x[axis], amount.begin, &length) || __builtin_add_overflow(length, amount.end, &length) ||
        length < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("pads ", amount.begin, " and ", amount.end, " do not fit axis ", axis, " of ", x.ToString()));
    }
    const int64_t reach = std::max(amount.begin, amount.end);
    // What is left of the axis is mirrored once only, but repeated as often as need be.
    const int64_t kept = KeptLength(x[axis], amount);
    const bool reads_back = op.mode == PadMode::kReflect ? reach >= std::max<int64_t>(kept, 1)
                                                         : op.mode != PadMode::kConstant && reach > 0 && kept == 0;
    if (reads_back) {
      return absl::InvalidArgumentError(
          absl::StrCat("axis ", axis, " of ", x.ToString(), " is too short to be padded by ", reach, " in this mode"));
    }
    y.Append(length);
  }
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Slice&, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<SliceRange> ranges, SliceRanges(inputs));
  Shape y;
  for (const SliceRange& range : ranges) y.Append(range.count);
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Gather& op, Inputs inputs) {
  const Shape& x = inputs[0].shape;
  const Shape& indices = inputs[1].shape;
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(op.axis, x.rank()));
  if (inputs[1].data_type != DataType::kInt64 && inputs[1].data_type != DataType::kInt32) {
    return absl::InvalidArgumentError(
        absl::StrCat("indices must be INT64 or INT32; are ", tensor::Name(inputs[1].data_type)));
  }
  Shape y(x.dims().first(static_cast<size_t>(axis)));
  for (const int64_t dim : indices.dims()) y.Append(dim);
  for (const int64_t dim : x.dims().subspan(static_cast<size_t>(axis) + 1)) y.Append(dim);
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const ShapeOf& op, Inputs inputs) {
  const int64_t rank = inputs[0].shape.rank();
  const auto clamp = [rank](int64_t value) { return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank); };
  return TensorType{DataType::kInt64, Shape({std::max<int64_t>(0, clamp(op.end) - clamp(op.start))})};
}

Result ShapeFromList(DataType type, const std::vector<int64_t>& dims) {
  if (dims.size() > static_cast<size_t>(tensor::kMaxRank)) {
    return absl::InvalidArgumentError(absl::StrCat("rank must be at most ", tensor::kMaxRank, "; was ", dims.size()));
  }
  const Shape shape{absl::MakeConstSpan(dims)};
  RETURN_IF_ERROR(shape.ElementCount().status());
  return TensorType{type, shape};
}

Result Infer(const ConstantOfShape& op, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> dims, IntegerValues(inputs[0], "shape"));
  return ShapeFromList(op.value == nullptr ? DataType::kFloat32 : op.value->data_type(), dims);
}

Result Infer(const Expand&, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> dims, IntegerValues(inputs[1], "shape"));
  ASSIGN_OR_RETURN(const TensorType wanted, ShapeFromList(inputs[0].data_type, dims));
  ASSIGN_OR_RETURN(const Shape y, BroadcastShapes(inputs[0].shape, wanted.shape));
  return TensorType{inputs[0].data_type, y};
}

Result Infer(const Identity&, Inputs inputs) { return Like(inputs[0]); }

Result Infer(const Dropout&, Inputs inputs) { return Like(inputs[0]); }

}  // namespace

absl::StatusOr<TensorType> InferOutput(const Op& op, absl::Span<const InputType> inputs) {
  ASSIGN_OR_RETURN(TensorType type, std::visit([&](const auto& typed) { return Infer(typed, inputs); }, op));
  ASSIGN_OR_RETURN(const int64_t count, type.shape.ElementCount());
  if (count > tensor::kMaxTensorBytes / static_cast<int64_t>(tensor::SizeOf(type.data_type))) {
    return absl::InvalidArgumentError(absl::StrCat("the output ", type.shape.ToString(),
                                                   " is larger than the limit of ", tensor::kMaxTensorBytes, " bytes"));
  }
  return type;
}

absl::StatusOr<TensorType> InferNode(const Graph& graph, const Node& node) {
  absl::InlinedVector<InputType, 5> inputs;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) {
      inputs.push_back({.present = false});
      continue;
    }
    const Value& value = graph.value(id);
    inputs.push_back({true, value.data_type, value.shape, value.constant.get()});
  }
  absl::StatusOr<TensorType> type = InferOutput(node.op, inputs);
  if (!type.ok()) return base::Annotate(type.status(), Describe(node));
  return type;
}

}  // namespace stillwave::graph
