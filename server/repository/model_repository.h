// All models of the server, by name and version: what lies on disk, loaded as the policies ask.
//
//   Poll, Load, Unload ──► loader threads, one model at a time each ──► ModelTable ◄── Find: requests and streams
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/batching/batch_scheduler.h"
#include "server/drift/observer_thread.h"
#include "server/metrics/server_metrics.h"
#include "server/model/model_config.h"
#include "server/repository/control_mode.h"
#include "server/repository/loader_threads.h"
#include "server/repository/model_table.h"
#include "server/repository/reload_policy.h"
#include "server/repository/repository_scan.h"
#include "server/repository/served_model.h"
#include "server/repository/version_loader.h"

namespace stillwave::repository {

struct RepositoryOptions {
  ControlMode mode = ControlMode::kNone;
  // Models that load at the same time. Positive. Each holds its file and its packed weights until it is ready.
  int loader_threads = 2;
};

// A model that cannot be loaded stays listed with its reason and never stops the others. What is served stays until
// what takes its place is ready, and a handle to it for as long as somebody holds that. The calls of the start
// (LoadAll, LoadListed, LoadFile, LoadBytes, FinishStart) come from one thread, one after another; the others are
// thread-safe and may come meanwhile.
class ModelRepository {
 public:
  using StopRequested = std::function<bool()>;
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using IndexDone = absl::AnyInvocable<void(std::vector<IndexEntry>)>;

  // `scheduler` and `metrics` outlive the repository and all handles. `defaults` holds where a model's own
  // configuration does not say otherwise.
  ModelRepository(batching::BatchScheduler* scheduler, metrics::ServerMetrics* metrics,
                  model::ModelConfig defaults = {}, const RepositoryOptions& options = {});
  // Stops.
  ~ModelRepository();
  ModelRepository(const ModelRepository&) = delete;
  ModelRepository& operator=(const ModelRepository&) = delete;

  ControlMode mode() const { return options_.mode; }

  // `changed` is called, from any thread, after models have come, gone or become ready. REQUIRES: nothing was loaded
  // yet.
  void WhenChanged(std::function<void()> changed) { changed_ = std::move(changed); }

  // --- The start. `stop_requested` (may be empty) is asked from time to time whether to leave the rest.

  // Scans the folder, loads what each model's version policy asks for and blocks until that is done. An error only when
  // the folder itself cannot be read; models that are refused are in the index and in the log.
  absl::Status LoadAll(const std::string& folder, const StopRequested& stop_requested = {});
  // The same for the models of these names ("*": all); the others are listed and not loaded.
  absl::Status LoadListed(const std::string& folder, const std::vector<std::string>& names,
                          const StopRequested& stop_requested = {});
  // Loads one ONNX file as version 1 of `name`. The refusal, with its reason, when it cannot be served; it is listed
  // then too.
  absl::Status LoadFile(absl::string_view name, const std::string& model_file,
                        const StopRequested& stop_requested = {});
  // The same from bytes (the embedded demonstration model). `config` may set window_length and hop; its name holds.
  absl::Status LoadBytes(const model::ModelConfig& config, absl::string_view model_bytes,
                         const StopRequested& stop_requested = {});
  // Says that the first loading is over: the server is ready from now on (see Readiness).
  void FinishStart();

  // --- The life after.

  // Looks at the folder of LoadAll again and has loaded, loaded anew and unloaded what two looks in a row found changed
  // (see DecideModels). Does not wait for the loads. An error when the folder cannot be read: nothing changes then, and
  // the log says so once. REQUIRES: LoadAll was called and was OK.
  absl::Status Poll();

  // Reads the model's folder and loads what its version policy asks for and is new, changed or was refused;
  // `config_json`, when given, stands in place of config.pbtxt. `done` is called once, from a loader's thread: OK when
  // all that was asked for answers. INVALID_ARGUMENT with the reason for a model that is refused (what was served goes
  // on), NOT_FOUND when it has no folder, UNAVAILABLE unless the mode is kExplicit.
  void Load(std::string name, std::optional<std::string> config_json, Done done);
  // Nothing answers for the model any more; its requests and streams are finished. `done` is called once: OK also when
  // it was not loaded; NOT_FOUND for an unknown model, UNAVAILABLE unless the mode is kExplicit.
  void Unload(std::string name, Done done);

