#include "server/service/model_control_service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"
#include "server/service/grpc_status.h"

namespace stillwave::service {
namespace {

using inference::ModelRepositoryParameter;
using ControlParameters = google::protobuf::Map<std::string, ModelRepositoryParameter>;

// A call that another thread answers. Deletes itself when gRPC is done with it.
class ControlCall final : public grpc::ServerUnaryReactor {
 public:
  explicit ControlCall(OpenCalls* calls) : open_(calls) {}
  void Answer(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }

 private:
  const OpenCall open_;
};

absl::Status CheckRepositoryName(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("repository_name must be empty, there is one repository; was ", base::Quoted(name)));
}

// Of a load or an unload.
template <typename Request>
absl::Status CheckModelNames(const Request& request) {
  if (!request.model_name().empty()) return CheckRepositoryName(request.repository_name());
  // KServe's clients have the model's name in the field that is the repository's here.
  if (!request.repository_name().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("model_name (field 2) must name a model, as in Triton's protocol; "
                     "it was empty, and repository_name (field 1) was ",
                     base::Quoted(request.repository_name())));
  }
  return absl::InvalidArgumentError("model_name must name a model; was ''");
}

absl::Status UnknownParameter(const std::string& key, absl::string_view known) {
  return absl::InvalidArgumentError(absl::StrCat("parameter ", base::Quoted(key), " is not known; known is ", known));
}

absl::Status WrongParameterType(absl::string_view key, absl::string_view type) {
  return absl::InvalidArgumentError(absl::StrCat("parameter '", key, "' must be a ", type));
}

// The configuration that replaces config.pbtxt, where there is one.
absl::StatusOr<std::optional<std::string>> ReadLoadParameters(const ControlParameters& parameters) {
  std::optional<std::string> config;
  for (const auto& [key, value] : parameters) {
    if (absl::StartsWith(key, "file:")) {
      return absl::UnimplementedError(absl::StrCat("parameter ", base::Quoted(key),
                                                   " is not supported: this server takes no model files from "
                                                   "clients; put the file into the repository"));
    }
    if (key != "config") return UnknownParameter(key, "'config'");
    if (value.parameter_choice_case() != ModelRepositoryParameter::kStringParam)
      return WrongParameterType(key, "string");
    config = value.string_param();
  }
  return config;
}

// Models do not depend on each other here, so it makes no difference what unload_dependents says.
absl::Status CheckUnloadParameters(const ControlParameters& parameters) {
  for (const auto& [key, value] : parameters) {
    if (key != "unload_dependents") return UnknownParameter(key, "'unload_dependents'");
    if (value.parameter_choice_case() != ModelRepositoryParameter::kBoolParam) return WrongParameterType(key, "bool");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> CheckLoad(const inference::RepositoryModelLoadRequest& request,
                                                     const Lifecycle& lifecycle) {
  RETURN_IF_ERROR(lifecycle.Admission());
  RETURN_IF_ERROR(CheckModelNames(request));
  return ReadLoadParameters(request.parameters());
}

absl::Status CheckUnload(const inference::RepositoryModelUnloadRequest& request, const Lifecycle& lifecycle) {
  RETURN_IF_ERROR(lifecycle.Admission());
  RETURN_IF_ERROR(CheckModelNames(request));
  return CheckUnloadParameters(request.parameters());
}

void WriteIndex(const std::vector<repository::IndexEntry>& index, bool ready_only,
                inference::RepositoryIndexResponse* response) {
  for (const repository::IndexEntry& entry : index) {
    if (ready_only && entry.state != repository::VersionState::kReady) continue;
    auto* const model = response->add_models();
    model->set_name(entry.name);
    model->set_version(entry.version);
    model->set_state(repository::Name(entry.state));
    model->set_reason(entry.reason);
  }
}

}  // namespace

ModelControl::Unary* ModelControl::Index(const inference::RepositoryIndexRequest& request,
                                         inference::RepositoryIndexResponse* response) const {
  auto* const call = new ControlCall(calls_);
  if (const absl::Status status = CheckRepositoryName(request.repository_name()); !status.ok()) {
    call->Answer(status);
    return call;
  }
  // The response lives until the call is answered.
  repository_->FreshIndex([call, response, ready_only = request.ready()](std::vector<repository::IndexEntry> index) {
    WriteIndex(index, ready_only, response);
    call->Answer(absl::OkStatus());
  });
  return call;
}

ModelControl::Unary* ModelControl::Load(const inference::RepositoryModelLoadRequest& request) const {
  auto* const call = new ControlCall(calls_);
  absl::StatusOr<std::optional<std::string>> config = CheckLoad(request, *lifecycle_);
  if (config.ok()) {
    repository_->Load(request.model_name(), *std::move(config),
                      [call](const absl::Status& status) { call->Answer(status); });
  } else {
    call->Answer(config.status());
  }
  return call;
}

ModelControl::Unary* ModelControl::Unload(const inference::RepositoryModelUnloadRequest& request) const {
  auto* const call = new ControlCall(calls_);
  if (const absl::Status status = CheckUnload(request, *lifecycle_); status.ok()) {
    repository_->Unload(request.model_name(), [call](const absl::Status& done) { call->Answer(done); });
  } else {
    call->Answer(status);
  }
  return call;
}

}  // namespace stillwave::service
