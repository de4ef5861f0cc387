#include "client/raw_source.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

template <typename T>
double LoadRaw(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(value);
}

size_t RawBytes(RawType type) { return type == RawType::kFloat32 ? 4 : type == RawType::kFloat64 ? 8 : 2; }

double RawNumber(RawType type, const char* at) {
  switch (type) {
    case RawType::kFloat32:
      return LoadRaw<float>(at);
    case RawType::kFloat64:
      return LoadRaw<double>(at);
    case RawType::kInt16:
      return LoadRaw<int16_t>(at);
  }
  return 0;
}

}  // namespace

RawSource::RawSource(int fd, absl::string_view name, const RawFormat& format, Interrupt* interrupt)
    : input_(fd, name, interrupt), format_(format) {}

absl::StatusOr<std::unique_ptr<RawSource>> RawSource::Create(int fd, absl::string_view name, const RawFormat& format,
                                                             const std::vector<std::string>& columns,
                                                             Interrupt* interrupt) {
  std::unique_ptr<RawSource> source(new RawSource(fd, name, format, interrupt));
  ASSIGN_OR_RETURN(source->columns_, FindColumns(columns, format.channels, {}));
  return source;
}

absl::StatusOr<absl::Span<const float>> RawSource::Next(int64_t max_samples) {
  if (taken_ == samples_.size()) {
    samples_.clear();
    taken_ = 0;
  }
  while (samples_.empty() && !ended_) {
    ASSIGN_OR_RETURN(const LiveInput::Came came, input_.Read(&bytes_));
    if (came == LiveInput::Came::kInterrupt) return absl::Span<const float>();
    ended_ = came == LiveInput::Came::kEnd;
    RETURN_IF_ERROR(Decode());
    if (ended_ && !bytes_.empty()) {
      return BadInputError(absl::StrCat(input_.name(), ": must end after a whole sample of ", format_.channels,
                                        " channels; ", bytes_.size(), " bytes are left over"));
    }
  }
  const size_t count = std::min(samples_.size() - taken_, static_cast<size_t>(max_samples) * columns_.size());
  const absl::Span<const float> chunk(samples_.data() + taken_, count);
  taken_ += count;
  CountNotFinite(chunk);
  return chunk;
}

absl::Status RawSource::Decode() {
  const size_t value_bytes = RawBytes(format_.type);
  const size_t sample_bytes = value_bytes * static_cast<size_t>(format_.channels);
  const size_t whole = bytes_.size() / sample_bytes;
  for (size_t sample = 0; sample < whole; ++sample) {
    for (const int64_t column : columns_) {
      const size_t at = sample * sample_bytes + static_cast<size_t>(column) * value_bytes;
      const double number = RawNumber(format_.type, bytes_.data() + at) * format_.scale;
      if (std::isfinite(number) && std::abs(number) > static_cast<double>(std::numeric_limits<float>::max())) {
        return BadInputError(absl::StrCat(input_.name(), ": ", number, " does not fit into FP32"));
      }
      samples_.push_back(static_cast<float>(number));
    }
  }
  bytes_.erase(0, whole * sample_bytes);
  return absl::OkStatus();
}

}  // namespace stillwave::client
