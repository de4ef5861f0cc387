// ModelRepository::Poll: what changes of the folder make of what is served.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/repository/model_repository.h"
#include "server/repository/repository_poller.h"
#include "tests/server/repository/repository_answers.h"
#include "tests/server/repository/test_repository.h"
#include "tests/support/status_matchers.h"

namespace stillwave::repository {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

class ModelReloadTest : public testing::Test {
 protected:
  void Start() {
    ASSERT_THAT(repository_.LoadAll(folder_.path()), IsOk());
    repository_.FinishStart();
  }
  // Two looks that agree.
  void Settle() {
    ASSERT_THAT(repository_.Poll(), IsOk());
    ASSERT_THAT(repository_.Poll(), IsOk());
    repository_.AwaitLoads();
  }
  std::vector<std::string> Index() const { return IndexLines(repository_.Index()); }
  float Factor(const std::string& version = "") const {
    const absl::StatusOr<float> factor = FactorOf(repository_, "m", version);
    EXPECT_THAT(factor, IsOk());
    return factor.ok() ? *factor : 0;
  }
  bool Says(absl::string_view metric) const { return absl::StrContains(metrics_.Text(), metric); }
  std::string Refusals() const {
    const std::string text = metrics_.Text();
    const std::string line = "stillwave_model_loads_total{model=\"m\",result=\"refused\"} ";
    const size_t at = text.find(line);
    return at == std::string::npos ? "none" : text.substr(at + line.size(), text.find('\n', at) - at - line.size());
  }

  TestFolder folder_;
  metrics::ServerMetrics metrics_;
  batching::BatchScheduler scheduler_{{}};
  ModelRepository repository_{&scheduler_, &metrics_, {}, {.mode = ControlMode::kPoll}};
};

TEST_F(ModelReloadTest, ANewModelIsLoadedWhenTwoLooksAgree) {
  Start();
  folder_.PutScale("m/1/model.onnx", 2);
  ASSERT_THAT(repository_.Poll(), IsOk());
  repository_.AwaitLoads();
  EXPECT_THAT(Index(), IsEmpty());
  ASSERT_THAT(repository_.Poll(), IsOk());
  repository_.AwaitLoads();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY"));
  EXPECT_EQ(Factor(), 2);
}

TEST_F(ModelReloadTest, WhatIsStillBeingCopiedIsNotLoaded) {
  Start();
  const std::string bytes = TestFolder::ScaleModel(2);
  for (size_t i = 0; i < bytes.size(); i += 20) {
    folder_.Append("m/1/model.onnx", bytes.substr(i, 20));
    ASSERT_THAT(repository_.Poll(), IsOk());
  }
  repository_.AwaitLoads();
  EXPECT_THAT(Index(), IsEmpty());
  ASSERT_THAT(repository_.Poll(), IsOk());
  repository_.AwaitLoads();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY"));
  EXPECT_EQ(Refusals(), "0");
}

TEST_F(ModelReloadTest, ANewVersionTakesThePlaceOfTheOldOneWhichItsUsersKeep) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  auto held = *repository_.Find("m", "");
  folder_.PutScale("m/2/model.onnx", 3);
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/2 READY"));
  EXPECT_EQ(Factor(), 3);
  EXPECT_THAT(repository_.Find("m", "1"), StatusIs(kNotFound, HasSubstr("known versions: 2")));
  EXPECT_EQ(*FactorOf(*held), 2) << "a stream that holds it goes on";
  EXPECT_THAT(metrics_.Text(), AllOf(HasSubstr("stillwave_samples_total{model=\"m\",version=\"1\"} 1"),
                                     Not(HasSubstr("stillwave_model_ready{model=\"m\",version=\"1\"}")),
                                     Not(ContainsRegex("stillwave_model_info[^\n]*version=\"1\""))));
  const std::weak_ptr<const model::LoadedModel> model = held->model();
  held.reset();
  EXPECT_TRUE(Eventually([&] { return model.expired(); }));
  EXPECT_TRUE(Eventually([&] { return !Says("version=\"1\""); }));
}

TEST_F(ModelReloadTest, ABadNewVersionLeavesTheOldOneServingAndSaysWhy) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  folder_.Write("m/2/model.onnx", "this is no ONNX file");
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY", StartsWith("m/2 UNAVAILABLE: ")));
  EXPECT_EQ(Factor(), 2);
  EXPECT_EQ(Refusals(), "1");
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_model_ready{model=\"m\",version=\"2\"} 0"));
  EXPECT_THAT(repository_.Readiness(/*strict=*/true), IsOk()) << "something answers for the model";
  Settle();
  EXPECT_EQ(Refusals(), "1") << "it is not tried again while its files stay as they are";
  folder_.PutScale("m/2/model.onnx", 3);
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/2 READY"));
  EXPECT_EQ(Factor(), 3);
}

