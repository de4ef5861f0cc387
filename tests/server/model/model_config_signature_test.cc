// ApplyToSignature of server/model/model_config.h.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/model/model_config.h"
#include "tests/support/status_matchers.h"

namespace stillwave::model {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using tensor::DataType;
using tensor::Shape;
using ::testing::AllOf;
using ::testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kFloat = DataType::kFloat32;

ModelSignature Signature() { return {{{"x", kFloat, {-1, 3, -1}}}, {{"y", kFloat, {-1, 5}}}}; }

ModelConfig ConfigOf(const ConfiguredTensor& input, bool dims_without_batch) {
  ModelConfig config = DefaultModelConfig("ecg");
  config.dims_without_batch = dims_without_batch;
  config.inputs = {input};
  return config;
}

TEST(ApplyToSignatureTest, WithoutTensorsTheFilesSignatureHolds) {
  const auto served = ApplyToSignature(DefaultModelConfig("ecg"), Signature());
  ASSERT_THAT(served, IsOk());
  EXPECT_EQ(served->inputs[0].shape, Shape({-1, 3, -1}));
}

TEST(ApplyToSignatureTest, AFixedDimNarrowsADynamicOne) {
  const auto served = ApplyToSignature(ConfigOf({"x", kFloat, {3, 80}}, /*dims_without_batch=*/true), Signature());
  ASSERT_THAT(served, IsOk());
  EXPECT_EQ(served->inputs[0].shape, Shape({-1, 3, 80}));
}

TEST(ApplyToSignatureTest, WithoutMaxBatchSizeDimsHoldTheBatchAxisWhichStaysFree) {
  const auto served = ApplyToSignature(ConfigOf({"x", kFloat, {1, 3, 80}}, /*dims_without_batch=*/false), Signature());
  ASSERT_THAT(served, IsOk());
  EXPECT_EQ(served->inputs[0].shape, Shape({-1, 3, 80}));
}

TEST(ApplyToSignatureTest, OutputsAreCheckedToo) {
  ModelConfig config = DefaultModelConfig("ecg");
  config.dims_without_batch = true;
  config.outputs = {{"y", kFloat, {6}}};
  EXPECT_THAT(ApplyToSignature(config, Signature()),
              StatusIs(kInvalid, AllOf(HasSubstr("output 'y'.dims must fit the model's [5]"), HasSubstr("was [6]"))));
}

TEST(ApplyToSignatureTest, WhatDoesNotFitTheModelIsRefusedByNameRuleAndValue) {
  const auto apply = [](const ConfiguredTensor& input) {
    return ApplyToSignature(ConfigOf(input, /*dims_without_batch=*/true), Signature());
  };
  EXPECT_THAT(apply({"z", kFloat, {3, -1}}),
              StatusIs(kInvalid, HasSubstr("input 'z' must be one that the model has (x)")));
  EXPECT_THAT(apply({"x", DataType::kInt64, {3, -1}}),
              StatusIs(kInvalid, HasSubstr("input 'x'.data_type must be TYPE_FP32, as in the model; was TYPE_INT64")));
  EXPECT_THAT(apply({"x", kFloat, {4, -1}}), StatusIs(kInvalid, HasSubstr("must fit the model's [3,-1]")));
  EXPECT_THAT(apply({"x", kFloat, {-1, -1}}), StatusIs(kInvalid, HasSubstr("was [-1,-1]")));
  EXPECT_THAT(apply({"x", kFloat, {-1, 3, -1}}), StatusIs(kInvalid, HasSubstr("without the batch axis")));
}

}  // namespace
}  // namespace stillwave::model
