#include "client/infer_response.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sample_array.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

using OutputTensor = inference::ModelInferResponse::InferOutputTensor;

template <typename T>
bool DecodeRaw(absl::string_view bytes, std::vector<double>* values) {
  if (bytes.size() % sizeof(T) != 0) return false;
  values->resize(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values->size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    (*values)[i] = static_cast<double>(value);
  }
  return true;
}

template <typename Field>
bool DecodeTyped(const Field& field, std::vector<double>* values) {
  values->assign(field.begin(), field.end());
  return true;
}

// False when the datatype is unknown here or the bytes are no whole number of elements.
bool DecodeValues(const OutputTensor& tensor, const std::string* raw, std::vector<double>* values) {
  const std::string& type = tensor.datatype();
  const inference::InferTensorContents& typed = tensor.contents();
  if (type == "FP32") return raw ? DecodeRaw<float>(*raw, values) : DecodeTyped(typed.fp32_contents(), values);
  if (type == "FP64") return raw ? DecodeRaw<double>(*raw, values) : DecodeTyped(typed.fp64_contents(), values);
  if (type == "INT64") return raw ? DecodeRaw<int64_t>(*raw, values) : DecodeTyped(typed.int64_contents(), values);
  if (type == "INT32") return raw ? DecodeRaw<int32_t>(*raw, values) : DecodeTyped(typed.int_contents(), values);
  if (type == "INT16") return raw ? DecodeRaw<int16_t>(*raw, values) : DecodeTyped(typed.int_contents(), values);
  if (type == "INT8") return raw ? DecodeRaw<int8_t>(*raw, values) : DecodeTyped(typed.int_contents(), values);
  if (type == "UINT8") return raw ? DecodeRaw<uint8_t>(*raw, values) : DecodeTyped(typed.uint_contents(), values);
  if (type == "BOOL") return raw ? DecodeRaw<uint8_t>(*raw, values) : DecodeTyped(typed.bool_contents(), values);
  return false;
}

// The batch axis is taken off: {N, K} gives N outputs of shape {K}.
absl::Status AppendToRows(const OutputTensor& tensor, const std::string* raw, InferAnswer* answer) {
  const std::vector<int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  const auto error = [&](absl::string_view message) {
    return absl::InternalError(absl::StrCat("the server's output '", tensor.name(), "' (", tensor.datatype(), " ",
                                            ShapeText(shape), "): ", message));
  };
  std::vector<double> values;
  if (!DecodeValues(tensor, raw, &values)) return error("datatype or byte count is not one this client can read");
  const int64_t rows = static_cast<int64_t>(answer->rows.size());
  if (shape.empty() || shape[0] != rows) return error(absl::StrCat("the first dimension must be ", rows));
  const int64_t count = static_cast<int64_t>(values.size());
  // Equal to the product of the shape? Dividing cannot overflow.
  int64_t row_values = rows > 0 ? count / rows : 0;
  int64_t rest = row_values * rows == count ? row_values : -1;
  for (size_t axis = 1; axis < shape.size() && rest > 0; ++axis) {
    rest = shape[axis] > 0 && rest % shape[axis] == 0 ? rest / shape[axis] : -1;
  }
  if (rest != 1) return error(absl::StrCat("has ", values.size(), " values"));
  for (int64_t row = 0; row < rows; ++row) {
    OutputValues output{.name = tensor.name(), .datatype = tensor.datatype()};
    output.shape.assign(shape.begin() + 1, shape.end());
    const auto begin = values.begin() + row * row_values;
    output.values.assign(begin, begin + row_values);
    answer->rows[static_cast<size_t>(row)].push_back(std::move(output));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<InferAnswer> DecodeInferResponse(const inference::ModelInferResponse& response, int64_t rows) {
  InferAnswer answer{.model_name = response.model_name(), .model_version = response.model_version()};
  answer.rows.resize(static_cast<size_t>(rows));
  const bool raw = response.raw_output_contents_size() > 0;
  if (raw && response.raw_output_contents_size() != response.outputs_size()) {
    return absl::InternalError(absl::StrCat("the server sent ", response.outputs_size(), " outputs and ",
                                            response.raw_output_contents_size(), " raw contents"));
  }
  for (int i = 0; i < response.outputs_size(); ++i) {
    RETURN_IF_ERROR(AppendToRows(response.outputs(i), raw ? &response.raw_output_contents(i) : nullptr, &answer));
  }
  return answer;
}

}  // namespace stillwave::client
