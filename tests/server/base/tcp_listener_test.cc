#include "server/base/tcp_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <deque>

#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "server/base/descriptor_limit.h"
#include "tests/support/status_matchers.h"

namespace stillwave::base {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

// A connected socket; -1 when nobody listens.
int ConnectTo(const char* host, int port) {
  const bool ipv6 = std::string(host).find(':') != std::string::npos;
  sockaddr_in ipv4_address{};
  ipv4_address.sin_family = AF_INET;
  ipv4_address.sin_port = htons(static_cast<in_port_t>(port));
  sockaddr_in6 ipv6_address{};
  ipv6_address.sin6_family = AF_INET6;
  ipv6_address.sin6_port = htons(static_cast<in_port_t>(port));
  inet_pton(AF_INET, host, &ipv4_address.sin_addr);
  inet_pton(AF_INET6, host, &ipv6_address.sin6_addr);
  const int connection = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int result = ipv6 ? connect(connection, reinterpret_cast<sockaddr*>(&ipv6_address), sizeof(ipv6_address))
                          : connect(connection, reinterpret_cast<sockaddr*>(&ipv4_address), sizeof(ipv4_address));
  if (result == 0) return connection;
  close(connection);
  return -1;
}

// Keeps what a listener gives away.
class Taken {
 public:
  ~Taken() {
    for (const int descriptor : descriptors_) close(descriptor);
  }
  TcpListener::Take Taker() {
    return [this](int descriptor) {
      absl::MutexLock lock(&mutex_);
      descriptors_.push_back(descriptor);
    };
  }
  void AwaitOne() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](std::deque<int>* descriptors) { return !descriptors->empty(); }, &descriptors_));
    close(descriptors_.front());
    descriptors_.pop_front();
  }

 private:
  absl::Mutex mutex_;
  std::deque<int> descriptors_ ABSL_GUARDED_BY(mutex_);
};

std::unique_ptr<TcpListener> MustListen(const std::string& host, int port = 0) {
  auto listener = TcpListener::Create(host, port);
  EXPECT_TRUE(listener.ok()) << listener.status();
  return listener.ok() ? *std::move(listener) : nullptr;
}

TEST(TcpListenerTest, GivesAwayWhoConnectsAlsoBeforeTheStart) {
  const auto listener = MustListen("127.0.0.1");
  ASSERT_NE(listener, nullptr);
  ASSERT_GT(listener->port(), 0);
  const int early = ConnectTo("127.0.0.1", listener->port());
  EXPECT_GE(early, 0);
  Taken taken;
  listener->Start(taken.Taker(), /*free_descriptors=*/8);
  taken.AwaitOne();
  const int late = ConnectTo("127.0.0.1", listener->port());
  EXPECT_GE(late, 0);
  taken.AwaitOne();
  listener->Stop();
  EXPECT_EQ(ConnectTo("127.0.0.1", listener->port()), -1) << "nobody listens any more";
  close(early);
  close(late);
}

TEST(TcpListenerTest, AWildcardIsBothFamilies) {
  for (const char* wildcard : {"0.0.0.0", "::"}) {
    const auto listener = MustListen(wildcard);
    ASSERT_NE(listener, nullptr);
    Taken taken;
    listener->Start(taken.Taker(), /*free_descriptors=*/8);
    for (const char* host : {"127.0.0.1", "::1"}) {
      const int connection = ConnectTo(host, listener->port());
      if (connection < 0 && std::string(host) == "::1") GTEST_SKIP() << "no IPv6 loopback here";
      EXPECT_GE(connection, 0) << host << " at " << wildcard;
      taken.AwaitOne();
      close(connection);
    }
    listener->Stop();
  }
}

TEST(TcpListenerTest, APortOfAnotherIsNotShared) {
  const auto first = MustListen("127.0.0.1");
  ASSERT_NE(first, nullptr);
  EXPECT_THAT(TcpListener::Create("127.0.0.1", first->port()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the port is taken by another process")));
}

TEST(TcpListenerTest, AHostThatIsNotHereIsUnavailable) {
  EXPECT_THAT(TcpListener::Create("192.0.2.1", 0),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot be bound")));
  EXPECT_THAT(TcpListener::Create("no such host", 0),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the host is not known")));
}

TEST(TcpListenerTest, AConnectionThatLeavesTooFewDescriptorsFreeIsClosed) {
  const auto listener = MustListen("127.0.0.1");
  ASSERT_NE(listener, nullptr);
  std::atomic<bool> taken{false};
  listener->Start(
      [&](int descriptor) {
        taken = true;
        close(descriptor);
      },
      /*free_descriptors=*/DescriptorLimit());
  const int connection = ConnectTo("127.0.0.1", listener->port());
  ASSERT_GE(connection, 0);
  char byte = 0;
  EXPECT_EQ(recv(connection, &byte, 1, 0), 0);
  close(connection);
  listener->Stop();
  EXPECT_FALSE(taken);
}

}  // namespace
}  // namespace stillwave::base
