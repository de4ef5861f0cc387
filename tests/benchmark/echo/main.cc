// stillwave-echo-server: what a gRPC server costs when it computes nothing.
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "tests/benchmark/echo/echo_command_line.h"
#include "tests/benchmark/echo/echo_server.h"

namespace stillwave::benchmark {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongFlag = 2;

int Complain(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "stillwave-echo-server: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

int Main(absl::Span<const char* const> arguments) {
  const absl::StatusOr<EchoCommandLine> line = ParseEchoCommandLine(arguments);
  if (!line.ok()) return Complain(line.status(), kWrongFlag);
  if (!line->help.empty()) {
    std::fputs(line->help.c_str(), stdout);
    return 0;
  }
  // Before there are threads, so that all of them leave the signals to sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const EchoModel model(line->model, line->input, line->output);
  const auto server = EchoServer::Start(line->options, &model);
  if (!server.ok()) return Complain(server.status(), kFailed);
  std::printf("listening on %s\n", (*server)->address().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace
}  // namespace stillwave::benchmark

int main(int argc, char** argv) {
  return stillwave::benchmark::Main(absl::MakeConstSpan(argv + 1, static_cast<size_t>(argc > 0 ? argc - 1 : 0)));
}
