// The compiled plans of a network's parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/execution/execution_plan.h"

namespace stillwave::overlap {

// Each plan is compiled once, by who asks for it first; who asks for the same meanwhile waits, and nobody else does.
// What could not be compiled is tried again by the next. Thread-safe.
class PartPlans {
 public:
  using PlanPtr = std::shared_ptr<const execution::ExecutionPlan>;
  // Which part, for how many rows, of pieces of how many samples.
  using Key = std::tuple<size_t, int64_t, int64_t>;

  absl::StatusOr<PlanPtr> Get(const Key& key, absl::FunctionRef<absl::StatusOr<PlanPtr>()> compile);

 private:
  struct Entry {
    absl::Mutex compiling;
    PlanPtr plan ABSL_GUARDED_BY(compiling);
  };

  std::shared_ptr<Entry> FindOrInsert(const Key& key);

  absl::Mutex mutex_;
  absl::flat_hash_map<Key, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::overlap
