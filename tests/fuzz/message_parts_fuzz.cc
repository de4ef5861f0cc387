// libFuzzer: a request that passed the count takes memory in proportion to its bytes once it is parsed.
#include <google/protobuf/io/coded_stream.h>

#include <cstddef>
#include <cstdint>

#include "inference/open_inference_grpc.pb.h"
#include "server/base/check.h"
#include "server/service/message_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLargestPart = 512, kMessage = 1024, kPerByte = 16;
  google::protobuf::io::CodedInputStream bytes(data, static_cast<int>(size));
  const auto& type = *inference::ModelInferRequest::descriptor();
  if (!stillwave::service::CheckMessageParts(bytes, type).ok()) return 0;
  inference::ModelInferRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  SW_CHECK(request.SpaceUsedLong() <= kMessage + kLargestPart * stillwave::service::kMaxMessageParts + kPerByte * size);
  return 0;
}
