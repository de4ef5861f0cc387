#include "server/recalibration/calibration_data.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/base/status_macros.h"
#include "server/npy/npy_file.h"

namespace stillwave::recalibration {
namespace {

using tensor::Shape;
using tensor::Tensor;

// "[N,3,T]", and with dimensions before it.
std::string WantedText(const Shape& input) {
  std::string text = "N";
  for (int axis = 1; axis < input.rank(); ++axis) {
    absl::StrAppend(&text, ",",
                    input[axis] >= 0           ? absl::StrCat(input[axis])
                    : axis == input.rank() - 1 ? "T"
                                               : absl::StrCat("D", axis));
  }
  return text;
}

// Whether the array's last axes are those of a sample.
bool FitsSample(absl::Span<const int64_t> sample, const Shape& input) {
  for (int axis = 1; axis < input.rank(); ++axis) {
    if (input[axis] >= 0 && sample[static_cast<size_t>(axis - 1)] != input[axis]) return false;
  }
  return true;
}

absl::Status CheckArray(const std::vector<int64_t>& shape, const Shape& input) {
  const auto sample_rank = static_cast<size_t>(input.rank() - 1);
  const auto rank = shape.size();
  if (rank >= sample_rank && rank <= sample_rank + 2 &&
      FitsSample(absl::MakeConstSpan(shape).last(sample_rank), input)) {
    return absl::OkStatus();
  }
  const std::string wanted = WantedText(input);
  return absl::InvalidArgumentError(absl::StrCat("shape must be [", wanted, "], [", wanted.substr(2),
                                                 "] for one sample, or [B,", wanted, "] for ready batches; was ",
                                                 npy::ShapeText(shape)));
}

Shape WithSamples(int64_t samples, const Shape& sample) {
  Shape shape({samples});
  for (const int64_t dim : sample.dims()) shape.Append(dim);
  return shape;
}

absl::StatusOr<npy::NpyArray> LoadArray(const std::string& path, const std::vector<int64_t>& shape) {
  ASSIGN_OR_RETURN(npy::NpyArray array, npy::ReadNpyFile(path));
  if (array.shape != shape)
    return absl::InvalidArgumentError(absl::StrCat(path, ": the file changed while it was read"));
  if (array.not_finite > 0) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": values must be finite; ", array.not_finite, " of ",
                                                   array.values.size(), " are NaN or infinite"));
  }
  return array;
}

}  // namespace

void CalibrationData::AddSamples(size_t file, const Shape& sample, int64_t count, int64_t batch, bool& is_open) {
  for (int64_t begin = 0; begin < count;) {
    if (!is_open || WithSamples(batches_.back().shape[0], sample) != batches_.back().shape) {
      batches_.push_back({WithSamples(0, sample), {}});
    }
    Batch& last = batches_.back();
    const int64_t taken = std::min(count - begin, batch - last.shape[0]);
    last.pieces.push_back({file, begin, taken});
    last.shape[0] += taken;
    begin += taken;
    is_open = last.shape[0] < batch;
  }
}

absl::StatusOr<CalibrationData> CalibrationData::Open(const std::vector<std::string>& files, const Shape& input,
                                                      std::optional<int64_t> batch) {
  CalibrationData data;
  bool is_open = false;  // whether the last batch takes more samples
  for (const std::string& path : files) {
    ASSIGN_OR_RETURN(npy::NpyHeader header, npy::ReadNpyFileHeader(path));
    const std::vector<int64_t>& shape = header.shape;
    RETURN_IF_ERROR(base::Annotate(CheckArray(shape, input), path));
    const auto sample_rank = static_cast<size_t>(input.rank() - 1);
    const Shape sample(absl::MakeConstSpan(shape).last(sample_rank));
    const size_t file = data.files_.size();
    if (shape.size() < sample_rank + 2) {
      const int64_t count = shape.size() == sample_rank ? 1 : shape[0];
      data.AddSamples(file, sample, count, batch.value_or(kDefaultBatch), is_open);
    } else if (batch.has_value()) {
      return absl::OutOfRangeError(absl::StrCat("--batch must be left out for ready batches; ", path, " of shape ",
                                                npy::ShapeText(shape), " holds ", shape[0], " of them"));
    } else {
      for (int64_t i = 0; i < shape[0]; ++i) {
        data.batches_.push_back({WithSamples(shape[1], sample), {{file, i * shape[1], shape[1]}}});
      }
      is_open = false;
    }
    data.files_.push_back({path, std::move(header.shape)});
  }
  return data;
}

int64_t CalibrationData::samples() const {
  int64_t samples = 0;
  for (const Batch& batch : batches_) samples += batch.shape[0];
  return samples;
}

std::vector<Shape> CalibrationData::BatchShapes() const {
  std::vector<Shape> shapes;
  for (const Batch& batch : batches_) {
    if (std::find(shapes.begin(), shapes.end(), batch.shape) == shapes.end()) shapes.push_back(batch.shape);
  }
  return shapes;
}

absl::Status CalibrationData::ForEachBatch(absl::FunctionRef<absl::Status(const Tensor& batch)> take) const {
  npy::NpyArray array;
  std::optional<size_t> loaded;
  for (const Batch& batch : batches_) {
    ASSIGN_OR_RETURN(Tensor tensor, Tensor::Create(tensor::DataType::kFloat32, batch.shape));
    const auto sample_values = static_cast<size_t>(batch.shape.num_elements() / batch.shape[0]);
    float* target = tensor.mutable_values<float>().data();
    for (const Piece& piece : batch.pieces) {
      if (loaded != piece.file) {
        array = {};
        const File& file = files_[piece.file];
        ASSIGN_OR_RETURN(array, LoadArray(file.path, file.shape));
        loaded = piece.file;
      }
      const size_t count = static_cast<size_t>(piece.count) * sample_values;
      std::memcpy(target, array.values.data() + static_cast<size_t>(piece.begin) * sample_values,
                  count * sizeof(float));
      target += count;
    }
    RETURN_IF_ERROR(take(tensor));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::recalibration
