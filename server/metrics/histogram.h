// A Prometheus histogram whose Observe takes no lock (prometheus-cpp 1.0's holds a mutex).
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/client_metric.h"
#include "prometheus/collectable.h"
#include "prometheus/labels.h"
#include "prometheus/metric_family.h"

namespace stillwave::metrics {

// Thread-safe. A scrape during Observe may see a value in the buckets and not yet in the sum; counts of one scrape
// always agree with each other.
class Histogram {
 public:
  // `bounds` are the upper bounds of the buckets, inclusive and rising; one more bucket takes what is above.
  explicit Histogram(std::vector<double> bounds);

  void Observe(double value);

  uint64_t Count() const;
  double Sum() const { return sum_.load(std::memory_order_relaxed); }
  prometheus::ClientMetric Collect() const;

 private:
  const std::vector<double> bounds_;
  const std::unique_ptr<std::atomic<uint64_t>[]> counts_;  // bounds_.size() + 1, not cumulative
  std::atomic<double> sum_{0.0};
};

// All histograms of one metric name, told apart by labels. Thread-safe.
class HistogramFamily final : public prometheus::Collectable {
 public:
  HistogramFamily(std::string name, std::string help, std::vector<double> bounds);

  // The histogram with these labels, made on first use. It lives until Remove. Takes a lock: call it when a model is
  // loaded, not per request.
  Histogram& Add(const prometheus::Labels& labels);
  // REQUIRES: nobody uses it any more.
  void Remove(const Histogram* histogram);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  struct Child {
    Child(prometheus::Labels child_labels, const std::vector<double>& bounds)
        : labels(std::move(child_labels)), histogram(bounds) {}
    const prometheus::Labels labels;
    Histogram histogram;
  };

  const std::string name_;
  const std::string help_;
  const std::vector<double> bounds_;
  mutable absl::Mutex mutex_;
  std::list<Child> children_ ABSL_GUARDED_BY(mutex_);  // a list: addresses stay
};

}  // namespace stillwave::metrics
