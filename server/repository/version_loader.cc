#include "server/repository/version_loader.h"

#include <malloc.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"
#include "server/drift/sampling_runner.h"
#include "server/model/warm_up.h"
#include "server/overlap/overlap_runner.h"

namespace stillwave::repository {
namespace {

using base::Log;
using base::LogLevel;

absl::string_view BatchNormLabel(const model::LoadedModel& model) {
  if (model.options().batch_norm == model::BatchNormMode::kFolded) return "folded";
  return model.batch_norm_layers() > 0 ? "primitive" : "none";
}

std::vector<tensor::DataType> OutputTypes(const model::ModelSignature& signature) {
  std::vector<tensor::DataType> types;
  for (const model::TensorSpec& output : signature.outputs) types.push_back(output.data_type);
  return types;
}

// A model with the metrics that its users write to. Requests, queues and streams hold the model, and so both.
//
//   ServedModel ─┐
//   queue ───────┼─► Holding ─► LoadedModel
//   series ──────┘          └─► ModelMetrics
struct Holding {
  std::shared_ptr<const metrics::ModelMetrics> metrics;
  VersionLoader::LoadedModelPtr model;  // last: it is freed first
};

// The last to let go may be a worker in the middle of its requests, and to free a network takes milliseconds: one of
// `threads` does it.
VersionLoader::LoadedModelPtr HoldTogether(VersionLoader::LoadedModelPtr model,
                                           std::shared_ptr<const metrics::ModelMetrics> metrics,
                                           std::weak_ptr<LoaderThreads> threads) {
  const auto free_elsewhere = [threads = std::move(threads)](const Holding* holding) {
    std::unique_ptr<const Holding> gone(holding);
    const std::shared_ptr<LoaderThreads> still_there = threads.lock();
    if (still_there == nullptr) return;
    still_there->Run("", [gone = std::move(gone)]() mutable {
      gone.reset();
      malloc_trim(0);  // else the heap would keep what the network took
    });
  };
  const std::shared_ptr<const Holding> holding(new Holding{std::move(metrics), std::move(model)}, free_elsewhere);
  return VersionLoader::LoadedModelPtr(holding, holding->model.get());
}

}  // namespace

VersionLoader::VersionLoader(batching::BatchScheduler* scheduler, metrics::ServerMetrics* metrics,
                             drift::ObserverThread* observer, std::shared_ptr<LoaderThreads> threads)
    : scheduler_(scheduler), metrics_(metrics), observer_(observer), threads_(std::move(threads)) {}

absl::StatusOr<std::shared_ptr<const ServedModel>> VersionLoader::Load(const model::ModelConfig& config,
                                                                       int64_t version,
                                                                       const std::function<bool()>& stop_requested,
                                                                       Reader read) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::shared_ptr<const ServedModel>> served = Serve(config, version, stop_requested, read);
  const absl::Duration duration = absl::Now() - start;
  if (absl::IsCancelled(served.status())) return served;
  const std::string number = absl::StrCat(version);
  metrics_->SetLoadDuration(config.name, number, duration);
  metrics_->CountLoad(config.name, served.ok() ? metrics::LoadResult::kReady : metrics::LoadResult::kRefused);
  if (!served.ok()) {
    Log(LogLevel::kError, "model refused",
        {{"model", config.name}, {"version", version}, {"reason", served.status().message()}});
    return served;
  }
  const model::LoadedModel& model = *(*served)->model();
  metrics_->SetModelInfo(config.name, number, model.sha256(), Name(model.options().precision), BatchNormLabel(model));
  Log(LogLevel::kInfo, "model ready",
      {{"model", config.name},
       {"version", version},
       {"seconds", absl::ToDoubleSeconds(duration)},
       {"max_batch_size", config.max_batch_size},
       {"batch", model.batch_form()},
       {"batchnorm", BatchNormLabel(model)},
       {"precision", Name(model.options().precision)},
       {"batchnorm_layers_to_watch", (*served)->drift() == nullptr ? 0 : (*served)->drift()->layers()},
       {"drift_sample_rate", config.drift.sample_rate}});
  if ((*served)->drift() != nullptr && (*served)->drift()->layers() == 0) {
    Log(LogLevel::kInfo, "drift cannot be watched: the file has no batch normalization layer",
        {{"model", config.name},
         {"version", version},
         {"cure", "exporters fold it into convolutions unless told otherwise: docs/drift.md says how to keep it"}});
  }
  return served;
}

std::shared_ptr<drift::DriftWatch> VersionLoader::WatchDrift(const model::ModelConfig& config,
                                                             const std::string& version, const LoadedModelPtr& model,
                                                             const metrics::ModelMetrics* metrics) const {
  if (config.drift.sample_rate == 0) return nullptr;
  auto watch = std::make_shared<drift::DriftWatch>(
      model, config.drift, metrics, metrics_->drift().ForVersion(config.name, version), observer_->bell());
  observer_->Add(watch);
  return watch;
}

absl::StatusOr<std::shared_ptr<const ServedModel>> VersionLoader::Serve(const model::ModelConfig& config,
                                                                        int64_t version,
                                                                        const std::function<bool()>& stop_requested,
                                                                        Reader read) {
  std::shared_ptr<const metrics::ModelMetrics> shared = metrics_->ShareModel(config.name, absl::StrCat(version));
  const metrics::ModelMetrics* const metrics = shared.get();
  model::LoadOptions load_options = ToLoadOptions(config);
  load_options.plan_compiled = [compile_duration = metrics->plan_compile_duration](absl::Duration duration) {
    compile_duration->Observe(absl::ToDoubleSeconds(duration));
  };
  load_options.stop_requested = stop_requested;
  ASSIGN_OR_RETURN(LoadedModelPtr loaded, read(load_options));
  const LoadedModelPtr model = HoldTogether(std::move(loaded), std::move(shared), threads_);
  ASSIGN_OR_RETURN(model::ModelSignature signature, ApplyToSignature(config, model->signature()));
  RETURN_IF_ERROR(model::WarmUp(config, *model, stop_requested));
  batching::ModelQueueOptions options;
  options.name = config.name;
  options.max_batch_size = config.max_batch_size;
  options.max_queue_samples = config.max_queue_samples;
  options.max_running_batches = config.max_running_batches;
  options.batching = config.batching;
  options.output_types = OutputTypes(signature);
  overlap::OverlapRunner::Options overlap_options;
  overlap_options.reuse = config.stream_reuse;
  overlap_options.verify_share = config.stream_verify_share;
  const auto overlap = std::make_shared<const overlap::OverlapRunner>(model, metrics, overlap_options);
  const std::shared_ptr<drift::DriftWatch> watch = WatchDrift(config, absl::StrCat(version), model, metrics);
  std::shared_ptr<const model::BatchRunner> runner = overlap;
  if (watch != nullptr && watch->layers() > 0) runner = std::make_shared<drift::SamplingRunner>(overlap, watch);
  ASSIGN_OR_RETURN(std::shared_ptr<batching::ModelQueue> queue,
                   scheduler_->AddModel(std::move(runner), std::move(options), metrics));
  return std::make_shared<const ServedModel>(config, version, std::move(signature), model, overlap, std::move(queue),
                                             watch, metrics);
}

}  // namespace stillwave::repository
