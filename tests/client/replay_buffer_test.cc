#include "client/replay_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ReplayBuffer, GivesBackWhatIsNotAnsweredInPieces) {
  ReplayBuffer buffer(/*first_sample=*/100, /*channels=*/2, /*max_values=*/100);
  buffer.Append({0, 1, 2, 3, 4, 5});
  EXPECT_EQ(buffer.begin(), 100);
  EXPECT_EQ(buffer.end(), 103);
  buffer.DropBefore(101);
  EXPECT_EQ(buffer.begin(), 101);
  EXPECT_THAT(buffer.From(101, 1), ElementsAre(2, 3));
  EXPECT_THAT(buffer.From(102, 5), ElementsAre(4, 5));
  EXPECT_THAT(buffer.From(103, 5), IsEmpty());
}

TEST(ReplayBuffer, LosesTheOldestSamplesBeyondItsBound) {
  ReplayBuffer buffer(/*first_sample=*/0, /*channels=*/2, /*max_values=*/5);
  buffer.Append({0, 1, 2, 3, 4, 5});
  EXPECT_EQ(buffer.begin(), 1) << "whole samples go";
  EXPECT_THAT(buffer.From(1, 9), ElementsAre(2, 3, 4, 5));
}

TEST(ReplayBuffer, DropsNoMoreThanItHas) {
  ReplayBuffer buffer(/*first_sample=*/0, /*channels=*/1, /*max_values=*/5);
  buffer.Append({0, 1});
  buffer.DropBefore(7);
  EXPECT_EQ(buffer.begin(), 2);
  buffer.DropBefore(1);
  EXPECT_EQ(buffer.begin(), 2);
}

}  // namespace
}  // namespace stillwave::client
