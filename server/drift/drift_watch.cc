#include "server/drift/drift_watch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "server/base/check.h"
#include "server/base/log.h"

namespace stillwave::drift {
namespace {

using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;

// Spreads consecutive numbers over all of 64 bits (the finalizer of splitmix64), so that traffic with a period of its
// own is sampled evenly.
uint64_t Scatter(uint64_t number) {
  number += 0x9e3779b97f4a7c15U;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31);
}

absl::StatusOr<Tensor> CopyRow(const TensorView& batch, int64_t row) {
  Shape shape = batch.shape;
  shape[0] = 1;
  absl::StatusOr<Tensor> copy = Tensor::Create(batch.data_type, shape);
  if (!copy.ok()) return copy;
  const size_t bytes = copy->byte_size();
  if (bytes > 0) {
    std::memcpy(copy->mutable_data(), static_cast<const std::byte*>(batch.data) + static_cast<size_t>(row) * bytes,
                bytes);
  }
  return copy;
}

size_t BytesOf(const std::vector<Tensor>& tensors) {
  size_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += tensor.byte_size();
  return bytes;
}

}  // namespace

DriftWatch::DriftWatch(std::shared_ptr<const model::LoadedModel> model, const model::DriftOptions& options,
                       const metrics::ModelMetrics* counters, std::unique_ptr<metrics::DriftGauges> gauges,
                       std::shared_ptr<SampleBell> bell)
    : options_(options),
      counters_(counters),
      bell_(std::move(bell)),
      inputs_(model->signature().inputs.size()),
      observer_(std::move(model)),
      layers_(observer_.layers().size()),
      gauges_(std::move(gauges)) {
  SW_CHECK(options.sample_rate > 0 && counters != nullptr && gauges_ != nullptr && bell_ != nullptr);
  const absl::MutexLock lock(&mutex_);
  for (const WatchedLayer& layer : observer_.layers()) {
    moments_.emplace_back(layer.stored.mean.size(), static_cast<double>(options.half_life));
  }
}

DriftWatch::~DriftWatch() = default;

bool DriftWatch::Picks(uint64_t number, double part) const {
  const double rate = options_.sample_rate * part;
  if (rate >= 1) return true;
  constexpr double kRange = 18446744073709551616.0;  // 2^64
  return static_cast<double>(Scatter(number)) < rate * kRange;
}

void DriftWatch::Offer(absl::Span<const TensorView> inputs, absl::FunctionRef<double(int64_t row)> new_part) {
  if (layers_ == 0) return;
  const int64_t samples = inputs[0].shape[0];
  const uint64_t first = offered_.fetch_add(static_cast<uint64_t>(samples), std::memory_order_relaxed);
  for (int64_t row = 0; row < samples; ++row) {
    const uint64_t number = first + static_cast<uint64_t>(row);
    // Most are not picked whatever their part.
    if (Picks(number, /*part=*/1) && Picks(number, new_part(row))) Enqueue(inputs.first(inputs_), row);
  }
}

void DriftWatch::Enqueue(absl::Span<const TensorView> inputs, int64_t row) {
  Sample sample;
  for (const TensorView& input : inputs) {
    absl::StatusOr<Tensor> copy = CopyRow(input, row);
    if (!copy.ok()) return counters_->CountDriftDrop(metrics::DriftDrop::kQueueFull);
    sample.push_back(*std::move(copy));
  }
  const size_t bytes = BytesOf(sample);
  // The observer's thread may have been put aside while it holds the lock: see SampleBell.
  if (!queue_mutex_.TryLock()) return counters_->CountDriftDrop(metrics::DriftDrop::kQueueFull);
  const bool fits =
      waiting_.empty() || (waiting_.size() < kMaxWaitingSamples && waiting_bytes_ + bytes <= kMaxWaitingBytes);
  if (fits) {
    waiting_.push_back(std::move(sample));
    waiting_bytes_ += bytes;
  }
  queue_mutex_.Unlock();
  if (!fits) return counters_->CountDriftDrop(metrics::DriftDrop::kQueueFull);
  bell_->Ring();
}

