// Which fields of inference.ModelConfig this server obeys.
#pragma once

#include "absl/status/status.h"
#include "inference/model_config.pb.h"

namespace stillwave::model {

// UNIMPLEMENTED, naming the field by its path ("instance_group.passive"), for the first one that is set and
// not obeyed: what would change results or speed is refused, never ignored.
absl::Status CheckFieldsAreObeyed(const inference::ModelConfig& config);

}  // namespace stillwave::model
