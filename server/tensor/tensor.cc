#include "server/tensor/tensor.h"

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::tensor {

void Tensor::Free::operator()(void* pointer) const { std::free(pointer); }

absl::StatusOr<Tensor> Tensor::Create(DataType data_type, const Shape& shape) {
  ASSIGN_OR_RETURN(const int64_t count, shape.ElementCount());
  int64_t bytes = 0;
  if (__builtin_mul_overflow(count, static_cast<int64_t>(SizeOf(data_type)), &bytes) || bytes > kMaxTensorBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("a tensor must not exceed ", kMaxTensorBytes, " bytes; ",
                                                     Name(data_type), " ", shape.ToString(), " does"));
  }
  // aligned_alloc wants a multiple of the alignment; an empty tensor still gets a valid pointer.
  const size_t rounded = (static_cast<size_t>(bytes) + kTensorAlignment) / kTensorAlignment * kTensorAlignment;
  Tensor tensor;
  tensor.data_.reset(std::aligned_alloc(kTensorAlignment, rounded));
  if (tensor.data_ == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for ", bytes, " bytes of tensor ", shape.ToString()));
  }
  tensor.data_type_ = data_type;
  tensor.shape_ = shape;
  return tensor;
}

Tensor Tensor::Clone() const {
  absl::StatusOr<Tensor> copy = Create(data_type_, shape_);
  SW_CHECK_OK(copy.status());
  if (byte_size() > 0) std::memcpy(copy->mutable_data(), data(), byte_size());
  return *std::move(copy);
}

void Tensor::Reshape(const Shape& shape) {
  SW_CHECK(shape.num_elements() == shape_.num_elements());
  shape_ = shape;
}

}  // namespace stillwave::tensor
