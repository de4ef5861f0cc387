// Rows of a tensor: what lies at one index of axis 0, a sample of a batch.
#pragma once

#include <cstdint>

#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::tensor {

// {5, C, T} with 2 rows -> {2, C, T}. REQUIRES: rank >= 1.
Shape WithRows(const Shape& shape, int64_t rows);

// Rows [first, first + count), without a copy. REQUIRES: they lie inside.
TensorView Rows(const TensorView& view, int64_t first, int64_t count);
MutableTensorView Rows(const MutableTensorView& view, int64_t first, int64_t count);

}  // namespace stillwave::tensor
