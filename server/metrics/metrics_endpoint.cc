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
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/base/check.h"
#include "server/base/tcp_listener.h"
#include "server/metrics/http_connection.h"
#include "server/metrics/status_page.h"

namespace stillwave::metrics {
namespace {

constexpr char kPlainText[] = "text/plain; charset=utf-8";
constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr char kJson[] = "application/json";
constexpr char kPrometheusText[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kMaxOpenConnections = 1024;

// Fewer than the gRPC port leaves free: probes are answered when its connections have taken all they may.
constexpr int64_t kFreeHttpDescriptors = 16;

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
    const auto& [host, port] = options_.address;
    auto listener = base::TcpListener::Create(host, port);
    if (!listener.ok()) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", host, ":", port, ": ", listener.status().message()));
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
    if (get && request.path == "/") return {200, kHtml, std::string(StatusPageHtml())};
    if (get && request.path == "/status.json") return {200, kJson, options_.status_json()};
    return {404, kPlainText, "not found; this port serves GET /, /status.json, /metrics, /livez and /readyz\n"};
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
