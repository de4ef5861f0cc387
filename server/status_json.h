// What the status page shows beside the metrics.
#pragma once

#include <string>

#include "server/repository/model_repository.h"

namespace stillwave {

// {"models": [{"name": …, "version": …, "state": "READY", "reason": …}],
//  "drift": [{"model": …, "version": …, "layers": [{"name": …, "divergence": [a number a channel]}]}]}
//
// The repository's index, refused models and why included; and of each version that has seen enough samples, the drift
// of its normalization layers. Thread-safe.
std::string StatusJson(const repository::ModelRepository& repository);

}  // namespace stillwave
