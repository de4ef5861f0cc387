// The parameters of a ModelInferRequest: those that mean something here, and the refusal of those that would be
// ignored although a client counts on them.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "inference/open_inference_grpc.pb.h"

namespace stillwave::service {

struct RequestOptions {
  // How long the client wants to wait, beside the call's own deadline; from `timeout`, in microseconds, 0: no limit.
  absl::Duration timeout = absl::InfiniteDuration();
};

// `timeout` (int64) is obeyed. `priority` (a whole number) is taken and changes nothing: all requests have the same.
// INVALID_ARGUMENT, naming the parameter, for a value of the wrong kind; for sequence_id, sequence_start and
// sequence_end unless they say "no sequence"; for shared memory and classification of a tensor; for every other name
// that starts with `triton_`. Names that the protocol does not know are the client's own and pass.
absl::StatusOr<RequestOptions> ReadParameters(const inference::ModelInferRequest& request);

}  // namespace stillwave::service
