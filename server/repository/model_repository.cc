#include "server/repository/model_repository.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"

namespace stillwave::repository {
namespace {

using base::Log;
using base::LogLevel;

constexpr std::streamoff kMaxConfigBytes = 1 << 20;
constexpr size_t kMaxNamesShown = 20;
constexpr size_t kMaxNameShown = 128;  // of a name that a client sent: it comes back in a header

absl::StatusOr<std::string> ReadConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return absl::UnavailableError(absl::StrCat("'", path, "' cannot be read"));
  const std::streamoff size = file.tellg();
  if (size > kMaxConfigBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a config.pbtxt must have at most ", kMaxConfigBytes, " bytes; was ", size));
  }
  file.seekg(0);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

model::ModelConfig Named(model::ModelConfig config, absl::string_view name) {
  config.name = absl::StrCat(name);
  return config;
}

absl::StatusOr<model::ModelConfig> ConfigOf(const ModelCandidate& candidate, const model::ModelConfig& defaults) {
  if (candidate.config_file.empty()) return Named(defaults, candidate.name);
  ASSIGN_OR_RETURN(const std::string text, ReadConfig(candidate.config_file));
  absl::StatusOr<model::ModelConfig> config = model::ParseModelConfig(text, candidate.name, defaults);
  if (!config.ok()) return base::Annotate(config.status(), "config.pbtxt");
  return config;
}

absl::string_view BatchNormLabel(const model::LoadedModel& model) {
  if (model.options().batch_norm == model::BatchNormMode::kFolded) return "folded";
  return model.batch_norm_layers() > 0 ? "primitive" : "none";
}

std::vector<tensor::DataType> OutputTypes(const model::ModelSignature& signature) {
  std::vector<tensor::DataType> types;
  for (const model::TensorSpec& output : signature.outputs) types.push_back(output.data_type);
  return types;
}

absl::string_view Shown(absl::string_view name) { return name.substr(0, kMaxNameShown); }

// "a, b, c", cut after kMaxNamesShown; "none" for nothing.
template <typename Map>
std::string Keys(const Map& map) {
  if (map.empty()) return "none";
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) {
    if (keys.size() == kMaxNamesShown) {
      keys.push_back(absl::StrCat("and ", map.size() - kMaxNamesShown, " more"));
      break;
    }
    keys.push_back(absl::StrCat(key));
  }
  return absl::StrJoin(keys, ", ");
}

}  // namespace

ModelRepository::ModelRepository(batching::BatchScheduler* scheduler, metrics::ServerMetrics* metrics,
                                 model::ModelConfig defaults)
    : scheduler_(scheduler), metrics_(metrics), defaults_(std::move(defaults)) {}

absl::Status ModelRepository::LoadAll(const std::string& folder, const std::function<bool()>& stop_requested) {
  ASSIGN_OR_RETURN(const RepositoryScan scan, ScanRepository(folder));
  for (const std::string& note : scan.ignored)
    Log(LogLevel::kWarning, "passed over in the model repository", {{"what", note}});
  {
    // Known from now on: who asks for one whose turn has not come is told to wait, not that it is unknown.
    const absl::MutexLock lock(&mutex_);
    for (const ModelCandidate& candidate : scan.models)
      models_[candidate.name].reason = "its turn to be loaded has not come";
  }
  for (const ModelCandidate& candidate : scan.models) {
    if (stop_requested && stop_requested()) break;
    LoadCandidate(candidate);
  }
  return absl::OkStatus();
}

void ModelRepository::LoadCandidate(const ModelCandidate& candidate) {
  const absl::StatusOr<model::ModelConfig> config = ConfigOf(candidate, defaults_);
  if (!config.ok()) return SetRefused(candidate.name, absl::StrCat(config.status().message()));
  if (candidate.versions.empty()) {
    return SetRefused(candidate.name, "the model's folder has no version: <number>/model.onnx is expected");
  }
  std::vector<int64_t> present;
  for (const VersionCandidate& version : candidate.versions) present.push_back(version.version);
  const VersionActions actions = DecideVersions(config->version_policy, /*known=*/{}, present);
  for (const int64_t number : actions.missing) {
    SetVersion(candidate.name, number,
               {VersionState::kUnavailable, "version_policy names this version, and its folder is not there", nullptr});
  }
  for (const VersionCandidate& version : candidate.versions) {
    if (!std::binary_search(actions.load.begin(), actions.load.end(), version.version)) continue;
    // The outcome is in the index.
    (void)LoadVersion(*config, version.version, [&](const model::LoadOptions& options) {
      return model::LoadedModel::Load(version.model_file, options);
    });
  }
}

absl::Status ModelRepository::LoadFile(absl::string_view name, const std::string& model_file) {
  return LoadVersion(Named(defaults_, name), /*version=*/1,
                     [&](const model::LoadOptions& options) { return model::LoadedModel::Load(model_file, options); });
}

absl::Status ModelRepository::LoadBytes(const model::ModelConfig& config, absl::string_view model_bytes) {
  return LoadVersion(config, /*version=*/1, [&](const model::LoadOptions& options) {
    return model::LoadedModel::LoadFromBytes(model_bytes, options);
  });
}

