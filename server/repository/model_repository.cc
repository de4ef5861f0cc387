#include "server/repository/model_repository.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "server/base/log.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::repository {
namespace {

using base::Log;
using base::LogLevel;

constexpr std::streamoff kMaxConfigBytes = 1 << 20;
constexpr char kWaiting[] = "its turn to be loaded has not come";
constexpr char kNotLoaded[] = "not loaded";

void LogIgnored(const std::string& note) {
  Log(LogLevel::kWarning, "passed over in the model repository", {{"what", note}});
}

absl::Status Stopped() { return absl::UnavailableError("the server is stopping"); }

absl::Status CheckConfigSize(std::streamoff size) {
  if (size <= kMaxConfigBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a configuration must have at most ", kMaxConfigBytes, " bytes; was ", size));
}

absl::StatusOr<std::string> ReadConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return absl::UnavailableError(absl::StrCat("'", path, "' cannot be read"));
  RETURN_IF_ERROR(CheckConfigSize(file.tellg()));
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
  absl::StatusOr<std::string> text = ReadConfig(candidate.config_file);
  if (!text.ok()) return base::Annotate(text.status(), "config.pbtxt");
  absl::StatusOr<model::ModelConfig> config = model::ParseModelConfig(*text, candidate.name, defaults);
  if (!config.ok()) return base::Annotate(config.status(), "config.pbtxt");
  return config;
}

absl::StatusOr<model::ModelConfig> ConfigOf(const std::string& json, const ModelCandidate& candidate,
                                            const model::ModelConfig& defaults) {
  RETURN_IF_ERROR(CheckConfigSize(static_cast<std::streamoff>(json.size())));
  absl::StatusOr<model::ModelConfig> config = model::ParseModelConfigJson(json, candidate.name, defaults);
  if (!config.ok()) return base::Annotate(config.status(), "parameter 'config'");
  return config;
}

// A version changes with its files and with the configuration that it is loaded with.
std::vector<SeenVersion> SeenVersions(const ModelCandidate& candidate, const std::optional<std::string>& config_json) {
  std::vector<SeenVersion> seen;
  const std::string config = config_json ? absl::StrCat("given ", *config_json) : candidate.config_stamp;
  for (const VersionCandidate& version : candidate.versions) {
    seen.push_back({version.version, absl::StrCat("config ", config, "\n", version.stamp)});
  }
  return seen;
}

}  // namespace

ModelRepository::ModelRepository(batching::BatchScheduler* scheduler, metrics::ServerMetrics* metrics,
                                 model::ModelConfig defaults, const RepositoryOptions& options)
    : options_(options),
      defaults_(std::move(defaults)),
      table_(metrics),
      metrics_(metrics),
      threads_(std::make_shared<LoaderThreads>(options.loader_threads)),
      loader_(scheduler, metrics, &observer_, threads_) {
  if (options_.mode == ControlMode::kExplicit) lookers_ = std::make_unique<LoaderThreads>(/*threads=*/1);
}

ModelRepository::~ModelRepository() { Stop(); }

void ModelRepository::Stop() {
  if (lookers_ != nullptr) lookers_->Stop();
  threads_->Stop();
  observer_.Stop();
}

ModelRepository::StopRequested ModelRepository::Stopping(StopRequested also) const {
  return
      [threads = threads_.get(), also = std::move(also)] { return threads->stopping() || (also != nullptr && also()); };
}

// --- The start.

absl::Status ModelRepository::LoadAll(const std::string& folder, const StopRequested& stop_requested) {
  folder_ = folder;
  ASSIGN_OR_RETURN(const RepositoryScan scan, ScanRepository(folder));
  {
    absl::MutexLock lock(&poll_mutex_);
    LogNewIgnored(scan.ignored);
    if (options_.mode == ControlMode::kPoll) NoteReadable(absl::OkStatus());
    for (const ModelCandidate& candidate : scan.models) {
      // One that could not be looked into is tried again as soon as it can.
      if (candidate.unreadable.empty()) before_[candidate.name] = StampOf(candidate);
    }
    applied_ = before_;
  }
  UpdateAll(scan.models, stop_requested);
  return absl::OkStatus();
}

