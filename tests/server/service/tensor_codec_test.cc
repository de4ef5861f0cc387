#include "server/service/tensor_codec.h"

#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::service {
namespace {

using inference::ModelInferRequest;
using tensor::DataType;
using tensor::Shape;
using testing::ElementsAre;
using testing::HasSubstr;

ModelInferRequest::InferInputTensor* AddInput(ModelInferRequest& request, const std::string& name,
                                              const std::string& datatype, const std::vector<int64_t>& shape) {
  auto* input = request.add_inputs();
  input->set_name(name);
  input->set_datatype(datatype);
  for (const int64_t dim : shape) input->add_shape(dim);
  return input;
}

std::string Refusal(const ModelInferRequest& request) {
  const auto decoded = DecodeInputs(request);
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(decoded.status().message());
}

template <typename T>
std::vector<T> Elements(const model::ReceivedInput& input) {
  std::vector<T> values(input.byte_size / sizeof(T));
  std::memcpy(values.data(), input.data, input.byte_size);
  return values;
}

TEST(DecodeInputs, UsesRawBytesWhereTheyLie) {
  ModelInferRequest request;
  AddInput(request, "x", "FP32", {1, 2});
  AddInput(request, "y", "INT8", {3});
  request.add_raw_input_contents(std::string(8, 'a'));
  request.add_raw_input_contents("abc");
  const auto decoded = DecodeInputs(request);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_EQ(decoded->inputs.size(), 2U);
  EXPECT_EQ(decoded->inputs[0].name, "x");
  EXPECT_EQ(decoded->inputs[0].data_type, DataType::kFloat32);
  EXPECT_EQ(decoded->inputs[0].shape, Shape({1, 2}));
  EXPECT_EQ(decoded->inputs[0].data, request.raw_input_contents(0).data());
  EXPECT_EQ(decoded->inputs[0].byte_size, 8U);
  EXPECT_EQ(decoded->inputs[1].data, request.raw_input_contents(1).data());
  EXPECT_TRUE(decoded->converted.empty());
}

TEST(DecodeInputs, UsesTypedContentsOfTheTensorsWidthWhereTheyLie) {
  ModelInferRequest request;
  auto* input = AddInput(request, "x", "FP32", {2});
  input->mutable_contents()->add_fp32_contents(1.5F);
  input->mutable_contents()->add_fp32_contents(-2.0F);
  const auto decoded = DecodeInputs(request);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->inputs[0].data, input->contents().fp32_contents().data());
  EXPECT_THAT(Elements<float>(decoded->inputs[0]), ElementsAre(1.5F, -2.0F));
}

TEST(DecodeInputs, ReadsEveryTypedField) {
  ModelInferRequest request;
  AddInput(request, "b", "BOOL", {1})->mutable_contents()->add_bool_contents(true);
  AddInput(request, "i8", "INT8", {1})->mutable_contents()->add_int_contents(-128);
  AddInput(request, "i16", "INT16", {1})->mutable_contents()->add_int_contents(-300);
  AddInput(request, "i32", "INT32", {1})->mutable_contents()->add_int_contents(-70000);
  AddInput(request, "i64", "INT64", {1})->mutable_contents()->add_int64_contents(int64_t{1} << 40);
  AddInput(request, "u8", "UINT8", {1})->mutable_contents()->add_uint_contents(255);
  AddInput(request, "u16", "UINT16", {1})->mutable_contents()->add_uint_contents(65535);
  AddInput(request, "u32", "UINT32", {1})->mutable_contents()->add_uint_contents(4000000000U);
  AddInput(request, "u64", "UINT64", {1})->mutable_contents()->add_uint64_contents(~uint64_t{0});
  AddInput(request, "f64", "FP64", {1})->mutable_contents()->add_fp64_contents(0.1);
  const auto decoded = DecodeInputs(request);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const auto& inputs = decoded->inputs;
  EXPECT_THAT(Elements<uint8_t>(inputs[0]), ElementsAre(1));
  EXPECT_THAT(Elements<int8_t>(inputs[1]), ElementsAre(-128));
  EXPECT_THAT(Elements<int16_t>(inputs[2]), ElementsAre(-300));
  EXPECT_THAT(Elements<int32_t>(inputs[3]), ElementsAre(-70000));
  EXPECT_THAT(Elements<int64_t>(inputs[4]), ElementsAre(int64_t{1} << 40));
  EXPECT_THAT(Elements<uint8_t>(inputs[5]), ElementsAre(255));
  EXPECT_THAT(Elements<uint16_t>(inputs[6]), ElementsAre(65535));
  EXPECT_THAT(Elements<uint32_t>(inputs[7]), ElementsAre(4000000000U));
  EXPECT_THAT(Elements<uint64_t>(inputs[8]), ElementsAre(~uint64_t{0}));
  EXPECT_THAT(Elements<double>(inputs[9]), ElementsAre(0.1));
}

