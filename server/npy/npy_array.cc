#include "server/npy/npy_array.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/npy/npy_header.h"

namespace stillwave::npy {
namespace {

template <typename T>
double LoadElement(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(value);
}

struct ElementType {
  const char* descr;
  size_t bytes;
  double (*load)(const char* at);
};

constexpr std::array<ElementType, 8> kElementTypes = {{
    {"<f4", 4, LoadElement<float>},
    {"<f8", 8, LoadElement<double>},
    {"<i2", 2, LoadElement<int16_t>},
    {"<i4", 4, LoadElement<int32_t>},
    {"<i8", 8, LoadElement<int64_t>},
    {"<u2", 2, LoadElement<uint16_t>},
    {"|i1", 1, LoadElement<int8_t>},
    {"|u1", 1, LoadElement<uint8_t>},
}};

absl::StatusOr<ElementType> FindElementType(const std::string& descr) {
  std::vector<std::string> known;
  for (const ElementType& type : kElementTypes) {
    if (descr == type.descr) return type;
    known.push_back(type.descr);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("element type must be one of ", absl::StrJoin(known, " "), "; was '", descr, "'"));
}

// Where the elements of the file go: file element i is element target(i) of the row-major array.
class FortranOrder {
 public:
  explicit FortranOrder(const std::vector<int64_t>& shape) : shape_(shape), strides_(shape.size(), 1) {
    for (size_t axis = shape.size() - 1; axis > 0; --axis) strides_[axis - 1] = strides_[axis] * shape[axis];
  }

  int64_t RowMajorIndex(int64_t fortran_index) const {
    int64_t target = 0;
    for (size_t axis = 0; axis < shape_.size(); ++axis) {
      target += fortran_index % shape_[axis] * strides_[axis];
      fortran_index /= shape_[axis];
    }
    return target;
  }

 private:
  const std::vector<int64_t>& shape_;
  std::vector<int64_t> strides_;
};

}  // namespace

std::string ShapeText(const std::vector<int64_t>& shape) { return absl::StrCat("[", absl::StrJoin(shape, ","), "]"); }

absl::StatusOr<int64_t> CountElements(const std::vector<int64_t>& shape) {
  if (shape.empty()) return absl::InvalidArgumentError("a scalar holds no samples");
  int64_t count = 1;
  for (const int64_t dim : shape) {
    if (dim <= 0) return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeText(shape), " holds no samples"));
    if (dim > kMaxValues / count) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", ShapeText(shape), " holds more than ", kMaxValues, " values"));
    }
    count *= dim;
  }
  return count;
}

absl::StatusOr<NpyArray> ParseNpy(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const NpyHeader header, ParseNpyHeader(bytes));
  ASSIGN_OR_RETURN(const ElementType type, FindElementType(header.descr));
  ASSIGN_OR_RETURN(const int64_t count, CountElements(header.shape));
  const absl::string_view data = bytes.substr(header.data_offset);
  if (data.size() != static_cast<size_t>(count) * type.bytes) {
    return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeText(header.shape), " of ", header.descr, " takes ",
                                                   static_cast<size_t>(count) * type.bytes, " bytes; the file has ",
                                                   data.size()));
  }
  NpyArray array;
  array.shape = header.shape;
  array.values.resize(static_cast<size_t>(count));
  const FortranOrder fortran(array.shape);
  for (int64_t i = 0; i < count; ++i) {
    const double value = type.load(data.data() + static_cast<size_t>(i) * type.bytes);
    // A number that is finite in the file must be so in FP32; tested before the conversion, which would be undefined.
    if (std::isfinite(value) && std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
      return absl::InvalidArgumentError(absl::StrCat("element ", i, " is ", value, ", which does not fit into FP32"));
    }
    if (!std::isfinite(value)) ++array.not_finite;
    const int64_t target = header.fortran_order ? fortran.RowMajorIndex(i) : i;
    array.values[static_cast<size_t>(target)] = static_cast<float>(value);
  }
  return array;
}

}  // namespace stillwave::npy
