// Into which stages the prefix is cut.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/overlap/local_prefix.h"
#include "server/overlap/reuse_limits.h"
#include "server/overlap/stage.h"

namespace stillwave::overlap {

// Where the prefix can be cut: everything that lies before and is read behind can be kept. From narrow to wide places,
// at most kMaxBoundaries in the order of the nodes; first the beginning, last the end.
inline constexpr size_t kMaxBoundaries = 26;
std::vector<Boundary> FindBoundaries(const LocalPrefix& split);

// The stages for windows that start `hop` samples apart. One to begin with; then the prefix is cut where it saves most
// of the work, as long as that is as much as the limits ask for, and no more is kept. FAILED_PRECONDITION where nothing
// can be kept.
absl::StatusOr<std::vector<Stage>> ChooseStages(const LocalPrefix& split, int64_t hop, const ReuseLimits& limits);

// All of the prefix in one. Errors as ChooseStages.
absl::StatusOr<std::vector<Stage>> OneStage(const LocalPrefix& split, int64_t hop);

// Of windows of these values.
int64_t KeptBytes(const LocalPrefix& split, const std::vector<graph::ValueId>& values);

}  // namespace stillwave::overlap
