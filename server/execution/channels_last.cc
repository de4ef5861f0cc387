#include "server/execution/channels_last.h"

#include <algorithm>
#include <utility>

#include "server/base/status_macros.h"
#include "server/kernels/kernel.h"

namespace stillwave::execution {
namespace {

using graph::InputType;
using tensor::Shape;
using tensor::Tensor;
using Inputs = absl::Span<const InputType>;
using Constant = std::shared_ptr<const Tensor>;
using Result = absl::StatusOr<std::optional<ChannelsLastOp>>;

Constant Int64s(const std::vector<int64_t>& values) {
  return std::make_shared<const Tensor>(Tensor::FromValues<int64_t>({static_cast<int64_t>(values.size())}, values));
}

std::vector<int64_t> MemoryAxes(absl::Span<const int> axes, int rank) {
  std::vector<int64_t> moved;
  for (const int axis : axes) moved.push_back(ChannelsLastAxis(axis, rank));
  return moved;
}

// The memory order of logical axes: {0, 2, …, rank-1, 1}.
std::vector<int64_t> MemoryOrder(int rank) {
  std::vector<int64_t> order = {0};
  for (int axis = 2; axis < rank; ++axis) order.push_back(axis);
  order.push_back(1);
  return order;
}

// As ChannelsLastAxis, of an axis that may count from the back.
absl::StatusOr<int64_t> MemoryAxis(int64_t axis, int rank) {
  ASSIGN_OR_RETURN(const int from_front, graph::NormalizeAxis(axis, rank));
  return ChannelsLastAxis(from_front, rank);
}

template <typename Op>
Result WithAxis(Op op, int rank, size_t data_inputs) {
  ASSIGN_OR_RETURN(op.axis, MemoryAxis(op.axis, rank));
  return ChannelsLastOp{std::move(op), {}, data_inputs};
}

Result Rewrite(const graph::Concat& op, Inputs inputs) { return WithAxis(op, inputs[0].shape.rank(), inputs.size()); }

Result Rewrite(const graph::SplitPart& op, Inputs inputs) { return WithAxis(op, inputs[0].shape.rank(), 1); }

Result Rewrite(const graph::Unary& op, Inputs) { return ChannelsLastOp{op, {}, 1}; }

Result Rewrite(const graph::Binary& op, Inputs) { return ChannelsLastOp{op, {}, 2}; }

Result Rewrite(const graph::Where& op, Inputs) { return ChannelsLastOp{op, {}, 3}; }

Result Rewrite(const graph::Slice& op, Inputs inputs) {
  const int rank = inputs[0].shape.rank();
  std::vector<int64_t> axes;
  if (inputs.size() > 3 && inputs[3].present) {
    ASSIGN_OR_RETURN(axes, graph::IntegerValues(inputs[3], "axes"));
  } else {
    for (int64_t axis = 0; axis < inputs[1].shape.num_elements(); ++axis) axes.push_back(axis);
  }
  for (int64_t& axis : axes) {
    ASSIGN_OR_RETURN(axis, MemoryAxis(axis, rank));
  }
  return ChannelsLastOp{op, {nullptr, nullptr, nullptr, Int64s(axes)}, 1};
}

Result Rewrite(const graph::Pad& op, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<graph::PadAmount> amounts, graph::PadAmounts(inputs));
  const int rank = inputs[0].shape.rank();
  std::vector<int64_t> pads(2 * amounts.size());
  for (int axis = 0; axis < rank; ++axis) {
    const auto to = static_cast<size_t>(ChannelsLastAxis(axis, rank));
    pads[to] = amounts[static_cast<size_t>(axis)].begin;
    pads[to + amounts.size()] = amounts[static_cast<size_t>(axis)].end;
  }
  std::vector<int64_t> all_axes;
  for (int axis = 0; axis < rank; ++axis) all_axes.push_back(axis);
  return ChannelsLastOp{op, {nullptr, Int64s(pads), nullptr, Int64s(all_axes)}, 1};
}

Result Rewrite(const graph::Reduce& op, Inputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<int> axes, graph::ReduceAxes(op, inputs));
  const int rank = inputs[0].shape.rank();
  const bool has_channels = std::binary_search(axes.begin(), axes.end(), 1);
  const auto spatial = std::count_if(axes.begin(), axes.end(), [](int axis) { return axis >= 2; });
  // Without kept axes the result must lie in the order of its own axes: no channels, or nothing behind them.
  if (axes.empty() || (!op.keep_dims && !has_channels && spatial != rank - 2)) return std::nullopt;
  return ChannelsLastOp{op, {nullptr, Int64s(MemoryAxes(axes, rank))}, 1};
}

