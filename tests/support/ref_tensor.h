// The tensors of the reference interpreter: row-major, every element a double or an int64.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tensor/data_type.h"
#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::test_support {

// Of `reals` and `integers` the one that fits `data_type` holds shape.num_elements() elements; the other is empty.
struct RefTensor {
  tensor::DataType data_type = tensor::DataType::kFloat32;
  tensor::Shape shape;
  std::vector<double> reals;      // FP16, BF16, FP32, FP64
  std::vector<int64_t> integers;  // BOOL (0 or 1) and all integer types; UINT64 as its bits

  bool is_real() const;
};

// FP16, BF16, FP32 and FP64.
bool IsReal(tensor::DataType data_type);

// A tensor of FP32 kind. REQUIRES: values.size() is the shape's element count.
RefTensor RealTensor(const tensor::Shape& shape, std::vector<double> values);
// A tensor of INT64. REQUIRES: as above.
RefTensor IntegerTensor(const tensor::Shape& shape, std::vector<int64_t> values);
// All elements 0. REQUIRES: the shape is concrete.
RefTensor ZeroTensor(tensor::DataType data_type, const tensor::Shape& shape);

// Exact. REQUIRES: the view holds its elements.
RefTensor ToRefTensor(const tensor::TensorView& view);

// Rounds reals to the nearest value of the tensor's type.
tensor::Tensor ToTensor(const RefTensor& ref);

// `value` rounded to the nearest (ties to even) value of a floating type, back as double; FP64 is left as it is.
double RoundTo(tensor::DataType data_type, double value);
// `value` wrapped as C++ wraps it on conversion to an integer type; BOOL: whether it is not 0.
int64_t WrapTo(tensor::DataType data_type, int64_t value);

// Empty when the two have equal types, equal shapes and elements with |got - want| <= atol + rtol * |want| (equal
// infinities and two NaNs are close; integers must be equal). Else a sentence with the first and the worst element.
std::string Difference(const RefTensor& got, const RefTensor& want, double atol, double rtol);

}  // namespace stillwave::test_support
