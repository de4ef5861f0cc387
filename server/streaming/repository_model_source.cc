#include "server/streaming/repository_model_source.h"

#include <memory>

#include "server/base/status_macros.h"

namespace stillwave::streaming {

ModelSource RepositoryModelSource(const repository::ModelRepository* repository) {
  return [repository](absl::string_view name, absl::string_view version) -> absl::StatusOr<StreamModel> {
    ASSIGN_OR_RETURN(const std::shared_ptr<const repository::ServedModel> served, repository->Find(name, version));
    StreamModel model;
    model.name = served->name();
    model.version = served->version();
    model.signature = served->signature();
    model.window_length = served->window_length();
    model.hop = served->hop();
    model.runner = served->model();
    model.queue = served->queue();
    model.overlap = served->overlap();
    model.metrics = &served->metrics();
    return model;
  };
}

}  // namespace stillwave::streaming