TEST_F(ModelReloadTest, AChangedFileIsLoadedAnewUnderTheSameVersion) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  EXPECT_EQ(Factor(), 2);
  folder_.PutScale("m/1/model.onnx", 3);
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY"));
  EXPECT_EQ(Factor("1"), 3);
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_samples_total{model=\"m\",version=\"1\"} 2"));
  const auto now = *repository_.Find("m", "");
  Settle();
  EXPECT_EQ(*repository_.Find("m", ""), now) << "nothing changed";
}

TEST_F(ModelReloadTest, ABadChangeOfAVersionLeavesWhatItWas) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  folder_.Write("m/1/model.onnx", "this is no ONNX file");
  Settle();
  EXPECT_THAT(Index(), ElementsAre(StartsWith("m/1 READY: the files as they are now were refused, and what they were "
                                              "before goes on: ")));
  EXPECT_EQ(Factor(), 2);
  EXPECT_EQ(Refusals(), "1");
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_model_ready{model=\"m\",version=\"1\"} 1"));
  folder_.PutScale("m/1/model.onnx", 3);
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY"));
  EXPECT_EQ(Factor(), 3);
}

TEST_F(ModelReloadTest, ChangedExternalDataLoadsTheModelAnew) {
  folder_.PutModel("m/1/model.onnx", "seed_block_external_data");
  const std::string data = STILLWAVE_SOURCE_DIR "/tests/data/models/seed_block_external_data/weights.bin";
  std::ifstream file(data, std::ios::binary);
  const std::string weights((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  folder_.Write("m/1/weights.bin", weights);
  Start();
  const auto before = *repository_.Find("m", "");
  folder_.Write("m/1/weights.bin", weights.substr(0, 100));
  Settle();
  EXPECT_THAT(Index(), ElementsAre(StartsWith("m/1 READY: the files as they are now were refused")));
  EXPECT_EQ(*repository_.Find("m", ""), before);
  folder_.Write("m/1/weights.bin", weights);
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY"));
  EXPECT_NE(*repository_.Find("m", ""), before);
}

TEST_F(ModelReloadTest, AChangedConfigurationLoadsTheModelAnewAndABadOneDoesNot) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  EXPECT_EQ((*repository_.Find("m", ""))->max_batch_size(), 32);
  folder_.Write("m/config.pbtxt", "max_batch_size: 4");
  Settle();
  EXPECT_EQ((*repository_.Find("m", ""))->max_batch_size(), 4);
  folder_.Write("m/config.pbtxt", "max_batch_size: many");
  Settle();
  EXPECT_THAT(Index(), ElementsAre(StartsWith("m/1 READY: config.pbtxt: line 1, column 17")));
  EXPECT_EQ((*repository_.Find("m", ""))->max_batch_size(), 4);
  EXPECT_EQ(Refusals(), "1");
  folder_.Remove("m/config.pbtxt");
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY"));
  EXPECT_EQ((*repository_.Find("m", ""))->max_batch_size(), 32);
}

TEST_F(ModelReloadTest, AnotherVersionPolicyIsObeyed) {
  for (const int version : {1, 2, 3}) {
    folder_.PutScale(absl::StrCat("m/", version, "/model.onnx"), static_cast<float>(version));
  }
  Start();
  EXPECT_THAT(Index(), ElementsAre("m/3 READY"));
  folder_.Write("m/config.pbtxt", "version_policy { all { } }");
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY", "m/2 READY", "m/3 READY"));
  EXPECT_EQ(Factor("1"), 1);
  EXPECT_EQ(Factor(), 3);
  folder_.Write("m/config.pbtxt", "version_policy { specific { versions: [ 2 ] } }");
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/2 READY"));
  folder_.Write("m/config.pbtxt", "version_policy { specific { versions: [ 2, 7 ] } }");
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/2 READY", StartsWith("m/7 UNAVAILABLE: version_policy names this version")));
  folder_.PutScale("m/7/model.onnx", 7);
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/2 READY", "m/7 READY"));
  folder_.Write("m/config.pbtxt", "version_policy { latest { num_versions: 2 } }");
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/3 READY", "m/7 READY"));
}

TEST_F(ModelReloadTest, AModelThatWasRefusedAtTheStartIsLoadedWhenItsFilesAreGood) {
  folder_.Write("m/1/model.onnx", TestFolder::ScaleModel(2).substr(0, 30));
  Start();
  EXPECT_THAT(Index(), ElementsAre(StartsWith("m/1 UNAVAILABLE: ")));
  EXPECT_THAT(repository_.Readiness(/*strict=*/true), StatusIs(kUnavailable, HasSubstr("'m' version 1")));
  folder_.PutScale("m/1/model.onnx", 2);
  Settle();
  EXPECT_THAT(Index(), ElementsAre("m/1 READY"));
  EXPECT_THAT(repository_.Readiness(/*strict=*/true), IsOk());
}

TEST_F(ModelReloadTest, AFolderThatIsGoneUnloadsItsModel) {
  folder_.PutScale("m/1/model.onnx", 2);
  folder_.PutScale("other/1/model.onnx", 5);
  Start();
  auto held = *repository_.Find("m", "");
  folder_.Remove("m");
  ASSERT_THAT(repository_.Poll(), IsOk());
  repository_.AwaitLoads();
  EXPECT_EQ(Factor(), 2) << "gone for one look only";
  Settle();
  EXPECT_THAT(repository_.Find("m", ""), StatusIs(kNotFound, HasSubstr("known models: other")));
  EXPECT_THAT(Index(), ElementsAre("other/1 READY"));
  EXPECT_EQ(*FactorOf(*held), 2) << "who holds it is answered";
  held.reset();
  EXPECT_TRUE(Eventually([&] { return !Says("model=\"m\""); })) << "nothing is left of it";
  folder_.PutScale("m/1/model.onnx", 4);
  Settle();
  EXPECT_EQ(Factor(), 4);
}

TEST_F(ModelReloadTest, AVersionFolderThatIsGoneIsUnloadedWithNothingInItsPlace) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  folder_.Remove("m/1");
  Settle();
  EXPECT_THAT(Index(), ElementsAre(StartsWith("m/ UNAVAILABLE: the model's folder has no version")));
  EXPECT_THAT(repository_.Find("m", ""), StatusIs(kUnavailable, HasSubstr("has no version")));
}

