// ModelRepository::Load and Unload: what clients make of what is served.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/repository/model_repository.h"
#include "tests/server/repository/repository_answers.h"
#include "tests/server/repository/test_repository.h"
#include "tests/support/status_matchers.h"

namespace stillwave::repository {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

// Waits for the one call of `done`.
template <typename Result>
class Answer {
 public:
  absl::AnyInvocable<void(Result)> Done() {
    return [this](Result result) {
      result_ = std::move(result);
      done_.Notify();
    };
  }
  Result Wait() {
    done_.WaitForNotification();
    return result_;
  }

 private:
  absl::Notification done_;
  Result result_;
};

class ModelControlTest : public testing::Test {
 protected:
  absl::Status Load(const std::string& name, std::optional<std::string> config = std::nullopt) {
    Answer<absl::Status> answer;
    repository_.Load(name, std::move(config), answer.Done());
    return answer.Wait();
  }
  absl::Status Unload(const std::string& name) {
    Answer<absl::Status> answer;
    repository_.Unload(name, answer.Done());
    return answer.Wait();
  }
  std::vector<std::string> Index() {
    Answer<std::vector<IndexEntry>> answer;
    repository_.FreshIndex(answer.Done());
    return IndexLines(answer.Wait());
  }
  float Factor(const std::string& name, const std::string& version = "") const {
    const absl::StatusOr<float> factor = FactorOf(repository_, name, version);
    EXPECT_THAT(factor, IsOk());
    return factor.ok() ? *factor : 0;
  }

  TestFolder folder_;
  metrics::ServerMetrics metrics_;
  batching::BatchScheduler scheduler_{{}};
  ModelRepository repository_{&scheduler_, &metrics_, {}, {.mode = ControlMode::kExplicit}};
};

TEST_F(ModelControlTest, NothingIsLoadedUntilAClientAsksForIt) {
  folder_.PutScale("a/1/model.onnx", 1);
  folder_.PutScale("b/1/model.onnx", 2);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {}), IsOk());
  repository_.FinishStart();
  EXPECT_THAT(Index(), ElementsAre("a/ UNAVAILABLE: not loaded", "b/ UNAVAILABLE: not loaded"));
  EXPECT_THAT(repository_.Readiness(/*strict=*/true), IsOk()) << "nobody asked for them";
  EXPECT_THAT(repository_.Find("b", ""), StatusIs(kUnavailable, HasSubstr("model 'b' is not ready: not loaded")));
  EXPECT_THAT(Load("b"), IsOk());
  EXPECT_EQ(Factor("b"), 2);
  EXPECT_THAT(Index(), ElementsAre("a/ UNAVAILABLE: not loaded", "b/1 READY"));
}

TEST_F(ModelControlTest, TheModelsOfTheStartAreLoaded) {
  folder_.PutScale("a/1/model.onnx", 1);
  folder_.PutScale("b/1/model.onnx", 2);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {"b", "nowhere", "b"}), IsOk());
  repository_.FinishStart();
  EXPECT_THAT(Index(), ElementsAre("a/ UNAVAILABLE: not loaded", "b/1 READY",
                                   "nowhere/ UNAVAILABLE: the repository has no folder 'nowhere'"));
  EXPECT_THAT(repository_.Readiness(/*strict=*/false), IsOk());
  EXPECT_THAT(repository_.Readiness(/*strict=*/true), StatusIs(kUnavailable, HasSubstr("'nowhere'")));
}

TEST_F(ModelControlTest, AStarLoadsAll) {
  folder_.PutScale("a/1/model.onnx", 1);
  folder_.PutScale("b/1/model.onnx", 2);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {"*"}), IsOk());
  EXPECT_THAT(Index(), ElementsAre("a/1 READY", "b/1 READY"));
}

TEST_F(ModelControlTest, LoadReadsTheRepositoryAnewAndLoadsWhatChanged) {
  folder_.PutScale("a/1/model.onnx", 1);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {"a"}), IsOk());
  const auto before = *repository_.Find("a", "");
  EXPECT_THAT(Load("a"), IsOk());
  EXPECT_EQ(*repository_.Find("a", ""), before) << "nothing changed";
  folder_.PutScale("a/1/model.onnx", 3);
  EXPECT_EQ(Factor("a"), 1) << "nobody asked";
  EXPECT_THAT(Load("a"), IsOk());
  EXPECT_EQ(Factor("a"), 3);
  folder_.PutScale("a/2/model.onnx", 4);
  EXPECT_THAT(Load("a"), IsOk());
  EXPECT_THAT(Index(), ElementsAre("a/2 READY"));
  folder_.PutScale("new/1/model.onnx", 5);
  EXPECT_THAT(Index(), ElementsAre("a/2 READY", "new/ UNAVAILABLE: not loaded")) << "the index looks";
  EXPECT_THAT(Load("new"), IsOk());
  EXPECT_EQ(Factor("new"), 5);
}

