#include "server/base/tcp_listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/descriptor_limit.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"

namespace stillwave::base {
namespace {

// While descriptors are short: how long connections wait before accepting is tried again.
constexpr int kShortageMilliseconds = 100;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = AF_UNSPEC;
};

bool IsWildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

SocketAddress Ipv6Wildcard() {
  SocketAddress address;
  auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  ipv6->sin6_family = AF_INET6;
  ipv6->sin6_addr = in6addr_any;
  address.size = sizeof(sockaddr_in6);
  address.family = AF_INET6;
  return address;
}

absl::StatusOr<std::vector<SocketAddress>> ResolveHost(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat("the host is not known: ", gai_strerror(error)));
  }
  const absl::Cleanup release = [found] { freeaddrinfo(found); };
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    address.family = entry->ai_family;
  }
  return addresses;
}

// sin_port and sin6_port lie at the same place, but that is nobody's promise.
in_port_t& PortField(SocketAddress& address) {
  return address.family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port
                                    : reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port;
}

absl::Status SocketError(absl::string_view what) {
  return absl::UnavailableError(errno == EADDRINUSE ? "the port is taken by another process"
                                                    : absl::StrCat(what, ": ", std::strerror(errno)));
}

// The descriptor of a socket that listens; sets the address's port when that was 0.
absl::StatusOr<int> ListenOn(SocketAddress& address, bool both_families) {
  const int listener = socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return SocketError("no socket");
  absl::Cleanup close_listener = [listener] { close(listener); };
  const int yes = 1;
  const int no = 0;
  // Restarts need not wait for old connections; SO_REUSEPORT stays off.
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (address.family == AF_INET6) {
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, both_families ? &no : &yes, sizeof(int));
  }
  auto* const generic = reinterpret_cast<sockaddr*>(&address.storage);
  if (bind(listener, generic, address.size) != 0) return SocketError("cannot be bound");
  if (listen(listener, SOMAXCONN) != 0) return SocketError("cannot be listened on");
  if (getsockname(listener, generic, &address.size) != 0) return SocketError("has no name");
  std::move(close_listener).Cancel();
  return listener;
}

}  // namespace

TcpListener::TcpListener() : stop_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { SW_CHECK(stop_event_ >= 0); }

TcpListener::~TcpListener() {
  Stop();
  for (const int listener : listeners_) close(listener);
  close(stop_event_);
}

absl::StatusOr<std::unique_ptr<TcpListener>> TcpListener::Create(const std::string& host, int port) {
  std::unique_ptr<TcpListener> listener(new TcpListener());
  RETURN_IF_ERROR(listener->Listen(host, port));
  return listener;
}

absl::Status TcpListener::Listen(const std::string& host, int port) {
  if (IsWildcard(host)) {
    SocketAddress both = Ipv6Wildcard();
    PortField(both) = htons(static_cast<in_port_t>(port));
    if (const absl::StatusOr<int> listener = ListenOn(both, /*both_families=*/true); listener.ok()) {
      listeners_.push_back(*listener);
      port_ = ntohs(PortField(both));
      return absl::OkStatus();
    }  // else this machine has no IPv6, or the port is taken, which the other family will say
  }
  ASSIGN_OR_RETURN(std::vector<SocketAddress> addresses, ResolveHost(host));
  port_ = port;
  absl::Status failure;
  for (SocketAddress& address : addresses) {
    PortField(address) = htons(static_cast<in_port_t>(port_));
    const absl::StatusOr<int> listener = ListenOn(address, /*both_families=*/false);
    if (!listener.ok()) {
      failure = listener.status();
      continue;
    }
    listeners_.push_back(*listener);
    port_ = ntohs(PortField(address));
  }
  // "localhost" may name ::1 on a machine without IPv6: one that listens is enough.
  return listeners_.empty() ? failure : absl::OkStatus();
}

void TcpListener::Start(Take take, int64_t free_descriptors) {
  SW_CHECK(!thread_.joinable());
  take_ = std::move(take);
  free_descriptors_ = free_descriptors;
  thread_ = std::thread([this] { Run(); });
}

void TcpListener::Stop() {
  if (!thread_.joinable()) return;
  SW_CHECK(eventfd_write(stop_event_, 1) == 0);
  thread_.join();
  // From now on who connects is told at once instead of waiting for an accept that never comes.
  for (const int listener : listeners_) close(listener);
  listeners_.clear();
}

void TcpListener::Run() {
  std::vector<pollfd> watched;
  for (const int listener : listeners_) watched.push_back({listener, POLLIN, 0});
  watched.push_back({stop_event_, POLLIN, 0});
  bool shortage = false;
  while (true) {
    // In a shortage connections go on waiting in the kernel, which would wake poll at once.
    pollfd* const first = shortage ? &watched.back() : watched.data();
    const int ready = poll(first, shortage ? 1 : watched.size(), shortage ? kShortageMilliseconds : -1);
    if (ready < 0 && errno == EINTR) continue;
    SW_CHECK(ready >= 0);
    if (watched.back().revents != 0) return;
    shortage = false;
    for (size_t i = 0; i + 1 < watched.size(); ++i) shortage = !AcceptFrom(watched[i].fd) || shortage;
  }
}

bool TcpListener::AcceptFrom(int listener) {
  // A process has the lowest descriptors that are free: the number of the newest tells how many are in use.
  const int64_t first_refused = DescriptorLimit() - free_descriptors_;
  while (true) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        Log(LogLevel::kWarning, "cannot accept a connection", {{"reason", std::strerror(errno)}});
        return false;
      }
      continue;  // of that one connection only: it is gone already
    }
    if (connection >= first_refused) {
      close(connection);
      if (refused_++ % 1000 == 0) {
        Log(LogLevel::kWarning, "too many connections; new ones are closed",
            {{"descriptor_limit", DescriptorLimit()}, {"refused", refused_}});
      }
      continue;
    }
    const int yes = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    take_(connection);
  }
}

}  // namespace stillwave::base
