// What a series may ask for, through the real server: sample types, repeated samples, resuming, outputs step by step.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <thread>

#include "gmock/gmock.h"
#include "tests/integration/scale_models.h"
#include "tests/integration/stream_call.h"

namespace stillwave::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kSeriesBytes[] = "stillwave_stream_series_bytes{model=\"seed_block\",version=\"1\"}";

class SeriesOptions : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=2"}); }

  // The values of all windows of one series "s", whose chunks are sent as they are. EXPECTs that it is closed.
  static std::vector<std::string> Answers(const v1::OpenSeries& open, const std::vector<v1::SampleChunk>& chunks,
                                          v1::SeriesClosed* closed = nullptr) {
    StreamCall call(*client_);
    call.Open(open);
    for (const v1::SampleChunk& chunk : chunks) EXPECT_TRUE(call.Send(chunk));
    call.HalfClose();
    const std::vector<v1::StreamWindowsResponse> responses = call.ReadAll();
    EXPECT_TRUE(call.Finish().ok());
    EXPECT_TRUE(!responses.empty() && responses.back().has_closed()) << responses.back().ShortDebugString();
    if (closed != nullptr) *closed = responses.back().closed();
    std::vector<std::string> answers;
    for (const v1::WindowResult& window : WindowsOf(responses, "s")) {
      answers.push_back(window.outputs(0).fp32_values());
    }
    return answers;
  }

  // Samples [first, end) of [S][C].
  static v1::SampleChunk Part(const std::vector<float>& samples, int64_t first, int64_t end) {
    v1::SampleChunk chunk;
    chunk.set_series_id("s");
    chunk.set_sample_index(first);
    chunk.set_fp32_samples(BytesOf(absl::MakeConstSpan(samples).subspan(
        static_cast<size_t>(first * kSeedChannels), static_cast<size_t>((end - first) * kSeedChannels))));
    return chunk;
  }
};

TEST_F(SeriesOptions, SamplesOfEveryTypeGiveTheBitsOfTheirFloats) {
  constexpr int64_t kSamples = 100;
  v1::OpenSeries open = OpenSeedBlock("s", 32, 16);
  std::vector<int16_t> numbers;
  std::vector<double> doubles;
  std::vector<float> floats;
  for (const float value : Signal(1, kSamples, kSeedChannels)) {
    const auto channel = static_cast<int64_t>(numbers.size()) % kSeedChannels;
    numbers.push_back(static_cast<int16_t>(std::lround(value * 1000)));
    const double scaled = numbers.back() * double{0.001F} + static_cast<double>(channel);
    floats.push_back(static_cast<float>(scaled));
    doubles.push_back(scaled);
  }
  open.add_int16_scale(0.001F);
  for (int channel = 0; channel < kSeedChannels; ++channel) open.add_int16_offset(static_cast<float>(channel));
  v1::SampleChunk as_floats, as_doubles, as_numbers;
  for (v1::SampleChunk* chunk : {&as_floats, &as_doubles, &as_numbers}) chunk->set_series_id("s");
  as_floats.set_fp32_samples(BytesOf(floats));
  as_doubles.set_fp64_samples(doubles.data(), doubles.size() * sizeof(double));
  as_numbers.set_int16_samples(numbers.data(), numbers.size() * sizeof(int16_t));
  const std::vector<std::string> expected = Answers(open, {as_floats});
  ASSERT_THAT(expected, SizeIs((kSamples - 32) / 16 + 1));
  EXPECT_EQ(Answers(open, {as_doubles}), expected);
  EXPECT_EQ(Answers(open, {as_numbers}), expected);
}

TEST_F(SeriesOptions, ValuesThatAreNoSamplesEndTheirSeriesByName) {
  const double values[] = {1, 2, 1e300};
  v1::SampleChunk chunk;
  chunk.set_series_id("s");
  chunk.set_fp64_samples(values, sizeof(values));
  StreamCall call(*client_);
  call.Open(OpenSeedBlock("s", 32, 16));
  EXPECT_TRUE(call.Send(chunk));
  v1::StreamWindowsResponse response;
  ASSERT_TRUE(call.Read(&response));
  ASSERT_TRUE(call.Read(&response));
  EXPECT_THAT(response.error().message(), HasSubstr("the value at index 2 of the chunk is 1e+300"));
  call.HalfClose();
  call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
}