TEST_F(ModelReloadTest, AFolderThatTakesAnothersPlaceMakesNoGap) {
  folder_.PutScale("m/1/model.onnx", 2);
  folder_.PutScale(".next/1/model.onnx", 3);
  Start();
  std::filesystem::rename(folder_.path() + "/m", folder_.path() + "/.last");
  ASSERT_THAT(repository_.Poll(), IsOk());
  EXPECT_EQ(Factor(), 2);
  std::filesystem::rename(folder_.path() + "/.next", folder_.path() + "/m");
  ASSERT_THAT(repository_.Poll(), IsOk());
  EXPECT_EQ(Factor(), 2);
  ASSERT_THAT(repository_.Poll(), IsOk());
  repository_.AwaitLoads();
  EXPECT_EQ(Factor(), 3);
}

TEST_F(ModelReloadTest, ARepositoryThatCannotBeReadLeavesEverythingServing) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_repository_readable 1"));
  const auto before = *repository_.Find("m", "");
  const std::string elsewhere = folder_.path() + "_elsewhere";
  std::filesystem::rename(folder_.path(), elsewhere);
  for (int look = 0; look < 3; ++look)
    EXPECT_THAT(repository_.Poll(), StatusIs(kNotFound, HasSubstr("cannot be read")));
  repository_.AwaitLoads();
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_repository_readable 0"));
  EXPECT_EQ(Factor(), 2);
  std::filesystem::rename(elsewhere, folder_.path());
  Settle();
  EXPECT_THAT(metrics_.Text(), HasSubstr("stillwave_repository_readable 1"));
  EXPECT_EQ(*repository_.Find("m", ""), before) << "nothing changed";
}

TEST_F(ModelReloadTest, ManyModelsComeChangeAndGo) {
  constexpr int kModels = 200;
  for (int i = 0; i < kModels; ++i) folder_.PutScale(absl::StrCat("m", i, "/1/model.onnx"), 1);
  Start();
  for (int i = 0; i < kModels; ++i) {
    if (i % 4 == 0) folder_.Remove(absl::StrCat("m", i));
    if (i % 4 == 1) folder_.PutScale(absl::StrCat("m", i, "/2/model.onnx"), 2);
    if (i % 4 == 2) folder_.Write(absl::StrCat("m", i, "/2/model.onnx"), "no model");
  }
  Settle();
  for (int i = 0; i < kModels; ++i) {
    const std::string name = absl::StrCat("m", i);
    if (i % 4 == 0) {
      EXPECT_THAT(repository_.Find(name, ""), StatusIs(kNotFound, HasSubstr("is not known"))) << name;
    } else {
      EXPECT_EQ(*FactorOf(repository_, name), i % 4 == 1 ? 2 : 1) << name;
    }
  }
}

