// What a model takes and gives.
#pragma once

#include <string>
#include <vector>

#include "server/tensor/data_type.h"
#include "server/tensor/shape.h"

namespace stillwave::model {

struct TensorSpec {
  std::string name;
  tensor::DataType data_type = tensor::DataType::kFloat32;
  // With the batch axis first, as -1; other axes are -1 where a request may choose them (the time axis).
  tensor::Shape shape;
};

struct ModelSignature {
  std::vector<TensorSpec> inputs;   // in the file's order
  std::vector<TensorSpec> outputs;  // in the file's order
};

}  // namespace stillwave::model
