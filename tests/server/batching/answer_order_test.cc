#include "server/batching/answer_order.h"

#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::batching {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(AnswerOrderTest, AnswersWaitForThoseBeforeThem) {
  AnswerOrder order;
  const uint64_t a = order.Enter(), b = order.Enter(), c = order.Enter();
  std::vector<char> given;
  order.Leave(c, /*samples=*/3, [&] { given.push_back('c'); });
  order.Leave(b, /*samples=*/2, [&] { given.push_back('b'); });
  EXPECT_THAT(given, IsEmpty());
  EXPECT_EQ(order.held_samples(), 5);
  order.Leave(a, /*samples=*/1, [&] { given.push_back('a'); });
  EXPECT_THAT(given, ElementsAre('a', 'b', 'c'));
  EXPECT_EQ(order.held_samples(), 0);
}

TEST(AnswerOrderTest, APlaceThatIsSkippedHoldsNobodyUp) {
  AnswerOrder order;
  const uint64_t a = order.Enter(), b = order.Enter();
  bool given = false;
  order.Leave(b, 1, [&] { given = true; });
  order.Skip(a);
  EXPECT_TRUE(given);
}

TEST(AnswerOrderTest, AnAnswerMayLeaveAnotherPlace) {
  AnswerOrder order;
  const uint64_t a = order.Enter(), b = order.Enter();
  std::vector<char> given;
  order.Leave(a, 1, [&] {
    given.push_back('a');
    order.Leave(b, 1, [&] { given.push_back('b'); });
    EXPECT_THAT(given, ElementsAre('a')) << "one answer at a time";
  });
  EXPECT_THAT(given, ElementsAre('a', 'b'));
}

TEST(AnswerOrderTest, HoldsWhateverThreadsLeaveFirst) {
  constexpr int kThreads = 3, kEach = 2000;
  AnswerOrder order;
  std::vector<uint64_t> tickets;
  for (int i = 0; i < kThreads * kEach; ++i) tickets.push_back(order.Enter());
  std::vector<uint64_t> given;  // by whichever thread answers, one at a time
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        const uint64_t ticket = tickets[static_cast<size_t>(i * kThreads + thread)];
        order.Leave(ticket, 1, [&given, ticket] { given.push_back(ticket); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(given, tickets);
}

}  // namespace
}  // namespace stillwave::batching
