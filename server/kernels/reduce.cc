// Reductions over any axes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/kernels/families.h"
#include "server/kernels/fold.h"
#include "server/kernels/visit_type.h"

namespace stillwave::kernels {
namespace {

using graph::ReduceKind;
using tensor::DataType;
using tensor::Shape;

// A walk over some of a tensor's axes in row-major order.
struct Walk {
  int rank = 0;
  std::array<int64_t, tensor::kMaxRank> lengths{};
  std::array<int64_t, tensor::kMaxRank> strides{};
  bool empty = false;

  void Append(int64_t length, int64_t stride) {
    lengths[static_cast<size_t>(rank)] = length;
    strides[static_cast<size_t>(rank++)] = stride;
    if (length == 0) empty = true;
  }

  // Calls visit(offset) for every position.
  template <typename Visit>
  void ForEach(Visit visit) const {
    if (empty) return;
    int64_t offset = 0;
    std::array<int64_t, tensor::kMaxRank> index{};
    while (true) {
      visit(offset);
      int axis = rank - 1;
      for (; axis >= 0; --axis) {
        const auto i = static_cast<size_t>(axis);
        offset += strides[i];
        if (++index[i] < lengths[i]) break;
        offset -= strides[i] * lengths[i];
        index[i] = 0;
      }
      if (axis < 0) return;
    }
  }
};

// The input's axes with neighbors of one kind joined. The last lies densely in memory: the row, which is folded or
// kept.
//
//   {N,C,T}, axes [2]: kept {N*C}, row T folded           {N,C,T}, axes [1]: kept {N}, folded {C}, row T kept
struct ReducePlan {
  Walk kept;
  Walk folded;
  int64_t row = 1;
  bool row_is_folded = true;
  int64_t folded_count = 1;  // elements behind one output
};

ReducePlan PlanReduce(const Shape& x, const std::vector<int>& axes) {
  struct Group {
    int64_t length;
    bool is_folded;
  };
  std::vector<Group> groups;
  ReducePlan plan;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool is_folded = std::binary_search(axes.begin(), axes.end(), axis);
    if (is_folded) plan.folded_count *= x[axis];
    if (x[axis] == 1) continue;
    if (!groups.empty() && groups.back().is_folded == is_folded) {
      groups.back().length *= x[axis];
    } else {
      groups.push_back({x[axis], is_folded});
    }
  }
  if (groups.empty()) return plan;
  plan.row = groups.back().length;
  plan.row_is_folded = groups.back().is_folded;
  groups.pop_back();
  std::vector<int64_t> strides(groups.size());
  int64_t stride = plan.row;
  for (size_t i = groups.size(); i-- > 0; stride *= groups[i].length) strides[i] = stride;
  for (size_t i = 0; i < groups.size(); ++i) {
    (groups[i].is_folded ? plan.folded : plan.kept).Append(groups[i].length, strides[i]);
  }
  return plan;
}

// Two elements in a row are folded by different lanes: one chain of additions would wait for each. Which element goes
// to which lane depends on the row alone, so bits do not depend on what stands beside it.
constexpr int64_t kLanes = 8;

template <typename Fold, typename T>
void FoldRow(const T* x, int64_t count, std::array<typename Fold::State, kLanes>& lanes) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) Fold::Step(lanes[static_cast<size_t>(lane)], x[i + lane]);
  }
  for (int64_t lane = 0; i < count; ++i, ++lane) Fold::Step(lanes[static_cast<size_t>(lane)], x[i]);
}

template <typename Fold, typename T>
void ReduceRows(const ReducePlan& plan, const void* src, void* dst) {
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<T*>(dst);
  plan.kept.ForEach([&](int64_t base) {
    std::array<typename Fold::State, kLanes> lanes;
    lanes.fill(Fold::Start());
    plan.folded.ForEach([&](int64_t offset) { FoldRow<Fold>(x + base + offset, plan.row, lanes); });
    for (size_t lane = 1; lane < kLanes; ++lane) Fold::Join(lanes[0], lanes[lane]);
    *y++ = Fold::Finish(lanes[0], plan.folded_count);
  });
}

