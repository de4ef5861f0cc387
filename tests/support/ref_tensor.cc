#include "tests/support/ref_tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"

namespace stillwave::test_support {
namespace {

using tensor::DataType;

// The element at index i of untyped, maybe unaligned memory.
template <typename T>
T Load(const void* data, size_t i) {
  T value;
  std::memcpy(&value, static_cast<const char*>(data) + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void Store(void* data, size_t i, T value) {
  std::memcpy(static_cast<char*>(data) + i * sizeof(T), &value, sizeof(T));
}

// A format with `mantissa_bits` stored bits below the leading one, whose smallest normal is 2^min_exponent and whose
// largest finite value lies below 2^(max_exponent + 1).
double RoundToFormat(double value, int mantissa_bits, int min_exponent, int max_exponent) {
  if (value == 0 || !std::isfinite(value)) return value;
  int exponent = std::max(std::ilogb(value), min_exponent);
  const double unit = std::ldexp(1.0, exponent - mantissa_bits);
  const double rounded = std::nearbyint(value / unit) * unit;
  if (std::abs(rounded) >= std::ldexp(1.0, max_exponent + 1)) {
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  }
  return rounded;
}

double HalfToDouble(uint16_t bits) {
  const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 0x1F;
  const int mantissa = bits & 0x3FF;
  if (exponent == 0x1F) {
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

uint16_t DoubleToHalf(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000U : 0;
  if (std::isnan(value)) return sign | 0x7E00U;
  const double size = std::abs(RoundToFormat(value, 10, -14, 15));
  if (std::isinf(size)) return sign | 0x7C00U;
  if (size < std::ldexp(1.0, -14)) return static_cast<uint16_t>(sign | static_cast<int>(std::ldexp(size, 24)));
  const int exponent = std::ilogb(size);
  const int mantissa = static_cast<int>(std::ldexp(size, 10 - exponent)) - 1024;
  return static_cast<uint16_t>(sign | ((exponent + 15) << 10) | mantissa);
}

double LoadReal(DataType type, const void* data, size_t i) {
  switch (type) {
    case DataType::kFloat16:
      return HalfToDouble(Load<uint16_t>(data, i));
    case DataType::kBFloat16:
      return std::bit_cast<float>(static_cast<uint32_t>(Load<uint16_t>(data, i)) << 16);
    case DataType::kFloat32:
      return Load<float>(data, i);
    default:
      return Load<double>(data, i);
  }
}

int64_t LoadInteger(DataType type, const void* data, size_t i) {
  switch (type) {
    case DataType::kBool:
      return Load<uint8_t>(data, i) != 0 ? 1 : 0;
    case DataType::kUint8:
      return Load<uint8_t>(data, i);
    case DataType::kUint16:
      return Load<uint16_t>(data, i);
    case DataType::kUint32:
      return Load<uint32_t>(data, i);
    case DataType::kInt8:
      return Load<int8_t>(data, i);
    case DataType::kInt16:
      return Load<int16_t>(data, i);
    case DataType::kInt32:
      return Load<int32_t>(data, i);
    default:
      return Load<int64_t>(data, i);
  }
}

void StoreReal(DataType type, void* data, size_t i, double value) {
  switch (type) {
    case DataType::kFloat16:
      return Store<uint16_t>(data, i, DoubleToHalf(value));
    case DataType::kBFloat16:
      return Store<uint16_t>(
          data, i, static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(RoundTo(type, value))) >> 16));
    case DataType::kFloat32:
      return Store<float>(data, i, static_cast<float>(value));
    default:
      return Store<double>(data, i, value);
  }
}

void StoreInteger(DataType type, void* data, size_t i, int64_t value) {
  switch (tensor::SizeOf(type)) {
    case 1:
      return Store<uint8_t>(data, i, static_cast<uint8_t>(value));
    case 2:
      return Store<uint16_t>(data, i, static_cast<uint16_t>(value));
    case 4:
      return Store<uint32_t>(data, i, static_cast<uint32_t>(value));
    default:
      return Store<int64_t>(data, i, value);
  }
}

bool Close(double got, double want, double atol, double rtol) {
  if (std::isnan(got) || std::isnan(want)) return std::isnan(got) && std::isnan(want);
  if (std::isinf(got) || std::isinf(want)) return got == want;
  return std::abs(got - want) <= atol + rtol * std::abs(want);
}

std::string IntegerDifference(const RefTensor& got, const RefTensor& want) {
  for (size_t i = 0; i < want.integers.size(); ++i) {
    if (got.integers[i] != want.integers[i]) {
      return absl::StrCat("element ", i, " is ", got.integers[i], ", not ", want.integers[i]);
    }
  }
  return "";
}

}  // namespace

bool IsReal(DataType data_type) {
  return data_type == DataType::kFloat16 || data_type == DataType::kBFloat16 || data_type == DataType::kFloat32 ||
         data_type == DataType::kFloat64;
}

bool RefTensor::is_real() const { return IsReal(data_type); }

RefTensor RealTensor(const tensor::Shape& shape, std::vector<double> values) {
  SW_CHECK(static_cast<int64_t>(values.size()) == shape.num_elements());
  return {DataType::kFloat32, shape, std::move(values), {}};
}

RefTensor IntegerTensor(const tensor::Shape& shape, std::vector<int64_t> values) {
  SW_CHECK(static_cast<int64_t>(values.size()) == shape.num_elements());
  return {DataType::kInt64, shape, {}, std::move(values)};
}

RefTensor ZeroTensor(DataType data_type, const tensor::Shape& shape) {
  RefTensor zeros{data_type, shape, {}, {}};
  const auto count = static_cast<size_t>(shape.num_elements());
  if (zeros.is_real()) {
    zeros.reals.assign(count, 0.0);
  } else {
    zeros.integers.assign(count, 0);
  }
  return zeros;
}

RefTensor ToRefTensor(const tensor::TensorView& view) {
  RefTensor ref = ZeroTensor(view.data_type, view.shape);
  for (size_t i = 0; i < ref.reals.size(); ++i) ref.reals[i] = LoadReal(view.data_type, view.data, i);
  for (size_t i = 0; i < ref.integers.size(); ++i) ref.integers[i] = LoadInteger(view.data_type, view.data, i);
  return ref;
}

tensor::Tensor ToTensor(const RefTensor& ref) {
  absl::StatusOr<tensor::Tensor> made = tensor::Tensor::Create(ref.data_type, ref.shape);
  SW_CHECK_OK(made.status());
  for (size_t i = 0; i < ref.reals.size(); ++i) StoreReal(ref.data_type, made->mutable_data(), i, ref.reals[i]);
  for (size_t i = 0; i < ref.integers.size(); ++i) {
    StoreInteger(ref.data_type, made->mutable_data(), i, ref.integers[i]);
  }
  return *std::move(made);
}

double RoundTo(DataType data_type, double value) {
  switch (data_type) {
    case DataType::kFloat16:
      return RoundToFormat(value, 10, -14, 15);
    case DataType::kBFloat16:
      return RoundToFormat(value, 7, -126, 127);
    case DataType::kFloat32:
      return static_cast<float>(value);
    default:
      return value;
  }
}

int64_t WrapTo(DataType data_type, int64_t value) {
  switch (data_type) {
    case DataType::kBool:
      return value != 0 ? 1 : 0;
    case DataType::kUint8:
      return static_cast<uint8_t>(value);
    case DataType::kUint16:
      return static_cast<uint16_t>(value);
    case DataType::kUint32:
      return static_cast<uint32_t>(value);
    case DataType::kInt8:
      return static_cast<int8_t>(value);
    case DataType::kInt16:
      return static_cast<int16_t>(value);
    case DataType::kInt32:
      return static_cast<int32_t>(value);
    default:
      return value;
  }
}

std::string Difference(const RefTensor& got, const RefTensor& want, double atol, double rtol) {
  if (got.data_type != want.data_type) {
    return absl::StrCat("the type is ", tensor::Name(got.data_type), ", not ", tensor::Name(want.data_type));
  }
  if (got.shape != want.shape) {
    return absl::StrCat("the shape is ", got.shape.ToString(), ", not ", want.shape.ToString());
  }
  if (!want.is_real()) return IntegerDifference(got, want);
  size_t wrong = 0;
  size_t first = 0;
  size_t worst = 0;
  for (size_t i = 0; i < want.reals.size(); ++i) {
    if (Close(got.reals[i], want.reals[i], atol, rtol)) continue;
    if (wrong++ == 0) first = worst = i;
    if (std::abs(got.reals[i] - want.reals[i]) > std::abs(got.reals[worst] - want.reals[worst])) worst = i;
  }
  if (wrong == 0) return "";
  return absl::StrCat(wrong, " of ", want.reals.size(), " elements of ", want.shape.ToString(), " differ by more than ",
                      atol, " + ", rtol, "*|want|; first [", first, "]: ", got.reals[first], ", not ",
                      want.reals[first], "; worst [", worst, "]: ", got.reals[worst], ", not ", want.reals[worst]);
}

}  // namespace stillwave::test_support
