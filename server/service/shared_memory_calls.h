// SystemSharedMemoryStatus, -Register and -Unregister on the registry of regions.
#pragma once

#include "absl/status/status.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/shared_memory/region_registry.h"

namespace stillwave::service {

// In all of them `regions` is null when shared memory is off: UNIMPLEMENTED, with how to turn it on.

// The region that the request names (NOT_FOUND when it is not registered), or all.
absl::Status ListRegions(const shared_memory::RegionRegistry* regions,
                         const inference::SystemSharedMemoryStatusRequest& request,
                         inference::SystemSharedMemoryStatusResponse* response);

absl::Status RegisterRegion(shared_memory::RegionRegistry* regions,
                            const inference::SystemSharedMemoryRegisterRequest& request);

// The region that the request names, or all. OK when it is not registered.
absl::Status UnregisterRegions(shared_memory::RegionRegistry* regions,
                               const inference::SystemSharedMemoryUnregisterRequest& request);

}  // namespace stillwave::service
