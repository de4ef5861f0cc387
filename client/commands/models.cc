#include "client/commands/models.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/json_output.h"
#include "client/output.h"
#include "client/stillwave_client.h"
#include "client/table.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

// A model that is there but not ready cannot tell its inputs: that is a reason to show, not an error.
absl::StatusOr<ListedModel> Describe(StillwaveClient& client, IndexEntry entry) {
  ListedModel model{.entry = std::move(entry)};
  absl::StatusOr<ModelInfo> info = client.GetModelInfo(model.entry.name, model.entry.version);
  if (info.ok()) {
    model.info = *std::move(info);
  } else if (!absl::IsUnavailable(info.status())) {
    return info.status();
  } else if (model.entry.reason.empty()) {
    model.entry.reason = std::string(info.status().message());
  }
  return model;
}

// For servers that cannot list.
absl::StatusOr<ListedModel> DescribeByName(StillwaveClient& client, const std::string& name) {
  ASSIGN_OR_RETURN(const bool ready, client.ModelReady(name, /*version=*/""));
  ASSIGN_OR_RETURN(ListedModel model,
                   Describe(client, IndexEntry{.name = name, .state = ready ? "READY" : "UNAVAILABLE"}));
  model.entry.version = absl::StrJoin(model.info.versions, ",");
  return model;
}

absl::StatusOr<std::vector<ListedModel>> ListAll(StillwaveClient& client, const std::vector<IndexEntry>& index) {
  std::vector<ListedModel> models;
  for (const IndexEntry& entry : index) {
    if (!entry.ready()) {
      models.push_back({.entry = entry});
      continue;
    }
    ASSIGN_OR_RETURN(ListedModel model, Describe(client, entry));
    models.push_back(std::move(model));
  }
  return models;
}

absl::StatusOr<std::vector<ListedModel>> ListNamed(StillwaveClient& client, const std::vector<IndexEntry>& index,
                                                   const std::vector<std::string>& names) {
  std::vector<ListedModel> models;
  for (const std::string& name : names) {
    std::vector<IndexEntry> entries;
    for (const IndexEntry& entry : index) {
      if (entry.name == name) entries.push_back(entry);
    }
    if (entries.empty()) {
      ASSIGN_OR_RETURN(ListedModel model, DescribeByName(client, name));
      models.push_back(std::move(model));
      continue;
    }
    ASSIGN_OR_RETURN(std::vector<ListedModel> versions, ListAll(client, entries));
    for (ListedModel& version : versions) models.push_back(std::move(version));
  }
  return models;
}

absl::StatusOr<std::vector<ListedModel>> List(StillwaveClient& client, const std::vector<std::string>& names) {
  absl::StatusOr<std::vector<IndexEntry>> index = client.ListModels();
  const bool cannot_list = absl::IsUnimplemented(index.status());
  if (cannot_list && names.empty()) {
    return UsageError("this server cannot list its models; name them: stillwave models NAME");
  }
  if (!index.ok() && !cannot_list) return index.status();
  if (cannot_list) index = std::vector<IndexEntry>{};
  return names.empty() ? ListAll(client, *index) : ListNamed(client, *index, names);
}

std::string TensorsText(const std::vector<TensorInfo>& tensors) {
  return absl::StrJoin(tensors, ", ", [](std::string* out, const TensorInfo& tensor) {
    absl::StrAppend(out, tensor.name, " ", tensor.datatype, " [", absl::StrJoin(tensor.shape, ","), "]");
  });
}

std::string ModelsTable(const std::vector<ListedModel>& models) {
  std::vector<std::vector<std::string>> rows;
  for (const ListedModel& model : models) {
    const IndexEntry& entry = model.entry;
    std::string outputs = TensorsText(model.info.outputs);
    if (!entry.ready() && !entry.reason.empty()) absl::StrAppend(&outputs, outputs.empty() ? "" : "  ", entry.reason);
    rows.push_back({entry.name, entry.version, entry.ready() ? "yes" : "no", model.info.platform,
                    TensorsText(model.info.inputs), outputs});
  }
  return RenderTable({{"model"}, {"version"}, {"ready"}, {"platform"}, {"inputs"}, {"outputs"}}, rows);
}

}  // namespace

absl::StatusOr<ExitCode> RunModels(const GlobalOptions& global, const ModelsOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<StillwaveClient> client,
                   StillwaveClient::Connect(global.server, global.timeout));
  ASSIGN_OR_RETURN(const std::vector<ListedModel> models, List(*client, options.names));
  WriteOut(global.json ? ModelsJson(models) + "\n" : ModelsTable(models));
  RETURN_IF_ERROR(FlushOut());
  return ExitCode::kOk;
}

}  // namespace stillwave::client
