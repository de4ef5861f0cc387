// A call of StreamWindows, and what seed_block's series are made of.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/rpc.h"

namespace stillwave::integration {

inline constexpr int64_t kSeedChannels = 3;

// One call: requests go out as they are made, responses are read when asked for.
class StreamCall {
 public:
  explicit StreamCall(const Client& client) {
    LimitTime(context_);
    stream_ = client.streams->StreamWindows(&context_);
  }

  void Open(const v1::OpenSeries& open) {
    v1::StreamWindowsRequest request;
    *request.mutable_open() = open;
    EXPECT_TRUE(stream_->Write(request));
  }
  // False when the call has ended.
  bool Send(const v1::SampleChunk& chunk) {
    v1::StreamWindowsRequest request;
    *request.mutable_chunk() = chunk;
    return stream_->Write(request);
  }
  // False when the call has ended.
  bool Chunk(const std::string& series, absl::Span<const float> values,
             std::optional<int64_t> sample_index = std::nullopt) {
    v1::StreamWindowsRequest request;
    request.mutable_chunk()->set_series_id(series);
    request.mutable_chunk()->set_fp32_samples(BytesOf(values));
    if (sample_index) request.mutable_chunk()->set_sample_index(*sample_index);
    return stream_->Write(request);
  }
  void Close(const std::string& series) {
    v1::StreamWindowsRequest request;
    request.mutable_close()->set_series_id(series);
    EXPECT_TRUE(stream_->Write(request));
  }
  void HalfClose() { stream_->WritesDone(); }
  bool Read(v1::StreamWindowsResponse* response) { return stream_->Read(response); }
  // All that is left, until the call ends.
  std::vector<v1::StreamWindowsResponse> ReadAll() {
    std::vector<v1::StreamWindowsResponse> all;
    for (v1::StreamWindowsResponse response; stream_->Read(&response);) all.push_back(response);
    return all;
  }
  grpc::Status Finish() { return stream_->Finish(); }
  // The connection is lost, as far as the server can tell.
  void Break() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamWindowsRequest, v1::StreamWindowsResponse>> stream_;
};

inline v1::OpenSeries OpenSeedBlock(const std::string& series, int64_t window_length, int64_t hop) {
  v1::OpenSeries open;
  open.set_series_id(series);
  open.set_model_name("seed_block");
  open.set_window_length(window_length);
  open.set_hop(hop);
  return open;
}

inline std::vector<v1::WindowResult> WindowsOf(const std::vector<v1::StreamWindowsResponse>& responses,
                                               const std::string& series) {
  std::vector<v1::WindowResult> windows;
  for (const v1::StreamWindowsResponse& response : responses) {
    if (response.has_window() && response.window().series_id() == series) windows.push_back(response.window());
  }
  return windows;
}

// [S][C] -> [C][length] of the window that starts at `first`; zeros behind the end.
inline std::vector<float> WindowAt(const std::vector<float>& samples, int64_t first, int64_t length) {
  std::vector<float> window;
  for (int64_t channel = 0; channel < kSeedChannels; ++channel) {
    for (int64_t i = first; i < first + length; ++i) {
      const auto at = static_cast<size_t>(i * kSeedChannels + channel);
      window.push_back(at < samples.size() ? samples[at] : 0.0F);
    }
  }
  return window;
}

}  // namespace stillwave::integration
