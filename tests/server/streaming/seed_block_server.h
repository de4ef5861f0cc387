// seed_block behind a scheduler, for the tests of this folder.
#pragma once

#include <functional>
#include <memory>

#include "tests/server/model/run_model.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_models.h"

namespace stillwave::streaming {

// As the repository serves it.
class SeedBlockServer {
 public:
  // The queue runs `runner`, if it is given, which runs the model.
  using MakeRunner =
      std::function<std::shared_ptr<const model::BatchRunner>(std::shared_ptr<const overlap::OverlapRunner>)>;
  // No time passes in the scheduler: what it learns of it does not change what it does.
  explicit SeedBlockServer(const MakeRunner& runner = nullptr, batching::ModelQueueOptions options = {})
      : scheduler_({/*workers=*/2, &clock_}) {
    model_ = *model::LoadForTest(test_support::SmallModel("seed_block").model_file);
    served_.name = "seed";
    served_.version = "1";
    served_.signature = model_->signature();
    served_.metrics = &metrics_.ForModel("seed", "1");
    served_.runner = model_;
    served_.overlap =
        std::make_shared<const overlap::OverlapRunner>(model_, served_.metrics, overlap::OverlapRunner::Options{});
    options.name = "seed";
    served_.queue = *scheduler_.AddModel(runner ? runner(served_.overlap) : served_.overlap, options, served_.metrics);
  }

  ModelSource Source() {
    return [this](absl::string_view, absl::string_view) -> absl::StatusOr<StreamModel> { return served_; };
  }
  metrics::ServerMetrics& metrics() { return metrics_; }
  const metrics::ModelMetrics& counts() const { return *served_.metrics; }
  const model::LoadedModel& model() const { return *model_; }
  int64_t channels() const { return served_.signature.inputs[0].shape[1]; }

 private:
  metrics::ServerMetrics metrics_;
  test_support::FakeClock clock_;
  std::shared_ptr<const model::LoadedModel> model_;
  batching::BatchScheduler scheduler_;
  StreamModel served_;
};

}  // namespace stillwave::streaming
