// A request of gRPC that is looked at before it is parsed, and handlers that take such requests.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/server_callback.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/service/grpc_status.h"
#include "server/service/message_parts.h"

namespace stillwave::service {

// gRPC by itself answers a message that cannot be parsed with UNIMPLEMENTED and no word, and takes one on a stream for
// the stream's end.
template <typename Message>
struct Received {
  Message message;
  // INVALID_ARGUMENT: `message` was refused before it was parsed, or could not be.
  absl::Status status;
};

// The position of a method in its service, as grpc::Service counts them. REQUIRES: both exist.
inline int MethodIndex(const char* service, const std::string& method) {
  const auto* const descriptor = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
  SW_CHECK(descriptor != nullptr && descriptor->FindMethodByName(method) != nullptr);
  return descriptor->FindMethodByName(method)->index();
}

// For grpc::Service::MarkMethodCallback, which owns it: `method` of `service`, whose requests are bounded.
template <typename Service, typename Request, typename Response>
grpc::internal::MethodHandler* BoundedUnary(Service* service,
                                            grpc::ServerUnaryReactor* (Service::*method)(grpc::CallbackServerContext*,
                                                                                         const Request*, Response*)) {
  return new grpc::internal::CallbackUnaryHandler<Received<Request>, Response>(
      [service, method](grpc::CallbackServerContext* context, const Received<Request>* request,
                        Response* response) -> grpc::ServerUnaryReactor* {
        if (request->status.ok()) return (service->*method)(context, &request->message, response);
        grpc::ServerUnaryReactor* const refused = context->DefaultReactor();
        refused->Finish(ToGrpcStatus(request->status));
        return refused;
      });
}

}  // namespace stillwave::service

namespace grpc {

template <typename Message>
class SerializationTraits<stillwave::service::Received<Message>, void> {
 public:
  static Status Deserialize(ByteBuffer* buffer, stillwave::service::Received<Message>* received) {
    {
      ProtoBufferReader reader(buffer);
      google::protobuf::io::CodedInputStream bytes(&reader);
      received->status = stillwave::service::CheckMessageParts(bytes, *Message::descriptor());
    }
    if (!received->status.ok()) {
      buffer->Clear();
    } else if (!SerializationTraits<Message>::Deserialize(buffer, &received->message).ok()) {
      received->status = absl::InvalidArgumentError(
          absl::StrCat("the request must be a ", Message::descriptor()->full_name(), "; its bytes are none"));
    }
    return Status::OK;
  }
};

}  // namespace grpc
