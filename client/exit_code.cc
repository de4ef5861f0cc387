#include "client/exit_code.h"

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/text_width.h"
#include "server/base/check.h"

namespace stillwave::client {
namespace {

constexpr char kExitCodeUrl[] = "stillwave.client.ExitCode";

absl::StatusCode StatusCodeFor(ExitCode code) {
  switch (code) {
    case ExitCode::kNotReady:
      return absl::StatusCode::kFailedPrecondition;
    case ExitCode::kUnreachable:
      return absl::StatusCode::kUnavailable;
    case ExitCode::kInterrupted:
      return absl::StatusCode::kCancelled;
    default:
      return absl::StatusCode::kInvalidArgument;
  }
}

}  // namespace

absl::Status MakeError(ExitCode code, absl::string_view message) {
  SW_CHECK(code != ExitCode::kOk);
  absl::Status error(StatusCodeFor(code), message);
  error.SetPayload(kExitCodeUrl, absl::Cord(absl::StrCat(static_cast<int>(code))));
  return error;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  const auto payload = status.GetPayload(kExitCodeUrl);
  int number = 0;
  if (payload.has_value() && absl::SimpleAtoi(std::string(*payload), &number)) return static_cast<ExitCode>(number);
  return ExitCode::kRefused;
}

std::string ErrorLine(absl::string_view command, const absl::Status& error) {
  SW_CHECK(!error.ok());
  const std::string message = EscapeControlCharacters(error.message());
  switch (ExitCodeOf(error)) {
    case ExitCode::kUnreachable:
    case ExitCode::kBadInput:
      return absl::StrCat("stillwave: ", message);
    case ExitCode::kRefused:
      return absl::StrCat("stillwave: ", command, ": ", absl::StatusCodeToString(error.code()), ": ", message);
    default:
      return absl::StrCat("stillwave: ", command, ": ", message);
  }
}

}  // namespace stillwave::client
