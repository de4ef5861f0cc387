#include "server/service/connection_options.h"

#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

namespace stillwave::service {
namespace {

constexpr int64_t kMillisecondsPerSecond = 1000;

// gRPC's clients look at an idle connection every 5 seconds only.
constexpr int kKeepaliveTimeoutMilliseconds = 20'000;

// A client that connects and says nothing holds a descriptor only for so long; gRPC's default is two minutes.
constexpr int kHandshakeMilliseconds = 10'000;

// Clients keep connections alive through balancers with pings every 10 or 30 seconds. By default gRPC takes more than
// one in five minutes for an attack and closes the connection ("too_many_pings").
constexpr int kMinClientPingMilliseconds = 5'000;

// More calls on one connection wait at the client.
constexpr int kMaxCallsPerConnection = 4096;

}  // namespace

void SetConnectionOptions(const ConnectionOptions& options, grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             static_cast<int>(options.keepalive_seconds * kMillisecondsPerSecond));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMilliseconds);
  // A peer that is gone has mostly no call open, and has sent its last byte long ago.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinClientPingMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection);
  builder.SetResourceQuota(grpc::ResourceQuota("connections").Resize(static_cast<size_t>(options.max_buffered_bytes)));
}

}  // namespace stillwave::service