TEST_F(SeriesOptions, AChunkThatIsSentAgainIsPassedOverOrRefused) {
  const std::vector<float> samples = Signal(1, 100, kSeedChannels);
  v1::OpenSeries open = OpenSeedBlock("s", 32, 16);
  const std::vector<std::string> expected = Answers(open, {Part(samples, 0, 100)});
  open.set_repeated_samples(v1::REPEATED_SAMPLES_DROP);
  v1::SeriesClosed closed;
  // The second again, whole; the third begins in the second.
  EXPECT_EQ(Answers(open, {Part(samples, 0, 30), Part(samples, 30, 60), Part(samples, 30, 60), Part(samples, 50, 100)},
                    &closed),
            expected);
  EXPECT_EQ(closed.samples(), 100);
  EXPECT_EQ(closed.repeated_samples(), 30 + 10);

  StreamCall refused(*client_);
  open.set_repeated_samples(v1::REPEATED_SAMPLES_REFUSE);
  refused.Open(open);
  EXPECT_TRUE(refused.Send(Part(samples, 0, 30)));
  EXPECT_TRUE(refused.Send(Part(samples, 20, 60)));
  refused.HalfClose();
  const std::vector<v1::StreamWindowsResponse> responses = refused.ReadAll();
  ASSERT_THAT(responses, SizeIs(2));
  EXPECT_THAT(responses[1].error().message(), HasSubstr("30 is the next; was 20"));
}

