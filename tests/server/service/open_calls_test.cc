#include "server/service/open_calls.h"

#include <memory>
#include <thread>

#include "gtest/gtest.h"

namespace stillwave::service {
namespace {

TEST(OpenCalls, NoCallIsOpenAtFirst) {
  OpenCalls calls;
  EXPECT_TRUE(calls.AwaitNone(absl::ZeroDuration()));
}

TEST(OpenCalls, ACallIsOpenAsLongAsItsMemberLives) {
  OpenCalls calls;
  auto first = std::make_unique<OpenCall>(&calls);
  auto second = std::make_unique<OpenCall>(&calls);
  first.reset();
  EXPECT_FALSE(calls.AwaitNone(absl::ZeroDuration()));
  second.reset();
  EXPECT_TRUE(calls.AwaitNone(absl::ZeroDuration()));
}

TEST(OpenCalls, TheLastCallWakesWhoWaits) {
  OpenCalls calls;
  auto call = std::make_unique<OpenCall>(&calls);
  std::thread waiter([&] { EXPECT_TRUE(calls.AwaitNone(absl::InfiniteDuration())); });
  call.reset();
  waiter.join();
}

}  // namespace
}  // namespace stillwave::service
