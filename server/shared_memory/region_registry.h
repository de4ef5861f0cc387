// The regions of shared memory that clients have registered, by name.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/shared_memory/region.h"

namespace stillwave::shared_memory {

// Thread-safe.
class RegionRegistry {
 public:
  // Each holds a file descriptor, of which connections need some too.
  static constexpr size_t kMaxRegions = 256;
  static constexpr size_t kMaxNameLength = 255;

  // ALREADY_EXISTS for a name that is registered, RESOURCE_EXHAUSTED for one region too many, INVALID_ARGUMENT for a
  // name that is empty or too long; else as Region::Open.
  absl::Status Register(RegionInfo info);

  // A request that uses a region keeps it. Names that are not registered are none the less so afterwards.
  void Unregister(absl::string_view name);
  void UnregisterAll();

  // NOT_FOUND for a name that is not registered.
  absl::StatusOr<std::shared_ptr<const Region>> Find(absl::string_view name) const;
  // By name.
  std::vector<RegionInfo> List() const;

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Region>, std::less<>> regions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::shared_memory
