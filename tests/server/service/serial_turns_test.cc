#include "server/service/serial_turns.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace stillwave::service {
namespace {

TEST(SerialTurns, WhatIsAskedForBeforeItBeginsIsDoneThen) {
  SerialTurns turns;
  int done = 0;
  const auto turn = [&done] { ++done; };
  turns.Ask(turn);
  EXPECT_EQ(done, 0);
  turns.Begin(turn);
  EXPECT_GE(done, 1);
}

TEST(SerialTurns, ATurnThatAsksGetsOneMoreAndDoesNotNest) {
  SerialTurns turns;
  int depth = 0, done = 0;
  turns.Begin([&] {
    ++depth;
    EXPECT_EQ(depth, 1);
    if (++done < 3) turns.Ask([] { FAIL() << "the running thread takes the turn"; });
    --depth;
  });
  EXPECT_EQ(done, 3);
}

TEST(SerialTurns, NoEventOfSeveralThreadsIsMissedAndNoTwoTurnsRunAtOnce) {
  SerialTurns turns;
  std::atomic<int> events{0};
  std::atomic<int> running{0};
  int seen = 0;  // no atomic: one turn at a time
  const auto turn = [&] {
    EXPECT_EQ(running.fetch_add(1), 0);
    seen = events.load();
    running.fetch_sub(1);
  };
  turns.Begin(turn);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        events.fetch_add(1);
        turns.Ask(turn);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, 4000);
}

}  // namespace
}  // namespace stillwave::service
