// Conv and ConvTranspose, for what oneDNN does not take and for constants. Each output plane is summed over input
// channels and taps in one order, whatever the batch.
#include <algorithm>
#include <vector>

#include "server/base/status_macros.h"
#include "server/graph/transposed_window.h"
#include "server/kernels/families.h"
#include "server/kernels/spatial.h"

namespace stillwave::kernels {
namespace {

using tensor::Shape;

// {N, group, channels of a group} on both sides.
struct Channels {
  int64_t samples = 0;
  int64_t groups = 1;
  int64_t inputs = 0;   // of one group
  int64_t outputs = 0;  // of one group
};

void Relu(float* data, int64_t count) {
  for (int64_t i = 0; i < count; ++i) data[i] = data[i] < 0 ? 0 : data[i];
}

// Calls add(group, output of the group, input of the group, x plane, y plane) for each pair of an output and an input
// of a group, the inputs of one output one after the other.
template <typename Add>
void ForEachPlane(const Channels& channels, int64_t x_plane, int64_t y_plane, bool relu,
                  absl::Span<const void* const> sources, void* dst, Add add) {
  const auto* x = static_cast<const float*>(sources[0]);
  const auto* bias = sources.size() > 2 ? static_cast<const float*>(sources[2]) : nullptr;
  auto* y = static_cast<float*>(dst);
  for (int64_t n = 0; n < channels.samples; ++n) {
    for (int64_t g = 0; g < channels.groups; ++g) {
      for (int64_t m = 0; m < channels.outputs; ++m, y += y_plane) {
        std::fill(y, y + y_plane, bias == nullptr ? 0.0F : bias[g * channels.outputs + m]);
        for (int64_t c = 0; c < channels.inputs; ++c) add(g, m, c, x + c * x_plane, y);
        if (relu) Relu(y, y_plane);
      }
      x += channels.inputs * x_plane;
    }
  }
}

}  // namespace

absl::StatusOr<Kernel> MakeConv(const graph::Conv& op, Inputs inputs, const Output& output) {
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  ASSIGN_OR_RETURN(const graph::ResolvedWindow window, graph::ResolveWindow(op.window, /*ceil_mode=*/false, x));
  ASSIGN_OR_RETURN(const SpatialAxes axes, MakeSpatialAxes(op.window, window, output.shape, x));
  const Channels channels{x[0], op.group, w[1], w[0] / op.group};
  return Kernel([axes, channels, relu = op.fused_relu](absl::Span<const void* const> sources, void* dst) {
    const auto* weights = static_cast<const float*>(sources[1]);
    const int64_t taps = KernelTaps(axes);
    const int64_t stride = axes[2].stride;
    ForEachPlane(channels, LargePlane(axes), SmallPlane(axes), relu, sources, dst,
                 [&](int64_t g, int64_t m, int64_t c, const float* from, float* to) {
                   // {M, C/group, taps}
                   const float* kernel = weights + ((g * channels.outputs + m) * channels.inputs + c) * taps;
                   ForEachRow(axes, [&](int64_t tap, int64_t small, int64_t large, int64_t count) {
                     const float weight = kernel[tap];
                     const float* src = from + large;
                     float* sum = to + small;
                     if (stride == 1) {
                       for (int64_t i = 0; i < count; ++i) sum[i] += weight * src[i];
                     } else {
                       for (int64_t i = 0; i < count; ++i) sum[i] += weight * src[i * stride];
                     }
                   });
                 });
  });
}

absl::StatusOr<Kernel> MakeConvTranspose(const graph::ConvTranspose& op, Inputs inputs, const Output& output) {
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  ASSIGN_OR_RETURN(const graph::ResolvedWindow window, graph::ResolveTransposedWindow(op, x));
  ASSIGN_OR_RETURN(const SpatialAxes axes, MakeSpatialAxes(op.window, window, x, output.shape));
  const Channels channels{x[0], op.group, w[0] / op.group, w[1]};
  return Kernel([axes, channels, relu = op.fused_relu](absl::Span<const void* const> sources, void* dst) {
    const auto* weights = static_cast<const float*>(sources[1]);
    const int64_t taps = KernelTaps(axes);
    const int64_t stride = axes[2].stride;
    ForEachPlane(channels, SmallPlane(axes), LargePlane(axes), relu, sources, dst,
                 [&](int64_t g, int64_t m, int64_t c, const float* from, float* to) {
                   // {C, M/group, taps}
                   const float* kernel = weights + ((g * channels.inputs + c) * channels.outputs + m) * taps;
                   ForEachRow(axes, [&](int64_t tap, int64_t small, int64_t large, int64_t count) {
                     const float weight = kernel[tap];
                     const float* src = from + small;
                     float* sum = to + large;
                     if (stride == 1) {
                       for (int64_t i = 0; i < count; ++i) sum[i] += weight * src[i];
                     } else {
                       for (int64_t i = 0; i < count; ++i) sum[i * stride] += weight * src[i];
                     }
                   });
                 });
  });
}

}  // namespace stillwave::kernels
