// Every promised network, every case, against PyTorch's answers.
#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using test_support::Difference;
using test_support::IsOk;
using test_support::ModelCase;
using test_support::RefTensor;
using test_support::TestModel;

class ModelCasesTest : public ::testing::TestWithParam<TestModel> {};

void ExpectWithinTolerance(const LoadedModel& model, const std::vector<ModelCase>& cases) {
  for (const ModelCase& one : cases) {
    const auto outputs = RunCase(model, one);
    ASSERT_THAT(outputs, IsOk()) << one.name;
    ASSERT_EQ(outputs->size(), one.outputs.size());
    for (size_t j = 0; j < outputs->size(); ++j) {
      EXPECT_EQ(model.signature().outputs[j].name, one.outputs[j].name);
      EXPECT_EQ(Difference((*outputs)[j], test_support::ToRefTensor(one.outputs[j].tensor.view()), one.atol[j], 0), "")
          << one.name << ", output " << one.outputs[j].name;
    }
  }
}

TEST_P(ModelCasesTest, AnswersAsPyTorchDoesWithBatchNormalizationAsPrimitive) {
  const auto model = LoadForTest(GetParam().model_file, BatchNormMode::kPrimitive);
  ASSERT_THAT(model, IsOk());
  const auto cases = test_support::LoadCases(GetParam());
  ASSERT_THAT(cases, IsOk());
  ASSERT_FALSE(cases->empty());
  ExpectWithinTolerance(**model, *cases);
}

TEST_P(ModelCasesTest, AnswersAsPyTorchDoesWithBatchNormalizationFolded) {
  const auto model = LoadForTest(GetParam().model_file, BatchNormMode::kFolded);
  ASSERT_THAT(model, IsOk());
  const auto cases = test_support::LoadCases(GetParam());
  ASSERT_THAT(cases, IsOk());
  ExpectWithinTolerance(**model, *cases);
}

TEST_P(ModelCasesTest, DeclaresShapesThatItsAnswersHave) {
  const auto model = LoadForTest(GetParam().model_file);
  ASSERT_THAT(model, IsOk());
  const auto cases = test_support::LoadCases(GetParam());
  ASSERT_THAT(cases, IsOk());
  const auto matches = [](const tensor::Shape& declared, const tensor::Shape& actual) {
    if (declared.rank() != actual.rank()) return false;
    for (int axis = 0; axis < actual.rank(); ++axis) {
      if (declared[axis] != tensor::kDynamicDim && declared[axis] != actual[axis]) return false;
    }
    return declared[0] == tensor::kDynamicDim;
  };
  for (const ModelCase& one : *cases) {
    for (size_t i = 0; i < one.inputs.size(); ++i) {
      EXPECT_TRUE(matches((*model)->signature().inputs[i].shape, one.inputs[i].tensor.shape())) << one.name;
    }
    for (size_t j = 0; j < one.outputs.size(); ++j) {
      EXPECT_TRUE(matches((*model)->signature().outputs[j].shape, one.outputs[j].tensor.shape())) << one.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Promised, ModelCasesTest, ::testing::ValuesIn(test_support::PromisedModels()),
                         test_support::TestSuffix);

}  // namespace
}  // namespace stillwave::model
