#include "server/tensor/rows.h"

#include <cstddef>

#include "server/base/check.h"

namespace stillwave::tensor {
namespace {

// From the beginning to row `first`.
size_t OffsetOfRow(const Shape& shape, DataType data_type, int64_t first, int64_t count) {
  SW_CHECK(shape.rank() > 0 && first >= 0 && count >= 0 && first + count <= shape[0]);
  return static_cast<size_t>(WithRows(shape, first).num_elements()) * SizeOf(data_type);
}

}  // namespace

Shape WithRows(const Shape& shape, int64_t rows) {
  Shape result = shape;
  result[0] = rows;
  return result;
}

TensorView Rows(const TensorView& view, int64_t first, int64_t count) {
  const size_t offset = OffsetOfRow(view.shape, view.data_type, first, count);
  return {view.data_type, WithRows(view.shape, count), static_cast<const std::byte*>(view.data) + offset};
}

MutableTensorView Rows(const MutableTensorView& view, int64_t first, int64_t count) {
  const size_t offset = OffsetOfRow(view.shape, view.data_type, first, count);
  return {view.data_type, WithRows(view.shape, count), static_cast<std::byte*>(view.data) + offset};
}

}  // namespace stillwave::tensor
