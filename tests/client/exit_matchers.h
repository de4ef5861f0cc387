// Matchers for errors that end the client.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/exit_code.h"

namespace stillwave::client {

inline absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// FailsWith(ExitCode::kUsage, HasSubstr("--window"))
MATCHER_P2(FailsWith, code, message, "") {
  const absl::Status status = StatusOf(arg);
  *result_listener << "which is " << status.ToString();
  return !status.ok() && ExitCodeOf(status) == code &&
         testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

MATCHER(Succeeds, "") {
  *result_listener << "which is " << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

}  // namespace stillwave::client
