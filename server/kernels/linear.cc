// Gemm and MatMul, for what oneDNN does not take and for constants. A row's bits do not depend on the rows beside it.
#include <algorithm>
#include <vector>

#include "server/base/status_macros.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {
namespace {

using tensor::Shape;

// A matrix in memory, possibly transposed.
struct Strides {
  int64_t row = 0;
  int64_t column = 0;
};

// y {m,n} += alpha * a {m,k} * b {k,n}. Rows of b are added up, so that the inner loop runs along memory; where b is
// transposed, its columns do.
void AddProduct(int64_t m, int64_t k, int64_t n, float alpha, const float* a, Strides a_strides, const float* b,
                Strides b_strides, float* y) {
  for (int64_t i = 0; i < m; ++i, y += n) {
    const float* a_row = a + i * a_strides.row;
    if (b_strides.column == 1) {
      for (int64_t p = 0; p < k; ++p) {
        const float factor = alpha * a_row[p * a_strides.column];
        const float* b_row = b + p * b_strides.row;
        for (int64_t j = 0; j < n; ++j) y[j] += factor * b_row[j];
      }
      continue;
    }
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      const float* b_column = b + j * b_strides.column;
      for (int64_t p = 0; p < k; ++p) {
        sum += static_cast<double>(a_row[p * a_strides.column]) * static_cast<double>(b_column[p * b_strides.row]);
      }
      y[j] += alpha * static_cast<float>(sum);
    }
  }
}

// The strides of C {m,n}, 0 where it broadcasts.
Strides BroadcastStrides(const Shape& c) {
  const int rank = c.rank();
  const int64_t columns = rank >= 1 ? c[rank - 1] : 1;
  const int64_t rows = rank >= 2 ? c[rank - 2] : 1;
  return {rows == 1 ? 0 : columns, columns == 1 ? 0 : 1};
}

// The offset of each matrix of `shape` {batch…,.,.} for the batch axes of `batch`, which it broadcasts to.
std::vector<int64_t> MatrixOffsets(const Shape& shape, const Shape& batch, int64_t matrix) {
  const int own = std::max(0, shape.rank() - 2);
  std::vector<int64_t> offsets{0};
  int64_t stride = matrix;
  // From the innermost axis outwards: each axis repeats what is there, `stride` further on.
  for (int axis = batch.rank() - 1; axis >= 0; --axis) {
    const int source = axis - (batch.rank() - own);
    const int64_t length = source < 0 ? 1 : shape[source];
    std::vector<int64_t> longer;
    for (int64_t i = 0; i < batch[axis]; ++i) {
      for (const int64_t offset : offsets) longer.push_back(offset + (length == 1 ? 0 : i * stride));
    }
    offsets = std::move(longer);
    stride *= length;
  }
  return offsets;
}

}  // namespace

absl::StatusOr<Kernel> MakeGemm(const graph::Gemm& op, Inputs inputs, const Output& output) {
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  const int64_t m = output.shape[0];
  const int64_t n = output.shape[1];
  const int64_t k = a[op.transpose_a ? 0 : 1];
  const Strides a_strides = op.transpose_a ? Strides{1, a[1]} : Strides{a[1], 1};
  const Strides b_strides = op.transpose_b ? Strides{1, b[1]} : Strides{b[1], 1};
  const bool has_c = inputs.size() > 2 && inputs[2].present && op.beta != 0;
  const Strides c_strides = has_c ? BroadcastStrides(inputs[2].shape) : Strides{};
  return Kernel([=, alpha = op.alpha, beta = op.beta](absl::Span<const void* const> sources, void* dst) {
    auto* y = static_cast<float*>(dst);
    std::fill(y, y + m * n, 0.0F);
    AddProduct(m, k, n, alpha, static_cast<const float*>(sources[0]), a_strides, static_cast<const float*>(sources[1]),
               b_strides, y);
    if (!has_c) return;
    const auto* c = static_cast<const float*>(sources[2]);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) y[i * n + j] += beta * c[i * c_strides.row + j * c_strides.column];
    }
  });
}

absl::StatusOr<Kernel> MakeMatMul(Inputs inputs, const Output& output) {
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  const int64_t k = a[a.rank() - 1];
  const int64_t m = a.rank() > 1 ? a[a.rank() - 2] : 1;
  const int64_t n = b.rank() > 1 ? b[b.rank() - 1] : 1;
  const int vector_axes = (a.rank() == 1 ? 1 : 0) + (b.rank() == 1 ? 1 : 0);
  const Shape batch(output.shape.dims().first(static_cast<size_t>(output.shape.rank() - 2 + vector_axes)));
  std::vector<int64_t> a_offsets = MatrixOffsets(a, batch, m * k);
  std::vector<int64_t> b_offsets = MatrixOffsets(b, batch, k * n);
  return Kernel([=, a_offsets = std::move(a_offsets), b_offsets = std::move(b_offsets)](
                    absl::Span<const void* const> sources, void* dst) {
    const auto* left = static_cast<const float*>(sources[0]);
    const auto* right = static_cast<const float*>(sources[1]);
    auto* y = static_cast<float*>(dst);
    for (size_t i = 0; i < a_offsets.size(); ++i, y += m * n) {
      std::fill(y, y + m * n, 0.0F);
      AddProduct(m, k, n, /*alpha=*/1, left + a_offsets[i], {k, 1}, right + b_offsets[i], {n, 1}, y);
    }
  });
}

}  // namespace stillwave::kernels
