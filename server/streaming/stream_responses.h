// The messages to the client. Pure functions.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/streaming/open_series.h"
#include "server/streaming/sliding_window.h"
#include "server/tensor/tensor.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::streaming {

v1::StreamWindowsResponse OpenedResponse(const SeriesInfo& series);

// `outputs`: all outputs of the model, {N, …} in signature order, of which `row` is the window's.
v1::StreamWindowsResponse WindowResponse(const SeriesInfo& series, const WindowInfo& window,
                                         absl::Span<const tensor::Tensor> outputs, int64_t row = 0);

v1::StreamWindowsResponse GapResponse(absl::string_view series_id, int64_t expected_sample_index,
                                      int64_t received_sample_index, int64_t discarded_samples);

struct SeriesTotals {
  int64_t windows = 0;
  int64_t samples = 0;
  int64_t partial_samples = 0;   // that came after the last whole window
  int64_t repeated_samples = 0;  // passed over; not in `samples`
};
v1::StreamWindowsResponse ClosedResponse(absl::string_view series_id, const SeriesTotals& totals);

// REQUIRES: !error.ok().
v1::StreamWindowsResponse ErrorResponse(absl::string_view series_id, const absl::Status& error);

v1::StreamWindowsResponse DrainingResponse();

}  // namespace stillwave::streaming
