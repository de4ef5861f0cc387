#include "server/graph/movement_geometry.h"

#include <cmath>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::graph {
namespace {

using tensor::DataType;

// The lengths of all parts of an axis of `length` elements.
absl::StatusOr<std::vector<int64_t>> PartLengths(const SplitPart& op, absl::Span<const InputType> inputs,
                                                 int64_t length) {
  if (inputs.size() > 1 && inputs[1].present) {
    ASSIGN_OR_RETURN(std::vector<int64_t> parts, IntegerValues(inputs[1], "split"));
    if (parts.size() != static_cast<size_t>(op.parts)) {
      return absl::InvalidArgumentError(
          absl::StrCat("split must have one entry for each of the ", op.parts, " outputs; has ", parts.size()));
    }
    int64_t left = length;
    for (const int64_t part : parts) {
      if (part < 0 || part > left) {
        return absl::InvalidArgumentError(
            absl::StrCat("split must divide the axis's ", length, " elements; one part is ", part));
      }
      left -= part;
    }
    if (left != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("split must sum to the axis's ", length, " elements; sums to ", length - left));
    }
    return parts;
  }
  const int64_t part = (length + op.parts - 1) / op.parts;
  const int64_t last = length - part * (op.parts - 1);
  if (last < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("an axis of ", length, " elements cannot be split into ", op.parts, " parts of ", part));
  }
  std::vector<int64_t> parts(static_cast<size_t>(op.parts), part);
  parts.back() = last;
  return parts;
}

// Scalars of Range, exact for every type that it takes but an INT64 beyond 2^53.
absl::StatusOr<double> ScalarValue(const InputType& input, absl::string_view what) {
  if (input.constant == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(what, " must be known from the weights and the input shapes; it depends on the input's values"));
  }
  if (input.constant->num_elements() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " must have one element; is of shape ", input.constant->shape().ToString()));
  }
  switch (input.data_type) {
    case DataType::kFloat32:
      return static_cast<double>(input.constant->values<float>()[0]);
    case DataType::kFloat64:
      return input.constant->values<double>()[0];
    case DataType::kInt32:
      return static_cast<double>(input.constant->values<int32_t>()[0]);
    case DataType::kInt64:
      return static_cast<double>(input.constant->values<int64_t>()[0]);
    default:
      return absl::UnimplementedError(
          absl::StrCat(what, " must be FP32, FP64, INT32 or INT64; is ", tensor::Name(input.data_type)));
  }
}

}  // namespace

absl::StatusOr<SplitRange> ResolveSplit(const SplitPart& op, absl::Span<const InputType> inputs) {
  const tensor::Shape& x = inputs[0].shape;
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(op.axis, x.rank()));
  if (op.parts < 1 || op.index < 0 || op.index >= op.parts) {
    return absl::InvalidArgumentError(absl::StrCat("part ", op.index, " of ", op.parts, " does not exist"));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> parts, PartLengths(op, inputs, x[axis]));
  SplitRange range;
  range.axis = axis;
  range.begin = std::accumulate(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(op.index), int64_t{0});
  range.length = parts[static_cast<size_t>(op.index)];
  return range;
}

absl::StatusOr<std::vector<int64_t>> TileRepeats(absl::Span<const InputType> inputs) {
  ASSIGN_OR_RETURN(std::vector<int64_t> repeats, IntegerValues(inputs[1], "repeats"));
  const int rank = inputs[0].shape.rank();
  if (repeats.size() != static_cast<size_t>(rank)) {
    return absl::InvalidArgumentError(
        absl::StrCat("repeats must have one entry for each of the ", rank, " axes; has ", repeats.size()));
  }
  for (const int64_t repeat : repeats) {
    if (repeat < 0) return absl::InvalidArgumentError(absl::StrCat("repeats must not be negative; one is ", repeat));
  }
  return repeats;
}

absl::StatusOr<int64_t> RangeCount(absl::Span<const InputType> inputs) {
  ASSIGN_OR_RETURN(const double start, ScalarValue(inputs[0], "start"));
  ASSIGN_OR_RETURN(const double limit, ScalarValue(inputs[1], "limit"));
  ASSIGN_OR_RETURN(const double delta, ScalarValue(inputs[2], "delta"));
  // Negated comparisons, so that a NaN fails too.
  if (!(std::abs(delta) > 0)) return absl::InvalidArgumentError(absl::StrCat("delta must not be 0; was ", delta));
  const double count = std::ceil((limit - start) / delta);
  if (!(count < static_cast<double>(tensor::kMaxTensorBytes))) {
    return absl::InvalidArgumentError(
        absl::StrCat("from ", start, " to ", limit, " by ", delta, " are more elements than a tensor may have"));
  }
  return count > 0 ? static_cast<int64_t>(count) : 0;
}

}  // namespace stillwave::graph
