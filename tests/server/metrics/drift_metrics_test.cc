#include "server/metrics/drift_metrics.h"

#include <memory>
#include <string>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/server_metrics.h"

namespace stillwave::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DriftMetricsTest, ALayerHasThreeFiguresOfTwoStatistics) {
  ServerMetrics metrics;
  const auto gauges = metrics.drift().ForVersion("ecg", "2");
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("stillwave_batchnorm_divergence{")));
  gauges->Set("bn1", {{0.5, 1.25, 0.125}, {2, 3, 4}});
  const std::string text = metrics.Text();
  for (const auto& [name, mean, max] : {std::tuple("mean_shift", "0.5", "2"), std::tuple("variance_ratio", "1.25", "3"),
                                        std::tuple("divergence", "0.125", "4")}) {
    const std::string labels = "{layer=\"bn1\",model=\"ecg\",statistic=\"";
    const std::string start = std::string("stillwave_batchnorm_") + name + labels;
    EXPECT_THAT(text, HasSubstr(start + "mean\",version=\"2\"} " + mean + "\n"));
    EXPECT_THAT(text, HasSubstr(start + "max\",version=\"2\"} " + max + "\n"));
  }
}

TEST(DriftMetricsTest, ClearedFiguresAreGoneUntilTheyAreSetAgain) {
  ServerMetrics metrics;
  const auto gauges = metrics.drift().ForVersion("ecg", "2");
  gauges->Set("bn1", {});
  gauges->Set("bn2", {});
  const auto other = metrics.drift().ForVersion("ecg", "3");
  other->Set("bn1", {});
  gauges->Clear();
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("version=\"2\"")));
  EXPECT_THAT(metrics.Text(), HasSubstr("version=\"3\""));
  gauges->Set("bn1", {});
  EXPECT_THAT(metrics.Text(), HasSubstr("version=\"2\""));
}

TEST(DriftMetricsTest, TheLastOfTwoOfAVersionKeepsItsFigures) {
  ServerMetrics metrics;
  auto before = metrics.drift().ForVersion("ecg", "1");
  before->Set("bn1", {{1, 1, 1}, {1, 1, 1}});
  auto after = metrics.drift().ForVersion("ecg", "1");
  after->Set("bn1", {{7, 7, 7}, {7, 7, 7}});
  before.reset();
  EXPECT_THAT(metrics.Text(), HasSubstr("stillwave_batchnorm_divergence{layer=\"bn1\",model=\"ecg\",statistic=\"mean\","
                                        "version=\"1\"} 7\n"));
  after.reset();
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("layer=\"bn1\"")));
}

}  // namespace
}  // namespace stillwave::metrics
