// What is known of each model and version, and what answers for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/metrics/server_metrics.h"
#include "server/repository/served_model.h"
#include "server/repository/version_policy.h"

namespace stillwave::repository {

// One line of the repository's index.
struct IndexEntry {
  std::string name;
  std::string version;  // "" for a model of which no version could be tried
  VersionState state = VersionState::kLoading;
  // Of kUnavailable and kUnloaded; of kReady when newer files of it were refused and the older ones go on.
  std::string reason;
};

// Every change takes place in one step: a request finds what was there before or what is there after. Keeps
// model_ready, model_info and model_load_duration_seconds of what it lists. Thread-safe.
class ModelTable {
 public:
  using ServedModelPtr = std::shared_ptr<const ServedModel>;

  // `metrics` outlives the table.
  explicit ModelTable(metrics::ServerMetrics* metrics) : metrics_(metrics) {}
  ModelTable(const ModelTable&) = delete;
  ModelTable& operator=(const ModelTable&) = delete;

  // A version, or for "" the highest that is ready. NOT_FOUND for a model or version that is not known, with the names
  // that are; UNAVAILABLE with the reason for one that is known and not ready.
  absl::StatusOr<ServedModelPtr> Find(absl::string_view name, absl::string_view version) const;
  // Every known version, by name, then ascending by version.
  std::vector<IndexEntry> Index() const;
  // The ready versions of a model, ascending; empty for an unknown one.
  std::vector<std::string> ReadyVersions(absl::string_view name) const;
  // UNAVAILABLE, with the reason, when there is a model that was refused and of which nothing answers.
  absl::Status CheckNoneRefused() const;
  // Ascending; empty for an unknown model.
  std::vector<KnownVersion> Known(absl::string_view name) const;

  // The model is known from now on; its versions, if there are any, stay as they are. `reason` says why no version was
  // tried, or why newer ones were not: for kLoading what it waits for, for kUnavailable the refusal.
  void SetModel(const std::string& name, VersionState state, std::string reason);
  // As SetModel, unless the model is known.
  void AddModel(const std::string& name, VersionState state, std::string reason);
  // Its files were read and understood.
  void ClearModelReason(const std::string& name);

  // A load of the version begins. What answers for it goes on.
  void BeginLoad(const std::string& name, int64_t version);
  // It ended: `served` answers from now on, in place of what did before.
  void SetReady(const std::string& name, ServedModelPtr served, std::string stamp);
  // It ended, or could not begin. What answered before goes on, and the reason is listed.
  void SetRefused(const std::string& name, int64_t version, std::string reason, std::string stamp);
  // It was broken off: as if it had never begun.
  void AbandonLoad(const std::string& name, int64_t version);

  // The versions are not known any more; requests and streams that hold one go on with it.
  void RemoveVersions(const std::string& name, const std::vector<int64_t>& versions);
  // Nothing answers for the model any more; it and its versions stay listed as unloaded. False for an unknown one.
  bool Unload(absl::string_view name);
  // The model is not known any more.
  void RemoveModel(const std::string& name);
  // The same for all models that SetModel, AddModel or Unload left unloaded and whose name is not among `names`
  // (ascending).
  void RemoveUnloadedExcept(const std::vector<std::string>& names);

 private:
  struct Version {
    VersionState state = VersionState::kLoading;
    std::string reason;     // of the last refusal, also while it is loaded again
    std::string stamp;      // see KnownVersion
    ServedModelPtr served;  // kReady
  };
  struct Model {
    VersionState state = VersionState::kLoading;
    std::string reason;
    std::map<int64_t, Version> versions;
  };
  using Models = std::map<std::string, Model, std::less<>>;

  static absl::StatusOr<ServedModelPtr> FindNewest(absl::string_view name, const Model& model);
  static absl::StatusOr<ServedModelPtr> FindVersion(absl::string_view name, const Model& model,
                                                    absl::string_view version);
  static absl::Status NotReady(absl::string_view name, absl::string_view number, const Version& version);

  metrics::ServerMetrics* const metrics_;
  mutable absl::Mutex mutex_;
  Models models_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::repository
