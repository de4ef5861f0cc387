// HTTP/1.1, as far as a port with a few GET paths needs it. No sockets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::metrics {

// More of it is refused before it has come whole.
inline constexpr size_t kMaxHttpHead = 8192;

struct HttpRequest {
  std::string method;
  std::string path;  // without what follows a question mark
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
};

// The request whose head begins `received`; nothing while the head is not whole. INVALID_ARGUMENT for what is no HTTP/1
// request, or has a head longer than kMaxHttpHead. What follows the head is not looked at.
std::optional<absl::StatusOr<HttpRequest>> ReadHttpRequest(absl::string_view received);

// Its bytes; the connection is closed after them. The body of a HEAD's response is left out.
std::string FormatHttpResponse(const HttpRequest& request, const HttpResponse& response);

}  // namespace stillwave::metrics
