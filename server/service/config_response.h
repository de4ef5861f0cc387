// ModelConfig: what holds for a model that is served, in the protocol's words.
#pragma once

#include "inference/model_config.pb.h"
#include "server/repository/served_model.h"

namespace stillwave::service {

// As config.pbtxt would say it, with every default filled in: written to such a file, it means the same. `workers` is
// how many batches run at the same time where the configuration sets no limit.
inference::ModelConfig DescribeConfig(const repository::ServedModel& model, int workers);

}  // namespace stillwave::service
