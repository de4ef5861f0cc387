// What is known of a model's drift, as a message.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/repository/model_repository.h"
#include "server/repository/served_model.h"
#include "stillwave/v1/monitoring.pb.h"

namespace stillwave::service {

// The model of a request, if its drift is watched. NOT_FOUND and UNAVAILABLE as ModelRepository::Find,
// FAILED_PRECONDITION with the reason when it is not watched.
absl::StatusOr<std::shared_ptr<const repository::ServedModel>> FindWatched(
    const repository::ModelRepository& repository, const std::string& name, const std::string& version);

// REQUIRES: `model` is watched.
v1::DriftReport DescribeDrift(const repository::ServedModel& model, bool with_channels);

}  // namespace stillwave::service
