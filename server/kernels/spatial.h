// The geometry of window kernels: one to three spatial axes as depth, height and width.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "server/graph/op.h"
#include "server/graph/shape_inference.h"

namespace stillwave::kernels {

// One axis. Tap k of the window joins position s of the small side to position s*stride + k*dilation - pad of the large
// side: of a convolution the output is the small side, of a transposed one the input.
struct SpatialAxis {
  int64_t small = 1;
  int64_t large = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad = 0;

  // Positions of the small side, [first, last), whose tap k lies inside the large side; first >= last when there are
  // none.
  int64_t First(int64_t k) const {
    const int64_t before = pad - k * dilation;
    return before <= 0 ? 0 : (before + stride - 1) / stride;
  }
  int64_t Last(int64_t k) const {
    const int64_t room = large - 1 + pad - k * dilation;
    return room < 0 ? 0 : std::min(small, room / stride + 1);
  }
  int64_t LargeAt(int64_t s, int64_t k) const { return s * stride + k * dilation - pad; }
};

// Missing axes are leading ones of length 1.
using SpatialAxes = std::array<SpatialAxis, 3>;

// `small` and `large` are {.,.,spatial…}. UNIMPLEMENTED with more than three spatial axes.
absl::StatusOr<SpatialAxes> MakeSpatialAxes(const graph::Window& window, const graph::ResolvedWindow& resolved,
                                            const tensor::Shape& small, const tensor::Shape& large);

inline int64_t SmallPlane(const SpatialAxes& axes) { return axes[0].small * axes[1].small * axes[2].small; }
inline int64_t LargePlane(const SpatialAxes& axes) { return axes[0].large * axes[1].large * axes[2].large; }
inline int64_t KernelTaps(const SpatialAxes& axes) { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }

// Calls visit(tap, small, large, count): small[i] meets large[i * width stride] for i < count. `small` and `large` are
// offsets in their planes, `tap` the row-major position in the kernel.
template <typename Visit>
void ForEachRow(const SpatialAxes& axes, Visit visit) {
  const auto& [depth, height, width] = axes;
  int64_t tap = 0;
  for (int64_t kd = 0; kd < depth.kernel; ++kd) {
    for (int64_t kh = 0; kh < height.kernel; ++kh) {
      for (int64_t kw = 0; kw < width.kernel; ++kw, ++tap) {
        const int64_t first = width.First(kw);
        const int64_t count = width.Last(kw) - first;
        if (count <= 0) continue;
        for (int64_t d = depth.First(kd); d < depth.Last(kd); ++d) {
          for (int64_t h = height.First(kh); h < height.Last(kh); ++h) {
            const int64_t row = depth.LargeAt(d, kd) * height.large + height.LargeAt(h, kh);
            visit(tap, (d * height.small + h) * width.small + first, row * width.large + width.LargeAt(first, kw),
                  count);
          }
        }
      }
    }
  }
}

}  // namespace stillwave::kernels
