#include "client/model_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/exit_matchers.h"

namespace stillwave::client {
namespace {

using testing::HasSubstr;

TEST(ModelChoice, TakesTheOnlyReadyModelWhateverItsVersions) {
  const auto choice =
      ChooseOnlyModel({{"a", "1", "READY", ""}, {"a", "2", "READY", ""}, {"b", "1", "UNAVAILABLE", "x"}});
  ASSERT_THAT(choice, Succeeds());
  EXPECT_EQ(*choice, "a");
}

TEST(ModelChoice, AsksWhenThereAreSeveral) {
  EXPECT_THAT(ChooseOnlyModel({{"b", "1", "READY", ""}, {"a", "1", "READY", ""}}),
              FailsWith(ExitCode::kUsage, HasSubstr("--model is needed: the server has a, b")));
}

TEST(ModelChoice, GivesTheReasonWhenNoneIsReady) {
  EXPECT_THAT(ChooseOnlyModel({{"a", "1", "UNAVAILABLE", "node 3: bad"}}),
              FailsWith(ExitCode::kNotReady, HasSubstr("(a: node 3: bad)")));
  EXPECT_THAT(ChooseOnlyModel({}), FailsWith(ExitCode::kNotReady, HasSubstr("no models")));
}

}  // namespace
}  // namespace stillwave::client
