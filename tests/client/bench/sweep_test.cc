#include "client/bench/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/client/exit_matchers.h"

namespace stillwave::client::bench {
namespace {

using testing::AllOf;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr SweepRange kWhole{1, 16384, true};
constexpr SweepRange kReal{0.01, 1e6, false};

TEST(Sweep, ReadsNumbersAndLists) {
  EXPECT_THAT(*ParseSweep("--concurrency", "8", kWhole), ElementsAre(8));
  EXPECT_THAT(*ParseSweep("--concurrency", "4,1,16384", kWhole), ElementsAre(4, 1, 16384));
  EXPECT_THAT(*ParseSweep("--rate", "0.5,1e3", kReal), ElementsAre(0.5, 1000));
}

TEST(Sweep, ReadsProgressions) {
  EXPECT_THAT(*ParseSweep("--concurrency", "1:64:x2", kWhole), ElementsAre(1, 2, 4, 8, 16, 32, 64));
  EXPECT_THAT(*ParseSweep("--concurrency", "1:10:+4", kWhole), ElementsAre(1, 5, 9));
  EXPECT_THAT(*ParseSweep("--rate", "0.1:0.3:+0.1", kReal), ElementsAre(DoubleEq(0.1), DoubleEq(0.2), DoubleEq(0.3)));
  EXPECT_THAT(*ParseSweep("--rate", "100:100:x10", kReal), ElementsAre(100));
}

TEST(Sweep, RoundsWholeNumbersDownAndLeavesOutRepetitions) {
  EXPECT_THAT(*ParseSweep("--concurrency", "1:8:x1.5", kWhole), ElementsAre(1, 2, 3, 5, 7));
}

struct Wrong {
  const char* name;
  const char* text;
  const char* rule;
};

class WrongSweep : public testing::TestWithParam<Wrong> {};

TEST_P(WrongSweep, IsRefusedWithOptionRuleAndText) {
  EXPECT_THAT(ParseSweep("--concurrency", GetParam().text, kWhole),
              FailsWith(ExitCode::kUsage, AllOf(HasSubstr("--concurrency "), HasSubstr(GetParam().rule),
                                                HasSubstr("was '" + std::string(GetParam().text) + "'"))));
}

constexpr char kNumbers[] = "must be whole numbers from 1 to 16384";
constexpr char kForms[] = "FIRST:LAST:xFACTOR";
INSTANTIATE_TEST_SUITE_P(
    All, WrongSweep,
    testing::Values(Wrong{"empty", "", kNumbers}, Wrong{"zero", "0", kNumbers}, Wrong{"negative", "-1", kNumbers},
                    Wrong{"too_large", "16385", kNumbers}, Wrong{"fraction", "1.5", kNumbers},
                    Wrong{"no_number", "ten", kNumbers}, Wrong{"nan", "nan", kNumbers}, Wrong{"inf", "inf", kNumbers},
                    Wrong{"hole", "1,,2", kNumbers}, Wrong{"two_parts", "1:8", kForms},
                    Wrong{"four_parts", "1:8:x2:x2", kForms}, Wrong{"no_operator", "1:8:2", kForms},
                    Wrong{"no_step", "1:8:", kForms}, Wrong{"factor_of_one", "1:8:x1", "factor above 1"},
                    Wrong{"factor_nan", "1:8:xnan", "factor above 1"}, Wrong{"no_factor", "1:8:x", "factor above 1"},
                    Wrong{"step_of_zero", "1:8:+0", "step above 0"},
                    Wrong{"backwards", "8:1:x2", "must not end before"}, Wrong{"bad_last", "1:0:x2", kNumbers},
                    Wrong{"too_many", "1:1000:+1", "at most 100 values"},
                    Wrong{"tiny_step", "1:8:+1e-300", "at most 100 values"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Sweep, RefusesAListThatIsTooLong) {
  std::string text = "1";
  for (int i = 0; i < 100; ++i) text += ",1";
  EXPECT_THAT(ParseSweep("--rate", text, kReal), FailsWith(ExitCode::kUsage, HasSubstr("at most 100 values")));
}

}  // namespace
}  // namespace stillwave::client::bench
