// libFuzzer: whatever a client of the HTTP port sends is a request, the beginning of one, or refused; never a crash.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "server/base/check.h"
#include "server/metrics/http_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view received(reinterpret_cast<const char*>(data), size);
  const auto request = stillwave::metrics::ReadHttpRequest(received);
  if (!request.has_value()) {
    SW_CHECK(size <= stillwave::metrics::kMaxHttpHead);  // else a client could make the server hold any number of bytes
    return 0;
  }
  if (!request->ok()) return 0;
  SW_CHECK(!(*request)->method.empty());
  SW_CHECK(!absl::StrContains((*request)->path, '?'));
  const std::string response = stillwave::metrics::FormatHttpResponse(**request, {200, "text/plain", "ok\n"});
  SW_CHECK(absl::StartsWith(response, "HTTP/1.1 200 "));
  return 0;
}
