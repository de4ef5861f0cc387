#include "server/repository/model_repository.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/repository/test_repository.h"
#include "tests/support/status_matchers.h"

namespace stillwave::repository {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

class ModelRepositoryTest : public testing::Test {
 protected:
  // "ecg/1 READY", "bad/1 UNAVAILABLE: reason".
  std::vector<std::string> Index() const {
    std::vector<std::string> lines;
    for (const IndexEntry& entry : repository_.Index()) {
      lines.push_back(absl::StrCat(entry.name, "/", entry.version, " ", Name(entry.state),
                                   entry.reason.empty() ? "" : ": ", entry.reason));
    }
    return lines;
  }

  TestFolder folder_;
  metrics::ServerMetrics metrics_;
  batching::BatchScheduler scheduler_{{}};
  ModelRepository repository_{&scheduler_, &metrics_};
};

TEST_F(ModelRepositoryTest, LoadsTheNewestVersionAndRunsIt) {
  folder_.PutModel("ecg/1/model.onnx");
  folder_.PutModel("ecg/2/model.onnx");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  EXPECT_THAT(Index(), ElementsAre("ecg/2 READY"));
  EXPECT_THAT(repository_.ReadyVersions("ecg"), ElementsAre("2"));
  const auto served = repository_.Find("ecg", "");
  ASSERT_THAT(served, IsOk());
  EXPECT_EQ((*served)->name(), "ecg");
  EXPECT_EQ((*served)->version(), "2");
  EXPECT_EQ((*served)->version_number(), 2);
  EXPECT_EQ(*repository_.Find("ecg", "2"), *served);

  const model::TensorSpec& spec = (*served)->signature().inputs.at(0);
  const auto input = tensor::Tensor::Create(spec.data_type, {2, spec.shape[1], 64});
  std::memset(const_cast<void*>(input->data()), 0, input->byte_size());
  batching::InferenceTask task;
  task.inputs = {input->view()};
  task.samples = 2;
  batching::InferenceResult answer;
  absl::Notification done;
  task.done = [&](batching::InferenceResult result) {
    answer = std::move(result);
    done.Notify();
  };
  ASSERT_THAT((*served)->queue()->Submit(std::move(task)), IsOk());
  done.WaitForNotification();
  ASSERT_THAT(answer.status, IsOk());
  EXPECT_EQ(answer.outputs.at(0).shape()[0], 2);
  EXPECT_EQ((*served)->metrics().samples->Value(), 2);
}

TEST_F(ModelRepositoryTest, AModelThatCannotBeLoadedDoesNotStopTheOthers) {
  folder_.Write("bad/1/model.onnx", "this is no ONNX file");
  folder_.PutModel("good/1/model.onnx");
  folder_.PutModel("wrong_config/1/model.onnx");
  folder_.Write("wrong_config/config.pbtxt", "max_batch_size: many");
  folder_.Write("without_version/readme.txt", "");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  EXPECT_THAT(Index(),
              ElementsAre(StartsWith("bad/1 UNAVAILABLE: "), "good/1 READY",
                          "without_version/ UNAVAILABLE: the model's folder has no version: <number>/model.onnx is "
                          "expected",
                          StartsWith("wrong_config/ UNAVAILABLE: config.pbtxt: line 1, column 17")));
  EXPECT_THAT(repository_.Find("good", ""), IsOk());
  EXPECT_THAT(repository_.Find("bad", ""), StatusIs(kUnavailable, HasSubstr("model 'bad' version 1 is not ready: ")));
  EXPECT_THAT(repository_.Find("bad", "1"), StatusIs(kUnavailable, HasSubstr("model 'bad' version 1 is not ready: ")));
  EXPECT_THAT(repository_.Find("wrong_config", "1"), StatusIs(kNotFound, HasSubstr("has no version '1'")));
  EXPECT_THAT(repository_.Find("wrong_config", ""), StatusIs(kUnavailable, HasSubstr("line 1, column 17")));
}

TEST_F(ModelRepositoryTest, UnknownNamesAreNotFoundAndTheAnswerNamesTheKnownOnes) {
  folder_.PutModel("a/1/model.onnx");
  folder_.PutModel("b/3/model.onnx");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  EXPECT_THAT(repository_.Find("c", ""), StatusIs(kNotFound, HasSubstr("model 'c' is not known; known models: a, b")));
  EXPECT_THAT(repository_.Find("b", "1"),
              StatusIs(kNotFound, HasSubstr("model 'b' has no version '1'; known versions: 3")));
  EXPECT_THAT(repository_.Find("b", "03"), StatusIs(kNotFound, HasSubstr("'03'")));
  EXPECT_THAT(repository_.ReadyVersions("c"), IsEmpty());
  // A name that a client made up comes back in a header: not all of it.
  const absl::Status endless = repository_.Find(std::string(1'000'000, 'x'), "").status();
  EXPECT_LT(endless.message().size(), 1000u);
}

TEST_F(ModelRepositoryTest, AVersionPolicyIsObeyed) {
  for (const char* version : {"1", "2", "3"}) folder_.PutModel(absl::StrCat("ecg/", version, "/model.onnx"));
  folder_.Write("ecg/config.pbtxt", "version_policy { specific { versions: [ 1, 3, 9 ] } }");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  EXPECT_THAT(Index(),
              ElementsAre("ecg/1 READY", "ecg/3 READY",
                          "ecg/9 UNAVAILABLE: version_policy names this version, and its folder is not there"));
  EXPECT_EQ((*repository_.Find("ecg", ""))->version(), "3");
  EXPECT_EQ((*repository_.Find("ecg", "1"))->version(), "1");
}

TEST_F(ModelRepositoryTest, TheConfigurationReachesTheModelAndItsQueue) {
  folder_.PutModel("ecg/1/model.onnx");
  folder_.Write("ecg/config.pbtxt", R"pb(
    max_batch_size: 4
    instance_group { count: 2 }
    dynamic_batching { default_queue_policy { max_queue_size: 9 } }
    parameters {
      key: "window_length"
      value: { string_value: "96" }
    }
    parameters {
      key: "hop"
      value: { string_value: "24" }
    }
    parameters {
      key: "batchnorm"
      value: { string_value: "folded" }
    }
  )pb");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  const auto served = repository_.Find("ecg", "");
  ASSERT_THAT(served, IsOk());
  EXPECT_EQ((*served)->max_batch_size(), 4);
  EXPECT_EQ((*served)->window_length(), 96);
  EXPECT_EQ((*served)->hop(), 24);
  EXPECT_EQ((*served)->queue()->options().max_batch_size, 4);
  EXPECT_EQ((*served)->queue()->options().max_queue_samples, 9);
  EXPECT_EQ((*served)->queue()->options().max_running_batches, 2);
  EXPECT_EQ((*served)->model()->options().batch_norm, model::BatchNormMode::kFolded);
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_model_info{batchnorm=\"folded\",model=\"ecg\""));
}