TEST_F(ModelControlTest, ARefusedLoadSaysWhyKeepsWhatServesAndMayBeTriedAgain) {
  folder_.PutScale("a/1/model.onnx", 1);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {"a"}), IsOk());
  folder_.Write("a/2/model.onnx", "this is no ONNX file");
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_THAT(Load("a"), StatusIs(kInvalid, StartsWith("failed to load 'a': version 2: ")));
    EXPECT_THAT(Index(), ElementsAre("a/1 READY", StartsWith("a/2 UNAVAILABLE: ")));
    EXPECT_EQ(Factor("a"), 1);
  }
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_model_loads_total{model=\"a\",result=\"refused\"} 2"));
  folder_.Remove("a/2");
  folder_.Write("a/1/model.onnx", "this neither");
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_THAT(Load("a"), StatusIs(kInvalid, StartsWith("failed to load 'a': version 1: ")));
    EXPECT_EQ(Factor("a"), 1);
  }
  folder_.Write("a/config.pbtxt", "max_batch_size: many");
  EXPECT_THAT(Load("a"), StatusIs(kInvalid, StartsWith("failed to load 'a': config.pbtxt: line 1, column 17")));
  EXPECT_EQ(Factor("a"), 1);
}

TEST_F(ModelControlTest, AVersionThatIsNamedAndMissingFailsTheLoad) {
  folder_.PutScale("a/1/model.onnx", 1);
  folder_.Write("a/config.pbtxt", "version_policy { specific { versions: [ 1, 9 ] } }");
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {}), IsOk());
  EXPECT_THAT(Load("a"), StatusIs(kInvalid, HasSubstr("version_policy names a version whose folder is not there")));
  EXPECT_EQ(Factor("a"), 1);
}

TEST_F(ModelControlTest, UnloadedModelsReallyGoAndMayComeBack) {
  folder_.PutScale("a/1/model.onnx", 1);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {"a"}), IsOk());
  auto held = *repository_.Find("a", "");
  EXPECT_THAT(Unload("a"), IsOk());
  EXPECT_THAT(Index(), ElementsAre("a/1 UNAVAILABLE: unloaded"));
  EXPECT_THAT(repository_.Find("a", ""), StatusIs(kUnavailable, HasSubstr("is not ready: unloaded")));
  EXPECT_THAT(metrics_.Text(), AllOf(Not(HasSubstr("stillwave_model_ready")), Not(HasSubstr("stillwave_model_info"))));
  EXPECT_EQ(*FactorOf(*held), 1) << "who holds it is answered";
  const std::weak_ptr<const model::LoadedModel> model = held->model();
  held.reset();
  EXPECT_TRUE(Eventually([&] { return model.expired(); }));
  EXPECT_TRUE(Eventually([&] { return !absl::StrContains(metrics_.Text(), "version=\"1\""); }));
  EXPECT_THAT(Unload("a"), IsOk()) << "it was not loaded";
  EXPECT_THAT(Load("a"), IsOk());
  EXPECT_THAT(Index(), ElementsAre("a/1 READY"));
}

TEST_F(ModelControlTest, AnUnknownModelIsNotFoundAndABadNameInvalid) {
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {}), IsOk());
  EXPECT_THAT(Load("nobody"), StatusIs(kNotFound, HasSubstr("'nobody'")));
  EXPECT_THAT(Unload("nobody"), StatusIs(kNotFound, HasSubstr("'nobody'")));
  EXPECT_THAT(Load("../nobody"), StatusIs(kInvalid, HasSubstr("must be that of a folder in the repository")));
}

TEST_F(ModelControlTest, AModelWhoseFolderIsGoneServesUntilItIsUnloaded) {
  folder_.PutScale("a/1/model.onnx", 1);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {"a"}), IsOk());
  folder_.Remove("a");
  EXPECT_THAT(Load("a"), StatusIs(kNotFound, HasSubstr("no folder 'a'")));
  EXPECT_EQ(Factor("a"), 1);
  EXPECT_THAT(Index(), ElementsAre("a/1 READY"));
  EXPECT_THAT(Unload("a"), IsOk());
  EXPECT_THAT(Index(), ElementsAre()) << "there is nothing to load any more";
}

