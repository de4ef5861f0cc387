#include "server/metrics/metrics_endpoint.h"

#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::metrics {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

MetricsEndpoint::Options OptionsAt(const std::string& host, int port) {
  MetricsEndpoint::Options options;
  options.address = {host, port};
  options.metrics_text = [] { return "stillwave_streams 0\n"; };
  options.readiness = [] { return absl::OkStatus(); };
  options.status_json = [] { return R"({"models": []})"; };
  return options;
}

class MetricsEndpointTest : public testing::Test {
 protected:
  void Start(MetricsEndpoint::Options options) {
    auto endpoint = MetricsEndpoint::Create(std::move(options));
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    endpoint_ = *std::move(endpoint);
    client_ = std::make_unique<httplib::Client>("127.0.0.1", endpoint_->port());
  }

  std::unique_ptr<MetricsEndpoint> endpoint_;
  std::unique_ptr<httplib::Client> client_;
};

TEST_F(MetricsEndpointTest, ServesTheMetricsInPrometheusTextFormat) {
  Start(OptionsAt("127.0.0.1", 0));
  const auto response = client_->Get("/metrics");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "stillwave_streams 0\n");
  EXPECT_THAT(response->get_header_value("Content-Type"), HasSubstr("text/plain; version=0.0.4"));
}

TEST_F(MetricsEndpointTest, IsLiveAlsoWhileNotReadyAndSaysWhyItIsNotReady) {
  auto options = OptionsAt("127.0.0.1", 0);
  options.readiness = [] { return absl::UnavailableError("models are being loaded"); };
  Start(std::move(options));
  const auto live = client_->Get("/livez");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->status, 200);
  EXPECT_EQ(live->body, "ok\n");
  const auto ready = client_->Get("/readyz");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 503);
  EXPECT_EQ(ready->body, "models are being loaded\n");
}

TEST_F(MetricsEndpointTest, ReadinessIsAskedAtEveryRequest) {
  auto ready = std::make_shared<std::atomic<bool>>(false);
  auto options = OptionsAt("127.0.0.1", 0);
  options.readiness = [ready] { return *ready ? absl::OkStatus() : absl::UnavailableError("not yet"); };
  Start(std::move(options));
  EXPECT_EQ(client_->Get("/readyz")->status, 503);
  *ready = true;
  const auto response = client_->Get("/readyz");
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "ok\n");
}

TEST_F(MetricsEndpointTest, TheRootIsAPageThatNeedsNothingFromElsewhere) {
  Start(OptionsAt("127.0.0.1", 0));
  const auto page = client_->Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page->body, HasSubstr("</html>"));
  EXPECT_THAT(page->body, Not(HasSubstr("//cdn")));
  EXPECT_THAT(page->body, Not(HasSubstr("src=")));
  const auto status = client_->Get("/status.json");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(status->body, R"({"models": []})");
}

TEST_F(MetricsEndpointTest, AnotherPathIsNotFoundAndTheAnswerNamesThoseThereAre) {
  Start(OptionsAt("127.0.0.1", 0));
  const auto response = client_->Get("/other");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  for (const char* path : {"/,", "/status.json", "/metrics", "/livez", "/readyz"})
    EXPECT_THAT(response->body, HasSubstr(path));
  EXPECT_EQ(client_->Post("/metrics", "x", "text/plain")->status, 404);
}

TEST_F(MetricsEndpointTest, AHeadRequestHasNoBody) {
  Start(OptionsAt("127.0.0.1", 0));
  const auto response = client_->Head("/metrics");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(response->get_header_value("Content-Length"), "20");
}

TEST_F(MetricsEndpointTest, AClientThatSaysNothingIsCutOff) {
  auto options = OptionsAt("127.0.0.1", 0);
  options.io_timeout = absl::Milliseconds(1);
  Start(std::move(options));
  const int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(static_cast<in_port_t>(endpoint_->port()));
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(silent, reinterpret_cast<sockaddr*>(&target), sizeof(target)), 0);
  char byte = 0;
  EXPECT_EQ(recv(silent, &byte, 1, 0), 0);
  close(silent);
}

TEST_F(MetricsEndpointTest, ALargeBodyIsRefused) {
  Start(OptionsAt("127.0.0.1", 0));
  const auto response = client_->Post("/metrics", std::string(100'000, 'x'), "text/plain");
  EXPECT_TRUE(!response || response->status >= 400);
  EXPECT_EQ(client_->Get("/livez")->status, 200);
}

TEST_F(MetricsEndpointTest, ATakenPortIsRefusedWithItsAddress) {
  Start(OptionsAt("127.0.0.1", 0));
  const auto second = MetricsEndpoint::Create(OptionsAt("127.0.0.1", endpoint_->port()));
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable,
                               AllOf(HasSubstr(absl::StrCat("cannot listen on 127.0.0.1:", endpoint_->port())),
                                     HasSubstr("taken"))));
}

TEST_F(MetricsEndpointTest, ThePortIsFreeAgainAfterwards) {
  Start(OptionsAt("127.0.0.1", 0));
  const int port = endpoint_->port();
  endpoint_.reset();
  EXPECT_TRUE(MetricsEndpoint::Create(OptionsAt("127.0.0.1", port)).ok());
}

TEST_F(MetricsEndpointTest, TakesAnIpv6Host) {
  const auto endpoint = MetricsEndpoint::Create(OptionsAt("::1", 0));
  if (!endpoint.ok()) GTEST_SKIP() << "no IPv6 loopback here: " << endpoint.status();
  httplib::Client client("::1", (*endpoint)->port());
  const auto response = client.Get("/livez");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
}

TEST(MetricsEndpointAddressTest, AHostOfAnotherMachineCannotBeBound) {
  const auto endpoint = MetricsEndpoint::Create(OptionsAt("192.0.2.1", 0));
  EXPECT_THAT(endpoint, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot listen on 192.0.2.1:0")));
}

TEST(MetricsEndpointAddressTest, OptionsOutOfRangeAreRefused) {
  auto options = OptionsAt("127.0.0.1", 0);
  options.io_timeout = absl::ZeroDuration();
  EXPECT_THAT(MetricsEndpoint::Create(options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("io_timeout must be positive; was 0")));
}

}  // namespace
}  // namespace stillwave::metrics
