// What a session told its client, in words.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "stillwave/v1/stream_inference.pb.h"
#include "tests/server/streaming/test_streams.h"

namespace stillwave::streaming {

// "opened a", "window a 0", "gap a", "closed a", "error a 5", "draining".
inline std::string Tell(const v1::StreamWindowsResponse& response) {
  switch (response.response_case()) {
    case v1::StreamWindowsResponse::kOpened:
      return "opened " + response.opened().series_id();
    case v1::StreamWindowsResponse::kWindow:
      return "window " + response.window().series_id() + " " + std::to_string(response.window().window_index());
    case v1::StreamWindowsResponse::kGap:
      return "gap " + response.gap().series_id();
    case v1::StreamWindowsResponse::kClosed:
      return "closed " + response.closed().series_id();
    case v1::StreamWindowsResponse::kError:
      return "error " + response.error().series_id() + " " + std::to_string(response.error().code());
    case v1::StreamWindowsResponse::kDraining:
      return "draining";
    case v1::StreamWindowsResponse::RESPONSE_NOT_SET:
      break;
  }
  return "nothing";
}

inline std::vector<std::string> Tell(const std::vector<v1::StreamWindowsResponse>& responses) {
  std::vector<std::string> told;
  for (const auto& response : responses) told.push_back(Tell(response));
  return told;
}

// The rest of the session's responses, in words.
inline std::vector<std::string> Finish(Client& client, const absl::Status& expected = absl::OkStatus()) {
  absl::Status end;
  const std::vector<std::string> told = Tell(client.ReadAll(&end));
  EXPECT_EQ(end.code(), expected.code());
  return told;
}

}  // namespace stillwave::streaming
