// The plans of one network, by input shapes.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/execution/execution_plan.h"
#include "server/execution/onednn/layout.h"
#include "server/execution/onednn/weight_cache.h"
#include "server/graph/graph.h"

namespace stillwave::execution {

// Thread-safe. Holds at most `capacity` plans whose primitives hold at most kMaxBytes (but always the newest) and drops
// the least recently used; a plan in use lives on until its last user lets go. Shapes that cannot be compiled are not
// remembered.
class PlanCache {
 public:
  static constexpr size_t kMaxBytes = size_t{128} << 20;

  // Told how long each compilation took, from the thread that compiled.
  using CompileObserver = std::function<void(absl::Duration)>;

  // Layers work in `element` where oneDNN can. REQUIRES: capacity > 0; onednn::HasBf16() for bf16.
  PlanCache(graph::Graph graph, size_t capacity, CompileObserver compiled = nullptr,
            onednn::Element element = onednn::Element::kFp32);

  // Compiles on the first call for these shapes; callers that ask for the same meanwhile wait for it. Errors as
  // CompilePlan.
  absl::StatusOr<std::shared_ptr<const ExecutionPlan>> Get(absl::Span<const tensor::Shape> input_shapes);

  // As Get, but compiles in any case and keeps nothing: for tools that measure how long that takes.
  absl::StatusOr<std::shared_ptr<const ExecutionPlan>> CompileAnew(absl::Span<const tensor::Shape> input_shapes);

  // A plan of another graph, which was made of this one and has its constants: a part of it, say. Its weights are
  // shared with the plans here; nothing else is kept. Errors as CompilePlan.
  absl::StatusOr<std::shared_ptr<const ExecutionPlan>> CompilePart(const graph::Graph& part,
                                                                   absl::Span<const tensor::Shape> input_shapes);

  // The output shapes for these input shapes, without compiling: cheap enough for a thread that must not block. Errors
  // as InferOutputShapes.
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes);

  // Drops the plan for these shapes, where there is one.
  void Drop(absl::Span<const tensor::Shape> input_shapes);

  // Lets go of weights that compiled plans use in packed form only, so that each weight is held once. Call it after
  // warm-up. REQUIRES: no other call at the same time.
  void ReleasePackedWeights();
  // Of packed weights and of the constants that are kept as the file has them, each counted once.
  size_t weight_bytes() const;

  size_t size() const;
  // Plans compiled since the start, for tests and metrics.
  int64_t compilations() const;

  // After ReleasePackedWeights some of its constants are stand-ins without elements, which only this cache can compile.
  const graph::Graph& graph() const { return graph_; }

 private:
  using Key = std::vector<tensor::Shape>;
  // Shapes are looked up without making a Key of them: a request allocates nothing here.
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(absl::Span<const tensor::Shape> shapes) const { return absl::HashOf(shapes); }
  };
  struct KeyEqual {
    using is_transparent = void;
    bool operator()(absl::Span<const tensor::Shape> a, absl::Span<const tensor::Shape> b) const { return a == b; }
  };
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

  graph::Graph graph_;  // changed by ReleasePackedWeights only
  const size_t capacity_;
  const CompileObserver compiled_;
  const onednn::Element element_;
  onednn::WeightCache weights_;

  mutable absl::Mutex mutex_;
  std::list<EntryPtr> recent_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<Key, std::list<EntryPtr>::iterator, KeyHash, KeyEqual> index_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of all entries
  int64_t compilations_ ABSL_GUARDED_BY(mutex_) = 0;
  // Known output shapes; emptied when full.
  absl::flat_hash_map<Key, std::vector<tensor::Shape>, KeyHash, KeyEqual> output_shapes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::execution
