#include "server/metrics/histogram.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/base/check.h"

namespace stillwave::metrics {

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(std::make_unique<std::atomic<uint64_t>[]>(bounds_.size() + 1)) {
  SW_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::Observe(double value) {
  // A bucket holds what is <= its bound, so the first bound that is not below the value is the one.
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
  }
}

uint64_t Histogram::Count() const {
  uint64_t count = 0;
  for (size_t i = 0; i <= bounds_.size(); ++i) count += counts_[i].load(std::memory_order_relaxed);
  return count;
}

prometheus::ClientMetric Histogram::Collect() const {
  prometheus::ClientMetric metric;
  uint64_t cumulative = 0;
  for (size_t i = 0; i <= bounds_.size(); ++i) {
    cumulative += counts_[i].load(std::memory_order_relaxed);
    const double bound = i < bounds_.size() ? bounds_[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = Sum();
  return metric;
}

HistogramFamily::HistogramFamily(std::string name, std::string help, std::vector<double> bounds)
    : name_(std::move(name)), help_(std::move(help)), bounds_(std::move(bounds)) {}

Histogram& HistogramFamily::Add(const prometheus::Labels& labels) {
  absl::MutexLock lock(&mutex_);
  for (Child& child : children_) {
    if (child.labels == labels) return child.histogram;
  }
  return children_.emplace_back(labels, bounds_).histogram;
}

void HistogramFamily::Remove(const Histogram* histogram) {
  absl::MutexLock lock(&mutex_);
  children_.remove_if([histogram](const Child& child) { return &child.histogram == histogram; });
}

std::vector<prometheus::MetricFamily> HistogramFamily::Collect() const {
  prometheus::MetricFamily family{name_, help_, prometheus::MetricType::Histogram, {}};
  absl::MutexLock lock(&mutex_);
  for (const Child& child : children_) {
    prometheus::ClientMetric metric = child.histogram.Collect();
    for (const auto& [name, value] : child.labels) metric.label.push_back({name, value});
    family.metric.push_back(std::move(metric));
  }
  return {std::move(family)};
}

}  // namespace stillwave::metrics
