#include "client/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/client/exit_matchers.h"

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CsvReader, ReadsOneColumnAsASeriesOfOneChannel) {
  const auto array = ParseCsv("1\n-2.5\n3e2\n", "x.csv");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->shape, ElementsAre(3));
  EXPECT_THAT(array->values, ElementsAre(1, -2.5, 300));
  EXPECT_THAT(array->column_names, IsEmpty());
}

TEST(CsvReader, FindsEverySeparator) {
  for (const char* text :
       {"1,2\n3,4", "1;2\n3;4\n", "1\t2\n3\t4\n", "1 2\n3   4\n", " 1 , 2 \r\n3,4\r\n", "1;2;\n3;4;\n"}) {
    const auto array = ParseCsv(text, "x.csv");
    ASSERT_THAT(array, Succeeds()) << text;
    EXPECT_THAT(array->shape, ElementsAre(2, 2)) << text;
    EXPECT_THAT(array->values, ElementsAre(1, 2, 3, 4)) << text;
  }
}

TEST(CsvReader, TakesAHeaderForNames) {
  const auto array = ParseCsv("\xef\xbb\xbf\"time\", ecg\n0,1\n1,2\n", "x.csv");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->column_names, ElementsAre("time", "ecg"));
  EXPECT_THAT(array->values, ElementsAre(0, 1, 1, 2));
}

TEST(CsvReader, LetsTheNameOfASingleColumnHaveSpaces) {
  const auto array = ParseCsv("lead II (mV)\n0.5\n", "x.csv");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->column_names, ElementsAre("lead II (mV)"));
  EXPECT_THAT(array->shape, ElementsAre(1));
}

TEST(CsvReader, PassesOverCommentsAndEmptyLines) {
  const auto array = ParseCsv("# made by savetxt\n\n1 2\n   \n# and\n3 4\n", "x.csv");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->values, ElementsAre(1, 2, 3, 4));
}

TEST(CsvReader, ReadsQuotedNumbers) {
  const auto array = ParseCsv("\"1.5\",\"2\"\n", "x.csv");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->values, ElementsAre(1.5, 2));
}

TEST(CsvReader, LetsNanAndInfinityThroughAndCountsThem) {
  const auto array = ParseCsv("1\nnan\n-inf\n", "x.csv");
  ASSERT_THAT(array, Succeeds());
  EXPECT_EQ(array->not_finite, 2);
  EXPECT_TRUE(std::isnan(array->values[1]));
}

TEST(CsvReader, NamesFileLineAndColumnOfAWrongValue) {
  EXPECT_THAT(ParseCsv("a,b\n1,2\n\n3,x4\n", "x.csv"),
              FailsWith(ExitCode::kBadInput, HasSubstr("x.csv: line 4, column 2: 'x4' is not a number")));
  EXPECT_THAT(ParseCsv("1,2\n3,\n", "x.csv"), FailsWith(ExitCode::kBadInput, HasSubstr("line 2, column 2")));
  EXPECT_THAT(ParseCsv("1,2,3\n4,,6\n", "x.csv"),
              FailsWith(ExitCode::kBadInput, HasSubstr("line 2, column 2: the value is empty")));
}

TEST(CsvReader, RefusesLinesOfAnotherLength) {
  EXPECT_THAT(ParseCsv("1,2\n3\n", "x.csv"),
              FailsWith(ExitCode::kBadInput, HasSubstr("line 2, column 2: a line must have 2 values as the first one; "
                                                       "has 1")));
  EXPECT_THAT(ParseCsv("1,2\n3,4,5\n", "x.csv"), FailsWith(ExitCode::kBadInput, HasSubstr("line 2, column 3")));
}

TEST(CsvReader, ExplainsDecimalCommas) {
  EXPECT_THAT(
      ParseCsv("1;2\n1,5;2\n", "x.csv"),
      FailsWith(ExitCode::kBadInput, HasSubstr("'1,5' is not a number (decimals are written with a point: 1.5)")));
}

TEST(CsvReader, DoesNotTakeADamagedFirstLineForAHeader) {
  EXPECT_THAT(ParseCsv("1.0,abc\n2,3\n", "x.csv"),
              FailsWith(ExitCode::kBadInput, HasSubstr("line 1, column 2: 'abc' is not a number")));
  EXPECT_THAT(ParseCsv("a,b\nc,d\n1,2\n", "x.csv"), FailsWith(ExitCode::kBadInput, HasSubstr("line 2, column 1")));
}

TEST(CsvReader, RefusesAHeaderOfAnotherLength) {
  EXPECT_THAT(ParseCsv("a,b,c\n1,2\n", "x.csv"),
              FailsWith(ExitCode::kBadInput, HasSubstr("the line has 2 values, the header has 3 names")));
}

TEST(CsvReader, RefusesNumbersThatDoNotFitIntoFp32) {
  EXPECT_THAT(ParseCsv("1e39\n", "x.csv"), FailsWith(ExitCode::kBadInput, HasSubstr("'1e39' does not fit into FP32")));
  EXPECT_THAT(ParseCsv("1e999\n", "x.csv"), FailsWith(ExitCode::kBadInput, HasSubstr("does not fit into FP32")));
}

TEST(CsvReader, RefusesFilesWithoutNumbers) {
  for (const char* text : {"", "\n\n", "a,b\n", "# only words\n"}) {
    EXPECT_THAT(ParseCsv(text, "x.csv"), FailsWith(ExitCode::kBadInput, HasSubstr("x.csv: no line of numbers")))
        << text;
  }
}

TEST(CsvParser, HandsOnWhatCameSinceTheLastTime) {
  CsvParser parser("live");
  ASSERT_THAT(parser.AddLine("1,2"), Succeeds());
  EXPECT_EQ(parser.columns(), 2);
  EXPECT_THAT(parser.TakeValues(), ElementsAre(1, 2));
  EXPECT_THAT(parser.TakeValues(), IsEmpty());
  ASSERT_THAT(parser.AddLine("3,4"), Succeeds());
  EXPECT_THAT(parser.TakeValues(), ElementsAre(3, 4));
}

TEST(CsvParser, RefusesALineWithoutEnd) {
  CsvParser parser("live");
  EXPECT_THAT(parser.AddLine(std::string(2'000'000, '1')),
              FailsWith(ExitCode::kBadInput, HasSubstr("at most 1048576 bytes; was 2000000")));
}

}  // namespace
}  // namespace stillwave::client