TEST_F(ModelControlTest, AConfigurationMayComeWithTheCall) {
  folder_.PutScale("a/1/model.onnx", 1);
  folder_.PutScale("a/2/model.onnx", 2);
  folder_.Write("a/config.pbtxt", "max_batch_size: 4");
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {"a"}), IsOk());
  EXPECT_THAT(Load("a", R"json({"max_batch_size": 7, "version_policy": {"specific": {"versions": ["1"]}}})json"),
              IsOk());
  EXPECT_THAT(Index(), ElementsAre("a/1 READY"));
  EXPECT_EQ((*repository_.Find("a", ""))->max_batch_size(), 7);
  EXPECT_THAT(Load("a", R"json({"maxBatchSize": "many"})json"),
              StatusIs(kInvalid, StartsWith("failed to load 'a': parameter 'config': JSON: ")));
  EXPECT_THAT(Load("a", R"json({"sequence_batching": {}})json"),
              StatusIs(kInvalid, HasSubstr("parameter 'config': field 'sequence_batching' is not supported")));
  EXPECT_THAT(Load("a", std::string((1 << 20) + 1, ' ')), StatusIs(kInvalid, HasSubstr("at most 1048576 bytes")));
  EXPECT_EQ((*repository_.Find("a", ""))->max_batch_size(), 7) << "what was refused changes nothing";
  EXPECT_THAT(Load("a"), IsOk());
  EXPECT_EQ((*repository_.Find("a", ""))->max_batch_size(), 4) << "the file's configuration again";
  EXPECT_THAT(Index(), ElementsAre("a/2 READY"));
}

TEST_F(ModelControlTest, LoadsAndUnloadsOfOneModelRunInTheirOrder) {
  folder_.PutScale("a/1/model.onnx", 1);
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {}), IsOk());
  std::atomic<int> done{0};
  for (int i = 0; i < 30; ++i) {
    repository_.Load("a", std::nullopt, [&](const absl::Status& status) {
      EXPECT_THAT(status, IsOk());
      done.fetch_add(1);
    });
    repository_.Unload("a", [&](const absl::Status& status) {
      EXPECT_THAT(status, IsOk());
      done.fetch_add(1);
    });
  }
  repository_.AwaitLoads();
  EXPECT_EQ(done.load(), 60);
  EXPECT_THAT(Index(), ElementsAre("a/1 UNAVAILABLE: unloaded"));
}

TEST_F(ModelControlTest, StopAnswersEveryCallOnce) {
  for (int i = 0; i < 20; ++i) folder_.PutModel(absl::StrCat("m", i, "/1/model.onnx"));
  ASSERT_THAT(repository_.LoadListed(folder_.path(), {}), IsOk());
  std::atomic<int> loaded{0}, stopped{0};
  for (int i = 0; i < 20; ++i) {
    repository_.Load(absl::StrCat("m", i), std::nullopt, [&](const absl::Status& status) {
      if (!status.ok()) {
        EXPECT_THAT(status, StatusIs(kUnavailable, HasSubstr("the server is stopping")));
      }
      (status.ok() ? loaded : stopped).fetch_add(1);
    });
  }
  repository_.Stop();
  EXPECT_EQ(loaded.load() + stopped.load(), 20);
  EXPECT_THAT(Load("m0"), StatusIs(kUnavailable, HasSubstr("the server is stopping")));
  EXPECT_THAT(Unload("m0"), StatusIs(kUnavailable, HasSubstr("the server is stopping")));
}

TEST(ModelControlModeTest, LoadsAndUnloadsAreRefusedInTheOtherModes) {
  metrics::ServerMetrics metrics;
  batching::BatchScheduler scheduler({});
  for (const auto& [mode, words] : {std::pair(ControlMode::kPoll, "is not allowed if polling is enabled"),
                                    std::pair(ControlMode::kNone, "is not allowed with --model_control_mode=none")}) {
    ModelRepository repository(&scheduler, &metrics, {}, {.mode = mode});
    Answer<absl::Status> load, unload;
    repository.Load("a", std::nullopt, load.Done());
    EXPECT_THAT(load.Wait(),
                StatusIs(kUnavailable, AllOf(HasSubstr(words), HasSubstr("--model_control_mode=explicit"))));
    repository.Unload("a", unload.Done());
    EXPECT_THAT(unload.Wait(), StatusIs(kUnavailable, HasSubstr(words)));
  }
}

}  // namespace
}  // namespace stillwave::repository
