// Pools and global pools, for what oneDNN does not take and for constants.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "server/base/status_macros.h"
#include "server/kernels/families.h"
#include "server/kernels/spatial.h"

namespace stillwave::kernels {
namespace {

using graph::PoolKind;
using tensor::Shape;

// The window at one position along one axis.
struct Reach {
  int64_t begin = 0;    // the first element inside the input
  int64_t count = 0;    // elements inside the input, `dilation` apart
  int64_t counted = 0;  // elements inside the input and its declared padding
};

std::vector<Reach> Reaches(const SpatialAxis& axis, int64_t pad_end) {
  std::vector<Reach> reaches;
  for (int64_t s = 0; s < axis.small; ++s) {
    const int64_t start = axis.LargeAt(s, 0);
    const int64_t skipped = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
    // How many taps lie before `end`.
    const auto taps_before = [&](int64_t end) {
      return start >= end ? 0 : std::min(axis.kernel, (end - 1 - start) / axis.dilation + 1);
    };
    reaches.push_back({start + skipped * axis.dilation, std::max<int64_t>(0, taps_before(axis.large) - skipped),
                       taps_before(axis.large + pad_end)});
  }
  return reaches;
}

struct Windows {
  SpatialAxes axes;
  std::array<std::vector<Reach>, 3> reaches;
};

absl::StatusOr<Windows> MakeWindows(const graph::Window& window, bool ceil_mode, const Shape& x, const Shape& y) {
  ASSIGN_OR_RETURN(const graph::ResolvedWindow resolved, graph::ResolveWindow(window, ceil_mode, x));
  Windows windows;
  ASSIGN_OR_RETURN(windows.axes, MakeSpatialAxes(window, resolved, y, x));
  const size_t missing = 3 - resolved.pads_end.size();
  for (size_t i = 0; i < 3; ++i) {
    windows.reaches[i] = Reaches(windows.axes[i], i < missing ? 0 : resolved.pads_end[i - missing]);
  }
  return windows;
}

// Calls visit(offset in the plane, value) for the window's elements inside the input, in row-major order.
template <typename Visit>
void ForEachElement(const SpatialAxes& axes, const Reach& d, const Reach& h, const Reach& w, const float* plane,
                    Visit visit) {
  for (int64_t i = 0; i < d.count; ++i) {
    for (int64_t j = 0; j < h.count; ++j) {
      const int64_t row =
          ((d.begin + i * axes[0].dilation) * axes[1].large + h.begin + j * axes[1].dilation) * axes[2].large;
      for (int64_t k = 0; k < w.count; ++k) {
        const int64_t at = row + w.begin + k * axes[2].dilation;
        visit(at, plane[at]);
      }
    }
  }
}

// Gathers a window's elements into one.
struct Maximum {
  float best = -std::numeric_limits<float>::infinity();
  int64_t at = -1;
  void operator()(int64_t offset, float value) {
    // A NaN wins and stays: nothing is greater than it.
    if (value > best || at < 0 || (std::isnan(value) && !std::isnan(best))) {
      best = value;
      at = offset;
    }
  }
};

struct Sum {
  double sum = 0;
  void operator()(int64_t, float value) { sum += static_cast<double>(value); }
};

struct Norm {
  explicit Norm(int64_t exponent) : p(static_cast<double>(exponent)) {}
  double p;
  double sum = 0;
  void operator()(int64_t, float value) {
    const double magnitude = std::abs(static_cast<double>(value));
    sum += p == 1 ? magnitude : p == 2 ? magnitude * magnitude : std::pow(magnitude, p);
  }
  float Value() const { return static_cast<float>(p == 1 ? sum : p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / p)); }
};

// Calls pool(plane number, plane, d, h, w) for every output element, in order.
template <typename Pool>
void ForEachWindow(const Windows& windows, int64_t planes, const float* x, Pool pool) {
  for (int64_t plane = 0; plane < planes; ++plane, x += LargePlane(windows.axes)) {
    for (const Reach& d : windows.reaches[0]) {
      for (const Reach& h : windows.reaches[1]) {
        for (const Reach& w : windows.reaches[2]) pool(plane, x, d, h, w);
      }
    }
  }
}

// Where an offset of a plane stands when its axes are counted column by column.
int64_t ColumnMajor(const SpatialAxes& axes, int64_t offset) {
  const int64_t w = offset % axes[2].large;
  const int64_t h = offset / axes[2].large % axes[1].large;
  const int64_t d = offset / axes[2].large / axes[1].large;
  return (w * axes[1].large + h) * axes[0].large + d;
}

}  // namespace

