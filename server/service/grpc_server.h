// The gRPC port: all services, health and reflection on one address.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/metrics/server_metrics.h"
#include "server/repository/model_repository.h"
#include "server/service/connection_options.h"
#include "server/service/lifecycle.h"

namespace stillwave::service {

// Serves from construction to destruction. Thread-safe.
class GrpcServer {
 public:
  // Neither a request nor a response may be larger; gRPC answers RESOURCE_EXHAUSTED.
  static constexpr int kMaxMessageBytes = 64 << 20;

  struct Options {
    // host:port, [IPv6]:port. Port 0: the system chooses one, address() tells which.
    std::string address;
    int64_t max_streams = 256;
    int64_t max_series_per_stream = 256;
    ConnectionOptions connections;
    // Of requests that wait or are computed.
    int64_t max_request_bytes = int64_t{512} << 20;
    // Clients may pass tensors in POSIX shared memory.
    bool shared_memory = false;
    int workers = 1;
  };

  // The pointers outlive the server. UNAVAILABLE when the address cannot be bound; a port that another process listens
  // on is never shared.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Create(const Options& options,
                                                            repository::ModelRepository* repository,
                                                            const Lifecycle* lifecycle,
                                                            metrics::ServerMetrics* metrics);
  // As Finish with no time to spare.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // With the port that is bound.
  const std::string& address() const;

  // Tells those who watch health what the lifecycle says now. Call it after each change of the lifecycle.
  void UpdateHealth();

  // Accepts no more connections, lets streams end with what they have, and blocks until then, but for no longer than
  // `patience`; other calls are served meanwhile. Call it before Finish: there clients are told to go, and gRPC closes
  // each connection behind its last call. The client of a stream may be sending still then; what it had not received
  // yet would be lost, since a socket that is closed with data unread throws away what it was to send.
  // REQUIRES: Lifecycle::RefuseStreams was called.
  void EndStreams(absl::Duration patience);

  // Accepts no more calls, lets the accepted ones finish, and blocks until then; calls that are not done after
  // `patience` are cancelled. REQUIRES: Lifecycle::RefuseWork was called.
  void Finish(absl::Duration patience);

 private:
  class Impl;  // keeps gRPC's headers out of this one
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace stillwave::service