TEST_F(ModelRepositoryTest, AConfigurationThatDoesNotFitTheFileRefusesTheModel) {
  folder_.PutModel("ecg/1/model.onnx");
  folder_.Write("ecg/config.pbtxt", "input { name: \"nope\" data_type: TYPE_FP32 dims: [ 1 ] }");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  EXPECT_THAT(repository_.Find("ecg", ""),
              StatusIs(kUnavailable, HasSubstr("input 'nope' must be one that the model")));
}

TEST_F(ModelRepositoryTest, AnUnreadableFolderIsAnError) {
  EXPECT_THAT(repository_.LoadAll(folder_.path() + "/nowhere"), StatusIs(kNotFound, HasSubstr("nowhere")));
}

TEST_F(ModelRepositoryTest, OneFileIsVersionOneOfItsName) {
  ASSERT_THAT(repository_.LoadFile("mine", TestFolder::ModelFile("seed_block")), IsOk());
  EXPECT_THAT(Index(), ElementsAre("mine/1 READY"));
  const absl::Status refused = repository_.LoadFile("other", folder_.path() + "/nowhere.onnx");
  EXPECT_THAT(refused, Not(IsOk()));
  EXPECT_THAT(Index(), ElementsAre("mine/1 READY", StartsWith("other/1 UNAVAILABLE: ")));
}

