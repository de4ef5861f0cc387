// Accepts TCP connections on one address and gives them away.
//
// gRPC 1.51's own listener never accepts again once it has met the limit of descriptors (EMFILE), so anybody who opens
// many connections ends the service for good. This one keeps some descriptors free and closes what comes above.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::base {

// Thread-safe.
class TcpListener {
 public:
  // Gets a connected descriptor, non-blocking and without delay of small packets, and owns it. Called on the listener's
  // thread.
  using Take = std::function<void(int descriptor)>;

  // Listens on every address of the host: "localhost" may have two. A wildcard of either family is both. Port 0: the
  // system chooses one, port() tells which. A port that another process listens on is never shared. UNAVAILABLE with
  // the reason when there is no such address or it cannot be bound.
  static absl::StatusOr<std::unique_ptr<TcpListener>> Create(const std::string& host, int port);

  // Connections wait in the kernel until Start. After it they wait no longer: one that would take the process within
  // `free_descriptors` of its limit is closed at once. Call once.
  void Start(Take take, int64_t free_descriptors);

  // Accepts no more; `take` is not called again. May be called again.
  void Stop();

  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  int port() const { return port_; }

 private:
  TcpListener();
  absl::Status Listen(const std::string& host, int port);
  void Run();
  // Until none waits; false when accepting failed for want of descriptors or memory.
  bool AcceptFrom(int listener);

  std::vector<int> listeners_;
  int port_ = 0;
  int stop_event_ = -1;
  Take take_;
  int64_t free_descriptors_ = 0;
  int64_t refused_ = 0;  // since the last line of the log
  std::thread thread_;
};

}  // namespace stillwave::base
