#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {
namespace {

using graph::ReduceKind;
using tensor::Shape;

// The input's axes as one odometer over kept axes (outer) and one over reduced axes (inner).
struct Loops {
  std::vector<int64_t> lengths;
  std::vector<int64_t> strides;

  // The offset of every position, in row-major order.
  std::vector<int64_t> Offsets() const {
    std::vector<int64_t> offsets{0};
    for (size_t axis = 0; axis < lengths.size(); ++axis) {
      std::vector<int64_t> next;
      next.reserve(offsets.size() * static_cast<size_t>(lengths[axis]));
      for (const int64_t offset : offsets) {
        for (int64_t i = 0; i < lengths[axis]; ++i) next.push_back(offset + i * strides[axis]);
      }
      offsets = std::move(next);
    }
    return offsets;
  }
};

}  // namespace

// Sums are formed in double: exact enough that the order of axes does not show in a float.
absl::StatusOr<Kernel> MakeReduce(const graph::Reduce& op, Inputs inputs, const Output&) {
  ASSIGN_OR_RETURN(const std::vector<int> axes, graph::ReduceAxes(op, inputs));
  if (inputs[0].data_type != tensor::DataType::kFloat32) return absl::UnimplementedError("reduces FP32 only");
  const Shape& x = inputs[0].shape;
  const std::vector<int64_t> strides = tensor::RowMajorStrides(x);
  Loops kept;
  Loops reduced;
  for (int axis = 0; axis < x.rank(); ++axis) {
    Loops& loops = std::binary_search(axes.begin(), axes.end(), axis) ? reduced : kept;
    loops.lengths.push_back(x[axis]);
    loops.strides.push_back(strides[static_cast<size_t>(axis)]);
  }
  std::vector<int64_t> outer = kept.Offsets();
  std::vector<int64_t> inner = reduced.Offsets();
  return Kernel([kind = op.kind, outer = std::move(outer), inner = std::move(inner)](
                    absl::Span<const void* const> sources, void* dst) {
    const auto* from = static_cast<const float*>(sources[0]);
    auto* to = static_cast<float*>(dst);
    for (const int64_t base : outer) {
      if (kind == ReduceKind::kMax) {
        float best = -std::numeric_limits<float>::infinity();
        for (const int64_t offset : inner) {
          const float value = from[base + offset];
          // A NaN wins and stays: nothing is greater than it.
          if (value > best || std::isnan(value)) best = value;
        }
        *to++ = best;
        continue;
      }
      double sum = 0;
      for (const int64_t offset : inner) sum += static_cast<double>(from[base + offset]);
      *to++ = static_cast<float>(kind == ReduceKind::kMean ? sum / static_cast<double>(inner.size()) : sum);
    }
  });
}

}  // namespace stillwave::kernels