absl::Status ModelRepository::LoadListed(const std::string& folder, const std::vector<std::string>& names,
                                         const StopRequested& stop_requested) {
  if (std::find(names.begin(), names.end(), "*") != names.end()) return LoadAll(folder, stop_requested);
  folder_ = folder;
  ASSIGN_OR_RETURN(const std::vector<std::string> known, ListModels(folder));
  std::vector<ModelCandidate> candidates;
  for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
    absl::StatusOr<RepositoryScan> scan = ScanOneModel(folder, name);
    if (!scan.ok()) {
      (void)RefuseModel(name, scan.status());  // the outcome is in the index
      continue;
    }
    for (const std::string& note : scan->ignored) LogIgnored(note);
    candidates.push_back(std::move(scan->models.front()));
  }
  UpdateAll(candidates, stop_requested);
  ListUnloaded(known);
  return absl::OkStatus();
}

void ModelRepository::UpdateAll(const std::vector<ModelCandidate>& candidates, const StopRequested& stop_requested) {
  // Known from now on: who asks for one whose turn has not come is told to wait, not that it is unknown.
  for (const ModelCandidate& candidate : candidates) table_.AddModel(candidate.name, VersionState::kLoading, kWaiting);
  UpdateOptions options;
  options.stop_requested = stop_requested;
  absl::BlockingCounter left(static_cast<int>(candidates.size()));
  for (const ModelCandidate& candidate : candidates) {
    threads_->Run(candidate.name, [this, &candidate, &options, &left] {
      (void)Update(candidate, options);  // the outcome is in the index
      left.DecrementCount();
    });
  }
  left.Wait();
}

absl::Status ModelRepository::LoadFile(absl::string_view name, const std::string& model_file,
                                       const StopRequested& stop_requested) {
  return LoadVersion(Named(defaults_, name), /*version=*/1, /*stamp=*/"", stop_requested,
                     [&](const model::LoadOptions& options) { return model::LoadedModel::Load(model_file, options); });
}

absl::Status ModelRepository::LoadBytes(const model::ModelConfig& config, absl::string_view model_bytes,
                                        const StopRequested& stop_requested) {
  return LoadVersion(config, /*version=*/1, /*stamp=*/"", stop_requested, [&](const model::LoadOptions& options) {
    return model::LoadedModel::LoadFromBytes(model_bytes, options);
  });
}

void ModelRepository::FinishStart() {
  {
    absl::MutexLock lock(&started_mutex_);
    started_ = true;
  }
  TellChanged();
}

// --- One model, as it was found.

absl::Status ModelRepository::RefuseModel(const std::string& name, const absl::Status& refusal) {
  Log(LogLevel::kError, "model refused", {{"model", name}, {"reason", refusal.message()}});
  metrics_->CountLoad(name, metrics::LoadResult::kRefused);
  table_.SetModel(name, VersionState::kUnavailable, absl::StrCat(refusal.message()));
  TellChanged();
  return refusal;
}

absl::Status ModelRepository::Update(const ModelCandidate& candidate, const UpdateOptions& options) {
  if (Stopping(options.stop_requested)()) return Stopped();
  const std::string& name = candidate.name;
  if (!candidate.unreadable.empty()) return RefuseModel(name, absl::FailedPreconditionError(candidate.unreadable));
  const absl::StatusOr<model::ModelConfig> config =
      options.config_json ? ConfigOf(*options.config_json, candidate, defaults_) : ConfigOf(candidate, defaults_);
  if (!config.ok()) return RefuseModel(name, config.status());
  table_.ClearModelReason(name);

  const std::vector<SeenVersion> seen = SeenVersions(candidate, options.config_json);
  std::vector<KnownVersion> known = table_.Known(name);
  for (KnownVersion& version : known) {
    if (options.retry_refused && version.refused) version.stamp.clear();
  }
  const VersionActions first = DecideVersions(config->version_policy, known, seen);
  absl::Status outcome = LoadVersions(candidate, *config, first.load, options);
  if (absl::IsCancelled(outcome)) return Stopped();

  // Whether the loads succeeded decides what may go.
  const VersionActions then = DecideVersions(config->version_policy, table_.Known(name), seen);
  table_.RemoveVersions(name, then.unload);
  if (!then.unload.empty())
    Log(LogLevel::kInfo, "versions unloaded", {{"model", name}, {"versions", then.unload.size()}});
  for (const int64_t version : then.missing) {
    outcome.Update(absl::NotFoundError("version_policy names a version whose folder is not there"));
    table_.SetRefused(name, version, "version_policy names this version, and its folder is not there", /*stamp=*/"");
  }
  if (candidate.versions.empty()) {
    outcome.Update(RefuseModel(name, absl::NotFoundError("the model's folder has no version: <number>/model.onnx is "
                                                         "expected")));
  }
  TellChanged();
  return outcome;
}