bool DriftWatch::Take(Sample& sample) {
  const absl::MutexLock lock(&queue_mutex_);
  if (waiting_.empty()) return false;
  sample = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= BytesOf(sample);
  observing_ = true;
  return true;
}

bool DriftWatch::ObserveNext(execution::ExecutionContext& context) {
  const uint64_t generation = Generation();
  Sample sample;
  if (!Take(sample)) return false;
  const absl::StatusOr<std::vector<ChannelMoments>> layers = observer_.Observe(context, sample);
  if (!layers.ok()) {
    Fail(layers.status());
  } else if (!std::all_of(layers->begin(), layers->end(), [](const auto& layer) { return layer.IsFinite(); })) {
    // One such sample would stay in the moments for good.
    counters_->CountDriftDrop(metrics::DriftDrop::kNotFinite);
  } else {
    Learn(*layers, generation);
  }
  const absl::MutexLock lock(&queue_mutex_);
  observing_ = false;
  return true;
}

uint64_t DriftWatch::Generation() const {
  const absl::MutexLock lock(&mutex_);
  return generation_;
}

void DriftWatch::Learn(const std::vector<ChannelMoments>& layers, uint64_t generation) {
  counters_->drift_samples->Increment();
  const absl::MutexLock lock(&mutex_);
  if (generation != generation_) return;
  for (size_t i = 0; i < layers.size(); ++i) moments_[i].Add(layers[i]);
  if (moments_[0].samples() < options_.minimum_samples) return;
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerDrift drift = Summarize(Compare(i));
    gauges_->Set(observer_.layers()[i].name, {{drift.mean.mean_shift, drift.mean.variance_ratio, drift.mean.divergence},
                                              {drift.max.mean_shift, drift.max.variance_ratio, drift.max.divergence}});
  }
}

void DriftWatch::Fail(const absl::Status& status) {
  counters_->CountDriftDrop(metrics::DriftDrop::kFailed);
  {
    const absl::MutexLock lock(&mutex_);
    if (failed_) return;
    failed_ = true;
  }
  base::Log(base::LogLevel::kWarning, "a sample could not be observed for drift; later ones are tried in silence",
            {{"reason", status.message()}});
}

std::vector<ChannelDrift> DriftWatch::Compare(size_t layer) const {
  const StoredStatistics& stored = observer_.layers()[layer].stored;
  const DecayedMoments& live = moments_[layer];
  std::vector<ChannelDrift> channels(stored.mean.size());
  if (live.samples() == 0) return channels;
  for (size_t c = 0; c < channels.size(); ++c) {
    channels[c] =
        CompareChannel(live.mean()[c], live.variance()[c], stored.mean[c], stored.variance[c], stored.epsilon);
  }
  return channels;
}

DriftReport DriftWatch::Report() const {
  DriftReport report;
  const absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < layers_; ++i) {
    const DecayedMoments& live = moments_[i];
    LayerReport& layer = report.layers.emplace_back();
    layer.name = observer_.layers()[i].name;
    layer.stored = observer_.layers()[i].stored;
    layer.live_mean.assign(live.mean().begin(), live.mean().end());
    layer.live_variance.assign(live.variance().begin(), live.variance().end());
    layer.channels = Compare(i);
    layer.summary = Summarize(layer.channels);
    report.samples = live.samples();
    report.weight = live.weight();
  }
  report.sufficient = layers_ > 0 && report.samples >= options_.minimum_samples;
  return report;
}

int64_t DriftWatch::Reset() {
  {
    const absl::MutexLock lock(&queue_mutex_);
    waiting_.clear();
    waiting_bytes_ = 0;
  }
  const absl::MutexLock lock(&mutex_);
  ++generation_;
  const int64_t seen = moments_.empty() ? 0 : moments_[0].samples();
  for (DecayedMoments& layer : moments_) layer.Clear();
  gauges_->Clear();
  return seen;
}

void DriftWatch::AwaitObserved() const {
  const absl::MutexLock lock(&queue_mutex_);
  queue_mutex_.Await(absl::Condition(this, &DriftWatch::IsQuiet));
}

}  // namespace stillwave::drift
