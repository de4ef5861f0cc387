#include "server/service/tensor_codec.h"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/check.h"
#include "tests/support/memory_object.h"

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
  const auto decoded = DecodeInputs(request, /*regions=*/nullptr);
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
  const auto decoded = DecodeInputs(request, /*regions=*/nullptr);
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
  const auto decoded = DecodeInputs(request, /*regions=*/nullptr);
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
  const auto decoded = DecodeInputs(request, /*regions=*/nullptr);
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
  ASSERT_TRUE(EncodeOutputs(signature, std::vector<size_t>{1, 0}, /*places=*/{}, outputs, &response).ok());
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

// A region "r" of 64 bytes, filled with the floats 0, 1, …
class SharedTensors : public testing::Test {
 protected:
  SharedTensors() {
    for (int i = 0; i < 16; ++i) Set(static_cast<size_t>(i), static_cast<float>(i));
    SW_CHECK_OK(regions_.Register({"r", object_.key(), 0, 64}));
  }

  void Set(size_t index, float value) { std::memcpy(object_.data() + index * sizeof(float), &value, sizeof(float)); }
  float Get(size_t index) const {
    float value = 0;
    std::memcpy(&value, object_.data() + index * sizeof(float), sizeof(float));
    return value;
  }

  static void Place(TensorParameters& parameters, int64_t byte_size, int64_t offset) {
    parameters["shared_memory_region"].set_string_param("r");
    parameters["shared_memory_byte_size"].set_int64_param(byte_size);
    if (offset != 0) parameters["shared_memory_offset"].set_int64_param(offset);
  }

  std::string Refusal(const ModelInferRequest& request) const {
    const auto decoded = DecodeInputs(request, &regions_);
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument) << decoded.status();
    return std::string(decoded.status().message());
  }

  const test_support::MemoryObject object_{"codec", 64};
  shared_memory::RegionRegistry regions_;
};

TEST_F(SharedTensors, AnInputIsCopiedOutOfSharedMemory) {
  ModelInferRequest request;
  Place(*AddInput(request, "x", "FP32", {1, 3})->mutable_parameters(), 12, 8);
  const auto decoded = DecodeInputs(request, &regions_);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  Set(2, 100);  // too late
  EXPECT_THAT(Elements<float>(decoded->inputs[0]), ElementsAre(2, 3, 4));
}

TEST_F(SharedTensors, RawContentsAreThoseOfTheOtherInputs) {
  ModelInferRequest request;
  AddInput(request, "a", "INT8", {2});
  Place(*AddInput(request, "x", "FP32", {1})->mutable_parameters(), 4, 0);
  AddInput(request, "b", "INT8", {3});
  request.add_raw_input_contents("ab");
  request.add_raw_input_contents("cde");
  const auto decoded = DecodeInputs(request, &regions_);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->inputs[0].data, request.raw_input_contents(0).data());
  EXPECT_EQ(decoded->inputs[2].data, request.raw_input_contents(1).data());
  request.add_raw_input_contents("f");
  EXPECT_EQ(Refusal(request), "raw_input_contents must have one entry for each of the 2 inputs; had 3");
}

TEST_F(SharedTensors, AnInputsBytesAreThoseOfItsShape) {
  for (const int64_t bytes : {11, 13, 16}) {
    ModelInferRequest request;
    Place(*AddInput(request, "x", "FP32", {1, 3})->mutable_parameters(), bytes, 0);
    EXPECT_EQ(Refusal(request),
              absl::StrCat("input 'x': shared_memory_byte_size must be that of FP32 of shape [1,3]; was ", bytes));
  }
  ModelInferRequest overflow;
  Place(*AddInput(overflow, "x", "FP32", {int64_t{1} << 62, 4})->mutable_parameters(), 12, 0);
  EXPECT_THAT(Refusal(overflow), HasSubstr("shared_memory_byte_size"));
}

TEST_F(SharedTensors, ContentsAndSharedMemoryDoNotGoTogether) {
  ModelInferRequest request;
  auto* const input = AddInput(request, "x", "FP32", {1});
  Place(*input->mutable_parameters(), 4, 0);
  input->mutable_contents()->add_fp32_contents(1);
  EXPECT_THAT(Refusal(request), HasSubstr("input 'x': contents must not be given together with shared memory"));
}

TEST_F(SharedTensors, TheBytesOfARequestAreBounded) {
  const test_support::MemoryObject large("large", static_cast<size_t>(kMaxSharedInputBytes));
  ASSERT_TRUE(regions_.Register({"large", large.key(), 0, static_cast<uint64_t>(kMaxSharedInputBytes)}).ok());
  ModelInferRequest request;
  for (const char* name : {"x", "y"}) {
    auto& parameters = *AddInput(request, name, "INT8", {kMaxSharedInputBytes / 2 + 1})->mutable_parameters();
    Place(parameters, kMaxSharedInputBytes / 2 + 1, 0);
    parameters["shared_memory_region"].set_string_param("large");
  }
  EXPECT_THAT(Refusal(request), testing::AllOf(HasSubstr("input 'y'"), HasSubstr("at most 67108864 bytes")));
}

TEST_F(SharedTensors, AnOutputGoesToItsPlaceAndLeavesAnEmptyEntry) {
  const model::ModelSignature signature{
      .inputs = {}, .outputs = {{"a", DataType::kFloat32, {-1, 2}}, {"b", DataType::kFloat32, {-1}}}};
  std::vector<tensor::Tensor> outputs;
  outputs.push_back(tensor::Tensor::FromValues<float>({1, 2}, {70.0F, 80.0F}));
  outputs.push_back(tensor::Tensor::FromValues<float>({1}, {90.0F}));
  const std::vector<std::optional<SharedTensor>> places = {SharedTensor{*regions_.Find("r"), 8, 12}, std::nullopt};
  inference::ModelInferResponse response;
  ASSERT_TRUE(EncodeOutputs(signature, std::vector<size_t>{0, 1}, places, outputs, &response).ok());
  EXPECT_EQ(Get(1), 1);
  EXPECT_EQ(Get(2), 70);
  EXPECT_EQ(Get(3), 80);
  EXPECT_EQ(Get(4), 4) << "what lies behind the output is not touched";
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_EQ(response.raw_output_contents(0), "");
  EXPECT_EQ(response.raw_output_contents(1).size(), 4U);
  const auto& parameters = response.outputs(0).parameters();
  EXPECT_EQ(parameters.at("shared_memory_region").string_param(), "r");
  EXPECT_EQ(parameters.at("shared_memory_byte_size").int64_param(), 8);
  EXPECT_EQ(parameters.at("shared_memory_offset").int64_param(), 8);
}

TEST_F(SharedTensors, AnOutputThatDoesNotFitIsRefused) {
  const model::ModelSignature signature{.inputs = {}, .outputs = {{"a", DataType::kFloat32, {-1, 2}}}};
  std::vector<tensor::Tensor> outputs;
  outputs.push_back(tensor::Tensor::FromValues<float>({1, 2}, {70.0F, 80.0F}));
  const std::vector<std::optional<SharedTensor>> places = {SharedTensor{*regions_.Find("r"), 0, 7}};
  inference::ModelInferResponse response;
  const absl::Status status = EncodeOutputs(signature, std::vector<size_t>{0}, places, outputs, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "output 'a': shared_memory_byte_size must be at least 8; was 7");
  EXPECT_EQ(Get(0), 0);
}

}  // namespace
}  // namespace stillwave::service