TEST_F(ModelRepositoryTest, AModelInMemoryIsServedUnderItsConfiguration) {
  std::ifstream file(TestFolder::ModelFile("seed_block"), std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  model::ModelConfig config = model::DefaultModelConfig("demo");
  config.window_length = 128;
  ASSERT_THAT(repository_.LoadBytes(config, bytes.str()), IsOk());
  EXPECT_EQ((*repository_.Find("demo", "1"))->window_length(), 128);
}

TEST_F(ModelRepositoryTest, IsReadyWhenTheStartIsOverAndStrictlyOnlyWhenNothingIsRefused) {
  EXPECT_THAT(repository_.Readiness(/*strict=*/false), StatusIs(kUnavailable, HasSubstr("being loaded")));
  ASSERT_THAT(repository_.LoadFile("good", TestFolder::ModelFile("seed_block")), IsOk());
  repository_.FinishStart();
  EXPECT_THAT(repository_.Readiness(/*strict=*/true), IsOk());
  (void)repository_.LoadFile("bad", folder_.path() + "/nowhere.onnx");
  EXPECT_THAT(repository_.Readiness(/*strict=*/false), IsOk());
  EXPECT_THAT(repository_.Readiness(/*strict=*/true),
              StatusIs(kUnavailable, HasSubstr("model 'bad' version 1 is not ready: ")));
}

TEST_F(ModelRepositoryTest, ManyModelsAreLoadedAndListed) {
  constexpr int kModels = 200;
  for (int i = 0; i < kModels; ++i) folder_.PutScale(absl::StrCat("m", i, "/1/model.onnx"), 1);
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  EXPECT_EQ(repository_.Index().size(), size_t{kModels});
  for (const IndexEntry& entry : repository_.Index()) EXPECT_EQ(entry.state, VersionState::kReady) << entry.name;
}

TEST_F(ModelRepositoryTest, AStartThatIsToEndLeavesTheRest) {
  folder_.PutModel("a/1/model.onnx");
  folder_.PutModel("b/1/model.onnx");
  ASSERT_THAT(repository_.LoadAll(folder_.path(), [] { return true; }), IsOk());
  EXPECT_THAT(Index(), ElementsAre(StartsWith("a/ LOADING"), StartsWith("b/ LOADING")));
  EXPECT_THAT(repository_.LoadFile("mine", TestFolder::ModelFile("seed_block"), [] { return true; }),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("the server is stopping")));
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("model_loads_total"))) << "what was broken off is no refusal";
}

TEST_F(ModelRepositoryTest, ModelWarmUpRunsBeforeTheModelIsReady) {
  folder_.PutScale("good/1/model.onnx", 1);
  folder_.Write("good/config.pbtxt", R"pb(
    max_batch_size: 4
    model_warmup {
      name: "some"
      batch_size: 3
      count: 2
      inputs {
        key: "x"
        value: {
          data_type: TYPE_FP32
          dims: [ 1, 50 ]
          random_data: true
        }
      }
    }
  )pb");
  folder_.PutScale("bad/1/model.onnx", 1);
  folder_.Write("bad/config.pbtxt",
                "model_warmup { name: \"w\" inputs { key: \"z\" value: { data_type: TYPE_FP32 dims: [ 1, 1, 8 ] "
                "zero_data: true } } }");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  EXPECT_THAT(Index(), ElementsAre(AllOf(StartsWith("bad/1 UNAVAILABLE: model_warmup 'w': "), HasSubstr("'z'")),
                                   "good/1 READY"));
}

TEST_F(ModelRepositoryTest, ReadinessAndLoadTimeAreMetrics) {
  ASSERT_THAT(repository_.LoadFile("good", TestFolder::ModelFile("seed_block")), IsOk());
  (void)repository_.LoadFile("bad", folder_.path() + "/nowhere.onnx");
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, AllOf(HasSubstr("stillwave_model_ready{model=\"good\",version=\"1\"} 1"),
                          HasSubstr("stillwave_model_ready{model=\"bad\",version=\"1\"} 0"),
                          HasSubstr("stillwave_model_load_duration_seconds{model=\"good\",version=\"1\"} "),
                          HasSubstr("stillwave_model_loads_total{model=\"good\",result=\"ready\"} 1"),
                          HasSubstr("stillwave_model_loads_total{model=\"bad\",result=\"refused\"} 1"),
                          HasSubstr("precision=\"fp32\"")));
}

TEST_F(ModelRepositoryTest, TheQueueIsAsTheConfigurationSays) {
  folder_.PutModel("ecg/1/model.onnx");
  folder_.Write("ecg/config.pbtxt", "dynamic_batching { priority_levels: 2 default_priority_level: 1 }");
  ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
  const auto served = repository_.Find("ecg", "");
  ASSERT_THAT(served, IsOk());
  EXPECT_EQ((*served)->queue()->options().batching.priority_levels, 2);
}

TEST_F(ModelRepositoryTest, AHandleKeepsItsVersionAlive) {
  ASSERT_THAT(repository_.LoadFile("mine", TestFolder::ModelFile("seed_block")), IsOk());
  const auto held = repository_.Find("mine", "");
  ASSERT_THAT(held, IsOk());
  // Loading again takes its place.
  ASSERT_THAT(repository_.LoadFile("mine", TestFolder::ModelFile("seed_block")), IsOk());
  EXPECT_NE(*repository_.Find("mine", ""), *held);
  EXPECT_EQ((*held)->version(), "1");
}

}  // namespace
}  // namespace stillwave::repository
