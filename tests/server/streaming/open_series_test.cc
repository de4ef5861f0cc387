#include "server/streaming/open_series.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/support/status_matchers.h"

namespace stillwave::streaming {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using tensor::DataType;
using tensor::Shape;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

std::vector<size_t> IndicesOf(const std::vector<SeriesInfo::Output>& outputs) {
  std::vector<size_t> indices;
  for (const SeriesInfo::Output& output : outputs) indices.push_back(output.index);
  return indices;
}

// As PuppetRunner, with a step of "doubled" for every four samples.
class PooledShapes final : public model::BatchRunner {
 public:
  absl::Status Run(execution::ExecutionContext&, absl::Span<const tensor::TensorView>,
                   absl::Span<const tensor::MutableTensorView>) const override {
    return absl::UnimplementedError("only shapes are asked for");
  }
  absl::StatusOr<std::vector<Shape>> OutputShapes(absl::Span<const Shape> inputs) const override {
    const Shape& input = inputs[0];
    return std::vector<Shape>{{input[0], 2}, {input[0], input[1], input[2] / 4}};
  }
};

class OpenSeriesTest : public testing::Test {
 protected:
  OpenSeriesTest() : server_(/*channels=*/2) { request_ = Open("a", /*window_length=*/10).open(); }
  absl::StatusOr<SeriesInfo> Resolve() { return ResolveSeries(request_, server_.Source(), limits_); }
  model::TensorSpec& input() { return server_.model().signature.inputs[0]; }

  PuppetServer server_;
  SeriesLimits limits_;
  v1::OpenSeries request_;
};

TEST_F(OpenSeriesTest, TakesWhatTheClientAsksFor) {
  request_.set_hop(4);
  request_.set_layout(v1::SAMPLE_LAYOUT_CHANNELS_FIRST);
  request_.set_partial_window(v1::PARTIAL_WINDOW_ZERO_PAD);
  request_.set_first_sample_index(77);
  request_.set_first_window_index(9);
  request_.set_repeated_samples(v1::REPEATED_SAMPLES_DROP);
  request_.set_step_outputs(v1::STEP_OUTPUTS_NEW);
  request_.add_int16_scale(0.5F);
  request_.add_int16_offset(1);
  request_.add_int16_offset(2);
  request_.set_sample_rate_hz(360);
  request_.add_outputs("doubled");
  const auto series = Resolve();
  ASSERT_THAT(series, IsOk());
  EXPECT_EQ(series->window.length, 10);
  EXPECT_EQ(series->window.hop, 4);
  EXPECT_EQ(series->window.channels, 2);
  EXPECT_EQ(series->window.first_sample_index, 77);
  EXPECT_EQ(series->window.first_window_index, 9);
  EXPECT_TRUE(series->drop_repeated_samples);
  EXPECT_TRUE(series->new_steps_only);
  EXPECT_THAT(series->int16_scaling.scale, ElementsAre(0.5F));
  EXPECT_THAT(series->int16_scaling.offset, ElementsAre(1, 2));
  EXPECT_EQ(series->layout, ChunkLayout::kChannelsFirst);
  EXPECT_TRUE(series->pad_partial_window);
  EXPECT_EQ(series->sample_rate_hz, 360);
  EXPECT_EQ(series->input_shape, Shape({1, 2, 10}));
  EXPECT_THAT(IndicesOf(series->outputs), ElementsAre(1));
}

TEST_F(OpenSeriesTest, WithoutAHopWindowsDoNotOverlapAndAllOutputsAreGiven) {
  const auto series = Resolve();
  ASSERT_THAT(series, IsOk());
  EXPECT_EQ(series->window.hop, 10);
  EXPECT_EQ(series->layout, ChunkLayout::kSamplesFirst);
  EXPECT_THAT(IndicesOf(series->outputs), ElementsAre(0, 1));
}

TEST_F(OpenSeriesTest, TakesTheConfiguredLengthAndHopWhenNoneIsAskedFor) {
  server_.model().window_length = 30;
  server_.model().hop = 6;
  request_.set_window_length(0);
  EXPECT_EQ(Resolve()->window.length, 30);
  EXPECT_EQ(Resolve()->window.hop, 6);
  // A hop is configured for its length only.
  request_.set_window_length(20);
  EXPECT_EQ(Resolve()->window.hop, 20);
}

TEST_F(OpenSeriesTest, AFixedTimeAxisIsTheWindowsLength) {
  input().shape = {-1, 2, 16};
  request_.set_window_length(0);
  EXPECT_EQ(Resolve()->window.length, 16);
  request_.set_window_length(16);
  EXPECT_THAT(Resolve(), IsOk());
  request_.set_window_length(17);
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, AllOf(HasSubstr("window_length must be 16"), HasSubstr("was 17"))));
}

