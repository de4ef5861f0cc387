#include "server/metrics/http_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"

namespace stillwave::metrics {
namespace {

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

HttpConnection::~HttpConnection() { close(descriptor_); }

short HttpConnection::events() const { return state_ == State::kWriting ? POLLOUT : POLLIN; }

bool HttpConnection::Advance(const Answer& answer) {
  if (state_ == State::kReading && !Read(answer)) return false;
  if (state_ == State::kWriting && !Write()) return false;
  return state_ != State::kLeaving || AwaitEnd();
}

bool HttpConnection::Read(const Answer& answer) {
  std::array<char, 4096> buffer;
  const ssize_t size = recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (size < 0) return WouldBlock();
  if (size == 0) return false;
  bytes_.append(buffer.data(), static_cast<size_t>(size));
  const std::optional<absl::StatusOr<HttpRequest>> request = ReadHttpRequest(bytes_);
  if (!request.has_value()) return true;
  bytes_ = request->ok() ? FormatHttpResponse(**request, answer(**request))
                         : FormatHttpResponse(
                               {}, {400, "text/plain; charset=utf-8", absl::StrCat(request->status().message(), "\n")});
  state_ = State::kWriting;
  return true;
}

bool HttpConnection::Write() {
  while (written_ < bytes_.size()) {
    const ssize_t size = send(descriptor_, bytes_.data() + written_, bytes_.size() - written_, MSG_NOSIGNAL);
    if (size < 0) return WouldBlock();
    written_ += static_cast<size_t>(size);
  }
  state_ = State::kLeaving;
  return shutdown(descriptor_, SHUT_WR) == 0;
}

bool HttpConnection::AwaitEnd() {
  std::array<char, 4096> ignored;
  const ssize_t size = recv(descriptor_, ignored.data(), ignored.size(), 0);
  return size > 0 || (size < 0 && WouldBlock());
}

}  // namespace stillwave::metrics
