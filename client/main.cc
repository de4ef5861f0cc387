// stillwave: the command-line client.
#include <cstdio>
#include <string>
#include <variant>

#include "client/command_line.h"
#include "client/exit_code.h"
#include "client/output.h"

namespace stillwave::client {
namespace {

struct Run {
  const GlobalOptions& global;

  absl::StatusOr<ExitCode> operator()(const PrintText& print) const {
    WriteOut(print.text);
    if (absl::Status flushed = FlushOut(); !flushed.ok()) return flushed;
    return ExitCode::kOk;
  }
  absl::StatusOr<ExitCode> operator()(const InferOptions& options) const { return RunInfer(global, options); }
  absl::StatusOr<ExitCode> operator()(const StreamOptions& options) const { return RunStream(global, options); }
  absl::StatusOr<ExitCode> operator()(const ModelsOptions& options) const { return RunModels(global, options); }
  absl::StatusOr<ExitCode> operator()(const HealthOptions& options) const { return RunHealth(global, options); }
  absl::StatusOr<ExitCode> operator()(const BenchOptions& options) const { return RunBench(global, options); }
  absl::StatusOr<ExitCode> operator()(const DriftOptions& options) const { return RunDrift(global, options); }
};

constexpr const char* kCommandNames[] = {"help", "infer", "stream", "models", "health", "bench", "drift"};

int Fail(absl::string_view command, const absl::Status& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", ErrorLine(command, error).c_str());
  return static_cast<int>(ExitCodeOf(error));
}

int Main(int argc, char** argv) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(argc, argv);
  if (!line.ok()) return Fail("arguments", line.status());
  const absl::StatusOr<ExitCode> exit_code = std::visit(Run{line->global}, line->command);
  if (!exit_code.ok()) return Fail(kCommandNames[line->command.index()], exit_code.status());
  return static_cast<int>(*exit_code);
}

}  // namespace
}  // namespace stillwave::client

int main(int argc, char** argv) { return stillwave::client::Main(argc, argv); }
