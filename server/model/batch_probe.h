// Whether samples of a batch leave each other alone, found out on the compiled plans whatever the graph's form is.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/execution/plan_cache.h"
#include "server/model/model_signature.h"
#include "server/tensor/shape.h"

namespace stillwave::model {

// Runs pseudo-random samples alone and in batches of 2, 4, … up to `max_batch` (a power of two) and compares each row
// with the sample's own answer. Returns the largest batch up to which every row has the same bits; batches that need
// more memory than a plan may have are not tried. FAILED_PRECONDITION, naming the output, when a row differs by more
// than rounding: the network mixes its rows, and a batch would change answers. CANCELLED when `stop_requested` (asked
// before each run; may be empty) says so. This also compiles and warms up the plans.
absl::StatusOr<int64_t> ProbeBatchIndependence(execution::PlanCache& plans, const ModelSignature& signature,
                                               const std::vector<tensor::Shape>& sample_shapes, int64_t max_batch,
                                               const std::function<bool()>& stop_requested);

}  // namespace stillwave::model
