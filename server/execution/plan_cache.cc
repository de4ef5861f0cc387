#include "server/execution/plan_cache.h"

#include <utility>
#include <variant>

#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/execution/plan_compiler.h"

namespace stillwave::execution {
namespace {

constexpr size_t kMaxKnownShapes = 1024;

// True for values that nodes read as weights only, in the place that plans pack.
std::vector<bool> FindWeights(const graph::Graph& graph) {
  std::vector<bool> is_weight(graph.values().size(), true);
  for (const graph::ValueId id : graph.outputs()) is_weight[static_cast<size_t>(id)] = false;
  for (const graph::Node& node : graph.nodes()) {
    const bool packs = std::holds_alternative<graph::Conv>(node.op) || std::holds_alternative<graph::Gemm>(node.op) ||
                       std::holds_alternative<graph::MatMul>(node.op);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != graph::kNoValue && !(packs && i == 1))
        is_weight[static_cast<size_t>(node.inputs[i])] = false;
    }
  }
  return is_weight;
}

}  // namespace

PlanCache::PlanCache(graph::Graph graph, size_t capacity, CompileObserver compiled, onednn::Element element)
    : graph_(std::move(graph)), capacity_(capacity), compiled_(std::move(compiled)), element_(element) {
  SW_CHECK(capacity > 0);
}

PlanCache::EntryPtr PlanCache::FindOrInsert(absl::Span<const tensor::Shape> input_shapes) {
  const absl::MutexLock lock(&mutex_);
  if (const auto found = index_.find(input_shapes); found != index_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return recent_.front();
  }
  if (recent_.size() >= capacity_) DropOldest();
  Key key(input_shapes.begin(), input_shapes.end());
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
  const absl::Time start = absl::Now();
  absl::StatusOr<std::shared_ptr<const ExecutionPlan>> plan = CompilePlan(graph_, input_shapes, weights_, element_);
  if (!plan.ok()) {
    Forget(entry);
    return plan.status();
  }
  if (compiled_) compiled_(absl::Now() - start);
  entry->plan = *plan;
  Count(entry, (*plan)->primitive_bytes());
  weights_.DropUnused();  // of plans that this one drove out
  return plan;
}

absl::StatusOr<std::shared_ptr<const ExecutionPlan>> PlanCache::CompileAnew(
    absl::Span<const tensor::Shape> input_shapes) {
  return CompilePlan(graph_, input_shapes, weights_, element_);
}

absl::StatusOr<std::shared_ptr<const ExecutionPlan>> PlanCache::CompilePart(
    const graph::Graph& part, absl::Span<const tensor::Shape> input_shapes) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::shared_ptr<const ExecutionPlan>> plan = CompilePlan(part, input_shapes, weights_, element_);
  if (plan.ok() && compiled_) compiled_(absl::Now() - start);
  return plan;
}

absl::StatusOr<std::vector<tensor::Shape>> PlanCache::OutputShapes(absl::Span<const tensor::Shape> input_shapes) {
  {
    const absl::MutexLock lock(&mutex_);
    if (const auto found = output_shapes_.find(input_shapes); found != output_shapes_.end()) return found->second;
  }
  ASSIGN_OR_RETURN(std::vector<tensor::Shape> shapes, InferOutputShapes(graph_, input_shapes));
  const absl::MutexLock lock(&mutex_);
  if (output_shapes_.size() >= kMaxKnownShapes) output_shapes_.clear();
  output_shapes_.insert_or_assign(Key(input_shapes.begin(), input_shapes.end()), shapes);
  return shapes;
}

void PlanCache::Drop(absl::Span<const tensor::Shape> input_shapes) {
  const absl::MutexLock lock(&mutex_);
  const auto found = index_.find(input_shapes);
  if (found == index_.end()) return;
  bytes_ -= (*found->second)->bytes;
  recent_.erase(found->second);
  index_.erase(found);
}

void PlanCache::ReleasePackedWeights() {
  weights_.DropUnused();
  const std::vector<bool> is_weight = FindWeights(graph_);
  // Exporters let several values share one tensor.
  absl::flat_hash_map<const tensor::Tensor*, std::shared_ptr<const tensor::Tensor>> stand_ins;
  for (size_t i = 0; i < is_weight.size(); ++i) {
    std::shared_ptr<const tensor::Tensor>& constant = graph_.mutable_value(static_cast<graph::ValueId>(i)).constant;
    if (constant == nullptr || !is_weight[i]) continue;
    const auto [known, is_new] = stand_ins.try_emplace(constant.get());
    if (is_new) known->second = weights_.Release(constant);
    if (known->second != nullptr) constant = known->second;
  }
}

size_t PlanCache::weight_bytes() const {
  absl::flat_hash_set<const tensor::Tensor*> seen;
  size_t bytes = weights_.packed_bytes();
  for (const graph::Value& value : graph_.values()) {
    if (value.constant != nullptr && seen.insert(value.constant.get()).second) bytes += value.constant->byte_size();
  }
  return bytes;
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