absl::StatusOr<Kernel> MakePool(const graph::Pool& op, Inputs inputs, const Output& output) {
  const Shape& x = inputs[0].shape;
  ASSIGN_OR_RETURN(Windows windows, MakeWindows(op.window, op.ceil_mode, x, output.shape));
  const int64_t planes = x[0] * x[1];
  return Kernel([windows = std::move(windows), planes, kind = op.kind, include = op.count_include_pad, p = op.p](
                    absl::Span<const void* const> sources, void* dst) {
    auto* y = static_cast<float*>(dst);
    const SpatialAxes& axes = windows.axes;
    ForEachWindow(windows, planes, static_cast<const float*>(sources[0]),
                  [&](int64_t, const float* plane, const Reach& d, const Reach& h, const Reach& w) {
                    if (kind == PoolKind::kMax) {
                      Maximum maximum;
                      ForEachElement(axes, d, h, w, plane, [&](int64_t at, float value) { maximum(at, value); });
                      *y++ = maximum.best;
                    } else if (kind == PoolKind::kAverage) {
                      Sum sum;
                      ForEachElement(axes, d, h, w, plane, [&](int64_t at, float value) { sum(at, value); });
                      const int64_t count = include ? d.counted * h.counted * w.counted : d.count * h.count * w.count;
                      *y++ = static_cast<float>(sum.sum / static_cast<double>(count));
                    } else {
                      Norm norm(p);
                      ForEachElement(axes, d, h, w, plane, [&](int64_t at, float value) { norm(at, value); });
                      *y++ = norm.Value();
                    }
                  });
  });
}

absl::StatusOr<Kernel> MakeMaxPoolIndices(const graph::MaxPoolIndices& op, Inputs inputs, const Output& output) {
  const Shape& x = inputs[0].shape;
  ASSIGN_OR_RETURN(Windows windows, MakeWindows(op.window, op.ceil_mode, x, output.shape));
  const int64_t planes = x[0] * x[1];
  return Kernel([windows = std::move(windows), planes, columns = op.storage_order == 1](
                    absl::Span<const void* const> sources, void* dst) {
    auto* y = static_cast<int64_t*>(dst);
    const SpatialAxes& axes = windows.axes;
    ForEachWindow(windows, planes, static_cast<const float*>(sources[0]),
                  [&](int64_t number, const float* plane, const Reach& d, const Reach& h, const Reach& w) {
                    Maximum maximum;
                    ForEachElement(axes, d, h, w, plane, [&](int64_t at, float value) { maximum(at, value); });
                    // A window of padding alone has no maximum; 0 is at least an index.
                    const int64_t at = std::max<int64_t>(0, maximum.at);
                    *y++ = number * LargePlane(axes) + (columns ? ColumnMajor(axes, at) : at);
                  });
  });
}

absl::StatusOr<Kernel> MakeGlobalPool(const graph::GlobalPool& op, Inputs inputs, const Output& output) {
  const int64_t planes = output.shape.num_elements();
  const int64_t length = planes == 0 ? 0 : inputs[0].shape.num_elements() / planes;
  return Kernel([planes, length, kind = op.kind, p = op.p](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const float*>(sources[0]);
    auto* y = static_cast<float*>(dst);
    for (int64_t plane = 0; plane < planes; ++plane, x += length) {
      Maximum maximum;
      Sum sum;
      Norm norm(p);
      switch (kind) {
        case PoolKind::kMax:
          for (int64_t i = 0; i < length; ++i) maximum(i, x[i]);
          *y++ = maximum.best;
          break;
        case PoolKind::kAverage:
          for (int64_t i = 0; i < length; ++i) sum(i, x[i]);
          *y++ = static_cast<float>(sum.sum / static_cast<double>(length));
          break;
        case PoolKind::kLp:
          for (int64_t i = 0; i < length; ++i) norm(i, x[i]);
          *y++ = norm.Value();
          break;
      }
    }
  });
}

}  // namespace stillwave::kernels
