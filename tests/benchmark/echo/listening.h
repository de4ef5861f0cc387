// Binding the echo server's port. Only for files that have grpc headers anyway.
#pragma once

#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace stillwave::benchmark {

struct Listening {
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

// With the limits that stillwave-server sets, so that both do the same work for a message.
inline absl::StatusOr<Listening> Listen(grpc::ServerBuilder& builder, const std::string& address) {
  constexpr int kMaxMessageBytes = 64 << 20;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 4096);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  Listening listening;
  listening.server = builder.BuildAndStart();
  if (listening.server == nullptr || port <= 0) {
    return absl::UnavailableError(absl::StrCat("--address must be free; cannot listen on ", address));
  }
  listening.address = absl::StrCat(absl::string_view(address).substr(0, address.rfind(':')), ":", port);
  return listening;
}

}  // namespace stillwave::benchmark
