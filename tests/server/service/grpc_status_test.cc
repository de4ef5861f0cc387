#include "server/service/grpc_status.h"

#include "gtest/gtest.h"

namespace stillwave::service {
namespace {

TEST(GrpcStatus, KeepsCodeAndMessage) {
  const grpc::Status status = ToGrpcStatus(absl::NotFoundError("no such model"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such model");
}

TEST(GrpcStatus, KeepsEveryCode) {
  for (int code = 1; code <= 16; ++code) {
    EXPECT_EQ(static_cast<int>(ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "why")).error_code()),
              code);
  }
}

TEST(GrpcStatus, OkIsOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

}  // namespace
}  // namespace stillwave::service
