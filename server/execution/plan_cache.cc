#include "server/execution/plan_cache.h"

#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/execution/plan_compiler.h"

namespace stillwave::execution {
namespace {
constexpr size_t kMaxKnownShapes = 1024;
}  // namespace

PlanCache::PlanCache(graph::Graph graph, size_t capacity) : graph_(std::move(graph)), capacity_(capacity) {
  SW_CHECK(capacity > 0);
}

PlanCache::EntryPtr PlanCache::FindOrInsert(absl::Span<const tensor::Shape> input_shapes) {
  Key key(input_shapes.begin(), input_shapes.end());
  const absl::MutexLock lock(&mutex_);
  if (const auto found = index_.find(key); found != index_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return recent_.front();
  }
  if (recent_.size() >= capacity_) DropOldest();
  auto entry = std::make_shared<Entry>();
  entry->key = key;
  recent_.push_front(entry);
  index_.emplace(std::move(key), recent_.begin());
  return entry;
}

void PlanCache::DropOldest() {
  bytes_ -= recent_.back()->bytes;
  index_.erase(recent_.back()->key);
  recent_.pop_back();
}

void PlanCache::Count(const EntryPtr& entry, size_t bytes) {
  const absl::MutexLock lock(&mutex_);
  ++compilations_;
  const auto found = index_.find(entry->key);
  if (found == index_.end() || *found->second != entry) return;  // dropped meanwhile
  entry->bytes = bytes;
  bytes_ += bytes;
  while (bytes_ > kMaxBytes && recent_.size() > 1 && recent_.back() != entry) DropOldest();
}

void PlanCache::Forget(const EntryPtr& entry) {
  const absl::MutexLock lock(&mutex_);
  const auto found = index_.find(entry->key);
  if (found == index_.end() || *found->second != entry) return;
  bytes_ -= entry->bytes;
  recent_.erase(found->second);
  index_.erase(found);
}

absl::StatusOr<std::shared_ptr<const ExecutionPlan>> PlanCache::Get(absl::Span<const tensor::Shape> input_shapes) {
  const EntryPtr entry = FindOrInsert(input_shapes);
  const absl::MutexLock compiling(&entry->compiling);
  if (entry->plan != nullptr) return entry->plan;
  absl::StatusOr<std::shared_ptr<const ExecutionPlan>> plan = CompilePlan(graph_, input_shapes, weights_);
  if (!plan.ok()) {
    Forget(entry);
    return plan.status();
  }
  entry->plan = *plan;
  Count(entry, (*plan)->primitive_bytes());
  return plan;
}

absl::StatusOr<std::vector<tensor::Shape>> PlanCache::OutputShapes(absl::Span<const tensor::Shape> input_shapes) {
  Key key(input_shapes.begin(), input_shapes.end());
  {
    const absl::MutexLock lock(&mutex_);
    if (const auto found = output_shapes_.find(key); found != output_shapes_.end()) return found->second;
  }
  ASSIGN_OR_RETURN(std::vector<tensor::Shape> shapes, InferOutputShapes(graph_, input_shapes));
  const absl::MutexLock lock(&mutex_);
  if (output_shapes_.size() >= kMaxKnownShapes) output_shapes_.clear();
  output_shapes_.insert_or_assign(std::move(key), shapes);
  return shapes;
}

size_t PlanCache::size() const {
  const absl::MutexLock lock(&mutex_);
  return recent_.size();
}

int64_t PlanCache::compilations() const {
  const absl::MutexLock lock(&mutex_);
  return compilations_;
}

}  // namespace stillwave::execution
