// A TCP connection whose every byte the test decides.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "server/base/check.h"

namespace stillwave::integration {

class PlainConnection {
 public:
  // To 127.0.0.1:port.
  explicit PlainConnection(const std::string& address) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SW_CHECK(socket_ >= 0);
    sockaddr_in target{};
    int port = 0;
    SW_CHECK(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    target.sin_family = AF_INET;
    target.sin_port = htons(static_cast<in_port_t>(port));
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&target), sizeof(target)) == 0;
  }
  ~PlainConnection() {
    if (socket_ >= 0) close(socket_);
  }
  PlainConnection(const PlainConnection&) = delete;
  PlainConnection& operator=(const PlainConnection&) = delete;

  bool connected() const { return connected_; }

  // False when the server has closed.
  bool Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // What is there, at most 64 KiB, or what comes next; empty when the server has closed.
  std::string Receive() {
    std::string bytes(65536, '\0');
    ssize_t size = 0;
    do {
      size = recv(socket_, bytes.data(), bytes.size(), 0);
    } while (size < 0 && errno == EINTR);
    bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return bytes;
  }

  // Reads, and answers nothing, until the server has closed. The test's own time limit is the patience.
  void AwaitClose() {
    while (!Receive().empty()) {
    }
  }

  // The server gets a reset instead of an end.
  void Reset() {
    const linger abort{1, 0};
    SW_CHECK(setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)) == 0);
    close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
  bool connected_ = false;
};

// HTTP/2's first bytes with empty SETTINGS: what a client sends before anything else.
inline std::string Http2Hello() {
  return std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9);
}

}  // namespace stillwave::integration