// Scales or sizes for all axes, put into memory order.
Result Rewrite(const graph::Resize& op, Inputs inputs) {
  const int rank = inputs[0].shape.rank();
  if (op.coordinates == graph::CoordinateMode::kTfCropAndResize) return std::nullopt;
  ChannelsLastOp result{op, std::vector<Constant>(4), 1};
  if (!op.axes.empty()) {
    auto& axes = std::get<graph::Resize>(result.op).axes;
    for (int64_t& axis : axes) {
      ASSIGN_OR_RETURN(axis, MemoryAxis(axis, rank));
    }
    return result;
  }
  const std::vector<int64_t> order = MemoryOrder(rank);
  for (const size_t i : {size_t{2}, size_t{3}}) {
    if (i >= inputs.size() || !inputs[i].present || inputs[i].shape.num_elements() == 0) continue;
    if (inputs[i].constant == nullptr || inputs[i].shape.num_elements() != rank) return std::nullopt;
    Tensor moved = inputs[i].constant->Clone();
    const size_t size = tensor::SizeOf(moved.data_type());
    for (size_t k = 0; k < order.size(); ++k) {
      std::copy_n(static_cast<const char*>(inputs[i].constant->data()) + static_cast<size_t>(order[k]) * size, size,
                  static_cast<char*>(moved.mutable_data()) + k * size);
    }
    result.replaced[i] = std::make_shared<const Tensor>(std::move(moved));
  }
  return result;
}

template <typename Op>
Result Rewrite(const Op&, Inputs) {
  return std::nullopt;
}

}  // namespace

int ChannelsLastAxis(int axis, int rank) {
  if (axis == 0) return 0;
  return axis == 1 ? rank - 1 : axis - 1;
}

Shape ChannelsLastShape(const Shape& shape) {
  Shape moved;
  for (const int64_t axis : MemoryOrder(shape.rank())) moved.Append(shape[static_cast<int>(axis)]);
  return moved;
}

absl::StatusOr<ChannelsLastConstant> ToChannelsLast(const Constant& constant, int rank) {
  Shape full;
  for (int missing = constant->shape().rank(); missing < rank; ++missing) full.Append(1);
  for (const int64_t dim : constant->shape().dims()) full.Append(dim);
  const Shape moved = ChannelsLastShape(full);
  // With no more than one axis longer than 1 behind the batch there is only one order.
  const auto long_axes = std::count_if(full.dims().begin() + 1, full.dims().end(), [](int64_t dim) { return dim > 1; });
  if (full[1] == 1 || long_axes <= 1) return ChannelsLastConstant{constant, moved};
  const InputType input{true, constant->data_type(), full, constant.get()};
  ASSIGN_OR_RETURN(const kernels::Kernel transpose,
                   kernels::MakeKernel(graph::Transpose{MemoryOrder(rank)}, {input}, {constant->data_type(), moved}));
  ASSIGN_OR_RETURN(Tensor copy, Tensor::Create(constant->data_type(), moved));
  transpose({constant->data()}, copy.mutable_data());
  return ChannelsLastConstant{std::make_shared<const Tensor>(std::move(copy)), moved};
}

Result ToChannelsLast(const graph::Op& op, Inputs inputs) {
  return std::visit([&](const auto& typed) { return Rewrite(typed, inputs); }, op);
}

}  // namespace stillwave::execution
