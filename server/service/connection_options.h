// What the server asks of a connection, and how much of gRPC's own memory connections may take together.
#pragma once

#include <cstdint>

namespace grpc {
class ServerBuilder;
}  // namespace grpc

namespace stillwave::service {

struct ConnectionOptions {
  // A connection from which nothing has come for so long is asked whether its peer is still there, and closed when no
  // answer comes in 20 seconds. Positive.
  int64_t keepalive_seconds = 60;
  // Bytes that gRPC may hold of messages that have not come whole and of answers that have not been taken.
  int64_t max_buffered_bytes = int64_t{512} << 20;
};

void SetConnectionOptions(const ConnectionOptions& options, grpc::ServerBuilder& builder);

}  // namespace stillwave::service
