#include "client/signal_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "client/terminal.h"
#include "client/text_width.h"

namespace stillwave::client {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::ResultOf;

Prediction Class(int64_t index, const std::string& label, double probability) {
  return {.class_index = index, .label = label, .probability = probability};
}

// 10 columns for the scale, 10 for 20 samples.
SignalPlotOptions Small() {
  return {.title = "x.npy", .columns = 20, .signal_rows = 2, .total_samples = 20, .window_length = 4, .hop = 4};
}

TEST(SignalPlot, ShowsTheSignalAndWhatWasPredicted) {
  SignalPlot plot(Small());
  std::vector<float> samples(20, 0.0F);
  samples[9] = 3;
  plot.AddSamples(samples);
  for (int64_t window = 0; window < 5; ++window) {
    plot.AddWindow({window * 4, window * 4 + 3},
                   window == 2 ? Class(1, "ventricular", 0.75) : Class(0, "normal", 0.99));
  }
  EXPECT_THAT(plot.Lines(), ElementsAre("samples 0 .. 19",  //
                                        "        3     |",  //
                                        "        0 ....|.....",
                                        "    class nnnnvvnnnn",  //
                                        "    prob. 9999779999",  //
                                        "n normal: 4"));
}

TEST(SignalPlot, StandsEveryWindowBelowItsMiddle) {
  SignalPlotOptions options = Small();
  options.window_length = 12;
  options.hop = 4;
  SignalPlot plot(options);
  plot.AddSamples(std::vector<float>(20, 1.0F));
  plot.AddWindow({0, 11}, Class(0, "a", 1));
  plot.AddWindow({4, 15}, Class(1, "b", 1));
  plot.AddWindow({8, 19}, Class(0, "a", 1));
  EXPECT_THAT(plot.Lines()[3], "    class   aabbaa  ");
}

TEST(SignalPlot, GivesEachClassALetterOfItsOwn) {
  SignalPlotOptions options = Small();
  options.columns = 80;
  SignalPlot plot(options);
  plot.AddSamples(std::vector<float>(20, 1.0F));
  plot.AddWindow({0, 3}, Class(0, "normal", 1));
  plot.AddWindow({4, 7}, Class(1, "no beat", 1));
  plot.AddWindow({8, 11}, Class(2, "n", 1));
  EXPECT_THAT(plot.Lines().back(), HasSubstr("n normal: 1   o no beat: 1   0 n: 1"));
}

TEST(SignalPlot, FollowsASignalWithoutAnEnd) {
  SignalPlotOptions options = Small();
  options.total_samples.reset();  // the last 8 windows of 4 in 10 columns: 4 samples a column
  SignalPlot plot(options);
  for (float value = 0; value < 100; ++value) plot.AddSamples({value});
  const std::vector<std::string> lines = plot.Lines();
  EXPECT_EQ(lines[0], "samples 60 .. 99");
  EXPECT_THAT(lines[1], HasSubstr("99"));
  EXPECT_THAT(lines[2], HasSubstr("60"));
  plot.AddWindow({0, 3}, Class(0, "gone", 1));
  EXPECT_THAT(plot.Lines()[3], Not(HasSubstr("g")));
}

TEST(SignalPlot, NoLineIsWiderThanTheTerminal) {
  SignalPlotOptions options = Small();
  options.title = std::string(200, 'x');
  options.utf8 = true;
  options.channels = 2;
  options.sample_rate_hz = 10;
  SignalPlot plot(options);
  plot.AddSamples(std::vector<float>(40, 1.0F));
  plot.AddWindow({0, 3}, Class(0, std::string(100, 'y'), 0.5));
  EXPECT_THAT(plot.Lines(), Each(ResultOf([](const std::string& line) { return TextWidth(line); }, testing::Le(20))));
}

TEST(SignalPlot, StandsNanAndAConstantSignal) {
  SignalPlot plot(Small());
  plot.AddSamples({1.0F, std::numeric_limits<float>::quiet_NaN(), 1.0F});
  EXPECT_THAT(plot.Lines(), AllOf(testing::SizeIs(3), testing::Contains(HasSubstr("1 "))));
  EXPECT_THAT(SignalPlot(Small()).Lines(), testing::SizeIs(3));
}

TEST(SignalPlot, ColorsTheClassesOnRequestOnly) {
  for (const bool color : {false, true}) {
    SignalPlotOptions options = Small();
    options.color = color;
    SignalPlot plot(options);
    plot.AddSamples(std::vector<float>(20, 1.0F));
    plot.AddWindow({0, 3}, Class(0, "a", 1));
    EXPECT_EQ(plot.Lines()[3].find('\x1b') != std::string::npos, color);
  }
}

TEST(Terminal, FindsUtf8InALocalesName) {
  EXPECT_TRUE(NamesUtf8("de_DE.UTF-8"));
  EXPECT_TRUE(NamesUtf8("C.utf8"));
  EXPECT_FALSE(NamesUtf8("C"));
  EXPECT_FALSE(NamesUtf8("de_DE.ISO-8859-1"));
}

}  // namespace
}  // namespace stillwave::client