absl::Status ModelRepository::LoadVersions(const ModelCandidate& candidate, const model::ModelConfig& config,
                                           const std::vector<int64_t>& versions, const UpdateOptions& options) {
  const std::vector<SeenVersion> seen = SeenVersions(candidate, options.config_json);
  absl::Status outcome;
  for (size_t i = 0; i < seen.size(); ++i) {
    const int64_t number = seen[i].version;
    if (!std::binary_search(versions.begin(), versions.end(), number)) continue;
    const absl::Status loaded =
        LoadVersion(config, number, seen[i].stamp, options.stop_requested, [&](const model::LoadOptions& load_options) {
          return model::LoadedModel::Load(candidate.versions[i].model_file, load_options);
        });
    if (absl::IsCancelled(loaded)) return loaded;
    outcome.Update(base::Annotate(loaded, absl::StrCat("version ", number)));
  }
  return outcome;
}

absl::Status ModelRepository::LoadVersion(const model::ModelConfig& config, int64_t version, std::string stamp,
                                          const StopRequested& stop_requested, VersionLoader::Reader read) {
  table_.BeginLoad(config.name, version);
  absl::StatusOr<std::shared_ptr<const ServedModel>> served =
      loader_.Load(config, version, Stopping(stop_requested), read);
  const absl::Status status = served.status();
  if (status.ok()) {
    table_.SetReady(config.name, *std::move(served), std::move(stamp));
  } else if (absl::IsCancelled(status)) {
    table_.AbandonLoad(config.name, version);
  } else {
    table_.SetRefused(config.name, version, absl::StrCat(status.message()), std::move(stamp));
  }
  TellChanged();
  return status;
}

// --- kPoll.

absl::Status ModelRepository::Poll() {
  absl::StatusOr<RepositoryScan> scan = ScanRepository(folder_);
  ModelChanges changes;
  {
    absl::MutexLock lock(&poll_mutex_);
    NoteReadable(scan.status());
    if (!scan.ok()) return scan.status();
    LogNewIgnored(scan->ignored);
    std::map<std::string, ModelCandidate*> found;
    ModelStamps now;
    for (ModelCandidate& candidate : scan->models) {
      found[candidate.name] = &candidate;
      const auto last = applied_.find(candidate.name);
      if (candidate.unreadable.empty()) {
        now[candidate.name] = StampOf(candidate);
      } else if (last != applied_.end()) {
        now[candidate.name] = last->second;  // what cannot be looked into stays as it is
      }
    }
    changes = DecideModels(applied_, before_, now);
    before_ = std::move(now);
    for (const std::string& name : changes.update) {
      applied_[name] = before_[name];
      polled_[name] = std::move(*found[name]);
    }
    for (const std::string& name : changes.remove) {
      applied_.erase(name);
      polled_[name] = std::nullopt;
    }
  }
  for (const std::string& name : changes.update) {
    table_.AddModel(name, VersionState::kLoading, kWaiting);
    threads_->Run(name, [this, name] { ApplyPolled(name); });
  }
  for (const std::string& name : changes.remove) threads_->Run(name, [this, name] { ApplyPolled(name); });
  return absl::OkStatus();
}

void ModelRepository::ApplyPolled(const std::string& name) {
  std::optional<ModelCandidate> candidate;
  {
    absl::MutexLock lock(&poll_mutex_);
    const auto it = polled_.find(name);
    if (it == polled_.end()) return;  // a job before this one had the newest already
    candidate = std::move(it->second);
    polled_.erase(it);
  }
  if (candidate) {
    (void)Update(*candidate, {});  // the outcome is in the index
    return;
  }
  if (threads_->stopping()) return;
  table_.RemoveModel(name);
  Log(LogLevel::kInfo, "model unloaded", {{"model", name}, {"reason", "its folder is gone"}});
  TellChanged();
}