TEST_F(ModelReloadTest, AStormOfReloadsLeavesNothingBehind) {
  folder_.PutScale("m/1/model.onnx", 1);
  Start();
  std::vector<std::weak_ptr<const model::LoadedModel>> loaded;
  for (int i = 1; i <= 60; ++i) {
    loaded.push_back((*repository_.Find("m", ""))->model());
    if (i % 2 == 0) folder_.Remove(absl::StrCat("m/", i - 1));
    folder_.PutScale(i % 3 == 0 ? absl::StrCat("m/", i, "/model.onnx") : "m/1000/model.onnx", static_cast<float>(i));
    Settle();
    EXPECT_THAT(FactorOf(repository_, "m"), IsOk());
  }
  folder_.PutScale("m/2000/model.onnx", 7);
  Settle();
  EXPECT_EQ(Factor(), 7);
  for (const auto& model : loaded) EXPECT_TRUE(Eventually([&] { return model.expired(); }));
  EXPECT_TRUE(Eventually([&] { return !Says("version=\"1000\""); }));
}

TEST_F(ModelReloadTest, ManyLooksWhileALoadRunsMakeNoQueueOfLoads) {
  folder_.PutScale("m/1/model.onnx", 1);
  Start();
  for (int i = 2; i <= 40; ++i) {
    folder_.PutScale("m/1/model.onnx", static_cast<float>(i));
    ASSERT_THAT(repository_.Poll(), IsOk());
    ASSERT_THAT(repository_.Poll(), IsOk());
  }
  repository_.AwaitLoads();
  EXPECT_EQ(Factor(), 40) << "the newest counts";
}

TEST_F(ModelReloadTest, RequestsNeverFailWhileVersionsSwapAndEachAnswerIsOneOfTheTwo) {
  folder_.PutScale("m/1/model.onnx", 1);
  Start();
  std::atomic<int> lowest{1}, highest{1}, answers{0};
  std::atomic<bool> stop{false}, failed{false};
  std::thread client([&] {
    while (!stop.load()) {
      const int from = lowest.load();
      const absl::StatusOr<float> factor = FactorOf(repository_, "m");
      EXPECT_THAT(factor, IsOk());
      if (!factor.ok()) return failed.store(true);
      EXPECT_GE(*factor, static_cast<float>(from));
      EXPECT_LE(*factor, static_cast<float>(highest.load()));
      answers.fetch_add(1);
    }
  });
  for (int version = 2; version <= 25; ++version) {
    highest.store(version);
    folder_.PutScale(absl::StrCat("m/", version, "/model.onnx"), static_cast<float>(version));
    Settle();
    lowest.store(version);
    if (version > 3) folder_.Remove(absl::StrCat("m/", version - 3));
    const int answered = answers.load();
    while (answers.load() < answered + 3 && !failed.load()) std::this_thread::yield();
  }
  stop.store(true);
  client.join();
}

TEST_F(ModelReloadTest, WhoAskedIsToldOfChanges) {
  std::atomic<int> changes{0};
  folder_.PutScale("m/1/model.onnx", 1);
  repository_.WhenChanged([&] { changes.fetch_add(1); });
  Start();
  const int started = changes.load();
  EXPECT_GT(started, 0);
  Settle();
  EXPECT_EQ(changes.load(), started) << "nothing changed";
  folder_.Write("m/config.pbtxt", "nonsense");
  Settle();
  const int refused = changes.load();
  EXPECT_GT(refused, started);
  folder_.Remove("m");
  Settle();
  EXPECT_GT(changes.load(), refused);
}

TEST_F(ModelReloadTest, StopBreaksLoadsOffAndKeepsWhatIsServed) {
  folder_.PutScale("m/1/model.onnx", 2);
  Start();
  for (int i = 0; i < 50; ++i) folder_.PutModel(absl::StrCat("big", i, "/1/model.onnx"));
  ASSERT_THAT(repository_.Poll(), IsOk());
  ASSERT_THAT(repository_.Poll(), IsOk());
  repository_.Stop();
  for (const IndexEntry& entry : repository_.Index()) {
    EXPECT_THAT(entry.state, AnyOf(VersionState::kReady, VersionState::kLoading)) << entry.reason;
  }
  EXPECT_EQ(Factor(), 2);
  repository_.Stop();
}

TEST_F(ModelReloadTest, APollerFindsWhatIsNew) {
  absl::Mutex mutex;
  bool ready = false;
  repository_.WhenChanged([&] {
    const bool now = repository_.Find("m", "").ok();
    absl::MutexLock lock(&mutex);
    ready = now;
  });
  Start();
  const RepositoryPoller poller(&repository_, absl::Milliseconds(1));
  folder_.PutScale("m/1/model.onnx", 2);
  absl::MutexLock lock(&mutex);
  mutex.Await(absl::Condition(&ready));
}

TEST_F(ModelReloadTest, APollerDoesNotWaitForItsNextLookWhenItEnds) {
  Start();
  const RepositoryPoller poller(&repository_, absl::Hours(24));
}

}  // namespace
}  // namespace stillwave::repository
