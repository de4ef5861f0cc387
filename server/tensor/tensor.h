// Dense row-major tensors: an owner and two views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/base/check.h"
#include "server/tensor/data_type.h"
#include "server/tensor/shape.h"

namespace stillwave::tensor {

// What a vector register or a cache line wants.
inline constexpr size_t kTensorAlignment = 64;

// Borrowed, read-only. `data` may be unaligned (it can point into a request's bytes).
struct TensorView {
  DataType data_type = DataType::kFloat32;
  Shape shape;
  const void* data = nullptr;

  size_t byte_size() const { return static_cast<size_t>(shape.num_elements()) * SizeOf(data_type); }

  // REQUIRES: T matches data_type and data is aligned for T.
  template <typename T>
  absl::Span<const T> values() const {
    SW_CHECK(data_type == DataTypeOf<T>());
    return absl::Span<const T>(static_cast<const T*>(data), static_cast<size_t>(shape.num_elements()));
  }
};

// Borrowed, writable.
struct MutableTensorView {
  DataType data_type = DataType::kFloat32;
  Shape shape;
  void* data = nullptr;

  template <typename T>
  absl::Span<T> values() const {
    SW_CHECK(data_type == DataTypeOf<T>());
    return absl::Span<T>(static_cast<T*>(data), static_cast<size_t>(shape.num_elements()));
  }
  operator TensorView() const { return {data_type, shape, data}; }  // NOLINT: widening to read-only is meant
};

// Owns its elements, aligned to kTensorAlignment. Movable, not copyable (see Clone). Const use is thread-safe.
class Tensor {
 public:
  // An empty FP32 tensor of shape {0}.
  Tensor() : shape_({0}) {}

  // Elements are not initialised. INVALID_ARGUMENT when the shape is not concrete or its bytes overflow;
  // RESOURCE_EXHAUSTED when over kMaxTensorBytes or when there is no memory.
  static absl::StatusOr<Tensor> Create(DataType data_type, const Shape& shape);

  // REQUIRES: values.size() == shape.num_elements().
  template <typename T>
  static Tensor FromValues(const Shape& shape, absl::Span<const T> values) {
    absl::StatusOr<Tensor> made = Create(DataTypeOf<T>(), shape);
    SW_CHECK_OK(made.status());
    SW_CHECK(static_cast<int64_t>(values.size()) == shape.num_elements());
    if (!values.empty()) std::memcpy(made->mutable_data(), values.data(), values.size() * sizeof(T));
    return *std::move(made);
  }

  Tensor Clone() const;

  DataType data_type() const { return data_type_; }
  const Shape& shape() const { return shape_; }
  int64_t num_elements() const { return shape_.num_elements(); }
  size_t byte_size() const { return static_cast<size_t>(num_elements()) * SizeOf(data_type_); }
  const void* data() const { return data_.get(); }
  void* mutable_data() { return data_.get(); }

  template <typename T>
  absl::Span<const T> values() const {
    return view().values<T>();
  }
  template <typename T>
  absl::Span<T> mutable_values() {
    return mutable_view().values<T>();
  }

  TensorView view() const { return {data_type_, shape_, data_.get()}; }
  MutableTensorView mutable_view() { return {data_type_, shape_, data_.get()}; }

  // The same elements under another shape. REQUIRES: equal element counts.
  void Reshape(const Shape& shape);

 private:
  struct Free {
    void operator()(void* pointer) const;
  };

  DataType data_type_ = DataType::kFloat32;
  Shape shape_;
  std::unique_ptr<void, Free> data_;
};

// A single tensor may not be larger: a model or a request that asks for more is refused, not attempted.
inline constexpr int64_t kMaxTensorBytes = int64_t{2} << 30;

}  // namespace stillwave::tensor
