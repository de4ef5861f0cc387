#include "client/stream_report.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/exit_code.h"
#include "client/json_output.h"
#include "client/output.h"
#include "client/prediction.h"
#include "client/text_width.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

std::optional<int64_t> ExpectedWindows(const SeriesOpened& opened, std::optional<int64_t> total_samples) {
  if (!total_samples.has_value() || opened.hop <= 0) return std::nullopt;
  if (*total_samples < opened.window_length) return 0;
  return (*total_samples - opened.window_length) / opened.hop + 1;
}

}  // namespace

StreamReport::StreamReport(StreamReportOptions options, const SeriesOpened& opened,
                           std::optional<int64_t> total_samples, PredictionFile* file)
    : options_(std::move(options)),
      total_samples_(total_samples),
      expected_windows_(ExpectedWindows(opened, total_samples)),
      file_(file),
      screen_(options_.plot_on_terminal),
      progress_(options_.show_progress && !options_.plot_on_terminal) {
  if (options_.plot.has_value()) {
    SignalPlotOptions plot = *options_.plot;
    plot.window_length = opened.window_length;
    plot.hop = opened.hop;
    plot.total_samples = total_samples;
    plot_.emplace(std::move(plot));
  }
  if (options_.json) WriteOut(OpenedJson(opened) + "\n");
}

absl::Status StreamReport::OnWindow(const ResultRow& row) {
  if (windows_ == 0) RETURN_IF_ERROR(CheckFirst(row));
  ++windows_;
  if (file_ != nullptr) RETURN_IF_ERROR(file_->Add(row));
  if (plot_.has_value()) {
    plot_->AddWindow(row.samples.value_or(SampleRange{}),
                     Predict(row, options_.format.labels, options_.format.softmax));
    return absl::OkStatus();
  }
  if (options_.only_changes && !IsChange(row)) return absl::OkStatus();
  if (options_.rows_on_terminal) progress_.Clear();
  if (options_.json) {
    WriteOut(WindowJson(row, options_.format) + "\n");
  } else {
    if (!table_.has_value()) {
      table_.emplace(options_.format, row);
      WriteOut(table_->HeaderLine());
    }
    WriteOut(table_->Line(row));
  }
  return options_.flush_rows ? FlushOut() : absl::OkStatus();
}

absl::Status StreamReport::CheckFirst(const ResultRow& row) const {
  RETURN_IF_ERROR(CheckLabels(row, options_.format.labels));
  if (options_.only_changes && !Predict(row, options_.format.labels, options_.format.softmax).has_value()) {
    return UsageError("--changes needs an output with one value for each class; there is none");
  }
  return absl::OkStatus();
}

bool StreamReport::IsChange(const ResultRow& row) {
  const auto prediction = Predict(row, options_.format.labels, options_.format.softmax);
  const std::string label = prediction.has_value() ? prediction->label : "";
  const bool change = last_label_ != label;
  last_label_ = label;
  return change;
}

void StreamReport::OnGap(const SeriesGap& gap) {
  ++gaps_;
  MakeWay();
  if (options_.json) {
    WriteOut(GapJson(gap) + "\n");
  } else {
    Warn(absl::StrCat("gap: sample ", gap.expected_sample, " was expected, ", gap.received_sample, " came; ",
                      gap.discarded_samples, " samples are in no window"));
  }
}

void StreamReport::OnDraining() {
  MakeWay();
  Warn("the server stops: it answers what it has and takes no more samples");
}

void StreamReport::OnLost(int64_t window, const absl::Status& reason) {
  MakeWay();
  Warn(absl::StrCat("the call broke before window ", window, " was answered (", reason.message(), "); trying again"));
}

void StreamReport::OnResumed(int64_t window) {
  MakeWay();
  Warn(absl::StrCat("the series goes on with window ", window));
}

void StreamReport::OnSamples(absl::Span<const float> samples) {
  if (plot_.has_value()) plot_->AddSamples(samples);
}

void StreamReport::MakeWay() {
  progress_.Clear();
  screen_.Release();
}

void StreamReport::Update(int64_t samples_sent, absl::Duration elapsed) {
  const absl::Time now = absl::Now();
  Progress progress{samples_sent, total_samples_, windows_, expected_windows_, elapsed, options_.format.sample_rate_hz};
  progress_.Draw(progress, now);
  if (!plot_.has_value() || !screen_.IsDue(now)) return;
  std::vector<std::string> lines = plot_->Lines();
  // How far it is, the plot itself shows.
  progress.total_samples.reset();
  std::string status = ProgressText(progress);
  if (TextWidth(status) <= options_.plot->columns) lines.push_back(std::move(status));
  screen_.Draw(lines, now);
  std::fflush(stdout);
}

void StreamReport::End(const StreamSummary& summary) {
  progress_.Clear();
  if (plot_.has_value()) screen_.Draw(plot_->Lines(), absl::Now());
  if (options_.json) {
    WriteOut(SummaryJson(summary) + "\n");
    return;
  }
  std::fflush(stdout);  // the rows come before their summary where both go to one place
  std::fprintf(stderr, "%s\n", SummaryText(summary).c_str());
}

std::string SummaryText(const StreamSummary& summary) {
  std::string text = absl::StrFormat("%d windows in %.2f s (%.1f windows/s, %.0f samples/s", summary.windows,
                                     absl::ToDoubleSeconds(summary.elapsed), summary.windows_per_second(),
                                     summary.samples_per_second());
  if (summary.sample_rate_hz > 0) absl::StrAppendFormat(&text, ", %.3g × real time", summary.real_time_factor());
  absl::StrAppendFormat(&text, "), %d samples sent (%d bytes)", summary.samples_sent, summary.bytes_sent);
  if (summary.gaps > 0) absl::StrAppend(&text, ", ", summary.gaps, " gaps");
  if (summary.partial_samples > 0)
    absl::StrAppend(&text, ", ", summary.partial_samples, " samples at the end did not fill a window");
  if (summary.resumed > 0)
    absl::StrAppend(&text, ", resumed ", summary.resumed, summary.resumed == 1 ? " time" : " times");
  if (summary.interrupted) absl::StrAppend(&text, ", interrupted");
  return text;
}

}  // namespace stillwave::client
