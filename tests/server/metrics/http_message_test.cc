#include "server/metrics/http_message.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/support/status_matchers.h"

namespace stillwave::metrics {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

TEST(HttpMessageTest, ARequestIsReadWhenItsHeadIsWhole) {
  const std::string bytes = "GET /metrics?name=a HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n\r\n";
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ReadHttpRequest(bytes.substr(0, size)).has_value()) << size;
  }
  for (const std::string& whole : {bytes, bytes + "what follows", std::string("GET /metrics HTTP/1.0\n\n")}) {
    const auto request = ReadHttpRequest(whole);
    ASSERT_TRUE(request.has_value() && request->ok());
    EXPECT_EQ((*request)->method, "GET");
    EXPECT_EQ((*request)->path, "/metrics");
  }
}

TEST(HttpMessageTest, WhatIsNoRequestIsRefused) {
  for (const char* line : {"", "GET /metrics", "GET  /metrics HTTP/1.1", "GET metrics HTTP/1.1", "PRI * HTTP/2.0",
                           "GET /metrics HTTP/2", " /metrics HTTP/1.1"}) {
    const auto request = ReadHttpRequest(absl::StrCat(line, "\r\n\r\n"));
    ASSERT_TRUE(request.has_value()) << line;
    EXPECT_THAT(*request, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("METHOD /PATH HTTP/1.1"))) << line;
  }
}

TEST(HttpMessageTest, AHeadThatIsTooLongIsRefusedBeforeItHasCome) {
  EXPECT_FALSE(ReadHttpRequest(std::string(kMaxHttpHead, 'x')).has_value());
  const auto request = ReadHttpRequest(std::string(kMaxHttpHead + 1, 'x'));
  ASSERT_TRUE(request.has_value());
  EXPECT_THAT(*request, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 8192 bytes")));
}

TEST(HttpMessageTest, AResponseSaysHowLongItIsAndThatTheConnectionEnds) {
  const HttpResponse response{503, "text/plain", "why\n"};
  EXPECT_EQ(FormatHttpResponse({"GET", "/readyz"}, response),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
            "Connection: close\r\n\r\nwhy\n");
  EXPECT_EQ(FormatHttpResponse({"HEAD", "/readyz"}, response),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
            "Connection: close\r\n\r\n");
}

}  // namespace
}  // namespace stillwave::metrics
