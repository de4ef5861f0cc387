// A call that breaks and is taken up again, as OpenSeries says: together the results are those of a call that held.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/streaming/test_streams.h"

namespace stillwave::streaming {
namespace {

// A series that starts at sample 1000.
class Resumed : public testing::TestWithParam<int> {
 protected:
  static constexpr int64_t kFirstSample = 1000;

  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  // Opens the series and sends the samples from `first_sample` on, then ends the stream.
  void SendAll(Client& client, int64_t first_sample, int64_t first_window) {
    v1::StreamWindowsRequest open = open_;
    open.mutable_open()->set_first_sample_index(first_sample);
    open.mutable_open()->set_first_window_index(first_window);
    client.Send(open);
    for (auto at = static_cast<size_t>(first_sample - kFirstSample); at < samples_.size();) {
      const size_t size = std::min(static_cast<size_t>(Pick(1, 9)), samples_.size() - at);
      client.Send(Chunk(
          "a", {samples_.begin() + static_cast<int64_t>(at), samples_.begin() + static_cast<int64_t>(at + size)}));
      at += size;
    }
    client.session().OnHalfClose();
  }
  std::vector<std::string> WindowsOf(Client& client) {
    absl::Status end;
    std::vector<std::string> windows;
    for (const v1::StreamWindowsResponse& response : client.ReadAll(&end)) {
      EXPECT_FALSE(response.has_error()) << response.error().message();
      if (response.has_closed()) closed_ = response.closed();
      if (response.has_window()) windows.push_back(response.window().ShortDebugString());
    }
    return windows;
  }

  std::mt19937 random_{static_cast<unsigned>(GetParam())};
  PuppetServer server_;
  v1::StreamWindowsRequest open_;
  std::vector<float> samples_;
  v1::SeriesClosed closed_;
};

TEST_P(Resumed, SeriesHaveTheResultsOfOneThatHeld) {
  const int length = Pick(1, 8), hop = Pick(1, 12);
  open_ = Open("a", length, hop);
  open_.mutable_open()->set_sample_rate_hz(7);
  if (Pick(0, 1) == 0) open_.mutable_open()->set_partial_window(v1::PARTIAL_WINDOW_ZERO_PAD);
  if (Pick(0, 1) == 0) open_.mutable_open()->set_step_outputs(v1::STEP_OUTPUTS_NEW);
  samples_ = Ramp(Pick(30, 90));
  Client held(server_);
  SendAll(held, kFirstSample, 0);
  const std::vector<std::string> expected = WindowsOf(held);
  const v1::SeriesClosed closed = closed_;
  ASSERT_FALSE(expected.empty());

  // The client has seen so many windows when the call breaks. A padded one is the series' end: nobody resumes there.
  std::vector<std::string> windows;
  v1::WindowResult last;
  {
    Client broken(server_);
    SendAll(broken, kFirstSample, 0);
    EXPECT_TRUE(broken.Read().has_opened());
    for (int seen = Pick(1, static_cast<int>(expected.size())); seen > 0; --seen) {
      v1::WindowResult window = broken.Read().window();
      if (window.padded_samples() > 0) break;
      last = window;
      windows.push_back(window.ShortDebugString());
    }
    broken.session().Cancel();
  }
  Client resumed(server_);
  if (windows.empty()) {
    SendAll(resumed, kFirstSample, 0);
  } else {
    SendAll(resumed, last.first_sample_index() + hop, last.window_index() + 1);
  }
  const int64_t before = static_cast<int64_t>(windows.size());
  for (std::string& window : WindowsOf(resumed)) windows.push_back(std::move(window));
  EXPECT_EQ(windows, expected);
  EXPECT_EQ(closed_.windows() + before, closed.windows());
  EXPECT_EQ(closed_.partial_samples(), closed.partial_samples());
}

INSTANTIATE_TEST_SUITE_P(Seeds, Resumed, testing::Range(0, 60));

}  // namespace
}  // namespace stillwave::streaming
