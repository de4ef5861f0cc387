#include "server/base/host_port.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::base {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(HostPort, BracketsBelongToTheAddressNotToTheHost) {
  const auto parsed = ParseHostPort("--grpc_address", "[::1]:8001");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->host, "::1");
  EXPECT_EQ(parsed->port, 8001);
}

TEST(HostPort, WrongAddressesAreRefusedByFlagRuleAndValue) {
  for (const char* address : {"", "8002", ":8002", "localhost:", "localhost:http", "localhost:70000", "localhost:-1",
                              "::1:8002", "[]:8002"}) {
    EXPECT_THAT(ParseHostPort("--http_address", address),
                StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("--http_address must be host:port"),
                                                                   HasSubstr(absl::StrCat("was \"", address, "\"")))));
  }
}

}  // namespace
}  // namespace stillwave::base