TEST_F(SeriesOptions, ACallThatBrokeIsTakenUpAgainWithTheResultsOfOneThatHeld) {
  // Full windows, whose bits do not depend on the ones before; with hop 16 of 256 they are kept up to rounding.
  constexpr int64_t kLength = 64, kHop = 48, kSamples = 2000;
  const std::vector<float> samples = Signal(1, kSamples, kSeedChannels);
  const v1::OpenSeries open = OpenSeedBlock("s", kLength, kHop);
  const std::vector<std::string> expected = Answers(open, {Part(samples, 0, kSamples)});
  ASSERT_THAT(expected, SizeIs((kSamples - kLength) / kHop + 1));

  std::vector<std::string> answers;
  v1::WindowResult last;
  {
    StreamCall call(*client_);
    call.Open(open);
    EXPECT_TRUE(call.Send(Part(samples, 0, 1000)));  // 20 windows
    v1::StreamWindowsResponse response;
    ASSERT_TRUE(call.Read(&response));
    EXPECT_EQ(response.opened().recomputed_share(), 1) << response.opened().overlap();
    while (answers.size() < 7 && call.Read(&response)) {
      last = response.window();
      answers.push_back(last.outputs(0).fp32_values());
    }
    call.Break();
    EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  ASSERT_EQ(last.window_index(), 6);
  v1::OpenSeries again = open;
  again.set_first_sample_index(last.first_sample_index() + kHop);
  again.set_first_window_index(last.window_index() + 1);
  StreamCall call(*client_);
  call.Open(again);
  EXPECT_TRUE(call.Send(Part(samples, again.first_sample_index(), kSamples)));
  call.HalfClose();
  for (const v1::WindowResult& window : WindowsOf(call.ReadAll(), "s")) {
    EXPECT_EQ(window.window_index(), static_cast<int64_t>(answers.size()));
    EXPECT_EQ(window.first_sample_index(), window.window_index() * kHop);
    answers.push_back(window.outputs(0).fp32_values());
  }
  EXPECT_TRUE(call.Finish().ok());
  EXPECT_EQ(answers, expected);
}

TEST_F(SeriesOptions, WhatSeriesHoldIsSaidAndGoesBackToNothing) {
  const auto bytes = [] { return Metric(HttpGet(server_->http_address(), "/metrics").body, kSeriesBytes); };
  ASSERT_TRUE(Until([&] { return bytes() == 0; })) << "an earlier test's call has ended";
  StreamCall call(*client_);
  call.Open(OpenSeedBlock("full", 256, 256));
  call.Open(OpenSeedBlock("keeps", 256, 16));
  call.Open(OpenSeedBlock("fails", 128, 128));
  std::map<std::string, int64_t> said;
  for (int i = 0; i < 3; ++i) {
    v1::StreamWindowsResponse response;
    ASSERT_TRUE(call.Read(&response));
    said[response.opened().series_id()] = response.opened().memory_bytes();
  }
  EXPECT_GT(said["full"], 256 * kSeedChannels * 4);
  EXPECT_GT(said["keeps"], said["full"]);
  EXPECT_EQ(bytes(), static_cast<double>(said["full"] + said["keeps"] + said["fails"]));
  EXPECT_TRUE(call.Chunk("fails", {1.0F}));  // no whole sample
  v1::StreamWindowsResponse response;
  ASSERT_TRUE(call.Read(&response));
  EXPECT_TRUE(response.has_error());
  EXPECT_EQ(bytes(), static_cast<double>(said["full"] + said["keeps"]));
  call.Close("full");
  ASSERT_TRUE(call.Read(&response));
  EXPECT_EQ(bytes(), static_cast<double>(said["keeps"]));
  call.Break();
  call.Finish();
  EXPECT_TRUE(Until([&] { return bytes() == 0; }));
}

TEST_F(SeriesOptions, HundredsOfSeriesShareACall) {
  constexpr int kSeries = 256;
  const std::vector<float> samples = Signal(1, 160, kSeedChannels);
  StreamCall call(*client_);
  std::thread writer([&] {
    for (int i = 0; i < kSeries; ++i) call.Open(OpenSeedBlock(absl::StrCat(i), 128, 16));
    for (int64_t at = 0; at < 160; at += 40) {
      const auto part =
          absl::MakeConstSpan(samples).subspan(static_cast<size_t>(at * kSeedChannels), 40 * kSeedChannels);
      for (int i = 0; i < kSeries; ++i) EXPECT_TRUE(call.Chunk(absl::StrCat(i), part));
    }
    call.HalfClose();
  });
  const std::vector<v1::StreamWindowsResponse> responses = call.ReadAll();
  writer.join();
  EXPECT_TRUE(call.Finish().ok());
  std::map<std::string, int64_t> windows;
  std::map<int64_t, std::set<std::string>> values;
  for (const v1::StreamWindowsResponse& response : responses) {
    ASSERT_FALSE(response.has_error()) << response.error().message();
    if (!response.has_window()) continue;
    EXPECT_EQ(response.window().window_index(), windows[response.window().series_id()]++);
    values[response.window().window_index()].insert(response.window().outputs(0).fp32_values());
  }
  EXPECT_THAT(windows, SizeIs(kSeries));
  for (const auto& [series, count] : windows) EXPECT_EQ(count, 3) << series;
  // The same samples in each, but windows are grouped by chance.
  for (const auto& [index, seen] : values) {
    const std::vector<float> first = FloatsOf(*seen.begin());
    for (const std::string& other : seen) {
      EXPECT_THAT(FloatsOf(other), testing::Pointwise(testing::FloatNear(1e-4F), first)) << "window " << index;
    }
  }
}

// --- outputs with a time axis ---

// y {N,2,T/2} = the even samples above the odd ones; m {N,2,1} = their means.
std::string PairsModel() {
  return test_support::OnnxFile()
      .Input("x", {-1, 1, -1})
      .Weight("w", {2, 1, 2}, {1, 0, 0, 1})
      .Node("Conv", {"x", "w"}, "y", {{"strides", {2}}, {"kernel_shape", {2}}})
      .Node("GlobalAveragePool", {"y"}, "m")
      .Output("y")
      .Output("m")
      .Bytes();
}

class StepOutputs : public testing::Test {
 protected:
  void SetUp() override {
    PutFile(folder_, "pairs/1/model.onnx", PairsModel());
    auto server = test_support::ServerProcess::Start({folder_.RepositoryFlag(), "--workers=1"});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = std::make_unique<Client>(server_->grpc_address());
  }

  static v1::OpenSeries OpenPairs(int64_t window_length, int64_t hop) {
    v1::OpenSeries open;
    open.set_series_id("s");
    open.set_model_name("pairs");
    open.set_window_length(window_length);
    open.set_hop(hop);
    open.set_step_outputs(v1::STEP_OUTPUTS_NEW);
    open.set_partial_window(v1::PARTIAL_WINDOW_ZERO_PAD);
    return open;
  }
  // The counting numbers [first, end).
  static std::vector<float> Counting(int first, int end) {
    std::vector<float> values;
    for (int i = first; i < end; ++i) values.push_back(static_cast<float>(i));
    return values;
  }

  TemporaryFolder folder_;
  std::unique_ptr<test_support::ServerProcess> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(StepOutputs, NewStepsOfAllWindowsAreEachStepOnce) {
  StreamCall call(*client_);
  call.Open(OpenPairs(8, 4));
  EXPECT_TRUE(call.Chunk("s", Counting(0, 21)));
  EXPECT_TRUE(call.Chunk("s", Counting(100, 113), 100));  // behind a gap
  call.HalfClose();
  const std::vector<v1::StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
  const v1::SeriesOpened& opened = responses.at(0).opened();
  ASSERT_EQ(opened.step_outputs_size(), 1) << "m has none";
  EXPECT_EQ(opened.step_outputs(0).name(), "y");
  EXPECT_EQ(opened.step_outputs(0).time_axis(), 1);
  EXPECT_EQ(opened.step_outputs(0).samples_per_step(), 2);
  std::vector<float> even, odd;
  std::vector<int64_t> first_steps;
  for (const v1::WindowResult& window : WindowsOf(responses, "s")) {
    ASSERT_EQ(window.outputs_size(), 2);
    const v1::OutputTensor& steps = window.outputs(0);
    ASSERT_EQ(steps.shape_size(), 2);
    EXPECT_EQ(steps.shape(0), 2);
    first_steps.push_back(steps.first_step());
    const std::vector<float> values = FloatsOf(steps.fp32_values());
    ASSERT_THAT(values, SizeIs(static_cast<size_t>(2 * steps.shape(1))));
    even.insert(even.end(), values.begin(), values.begin() + steps.shape(1));
    odd.insert(odd.end(), values.begin() + steps.shape(1), values.end());
    EXPECT_THAT(FloatsOf(window.outputs(1).fp32_values()), SizeIs(2)) << "an output without steps is whole";
  }
  // Four windows, and sample 20 is lost in the gap; then two windows, and one with a last sample, 112, and padding.
  EXPECT_THAT(first_steps, ElementsAre(0, 2, 2, 2, 0, 2, 2));
  EXPECT_THAT(even, ElementsAre(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 100, 102, 104, 106, 108, 110, 112));
  EXPECT_THAT(odd, ElementsAre(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 101, 103, 105, 107, 109, 111, 0));
}

TEST_F(StepOutputs, OfWindowsThatDoNotOverlapEveryStepIsNew) {
  StreamCall call(*client_);
  v1::OpenSeries open = OpenPairs(4, 6);
  open.add_outputs("y");
  call.Open(open);
  EXPECT_TRUE(call.Chunk("s", Counting(0, 10)));
  call.HalfClose();
  const std::vector<v1::WindowResult> windows = WindowsOf(call.ReadAll(), "s");
  EXPECT_TRUE(call.Finish().ok());
  ASSERT_THAT(windows, SizeIs(2));
  EXPECT_THAT(FloatsOf(windows[0].outputs(0).fp32_values()), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(FloatsOf(windows[1].outputs(0).fp32_values()), ElementsAre(6, 8, 7, 9));
}

TEST_F(StepOutputs, AHopThatCutsAStepIsRefusedWithTheRule) {
  StreamCall call(*client_);
  call.Open(OpenPairs(8, 3));
  call.HalfClose();
  const std::vector<v1::StreamWindowsResponse> responses = call.ReadAll();
  EXPECT_TRUE(call.Finish().ok());
  ASSERT_THAT(responses, SizeIs(1));
  EXPECT_EQ(responses[0].error().code(), static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  EXPECT_THAT(
      responses[0].error().message(),
      HasSubstr("hop must be a multiple of 2, the samples of a step of output 'y', for STEP_OUTPUTS_NEW; was 3"));
}

}  // namespace
}  // namespace stillwave::integration
