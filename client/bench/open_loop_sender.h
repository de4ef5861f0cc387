// The thread that sends the requests of an open loop when they are due.
#pragma once

#include "absl/functional/function_ref.h"
#include "client/bench/arrival_schedule.h"
#include "client/bench/load_plan.h"

namespace stillwave::client::bench {

// Calls `send` for every arrival of the schedule at its time, or as soon after it as the previous call has returned;
// returns when the plan is over or `send` says false. A late request keeps the time at which it was due, so that a slow
// server cannot slow down the measurement of its slowness.
void SendOnSchedule(ArrivalSchedule schedule, LoadPlan* plan, absl::FunctionRef<bool(Ticket ticket, Tick due)> send);

}  // namespace stillwave::client::bench
