// The real stillwave-server as a child process, for tests that go through its ports.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace stillwave::test_support {

struct ProgramResult {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// Runs a program of the build's bin folder to its end.
ProgramResult RunProgram(const std::string& name, const std::vector<std::string>& arguments);

// Thread-safe, except that one thread at a time calls Wait.
class ServerProcess {
 public:
  // Starts the server with these flags, on ports of the system's choice unless the flags name some, and waits until it
  // serves. INTERNAL with its log when it ends before that.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(std::vector<std::string> flags);
  // The same, but waits for a line of the log that contains `text`; it has no addresses then.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> StartAndWaitForLog(std::vector<std::string> flags,
                                                                           const std::string& text);
  // Kills what still runs.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // host:port, with the port that was bound.
  const std::string& grpc_address() const { return grpc_address_; }
  const std::string& http_address() const { return http_address_; }

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // Blocks until the server has ended: its exit code, or 128 + signal.
  int Wait();
  // Blocks until a line of the log contains `text`; false when the server ends without.
  bool WaitForLog(const std::string& text);
  std::string Log() const;

 private:
  ServerProcess(pid_t pid, int error_pipe);
  void ReadLog();

  const pid_t pid_;
  const int error_pipe_;
  std::string grpc_address_;
  std::string http_address_;
  int exit_code_ = -1;  // -1: not waited for yet
  mutable absl::Mutex mutex_;
  std::string log_ ABSL_GUARDED_BY(mutex_);
  bool log_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread reader_;
};

}  // namespace stillwave::test_support