// Whole rows are kept: their columns are folded side by side, as many as fit into the first cache.
template <typename Fold, typename T>
void ReduceColumns(const ReducePlan& plan, const void* src, void* dst) {
  constexpr int64_t kTile = 64;
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<T*>(dst);
  plan.kept.ForEach([&](int64_t base) {
    for (int64_t begin = 0; begin < plan.row; begin += kTile) {
      const int64_t count = std::min(kTile, plan.row - begin);
      std::array<typename Fold::State, kTile> states;
      states.fill(Fold::Start());
      plan.folded.ForEach([&](int64_t offset) {
        const T* from = x + base + offset + begin;
        for (int64_t i = 0; i < count; ++i) Fold::Step(states[static_cast<size_t>(i)], from[i]);
      });
      for (int64_t i = 0; i < count; ++i) y[i] = Fold::Finish(states[static_cast<size_t>(i)], plan.folded_count);
      y += count;
    }
  });
}

template <typename Fold, typename T>
Kernel FoldKernel(const ReducePlan& plan) {
  if (plan.row_is_folded) {
    return [plan](absl::Span<const void* const> sources, void* dst) { ReduceRows<Fold, T>(plan, sources[0], dst); };
  }
  return [plan](absl::Span<const void* const> sources, void* dst) { ReduceColumns<Fold, T>(plan, sources[0], dst); };
}

template <typename T>
Kernel SumKernel(ReduceKind kind, const ReducePlan& plan) {
  switch (kind) {
    case ReduceKind::kMean:
      return FoldKernel<SumFold<ReduceKind::kMean, T>, T>(plan);
    case ReduceKind::kSum:
      return FoldKernel<SumFold<ReduceKind::kSum, T>, T>(plan);
    case ReduceKind::kProd:
      return FoldKernel<SumFold<ReduceKind::kProd, T>, T>(plan);
    case ReduceKind::kL1:
      return FoldKernel<SumFold<ReduceKind::kL1, T>, T>(plan);
    case ReduceKind::kL2:
      return FoldKernel<SumFold<ReduceKind::kL2, T>, T>(plan);
    case ReduceKind::kLogSum:
      return FoldKernel<SumFold<ReduceKind::kLogSum, T>, T>(plan);
    case ReduceKind::kLogSumExp:
      return FoldKernel<LogSumExpFold<T>, T>(plan);
    case ReduceKind::kSumSquare:
      return FoldKernel<SumFold<ReduceKind::kSumSquare, T>, T>(plan);
    default:
      return nullptr;
  }
}

template <typename T>
Kernel ForType(ReduceKind kind, const ReducePlan& plan) {
  if (kind == ReduceKind::kMax) return FoldKernel<ExtremeFold<ReduceKind::kMax, T>, T>(plan);
  if (kind == ReduceKind::kMin) return FoldKernel<ExtremeFold<ReduceKind::kMin, T>, T>(plan);
  if constexpr (sizeof(T) >= sizeof(int32_t)) return SumKernel<T>(kind, plan);  // ONNX adds up no shorter integers
  return nullptr;
}

}  // namespace

absl::StatusOr<Kernel> MakeReduce(const graph::Reduce& op, Inputs inputs, const Output&) {
  ASSIGN_OR_RETURN(const std::vector<int> axes, graph::ReduceAxes(op, inputs));
  const ReducePlan plan = PlanReduce(inputs[0].shape, axes);
  Kernel kernel;
  if (inputs[0].data_type == DataType::kBool) {
    kernel = ForType<bool>(op.kind, plan);
  } else {
    VisitNumber(inputs[0].data_type, [&](auto x) { kernel = ForType<decltype(x)>(op.kind, plan); });
  }
  if (kernel != nullptr) return kernel;
  return absl::UnimplementedError(absl::StrCat("no ", graph::OpName(op), " of ", tensor::Name(inputs[0].data_type)));
}

}  // namespace stillwave::kernels
