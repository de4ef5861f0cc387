// Tensors of the Open Inference Protocol: from a request's bytes to views, from outputs to a response's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/model/input_validation.h"
#include "server/model/model_signature.h"
#include "server/service/shared_tensor.h"
#include "server/shared_memory/region_registry.h"
#include "server/tensor/tensor.h"

namespace stillwave::service {

struct DecodedInputs {
  // In the request's order, not yet checked against a model. They point into the request or into `converted`.
  std::vector<model::ReceivedInput> inputs;
  // Typed contents whose wire type is wider than the tensor's (int32 for INT8, say), and what lay in shared memory.
  std::vector<tensor::Tensor> converted;
};

// Bytes that the inputs of one request may have in shared memory: as many as a message may have.
inline constexpr int64_t kMaxSharedInputBytes = int64_t{64} << 20;

// Raw contents are used where they lie, without a copy, and so are typed contents of the tensor's own width. Inputs of
// shared memory are copied out of it: what was checked does not change any more. The request must outlive the result.
// `regions` is null when shared memory is off. INVALID_ARGUMENT, naming input, rule and value, for: raw and typed
// contents together, another number of raw entries than of inputs outside of shared memory, an unknown datatype, a
// shape with too many or negative dimensions, typed contents in a field that does not belong to the datatype, a value
// that does not fit the datatype, more than kMaxSharedInputBytes of shared memory; else as FindSharedTensor.
absl::StatusOr<DecodedInputs> DecodeInputs(const inference::ModelInferRequest& request,
                                           const shared_memory::RegionRegistry* regions);

// Appends outputs[i] for every i of `selected`, in that order: as raw contents, or in the shared memory of `places` at
// the same position, with an empty entry of raw contents. `places` is empty or as long as `selected`.
// INVALID_ARGUMENT when an output does not fit where it should go.
// REQUIRES: outputs are those of `signature`, in its order.
absl::Status EncodeOutputs(const model::ModelSignature& signature, absl::Span<const size_t> selected,
                           absl::Span<const std::optional<SharedTensor>> places,
                           absl::Span<const tensor::Tensor> outputs, inference::ModelInferResponse* response);

}  // namespace stillwave::service
