#include "server/streaming/repository_model_source.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::streaming {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

TEST(RepositoryModelSourceTest, AnswersAsTheRepositoryDoesForAModelThatIsNotThere) {
  metrics::ServerMetrics metrics;
  batching::BatchScheduler scheduler({});
  const repository::ModelRepository repository(&scheduler, &metrics);
  const ModelSource source = RepositoryModelSource(&repository);
  EXPECT_THAT(source("ecg", ""), StatusIs(absl::StatusCode::kNotFound, HasSubstr("model 'ecg' is not known")));
}

}  // namespace
}  // namespace stillwave::streaming
