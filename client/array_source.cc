#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/sample_source.h"

namespace stillwave::client {

absl::StatusOr<std::unique_ptr<ArraySource>> ArraySource::Create(SampleArray array, int64_t from,
                                                                 std::optional<int64_t> to) {
  if (array.shape.size() > 2) {
    return BadInputError(
        absl::StrCat(array.source, ": a series is [samples] or [samples, channels]; was ", ShapeText(array.shape)));
  }
  const int64_t last = array.shape[0] - 1;
  if (from < 0 || from > last) {
    return UsageError(absl::StrCat("--from must be a sample from 0 to ", last, "; was ", from));
  }
  if (to.has_value() && (*to < from || *to > last)) {
    return UsageError(absl::StrCat("--to must be a sample from ", from, " to ", last, "; was ", *to));
  }
  return std::unique_ptr<ArraySource>(new ArraySource(std::move(array), from, to.value_or(last) + 1));
}

ArraySource::ArraySource(SampleArray array, int64_t begin, int64_t end)
    : array_(std::move(array)),
      channels_(array_.shape.size() == 1 ? 1 : array_.shape[1]),
      begin_(begin),
      end_(end),
      next_(begin) {}

absl::StatusOr<absl::Span<const float>> ArraySource::Next(int64_t max_samples) {
  const int64_t count = std::min(max_samples, end_ - next_);
  const absl::Span<const float> chunk(array_.values.data() + next_ * channels_, static_cast<size_t>(count * channels_));
  next_ += count;
  CountNotFinite(chunk);
  return chunk;
}

}  // namespace stillwave::client
