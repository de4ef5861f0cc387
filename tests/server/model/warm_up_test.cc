#include "server/model/warm_up.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::SmallModel;
using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// seed_block takes x {N, 3, T}.
class WarmUpTest : public testing::Test {
 protected:
  WarmUpTest() {
    config_.dims_without_batch = true;
    LoadOptions options;
    options.plan_compiled = [this](absl::Duration) { ++compiled_; };
    const auto loaded = LoadedModel::Load(SmallModel("seed_block").model_file, options);
    EXPECT_THAT(loaded, IsOk());
    model_ = *loaded;
    compiled_ = 0;
  }
  absl::Status Run(const WarmUpRun& run) {
    config_.warm_ups = {run};
    return WarmUp(config_, *model_, stop_requested_);
  }
  static WarmUpInput Input(const std::string& name, const tensor::Shape& dims) {
    return {{name, tensor::DataType::kFloat32, dims}, /*random=*/true};
  }

  ModelConfig config_;
  std::function<bool()> stop_requested_;
  std::shared_ptr<const LoadedModel> model_;
  int compiled_ = 0;
};

TEST_F(WarmUpTest, ARunCompilesThePlansThatItsRequestWouldNeed) {
  ASSERT_THAT(Run({"w", /*batch_size=*/3, /*count=*/2, {Input("x", {3, 77})}}), IsOk());
  EXPECT_EQ(compiled_, 2) << "3 samples run as 2 + 1";
  ASSERT_THAT(Run({"w", 3, 1, {Input("x", {3, 77})}}), IsOk());
  EXPECT_EQ(compiled_, 2);
}

TEST_F(WarmUpTest, ItRunsAsOftenAsItIsAsked) {
  int asked = 0;
  stop_requested_ = [&] { return ++asked == 5; };
  EXPECT_THAT(Run({"w", 1, /*count=*/4, {Input("x", {3, 16})}}), IsOk());
  asked = 0;
  EXPECT_THAT(Run({"w", 1, /*count=*/1000, {Input("x", {3, 16})}}),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("the server is stopping")));
}

TEST_F(WarmUpTest, DimsHaveTheBatchAxisWhereMaxBatchSizeIsNotSet) {
  config_.dims_without_batch = false;
  EXPECT_THAT(Run({"w", 1, 1, {Input("x", {2, 3, 16})}}), IsOk());
  EXPECT_THAT(Run({"w", 2, 1, {Input("x", {2, 3, 16})}}),
              StatusIs(kInvalid, HasSubstr("model_warmup 'w': batch_size must be 0 or 1 where max_batch_size is not")));
}

TEST_F(WarmUpTest, InputsMustBeThoseOfTheModel) {
  EXPECT_THAT(Run({"w", 1, 1, {Input("z", {3, 16})}}),
              StatusIs(kInvalid, AllOf(HasSubstr("model_warmup 'w': "), HasSubstr("(x)"), HasSubstr("'z'"))));
  EXPECT_THAT(Run({"w", 1, 1, {}}), StatusIs(kInvalid, HasSubstr("input 'x' must be given")));
  EXPECT_THAT(Run({"w", 1, 1, {Input("x", {4, 16})}}), StatusIs(kInvalid, HasSubstr("dimension 1 must be 3")));
  EXPECT_THAT(Run({"w", 1, 1, {Input("x", {16})}}), StatusIs(kInvalid, HasSubstr("3 dimensions")));
  WarmUpInput integers = Input("x", {3, 16});
  integers.tensor.data_type = tensor::DataType::kInt64;
  EXPECT_THAT(Run({"w", 1, 1, {integers}}), StatusIs(kInvalid, HasSubstr("datatype must be FP32")));
}

TEST_F(WarmUpTest, AnInputThatNoRequestCouldBringIsRefused) {
  EXPECT_THAT(Run({"w", 32, 1, {Input("x", {3, 1 << 24})}}),
              StatusIs(kInvalid, HasSubstr("must have at most 67108864 bytes")));
}

}  // namespace
}  // namespace stillwave::model
