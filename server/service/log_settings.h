// LogSettings: what of the server's logs can be seen and changed while it runs.
#pragma once

#include "absl/status/status.h"
#include "inference/open_inference_grpc.pb.h"

namespace stillwave::service {

// Applies what the request sets, all or nothing, and tells what holds afterwards. An empty request only tells.
//
//   log_error          bool     always true
//   log_warning        bool     severities are one threshold: true when log_info is
//   log_info           bool
//   log_verbose_level  uint32   1: debug events too, which takes log_info; else 0
//   log_format         string   "ISO8601" (a line of text that begins with such a time) or "json"
//   log_file           string   always "": events go to standard error
//
// INVALID_ARGUMENT naming setting, rule and value. Thread-safe.
absl::Status HandleLogSettings(const inference::LogSettingsRequest& request, inference::LogSettingsResponse* response);

}  // namespace stillwave::service
