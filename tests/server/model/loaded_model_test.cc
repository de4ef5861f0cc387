#include "server/model/loaded_model.h"

#include <cstring>
#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using tensor::Shape;
using tensor::Tensor;
using test_support::IsOk;
using test_support::SmallModel;
using test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;

std::string RefusedFile(absl::string_view name) {
  return test_support::DataDir() + "/models/refused/" + std::string(name) + ".onnx";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(LoadedModelTest, KnowsItsSignatureAndDigest) {
  const auto model = LoadForTest(SmallModel("seed_block").model_file);
  ASSERT_THAT(model, IsOk());
  const ModelSignature& signature = (*model)->signature();
  ASSERT_EQ(signature.inputs.size(), 1U);
  EXPECT_EQ(signature.inputs[0].name, "x");
  EXPECT_EQ(signature.inputs[0].shape, Shape({-1, 3, -1}));
  ASSERT_EQ(signature.outputs.size(), 1U);
  EXPECT_EQ(signature.outputs[0].name, "y");
  EXPECT_EQ(signature.outputs[0].shape, Shape({-1, 5}));
  EXPECT_EQ((*model)->fixed_window_length(), tensor::kDynamicDim);
  EXPECT_THAT((*model)->sha256(), MatchesRegex("[0-9a-f]{64}"));
}

TEST(LoadedModelTest, IsTheSameFromBytesAsFromTheFile) {
  const std::string path = SmallModel("seed_block").model_file;
  const auto from_file = LoadForTest(path);
  const auto from_bytes = LoadedModel::LoadFromBytes(ReadFile(path), {});
  ASSERT_THAT(from_file, IsOk());
  ASSERT_THAT(from_bytes, IsOk());
  EXPECT_EQ((*from_file)->sha256(), (*from_bytes)->sha256());
  EXPECT_EQ((*from_bytes)->signature().outputs[0].name, "y");
}

TEST(LoadedModelTest, KeepsTheNameOfAnOutputWhoseLastLayersVanish) {
  // The opset-9 file ends with Dropout nodes inside and Constant nodes all over.
  const auto model = LoadForTest(SmallModel("seed_block_opset9_constants").model_file);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ((*model)->signature().outputs[0].name, "y");
}

TEST(LoadedModelTest, RefusesExternalDataWhenThereIsNoFolder) {
  const auto model = LoadedModel::LoadFromBytes(ReadFile(SmallModel("seed_block_external_data").model_file), {});
  EXPECT_THAT(model, StatusIs(model.status().code(), HasSubstr("external data")));
  EXPECT_FALSE(model.ok());
}

TEST(LoadedModelTest, RefusesABatchLimitThatIsNotPositive) {
  EXPECT_THAT(LoadedModel::Load(SmallModel("bn_mlp").model_file, {.max_batch_size = 0}),
              StatusIs(kInvalid, HasSubstr("max_batch_size must be positive; was 0")));
}

TEST(LoadedModelTest, SaysThatAFileIsNotThere) {
  EXPECT_THAT(LoadForTest(RefusedFile("no_such_file")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("cannot open the model")));
}

TEST(LoadedModelTest, RefusesEveryFormOfTrainingMode) {
  for (const char* name : {"bn_training_mode", "bn_no_running_stats_opset13", "bn_no_running_stats_opset15",
                           "bn_training_mode_attr_only"}) {
    EXPECT_THAT(LoadForTest(RefusedFile(name)), StatusIs(kFailedPrecondition, HasSubstr("BatchNormalization"))) << name;
  }
  EXPECT_THAT(LoadForTest(RefusedFile("dropout_training_true")), StatusIs(kFailedPrecondition, HasSubstr("Dropout")));
}

TEST(LoadedModelTest, RefusesBrokenRunningStatisticsByNode) {
  EXPECT_THAT(LoadForTest(RefusedFile("bn_negative_var")),
              StatusIs(kInvalid, AllOf(HasSubstr("BatchNormalization"), HasSubstr("-0.5"))));
  EXPECT_THAT(LoadForTest(RefusedFile("bn_scale_length")), StatusIs(kInvalid, HasSubstr("scale")));
}

TEST(LoadedModelTest, RefusesNetworksThatMixTheSamplesOfABatch) {
  EXPECT_THAT(LoadForTest(RefusedFile("batch_mixing")), StatusIs(kFailedPrecondition, HasSubstr("batch")));
  EXPECT_THAT(LoadForTest(RefusedFile("batch_mean")), StatusIs(kFailedPrecondition, HasSubstr("batch")));
  EXPECT_THAT(LoadForTest(RefusedFile("batch_axis_moved")),
              StatusIs(kFailedPrecondition, HasSubstr("axis 0 of every output must be the batch")));
}

class LoadedSeedBlockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = LoadForTest(SmallModel("seed_block").model_file);
    ASSERT_THAT(loaded, IsOk());
    model_ = *std::move(loaded);
  }

  std::shared_ptr<const LoadedModel> model_;
};

