// libFuzzer: any message is a request whose tensors are those that it states, or an error; never a crash, and never a
// view of bytes that are not there.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "inference/open_inference_grpc.pb.h"
#include "server/base/check.h"
#include "server/model/input_validation.h"
#include "server/service/request_parameters.h"
#include "server/service/shared_tensor.h"
#include "server/service/tensor_codec.h"
#include "server/shared_memory/region_registry.h"

namespace stillwave::service {
namespace {

// Inputs of a kind that messages of the corpus fit: a dynamic time axis, a narrow type, a fixed shape.
const model::ModelSignature& Signature() {
  using tensor::DataType;
  static const auto* const signature =
      new model::ModelSignature{.inputs = {{"x", DataType::kFloat32, {-1, 3, -1}}, {"i", DataType::kInt8, {-1, 2}}},
                                .outputs = {{"y", DataType::kFloat32, {-1, 5}}}};
  return *signature;
}

// Touches every byte, so that a sanitizer sees one that is not there.
unsigned Sum(const void* data, size_t size) {
  unsigned sum = 0;
  for (size_t i = 0; i < size; ++i) sum += static_cast<const unsigned char*>(data)[i];
  return sum;
}

void Check(const inference::ModelInferRequest& request, const shared_memory::RegionRegistry* regions) {
  ReadParameters(request).status().IgnoreError();
  FindSharedOutputs(request, regions).status().IgnoreError();
  const auto decoded = DecodeInputs(request, regions);
  if (!decoded.ok()) return;
  SW_CHECK(decoded->inputs.size() == static_cast<size_t>(request.inputs_size()));
  unsigned sum = 0;
  for (const model::ReceivedInput& input : decoded->inputs) sum += Sum(input.data, input.byte_size);
  const auto valid = model::ValidateInputs(Signature(), /*max_batch_size=*/8, decoded->inputs);
  if (!valid.ok()) return;
  SW_CHECK(valid->samples >= 1 && valid->samples <= 8);
  for (const tensor::TensorView& view : valid->views) sum -= Sum(view.data, view.byte_size());
  SW_CHECK(sum == 0);  // each input once, and all of it
}

}  // namespace
}  // namespace stillwave::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const regions = new stillwave::shared_memory::RegionRegistry();  // none is registered
  inference::ModelInferRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  stillwave::service::Check(request, regions);
  stillwave::service::Check(request, /*regions=*/nullptr);
  return 0;
}
