#include "server/streaming/series.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/streaming/sample_chunk.h"
#include "server/streaming/stream_responses.h"
#include "server/tensor/rows.h"

namespace stillwave::streaming {

Series::Series(SeriesInfo info) : info_(std::make_shared<const SeriesInfo>(std::move(info))), window_(info_->window) {}

absl::Status Series::BeginChunk(const v1::SampleChunk& chunk) {
  SW_CHECK(state_ == State::kOpen && chunk_done());
  ASSIGN_OR_RETURN(const ChunkView view, ViewSamples(chunk, *info_));
  const int64_t expected = window_.next_sample();
  const int64_t index = chunk.has_sample_index() ? chunk.sample_index() : expected;
  if (index < expected && !info_->drop_repeated_samples) {
    return absl::InvalidArgumentError(absl::StrCat("sample_index must not go back: ", expected, " is the next; was ",
                                                   index, " (REPEATED_SAMPLES_DROP passes over what came before)"));
  }
  constexpr int64_t kMaxIndex = SlidingWindow::kMaxSampleIndex;
  if (index < -kMaxIndex || index > kMaxIndex - view.samples) {
    return absl::InvalidArgumentError(absl::StrCat("sample_index must be at least ", -kMaxIndex,
                                                   ", and it and the samples after it at most ", kMaxIndex, "; was ",
                                                   index, " and ", view.samples, " samples"));
  }
  if (index > expected) {
    const int64_t discarded = window_.Restart(index);
    slots_.emplace_back(GapResponse(info_->id, expected, index, discarded));
  }
  chunk_ = view;
  chunk_taken_ = index < expected ? std::min(view.samples, expected - index) : 0;
  repeated_samples_ += chunk_taken_;
  return absl::OkStatus();
}

void Series::Feed() { chunk_taken_ += window_.Feed(chunk_, chunk_taken_); }

absl::StatusOr<FormedWindows> Series::FormWindows(int64_t most) {
  const int64_t count = std::min(most, window_.WindowsWith(chunk_.samples - chunk_taken_));
  FormedWindows windows;
  ASSIGN_OR_RETURN(windows.input,
                   tensor::Tensor::Create(tensor::DataType::kFloat32, tensor::WithRows(info_->input_shape, count)));
  windows.first_slot = first_slot_ + pending();
  const auto values = windows.input.mutable_values<float>();
  const size_t row = values.size() / static_cast<size_t>(count);
  while (windows.count() < count) {
    if (!window_.complete()) Feed();
    windows.infos.push_back(window_.Take(values.subspan(windows.infos.size() * row, row)));
    AddSlot();
  }
  return windows;
}

bool Series::HasPartialWindow() const {
  return state_ == State::kOpen && info_->pad_partial_window && window_.uncovered_samples() > 0;
}

absl::StatusOr<FormedWindows> Series::FormPaddedWindow() {
  FormedWindows windows;
  ASSIGN_OR_RETURN(windows.input, tensor::Tensor::Create(tensor::DataType::kFloat32, info_->input_shape));
  padded_partial_samples_ = window_.uncovered_samples();
  windows.infos = {window_.TakePadded(windows.input.mutable_values<float>())};
  windows.first_slot = AddSlot();
  return windows;
}

void Series::Close() {
  SW_CHECK(state_ == State::kOpen && !HasPartialWindow());
  state_ = State::kClosing;
  slots_.emplace_back(
      ClosedResponse(info_->id, {window_.windows(), window_.samples(),
                                 padded_partial_samples_ + window_.uncovered_samples(), repeated_samples_}));
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
