// Samples as plain bytes, as recording programs write them into a pipe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/live_input.h"
#include "client/sample_source.h"

namespace stillwave::client {

enum class RawType { kFloat32, kFloat64, kInt16 };

struct RawFormat {
  RawType type = RawType::kFloat32;  // little-endian
  int64_t channels = 1;              // all channels of a sample together
  double scale = 1;                  // what a number is multiplied by
};

// Samples from a file descriptor, handed on as soon as they are complete.
class RawSource : public SampleSource {
 public:
  // `columns`: channels to keep, as of FindColumns; usage error for one that is not there. `interrupt` must outlive the
  // source. REQUIRES: fd is open for reading; it stays the caller's. format.channels > 0.
  static absl::StatusOr<std::unique_ptr<RawSource>> Create(int fd, absl::string_view name, const RawFormat& format,
                                                           const std::vector<std::string>& columns,
                                                           Interrupt* interrupt);

  int64_t channels() const override { return static_cast<int64_t>(columns_.size()); }
  std::optional<int64_t> total_samples() const override { return std::nullopt; }
  // Bad input when the bytes end inside a sample, or for a finite number that does not fit into FP32.
  absl::StatusOr<absl::Span<const float>> Next(int64_t max_samples) override;

 private:
  RawSource(int fd, absl::string_view name, const RawFormat& format, Interrupt* interrupt);

  // Turns the whole samples among the bytes that came into numbers.
  absl::Status Decode();

  LiveInput input_;
  const RawFormat format_;
  std::vector<int64_t> columns_;
  std::string bytes_;
  std::vector<float> samples_;  // the selected channels of what was read
  size_t taken_ = 0;            // values of samples_ that Next has handed on
  bool ended_ = false;
};

}  // namespace stillwave::client
