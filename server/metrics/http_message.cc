#include "server/metrics/http_message.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace stillwave::metrics {
namespace {

absl::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

}  // namespace

std::optional<absl::StatusOr<HttpRequest>> ReadHttpRequest(absl::string_view received) {
  // Some clients end lines without a carriage return.
  const size_t end = std::min(received.find("\r\n\r\n"), received.find("\n\n"));
  if (std::min(end, received.size()) > kMaxHttpHead) {
    return absl::InvalidArgumentError(absl::StrCat("the head must have at most ", kMaxHttpHead, " bytes; had more"));
  }
  if (end == absl::string_view::npos) return std::nullopt;
  absl::string_view line = received.substr(0, received.find('\n'));
  if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() != 3 || words[0].empty() || !absl::StartsWith(words[1], "/") ||
      !absl::StartsWith(words[2], "HTTP/1.")) {
    return absl::InvalidArgumentError("the first line must be METHOD /PATH HTTP/1.1; was another");
  }
  const absl::string_view path = words[1].substr(0, words[1].find('?'));
  return HttpRequest{std::string(words[0]), std::string(path)};
}

std::string FormatHttpResponse(const HttpRequest& request, const HttpResponse& response) {
  const bool head_only = request.method == "HEAD";
  return absl::StrCat("HTTP/1.1 ", response.status, " ", ReasonPhrase(response.status),
                      "\r\nContent-Type: ", response.content_type, "\r\nContent-Length: ", response.body.size(),
                      "\r\nConnection: close\r\n\r\n", head_only ? "" : response.body);
}

}  // namespace stillwave::metrics
