#include "client/result_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace stillwave::client {
namespace {

ResultRow Window(int64_t index, SampleRange samples, std::vector<double> values) {
  const int64_t count = static_cast<int64_t>(values.size());
  return {.index = index, .samples = samples, .outputs = {{"y", "FP32", {count}, std::move(values)}}};
}

TEST(ResultTable, ShowsWindowSamplesTimesAndLabel) {
  const ResultRow row = Window(3, {90, 179}, {0.25, 0.75});
  ResultTable table({.labels = {"normal", "pvc"}, .sample_rate_hz = 90}, row);
  EXPECT_EQ(table.HeaderLine(), "window  samples       seconds  label   probability  y\n");
  EXPECT_EQ(table.Line(row), "     3  90..179  1.000..2.000  pvc           0.750  0.25 0.75\n");
}

TEST(ResultTable, LeavesOutWhatIsNotKnown) {
  const ResultRow row{.index = 7, .outputs = {{"y", "FP32", {1, 3}, {1, 2, 3}}}};
  ResultTable table({}, row);
  EXPECT_EQ(table.HeaderLine(), "row  y\n");
  EXPECT_EQ(table.Line(row), "  7  1 2 3\n");
}

TEST(ResultTable, SaysWhenAWindowWasFilledWithZeros) {
  ResultRow row = Window(0, {0, 9}, {1});
  row.padded_samples = 4;
  EXPECT_THAT(ResultTable({}, row).Line(row), testing::EndsWith("1  (4 zeros at the end)\n"));
}

TEST(ResultTable, KeepsALineForWindowsWithoutPrediction) {
  const ResultRow first = Window(0, {0, 9}, {1, 2});
  ResultTable table({}, first);
  EXPECT_EQ(table.HeaderLine(), "window  samples  class  y\n");
  EXPECT_EQ(table.Line(Window(1, {0, 9}, {std::nan(""), 2})), "     1     0..9  -      nan 2\n");
}

TEST(ResultTable, AbbreviatesLongOutputs) {
  EXPECT_EQ(AbbreviateValues({1, 2, 3, 4, 5, 6, 7, 8}), "1 2 3 4 5 6 7 8");
  EXPECT_EQ(AbbreviateValues({1, 2, 3, 4, 5, 6, 7, 8, 9}), "1 2 3 4 … 9 (9 values)");
  EXPECT_EQ(AbbreviateValues({0.123456, -1e10}), "0.1235 -1e+10");
  EXPECT_EQ(AbbreviateValues({}), "");
}

}  // namespace
}  // namespace stillwave::client