void ModelRepository::NoteReadable(const absl::Status& status) {
  metrics_->SetRepositoryReadable(status.ok());
  if (status.ok() == readable_) return;
  readable_ = status.ok();
  if (readable_) {
    Log(LogLevel::kInfo, "the model repository can be read again", {{"folder", folder_}});
  } else {
    Log(LogLevel::kError, "the model repository cannot be read; what is loaded goes on",
        {{"reason", status.message()}});
  }
}

void ModelRepository::LogNewIgnored(const std::vector<std::string>& ignored) {
  std::set<std::string> now(ignored.begin(), ignored.end());
  for (const std::string& note : now) {
    if (!ignored_.contains(note)) LogIgnored(note);
  }
  ignored_ = std::move(now);
}

// --- kExplicit.

absl::Status ModelRepository::CheckExplicit() const {
  if (options_.mode == ControlMode::kExplicit) return absl::OkStatus();
  // The first half is what Triton says, word for word, and clients look for.
  if (options_.mode == ControlMode::kPoll) {
    return absl::UnavailableError(
        "explicit model load / unload is not allowed if polling is enabled; start the server with "
        "--model_control_mode=explicit");
  }
  return absl::UnavailableError(
      "explicit model load / unload is not allowed with --model_control_mode=none; start the server with "
      "--model_control_mode=explicit");
}

void ModelRepository::Load(std::string name, std::optional<std::string> config_json, Done done) {
  if (const absl::Status status = CheckExplicit(); !status.ok()) return std::move(done)(status);
  threads_->Run(name, [this, name, config_json = std::move(config_json), done = std::move(done)]() mutable {
    UpdateOptions options;
    options.config_json = std::move(config_json);
    options.retry_refused = true;
    std::move(done)(LoadNow(name, options));
  });
}

absl::Status ModelRepository::LoadNow(const std::string& name, const UpdateOptions& options) {
  if (threads_->stopping()) return Stopped();
  ASSIGN_OR_RETURN(const RepositoryScan scan, ScanOneModel(folder_, name));
  for (const std::string& note : scan.ignored) LogIgnored(note);
  const absl::Status status = Update(scan.models.front(), options);
  if (status.ok() || absl::IsUnavailable(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat("failed to load '", name, "': ", status.message()));
}

void ModelRepository::Unload(std::string name, Done done) {
  if (const absl::Status status = CheckExplicit(); !status.ok()) return std::move(done)(status);
  threads_->Run(name, [this, name, done = std::move(done)]() mutable {
    if (threads_->stopping()) return std::move(done)(Stopped());
    if (!table_.Unload(name) && !ScanOneModel(folder_, name).ok()) {
      return std::move(done)(
          absl::NotFoundError(absl::StrCat("failed to unload ", base::Quoted(name, 128), ": there is no such model")));
    }
    Log(LogLevel::kInfo, "model unloaded", {{"model", name}, {"reason", "a client asked for it"}});
    TellChanged();
    std::move(done)(absl::OkStatus());
  });
}

void ModelRepository::ListUnloaded(const std::vector<std::string>& names) {
  for (const std::string& name : names) table_.AddModel(name, VersionState::kUnloaded, kNotLoaded);
}

void ModelRepository::FreshIndex(IndexDone done) {
  if (lookers_ == nullptr) return std::move(done)(Index());
  lookers_->Run("index", [this, done = std::move(done)]() mutable {
    if (const auto names = ListModels(folder_); names.ok()) {
      ListUnloaded(*names);
      table_.RemoveUnloadedExcept(*names);
    }
    std::move(done)(Index());
  });
}

absl::Status ModelRepository::Readiness(bool strict) const {
  {
    absl::MutexLock lock(&started_mutex_);
    if (!started_) return absl::UnavailableError("models are being loaded");
  }
  return strict ? table_.CheckNoneRefused() : absl::OkStatus();
}

}  // namespace stillwave::repository
