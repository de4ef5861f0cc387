// The page at / of the HTTP port, for people: draws /metrics and /status.json, needs nothing from elsewhere.
#pragma once

#include "absl/strings/string_view.h"

namespace stillwave::metrics {

// HTML, UTF-8. Lives as long as the program.
absl::string_view StatusPageHtml();

}  // namespace stillwave::metrics
