// StreamWindows through the real server.
#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "gmock/gmock.h"
#include "tests/integration/stream_call.h"

namespace stillwave::integration {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using v1::StreamWindowsResponse;

class Streams : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=2"}); }

  // What ModelInfer says to one window.
  static std::string Unary(const std::vector<float>& window, int64_t length) {
    inference::ModelInferRequest request;
    request.set_model_name("seed_block");
    AddRawInput(request, "x", "FP32", {1, kSeedChannels, length}, BytesOf(window));
    inference::ModelInferResponse response;
    const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelInfer, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.raw_output_contents_size() == 1 ? response.raw_output_contents(0) : "";
  }
};

TEST_F(Streams, ResultsHaveTheBitsOfUnaryResultsForTheSameWindows) {
  constexpr int64_t kLength = 64;
  constexpr int64_t kHop = 24;
  constexpr int64_t kSamples = 500;
  const std::vector<float> samples = Signal(1, kSamples, kSeedChannels);  // [S][C]
  StreamCall call(*client_);
  call.Open(OpenSeedBlock("s", kLength, kHop));
  // Chunks of 1, 2, 3, … samples.
  for (int64_t at = 0, size = 1; at < kSamples; at += size, ++size) {
    const int64_t count = std::min(size, kSamples - at);
    EXPECT_TRUE(call.Chunk("s", absl::MakeConstSpan(samples).subspan(static_cast<size_t>(at * kSeedChannels),
                                                                     static_cast<size_t>(count * kSeedChannels))));
  }
  call.HalfClose();
  const std::vector<StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());

  ASSERT_FALSE(responses.empty());
  EXPECT_EQ(responses.front().opened().channels(), kSeedChannels);
  EXPECT_EQ(responses.front().opened().model_version(), "1");
  EXPECT_EQ(responses.back().closed().samples(), kSamples);
  const std::vector<v1::WindowResult> windows = WindowsOf(responses, "s");
  ASSERT_THAT(windows, SizeIs((kSamples - kLength) / kHop + 1));
  for (size_t i = 0; i < windows.size(); ++i) {
    const int64_t first = static_cast<int64_t>(i) * kHop;
    EXPECT_EQ(windows[i].window_index(), static_cast<int64_t>(i));
    EXPECT_EQ(windows[i].first_sample_index(), first);
    EXPECT_EQ(windows[i].last_sample_index(), first + kLength - 1);
    ASSERT_EQ(windows[i].outputs_size(), 1);
    EXPECT_EQ(windows[i].outputs(0).name(), "y");
    EXPECT_EQ(windows[i].outputs(0).fp32_values(), Unary(WindowAt(samples, first, kLength), kLength)) << "window " << i;
  }
}

TEST_F(Streams, TwoSeriesShareOneCallAndKeepTheirOwnOrder) {
  const std::vector<float> samples = Signal(1, 320, kSeedChannels);
  StreamCall call(*client_);
  call.Open(OpenSeedBlock("a", 32, 32));
  call.Open(OpenSeedBlock("b", 64, 64));
  for (size_t at = 0; at < samples.size(); at += 16 * kSeedChannels) {
    const auto chunk = absl::MakeConstSpan(samples).subspan(at, 16 * kSeedChannels);
    EXPECT_TRUE(call.Chunk("a", chunk));
    EXPECT_TRUE(call.Chunk("b", chunk));
  }
  call.HalfClose();
  const std::vector<StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
  for (const auto& [series, count] : {std::pair("a", 10), std::pair("b", 5)}) {
    const std::vector<v1::WindowResult> windows = WindowsOf(responses, series);
    ASSERT_THAT(windows, SizeIs(count));
    for (int i = 0; i < count; ++i) EXPECT_EQ(windows[static_cast<size_t>(i)].window_index(), i);
  }
}

TEST_F(Streams, AGapIsReportedAndRestartsTheWindow) {
  const std::vector<float> samples = Signal(1, 100, kSeedChannels);
  const auto all = absl::MakeConstSpan(samples);
  StreamCall call(*client_);
  call.Open(OpenSeedBlock("s", 32, 32));
  EXPECT_TRUE(call.Chunk("s", all.subspan(0, 40 * kSeedChannels), 0));                    // a window and 8 samples
  EXPECT_TRUE(call.Chunk("s", all.subspan(50 * kSeedChannels, 40 * kSeedChannels), 50));  // 10 samples are missing
  call.HalfClose();
  const std::vector<StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
  std::vector<v1::SeriesGap> gaps;
  for (const StreamWindowsResponse& response : responses) {
    if (response.has_gap()) gaps.push_back(response.gap());
  }
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].expected_sample_index(), 40);
  EXPECT_EQ(gaps[0].received_sample_index(), 50);
  EXPECT_EQ(gaps[0].discarded_samples(), 8);
  const std::vector<v1::WindowResult> windows = WindowsOf(responses, "s");
  ASSERT_THAT(windows, SizeIs(2));
  EXPECT_EQ(windows[1].first_sample_index(), 50);
  EXPECT_EQ(windows[1].window_index(), 1);
  EXPECT_EQ(windows[1].outputs(0).fp32_values(), Unary(WindowAt(samples, 50, 32), 32));
}

