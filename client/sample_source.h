// Where a stream's samples come from: a file that is there as a whole, or lines that arrive while it runs.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/csv_reader.h"
#include "client/interrupt.h"
#include "client/live_input.h"
#include "client/sample_array.h"

namespace stillwave::client {

// Used by one thread at a time.
class SampleSource {
 public:
  virtual ~SampleSource() = default;

  // Values of a sample; at least 1.
  virtual int64_t channels() const = 0;
  // Samples in all, when that is known.
  virtual std::optional<int64_t> total_samples() const = 0;
  // At most `max_samples` samples, samples first, valid until the next call; empty at the end, or when the wait for
  // them was interrupted: then a later call goes on.
  virtual absl::StatusOr<absl::Span<const float>> Next(int64_t max_samples) = 0;

  // Values handed on so far that are NaN or infinite.
  int64_t not_finite() const { return not_finite_; }

 protected:
  // Counts a chunk that Next hands on.
  void CountNotFinite(absl::Span<const float> chunk) {
    for (const float value : chunk) not_finite_ += std::isfinite(value) ? 0 : 1;
  }

 private:
  int64_t not_finite_ = 0;
};

// Samples `from` to `to` (inclusive) of a series {S} or {S, C}.
class ArraySource : public SampleSource {
 public:
  // Usage error when from..to is not inside the series, bad input for arrays of another rank.
  static absl::StatusOr<std::unique_ptr<ArraySource>> Create(SampleArray array, int64_t from,
                                                             std::optional<int64_t> to);

  int64_t channels() const override { return channels_; }
  std::optional<int64_t> total_samples() const override { return end_ - begin_; }
  absl::StatusOr<absl::Span<const float>> Next(int64_t max_samples) override;

 private:
  ArraySource(SampleArray array, int64_t begin, int64_t end);

  SampleArray array_;
  int64_t channels_;
  int64_t begin_;
  int64_t end_;  // behind the last sample
  int64_t next_;
};

// CSV lines from a file descriptor, handed on as soon as they are complete.
class LineSource : public SampleSource {
 public:
  // Waits for the first line of numbers, which says how many columns there are. Bad input when none comes. `interrupt`
  // must outlive the source. REQUIRES: fd is open for reading; it stays the caller's.
  static absl::StatusOr<std::unique_ptr<LineSource>> Create(int fd, absl::string_view name,
                                                            const std::vector<std::string>& columns,
                                                            Interrupt* interrupt);

  int64_t channels() const override { return static_cast<int64_t>(columns_.size()); }
  std::optional<int64_t> total_samples() const override { return std::nullopt; }
  absl::StatusOr<absl::Span<const float>> Next(int64_t max_samples) override;

 private:
  LineSource(int fd, absl::string_view name, Interrupt* interrupt);

  // Takes one read's worth of bytes to the parser; sets ended_ at the end.
  absl::StatusOr<LiveInput::Came> ReadMore();
  void SelectParsedColumns();

  LiveInput input_;
  CsvParser parser_;
  std::string unfinished_line_;
  std::vector<int64_t> columns_;
  std::vector<float> samples_;  // the selected columns of what was read
  size_t taken_ = 0;            // values of samples_ that Next has handed on
  bool ended_ = false;
};

}  // namespace stillwave::client
