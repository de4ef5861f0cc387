// Tensors of the Open Inference Protocol: from a request's bytes to views, from outputs to a response's bytes.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/model/input_validation.h"
#include "server/model/model_signature.h"
#include "server/tensor/tensor.h"

namespace stillwave::service {

struct DecodedInputs {
  // In the request's order, not yet checked against a model. They point into the request or into `converted`.
  std::vector<model::ReceivedInput> inputs;
  // Typed contents whose wire type is wider than the tensor's (int32 for INT8, say).
  std::vector<tensor::Tensor> converted;
};

// Raw contents are used where they lie, without a copy, and so are typed contents of the tensor's own width. The
// request must outlive the result. INVALID_ARGUMENT, naming input, rule and value, for: raw and typed contents
// together, another number of raw entries than of inputs, an unknown datatype, a shape with too many or negative
// dimensions, typed contents in a field that does not belong to the datatype, a value that does not fit the datatype.
absl::StatusOr<DecodedInputs> DecodeInputs(const inference::ModelInferRequest& request);

// Appends outputs[i] for every i of `selected`, in that order, as raw contents.
// REQUIRES: outputs are those of `signature`, in its order.
void EncodeOutputs(const model::ModelSignature& signature, absl::Span<const size_t> selected,
                   absl::Span<const tensor::Tensor> outputs, inference::ModelInferResponse* response);

}  // namespace stillwave::service
