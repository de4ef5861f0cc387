// What overlapping windows share, for people.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/model/loaded_model.h"
#include "server/overlap/reuse_plan.h"

namespace stillwave::overlap {

// One sentence: "2.9 % is recomputed for each window (8 and 22 of 1024 samples); kept up to GlobalAveragePool 'pool',
// which reads the whole window".
std::string DescribeReuse(const ReusePlan& plan);

// What a window that follows another costs at several hops, or why it costs as much as the first. For the warm-up
// length, or `window_length`, when positive.
absl::StatusOr<std::string> DescribeWindows(const model::LoadedModel& model, int64_t window_length);

}  // namespace stillwave::overlap
