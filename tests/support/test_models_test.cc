#include "tests/support/test_models.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::test_support {
namespace {

using ::testing::HasSubstr;

TEST(TestModelsTest, FindsTheSmallCopiesWithOutputsNearTheExactOnes) {
  ASSERT_GE(SmallModels().size(), 8U);
  for (const TestModel& model : SmallModels()) {
    const auto cases = LoadCases(model);
    ASSERT_TRUE(cases.ok()) << cases.status();
    ASSERT_GE(cases->size(), 2U) << model.name;
    for (const ModelCase& one : *cases) {
      ASSERT_EQ(one.exact.size(), one.outputs.size()) << model.name << ", " << one.name;
      for (size_t j = 0; j < one.outputs.size(); ++j) {
        RefTensor exact = ToRefTensor(one.exact[j].tensor.view());
        exact.data_type = tensor::DataType::kFloat32;
        EXPECT_EQ(Difference(ToRefTensor(one.outputs[j].tensor.view()), exact, one.atol[j], 0), "")
            << model.name << ", " << one.name;
      }
    }
  }
}

TEST(TestModelsTest, SaysWhichFileIsMissing) {
  const TestModel nowhere{"nowhere", DataDir() + "/nowhere", DataDir() + "/nowhere/model.onnx"};
  EXPECT_EQ(LoadCases(nowhere).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(LoadCases(nowhere).status().message(), HasSubstr("nowhere/cases.json"));
}

TEST(TensorProtoTest, RefusesBytesThatAreNoTensor) {
  EXPECT_EQ(ParseTensorProto("\xFF\xFF").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace stillwave::test_support