TEST_F(Streams, AnUnfilledWindowIsPaddedWithZerosWhenAskedFor) {
  const std::vector<float> samples = Signal(1, 40, kSeedChannels);
  StreamCall call(*client_);
  v1::OpenSeries open = OpenSeedBlock("s", 32, 32);
  open.set_partial_window(v1::PARTIAL_WINDOW_ZERO_PAD);
  call.Open(open);
  EXPECT_TRUE(call.Chunk("s", samples));
  call.Close("s");
  call.HalfClose();
  const std::vector<StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
  const std::vector<v1::WindowResult> windows = WindowsOf(responses, "s");
  ASSERT_THAT(windows, SizeIs(2));
  EXPECT_EQ(windows[0].padded_samples(), 0);
  EXPECT_EQ(windows[1].padded_samples(), 24);
  EXPECT_EQ(windows[1].last_sample_index(), 39);
  EXPECT_EQ(windows[1].outputs(0).fp32_values(), Unary(WindowAt(samples, 32, 32), 32));
}

TEST_F(Streams, AnErrorOfOneSeriesEndsThatSeriesOnly) {
  const std::vector<float> samples = Signal(1, 32, kSeedChannels);
  StreamCall call(*client_);
  v1::OpenSeries unknown = OpenSeedBlock("unknown", 32, 32);
  unknown.set_model_name("nobody");
  call.Open(unknown);
  call.Open(OpenSeedBlock("ragged", 32, 32));
  call.Open(OpenSeedBlock("good", 32, 32));
  EXPECT_TRUE(call.Chunk("ragged", absl::MakeConstSpan(samples).subspan(0, 4)));  // 4 values are not whole samples
  EXPECT_TRUE(call.Chunk("good", samples));
  call.HalfClose();
  const std::vector<StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
  std::map<std::string, v1::SeriesError> errors;
  for (const StreamWindowsResponse& response : responses) {
    if (response.has_error()) errors[response.error().series_id()] = response.error();
  }
  ASSERT_THAT(errors, SizeIs(2));
  EXPECT_EQ(errors["unknown"].code(), static_cast<int>(grpc::StatusCode::NOT_FOUND));
  EXPECT_THAT(errors["unknown"].message(), HasSubstr("nobody"));
  EXPECT_EQ(errors["ragged"].code(), static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  EXPECT_THAT(WindowsOf(responses, "good"), SizeIs(1));
}

TEST_F(Streams, AClientThatDoesNotReadIsNotReadFromEither) {
  // Results of about 300 bytes, one for each sample.
  constexpr int64_t kChunks = 400;
  constexpr int64_t kSamplesPerChunk = 250;
  const std::string series(250, 's');
  const std::vector<float> chunk = Signal(1, kSamplesPerChunk, kSeedChannels);
  StreamCall call(*client_);
  call.Open(OpenSeedBlock(series, 8, 1));
  std::atomic<bool> broken{false};
  std::thread writer([&] {
    for (int64_t i = 0; i < kChunks && !broken; ++i) broken = !call.Chunk(series, chunk);
    call.HalfClose();
  });
  // The server computes until all its bounds are reached; then nothing moves any more.
  double windows = -1;
  for (int unchanged = 0; unchanged < 200 && !broken;) {
    const std::string text = HttpGet(server_->http_address(), "/metrics").body;
    const double now = Metric(text, "stillwave_stream_windows_total{model=\"seed_block\",version=\"1\"}");
    unchanged = now == windows && now > 0 ? unchanged + 1 : 0;
    windows = now;
  }
  EXPECT_FALSE(broken) << "the call ended before the client read";
  EXPECT_LT(windows, kChunks * kSamplesPerChunk / 2) << "the server formed windows that nobody reads";
  const std::vector<StreamWindowsResponse> responses = call.ReadAll();
  writer.join();
  EXPECT_TRUE(call.Finish().ok());
  const std::vector<v1::WindowResult> all = WindowsOf(responses, series);
  ASSERT_THAT(all, SizeIs(kChunks * kSamplesPerChunk - 7));
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i].window_index(), static_cast<int64_t>(i));
}

class FewStreams : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    StartWith({ModelFlag("seed_block"), "--max_streams=1", "--max_series_per_stream=1", "--window_length=16"});
  }
};

TEST_F(FewStreams, OneTooManyIsRefusedWithAPushback) {
  StreamCall first(*client_);
  first.Open(OpenSeedBlock("s", 8, 8));
  StreamWindowsResponse response;
  ASSERT_TRUE(first.Read(&response)) << "the first stream is open";
  grpc::ClientContext context;
  LimitTime(context);
  const auto second = client_->streams->StreamWindows(&context);
  EXPECT_FALSE(second->Read(&response));
  const grpc::Status status = second->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("at most 1 streams"));
  EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1U);
  first.HalfClose();
  first.ReadAll();
  EXPECT_TRUE(first.Finish().ok());
}

TEST_F(FewStreams, OneSeriesTooManyIsAnErrorOfThatSeries) {
  StreamCall call(*client_);
  call.Open(OpenSeedBlock("one", 8, 8));
  call.Open(OpenSeedBlock("two", 8, 8));
  call.HalfClose();
  const std::vector<StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
  const auto error = std::find_if(responses.begin(), responses.end(), [](const auto& r) { return r.has_error(); });
  ASSERT_NE(error, responses.end());
  EXPECT_EQ(error->error().series_id(), "two");
  EXPECT_EQ(error->error().code(), static_cast<int>(grpc::StatusCode::RESOURCE_EXHAUSTED));
}

TEST_F(FewStreams, TheWindowLengthOfTheFlagHoldsWhereTheSeriesNamesNone) {
  StreamCall call(*client_);
  call.Open(OpenSeedBlock("s", 0, 0));
  StreamWindowsResponse response;
  ASSERT_TRUE(call.Read(&response));
  EXPECT_EQ(response.opened().window_length(), 16);
  EXPECT_EQ(response.opened().hop(), 16);
  call.HalfClose();
  call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
}

}  // namespace
}  // namespace stillwave::integration
