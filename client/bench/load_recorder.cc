#include "client/bench/load_recorder.h"

#include <algorithm>

namespace stillwave::client::bench {
namespace {

constexpr Tick kShortestStep = 100'000'000;    // 0.1 s
constexpr Tick kCountedStep = 1'000'000'000;   // when nobody knows how long it takes
constexpr int64_t kMaxTimelineEntries = 3600;  // the last one takes what comes later

Tick TimelineStep(const LoadPlan& plan) {
  if (plan.measure_until() == kNever) return kCountedStep;
  return std::max(kShortestStep, (plan.measure_until() - plan.measure_from()) / (kMaxTimelineEntries / 6));
}

}  // namespace

LoadRecorder::LoadRecorder(const LoadPlan* plan, absl::Duration deadline)
    : plan_(plan), deadline_(deadline), timeline_step_(TimelineStep(*plan)) {}

void LoadRecorder::Sent(const PendingRequest& request) {
  if (request.ticket == Ticket::kMeasured) ++sent_.sent;
}

void LoadRecorder::SentLate(const PendingRequest& request, absl::Duration delay) {
  if (request.ticket == Ticket::kMeasured) sent_.send_delay.Add(delay);
}

void LoadRecorder::NotSent(const PendingRequest& request) {
  if (request.ticket == Ticket::kMeasured) ++sent_.unsent;
}

void LoadRecorder::Answered(const PendingRequest& request, Tick now, absl::StatusCode code,
                            const std::string& message) {
  const bool ok = code == absl::StatusCode::kOk;
  (ok ? ok_so_far_ : errors_so_far_).fetch_add(1, std::memory_order_relaxed);
  const absl::Duration latency = absl::Nanoseconds(now - request.due);
  if (request.ticket == Ticket::kSurplus) return;
  if (now >= plan_->measure_from() && now < plan_->measure_until()) CountInTime(now, ok, latency);
  if (request.ticket != Ticket::kMeasured) return;
  last_answer_ = std::max(last_answer_, now);
  if (ok) {
    received_.latency.Add(latency);
    if (latency > deadline_) ++received_.late;
    return;
  }
  ErrorGroup& group = received_.groups[code];
  if (group.latency.count() == 0) group.message = message;
  group.latency.Add(latency);
}

void LoadRecorder::CountInTime(Tick now, bool ok, absl::Duration latency) {
  const int64_t index = std::min((now - plan_->measure_from()) / timeline_step_, kMaxTimelineEntries - 1);
  if (static_cast<int64_t>(received_.timeline.size()) <= index) {
    received_.timeline.resize(static_cast<size_t>(index + 1));
  }
  TimelineEntry& entry = received_.timeline[static_cast<size_t>(index)];
  ++(ok ? received_.ok_in_time : received_.errors_in_time);
  ++(ok ? entry.ok : entry.errors);
  if (ok) entry.longest = std::max(entry.longest, latency);
}

void LoadRecorder::Abandoned(const PendingRequest& request) {
  if (request.ticket == Ticket::kMeasured) ++received_.abandoned;
}

LoadResult LoadRecorder::Finish() {
  LoadResult result = received_;
  result.Merge(sent_);
  result.timeline_step = absl::Nanoseconds(timeline_step_);
  const bool whole = plan_->measure_until() != kNever && !plan_->interrupted();
  const Tick end = whole ? plan_->measure_until() : std::min(plan_->measure_until(), last_answer_);
  result.measured = absl::Nanoseconds(std::max<Tick>(0, end - plan_->measure_from()));
  return result;
}

}  // namespace stillwave::client::bench
