// What `stream` prints while it runs and at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/plot_screen.h"
#include "client/prediction_file.h"
#include "client/progress.h"
#include "client/result_table.h"
#include "client/signal_plot.h"
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
  // Instead of rows. Its windows and its number of samples come from the series.
  std::optional<SignalPlotOptions> plot;
  bool plot_on_terminal = false;  // redrawn in place, with the progress below it; else drawn once, at the end
};

// Rows or the plot go to standard output, progress, warnings and the summary to standard error. Not thread-safe, but
// for OnSamples.
class StreamReport {
 public:
  // `file` gets every window; null: there is none. It must outlive the object.
  StreamReport(StreamReportOptions options, const SeriesOpened& opened, std::optional<int64_t> total_samples,
               PredictionFile* file);

  // Samples that are about to be sent, all channels of a sample together. Any thread, one at a time.
  void OnSamples(absl::Span<const float> samples);
  // Usage error when the labels do not fit the outputs, or there is no class whose changes could be told. Those of the
  // file.
  absl::Status OnWindow(const ResultRow& row);
  void OnGap(const SeriesGap& gap);
  void OnDraining();
  void OnLost(int64_t window, const absl::Status& reason);
  void OnResumed(int64_t window);
  // Redraws the progress when it is time to.
  void Update(int64_t samples_sent, absl::Duration elapsed);
  void End(const StreamSummary& summary);

  int64_t windows() const { return windows_; }
  int64_t gaps() const { return gaps_; }

 private:
  absl::Status CheckFirst(const ResultRow& row) const;
  bool IsChange(const ResultRow& row);
  // For other text on the terminal.
  void MakeWay();

  StreamReportOptions options_;
  std::optional<int64_t> total_samples_;
  std::optional<int64_t> expected_windows_;
  std::optional<ResultTable> table_;
  std::optional<std::string> last_label_;
  int64_t windows_ = 0;
  int64_t gaps_ = 0;
  PredictionFile* const file_;
  std::optional<SignalPlot> plot_;
  PlotScreen screen_;
  ProgressLine progress_;
};

// "501 windows in 1.23 s (407.3 windows/s, 73756 samples/s, 205 × real time), 90720 samples sent (362880 bytes)", and
// what else is worth a word.
std::string SummaryText(const StreamSummary& summary);

}  // namespace stillwave::client
