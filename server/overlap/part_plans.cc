#include "server/overlap/part_plans.h"

#include "server/base/status_macros.h"

namespace stillwave::overlap {

std::shared_ptr<PartPlans::Entry> PartPlans::FindOrInsert(const Key& key) {
  const absl::MutexLock lock(&mutex_);
  std::shared_ptr<Entry>& entry = entries_[key];
  if (entry == nullptr) entry = std::make_shared<Entry>();
  return entry;
}

absl::StatusOr<PartPlans::PlanPtr> PartPlans::Get(const Key& key,
                                                  absl::FunctionRef<absl::StatusOr<PlanPtr>()> compile) {
  const std::shared_ptr<Entry> entry = FindOrInsert(key);
  const absl::MutexLock compiling(&entry->compiling);
  if (entry->plan == nullptr) {
    ASSIGN_OR_RETURN(entry->plan, compile());
  }
  return entry->plan;
}

}  // namespace stillwave::overlap
