#include "client/commands/health.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/json_output.h"
#include "client/output.h"
#include "client/stillwave_client.h"
#include "client/table.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

absl::StatusOr<HealthReport> Examine(StillwaveClient& client, const std::string& model) {
  HealthReport report;
  ASSIGN_OR_RETURN(report.live, client.ServerLive());
  ASSIGN_OR_RETURN(report.ready, client.ServerReady());
  ASSIGN_OR_RETURN(report.info, client.GetServerInfo());
  report.serving = report.live && report.ready;
  if (!model.empty()) {
    ASSIGN_OR_RETURN(const bool ready, client.ModelReady(model, /*version=*/""));
    report.models.push_back({.name = model, .state = ready ? "READY" : "UNAVAILABLE"});
    report.serving = report.serving && ready;
    return report;
  }
  // A server that cannot list its models is no less healthy for it.
  absl::StatusOr<std::vector<IndexEntry>> index = client.ListModels();
  if (index.ok()) report.models = *std::move(index);
  return report;
}

std::string HealthText(const HealthReport& report) {
  std::string text = RenderTable({{"server"}, {"name"}, {"version"}, {"live"}, {"ready"}},
                                 {{report.server, report.info.name, report.info.version, report.live ? "yes" : "no",
                                   report.ready ? "yes" : "no"}});
  if (report.models.empty()) return text;
  std::vector<std::vector<std::string>> rows;
  for (const IndexEntry& model : report.models) {
    rows.push_back({model.name, model.version, model.ready() ? "yes" : "no", model.reason});
  }
  const bool named_only = report.models.size() == 1 && report.models[0].version.empty();
  if (named_only) {
    return absl::StrCat(text, "\n", RenderTable({{"model"}, {"ready"}}, {{rows[0][0], rows[0][2]}}));
  }
  return absl::StrCat(text, "\n", RenderTable({{"model"}, {"version"}, {"ready"}, {"reason"}}, rows));
}

}  // namespace

absl::StatusOr<ExitCode> RunHealth(const GlobalOptions& global, const HealthOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<StillwaveClient> client,
                   StillwaveClient::Connect(global.server, global.timeout));
  ASSIGN_OR_RETURN(HealthReport report, Examine(*client, options.model));
  report.server = global.server;
  WriteOut(global.json ? HealthJson(report) + "\n" : HealthText(report));
  RETURN_IF_ERROR(FlushOut());
  return report.serving ? ExitCode::kOk : ExitCode::kNotReady;
}

}  // namespace stillwave::client
