// Takes a ModelInferResponse apart into rows.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "client/stillwave_client.h"

namespace inference {
class ModelInferResponse;
}  // namespace inference

namespace stillwave::client {

// Outputs come as raw bytes or as typed contents; each must have `rows` as its first dimension. INTERNAL, naming the
// output, when bytes or shape are not as the protocol wants them or the datatype is not a number.
absl::StatusOr<InferAnswer> DecodeInferResponse(const inference::ModelInferResponse& response, int64_t rows);

}  // namespace stillwave::client
