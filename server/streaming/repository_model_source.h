// The ModelSource of the real server.
#pragma once

#include "server/repository/model_repository.h"
#include "server/streaming/stream_model.h"

namespace stillwave::streaming {

// `repository` outlives the source.
ModelSource RepositoryModelSource(const repository::ModelRepository* repository);

}  // namespace stillwave::streaming
