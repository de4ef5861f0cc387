// Normalizations by the sample's own statistics: InstanceNormalization, GroupNormalization, LayerNormalization.
#include <cstdint>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/kernels/broadcast.h"
#include "server/kernels/families.h"
#include "server/kernels/moments.h"

namespace stillwave::kernels {
namespace {

using tensor::Shape;

int64_t Product(const Shape& shape, int begin, int end) {
  int64_t product = 1;
  for (int axis = begin; axis < end; ++axis) product *= shape[axis];
  return product;
}

// y = (x - mean) * factor + offset. The mean goes first: factor * x alone would round away what is left of a signal far
// from 0.
void ScaleRun(const float* __restrict x, float* __restrict y, int64_t count, float mean, float factor, float offset) {
  for (int64_t i = 0; i < count; ++i) y[i] = (x[i] - mean) * factor + offset;
}

// {N,C,spatial…} with statistics over `group_size` neighboring channels and all of space.
struct ChannelGroups {
  int64_t groups;      // N * C / group_size
  int64_t group_size;  // channels of a group
  int64_t plane;       // elements of a channel
  int64_t channels;
  bool per_group_affine;  // scale and bias by group instead of by channel
  float epsilon;
};

Kernel NormalizeGroups(const ChannelGroups& shape) {
  return [shape](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const float*>(sources[0]);
    const auto* scale = static_cast<const float*>(sources[1]);
    const auto* bias = static_cast<const float*>(sources[2]);
    auto* y = static_cast<float*>(dst);
    const int64_t run = shape.group_size * shape.plane;
    if (run == 0) return;
    for (int64_t group = 0; group < shape.groups; ++group) {
      const Moments moments = MomentsOf(x, run);
      const float factor = moments.Scale(shape.epsilon);
      for (int64_t i = 0; i < shape.group_size; ++i, x += shape.plane, y += shape.plane) {
        const int64_t channel = (group * shape.group_size + i) % shape.channels;
        const int64_t affine = shape.per_group_affine ? channel / shape.group_size : channel;
        ScaleRun(x, y, shape.plane, static_cast<float>(moments.mean), factor * scale[affine], bias[affine]);
      }
    }
  };
}

// True when `affine` has one value for each element of a run of x's last axes, the same for all runs.
bool IsOnePerElement(const Shape& affine, const Shape& x, int axis) {
  const int run_rank = x.rank() - axis;
  for (int i = 1; i <= affine.rank(); ++i) {
    const int64_t dim = affine[affine.rank() - i];
    if (dim != (i <= run_rank ? x[x.rank() - i] : 1)) return false;
  }
  return affine.rank() >= run_rank;
}

struct Runs {
  int64_t count;
  int64_t length;
  float epsilon;
};

// {count, length} x {length}, {length}
Kernel NormalizeRuns(const Runs& runs, bool has_bias) {
  return [runs, has_bias](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const float*>(sources[0]);
    const auto* __restrict scale = static_cast<const float*>(sources[1]);
    const auto* __restrict bias = has_bias ? static_cast<const float*>(sources[2]) : nullptr;
    auto* y = static_cast<float*>(dst);
    if (runs.length == 0) return;
    for (int64_t run = 0; run < runs.count; ++run, x += runs.length, y += runs.length) {
      const Moments moments = MomentsOf(x, runs.length);
      const auto mean = static_cast<float>(moments.mean);
      const float factor = moments.Scale(runs.epsilon);
      const float* __restrict from = x;
      float* __restrict to = y;
      if (has_bias) {
        for (int64_t i = 0; i < runs.length; ++i) to[i] = (from[i] - mean) * factor * scale[i] + bias[i];
      } else {
        for (int64_t i = 0; i < runs.length; ++i) to[i] = (from[i] - mean) * factor * scale[i];
      }
    }
  };
}

// Scale and bias of any shape that broadcasts: normalized first, then scaled in place.
Kernel NormalizeThenScale(const Runs& runs, const BroadcastPlan& plan, bool has_bias) {
  return [runs, plan, has_bias](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const float*>(sources[0]);
    const auto* scale = static_cast<const float*>(sources[1]);
    const auto* bias = has_bias ? static_cast<const float*>(sources[2]) : nullptr;
    auto* y = static_cast<float*>(dst);
    if (runs.length == 0) return;
    for (int64_t run = 0; run < runs.count; ++run) {
      const Moments moments = MomentsOf(x + run * runs.length, runs.length);
      ScaleRun(x + run * runs.length, y + run * runs.length, runs.length, static_cast<float>(moments.mean),
               moments.Scale(runs.epsilon), 0);
    }
    plan.ForEachRow([&](const BroadcastPlan::Offsets& at) {
      float* row = y + at[0];
      for (int64_t i = 0; i < plan.row_length(); ++i) {
        const float offset = has_bias ? bias[at[2] + i * plan.row_strides()[2]] : 0;
        row[i] = row[i] * scale[at[1] + i * plan.row_strides()[1]] + offset;
      }
    });
  };
}

}  // namespace

absl::StatusOr<Kernel> MakeInstanceNormalization(const graph::InstanceNormalization& op, Inputs, const Output& output) {
  const Shape& x = output.shape;
  return NormalizeGroups({.groups = x[0] * x[1],
                          .group_size = 1,
                          .plane = Product(x, 2, x.rank()),
                          .channels = x[1],
                          .per_group_affine = false,
                          .epsilon = op.epsilon});
}

absl::StatusOr<Kernel> MakeGroupNormalization(const graph::GroupNormalization& op, Inputs, const Output& output) {
  const Shape& x = output.shape;
  return NormalizeGroups({.groups = x[0] * op.groups,
                          .group_size = x[1] / op.groups,
                          .plane = Product(x, 2, x.rank()),
                          .channels = x[1],
                          .per_group_affine = op.per_group_affine,
                          .epsilon = op.epsilon});
}

absl::StatusOr<Kernel> MakeLayerNormalization(const graph::LayerNormalization& op, Inputs inputs,
                                              const Output& output) {
  const Shape& x = output.shape;
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, x.rank()));
  const Runs runs{Product(x, 0, axis), Product(x, axis, x.rank()), op.epsilon};
  const bool has_bias = inputs.size() > 2 && inputs[2].present;
  if (IsOnePerElement(inputs[1].shape, x, axis) && (!has_bias || IsOnePerElement(inputs[2].shape, x, axis))) {
    return NormalizeRuns(runs, has_bias);
  }
  return NormalizeThenScale(runs, BroadcastPlan({x, inputs[1].shape, has_bias ? inputs[2].shape : Shape()}, x),
                            has_bias);
}

}  // namespace stillwave::kernels
