// All models of the server, by name and version.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/batching/batch_scheduler.h"
#include "server/metrics/server_metrics.h"
#include "server/model/model_config.h"
#include "server/repository/repository_scan.h"
#include "server/repository/served_model.h"
#include "server/repository/version_policy.h"

namespace stillwave::repository {

// One line of the repository's index.
struct IndexEntry {
  std::string name;
  std::string version;  // "" for a model of which no version could be tried
  VersionState state = VersionState::kLoading;
  std::string reason;  // of kUnavailable
};

// A model that cannot be loaded stays listed with its reason and never stops the others. Loading happens on the calling
// thread; every other method is thread-safe and may run meanwhile.
class ModelRepository {
 public:
  // Both outlive the repository. `defaults` holds where a model's own configuration does not say otherwise.
  ModelRepository(batching::BatchScheduler* scheduler, metrics::ServerMetrics* metrics,
                  model::ModelConfig defaults = {});
  ModelRepository(const ModelRepository&) = delete;
  ModelRepository& operator=(const ModelRepository&) = delete;

  // Scans the folder and loads what each model's version policy asks for. An error only when the folder itself cannot
  // be read; models that are refused are in the index and in the log. Between models it asks `stop_requested` (may be
  // empty) whether to leave the rest.
  absl::Status LoadAll(const std::string& folder, const std::function<bool()>& stop_requested = {});

  // Loads one ONNX file as version 1 of `name`. The refusal, with its reason, when it cannot be served; it is listed
  // then too.
  absl::Status LoadFile(absl::string_view name, const std::string& model_file);
  // The same from bytes (the embedded demonstration model). `config` may set window_length and hop; its name holds.
  absl::Status LoadBytes(const model::ModelConfig& config, absl::string_view model_bytes);

  // Says that the first loading is over: the server is ready from now on (see Readiness).
  void FinishStart();

  // A version, or for "" the highest that is ready. NOT_FOUND for a model or version that is not known, with the names
  // that are; UNAVAILABLE with the reason for one that is known and not ready.
  absl::StatusOr<std::shared_ptr<const ServedModel>> Find(absl::string_view name, absl::string_view version) const;

  // Every known version, by name, then ascending by version.
  std::vector<IndexEntry> Index() const;
  // The ready versions of a model, ascending; empty for an unknown one.
  std::vector<std::string> ReadyVersions(absl::string_view name) const;

  // OK once FinishStart was called; `strict`: and nothing in the index is unavailable. UNAVAILABLE with the reason.
  absl::Status Readiness(bool strict) const;

 private:
  struct Version {
    VersionState state = VersionState::kLoading;
    std::string reason;                         // when kUnavailable
    std::shared_ptr<const ServedModel> served;  // when kReady
  };
  struct Model {
    std::string reason;  // why no version was tried, when there are none
    std::map<int64_t, Version> versions;
  };
  using Models = std::map<std::string, Model, std::less<>>;
  using LoadedModelPtr = std::shared_ptr<const model::LoadedModel>;
  using Loader = absl::FunctionRef<absl::StatusOr<LoadedModelPtr>(const model::LoadOptions& options)>;

  void LoadCandidate(const ModelCandidate& candidate);
  // Loads one version and lists the outcome, which it also returns.
  absl::Status LoadVersion(const model::ModelConfig& config, int64_t version, Loader loader);
  absl::StatusOr<std::shared_ptr<const ServedModel>> Serve(const model::ModelConfig& config, int64_t version,
                                                           Loader loader);
  static absl::StatusOr<std::shared_ptr<const ServedModel>> FindNewest(absl::string_view name, const Model& model);
  static absl::StatusOr<std::shared_ptr<const ServedModel>> FindVersion(absl::string_view name, const Model& model,
                                                                        absl::string_view version);
  static absl::Status NotReady(absl::string_view name, absl::string_view number, const Version& version);
  void SetVersion(const std::string& name, int64_t number, Version version) ABSL_LOCKS_EXCLUDED(mutex_);
  // Lists a model of which no version could be tried.
  void SetRefused(const std::string& name, std::string reason) ABSL_LOCKS_EXCLUDED(mutex_);

  batching::BatchScheduler* const scheduler_;
  metrics::ServerMetrics* const metrics_;
  const model::ModelConfig defaults_;
  mutable absl::Mutex mutex_;
  Models models_ ABSL_GUARDED_BY(mutex_);
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace stillwave::repository
