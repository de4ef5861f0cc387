#include "client/bench/arrival_schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace stillwave::client::bench {
namespace {

TEST(ArrivalSchedule, ConstantArrivalsAreEquallyFarApartAndDoNotDrift) {
  ArrivalSchedule schedule(Arrivals::kConstant, /*rate=*/3, /*seed=*/1);
  EXPECT_EQ(schedule.Next(), absl::ZeroDuration());
  EXPECT_NEAR(absl::ToDoubleSeconds(schedule.Next()), 1.0 / 3, 1e-9);
  absl::Duration last;
  for (int i = 2; i <= 3'000'000; ++i) last = schedule.Next();
  EXPECT_NEAR(absl::ToDoubleSeconds(last), 1'000'000, 1e-6);
}

TEST(ArrivalSchedule, PhasesInterleaveConstantSchedules) {
  ArrivalSchedule first(Arrivals::kConstant, /*rate=*/10, /*seed=*/1, /*phase=*/0);
  ArrivalSchedule second(Arrivals::kConstant, /*rate=*/10, /*seed=*/1, /*phase=*/0.5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(absl::ToDoubleSeconds(second.Next() - first.Next()), 0.05, 1e-9);
  }
}

// Of a Poisson process: distances are exponential (mean and standard deviation 1/rate), counts in equal times have the
// variance of their mean.
TEST(ArrivalSchedule, PoissonArrivalsHaveThePoissonProcessesMoments) {
  constexpr double kRate = 1000;
  constexpr int kCount = 200'000;
  ArrivalSchedule schedule(Arrivals::kPoisson, kRate, /*seed=*/7);
  double last = 0;
  double sum = 0;
  double squares = 0;
  std::vector<int> per_tenth(kCount / 100 + 100);
  for (int i = 0; i < kCount; ++i) {
    const double at = absl::ToDoubleSeconds(schedule.Next());
    ASSERT_GE(at, last);
    sum += at - last;
    squares += (at - last) * (at - last);
    last = at;
    const auto tenth = static_cast<size_t>(at * 10);
    if (tenth < per_tenth.size()) ++per_tenth[tenth];
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean * kRate, 1, 0.01);
  EXPECT_NEAR(std::sqrt(squares / kCount - mean * mean) * kRate, 1, 0.02);

  const size_t whole = static_cast<size_t>(last * 10);  // the last tenth is not over
  double variance = 0;
  for (size_t i = 0; i < whole; ++i) variance += (per_tenth[i] - 100.0) * (per_tenth[i] - 100.0);
  EXPECT_NEAR(variance / static_cast<double>(whole), 100, 12);
}

TEST(ArrivalSchedule, TheSeedDecidesTheTimes) {
  ArrivalSchedule a(Arrivals::kPoisson, 10, 1);
  ArrivalSchedule same(Arrivals::kPoisson, 10, 1);
  ArrivalSchedule other(Arrivals::kPoisson, 10, 2);
  const absl::Duration first = a.Next();
  EXPECT_EQ(first, same.Next());
  EXPECT_NE(first, other.Next());
}

}  // namespace
}  // namespace stillwave::client::bench