absl::Status ModelRepository::LoadVersion(const model::ModelConfig& config, int64_t version, Loader loader) {
  SetVersion(config.name, version, {VersionState::kLoading, "", nullptr});
  const metrics::ModelMetrics& metrics = metrics_->ForModel(config.name, absl::StrCat(version));
  const absl::Time start = absl::Now();
  absl::StatusOr<std::shared_ptr<const ServedModel>> served = Serve(config, version, loader);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  metrics.load_duration->Set(seconds);
  metrics.ready->Set(served.ok() ? 1 : 0);
  if (!served.ok()) {
    const std::string reason = absl::StrCat(served.status().message());
    Log(LogLevel::kError, "model refused", {{"model", config.name}, {"version", version}, {"reason", reason}});
    SetVersion(config.name, version, {VersionState::kUnavailable, reason, nullptr});
    return served.status();
  }
  const model::LoadedModel& model = *(*served)->model();
  metrics_->SetModelInfo(config.name, (*served)->version(), model.sha256(), Name(model.options().precision),
                         BatchNormLabel(model));
  Log(LogLevel::kInfo, "model ready",
      {{"model", config.name},
       {"version", version},
       {"seconds", seconds},
       {"max_batch_size", config.max_batch_size},
       {"batch", model.batch_form()},
       {"batchnorm", BatchNormLabel(model)},
       {"precision", Name(model.options().precision)},
       {"batchnorm_layers_to_watch", model.batch_norm_layers()}});
  SetVersion(config.name, version, {VersionState::kReady, "", *std::move(served)});
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ModelRepository::Serve(const model::ModelConfig& config,
                                                                          int64_t version, Loader loader) {
  const metrics::ModelMetrics* metrics = &metrics_->ForModel(config.name, absl::StrCat(version));
  model::LoadOptions load_options = ToLoadOptions(config);
  load_options.plan_compiled = [compile_duration = metrics->plan_compile_duration](absl::Duration duration) {
    compile_duration->Observe(absl::ToDoubleSeconds(duration));
  };
  ASSIGN_OR_RETURN(LoadedModelPtr model, loader(load_options));
  ASSIGN_OR_RETURN(model::ModelSignature signature, ApplyToSignature(config, model->signature()));
  batching::ModelQueueOptions options;
  options.name = config.name;
  options.max_batch_size = config.max_batch_size;
  options.max_queue_samples = config.max_queue_samples;
  options.max_running_batches = config.max_running_batches;
  options.output_types = OutputTypes(signature);
  ASSIGN_OR_RETURN(std::shared_ptr<batching::ModelQueue> queue,
                   scheduler_->AddModel(model, std::move(options), metrics));
  return std::make_shared<const ServedModel>(config, version, std::move(signature), std::move(model), std::move(queue),
                                             metrics);
}

void ModelRepository::SetVersion(const std::string& name, int64_t number, Version version) {
  absl::MutexLock lock(&mutex_);
  Model& model = models_[name];
  model.reason.clear();
  model.versions[number] = std::move(version);
}

void ModelRepository::SetRefused(const std::string& name, std::string reason) {
  Log(LogLevel::kError, "model refused", {{"model", name}, {"reason", reason}});
  absl::MutexLock lock(&mutex_);
  models_[name].reason = std::move(reason);
}

void ModelRepository::FinishStart() {
  absl::MutexLock lock(&mutex_);
  started_ = true;
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ModelRepository::Find(absl::string_view name,
                                                                         absl::string_view version) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) {
    return absl::NotFoundError(absl::StrCat("model '", Shown(name), "' is not known; known models: ", Keys(models_)));
  }
  return version.empty() ? FindNewest(name, it->second) : FindVersion(name, it->second, version);
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ModelRepository::FindNewest(absl::string_view name,
                                                                               const Model& model) {
  for (auto it = model.versions.rbegin(); it != model.versions.rend(); ++it) {
    if (it->second.state == VersionState::kReady) return it->second.served;
  }
  if (model.versions.empty()) {
    return absl::UnavailableError(absl::StrCat("model '", name, "' is not ready: ", model.reason));
  }
  const auto& [number, newest] = *model.versions.rbegin();
  return NotReady(name, absl::StrCat(number), newest);
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ModelRepository::FindVersion(absl::string_view name,
                                                                                const Model& model,
                                                                                absl::string_view version) {
  const auto it = std::find_if(model.versions.begin(), model.versions.end(),
                               [&](const auto& entry) { return absl::StrCat(entry.first) == version; });
  if (it == model.versions.end()) {
    return absl::NotFoundError(absl::StrCat("model '", name, "' has no version '", Shown(version),
                                            "'; known versions: ", Keys(model.versions)));
  }
  if (it->second.state != VersionState::kReady) return NotReady(name, version, it->second);
  return it->second.served;
}

absl::Status ModelRepository::NotReady(absl::string_view name, absl::string_view number, const Version& version) {
  return absl::UnavailableError(
      absl::StrCat("model '", name, "' version ", number,
                   " is not ready: ", version.state == VersionState::kLoading ? "it is being loaded" : version.reason));
}

std::vector<IndexEntry> ModelRepository::Index() const {
  std::vector<IndexEntry> index;
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, model] : models_) {
    if (model.versions.empty()) index.push_back({name, "", VersionState::kUnavailable, model.reason});
    for (const auto& [number, version] : model.versions) {
      index.push_back({name, absl::StrCat(number), version.state, version.reason});
    }
  }
  return index;
}

std::vector<std::string> ModelRepository::ReadyVersions(absl::string_view name) const {
  std::vector<std::string> versions;
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return versions;
  for (const auto& [number, version] : it->second.versions) {
    if (version.state == VersionState::kReady) versions.push_back(absl::StrCat(number));
  }
  return versions;
}

absl::Status ModelRepository::Readiness(bool strict) const {
  {
    absl::ReaderMutexLock lock(&mutex_);
    if (!started_) return absl::UnavailableError("models are being loaded");
  }
  if (!strict) return absl::OkStatus();
  for (const IndexEntry& entry : Index()) {
    if (entry.state == VersionState::kReady) continue;
    return absl::UnavailableError(absl::StrCat("model '", entry.name, "'", entry.version.empty() ? "" : " version ",
                                               entry.version, " is not ready: ", entry.reason));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::repository
