// A series of random samples, window by window through an OverlapRunner, next to the model itself.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/overlap/overlap_runner.h"
#include "tests/server/model/run_model.h"
#include "tests/support/network_builder.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::overlap {

using Outputs = std::vector<tensor::Tensor>;

// Samples of {1, …, T}, FP32.
class RandomSeries {
 public:
  RandomSeries(const tensor::Shape& window, int64_t samples, uint64_t seed) : window_(window) {
    tensor::Shape shape = window;
    shape[shape.rank() - 1] = samples;
    values_ = test_support::ToTensor(test_support::RandomTensor(shape, seed));
  }

  tensor::Tensor Window(int64_t first_sample) const {
    tensor::Tensor window = *tensor::Tensor::Create(tensor::DataType::kFloat32, window_);
    const int64_t length = window_[window_.rank() - 1];
    const int64_t samples = values_.shape()[window_.rank() - 1];
    SW_CHECK(first_sample + length <= samples);
    for (int64_t row = 0; row < window.num_elements() / length; ++row) {
      std::copy_n(values_.values<float>().data() + row * samples + first_sample, length,
                  window.mutable_values<float>().data() + row * length);
    }
    return window;
  }

 private:
  tensor::Shape window_;
  tensor::Tensor values_;
};

// As the scheduler runs a batch of tasks.
inline absl::StatusOr<Outputs> RunBatch(const model::BatchRunner& runner, execution::ExecutionContext& context,
                                        const std::vector<tensor::TensorView>& inputs) {
  std::vector<tensor::Shape> shapes;
  for (const tensor::TensorView& input : inputs) shapes.push_back(input.shape);
  ASSIGN_OR_RETURN(const std::vector<tensor::Shape> output_shapes, runner.OutputShapes(shapes));
  Outputs outputs;
  std::vector<tensor::MutableTensorView> views;
  for (const tensor::Shape& shape : output_shapes) {
    ASSIGN_OR_RETURN(tensor::Tensor output, tensor::Tensor::Create(tensor::DataType::kFloat32, shape));
    outputs.push_back(std::move(output));
    views.push_back(outputs.back().mutable_view());
  }
  RETURN_IF_ERROR(runner.Run(context, inputs, views));
  return outputs;
}

// Rows of several series' windows in one batch.
inline tensor::Tensor Stack(const std::vector<tensor::Tensor>& rows) {
  tensor::Shape shape = rows[0].shape();
  shape[0] = static_cast<int64_t>(rows.size());
  tensor::Tensor stack = *tensor::Tensor::Create(rows[0].data_type(), shape);
  auto* to = static_cast<char*>(stack.mutable_data());
  for (const tensor::Tensor& row : rows) {
    std::copy_n(static_cast<const char*>(row.data()), row.byte_size(), to);
    to += row.byte_size();
  }
  return stack;
}

// The largest difference of two outputs, in parts of the largest value.
inline double RelativeDifference(const Outputs& got, const Outputs& want) {
  double difference = 0;
  for (size_t j = 0; j < want.size(); ++j) {
    double largest = 0;
    double apart = 0;
    for (size_t i = 0; i < want[j].values<float>().size(); ++i) {
      const double value = want[j].values<float>()[i];
      largest = std::max(largest, std::abs(value));
      apart = std::max(apart, std::abs(static_cast<double>(got[j].values<float>()[i]) - value));
    }
    if (apart > 0) difference = std::max(difference, apart / largest);
  }
  return difference;
}

}  // namespace stillwave::overlap
