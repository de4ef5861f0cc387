// What the status page shows beside the metrics.
#pragma once

#include <string>
#include <vector>

#include "server/repository/model_table.h"

namespace stillwave {

// {"models": [{"name": …, "version": …, "state": "READY", "reason": …}]}: the repository's index, refused models and
// why included.
std::string StatusJson(const std::vector<repository::IndexEntry>& index);

}  // namespace stillwave
