// The plans of one network, by input shapes.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "server/execution/execution_plan.h"
#include "server/execution/onednn/weight_cache.h"
#include "server/graph/graph.h"

namespace stillwave::execution {

// Thread-safe. Holds at most `capacity` plans whose primitives hold at most kMaxBytes (but always the newest) and drops
// the least recently used; a plan in use lives on until its last user lets go. Shapes that cannot be compiled are not
// remembered.
class PlanCache {
 public:
  static constexpr size_t kMaxBytes = size_t{128} << 20;

  // REQUIRES: capacity > 0.
  PlanCache(graph::Graph graph, size_t capacity);

  // Compiles on the first call for these shapes; callers that ask for the same meanwhile wait for it. Errors as
  // CompilePlan.
  absl::StatusOr<std::shared_ptr<const ExecutionPlan>> Get(absl::Span<const tensor::Shape> input_shapes);

  // The output shapes for these input shapes, without compiling: cheap enough for a thread that must not block. Errors
  // as InferOutputShapes.
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes);

  size_t size() const;
  // Plans compiled since the start, for tests and metrics.
  int64_t compilations() const;

  const graph::Graph& graph() const { return graph_; }

 private:
  using Key = std::vector<tensor::Shape>;
  struct Entry {
    Key key;
    size_t bytes = 0;  // guarded by the cache's mutex_; 0 until compiled
    absl::Mutex compiling;
    std::shared_ptr<const ExecutionPlan> plan ABSL_GUARDED_BY(compiling);
  };
  using EntryPtr = std::shared_ptr<Entry>;

  EntryPtr FindOrInsert(absl::Span<const tensor::Shape> input_shapes);
  void Forget(const EntryPtr& entry);
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(const EntryPtr& entry, size_t bytes);

  const graph::Graph graph_;
  const size_t capacity_;
  onednn::WeightCache weights_;

  mutable absl::Mutex mutex_;
  std::list<EntryPtr> recent_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<Key, std::list<EntryPtr>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of all entries
  int64_t compilations_ ABSL_GUARDED_BY(mutex_) = 0;
  // Known output shapes; emptied when full.
  absl::flat_hash_map<Key, std::vector<tensor::Shape>> output_shapes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::execution