  // Blocks until all loads that were asked for are done.
  void AwaitLoads() { threads_->AwaitIdle(); }

  // Breaks loads off and refuses new ones with UNAVAILABLE; what is served stays, and its drift is not observed any
  // more. Blocks until no load runs, which is soon. May be called again.
  void Stop();

  // --- What is there.

  // As ModelTable.
  absl::StatusOr<std::shared_ptr<const ServedModel>> Find(absl::string_view name, absl::string_view version) const {
    return table_.Find(name, version);
  }
  std::vector<IndexEntry> Index() const { return table_.Index(); }
  std::vector<std::string> ReadyVersions(absl::string_view name) const { return table_.ReadyVersions(name); }

  // Index, where the mode is kExplicit after a look at which models the folder has, that a client may ask to load.
  // Calls `done` once, from here or from another thread; the look does not block this one.
  void FreshIndex(IndexDone done);

  // OK once FinishStart was called; `strict`: and no model is refused of which nothing answers. UNAVAILABLE with the
  // reason.
  absl::Status Readiness(bool strict) const;

 private:
  struct UpdateOptions {
    std::optional<std::string> config_json;
    bool retry_refused = false;
    StopRequested stop_requested;
  };

  // The bodies of the loaders' jobs; at most one for each model at a time.
  absl::Status Update(const ModelCandidate& candidate, const UpdateOptions& options);
  absl::Status LoadVersions(const ModelCandidate& candidate, const model::ModelConfig& config,
                            const std::vector<int64_t>& versions, const UpdateOptions& options);
  absl::Status LoadNow(const std::string& name, const UpdateOptions& options);
  void ApplyPolled(const std::string& name) ABSL_LOCKS_EXCLUDED(poll_mutex_);

  absl::Status RefuseModel(const std::string& name, const absl::Status& refusal);
  absl::Status LoadVersion(const model::ModelConfig& config, int64_t version, std::string stamp,
                           const StopRequested& stop_requested, VersionLoader::Reader read);
  void UpdateAll(const std::vector<ModelCandidate>& candidates, const StopRequested& stop_requested);
  void ListUnloaded(const std::vector<std::string>& names);
  void LogNewIgnored(const std::vector<std::string>& ignored) ABSL_EXCLUSIVE_LOCKS_REQUIRED(poll_mutex_);
  void NoteReadable(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(poll_mutex_);
  StopRequested Stopping(StopRequested also) const;
  absl::Status CheckExplicit() const;
  void TellChanged() const {
    if (changed_ != nullptr) changed_();
  }

  const RepositoryOptions options_;
  const model::ModelConfig defaults_;
  std::function<void()> changed_;
  std::string folder_;  // set at the start
  ModelTable table_;
  metrics::ServerMetrics* const metrics_;
  mutable absl::Mutex started_mutex_;
  bool started_ ABSL_GUARDED_BY(started_mutex_) = false;

  absl::Mutex poll_mutex_;
  ModelStamps applied_ ABSL_GUARDED_BY(poll_mutex_);
  ModelStamps before_ ABSL_GUARDED_BY(poll_mutex_);  // what the last look saw
  // What a loader has not begun to apply yet: only the newest counts, so that a storm of changes makes no queue of
  // loads. Nothing: the model is to go.
  std::map<std::string, std::optional<ModelCandidate>> polled_ ABSL_GUARDED_BY(poll_mutex_);
  std::set<std::string> ignored_ ABSL_GUARDED_BY(poll_mutex_);  // what was logged as passed over
  bool readable_ ABSL_GUARDED_BY(poll_mutex_) = true;

  const std::shared_ptr<LoaderThreads> threads_;
  drift::ObserverThread observer_;
  VersionLoader loader_;
  std::unique_ptr<LoaderThreads> lookers_;  // kExplicit: FreshIndex does not wait for loads
};

}  // namespace stillwave::repository
