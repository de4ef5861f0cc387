#include "client/bench/request_encoding.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "inference/open_inference_grpc.grpc.pb.h"
#include "server/base/check.h"

namespace stillwave::client::bench {

absl::StatusOr<EncodedRequests> EncodeRequests(const std::string& model, const std::string& version,
                                               const std::vector<InferInputs>& inputs) {
  EncodedRequests requests;
  for (const InferInputs& tensors : inputs) {
    inference::ModelInferRequest request;
    request.set_model_name(model);
    request.set_model_version(version);
    for (const InputTensor& tensor : tensors) {
      auto& input = *request.add_inputs();
      input.set_name(tensor.name);
      input.set_datatype("FP32");
      for (const int64_t dim : tensor.shape) input.add_shape(dim);
      request.add_raw_input_contents(tensor.values.data(), tensor.values.size() * sizeof(float));
    }
    if (request.ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int>::max())) {
      return UsageError(
          absl::StrCat("a request must be under 2 GiB; was ", request.ByteSizeLong(), " bytes: use a smaller --batch"));
    }
    grpc::ByteBuffer bytes;
    bool own_buffer = false;
    SW_CHECK(grpc::SerializationTraits<inference::ModelInferRequest>::Serialize(request, &bytes, &own_buffer).ok());
    requests.push_back(std::move(bytes));
  }
  return requests;
}

}  // namespace stillwave::client::bench
