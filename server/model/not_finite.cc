#include "server/model/not_finite.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/tensor/finite.h"

namespace stillwave::model {
namespace {

using tensor::DataType;

bool HasNaN(DataType type) { return type == DataType::kFloat32 || type == DataType::kFloat64; }

template <typename T>
void FillRows(absl::Span<const int64_t> samples, tensor::Tensor& output) {
  const absl::Span<T> values = output.mutable_values<T>();
  const size_t row = values.size() / static_cast<size_t>(output.shape()[0]);
  for (const int64_t sample : samples) {
    const absl::Span<T> of_sample = values.subspan(static_cast<size_t>(sample) * row, row);
    std::fill(of_sample.begin(), of_sample.end(), std::numeric_limits<T>::quiet_NaN());
  }
}

}  // namespace

void FindNotFiniteSamples(const tensor::TensorView& input, std::vector<int64_t>& samples) {
  if (input.data_type != DataType::kFloat32 || input.shape[0] == 0) return;
  const int64_t elements = input.shape.num_elements();
  const int64_t row = elements / input.shape[0];
  const auto* const data = static_cast<const std::byte*>(input.data);
  for (int64_t begin = 0; begin < elements;) {
    const std::optional<int64_t> found =
        tensor::FindNonFinite(data + static_cast<size_t>(begin) * sizeof(float), elements - begin);
    if (!found.has_value()) return;
    const int64_t sample = (begin + *found) / row;
    samples.push_back(sample);
    begin = (sample + 1) * row;
  }
}

absl::Status CheckOutputsHaveNaN(const ModelSignature& signature, absl::Span<const size_t> outputs,
                                 absl::Span<const int64_t> samples) {
  SW_CHECK(!samples.empty());
  for (const size_t index : outputs) {
    const TensorSpec& output = signature.outputs[index];
    if (HasNaN(output.data_type)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("input values must be finite: output '", output.name, "' is ", tensor::Name(output.data_type),
                     " and cannot answer NaN; a value of sample ", samples.front(), " is NaN or infinite"));
  }
  return absl::OkStatus();
}

void SetToNaN(absl::Span<const int64_t> samples, tensor::Tensor& output) {
  if (output.data_type() == DataType::kFloat64) return FillRows<double>(samples, output);
  SW_CHECK(output.data_type() == DataType::kFloat32);
  FillRows<float>(samples, output);
}

}  // namespace stillwave::model
