// Which layers are to be recalibrated.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/onnx/stored_statistics.h"

namespace stillwave::recalibration {

// Indices into `layers`, ascending; all of them for no name. A name is a layer's or that of one of its nodes.
// OUT_OF_RANGE for a name that is neither, with near ones, or with those that are there.
absl::StatusOr<std::vector<size_t>> ChooseLayers(absl::Span<const onnx_import::StoredStatistics::Layer> layers,
                                                 const std::vector<std::string>& names);

}  // namespace stillwave::recalibration
