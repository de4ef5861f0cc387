#include "server/service/tensor_codec.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::service {
namespace {

using base::Quoted;
using inference::InferTensorContents;
using inference::ModelInferRequest;
using model::ReceivedInput;
using tensor::DataType;
using InputTensor = ModelInferRequest::InferInputTensor;

static_assert(std::endian::native == std::endian::little, "raw contents are little-endian and used where they lie");

absl::Status Refuse(const InputTensor& input, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(input.name()), ": ", rule));
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

// By input; empty when none of them lies in shared memory.
absl::StatusOr<std::vector<std::optional<SharedTensor>>> FindSharedInputs(
    const ModelInferRequest& request, const shared_memory::RegionRegistry* regions) {
  std::vector<std::optional<SharedTensor>> places;
  uint64_t bytes = 0;
  for (int i = 0; i < request.inputs_size(); ++i) {
    const InputTensor& input = request.inputs(i);
    if (input.parameters().empty()) continue;  // nearly always
    absl::StatusOr<std::optional<SharedTensor>> place = FindSharedTensor(input.parameters(), regions);
    if (!place.ok()) return base::Annotate(place.status(), absl::StrCat("input ", Quoted(input.name())));
    if (!place->has_value()) continue;
    constexpr auto kMaxBytes = static_cast<uint64_t>(kMaxSharedInputBytes);
    if ((*place)->byte_size > kMaxBytes - bytes) {
      return Refuse(input,
                    absl::StrCat("the inputs of a request must have at most ", kMaxBytes,
                                 " bytes of shared memory; this one has ", (*place)->byte_size, " after ", bytes));
    }
    bytes += (*place)->byte_size;
    places.resize(static_cast<size_t>(request.inputs_size()));
    places[static_cast<size_t>(i)] = *std::move(place);
  }
  return places;
}

absl::Status CopyShared(const InputTensor& input, const SharedTensor& place, DecodedInputs& decoded,
                        ReceivedInput& received) {
  if (input.has_contents()) return Refuse(input, "contents must not be given together with shared memory");
  const absl::StatusOr<int64_t> elements = received.shape.ElementCount();
  // Before it is believed how large it is.
  if (!elements.ok() || static_cast<uint64_t>(*elements) != place.byte_size / tensor::SizeOf(received.data_type) ||
      place.byte_size % tensor::SizeOf(received.data_type) != 0) {
    return Refuse(input, absl::StrCat("shared_memory_byte_size must be that of ", tensor::Name(received.data_type),
                                      " of shape ", received.shape.ToString(), "; was ", place.byte_size));
  }
  ASSIGN_OR_RETURN(tensor::Tensor copy, tensor::Tensor::Create(received.data_type, received.shape));
  RETURN_IF_ERROR(place.region->Read(
      place.offset, absl::MakeSpan(static_cast<char*>(copy.mutable_data()), static_cast<size_t>(place.byte_size))));
  decoded.converted.push_back(std::move(copy));
  received.data = decoded.converted.back().data();
  received.byte_size = decoded.converted.back().byte_size();
  return absl::OkStatus();
}

absl::Status WriteShared(const tensor::Tensor& output, const SharedTensor& place,
                         inference::ModelInferResponse::InferOutputTensor& encoded) {
  if (output.byte_size() > place.byte_size) {
    return absl::InvalidArgumentError(absl::StrCat("output '", encoded.name(),
                                                   "': shared_memory_byte_size must be at least ", output.byte_size(),
                                                   "; was ", place.byte_size));
  }
  RETURN_IF_ERROR(place.region->Write(place.offset,
                                      absl::string_view(static_cast<const char*>(output.data()), output.byte_size())));
  auto& parameters = *encoded.mutable_parameters();
  parameters["shared_memory_region"].set_string_param(place.region->info().name);
  parameters["shared_memory_byte_size"].set_int64_param(static_cast<int64_t>(output.byte_size()));
  if (place.offset > 0) parameters["shared_memory_offset"].set_int64_param(static_cast<int64_t>(place.offset));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DecodedInputs> DecodeInputs(const ModelInferRequest& request,
                                           const shared_memory::RegionRegistry* regions) {
  ASSIGN_OR_RETURN(const std::vector<std::optional<SharedTensor>> places, FindSharedInputs(request, regions));
  const auto in_message =
      request.inputs_size() - static_cast<int>(std::count_if(places.begin(), places.end(),
                                                             [](const auto& place) { return place.has_value(); }));
  const bool raw = request.raw_input_contents_size() > 0;
  if (raw && request.raw_input_contents_size() != in_message) {
    return absl::InvalidArgumentError(absl::StrCat("raw_input_contents must have one entry for each of the ",
                                                   in_message, " inputs; had ", request.raw_input_contents_size()));
  }
  DecodedInputs decoded;
  int next_raw = 0;
  decoded.inputs.reserve(static_cast<size_t>(request.inputs_size()));
  for (int i = 0; i < request.inputs_size(); ++i) {
    const InputTensor& input = request.inputs(i);
    ReceivedInput received;
    RETURN_IF_ERROR(DecodeHead(input, received));
    if (raw && input.has_contents()) {
      return Refuse(input, "contents must not be given together with raw_input_contents");
    }
    if (!places.empty() && places[static_cast<size_t>(i)].has_value()) {
      RETURN_IF_ERROR(CopyShared(input, *places[static_cast<size_t>(i)], decoded, received));
    } else if (raw) {
      const std::string& bytes = request.raw_input_contents(next_raw++);
      received.data = bytes.data();
      received.byte_size = bytes.size();
    } else {
      RETURN_IF_ERROR(DecodeTyped(input, decoded, received));
    }
    decoded.inputs.push_back(std::move(received));
  }
  return decoded;
}

absl::Status EncodeOutputs(const model::ModelSignature& signature, absl::Span<const size_t> selected,
                           absl::Span<const std::optional<SharedTensor>> places,
                           absl::Span<const tensor::Tensor> outputs, inference::ModelInferResponse* response) {
  SW_CHECK(outputs.size() == signature.outputs.size());
  SW_CHECK(places.empty() || places.size() == selected.size());
  for (size_t i = 0; i < selected.size(); ++i) {
    const size_t index = selected[i];
    const tensor::Tensor& output = outputs[index];
    auto* encoded = response->add_outputs();
    encoded->set_name(signature.outputs[index].name);
    const absl::string_view type = tensor::Name(output.data_type());
    encoded->set_datatype(type.data(), type.size());
    for (const int64_t dim : output.shape().dims()) encoded->add_shape(dim);
    if (!places.empty() && places[i].has_value()) {
      RETURN_IF_ERROR(WriteShared(output, *places[i], *encoded));
      response->add_raw_output_contents();  // the clients find contents by an output's position
    } else {
      response->add_raw_output_contents(output.data(), output.byte_size());
    }
  }
  return absl::OkStatus();
}

}  // namespace stillwave::service
