#include "server/metrics/server_metrics.h"

#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "prometheus/family.h"
#include "prometheus/labels.h"
#include "prometheus/metric_family.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "server/metrics/drift_metrics.h"
#include "server/metrics/process_metrics.h"

namespace stillwave::metrics {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Labels;
using prometheus::MetricFamily;

// By Method, BatchReason, Rejection, DriftDrop and LoadResult.
constexpr const char* kMethodNames[kMethodCount] = {"ModelInfer", "ModelStreamInfer", "StreamWindows"};
constexpr const char* kBatchReasonNames[kBatchReasonCount] = {"idle", "full", "delay", "drain"};
constexpr const char* kRejectionNames[kRejectionCount] = {"queue_full",      "deadline",      "cancelled",
                                                          "draining",        "not_ready",     "too_many_streams",
                                                          "too_many_series", "request_memory"};

constexpr const char* kDriftDropNames[kDriftDropCount] = {"queue_full", "not_finite", "failed"};
constexpr const char* kLoadResultNames[kLoadResultCount] = {"ready", "refused"};

// Seconds. A small network takes some ten microseconds; a queue that is slower than 10 s has failed.
std::vector<double> DurationBounds() {
  return {25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3,
          25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1.0,  2.5,    5.0,  10.0};
}

std::vector<double> BatchBounds() { return {1, 2, 4, 8, 16, 32, 64, 128, 256}; }

Labels With(Labels labels, const char* name, const std::string& value) {
  labels.emplace(name, value);
  return labels;
}

void Append(std::vector<MetricFamily> from, std::vector<MetricFamily>* to) {
  to->insert(to->end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

struct ServerMetrics::Families {
  Family<Counter>& AddCounter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(absl::StrCat("stillwave_", name)).Help(help).Register(registry);
  }
  Family<Gauge>& AddGauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(absl::StrCat("stillwave_", name)).Help(help).Register(registry);
  }

  prometheus::Registry registry;

  Family<Counter>& requests =
      AddCounter("requests_total",
                 "Finished requests: calls of ModelInfer, messages of ModelStreamInfer, series of StreamWindows.");
  HistogramFamily request_duration{"stillwave_request_duration_seconds", "Time from a decoded request to its response.",
                                   DurationBounds()};
  HistogramFamily queue_duration{"stillwave_queue_duration_seconds", "Time a request waited until a worker took it.",
                                 DurationBounds()};
  HistogramFamily compute_duration{"stillwave_compute_duration_seconds",
                                   "Time a worker ran the batch that a request was part of.", DurationBounds()};
  Family<Counter>& samples = AddCounter("samples_total", "Samples computed, windows of streams included.");
  Family<Counter>& not_finite_samples = AddCounter(
      "not_finite_samples_total", "Samples of requests that held a NaN or an infinity and were answered with NaN.");
  HistogramFamily batch_samples{"stillwave_batch_samples", "Samples in a batch that a worker ran.", BatchBounds()};
  Family<Counter>& batches = AddCounter("batches_total", "Batches that workers ran, by why they were not larger.");
  Family<Gauge>& queue_samples = AddGauge("queue_samples", "Samples that wait for a worker.");
  Family<Counter>& rejections = AddCounter("rejections_total", "Valid requests that were not computed, by reason.");

  Family<Gauge>& streams = AddGauge("streams", "Open calls of StreamWindows.");
  Family<Gauge>& stream_series = AddGauge("stream_series", "Open series of StreamWindows.");
  Family<Gauge>& stream_series_bytes =
      AddGauge("stream_series_bytes", "Bytes that open series hold at most: windows, and what is kept of them.");
  Family<Counter>& stream_windows = AddCounter("stream_windows_total", "Windows of streams answered.");
  HistogramFamily stream_window_duration{"stillwave_stream_window_duration_seconds",
                                         "Time from the arrival of a window's last sample to its result.",
                                         DurationBounds()};
  Family<Counter>& stream_computed_samples =
      AddCounter("stream_computed_samples_total", "Time steps computed for windows of streams.");
  Family<Counter>& stream_reused_samples =
      AddCounter("stream_reused_samples_total", "Time steps of windows that were kept from the window before.");
  Family<Counter>& stream_verify_mismatches = AddCounter(
      "stream_verify_mismatches_total", "Windows that reused their overlap and were not what a full computation gave.");

  Family<Counter>& drift_samples =
      AddCounter("drift_samples_total", "Samples whose activations were observed for drift.");
  Family<Counter>& drift_drops =
      AddCounter("drift_dropped_samples_total", "Samples picked for drift that were not observed, by reason.");
  DriftMetrics drift{registry};

  Family<Gauge>& model_info = AddGauge("model_info", "Always 1; the labels describe the model version.");
  Family<Gauge>& model_ready = AddGauge("model_ready", "Whether the model version answers requests.");
  Family<Gauge>& model_load_duration =
      AddGauge("model_load_duration_seconds", "Time to read, compile and warm up the model version.");
  Family<Counter>& model_loads =
      AddCounter("model_loads_total", "Attempts to load a version of the model, by what came of it.");
  Family<Gauge>& repository_readable =
      AddGauge("repository_readable", "Whether the last look at the model repository could read it.");
  HistogramFamily plan_compile_duration{
      "stillwave_plan_compile_duration_seconds",
      "Time to compile the plan of one input shape: at load, or when a request brings a new length.", DurationBounds()};

  ProcessMetrics process;
};

ServerMetrics::ServerMetrics()
    : families_(std::make_unique<Families>()),
      streams_(&families_->streams.Add({})),
      unknown_model_(ResolveRequests("", "")) {}

ServerMetrics::~ServerMetrics() = default;

DriftMetrics& ServerMetrics::drift() { return families_->drift; }

// What is counted of any request, also of one for no model.
std::unique_ptr<ModelMetrics> ServerMetrics::ResolveRequests(const std::string& model,
                                                             const std::string& version) const {
  const Labels labels = {{"model", model}, {"version", version}};
  auto metrics = std::make_unique<ModelMetrics>();
  for (size_t method = 0; method < kMethodCount; ++method) {
    const Labels by_method = With(labels, "method", kMethodNames[method]);
    for (size_t code = 0; code < kCodeCount; ++code) {
      metrics->requests[method][code] = &families_->requests.Add(
          With(by_method, "code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))));
    }
    if (static_cast<Method>(method) != Method::kStreamWindows) {
      metrics->request_duration[method] = &families_->request_duration.Add(by_method);
    }
  }
  for (size_t i = 0; i < kRejectionCount; ++i) {
    metrics->rejections[i] = &families_->rejections.Add(With(labels, "reason", kRejectionNames[i]));
  }
  return metrics;
}

std::unique_ptr<ModelMetrics> ServerMetrics::ResolveModel(const std::string& model, const std::string& version) const {
  Families& families = *families_;
  const Labels labels = {{"model", model}, {"version", version}};
  std::unique_ptr<ModelMetrics> metrics = ResolveRequests(model, version);
  for (size_t i = 0; i < kBatchReasonCount; ++i) {
    metrics->batches[i] = &families.batches.Add(With(labels, "reason", kBatchReasonNames[i]));
  }
  metrics->queue_duration = &families.queue_duration.Add(labels);
  metrics->compute_duration = &families.compute_duration.Add(labels);
  metrics->samples = &families.samples.Add(labels);
  metrics->not_finite_samples = &families.not_finite_samples.Add(labels);
  metrics->batch_samples = &families.batch_samples.Add(labels);
  metrics->queue_samples = &families.queue_samples.Add(labels);
  metrics->stream_series = &families.stream_series.Add(labels);
  metrics->stream_series_bytes = &families.stream_series_bytes.Add(labels);
  metrics->stream_windows = &families.stream_windows.Add(labels);
  metrics->stream_window_duration = &families.stream_window_duration.Add(labels);
  metrics->stream_computed_samples = &families.stream_computed_samples.Add(labels);
  metrics->stream_reused_samples = &families.stream_reused_samples.Add(labels);
  metrics->stream_verify_mismatches = &families.stream_verify_mismatches.Add(labels);
  metrics->drift_samples = &families.drift_samples.Add(labels);
  for (size_t i = 0; i < kDriftDropCount; ++i) {
    metrics->drift_drops[i] = &families.drift_drops.Add(With(labels, "reason", kDriftDropNames[i]));
  }
  metrics->plan_compile_duration = &families.plan_compile_duration.Add(labels);
  return metrics;
}

void ServerMetrics::RemoveChildren(const ModelMetrics& metrics) const {
  Families& families = *families_;
  for (const auto& by_code : metrics.requests) {
    for (Counter* const counter : by_code) families.requests.Remove(counter);
  }
  for (const Histogram* const histogram : metrics.request_duration) families.request_duration.Remove(histogram);
  for (Counter* const counter : metrics.rejections) families.rejections.Remove(counter);
  for (Counter* const counter : metrics.batches) families.batches.Remove(counter);
  families.queue_duration.Remove(metrics.queue_duration);
  families.compute_duration.Remove(metrics.compute_duration);
  families.samples.Remove(metrics.samples);
  families.not_finite_samples.Remove(metrics.not_finite_samples);
  families.batch_samples.Remove(metrics.batch_samples);
  families.queue_samples.Remove(metrics.queue_samples);
  families.stream_series.Remove(metrics.stream_series);
  families.stream_series_bytes.Remove(metrics.stream_series_bytes);
  families.stream_windows.Remove(metrics.stream_windows);
  families.stream_window_duration.Remove(metrics.stream_window_duration);
  families.stream_computed_samples.Remove(metrics.stream_computed_samples);
  families.stream_reused_samples.Remove(metrics.stream_reused_samples);
  families.stream_verify_mismatches.Remove(metrics.stream_verify_mismatches);
  families.drift_samples.Remove(metrics.drift_samples);
  for (Counter* const counter : metrics.drift_drops) families.drift_drops.Remove(counter);
  families.plan_compile_duration.Remove(metrics.plan_compile_duration);
}

const ModelMetrics& ServerMetrics::Hold(const ModelKey& key) {
  Held& held = models_[key];
  if (held.metrics == nullptr) {
    std::unique_ptr<ModelMetrics> made = ResolveModel(key.first, key.second);
    held.statistics = std::make_unique<ModelStatistics>();
    made->statistics = held.statistics.get();
    held.metrics = std::move(made);
  }
  ++held.holders;
  return *held.metrics;
}

void ServerMetrics::LetGo(const ModelKey& key) {
  absl::MutexLock lock(&mutex_);
  const auto it = models_.find(key);
  if (--it->second.holders > 0) return;
  // Under the lock: whoever shares the same key next must not be given what is about to go.
  RemoveChildren(*it->second.metrics);
  models_.erase(it);
}

std::shared_ptr<const ModelMetrics> ServerMetrics::ShareModel(absl::string_view model, absl::string_view version) {
  const ModelKey key(model, version);
  absl::MutexLock lock(&mutex_);
  return std::shared_ptr<const ModelMetrics>(&Hold(key), [this, key](const ModelMetrics*) { LetGo(key); });
}

const ModelMetrics& ServerMetrics::ForModel(absl::string_view model, absl::string_view version) {
  absl::MutexLock lock(&mutex_);
  return Hold(ModelKey(model, version));
}

void ServerMetrics::SetModelInfo(absl::string_view model, absl::string_view version, absl::string_view sha256,
                                 absl::string_view precision, absl::string_view batchnorm) {
  absl::MutexLock lock(&mutex_);
  Gauge& info = families_->model_info.Add({{"model", std::string(model)},
                                           {"version", std::string(version)},
                                           {"sha256", std::string(sha256)},
                                           {"precision", std::string(precision)},
                                           {"batchnorm", std::string(batchnorm)}});
  info.Set(1);
  Gauge*& known = listed_[ModelKey(model, version)].info;
  if (known != nullptr && known != &info) families_->model_info.Remove(known);
  known = &info;
}

void ServerMetrics::SetModelReady(absl::string_view model, absl::string_view version, bool ready) {
  absl::MutexLock lock(&mutex_);
  Gauge*& gauge = listed_[ModelKey(model, version)].ready;
  if (gauge == nullptr) {
    gauge = &families_->model_ready.Add({{"model", std::string(model)}, {"version", std::string(version)}});
  }
  gauge->Set(ready ? 1 : 0);
}

void ServerMetrics::SetLoadDuration(absl::string_view model, absl::string_view version, absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  Gauge*& gauge = listed_[ModelKey(model, version)].load_duration;
  if (gauge == nullptr) {
    gauge = &families_->model_load_duration.Add({{"model", std::string(model)}, {"version", std::string(version)}});
  }
  gauge->Set(absl::ToDoubleSeconds(duration));
}

void ServerMetrics::RemoveVersion(absl::string_view model, absl::string_view version) {
  absl::MutexLock lock(&mutex_);
  const auto it = listed_.find(ModelKey(model, version));
  if (it == listed_.end()) return;
  families_->model_info.Remove(it->second.info);
  families_->model_ready.Remove(it->second.ready);
  families_->model_load_duration.Remove(it->second.load_duration);
  listed_.erase(it);
}

void ServerMetrics::CountLoad(absl::string_view model, LoadResult result) {
  absl::MutexLock lock(&mutex_);
  auto& counters = loads_[std::string(model)];
  for (size_t i = 0; i < kLoadResultCount; ++i) {
    if (counters[i] != nullptr) continue;
    counters[i] = &families_->model_loads.Add({{"model", std::string(model)}, {"result", kLoadResultNames[i]}});
  }
  counters[static_cast<size_t>(result)]->Increment();
}

void ServerMetrics::RemoveModel(absl::string_view model) {
  absl::MutexLock lock(&mutex_);
  const auto it = loads_.find(std::string(model));
  if (it == loads_.end()) return;
  for (Counter* const counter : it->second) families_->model_loads.Remove(counter);
  loads_.erase(it);
}

void ServerMetrics::SetRepositoryReadable(bool readable) {
  families_->repository_readable.Add({}).Set(readable ? 1 : 0);
}

std::string ServerMetrics::Text() const {
  std::vector<MetricFamily> all = families_->registry.Collect();
  for (const HistogramFamily* family :
       {&families_->request_duration, &families_->queue_duration, &families_->compute_duration,
        &families_->batch_samples, &families_->stream_window_duration, &families_->plan_compile_duration}) {
    Append(family->Collect(), &all);
  }
  Append(families_->process.Collect(), &all);
  // A family without children yet (model_info) would be a name without a value.
  std::erase_if(all, [](const MetricFamily& family) { return family.metric.empty(); });
  return prometheus::TextSerializer().Serialize(all);
}

void ModelMetrics::CountRequest(Method method, absl::StatusCode code, absl::Duration duration) const {
  const auto row = static_cast<size_t>(method);
  const auto number = static_cast<size_t>(code);
  // Codes outside of the canonical ones count as UNKNOWN.
  requests[row][number < kCodeCount ? number : static_cast<size_t>(absl::StatusCode::kUnknown)]->Increment();
  if (request_duration[row] != nullptr) request_duration[row]->Observe(absl::ToDoubleSeconds(duration));
  if (statistics != nullptr && method != Method::kStreamWindows) {
    statistics->CountRequest(code == absl::StatusCode::kOk, duration);
  }
}

void ModelMetrics::CountBatch(BatchReason reason, int64_t samples_in_batch) const {
  batches[static_cast<size_t>(reason)]->Increment();
  batch_samples->Observe(static_cast<double>(samples_in_batch));
  samples->Increment(static_cast<double>(samples_in_batch));
}

void ModelMetrics::CountWindow(int64_t time_steps, absl::Duration duration) const {
  stream_windows->Increment();
  stream_computed_samples->Increment(static_cast<double>(time_steps));
  stream_window_duration->Observe(absl::ToDoubleSeconds(duration));
  statistics->CountRequest(/*success=*/true, duration);
}

}  // namespace stillwave::metrics
