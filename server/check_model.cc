#include "server/check_model.h"

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/model/demo_model.h"
#include "server/model/loaded_model.h"

namespace stillwave {
namespace {

std::string LayersText(int64_t layers) {
  if (layers == 0) return "no BatchNormalization layer in the file";
  return absl::StrCat(layers, " BatchNormalization layer", layers == 1 ? "" : "s",
                      " on stored statistics that are constant and finite");
}

std::string BatchText(const model::LoadedModel& model) {
  if (model.max_chunk() > 1) {
    return absl::StrCat("a sample's answer has the same bits alone and in batches of up to ", model.max_chunk());
  }
  return absl::StrCat("samples are ", model.batch_form());
}

}  // namespace

absl::StatusOr<std::string> CheckModel(const config::ServerConfig& config) {
  model::LoadOptions options;
  options.max_batch_size = config.max_batch_size;
  options.batch_norm = config.batch_norm;
  options.precision = config.precision;
  options.window_length = config.window_length;
  const std::string name = config.model.empty() ? "demonstration model" : config.model;
  const auto model = config.model.empty() ? model::LoadedModel::LoadFromBytes(model::DemoModelBytes(), options)
                                          : model::LoadedModel::Load(config.model, options);
  if (!model.ok()) return base::Annotate(model.status(), name);
  return absl::StrCat(name, ": nothing in training mode; ", LayersText((*model)->parameter_counts().batch_norm_layers),
                      "; ", BatchText(**model));
}

}  // namespace stillwave
