#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/base/descriptor_limit.h"
#include "server/base/log.h"
#include "server/batching/cpu_grant.h"
#include "server/check_model.h"
#include "server/config/flags.h"
#include "server/stillwave_server.h"
#include "server/stop_signals.h"

namespace {

constexpr int kCannotStart = 1;
constexpr int kWrongFlag = 2;

int Refuse(const absl::Status& status) {
  stillwave::base::Log(stillwave::base::LogLevel::kError, "cannot start", {{"reason", status.message()}});
  return kCannotStart;
}

int Describe(const stillwave::config::ServerConfig& config) {
  const absl::StatusOr<std::string> description = stillwave::DescribeModel(config);
  if (!description.ok()) return Refuse(description.status());
  std::fputs(description->c_str(), stdout);
  return 0;
}

// The answer goes to standard output, whichever it is: it is what was asked for.
int Check(const stillwave::config::ServerConfig& config) {
  const absl::StatusOr<std::string> checked = stillwave::CheckModel(config);
  std::printf("%s %s\n", checked.ok() ? "OK" : "REFUSED",
              checked.ok() ? checked->c_str() : std::string(checked.status().message()).c_str());
  return checked.ok() ? 0 : kCannotStart;
}

// A connection takes one descriptor. What shells and service managers allow by default is 1024.
void RaiseDescriptorLimit() {
  constexpr int64_t kEnough = 4096;
  const int64_t limit = stillwave::base::RaiseDescriptorLimit();
  if (limit >= kEnough) return;
  stillwave::base::Log(stillwave::base::LogLevel::kWarning, "few descriptors; connections above them are closed",
                       {{"descriptor_limit", limit}, {"advised", kEnough}});
}

int Serve(const stillwave::config::ServerConfig& config) {
  RaiseDescriptorLimit();
  static auto* const stop = new stillwave::StopSignals();  // before the server's threads; lives until the process ends
  absl::StatusOr<std::unique_ptr<stillwave::StillwaveServer>> server = stillwave::StillwaveServer::Create(config);
  if (!server.ok()) return Refuse(server.status());
  if (const absl::Status status = (*server)->Start([] { return stop->Requested(); }); !status.ok())
    return Refuse(status);
  stop->Wait();
  (*server)->Drain();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  using stillwave::config::Invocation;
  // Debian's Abseil looks for cycles among the mutexes of all libraries; gRPC takes a dozen for each request.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::signal(SIGPIPE, SIG_IGN);  // a client that leaves is an error of its write, not ours
  const absl::StatusOr<Invocation> invocation =
      stillwave::config::ParseFlags(absl::MakeConstSpan(argv + 1, static_cast<size_t>(argc > 0 ? argc - 1 : 0)),
                                    stillwave::batching::FindCpuGrant().cpus);
  if (!invocation.ok()) {
    const std::string reason(invocation.status().message());
    std::fprintf(stderr, "stillwave-server: %s\nRun stillwave-server --help for all flags.\n", reason.c_str());
    return kWrongFlag;
  }
  stillwave::base::ConfigureLog(invocation->config.log_level, invocation->config.log_format);
  switch (invocation->action) {
    case Invocation::Action::kPrint:
      std::fputs(invocation->text.c_str(), stdout);
      return 0;
    case Invocation::Action::kDescribe:
      return Describe(invocation->config);
    case Invocation::Action::kCheck:
      return Check(invocation->config);
    case Invocation::Action::kServe:
      return Serve(invocation->config);
  }
  return 0;
}
