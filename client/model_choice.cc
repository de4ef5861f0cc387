#include "client/model_choice.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/exit_code.h"

namespace stillwave::client {

absl::StatusOr<std::string> ChooseModel(StillwaveClient& client, const std::string& requested) {
  if (!requested.empty()) return requested;
  const absl::StatusOr<std::vector<IndexEntry>> models = client.ListModels();
  if (absl::IsUnimplemented(models.status())) {
    return UsageError("--model is needed: this server cannot list its models");
  }
  if (!models.ok()) return models.status();
  return ChooseOnlyModel(*models);
}

absl::StatusOr<std::string> ChooseOnlyModel(const std::vector<IndexEntry>& models) {
  std::set<std::string> ready;
  std::set<std::string> refused;
  for (const IndexEntry& model : models) {
    if (model.ready()) {
      ready.insert(model.name);
    } else {
      refused.insert(absl::StrCat(model.name, model.reason.empty() ? "" : ": ", model.reason));
    }
  }
  if (ready.size() == 1) return *ready.begin();
  if (ready.size() > 1) {
    return UsageError(absl::StrCat("--model is needed: the server has ", absl::StrJoin(ready, ", ")));
  }
  if (refused.empty()) return MakeError(ExitCode::kNotReady, "the server has no models");
  return MakeError(ExitCode::kNotReady,
                   absl::StrCat("the server has no model that is ready (", absl::StrJoin(refused, "; "), ")"));
}

}  // namespace stillwave::client
