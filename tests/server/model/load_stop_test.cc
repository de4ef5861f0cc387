// A load that is broken off.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/model/loaded_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::SmallModel;
using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

TEST(LoadStopTest, ALoadIsBrokenOffBetweenAnyTwoOfItsSteps) {
  const std::string file = SmallModel("seed_block").model_file;
  int asked = 0;
  LoadOptions options;
  options.stop_requested = [&] {
    ++asked;
    return false;
  };
  ASSERT_THAT(LoadedModel::Load(file, options), IsOk());
  const int steps = asked;
  EXPECT_GT(steps, 10) << "each run of the probe is a step";
  for (int last = 1; last <= steps; ++last) {
    asked = 0;
    options.stop_requested = [&asked, last] { return ++asked >= last; };
    EXPECT_THAT(LoadedModel::Load(file, options),
                StatusIs(absl::StatusCode::kCancelled, HasSubstr("the server is stopping")))
        << "at step " << last;
  }
}

TEST(LoadStopTest, ALoadedModelForgetsWhomItAsked) {
  LoadOptions options;
  options.stop_requested = [] { return false; };
  const auto model = LoadedModel::Load(SmallModel("seed_block").model_file, options);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ((*model)->options().stop_requested, nullptr);
}

}  // namespace
}  // namespace stillwave::model
