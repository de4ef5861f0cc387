// One client of the HTTP port: takes a request, gives the response, leaves.
#pragma once

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "server/metrics/http_message.h"

namespace stillwave::metrics {

// Never blocks. Not thread-safe.
class HttpConnection {
 public:
  using Answer = std::function<HttpResponse(const HttpRequest&)>;

  // Owns the descriptor, which is non-blocking. The connection should be gone at `deadline`.
  HttpConnection(int descriptor, absl::Time deadline) : descriptor_(descriptor), deadline_(deadline) {}
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  int descriptor() const { return descriptor_; }
  absl::Time deadline() const { return deadline_; }
  // Its request has not come whole.
  bool reading() const { return state_ == State::kReading; }
  // What to wait for before the next Advance: POLLIN or POLLOUT.
  short events() const;

  // Does what can be done now; asks for the answer once. False when the connection is done with.
  bool Advance(const Answer& answer);

 private:
  // After its response the client is listened to until it leaves: to close at once would take the response away from
  // one that is still sending.
  enum class State { kReading, kWriting, kLeaving };

  bool Read(const Answer& answer);
  bool Write();
  bool AwaitEnd();

  const int descriptor_;
  const absl::Time deadline_;
  State state_ = State::kReading;
  std::string bytes_;   // received, then to be sent
  size_t written_ = 0;  // of bytes_
};

}  // namespace stillwave::metrics
