#include "client/exit_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillwave::client {
namespace {

TEST(ExitCode, StaysWithItsErrorAndIsRefusedForTheServersOwn) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(UsageError("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(MakeError(ExitCode::kUnreachable, "x")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("x")), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("x")), ExitCode::kRefused);
}

TEST(ErrorLine, NamesTheCommandUnlessTheErrorNamesAFileOrAServer) {
  EXPECT_EQ(ErrorLine("infer", UsageError("--at needs --rate")), "stillwave: infer: --at needs --rate");
  EXPECT_EQ(ErrorLine("infer", BadInputError("x.npy: empty")), "stillwave: x.npy: empty");
  EXPECT_EQ(ErrorLine("infer", MakeError(ExitCode::kUnreachable, "cannot reach h:1: no")),
            "stillwave: cannot reach h:1: no");
  EXPECT_EQ(ErrorLine("infer", absl::NotFoundError("unknown model 'x'")),
            "stillwave: infer: NOT_FOUND: unknown model 'x'");
}

TEST(ErrorLine, IsOneLineWhateverTheServerSays) {
  EXPECT_EQ(ErrorLine("infer", absl::InternalError("a\nb\x1b[0m")), "stillwave: infer: INTERNAL: a\\nb\\x1b[0m");
}

}  // namespace
}  // namespace stillwave::client