TEST_F(OpenSeriesTest, AnInputWithoutChannelAxisHasOneChannel) {
  input().shape = {-1, -1};
  const auto series = Resolve();
  ASSERT_THAT(series, IsOk());
  EXPECT_EQ(series->window.channels, 1);
  EXPECT_EQ(series->input_shape, Shape({1, 10}));
}

TEST_F(OpenSeriesTest, ALengthThatNobodyGivesIsAskedFor) {
  request_.set_window_length(0);
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("window_length must be given")));
}

TEST_F(OpenSeriesTest, TheModelSourcesErrorsAreTheSeriesErrors) {
  request_.set_model_name("other");
  EXPECT_THAT(Resolve(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("known models: ecg")));
}

TEST_F(OpenSeriesTest, ModelsThatAreNoTimeSeriesModelsAreRefusedWithWhatTheyHave) {
  input().shape = {-1, 3, 224, 224};
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("input 'x' of FP32 [-1,3,224,224]")));
  input().shape = {-1, -1, 10};
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("channel count that is not fixed")));
  input().shape = {-1, 5000, 10};
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("5000 channels, and the limit is 4096")));
  input() = {"x", DataType::kInt64, {-1, 2, -1}};
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("input 'x' of INT64")));
  server_.model().signature.inputs.push_back(input());
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("it has 2 inputs")));
}

TEST_F(OpenSeriesTest, NumbersOutOfRangeAreRefusedByNameRuleAndValue) {
  const auto refused = [&](auto change, const std::string& words) {
    request_ = Open("a", 10).open();
    change(request_);
    EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr(words)));
  };
  refused([](auto& r) { r.set_window_length(-1); }, "window_length must be 0 (the model's) to 16777216; was -1");
  refused([](auto& r) { r.set_window_length((1 << 24) + 1); }, "was 16777217");
  refused([](auto& r) { r.set_hop(-3); }, "hop must be 0 (the window's length) to");
  refused([](auto& r) { r.set_hop(int64_t{1} << 41); }, "was 2199023255552");
  refused([](auto& r) { r.set_first_sample_index(std::numeric_limits<int64_t>::max()); }, "first_sample_index must be");
  refused([](auto& r) { r.set_first_sample_index(std::numeric_limits<int64_t>::min()); }, "first_sample_index must be");
  refused([](auto& r) { r.set_sample_rate_hz(-1); }, "sample_rate_hz must be finite and not negative; was -1");
  refused([](auto& r) { r.set_sample_rate_hz(std::nan("")); }, "sample_rate_hz must be finite");
  refused([](auto& r) { r.set_layout(static_cast<v1::SampleLayout>(9)); }, "layout must be a SampleLayout; was 9");
  refused([](auto& r) { r.set_partial_window(static_cast<v1::PartialWindow>(9)); }, "partial_window must be");
  refused([](auto& r) { r.set_repeated_samples(static_cast<v1::RepeatedSamples>(9)); },
          "repeated_samples must be a RepeatedSamples; was 9");
  refused([](auto& r) { r.set_step_outputs(static_cast<v1::StepOutputs>(-1)); }, "step_outputs must be a StepOutputs");
  refused([](auto& r) { r.set_first_window_index(-1); }, "first_window_index must be 0 to 2305843009213693952; was -1");
  refused([](auto& r) { r.set_first_window_index(std::numeric_limits<int64_t>::max()); }, "first_window_index must be");
  refused([](auto& r) { r.add_int16_scale(std::numeric_limits<float>::infinity()); }, "int16_scale must be finite");
  refused([](auto& r) { r.set_series_id(std::string(257, 'x')); }, "series_id must have at most 256 bytes; was 257");
}

