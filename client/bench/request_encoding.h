// Requests as the bytes that are sent. Only for files that have grpc headers anyway.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/load_input.h"
#include "client/bench/unary_load.h"

namespace stillwave::client::bench {

// One ModelInferRequest for each of `inputs`, with raw contents. Usage error for a request of 2 GiB or more.
absl::StatusOr<EncodedRequests> EncodeRequests(const std::string& model, const std::string& version,
                                               const std::vector<InferInputs>& inputs);

}  // namespace stillwave::client::bench
