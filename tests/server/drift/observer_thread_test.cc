#include "server/drift/observer_thread.h"

#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/drift/sampling_runner.h"
#include "tests/server/model/run_model.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::drift {
namespace {

using tensor::Tensor;
using test_support::IsOk;

class ObserverThreadTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = model::LoadForTest(test_support::SmallModel("seed_block").model_file);
    ASSERT_THAT(model, IsOk());
    model_ = *model;
  }

  std::shared_ptr<DriftWatch> AddWatch(const std::string& name) {
    auto watch = std::make_shared<DriftWatch>(model_, model::DriftOptions{1, 1000, 1}, &metrics_.ForModel(name, "1"),
                                              metrics_.drift().ForVersion(name, "1"), thread_.bell());
    thread_.Add(watch);
    return watch;
  }
  double Accounted(const std::string& name) {
    const metrics::ModelMetrics& metrics = metrics_.ForModel(name, "1");
    double sum = metrics.drift_samples->Value();
    for (const prometheus::Counter* drop : metrics.drift_drops) sum += drop->Value();
    return sum;
  }

  metrics::ServerMetrics metrics_;
  std::shared_ptr<const model::LoadedModel> model_;
  ObserverThread thread_;
};

TEST_F(ObserverThreadTest, ObservesTheSamplesOfAllModels) {
  const auto a = AddWatch("a");
  const auto b = AddWatch("b");
  const Tensor batch = test_support::ToTensor(test_support::RandomTensor({3, 3, 80}, 1));
  a->Offer({batch.view()});
  a->AwaitObserved();
  b->Offer({batch.view()});
  b->AwaitObserved();
  EXPECT_GT(a->Report().samples, 0);
  EXPECT_GT(b->Report().samples, 0);
  // Only where the observer looked into the queue at the same moment was one dropped.
  EXPECT_EQ(Accounted("a"), 3);
  EXPECT_EQ(Accounted("b"), 3);
}

TEST_F(ObserverThreadTest, AModelThatIsGoneIsForgottenAndTheOthersGoOn) {
  auto gone = AddWatch("gone");
  const auto stays = AddWatch("stays");
  const Tensor batch = test_support::ToTensor(test_support::RandomTensor({8, 3, 80}, 2));
  gone->Offer({batch.view()});
  const std::weak_ptr<DriftWatch> weak = gone;
  gone.reset();
  stays->Offer({batch.view()});
  stays->AwaitObserved();
  EXPECT_EQ(Accounted("stays"), 8);
}

TEST_F(ObserverThreadTest, EverySampleOfManyWorkersIsObservedOrCounted) {
  const auto watch = AddWatch("busy");
  const SamplingRunner runner(model_, watch);
  constexpr int kWorkers = 4;
  constexpr int kBatches = 50;
  std::vector<std::thread> workers;
  for (int w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&, w] {
      execution::ExecutionContext context;
      const Tensor batch = test_support::ToTensor(test_support::RandomTensor({4, 3, 40}, static_cast<uint64_t>(w)));
      Tensor output = *Tensor::Create(tensor::DataType::kFloat32, (*runner.OutputShapes({batch.shape()}))[0]);
      for (int n = 0; n < kBatches; ++n) {
        EXPECT_THAT(runner.Run(context, {batch.view()}, {output.mutable_view()}), IsOk());
        if (n == kBatches / 2) watch->Report();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  watch->AwaitObserved();
  EXPECT_EQ(Accounted("busy"), kWorkers * kBatches * 4);
  EXPECT_GT(watch->Report().samples, 0);
}

TEST_F(ObserverThreadTest, AfterStopNothingIsObserved) {
  const auto watch = AddWatch("late");
  thread_.Stop();
  const Tensor batch = test_support::ToTensor(test_support::RandomTensor({1, 3, 80}, 3));
  watch->Offer({batch.view()});
  EXPECT_EQ(watch->Report().samples, 0);
}

}  // namespace
}  // namespace stillwave::drift
