// What `stream` prints while it runs and at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/progress.h"
#include "client/result_table.h"
#include "client/stream_summary.h"
#include "client/window_stream.h"

namespace stillwave::client {

struct StreamReportOptions {
  ResultFormat format;
  bool json = false;              // lines of JSON instead of a table
  bool only_changes = false;      // only windows of another class than the one before
  bool show_progress = false;     // on standard error
  bool rows_on_terminal = false;  // the progress has to make way for every row
  bool flush_rows = false;        // somebody watches: do not keep rows in a buffer
};

// Rows go to standard output, progress, warnings and the table's summary to standard error. Not thread-safe.
class StreamReport {
 public:
  StreamReport(StreamReportOptions options, const SeriesOpened& opened, std::optional<int64_t> total_samples);

  // Usage error when the labels do not fit the outputs, or there is no class whose changes could be told.
  absl::Status OnWindow(const ResultRow& row);
  void OnGap(const SeriesGap& gap);
  void OnDraining();
  // Redraws the progress when it is time to.
  void Update(int64_t samples_sent, absl::Duration elapsed);
  void End(const StreamSummary& summary);

  int64_t windows() const { return windows_; }
  int64_t gaps() const { return gaps_; }

 private:
  absl::Status CheckFirst(const ResultRow& row) const;
  bool IsChange(const ResultRow& row);

  StreamReportOptions options_;
  std::optional<int64_t> total_samples_;
  std::optional<int64_t> expected_windows_;
  std::optional<ResultTable> table_;
  std::optional<std::string> last_label_;
  int64_t windows_ = 0;
  int64_t gaps_ = 0;
  ProgressLine progress_;
};

// "501 windows in 1.23 s (407.3 windows/s), 90720 samples sent (362880 bytes)", and what else is worth a word.
std::string SummaryText(const StreamSummary& summary);

}  // namespace stillwave::client
