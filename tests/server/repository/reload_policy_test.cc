#include "server/repository/reload_policy.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::repository {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DecideModelsTest, ANewModelWaitsUntilTwoLooksAgree) {
  EXPECT_THAT(DecideModels({}, {}, {{"m", "half"}}).update, IsEmpty());
  EXPECT_THAT(DecideModels({}, {{"m", "half"}}, {{"m", "whole"}}).update, IsEmpty());
  EXPECT_THAT(DecideModels({}, {{"m", "whole"}}, {{"m", "whole"}}).update, ElementsAre("m"));
}

TEST(DecideModelsTest, WhatWasActedOnIsNotActedOnAgain) {
  const ModelStamps same = {{"m", "a"}};
  EXPECT_THAT(DecideModels(same, same, same).update, IsEmpty());
  EXPECT_THAT(DecideModels(same, same, same).remove, IsEmpty());
}

TEST(DecideModelsTest, AChangeWaitsUntilTwoLooksAgree) {
  EXPECT_THAT(DecideModels({{"m", "a"}}, {{"m", "a"}}, {{"m", "b"}}).update, IsEmpty());
  EXPECT_THAT(DecideModels({{"m", "a"}}, {{"m", "b"}}, {{"m", "b"}}).update, ElementsAre("m"));
}

TEST(DecideModelsTest, AModelThatIsGoneForOneLookOnlyStays) {
  EXPECT_THAT(DecideModels({{"m", "a"}}, {{"m", "a"}}, {}).remove, IsEmpty());
  EXPECT_THAT(DecideModels({{"m", "a"}}, {}, {{"m", "a"}}).remove, IsEmpty());
  EXPECT_THAT(DecideModels({{"m", "a"}}, {}, {}).remove, ElementsAre("m"));
}

TEST(DecideModelsTest, EachModelIsDecidedByItself) {
  const ModelChanges changes = DecideModels({{"gone", "a"}, {"same", "a"}, {"changed", "a"}},
                                            {{"same", "a"}, {"changed", "b"}, {"copied", "a"}, {"new", "a"}},
                                            {{"same", "a"}, {"changed", "b"}, {"copied", "b"}, {"new", "a"}});
  EXPECT_THAT(changes.update, ElementsAre("changed", "new"));
  EXPECT_THAT(changes.remove, ElementsAre("gone"));
}

// Folders that change at random and then come to rest.
TEST(DecideModelsProperty, NothingUnsettledIsActedOnAndInTheEndEverythingIs) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    ModelStamps folder, applied, before;
    for (int look = 0; look < 40; ++look) {
      const bool at_rest = look >= 30;
      for (int i = 0; i < 4 && !at_rest; ++i) {
        const std::string name = absl::StrCat("m", random() % 5);
        if (random() % 3 == 0) {
          folder.erase(name);
        } else if (random() % 2 == 0) {
          folder[name] = absl::StrCat(random() % 3);
        }
      }
      const ModelStamps now = folder;
      const ModelChanges changes = DecideModels(applied, before, now);
      for (const std::string& name : changes.update) {
        ASSERT_TRUE(now.contains(name) && before.contains(name));
        ASSERT_EQ(now.at(name), before.at(name)) << "it was still being written";
        ASSERT_TRUE(!applied.contains(name) || applied.at(name) != now.at(name)) << "nothing changed";
        applied[name] = now.at(name);
      }
      for (const std::string& name : changes.remove) {
        ASSERT_FALSE(now.contains(name) || before.contains(name));
        ASSERT_EQ(applied.erase(name), 1u);
      }
      before = now;
    }
    EXPECT_EQ(applied, folder);
  }
}

}  // namespace
}  // namespace stillwave::repository
