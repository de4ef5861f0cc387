#include "server/repository/version_policy.h"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::repository {
namespace {

using model::VersionPolicy;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

VersionPolicy Latest(int64_t count) { return {VersionPolicy::Kind::kLatest, count, {}}; }
VersionPolicy All() { return {VersionPolicy::Kind::kAll, 1, {}}; }
VersionPolicy Specific(std::vector<int64_t> versions) { return {VersionPolicy::Kind::kSpecific, 1, versions}; }

std::vector<int64_t> Wanted(const VersionPolicy& policy, const std::vector<int64_t>& present) {
  return WantedVersions(policy, present, /*missing=*/nullptr);
}

TEST(WantedVersionsTest, LatestTakesTheHighestNumbers) {
  EXPECT_THAT(Wanted(Latest(1), {3, 1, 10}), ElementsAre(10));
  EXPECT_THAT(Wanted(Latest(2), {3, 1, 10}), ElementsAre(3, 10));
  EXPECT_THAT(Wanted(Latest(9), {3, 1, 10}), ElementsAre(1, 3, 10));
  EXPECT_THAT(Wanted(Latest(1), {}), IsEmpty());
}

TEST(WantedVersionsTest, AllTakesAll) { EXPECT_THAT(Wanted(All(), {3, 1}), ElementsAre(1, 3)); }

TEST(WantedVersionsTest, SpecificTakesWhatIsThereAndNamesWhatIsMissing) {
  std::vector<int64_t> missing;
  EXPECT_THAT(WantedVersions(Specific({7, 1, 7, 2}), {1, 2, 3}, &missing), ElementsAre(1, 2));
  EXPECT_THAT(missing, ElementsAre(7));
}

constexpr auto kReady = VersionState::kReady;
constexpr auto kUnavailable = VersionState::kUnavailable;

// All with files of the stamp "a".
std::vector<SeenVersion> Seen(const std::vector<int64_t>& versions) {
  std::vector<SeenVersion> seen;
  for (const int64_t version : versions) seen.push_back({version, "a"});
  return seen;
}

TEST(DecideVersionsTest, AtTheStartWhatIsWantedIsLoaded) {
  const VersionActions actions = DecideVersions(Latest(2), {}, Seen({1, 2, 3}));
  EXPECT_THAT(actions.load, ElementsAre(2, 3));
  EXPECT_THAT(actions.unload, IsEmpty());
}

TEST(DecideVersionsTest, ANewerVersionTakesThePlaceOfTheOlderOnceItIsReady) {
  VersionActions actions = DecideVersions(Latest(1), {{1, kReady, "a"}}, Seen({1, 2}));
  EXPECT_THAT(actions.load, ElementsAre(2));
  EXPECT_THAT(actions.unload, IsEmpty());
  actions = DecideVersions(Latest(1), {{1, kReady, "a"}, {2, kReady, "a"}}, Seen({1, 2}));
  EXPECT_THAT(actions.load, IsEmpty());
  EXPECT_THAT(actions.unload, ElementsAre(1));
}

TEST(DecideVersionsTest, ARefusedVersionLeavesTheOlderOneInItsPlace) {
  const VersionActions actions =
      DecideVersions(Latest(1), {{1, kReady, "a"}, {2, kUnavailable, "a", true}}, Seen({1, 2}));
  EXPECT_THAT(actions.load, IsEmpty());
  EXPECT_THAT(actions.unload, IsEmpty());
}

TEST(DecideVersionsTest, AsManyOldOnesStayAsNewOnesDoNotAnswerTheHighestFirst) {
  const VersionActions actions =
      DecideVersions(Latest(2), {{1, kReady, "a"}, {2, kReady, "a"}, {3, kReady, "a"}, {4, kUnavailable, "a", true}},
                     Seen({1, 2, 3, 4}));
  EXPECT_THAT(actions.unload, ElementsAre(1));
}

TEST(DecideVersionsTest, ARefusedVersionIsTriedAgainWhenItsFilesChange) {
  const std::vector<KnownVersion> known = {{1, kUnavailable, "a", true}};
  EXPECT_THAT(DecideVersions(All(), known, {{1, "a"}}).load, IsEmpty());
  EXPECT_THAT(DecideVersions(All(), known, {{1, "b"}}).load, ElementsAre(1));
}

TEST(DecideVersionsTest, AReadyVersionIsLoadedAgainWhenItsFilesChange) {
  const VersionActions actions = DecideVersions(All(), {{1, kReady, "a"}, {2, kReady, "a"}}, {{1, "a"}, {2, "b"}});
  EXPECT_THAT(actions.load, ElementsAre(2));
  EXPECT_THAT(actions.unload, IsEmpty());
}

TEST(DecideVersionsTest, AVersionWhoseFolderIsGoneIsUnloaded) {
  const VersionActions actions = DecideVersions(Specific({1, 2}), {{2, kReady, "a"}, {1, kReady, "a"}}, {});
  EXPECT_THAT(actions.unload, ElementsAre(1, 2));
  EXPECT_THAT(actions.missing, ElementsAre(1, 2));
}

TEST(DecideVersionsTest, AVersionThatIsNamedAndNotThereStaysListed) {
  EXPECT_THAT(DecideVersions(Specific({1}), {{1, kUnavailable, "", true}}, {}).unload, IsEmpty());
  EXPECT_THAT(DecideVersions(Specific({1}), {{1, kUnavailable, "", true}}, Seen({1})).load, ElementsAre(1));
}

TEST(DecideVersionsTest, AnotherPolicyIsObeyedOnTheSameFiles) {
  const std::vector<KnownVersion> known = {{1, kReady, "a"}, {2, kReady, "a"}, {3, kReady, "a"}};
  EXPECT_THAT(DecideVersions(Latest(1), known, Seen({1, 2, 3})).unload, ElementsAre(1, 2));
  EXPECT_THAT(DecideVersions(Specific({2}), known, Seen({1, 2, 3})).unload, ElementsAre(1, 3));
  EXPECT_THAT(DecideVersions(All(), known, Seen({1, 2, 3})).unload, IsEmpty());
}

// A model's versions as the repository keeps them, with loads that succeed or fail by chance.
class RandomModel {
 public:
  explicit RandomModel(uint32_t seed) : random_(seed) {}

