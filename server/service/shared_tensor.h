// The parameters that say that a tensor lies in shared memory: shared_memory_region, shared_memory_byte_size,
// shared_memory_offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/shared_memory/region.h"
#include "server/shared_memory/region_registry.h"

namespace stillwave::service {

using TensorParameters = google::protobuf::Map<std::string, inference::InferParameter>;

// Where a tensor's bytes lie. Keeps the region.
struct SharedTensor {
  std::shared_ptr<const shared_memory::Region> region;
  uint64_t offset = 0;     // in the region
  uint64_t byte_size = 0;  // positive; they lie inside of the region
};

// Nothing when the parameters do not speak of shared memory. INVALID_ARGUMENT when they do and `regions` is null
// (shared memory is off), when they are incomplete or of the wrong kind, or when the bytes do not lie inside of the
// region; NOT_FOUND for a region that is not registered. The message names the region or parameter, not the tensor.
absl::StatusOr<std::optional<SharedTensor>> FindSharedTensor(const TensorParameters& parameters,
                                                             const shared_memory::RegionRegistry* regions);

// For the outputs that a request names, in its order; empty when none of them goes to shared memory. Errors as above,
// with the output's name in front.
absl::StatusOr<std::vector<std::optional<SharedTensor>>> FindSharedOutputs(
    const inference::ModelInferRequest& request, const shared_memory::RegionRegistry* regions);

}  // namespace stillwave::service
