// A signal over time as text, with what was predicted for each of its windows below it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "client/prediction.h"
#include "client/result_row.h"

namespace stillwave::client {

struct SignalPlotOptions {
  std::string title;
  int columns = 80;  // of text, in all; at least 20
  int signal_rows = 8;
  bool utf8 = false;   // Braille and blocks, else ASCII
  bool color = false;  // ANSI colors for the classes
  int64_t channels = 1;
  int64_t first_sample = 0;              // index of the first sample that will come
  std::optional<int64_t> total_samples;  // known: all of them fit; else the plot follows the last eight windows
  int64_t window_length = 1;
  int64_t hop = 1;
  double sample_rate_hz = 0;  // 0: samples are counted
};

// Shows the first channel; a column of text has the smallest and the largest of its samples. A window's prediction
// stands below the `hop` samples in its middle, so that windows that overlap stand beside each other. Thread-safe:
// samples and predictions come from two threads.
class SignalPlot {
 public:
  explicit SignalPlot(SignalPlotOptions options);

  // The samples that follow the last ones, all channels of a sample together.
  void AddSamples(absl::Span<const float> samples) ABSL_LOCKS_EXCLUDED(mutex_);
  // `prediction` nothing: the window has no class.
  void AddWindow(const SampleRange& window, const std::optional<Prediction>& prediction) ABSL_LOCKS_EXCLUDED(mutex_);

  // The title, the signal, and when there were classes: a letter and the probability for each column, and what the
  // letters mean with the number of windows. No line is wider than `columns`.
  std::vector<std::string> Lines() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Bar {
    float low = 0;
    float high = 0;
    bool any = false;
  };
  struct Column {
    Bar bars[2];
    int64_t class_index = -1;  // none
    double probability = -1;   // unknown
  };
  struct SeenClass {
    std::string label;
    char letter = '?';
    int64_t windows = 0;
  };

  int64_t ColumnOf(int64_t sample) const;
  void AddSample(int64_t sample, float value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void See(const Prediction& prediction) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  char UnusedLetter(absl::string_view label) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string TitleLine() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::string> SignalLines() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ClassLine() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ProbabilityLine() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string LegendLine() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Colored(int64_t class_index, absl::string_view text) const;

  const SignalPlotOptions options_;
  const int bars_per_column_;
  const int64_t samples_per_bar_;
  mutable absl::Mutex mutex_;
  int64_t next_sample_ ABSL_GUARDED_BY(mutex_);
  int64_t first_column_ ABSL_GUARDED_BY(mutex_) = 0;  // of those that are kept, counted from first_sample
  std::deque<Column> columns_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, SeenClass> classes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::client
