#include "client/signal_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/text_width.h"
#include "client/trace_canvas.h"

namespace stillwave::client {
namespace {

constexpr int kScaleColumns = 10;        // left of the signal
constexpr int64_t kFollowedWindows = 8;  // that a live plot shows
constexpr char kLetters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr int kColors[] = {36, 33, 35, 32, 31, 34};  // ANSI's cyan, yellow, magenta, green, red, blue

int SignalColumns(const SignalPlotOptions& options) { return std::max(10, options.columns - kScaleColumns); }

int64_t SamplesPerBar(const SignalPlotOptions& options, int bars) {
  const int64_t shown = options.total_samples.value_or(kFollowedWindows * std::max(options.window_length, options.hop));
  return std::max<int64_t>(1, (shown + bars - 1) / bars);
}

std::string ScaleText(absl::string_view text) { return absl::StrFormat("%*s ", kScaleColumns - 1, text); }

}  // namespace

SignalPlot::SignalPlot(SignalPlotOptions options)
    : options_(std::move(options)),
      bars_per_column_(TraceCanvas::BarsPerColumn(options_.utf8)),
      samples_per_bar_(SamplesPerBar(options_, SignalColumns(options_) * bars_per_column_)),
      next_sample_(options_.first_sample) {}

int64_t SignalPlot::ColumnOf(int64_t sample) const {
  return (sample - options_.first_sample) / (samples_per_bar_ * bars_per_column_);
}

void SignalPlot::AddSamples(absl::Span<const float> samples) {
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < samples.size(); i += static_cast<size_t>(options_.channels)) {
    AddSample(next_sample_++, samples[i]);
  }
}

void SignalPlot::AddSample(int64_t sample, float value) {
  const int64_t column = ColumnOf(sample);
  while (first_column_ + static_cast<int64_t>(columns_.size()) <= column) columns_.emplace_back();
  while (static_cast<int>(columns_.size()) > SignalColumns(options_)) {
    columns_.pop_front();
    ++first_column_;
  }
  if (!std::isfinite(value)) return;
  Bar& bar = columns_.back().bars[(sample - options_.first_sample) / samples_per_bar_ % bars_per_column_];
  bar.low = bar.any ? std::min(bar.low, value) : value;
  bar.high = bar.any ? std::max(bar.high, value) : value;
  bar.any = true;
}

void SignalPlot::AddWindow(const SampleRange& window, const std::optional<Prediction>& prediction) {
  absl::MutexLock lock(&mutex_);
  if (!prediction.has_value()) return;
  See(*prediction);
  const int64_t length = window.last - window.first + 1;
  const int64_t shown = std::min(options_.hop, length);
  const int64_t begin = window.first + (length - shown) / 2;
  // What has been scrolled out of sight, or is padding, has no column.
  const int64_t end_column = first_column_ + static_cast<int64_t>(columns_.size());
  for (int64_t column = std::max(ColumnOf(begin), first_column_);
       column <= ColumnOf(begin + shown - 1) && column < end_column; ++column) {
    Column& marked = columns_[static_cast<size_t>(column - first_column_)];
    marked.class_index = prediction->class_index;
    marked.probability = prediction->probability.value_or(-1);
  }
}

void SignalPlot::See(const Prediction& prediction) {
  const auto [found, is_new] = classes_.try_emplace(prediction.class_index);
  if (is_new) {
    found->second.label = EscapeControlCharacters(prediction.label);
    found->second.letter = UnusedLetter(prediction.label);
  }
  ++found->second.windows;
}

// The first letter of the label that no class before it has.
char SignalPlot::UnusedLetter(absl::string_view label) const {
  for (const absl::string_view candidates : {label, absl::string_view(kLetters)}) {
    for (const char c : candidates) {
      const bool used =
          std::any_of(classes_.begin(), classes_.end(), [c](const auto& seen) { return seen.second.letter == c; });
      if (absl::ascii_isgraph(static_cast<unsigned char>(c)) && !used) return c;
    }
  }
  return '?';
}

std::vector<std::string> SignalPlot::Lines() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> lines = {TitleLine()};
  for (std::string& line : SignalLines()) lines.push_back(std::move(line));
  if (classes_.empty()) return lines;
  lines.push_back(ScaleText("class") + ClassLine());
  if (std::any_of(columns_.begin(), columns_.end(), [](const Column& column) { return column.probability >= 0; })) {
    lines.push_back(ScaleText("prob.") + ProbabilityLine());
  }
  lines.push_back(LegendLine());
  return lines;
}

