// The HTTP port: /metrics for Prometheus, /livez and /readyz for probes, a page for people.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/host_port.h"

namespace stillwave::metrics {

// GET (and HEAD) only:
//   /metrics  200, Prometheus' text format
//   /livez    200 "ok" as long as the process can answer
//   /readyz   200 "ok", or 503 and the reason
//   /         200, the status page (HTML), which draws /metrics and /status.json
//   /status.json  200, what the page shows beside metrics
//   others    404 and a line that names these
// Serves from construction to destruction on two threads of its own, for at most 1024 connections at the same time: one
// more takes the place of the oldest that has not sent its request. Thread-safe.
class MetricsEndpoint {
 public:
  struct Options {
    // Port 0: the system chooses one, port() tells which.
    base::HostPort address = {"127.0.0.1", 8002};
    // The body of /metrics. Required. Thread-safe.
    std::function<std::string()> metrics_text;
    // OK: ready; else the message is the reason. Required. Thread-safe.
    std::function<absl::Status()> readiness;
    // The body of /status.json, which is JSON. Required. Thread-safe.
    std::function<std::string()> status_json;
    // A client that has not sent its request and taken the response by then is cut off. Positive.
    absl::Duration io_timeout = absl::Seconds(5);
  };

  // Binds and starts to serve. UNAVAILABLE when the address cannot be bound (the port is taken, the host is not this
  // machine's).
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Create(Options options);

  // Stops listening, ends what is being served and joins the threads.
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // The port that is bound, also when 0 was asked for.
  int port() const;

 private:
  class Server;
  explicit MetricsEndpoint(std::unique_ptr<Server> server);
  const std::unique_ptr<Server> server_;
};

}  // namespace stillwave::metrics
