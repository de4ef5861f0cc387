#include "server/service/tensor_codec.h"

#include <bit>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"

namespace stillwave::service {
namespace {

using inference::InferTensorContents;
using inference::ModelInferRequest;
using model::ReceivedInput;
using tensor::DataType;
using InputTensor = ModelInferRequest::InferInputTensor;

static_assert(std::endian::native == std::endian::little, "raw contents are little-endian and used where they lie");

absl::Status Refuse(const InputTensor& input, absl::string_view rule) {
  return absl::InvalidArgumentError(
      absl::StrCat("input '", absl::CHexEscape(absl::string_view(input.name()).substr(0, 64)), "': ", rule));
}

// The field of InferTensorContents that holds a datatype's elements; empty: it can only come raw.
absl::string_view FieldFor(DataType type) {
  switch (type) {
    case DataType::kBool:
      return "bool_contents";
    case DataType::kInt8:
    case DataType::kInt16:
    case DataType::kInt32:
      return "int_contents";
    case DataType::kInt64:
      return "int64_contents";
    case DataType::kUint8:
    case DataType::kUint16:
    case DataType::kUint32:
      return "uint_contents";
    case DataType::kUint64:
      return "uint64_contents";
    case DataType::kFloat32:
      return "fp32_contents";
    case DataType::kFloat64:
      return "fp64_contents";
    case DataType::kFloat16:
    case DataType::kBFloat16:
      return "";
  }
  return "";
}

absl::Status CheckField(const InputTensor& input, DataType type) {
  const InferTensorContents& contents = input.contents();
  const absl::string_view wanted = FieldFor(type);
  if (wanted.empty()) {
    return Refuse(input, absl::StrCat(tensor::Name(type), " has no typed contents; use raw_input_contents"));
  }
  const std::pair<absl::string_view, int> sizes[] = {
      {"bool_contents", contents.bool_contents_size()},     {"int_contents", contents.int_contents_size()},
      {"int64_contents", contents.int64_contents_size()},   {"uint_contents", contents.uint_contents_size()},
      {"uint64_contents", contents.uint64_contents_size()}, {"fp32_contents", contents.fp32_contents_size()},
      {"fp64_contents", contents.fp64_contents_size()},     {"bytes_contents", contents.bytes_contents_size()}};
  for (const auto& [field, size] : sizes) {
    if (size > 0 && field != wanted) {
      return Refuse(input, absl::StrCat("contents of ", tensor::Name(type), " must be in ", wanted, "; ", field,
                                        " has ", size, " elements"));
    }
  }
  return absl::OkStatus();
}

template <typename T>
void Borrow(const google::protobuf::RepeatedField<T>& field, ReceivedInput& received) {
  received.data = field.data();
  received.byte_size = static_cast<size_t>(field.size()) * sizeof(T);
}

// Copies into a tensor of the narrower type T.
template <typename T, typename Wire>
absl::Status Narrow(const InputTensor& input, const google::protobuf::RepeatedField<Wire>& field,
                    DecodedInputs& decoded, ReceivedInput& received) {
  ASSIGN_OR_RETURN(tensor::Tensor narrow, tensor::Tensor::Create(tensor::DataTypeOf<T>(), {field.size()}));
  const absl::Span<T> values = narrow.mutable_values<T>();
  for (int i = 0; i < field.size(); ++i) {
    if (!std::in_range<T>(field[i])) {
      return Refuse(input, absl::StrCat("contents must fit into ", tensor::Name(narrow.data_type()), "; element ", i,
                                        " was ", field[i]));
    }
    values[static_cast<size_t>(i)] = static_cast<T>(field[i]);
  }
  decoded.converted.push_back(std::move(narrow));
  received.data = decoded.converted.back().data();
  received.byte_size = decoded.converted.back().byte_size();
  return absl::OkStatus();
}

absl::Status DecodeTyped(const InputTensor& input, DecodedInputs& decoded, ReceivedInput& received) {
  RETURN_IF_ERROR(CheckField(input, received.data_type));
  const InferTensorContents& contents = input.contents();
  switch (received.data_type) {
    case DataType::kBool:
      static_assert(sizeof(bool) == 1);
      Borrow(contents.bool_contents(), received);
      return absl::OkStatus();
    case DataType::kInt8:
      return Narrow<int8_t>(input, contents.int_contents(), decoded, received);
    case DataType::kInt16:
      return Narrow<int16_t>(input, contents.int_contents(), decoded, received);
    case DataType::kInt32:
      Borrow(contents.int_contents(), received);
      return absl::OkStatus();
    case DataType::kInt64:
      Borrow(contents.int64_contents(), received);
      return absl::OkStatus();
    case DataType::kUint8:
      return Narrow<uint8_t>(input, contents.uint_contents(), decoded, received);
    case DataType::kUint16:
      return Narrow<uint16_t>(input, contents.uint_contents(), decoded, received);
    case DataType::kUint32:
      Borrow(contents.uint_contents(), received);
      return absl::OkStatus();
    case DataType::kUint64:
      Borrow(contents.uint64_contents(), received);
      return absl::OkStatus();
    case DataType::kFloat32:
      Borrow(contents.fp32_contents(), received);
      return absl::OkStatus();
    case DataType::kFloat64:
      Borrow(contents.fp64_contents(), received);
      return absl::OkStatus();
    case DataType::kFloat16:
    case DataType::kBFloat16:
      break;  // refused by CheckField
  }
  return Refuse(input, "this datatype has no typed contents");
}

absl::Status DecodeHead(const InputTensor& input, ReceivedInput& received) {
  received.name = input.name();
  const absl::StatusOr<DataType> type = tensor::ParseDataType(absl::string_view(input.datatype()).substr(0, 64));
  if (!type.ok()) return Refuse(input, type.status().message());
  received.data_type = *type;
  if (input.shape_size() > tensor::kMaxRank) {
    return Refuse(input,
                  absl::StrCat("shape must have at most ", tensor::kMaxRank, " dimensions; had ", input.shape_size()));
  }
  for (const int64_t dim : input.shape()) {
    if (dim < 0) return Refuse(input, absl::StrCat("dimensions must not be negative; one was ", dim));
    received.shape.Append(dim);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DecodedInputs> DecodeInputs(const ModelInferRequest& request) {
  const bool raw = request.raw_input_contents_size() > 0;
  if (raw && request.raw_input_contents_size() != request.inputs_size()) {
    return absl::InvalidArgumentError(absl::StrCat("raw_input_contents must have one entry for each of the ",
                                                   request.inputs_size(), " inputs; had ",
                                                   request.raw_input_contents_size()));
  }
  DecodedInputs decoded;
  decoded.inputs.reserve(static_cast<size_t>(request.inputs_size()));
  for (int i = 0; i < request.inputs_size(); ++i) {
    const InputTensor& input = request.inputs(i);
    ReceivedInput received;
    RETURN_IF_ERROR(DecodeHead(input, received));
    if (raw && input.has_contents()) {
      return Refuse(input, "contents must not be given together with raw_input_contents");
    }
    if (raw) {
      received.data = request.raw_input_contents(i).data();
      received.byte_size = request.raw_input_contents(i).size();
    } else {
      RETURN_IF_ERROR(DecodeTyped(input, decoded, received));
    }
    decoded.inputs.push_back(std::move(received));
  }
  return decoded;
}

void EncodeOutputs(const model::ModelSignature& signature, absl::Span<const size_t> selected,
                   absl::Span<const tensor::Tensor> outputs, inference::ModelInferResponse* response) {
  SW_CHECK(outputs.size() == signature.outputs.size());
  for (const size_t index : selected) {
    const tensor::Tensor& output = outputs[index];
    auto* encoded = response->add_outputs();
    encoded->set_name(signature.outputs[index].name);
    const absl::string_view type = tensor::Name(output.data_type());
    encoded->set_datatype(type.data(), type.size());
    for (const int64_t dim : output.shape().dims()) encoded->add_shape(dim);
    response->add_raw_output_contents(output.data(), output.byte_size());
  }
}

}  // namespace stillwave::service
