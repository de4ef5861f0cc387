// ModelStatistics: counts and durations of models since the server started.
#pragma once

#include "absl/status/status.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/repository/model_repository.h"

namespace stillwave::service {

// The ready versions that the request asks for: one, all of a model (no version), all of all models (no name).
// NOT_FOUND and UNAVAILABLE as ModelRepository::Find; INVALID_ARGUMENT for a version without a name.
absl::Status FillStatistics(const repository::ModelRepository& repository,
                            const inference::ModelStatisticsRequest& request,
                            inference::ModelStatisticsResponse* response);

}  // namespace stillwave::service
