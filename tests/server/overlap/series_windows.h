// Windows of a random series, for tests that compare neighbors.
#pragma once

#include <cstdint>

#include "tests/support/ref_tensor.h"

namespace stillwave::overlap {

// Samples [begin, begin + count) of {…, T}.
inline test_support::RefTensor Samples(const test_support::RefTensor& series, int64_t begin, int64_t count) {
  tensor::Shape shape = series.shape;
  const int64_t length = shape[shape.rank() - 1];
  shape[shape.rank() - 1] = count;
  test_support::RefTensor part = test_support::ZeroTensor(series.data_type, shape);
  const int64_t rows = count == 0 ? 0 : part.shape.num_elements() / count;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t t = 0; t < count; ++t) {
      part.reals[static_cast<size_t>(row * count + t)] = series.reals[static_cast<size_t>(row * length + begin + t)];
    }
  }
  return part;
}

// {outer, positions, inner}: one axis of a tensor, the others gathered around it.
struct AxisView {
  int64_t outer = 1;
  int64_t positions = 0;
  int64_t inner = 1;

  AxisView(const tensor::Shape& shape, int axis) : positions(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

// Whether position `a` of one tensor is position `b` of the other along `axis`, to the bit.
inline bool SamePosition(const test_support::RefTensor& x, int64_t a, const test_support::RefTensor& y, int64_t b,
                         int axis) {
  const AxisView xs(x.shape, axis);
  const AxisView ys(y.shape, axis);
  for (int64_t o = 0; o < xs.outer; ++o) {
    for (int64_t i = 0; i < xs.inner; ++i) {
      const auto from = static_cast<size_t>((o * xs.positions + a) * xs.inner + i);
      const auto to = static_cast<size_t>((o * ys.positions + b) * ys.inner + i);
      if (x.reals[from] != y.reals[to]) return false;
    }
  }
  return xs.outer == ys.outer && xs.inner == ys.inner;
}

}  // namespace stillwave::overlap
