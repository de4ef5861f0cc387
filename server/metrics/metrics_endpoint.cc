#include "server/metrics/metrics_endpoint.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/status_macros.h"

namespace stillwave::metrics {
namespace {

constexpr char kPlainText[] = "text/plain; charset=utf-8";
constexpr char kPrometheusText[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr size_t kMaxRequestBody = 4096;  // no path here reads one
constexpr int kMaxThreads = 64;

struct HostPort {
  std::string host;
  int port = 0;
};

absl::StatusOr<HostPort> ParseAddress(absl::string_view address) {
  const auto invalid = [address](absl::string_view rule) {
    return absl::InvalidArgumentError(absl::StrCat("HTTP address ", rule, "; was '", address, "'"));
  };
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return invalid("must be host:port");
  absl::string_view host = address.substr(0, colon);
  int port = -1;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return invalid("must end in a port from 0 to 65535");
  }
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return invalid("must have an IPv6 host in brackets, as in [::1]:8002");
  }
  if (host.empty()) return invalid("must be host:port");
  return HostPort{std::string(host), port};
}

// The library's default also sets SO_REUSEPORT, with which a second server on a taken port would seem to start.
void SetSocketOptions(int socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

}  // namespace

class MetricsEndpoint::Server {
 public:
  explicit Server(Options options) : options_(std::move(options)) {
    http_.set_socket_options(SetSocketOptions);
    http_.set_payload_max_length(kMaxRequestBody);
    const auto timeout = absl::ToChronoMicroseconds(options_.io_timeout);
    http_.set_read_timeout(timeout);
    http_.set_write_timeout(timeout);
    // A kept connection would hold one of the few threads; probes and scrapes are seldom enough to connect anew.
    http_.set_keep_alive_max_count(1);
    http_.new_task_queue = [threads = options_.threads] {
      return new httplib::ThreadPool(static_cast<size_t>(threads));
    };
    Route();
  }

  ~Server() {
    http_.stop();
    if (listener_.joinable()) listener_.join();
  }

  absl::Status Start() {
    ASSIGN_OR_RETURN(const HostPort address, ParseAddress(options_.address));
    errno = 0;
    port_ = address.port == 0                                ? http_.bind_to_any_port(address.host)
            : http_.bind_to_port(address.host, address.port) ? address.port
                                                             : -1;
    if (port_ <= 0) return CannotBind(errno);
    listener_ = std::thread([this] {
      http_.listen_after_bind();
      ended_ = true;
    });
    // stop() does nothing on a server that does not run yet, so wait the few microseconds until it does.
    while (!http_.is_running() && !ended_) std::this_thread::yield();
    return absl::OkStatus();
  }

  int port() const { return port_; }

 private:
  absl::Status CannotBind(int error) const {
    const char* reason = error == EADDRINUSE ? "the port is taken by another process"
                         : error != 0        ? std::strerror(error)
                                             : "the host is not an address of this machine";
    return absl::UnavailableError(absl::StrCat("HTTP address ", options_.address, " cannot be bound: ", reason));
  }

  void Route() {
    http_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(options_.metrics_text(), kPrometheusText);
    });
    http_.Get("/livez",
              [](const httplib::Request&, httplib::Response& response) { response.set_content("ok\n", kPlainText); });
    http_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const absl::Status ready = options_.readiness();
      if (!ready.ok()) response.status = 503;
      response.set_content(ready.ok() ? "ok\n" : absl::StrCat(ready.message(), "\n"), kPlainText);
    });
    http_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.status != 404) return;
      response.set_content("not found; this port serves GET /metrics, /livez and /readyz\n", kPlainText);
    });
  }

  const Options options_;
  httplib::Server http_;
  int port_ = 0;
  std::atomic<bool> ended_{false};
  std::thread listener_;
};

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Create(Options options) {
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("HTTP threads must be 1 to ", kMaxThreads, "; was ", options.threads));
  }
  if (options.io_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("HTTP io_timeout must be positive; was ", absl::FormatDuration(options.io_timeout)));
  }
  auto server = std::make_unique<Server>(std::move(options));
  RETURN_IF_ERROR(server->Start());
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(server)));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Server> server) : server_(std::move(server)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

int MetricsEndpoint::port() const { return server_->port(); }

}  // namespace stillwave::metrics
