// The samples to recalibrate on: .npy files, cut into batches.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::recalibration {

// Where the batches lie; of the data only what a batch needs is in memory (one file at a time). Immutable.
class CalibrationData {
 public:
  // PyTorch's own default of 1 would make small statistics; this is what people train with.
  static constexpr int64_t kDefaultBatch = 32;

  // Reads the files' headers. For a network input of {N,C,T} (any rank R; dimensions may be dynamic) an array is
  //   of rank R    {N,C,T}: samples, cut into batches of `batch` in the order of the files
  //   of rank R-1  {C,T}: one sample
  //   of rank R+1  {B,N,C,T}: B batches as they are
  // A batch ends early where the samples' shape changes and after the last file. NOT_FOUND or INVALID_ARGUMENT naming
  // the file and the rule; OUT_OF_RANGE when `batch` is given and a file holds ready batches.
  // REQUIRES: R > 1, batch > 0.
  static absl::StatusOr<CalibrationData> Open(const std::vector<std::string>& files, const tensor::Shape& input,
                                              std::optional<int64_t> batch);

  int64_t batches() const { return static_cast<int64_t>(batches_.size()); }
  int64_t samples() const;
  // Each once.
  std::vector<tensor::Shape> BatchShapes() const;

  // Calls `take` with every batch in order; its error ends it. INVALID_ARGUMENT naming the file when a value is NaN or
  // infinite, or when the file is no longer what Open saw.
  absl::Status ForEachBatch(absl::FunctionRef<absl::Status(const tensor::Tensor& batch)> take) const;

 private:
  // Samples of one file.
  struct Piece {
    size_t file = 0;
    int64_t begin = 0;
    int64_t count = 0;
  };
  struct Batch {
    tensor::Shape shape;
    std::vector<Piece> pieces;
  };
  struct File {
    std::string path;
    std::vector<int64_t> shape;
  };

  void AddSamples(size_t file, const tensor::Shape& sample, int64_t count, int64_t batch, bool& is_open);

  std::vector<File> files_;
  std::vector<Batch> batches_;
};

}  // namespace stillwave::recalibration
