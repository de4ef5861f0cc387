#include "server/repository/version_policy.h"

#include <vector>

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

TEST(DecideVersionsTest, AtTheStartWhatIsWantedIsLoaded) {
  const VersionActions actions = DecideVersions(Latest(2), {}, {1, 2, 3});
  EXPECT_THAT(actions.load, ElementsAre(2, 3));
  EXPECT_THAT(actions.unload, IsEmpty());
}

TEST(DecideVersionsTest, ANewerVersionTakesThePlaceOfTheOlder) {
  const VersionActions actions = DecideVersions(Latest(1), {{1, VersionState::kReady}}, {1, 2});
  EXPECT_THAT(actions.load, ElementsAre(2));
  EXPECT_THAT(actions.unload, ElementsAre(1));
}

TEST(DecideVersionsTest, WhatIsKnownIsNotLoadedAgainNotEvenWhenItWasRefused) {
  const VersionActions actions =
      DecideVersions(All(), {{1, VersionState::kUnavailable}, {2, VersionState::kLoading}}, {1, 2});
  EXPECT_THAT(actions.load, IsEmpty());
  EXPECT_THAT(actions.unload, IsEmpty());
}

TEST(DecideVersionsTest, AVersionWhoseFolderIsGoneIsUnloaded) {
  const VersionActions actions =
      DecideVersions(Specific({1, 2}), {{2, VersionState::kReady}, {1, VersionState::kReady}}, {});
  EXPECT_THAT(actions.unload, ElementsAre(1, 2));
  EXPECT_THAT(actions.missing, ElementsAre(1, 2));
}

TEST(VersionStateTest, HasTheNamesOfTheRepositoryIndex) {
  EXPECT_STREQ(Name(VersionState::kLoading), "LOADING");
  EXPECT_STREQ(Name(VersionState::kReady), "READY");
  EXPECT_STREQ(Name(VersionState::kUnavailable), "UNAVAILABLE");
}

}  // namespace
}  // namespace stillwave::repository
