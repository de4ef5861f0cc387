#include "client/bench/open_loop_sender.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace stillwave::client::bench {
namespace {

constexpr Tick kLongestSleep = 50'000'000;  // 50 ms, so that Ctrl-C is seen

// False when the plan is interrupted meanwhile.
bool SleepUntil(Tick tick, const LoadPlan& plan) {
  while (!plan.interrupted()) {
    const Tick now = Now();
    if (now >= tick) return true;
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(tick - now, kLongestSleep)));
  }
  return false;
}

}  // namespace

void SendOnSchedule(ArrivalSchedule schedule, LoadPlan* plan, absl::FunctionRef<bool(Ticket ticket, Tick due)> send) {
  // Linux lets timers be 50 µs late unless it is told otherwise.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  while (true) {
    const Tick due = plan->start() + absl::ToInt64Nanoseconds(schedule.Next());
    if (due >= plan->measure_until() || !SleepUntil(due, *plan)) return;
    const Ticket ticket = plan->Take(due);
    if (ticket == Ticket::kOver || !send(ticket, due)) return;
  }
}

}  // namespace stillwave::client::bench
