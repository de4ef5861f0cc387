#include "server/service/shared_memory_calls.h"

#include <vector>

#include "server/base/status_macros.h"

namespace stillwave::service {
namespace {

using shared_memory::RegionInfo;
using shared_memory::RegionRegistry;

absl::Status CheckOn(const RegionRegistry* regions) {
  if (regions != nullptr) return absl::OkStatus();
  return absl::UnimplementedError(
      "shared memory is off; start the server with --shared_memory, or send tensors in raw_input_contents");
}

void Fill(const RegionInfo& info, inference::SystemSharedMemoryStatusResponse* response) {
  auto& status = (*response->mutable_regions())[info.name];
  status.set_name(info.name);
  status.set_key(info.key);
  status.set_offset(info.offset);
  status.set_byte_size(info.byte_size);
}

}  // namespace

absl::Status ListRegions(const RegionRegistry* regions, const inference::SystemSharedMemoryStatusRequest& request,
                         inference::SystemSharedMemoryStatusResponse* response) {
  RETURN_IF_ERROR(CheckOn(regions));
  if (request.name().empty()) {
    for (const RegionInfo& info : regions->List()) Fill(info, response);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto region, regions->Find(request.name()));
  Fill(region->info(), response);
  return absl::OkStatus();
}

absl::Status RegisterRegion(RegionRegistry* regions, const inference::SystemSharedMemoryRegisterRequest& request) {
  RETURN_IF_ERROR(CheckOn(regions));
  return regions->Register({request.name(), request.key(), request.offset(), request.byte_size()});
}

absl::Status UnregisterRegions(RegionRegistry* regions, const inference::SystemSharedMemoryUnregisterRequest& request) {
  RETURN_IF_ERROR(CheckOn(regions));
  if (request.name().empty()) {
    regions->UnregisterAll();
  } else {
    regions->Unregister(request.name());
  }
  return absl::OkStatus();
}

}  // namespace stillwave::service
