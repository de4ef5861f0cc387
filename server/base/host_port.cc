#include "server/base/host_port.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace stillwave::base {

absl::StatusOr<HostPort> ParseHostPort(absl::string_view flag, absl::string_view address) {
  const size_t colon = address.rfind(':');
  HostPort parsed;
  if (colon != absl::string_view::npos && colon > 0) {
    absl::string_view host = address.substr(0, colon);
    const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
    const bool plain = host.find_first_of(bracketed ? "[]/ " : "[]:/ ") == absl::string_view::npos;
    if (plain && !host.empty() && absl::SimpleAtoi(address.substr(colon + 1), &parsed.port) && parsed.port >= 0 &&
        parsed.port <= 65535) {
      parsed.host = std::string(host);
      return parsed;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " must be host:port with a port between 0 and 65535; was \"", address, "\""));
}

}  // namespace stillwave::base