TEST_F(OpenSeriesTest, AWindowOrAnOutputOverTheByteLimitIsRefused) {
  limits_.max_window_bytes = 80;
  EXPECT_THAT(Resolve(), IsOk());
  limits_.max_window_bytes = 79;
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("a window must have at most 79 bytes; was [1,2,10]")));
  // The outputs of a one-sample window are larger than the window.
  input().shape = {-1, 1, -1};
  request_.set_window_length(1);
  limits_.max_window_bytes = 4;
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("an output of a window must have at most 4 bytes; was [1,2]")));
}

TEST_F(OpenSeriesTest, TimeAxesAreFoundByASecondLength) {
  const auto series = Resolve();
  ASSERT_THAT(series, IsOk());
  EXPECT_EQ(series->outputs[0].steps, std::nullopt);
  ASSERT_TRUE(series->outputs[1].steps.has_value());
  EXPECT_EQ(series->outputs[1].steps->axis, 2);
  EXPECT_EQ(series->outputs[1].steps->samples_per_step, 1);
  EXPECT_FALSE(series->new_steps_only);
}

TEST_F(OpenSeriesTest, TimeAxesOfAFixedLengthAreFoundByTheShape) {
  input().shape = {-1, 2, 10};
  const auto series = Resolve();
  ASSERT_THAT(series, IsOk());
  EXPECT_EQ(series->outputs[0].steps, std::nullopt) << "[2]: 2 divides 10, but is rather two classes";
  ASSERT_TRUE(series->outputs[1].steps.has_value());
  EXPECT_EQ(series->outputs[1].steps->axis, 2);
}

TEST_F(OpenSeriesTest, NewStepsWantAHopOfWholeSteps) {
  server_.model().runner = std::make_shared<PooledShapes>();
  request_.set_window_length(16);
  request_.set_hop(6);
  EXPECT_THAT(Resolve(), IsOk());
  request_.set_step_outputs(v1::STEP_OUTPUTS_NEW);
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("hop must be a multiple of 4, the samples of a step of output "
                                                      "'doubled', for STEP_OUTPUTS_NEW; was 6")));
  request_.set_hop(8);
  EXPECT_EQ(Resolve()->outputs[1].steps->samples_per_step, 4);
  request_.set_window_length(18);  // 4.5 steps: the output has no whole ones
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("no time axis")));
}

TEST_F(OpenSeriesTest, NewStepsAreRefusedWhereNothingHasSteps) {
  request_.set_step_outputs(v1::STEP_OUTPUTS_NEW);
  request_.add_outputs("summary");
  EXPECT_THAT(Resolve(),
              StatusIs(kInvalid, HasSubstr("step_outputs must be STEP_OUTPUTS_ALL for a series whose outputs "
                                           "have no time axis; was STEP_OUTPUTS_NEW, with outputs 'summary' "
                                           "[1,2]")));
}

TEST_F(OpenSeriesTest, TheMemoryIsTheWindowTheScalingAndAConstant) {
  request_.add_int16_scale(1);
  request_.add_int16_scale(2);
  EXPECT_EQ(Resolve()->MemoryBytes(), 10 * 2 * 4 + 2 * 4 + kSeriesStateBytes);
}

TEST_F(OpenSeriesTest, ALengthThatTheNetworkCannotTakeIsRefusedAtOpening) {
  server_.runner().RefuseShapes(absl::InvalidArgumentError("node conv1: kernel 39 is wider than 10"));
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, AllOf(HasSubstr("window_length 10 does not suit model 'ecg'"),
                                                  HasSubstr("node conv1"))));
}

TEST_F(OpenSeriesTest, OutputsMustExistBeFp32AndBeNamedOnce) {
  request_.add_outputs("nope");
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("outputs must be of summary, doubled; was 'nope'")));
  request_.clear_outputs();
  request_.add_outputs("summary");
  request_.add_outputs("summary");
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("'summary' twice")));
  request_.clear_outputs();
  server_.model().signature.outputs[0].data_type = DataType::kInt64;
  EXPECT_THAT(Resolve(), StatusIs(kInvalid, HasSubstr("'summary' of INT64")));
  request_.add_outputs("doubled");
  EXPECT_THAT(Resolve(), IsOk());
}

}  // namespace
}  // namespace stillwave::streaming
