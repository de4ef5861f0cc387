#include "client/commands/drift.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/drift_info.h"
#include "client/drift_view.h"
#include "client/json_output.h"
#include "client/model_choice.h"
#include "client/output.h"
#include "client/stillwave_client.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr char kClearScreen[] = "\x1b[H\x1b[J";

bool IsTerminal() { return isatty(STDOUT_FILENO) == 1; }

// https://no-color.org
HeatMapStyle StyleForOutput() {
  const char* const no_color = std::getenv("NO_COLOR");
  const bool wants_none = no_color != nullptr && no_color[0] != '\0';
  return IsTerminal() && !wants_none ? HeatMapStyle::kColor : HeatMapStyle::kAscii;
}

std::string DriftText(const GlobalOptions& global, const DriftOptions& options, const DriftInfo& info) {
  if (global.json) return DriftJson(info) + "\n";
  return absl::StrCat(DriftHeadline(info), "\n",
                      options.heat_map ? DriftHeatMap(info, StyleForOutput()) : DriftTable(info));
}

absl::Status Reset(StillwaveClient& client, const GlobalOptions& global, const DriftOptions& options,
                   const std::string& model) {
  ASSIGN_OR_RETURN(const DriftReset reset, client.ResetDrift(model, options.version));
  WriteOut(global.json ? DriftResetJson(reset) + "\n"
                       : absl::StrCat(reset.model_name, " version ", reset.model_version, ": ", reset.forgotten_samples,
                                      " samples forgotten\n"));
  return FlushOut();
}

// Ctrl-C ends the program, as the default is: nothing is left half done.
absl::Status Watch(StillwaveClient& client, const GlobalOptions& global, const DriftOptions& options,
                   const std::string& model) {
  int64_t shown = 0;
  absl::Status written;
  const auto show = [&](const DriftInfo& info) {
    if (!global.json && IsTerminal()) {
      WriteOut(kClearScreen);
    } else if (!global.json && shown > 0) {
      WriteOut("\n");
    }
    WriteOut(DriftText(global, options, info));
    written = FlushOut();
    return written.ok() && ++shown != options.reports;
  };
  RETURN_IF_ERROR(client.WatchDrift(model, options.version, absl::Seconds(options.watch_seconds), show));
  return written;
}

}  // namespace

absl::StatusOr<ExitCode> RunDrift(const GlobalOptions& global, const DriftOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<StillwaveClient> client,
                   StillwaveClient::Connect(global.server, global.timeout));
  ASSIGN_OR_RETURN(const std::string model, ChooseModel(*client, options.model));
  if (options.reset) {
    RETURN_IF_ERROR(Reset(*client, global, options, model));
    return ExitCode::kOk;
  }
  if (options.watch_seconds > 0) {
    RETURN_IF_ERROR(Watch(*client, global, options, model));
    return ExitCode::kOk;
  }
  ASSIGN_OR_RETURN(const DriftInfo info, client->GetDrift(model, options.version));
  WriteOut(DriftText(global, options, info));
  RETURN_IF_ERROR(FlushOut());
  return ExitCode::kOk;
}

}  // namespace stillwave::client
