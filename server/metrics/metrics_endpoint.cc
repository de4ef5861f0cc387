#include "server/metrics/metrics_endpoint.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/base/tcp_listener.h"
#include "server/metrics/http_connection.h"

namespace stillwave::metrics {
namespace {

constexpr char kPlainText[] = "text/plain; charset=utf-8";
constexpr char kPrometheusText[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kMaxOpenConnections = 1024;

// Fewer than the gRPC port leaves free: probes are answered when its connections have taken all they may.
constexpr int64_t kFreeHttpDescriptors = 16;

struct HttpAddress {
  std::string host;
  int port = 0;
};

absl::StatusOr<HttpAddress> ParseAddress(absl::string_view address) {
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
  return HttpAddress{std::string(host), port};
}

}  // namespace

// One thread waits for all connections at once, so that one that says nothing takes nobody's place.
class MetricsEndpoint::Server {
 public:
  explicit Server(Options options) : options_(std::move(options)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    SW_CHECK(wake_ >= 0);
  }

  ~Server() {
    if (listener_ != nullptr) listener_->Stop();
    stopping_ = true;
    SW_CHECK(eventfd_write(wake_, 1) == 0);
    if (thread_.joinable()) thread_.join();
    for (const int descriptor : arrived_) close(descriptor);
    close(wake_);
  }

  absl::Status Start() {
    ASSIGN_OR_RETURN(const HttpAddress address, ParseAddress(options_.address));
    auto listener = base::TcpListener::Create(address.host, address.port);
    if (!listener.ok()) {
      return absl::UnavailableError(
          absl::StrCat("HTTP address ", options_.address, " cannot be bound: ", listener.status().message()));
    }
    listener_ = *std::move(listener);
    thread_ = std::thread([this] { Run(); });
    listener_->Start(
        /*take=*/
        [this](int descriptor) {
          absl::MutexLock lock(&mutex_);
          arrived_.push_back(descriptor);
          SW_CHECK(eventfd_write(wake_, 1) == 0);
        },
        kFreeHttpDescriptors);
    return absl::OkStatus();
  }

  int port() const { return listener_->port(); }

 private:
  using Connections = std::list<HttpConnection>;  // the oldest first

  void Run() {
    Connections connections;
    std::vector<pollfd> watched;
    while (!stopping_) {
      watched.assign(1, {wake_, POLLIN, 0});
      for (const HttpConnection& connection : connections) {
        watched.push_back({connection.descriptor(), connection.events(), 0});
      }
      // All have the same patience: the oldest is the first to lose it.
      const auto patience =
          connections.empty()
              ? int64_t{-1}
              : std::max<int64_t>(0, absl::ToInt64Milliseconds(connections.front().deadline() - absl::Now()) + 1);
      poll(watched.data(), watched.size(), static_cast<int>(std::min<int64_t>(patience, 60'000)));
      size_t index = 1;
      const absl::Time now = absl::Now();
      for (auto it = connections.begin(); it != connections.end(); ++index) {
        const bool advances = watched[index].revents == 0 || it->Advance(answer_);
        it = advances && it->deadline() > now ? std::next(it) : connections.erase(it);
      }
      if (watched[0].revents != 0) TakeArrived(connections);
    }
  }

  void TakeArrived(Connections& connections) {
    eventfd_t ignored = 0;
    eventfd_read(wake_, &ignored);
    std::vector<int> arrived;
    {
      absl::MutexLock lock(&mutex_);
      arrived.swap(arrived_);
    }
    const absl::Time deadline = absl::Now() + options_.io_timeout;
    for (const int descriptor : arrived) {
      if (connections.size() >= kMaxOpenConnections) MakeRoom(connections);
      connections.emplace_back(descriptor, deadline);
      // Most requests have come by now.
      if (!connections.back().Advance(answer_)) connections.pop_back();
    }
  }

  // A client in earnest sends its request at once.
  static void MakeRoom(Connections& connections) {
    const auto silent = std::find_if(connections.begin(), connections.end(),
                                     [](const HttpConnection& connection) { return connection.reading(); });
    connections.erase(silent == connections.end() ? connections.begin() : silent);
  }

  HttpResponse Respond(const HttpRequest& request) const {
    const bool get = request.method == "GET" || request.method == "HEAD";
    if (get && request.path == "/metrics") return {200, kPrometheusText, options_.metrics_text()};
    if (get && request.path == "/livez") return {200, kPlainText, "ok\n"};
    if (get && request.path == "/readyz") {
      const absl::Status ready = options_.readiness();
      if (ready.ok()) return {200, kPlainText, "ok\n"};
      return {503, kPlainText, absl::StrCat(ready.message(), "\n")};
    }
    return {404, kPlainText, "not found; this port serves GET /metrics, /livez and /readyz\n"};
  }

  const Options options_;
  const HttpConnection::Answer answer_ = [this](const HttpRequest& request) { return Respond(request); };
  const int wake_;
  std::atomic<bool> stopping_{false};
  absl::Mutex mutex_;
  std::vector<int> arrived_ ABSL_GUARDED_BY(mutex_);  // not yet the thread's
  std::unique_ptr<base::TcpListener> listener_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Create(Options options) {
  if (options.io_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("HTTP io_timeout must be positive; was ", absl::FormatDuration(options.io_timeout)));
  }
  auto server = std::make_unique<Server>(std::move(options));
  if (absl::Status status = server->Start(); !status.ok()) return status;
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(server)));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Server> server) : server_(std::move(server)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

int MetricsEndpoint::port() const { return server_->port(); }

}  // namespace stillwave::metrics
