// stillwave-recalibrate: running statistics for a network, found anew on samples.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "server/config/version.h"
#include "server/recalibration/command_line.h"
#include "server/recalibration/recalibrate.h"
#include "server/recalibration/report_text.h"

namespace {

using stillwave::recalibration::ExitCode;

int Fail(const absl::Status& error, ExitCode code) {
  std::fprintf(stderr, "stillwave-recalibrate: %s\n", std::string(error.message()).c_str());
  return static_cast<int>(code);
}

// Redrawn in place; gone when the work is done.
void DrawProgress(int64_t done, int64_t batches) {
  if (done == batches) {
    std::fputs("\r\x1b[K", stderr);
  } else {
    std::fprintf(stderr, "\r%s\x1b[K", stillwave::recalibration::ProgressText(done, batches).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace stillwave::recalibration;  // NOLINT: the program is about nothing else
  absl::StatusOr<Invocation> invocation =
      ParseCommandLine(absl::MakeConstSpan(argv + 1, static_cast<size_t>(argc > 0 ? argc - 1 : 0)),
                       std::string(stillwave::config::Version()));
  if (!invocation.ok()) {
    const int code = Fail(invocation.status(), ExitCode::kUsage);
    std::fputs("Run stillwave-recalibrate --help for all options.\n", stderr);
    return code;
  }
  if (!invocation->print.empty()) {
    std::fputs(invocation->print.c_str(), stdout);
    return 0;
  }
  if (isatty(STDERR_FILENO) != 0) invocation->options.progress = DrawProgress;
  const absl::StatusOr<RecalibrationReport> report = Recalibrate(invocation->options);
  if (!report.ok()) {
    if (invocation->options.progress) std::fputs("\r\x1b[K", stderr);
    return Fail(report.status(), ExitCodeOf(report.status()));
  }
  const std::string text =
      invocation->json ? ReportJson(invocation->options, *report) : ReportText(invocation->options, *report);
  std::fputs(text.c_str(), stdout);
  return 0;
}
