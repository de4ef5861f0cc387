// The parameters of a ModelInferRequest: those that mean something here, and the refusal of those that would be
// ignored although a client counts on them.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "inference/open_inference_grpc.pb.h"

namespace stillwave::service {

struct RequestOptions {
  // How long the client lets the request wait, beside the call's own deadline; from `timeout`, in microseconds, 0: no
  // limit.
  absl::Duration timeout = absl::InfiniteDuration();
  // 1 is served first; 0: the model's default.
  uint64_t priority = 0;
};

// `timeout` (int64) and `priority` (a whole number) are obeyed as the model's queue policy says.
// INVALID_ARGUMENT, naming the parameter, for a value of the wrong kind; for sequence_id, sequence_start and
// sequence_end unless they say "no sequence"; for classification of an output; for every other name that starts with
// `triton_`. Names that the protocol does not know are the client's own and pass; so does binary_data, which belongs to
// HTTP: outputs are raw in any case. What a tensor's parameters say of shared memory is read by shared_tensor.
//
// `triton_enable_empty_final_response` (bool) is taken: every request has one response, which is its final one.
absl::StatusOr<RequestOptions> ReadParameters(const inference::ModelInferRequest& request);

}  // namespace stillwave::service
