// From a client's SampleChunk to a view of samples that are checked.
#pragma once

#include "absl/status/statusor.h"
#include "server/streaming/chunk_view.h"
#include "server/streaming/open_series.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::streaming {

// Borrows from both. A chunk whose samples are not set has none. INVALID_ARGUMENT naming field, rule and value: bytes
// that are no whole number of samples, or a value that is no finite FP32.
absl::StatusOr<ChunkView> ViewSamples(const v1::SampleChunk& chunk, const SeriesInfo& series);

}  // namespace stillwave::streaming