  // Files come, change and go; the policy may change.
  void ChangeFolder() {
    for (int64_t version = 1; version <= kVersions; ++version) {
      switch (Uniform(6)) {
        case 0:
          seen_[version] = absl::StrCat(++stamps_);
          break;
        case 1:
          seen_.erase(version);
          break;
        default:
          break;
      }
    }
    if (Uniform(4) == 0) {
      const int64_t named = 1 + Uniform(kVersions);
      const VersionPolicy policies[] = {Latest(1), Latest(3), All(), Specific({named}), Specific({1, named})};
      policy_ = policies[Uniform(5)];
    }
  }

  // Until nothing is left to do, as ModelRepository does it; loads fail with chance 1/2, or never.
  void Apply(bool loads_fail) {
    for (int step = 0;; ++step) {
      ASSERT_LT(step, 10) << "it does not come to rest";
      const VersionActions actions = Decide();
      ASSERT_TRUE(actions.load.empty() || actions.unload.empty()) << "loads come before unloads";
      for (const int64_t version : actions.load) {
        ASSERT_TRUE(seen_.contains(version));
        ASSERT_FALSE(known_.contains(version) && known_[version].stamp == seen_[version]) << "tried before";
        Load(version, loads_fail && Uniform(2) == 0);
      }
      for (const int64_t version : actions.unload) ASSERT_EQ(known_.erase(version), 1u);
      for (const int64_t version : actions.missing) {
        if (actions.load.empty()) known_.try_emplace(version, KnownVersion{version, kUnavailable, "", true});
      }
      if (actions.load.empty() && actions.unload.empty()) return;
    }
  }

  VersionActions Decide() const {
    std::vector<KnownVersion> known;
    for (const auto& [version, one] : known_) known.push_back(one);
    std::vector<SeenVersion> seen;
    for (const auto& [version, stamp] : seen_) seen.push_back({version, stamp});
    return DecideVersions(policy_, known, seen);
  }

  std::set<int64_t> Answering() const {
    std::set<int64_t> answering;
    for (const auto& [version, one] : known_) {
      if (one.state == kReady) answering.insert(version);
    }
    return answering;
  }
  std::set<int64_t> WantedNow() const {
    std::vector<int64_t> present;
    for (const auto& [version, stamp] : seen_) present.push_back(version);
    const std::vector<int64_t> wanted = Wanted(policy_, present);
    return {wanted.begin(), wanted.end()};
  }
  bool IsThere(int64_t version) const { return seen_.contains(version); }

 private:
  static constexpr int kVersions = 5;

  int Uniform(int count) { return static_cast<int>(random_() % static_cast<uint32_t>(count)); }

  void Load(int64_t version, bool fails) {
    KnownVersion& one = known_[version];
    const bool answers = one.state == kReady;
    one = {version, fails && !answers ? kUnavailable : kReady, seen_[version], fails};
  }

  std::mt19937 random_;
  VersionPolicy policy_ = Latest(1);
  std::map<int64_t, std::string> seen_;
  std::map<int64_t, KnownVersion> known_;
  int stamps_ = 0;
};

TEST(DecideVersionsProperty, WhereEveryLoadSucceedsWhatIsWantedAnswersAndNothingElse) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomModel model(seed);
    for (int change = 0; change < 20; ++change) {
      model.ChangeFolder();
      model.Apply(/*loads_fail=*/false);
      if (testing::Test::HasFatalFailure()) return;
      const std::set<int64_t> wanted = model.WantedNow();
      for (const int64_t version : wanted) EXPECT_TRUE(model.Answering().contains(version)) << version;
      // A version that the policy names and that is not there may have another in its place.
      if (!model.Decide().missing.empty()) continue;
      EXPECT_EQ(model.Answering(), wanted);
    }
  }
}

TEST(DecideVersionsProperty, WhatAnsweredAndIsStillThereGoesOnUntilSomethingTakesItsPlace) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    RandomModel model(seed);
    for (int change = 0; change < 20; ++change) {
      const std::set<int64_t> before = model.Answering();
      model.ChangeFolder();
      model.Apply(/*loads_fail=*/true);
      if (testing::Test::HasFatalFailure()) return;
      const std::set<int64_t> after = model.Answering();
      const std::set<int64_t> wanted = model.WantedNow();
      size_t kept = 0;
      for (const int64_t version : before) kept += model.IsThere(version) ? 1 : 0;
      // No refusal takes an answer away: as many answer as are wanted, or as did before.
      EXPECT_GE(after.size(), std::min(wanted.size(), kept));
      for (const int64_t version : after) EXPECT_TRUE(model.IsThere(version)) << version << " has no files any more";
    }
  }
}

TEST(VersionStateTest, HasTheNamesOfTheRepositoryIndex) {
  EXPECT_STREQ(Name(VersionState::kLoading), "LOADING");
  EXPECT_STREQ(Name(VersionState::kReady), "READY");
  EXPECT_STREQ(Name(VersionState::kUnavailable), "UNAVAILABLE");
  EXPECT_STREQ(Name(VersionState::kUnloaded), "UNAVAILABLE");
}

}  // namespace
}  // namespace stillwave::repository
