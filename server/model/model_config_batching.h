// dynamic_batching of config.pbtxt.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "inference/model_config.pb.h"
#include "server/model/batching_options.h"

namespace stillwave::model {

// INVALID_ARGUMENT, naming field, rule and value, for one out of its range or at odds with another. All ranges of
// BatchingOptions hold afterwards.
absl::Status ReadDynamicBatching(const inference::ModelDynamicBatching& file, int64_t max_batch_size,
                                 BatchingOptions* options);

}  // namespace stillwave::model
