#include "server/repository/served_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace stillwave::repository {

ServedModel::ServedModel(model::ModelConfig config, int64_t version, model::ModelSignature signature,
                         std::shared_ptr<const model::LoadedModel> model,
                         std::shared_ptr<const overlap::OverlapRunner> overlap,
                         std::shared_ptr<batching::ModelQueue> queue, std::shared_ptr<drift::DriftWatch> drift,
                         const metrics::ModelMetrics* metrics)
    : config_(std::move(config)),
      version_(version),
      version_text_(absl::StrCat(version)),
      signature_(std::move(signature)),
      model_(std::move(model)),
      overlap_(std::move(overlap)),
      queue_(std::move(queue)),
      drift_(std::move(drift)),
      metrics_(metrics) {}

int64_t ServedModel::window_length() const {
  if (config_.window_length > 0) return config_.window_length;
  return std::max<int64_t>(0, model_->fixed_window_length());
}

}  // namespace stillwave::repository
