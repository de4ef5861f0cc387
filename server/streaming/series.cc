#include "server/streaming/series.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/streaming/stream_responses.h"
#include "server/tensor/finite.h"

namespace stillwave::streaming {

Series::Series(SeriesInfo info) : info_(std::make_shared<const SeriesInfo>(std::move(info))), window_(info_->window) {}

ChunkView Series::View(const v1::SampleChunk& chunk) const {
  return {chunk.fp32_samples().data(), chunk_samples_, info_->window.channels, info_->layout};
}

absl::Status Series::BeginChunk(const v1::SampleChunk& chunk) {
  SW_CHECK(state_ == State::kOpen && chunk_done());
  const auto bytes = static_cast<int64_t>(chunk.fp32_samples().size());
  const int64_t sample_bytes = info_->window.channels * static_cast<int64_t>(sizeof(float));
  if (bytes % sample_bytes != 0) {
    return absl::InvalidArgumentError(absl::StrCat("fp32_samples must be a multiple of ", sample_bytes, " bytes (",
                                                   info_->window.channels, " channels of 4); was ", bytes));
  }
  const int64_t samples = bytes / sample_bytes;
  if (const auto at = tensor::FindNonFinite(chunk.fp32_samples().data(), bytes / int64_t{sizeof(float)})) {
    return absl::InvalidArgumentError(
        absl::StrCat("fp32_samples must be finite; the value at index ", *at,
                     " of the chunk is NaN or infinite (leave the samples out: a jump of ", "sample_index is a gap)"));
  }
  const int64_t expected = window_.next_sample();
  const int64_t index = chunk.has_sample_index() ? chunk.sample_index() : expected;
  if (index < expected) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_index must not go back: ", expected, " is the next; was ", index));
  }
  if (index > SlidingWindow::kMaxSampleIndex - samples) {
    return absl::InvalidArgumentError(absl::StrCat("sample_index and the samples after it must be at most ",
                                                   SlidingWindow::kMaxSampleIndex, "; was ", index, " and ", samples,
                                                   " samples"));
  }
  if (index > expected) {
    const int64_t discarded = window_.Restart(index);
    slots_.emplace_back(GapResponse(info_->id, expected, index, discarded));
  }
  chunk_samples_ = samples;
  chunk_taken_ = 0;
  return absl::OkStatus();
}

void Series::Feed(const v1::SampleChunk& chunk) { chunk_taken_ += window_.Feed(View(chunk), chunk_taken_); }

absl::StatusOr<FormedWindow> Series::FormWindow() {
  ASSIGN_OR_RETURN(tensor::Tensor input, tensor::Tensor::Create(tensor::DataType::kFloat32, info_->input_shape));
  const WindowInfo info = window_.Take(input.mutable_values<float>());
  return FormedWindow{info, std::move(input), AddSlot()};
}

bool Series::HasPartialWindow() const {
  return state_ == State::kOpen && info_->pad_partial_window && window_.uncovered_samples() > 0;
}

absl::StatusOr<FormedWindow> Series::FormPaddedWindow() {
  ASSIGN_OR_RETURN(tensor::Tensor input, tensor::Tensor::Create(tensor::DataType::kFloat32, info_->input_shape));
  padded_partial_samples_ = window_.uncovered_samples();
  const WindowInfo info = window_.TakePadded(input.mutable_values<float>());
  return FormedWindow{info, std::move(input), AddSlot()};
}

void Series::Close() {
  SW_CHECK(state_ == State::kOpen && !HasPartialWindow());
  state_ = State::kClosing;
  slots_.emplace_back(ClosedResponse(info_->id, window_.windows(), window_.samples(),
                                     padded_partial_samples_ + window_.uncovered_samples()));
}

int64_t Series::AddSlot() {
  slots_.emplace_back();
  return first_slot_ + pending() - 1;
}

void Series::Fill(int64_t slot, v1::StreamWindowsResponse response) {
  const int64_t position = slot - first_slot_;
  // Dropped, if the series failed at an earlier slot.
  if (position >= 0 && position < pending()) slots_[static_cast<size_t>(position)] = std::move(response);
}

void Series::FailAt(int64_t slot, absl::Status error) {
  const int64_t position = slot - first_slot_;
  if (position < 0 || position >= pending()) return;
  slots_.resize(static_cast<size_t>(position) + 1);
  slots_.back() = ErrorResponse(info_->id, error);
  error_ = std::move(error);
  state_ = State::kFailed;
}

void Series::Fail(absl::Status error) {
  const int64_t slot = AddSlot();
  FailAt(slot, std::move(error));
}

std::optional<v1::StreamWindowsResponse> Series::PopResponse() {
  if (slots_.empty() || !slots_.front().has_value()) return std::nullopt;
  std::optional<v1::StreamWindowsResponse> response = std::move(slots_.front());
  slots_.pop_front();
  ++first_slot_;
  if (slots_.empty() && state_ != State::kOpen) state_ = State::kEnded;
  return response;
}

}  // namespace stillwave::streaming