TEST_F(LoadedSeedBlockTest, GivesOutputShapesForAnyBatchAndLength) {
  for (const int64_t samples : {1, 7, 100}) {
    const auto shapes = model_->OutputShapes({Shape({samples, 3, 33})});
    ASSERT_THAT(shapes, IsOk());
    EXPECT_EQ((*shapes)[0], Shape({samples, 5}));
  }
}

TEST_F(LoadedSeedBlockTest, RefusesShapesThatTheNetworkCannotTake) {
  EXPECT_THAT(model_->OutputShapes({Shape({1, 4, 33})}), StatusIs(kInvalid, HasSubstr("Conv")));
  EXPECT_THAT(model_->OutputShapes({Shape({0, 3, 33})}), StatusIs(kInvalid, HasSubstr("[0,3,33]")));
  EXPECT_THAT(model_->OutputShapes({Shape({1, 3, 0})}), StatusIs(kInvalid, HasSubstr("spatial axis")));
  EXPECT_THAT(model_->OutputShapes({Shape({1, 3})}), StatusIs(kInvalid, HasSubstr("rank 3")));
}

TEST_F(LoadedSeedBlockTest, ReadsInputsAtAnyAlignment) {
  const Tensor input = test_support::ToTensor(test_support::RandomTensor({5, 3, 20}, 1));
  execution::ExecutionContext context;
  const auto want = RunModel(*model_, context, {input.view()});
  ASSERT_THAT(want, IsOk());
  for (size_t offset = 1; offset < 4; ++offset) {
    std::vector<char> bytes(input.byte_size() + offset);
    std::memcpy(bytes.data() + offset, input.data(), input.byte_size());
    const auto got = RunModel(*model_, context, {{tensor::DataType::kFloat32, input.shape(), bytes.data() + offset}});
    ASSERT_THAT(got, IsOk());
    EXPECT_EQ(std::memcmp((*got)[0].data(), (*want)[0].data(), (*want)[0].byte_size()), 0) << offset;
  }
}

TEST_F(LoadedSeedBlockTest, CountsItsParameters) {
  const ParameterCounts& counts = model_->parameter_counts();
  EXPECT_EQ(counts.learnable, 50565);
  EXPECT_EQ(counts.batch_norm_affine, 2 * (64 + 128 + 64));
  EXPECT_EQ(counts.running_statistics, 2 * (64 + 128 + 64));
  EXPECT_EQ(model_->batch_norm_layers(), 3);
}

TEST(LoadedModelTest, HasNoNormalizationLeftToWatchWhenItIsFolded) {
  const auto model = LoadForTest(SmallModel("seed_block").model_file, BatchNormMode::kFolded);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ((*model)->batch_norm_layers(), 0);
  EXPECT_EQ((*model)->parameter_counts().running_statistics, 2 * (64 + 128 + 64));
}

TEST(LoadedModelTest, KeepsNormalizationThatCannotBeFolded) {
  // In post_relu_bn each normalization follows a ReLU.
  const auto model = LoadForTest(SmallModel("post_relu_bn").model_file, BatchNormMode::kFolded);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ((*model)->batch_norm_layers(), 3);
}

}  // namespace
}  // namespace stillwave::model
