#include "server/shared_memory/region_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::shared_memory {

absl::Status RegionRegistry::Register(RegionInfo info) {
  if (info.name.empty() || info.name.size() > kMaxNameLength) {
    return absl::InvalidArgumentError(absl::StrCat("name of a shared memory region must have 1 to ", kMaxNameLength,
                                                   " characters; had ", info.name.size()));
  }
  // Under the lock: of two that register one name, one is refused.
  absl::MutexLock lock(&mutex_);
  if (regions_.find(info.name) != regions_.end()) {
    return absl::AlreadyExistsError(absl::StrCat("shared memory region ", base::Quoted(info.name),
                                                 " must not be registered yet; unregister it first"));
  }
  if (regions_.size() >= kMaxRegions) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there must be at most ", kMaxRegions, " shared memory regions; all are in use"));
  }
  const std::string name = info.name;
  ASSIGN_OR_RETURN(regions_[name], Region::Open(std::move(info)));
  return absl::OkStatus();
}

void RegionRegistry::Unregister(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  const auto it = regions_.find(name);
  if (it != regions_.end()) regions_.erase(it);
}

void RegionRegistry::UnregisterAll() {
  absl::MutexLock lock(&mutex_);
  regions_.clear();
}

absl::StatusOr<std::shared_ptr<const Region>> RegionRegistry::Find(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto it = regions_.find(name);
  if (it != regions_.end()) return it->second;
  return absl::NotFoundError(absl::StrCat("shared memory region ", base::Quoted(name), " is not registered"));
}

std::vector<RegionInfo> RegionRegistry::List() const {
  absl::MutexLock lock(&mutex_);
  std::vector<RegionInfo> all;
  for (const auto& [name, region] : regions_) all.push_back(region->info());
  return all;
}

}  // namespace stillwave::shared_memory
