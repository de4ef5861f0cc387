#include "tests/benchmark/sample_inputs.h"

#include <random>
#include <utility>

#include "absl/types/span.h"
#include "server/base/status_macros.h"
#include "server/npy/npy_file.h"

namespace stillwave::benchmark {

using tensor::Tensor;

absl::StatusOr<std::vector<Tensor>> RandomInputs(const std::vector<tensor::Shape>& shapes, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Tensor> inputs;
  for (const tensor::Shape& shape : shapes) {
    ASSIGN_OR_RETURN(Tensor input, Tensor::Create(tensor::DataType::kFloat32, shape));
    for (float& value : input.mutable_values<float>()) value = normal(random);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

absl::StatusOr<std::vector<Tensor>> ReadInputs(const std::vector<std::string>& npy_files) {
  std::vector<Tensor> inputs;
  for (const std::string& path : npy_files) {
    ASSIGN_OR_RETURN(const npy::NpyArray array, npy::ReadNpyFile(path));
    inputs.push_back(Tensor::FromValues<float>(tensor::Shape(absl::MakeConstSpan(array.shape)), array.values));
  }
  return inputs;
}

}  // namespace stillwave::benchmark
