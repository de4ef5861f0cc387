// The runs that a configuration's model_warmup asks for.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "server/model/loaded_model.h"
#include "server/model/model_config.h"

namespace stillwave::model {

// Runs them on the calling thread, in order. INVALID_ARGUMENT, naming warm-up, input, rule and value, when inputs are
// not those of the model; the model's own error when it cannot run them; CANCELLED when `stop_requested` (asked before
// each run; may be empty) said so.
absl::Status WarmUp(const ModelConfig& config, const LoadedModel& model, const std::function<bool()>& stop_requested);

}  // namespace stillwave::model
