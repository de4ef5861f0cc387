// What is put into a network: a user's own samples, or random ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::benchmark {

// FP32 with normally distributed values, the same for the same seed.
absl::StatusOr<std::vector<tensor::Tensor>> RandomInputs(const std::vector<tensor::Shape>& shapes, uint64_t seed);

// One tensor a NumPy file, in the order of the model's inputs. NOT_FOUND or INVALID_ARGUMENT with the file's name.
absl::StatusOr<std::vector<tensor::Tensor>> ReadInputs(const std::vector<std::string>& npy_files);

}  // namespace stillwave::benchmark
