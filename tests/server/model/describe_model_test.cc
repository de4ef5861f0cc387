#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using test_support::IsOk;
using test_support::SmallModel;
using test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string DescribeModel(absl::string_view name, BatchNormMode mode, int64_t window_length = 0) {
  const auto model = LoadForTest(SmallModel(name).model_file, mode);
  EXPECT_THAT(model, IsOk());
  if (!model.ok()) return "";
  const auto text = (*model)->Describe(window_length);
  EXPECT_THAT(text, IsOk());
  return text.ok() ? *text : "";
}

TEST(DescribeModelTest, ShowsInputsOutputsAndWhatIsLearnedApartFromWhatIsCounted) {
  const std::string text = DescribeModel("seed_block", BatchNormMode::kPrimitive);
  EXPECT_THAT(text, AllOf(HasSubstr("input   x  FP32 [-1,3,-1]"), HasSubstr("output  y  FP32 [-1,5]")));
  // 64 + 128 + 64 channels: 2×C scale and bias, 2×C running mean and variance.
  EXPECT_THAT(text,
              HasSubstr("50565 learnable, of which 512 are BatchNormalization's scale and bias (2×C of 3 layers)"));
  EXPECT_THAT(text, HasSubstr("512 running statistics (2×C: mean and variance)"));
}

TEST(DescribeModelTest, ShowsPrimitiveAndImplementationOfEachLayerAndWhatWasFused) {
  const std::string text = DescribeModel("seed_block", BatchNormMode::kPrimitive, /*window_length=*/40);
  EXPECT_THAT(text, HasSubstr("layers for one sample of [1,3,40]"));
  EXPECT_THAT(text, AllOf(HasSubstr("convolution"), HasSubstr("batch_normalization"), HasSubstr("Gemm")));
  EXPECT_THAT(text, AllOf(HasSubstr("[1,128,40]"), HasSubstr("+relu"), HasSubstr("in place")));
  EXPECT_THAT(text, HasSubstr("BatchNormalization  3 as primitive on the stored statistics\n"));
  EXPECT_THAT(text, Not(HasSubstr("bnorm_ref")));
}

TEST(DescribeModelTest, SaysHowManyNormalizationsWereFolded) {
  const std::string text = DescribeModel("seed_block", BatchNormMode::kFolded);
  EXPECT_THAT(text, HasSubstr("BatchNormalization  no layer left to run, 3 folded into convolutions"));
  EXPECT_THAT(text, Not(HasSubstr("batch_normalization")));
}

TEST(DescribeModelTest, CountsOnlyTheNormalizationThatIsLeft) {
  // bn_mlp normalizes its raw input, which has no convolution before it, and behind linear layers.
  const std::string text = DescribeModel("bn_mlp", BatchNormMode::kFolded);
  EXPECT_THAT(text, HasSubstr("as primitive on the stored statistics"));
  EXPECT_THAT(text, HasSubstr("batch_normalization"));
}

TEST(DescribeModelTest, RefusesAWindowThatTheNetworkCannotTake) {
  const auto model = LoadForTest(SmallModel("resnet2d").model_file);
  ASSERT_THAT(model, IsOk());
  EXPECT_THAT((*model)->Describe(1 << 20), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("limit")));
}

}  // namespace
}  // namespace stillwave::model