std::string SignalPlot::TitleLine() const {
  const int64_t begin = options_.first_sample + first_column_ * samples_per_bar_ * bars_per_column_;
  std::string range = absl::StrCat("samples ", begin, " .. ", std::max(begin, next_sample_ - 1));
  if (options_.sample_rate_hz > 0) {
    range = absl::StrFormat("%.3f .. %.3f s", static_cast<double>(begin) / options_.sample_rate_hz,
                            static_cast<double>(next_sample_) / options_.sample_rate_hz);
  }
  std::string title = EscapeControlCharacters(options_.title);
  if (options_.channels > 1) absl::StrAppend(&title, ", channel 1 of ", options_.channels);
  // A long path gives way to the range.
  const int room = options_.columns - static_cast<int>(range.size()) - 2;
  if (TextWidth(title) > room) title.clear();
  return title.empty() ? range.substr(0, static_cast<size_t>(options_.columns)) : absl::StrCat(title, "  ", range);
}

std::vector<std::string> SignalPlot::SignalLines() const {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const Column& column : columns_) {
    for (const Bar& bar : column.bars) {
      if (!bar.any) continue;
      low = std::min<double>(low, static_cast<double>(bar.low));
      high = std::max<double>(high, static_cast<double>(bar.high));
    }
  }
  TraceCanvas canvas(SignalColumns(options_), options_.signal_rows, options_.utf8);
  const double height = high > low ? high - low : 1;
  const double base = high > low ? 0 : 0.5;  // a constant signal is a line in the middle
  Bar before;
  for (size_t column = 0; column < columns_.size(); ++column) {
    for (int i = 0; i < bars_per_column_; ++i) {
      const Bar& bar = columns_[column].bars[i];
      if (bar.any) {
        // As far as the bar beside it, so that a steep signal stays one line.
        const float from = before.any ? std::min(bar.low, before.high) : bar.low;
        const float to = before.any ? std::max(bar.high, before.low) : bar.high;
        canvas.Bar(static_cast<int>(column) * bars_per_column_ + i, base + (static_cast<double>(from) - low) / height,
                   base + (static_cast<double>(to) - low) / height);
      }
      before = bar;
    }
  }
  std::vector<std::string> lines = canvas.Lines();
  for (size_t row = 0; row < lines.size(); ++row) {
    const bool top = row == 0;
    const bool known = low <= high && (top || row + 1 == lines.size());
    lines[row] = ScaleText(known ? absl::StrFormat("%.3g", top ? high : low) : "") + lines[row];
    absl::StripTrailingAsciiWhitespace(&lines[row]);
  }
  return lines;
}

std::string SignalPlot::ClassLine() const {
  std::string line;
  for (const Column& column : columns_) {
    const auto seen = classes_.find(column.class_index);
    const char letter = seen == classes_.end() ? ' ' : seen->second.letter;
    line += Colored(column.class_index, absl::string_view(&letter, 1));
  }
  return line;
}

std::string SignalPlot::ProbabilityLine() const {
  std::string line;
  for (const Column& column : columns_) {
    if (column.probability < 0) {
      line += ' ';
    } else if (options_.utf8) {
      line += kBlocks[std::clamp(static_cast<int>(column.probability * 8), 0, 7)];
    } else {
      line += static_cast<char>('0' + std::clamp(static_cast<int>(column.probability * 10), 0, 9));
    }
  }
  return line;
}

std::string SignalPlot::LegendLine() const {
  std::string line;
  int room = options_.columns;
  for (const auto& [index, seen] : classes_) {
    const std::string letter(1, seen.letter);
    const std::string text = absl::StrCat(letter, seen.label == letter ? "" : " ",
                                          seen.label == letter ? "" : seen.label, ": ", seen.windows);
    room -= TextWidth(text) + (line.empty() ? 0 : 3);
    if (room < 0) break;
    absl::StrAppend(&line, line.empty() ? "" : "   ", Colored(index, text));
  }
  return line;
}

std::string SignalPlot::Colored(int64_t class_index, absl::string_view text) const {
  if (!options_.color || class_index < 0) return std::string(text);
  constexpr int64_t kCount = sizeof(kColors) / sizeof(kColors[0]);
  return absl::StrFormat("\x1b[%dm%s\x1b[0m", kColors[class_index % kCount], text);
}

}  // namespace stillwave::client
