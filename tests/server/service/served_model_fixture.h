// A repository with one small model that is ready.
#pragma once

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "server/batching/batch_scheduler.h"
#include "server/metrics/server_metrics.h"
#include "server/repository/model_repository.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::service {

class ServedModelTest : public testing::Test {
 protected:
  void Load(const model::ModelConfig& defaults = {}) {
    repository_ = std::make_unique<repository::ModelRepository>(&scheduler_, &metrics_, defaults);
    ASSERT_THAT(repository_->LoadFile("seed_block", test_support::SmallModel("seed_block").model_file),
                test_support::IsOk());
  }

  std::shared_ptr<const repository::ServedModel> Model() const { return *repository_->Find("seed_block", ""); }

  metrics::ServerMetrics metrics_;
  batching::BatchScheduler scheduler_{batching::BatchScheduler::Options{}};
  std::unique_ptr<repository::ModelRepository> repository_;
};

}  // namespace stillwave::service
