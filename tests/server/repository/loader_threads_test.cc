#include "server/repository/loader_threads.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::repository {
namespace {

using ::testing::ElementsAre;

TEST(LoaderThreadsTest, JobsOfDifferentKeysRunAtTheSameTime) {
  LoaderThreads threads(2);
  // Each waits until the other is there.
  auto* const barrier = new absl::Barrier(2);
  for (const char* key : {"a", "b"}) {
    threads.Run(key, [barrier] {
      if (barrier->Block()) delete barrier;
    });
  }
  threads.AwaitIdle();
}

TEST(LoaderThreadsTest, JobsOfOneKeyRunOneAfterAnotherInTheirOrder) {
  LoaderThreads threads(4);
  std::atomic<int> running{0};
  std::vector<int> order;  // guarded by the key
  for (int i = 0; i < 100; ++i) {
    threads.Run("a", [&, i] {
      EXPECT_EQ(running.fetch_add(1), 0);
      order.push_back(i);
      running.fetch_sub(1);
    });
  }
  threads.AwaitIdle();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(LoaderThreadsTest, JobsWithoutAKeyDoNotWaitBehindOthers) {
  LoaderThreads threads(1);
  absl::Notification begun, go;
  std::vector<std::string> order;  // there is one thread
  threads.Run("a", [&] {
    begun.Notify();
    go.WaitForNotification();
  });
  begun.WaitForNotification();
  threads.Run("a", [&] { order.push_back("a"); });
  threads.Run("", [&] { order.push_back("first"); });
  threads.Run("b", [&] { order.push_back("b"); });
  threads.Run("", [&] { order.push_back("second"); });
  go.Notify();
  threads.AwaitIdle();
  EXPECT_THAT(order, ElementsAre("first", "second", "a", "b"));
}

TEST(LoaderThreadsTest, StopRunsWhatWaitsWhichCanSeeIt) {
  LoaderThreads threads(1);
  absl::Notification begun;
  int stopped = 0;
  for (int i = 0; i < 10; ++i) {
    threads.Run(absl::StrCat(i % 3), [&] {
      if (!begun.HasBeenNotified()) begun.Notify();
      // A load in steps: it ends when it is told to.
      while (!threads.stopping()) sched_yield();
      ++stopped;
    });
  }
  begun.WaitForNotification();
  threads.Stop();
  EXPECT_EQ(stopped, 10);
  threads.Run("late", [&] { ++stopped; });
  EXPECT_EQ(stopped, 11) << "on the calling thread";
  threads.Stop();
}

TEST(LoaderThreadsTest, WhatAJobHoldsIsGoneWhenTheThreadsAreIdle) {
  LoaderThreads threads(2);
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  threads.Run("a", [held = std::move(held)] {});
  threads.AwaitIdle();
  EXPECT_TRUE(watched.expired());
}

TEST(LoaderThreadsTest, RunBelowThePriorityOfOtherThreads) {
  LoaderThreads threads(1);
  const int ours = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  int theirs = ours;
  threads.Run("a", [&] { theirs = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); });
  threads.AwaitIdle();
  if (ours == 19) GTEST_SKIP() << "there is no lower priority";
  EXPECT_GT(theirs, ours);
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())), ours) << "only the loaders' own";
}

}  // namespace
}  // namespace stillwave::repository