TEST(DecodeInputs, RefusesValuesThatDoNotFitANarrowType) {
  ModelInferRequest request;
  auto* input = AddInput(request, "x", "INT8", {2});
  input->mutable_contents()->add_int_contents(7);
  input->mutable_contents()->add_int_contents(128);
  EXPECT_EQ(Refusal(request), "input 'x': contents must fit into INT8; element 1 was 128");
}

TEST(DecodeInputs, RefusesTypedContentsInAFieldOfAnotherType) {
  ModelInferRequest request;
  auto* input = AddInput(request, "x", "FP32", {1});
  input->mutable_contents()->add_fp64_contents(1);
  EXPECT_EQ(Refusal(request), "input 'x': contents of FP32 must be in fp32_contents; fp64_contents has 1 elements");
}

TEST(DecodeInputs, RefusesTypedContentsOfTypesThatComeOnlyRaw) {
  ModelInferRequest request;
  AddInput(request, "x", "FP16", {1})->mutable_contents()->add_fp32_contents(1);
  EXPECT_EQ(Refusal(request), "input 'x': FP16 has no typed contents; use raw_input_contents");
}

TEST(DecodeInputs, RefusesRawAndTypedContentsTogether) {
  ModelInferRequest request;
  AddInput(request, "x", "FP32", {1})->mutable_contents()->add_fp32_contents(1);
  request.add_raw_input_contents(std::string(4, 0));
  EXPECT_EQ(Refusal(request), "input 'x': contents must not be given together with raw_input_contents");
}

TEST(DecodeInputs, RefusesAnotherNumberOfRawEntriesThanOfInputs) {
  ModelInferRequest request;
  AddInput(request, "x", "FP32", {1});
  AddInput(request, "y", "FP32", {1});
  request.add_raw_input_contents(std::string(4, 0));
  EXPECT_EQ(Refusal(request), "raw_input_contents must have one entry for each of the 2 inputs; had 1");
}

TEST(DecodeInputs, RefusesUnknownDatatypesByName) {
  ModelInferRequest request;
  AddInput(request, "x", "FLOAT", {1});
  EXPECT_THAT(Refusal(request),
              testing::AllOf(HasSubstr("input 'x'"), HasSubstr("must be one of BOOL"), HasSubstr("was 'FLOAT'")));
}

TEST(DecodeInputs, RefusesNegativeAndTooManyDimensions) {
  ModelInferRequest request;
  AddInput(request, "x", "FP32", {1, -1});
  EXPECT_EQ(Refusal(request), "input 'x': dimensions must not be negative; one was -1");
  request.Clear();
  AddInput(request, "x", "FP32", std::vector<int64_t>(1000, 1));
  EXPECT_EQ(Refusal(request), "input 'x': shape must have at most 12 dimensions; had 1000");
}

TEST(DecodeInputs, MessagesHoldNoControlCharactersOfAName) {
  ModelInferRequest request;
  AddInput(request, "x\n\x01", "FP32", {-1});
  EXPECT_THAT(Refusal(request), HasSubstr("input 'x\\n\\x01'"));
}

TEST(EncodeOutputs, WritesTheSelectedOutputsInTheirOrder) {
  const model::ModelSignature signature{
      .inputs = {},
      .outputs = {{"a", DataType::kFloat32, {-1, 2}}, {"b", DataType::kInt64, {-1}}, {"c", DataType::kFloat32, {-1}}}};
  std::vector<tensor::Tensor> outputs;
  outputs.push_back(tensor::Tensor::FromValues<float>({1, 2}, {1.0F, 2.0F}));
  outputs.push_back(tensor::Tensor::FromValues<int64_t>({1}, {7}));
  outputs.push_back(tensor::Tensor::FromValues<float>({1}, {3.0F}));
  inference::ModelInferResponse response;
  EncodeOutputs(signature, std::vector<size_t>{1, 0}, outputs, &response);
  ASSERT_EQ(response.outputs_size(), 2);
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "b");
  EXPECT_EQ(response.outputs(0).datatype(), "INT64");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(1));
  EXPECT_EQ(response.outputs(1).name(), "a");
  EXPECT_EQ(response.outputs(1).datatype(), "FP32");
  EXPECT_THAT(response.outputs(1).shape(), ElementsAre(1, 2));
  const std::vector<float> values = {1.0F, 2.0F};
  EXPECT_EQ(response.raw_output_contents(1), std::string(reinterpret_cast<const char*>(values.data()), 8));
}

}  // namespace
}  // namespace stillwave::service
