// Collects the cases of op_cases.h. Used by the op_cases*.cc files only.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/network_builder.h"
#include "tests/support/op_cases.h"

namespace stillwave::test_support {

// Inputs are drawn at random, the same in every run. Not thread-safe.
class CaseList {
 public:
  RefTensor Random(const tensor::Shape& shape) { return RandomTensor(shape, ++seed_); }

  // Each value's magnitude, plus 0.1: for logarithms, roots and variances.
  RefTensor Positive(const tensor::Shape& shape) {
    RefTensor tensor = Random(shape);
    for (double& value : tensor.reals) value = static_cast<float>(std::abs(value) + 0.1);
    return tensor;
  }

  void Add(graph::Op op, std::vector<std::optional<RefTensor>> inputs, size_t data_inputs = 1) {
    std::string name(graph::OpName(op));
    for (const auto& input : inputs) absl::StrAppend(&name, " ", input.has_value() ? input->shape.ToString() : "-");
    absl::StrAppend(&name, " ", graph::OpAttributes(op));
    cases_.push_back({std::move(name), std::move(op), std::move(inputs), data_inputs});
  }

  std::vector<OpCase> Take() { return std::move(cases_); }

 private:
  uint64_t seed_ = 0;
  std::vector<OpCase> cases_;
};

// An INT64 tensor of rank 1.
inline RefTensor Integers(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return IntegerTensor(tensor::Shape({count}), std::move(values));
}

// The same elements as INT32.
inline RefTensor AsInt32(RefTensor tensor) {
  tensor.data_type = tensor::DataType::kInt32;
  return tensor;
}

}  // namespace stillwave::test_support
