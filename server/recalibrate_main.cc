// stillwave-recalibrate: running statistics for a network, found anew on samples.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "server/config/version.h"
#include "server/recalibration/command_line.h"
#include "server/recalibration/progress_bar.h"
#include "server/recalibration/recalibrate.h"
#include "server/recalibration/report_text.h"

namespace {

using stillwave::recalibration::ExitCode;

int Fail(const absl::Status& error, ExitCode code) {
  std::fprintf(stderr, "stillwave-recalibrate: %s\n", std::string(error.message()).c_str());
  return static_cast<int>(code);
}

void WriteToTerminal(absl::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int TerminalColumns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
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
  ProgressBar bar(WriteToTerminal, TerminalColumns);
  if (isatty(STDERR_FILENO) != 0) {
    invocation->options.progress = [&](int64_t done, int64_t batches) { bar.Draw(done, batches, absl::Now()); };
  }
  const absl::StatusOr<RecalibrationReport> report = Recalibrate(invocation->options);
  if (!report.ok()) {
    bar.Clear();
    return Fail(report.status(), ExitCodeOf(report.status()));
  }
  const std::string text =
      invocation->json ? ReportJson(invocation->options, *report) : ReportText(invocation->options, *report);
  std::fputs(text.c_str(), stdout);
  return 0;
}
