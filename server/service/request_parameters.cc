#include "server/service/request_parameters.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::service {
namespace {

using base::Quoted;
using inference::InferParameter;
using Parameters = google::protobuf::Map<std::string, InferParameter>;

absl::StatusOr<absl::Duration> ReadTimeout(const InferParameter& parameter) {
  if (parameter.parameter_choice_case() != InferParameter::kInt64Param) {
    return absl::InvalidArgumentError("parameter 'timeout' must be an int64 in microseconds; was of another type");
  }
  if (parameter.int64_param() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter 'timeout' must not be negative; was ", parameter.int64_param()));
  }
  return parameter.int64_param() == 0 ? absl::InfiniteDuration() : absl::Microseconds(parameter.int64_param());
}

absl::StatusOr<uint64_t> ReadPriority(const InferParameter& parameter) {
  if (parameter.parameter_choice_case() == InferParameter::kUint64Param) return parameter.uint64_param();
  if (parameter.parameter_choice_case() == InferParameter::kInt64Param && parameter.int64_param() >= 0) {
    return static_cast<uint64_t>(parameter.int64_param());
  }
  return absl::InvalidArgumentError("parameter 'priority' must be a whole number, 0 or more; was not");
}

// A sequence parameter that says "this is no sequence".
bool SaysNothing(const InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kBoolParam:
      return !parameter.bool_param();
    case InferParameter::kInt64Param:
      return parameter.int64_param() == 0;
    case InferParameter::kUint64Param:
      return parameter.uint64_param() == 0;
    case InferParameter::kStringParam:
      return parameter.string_param().empty();
    case InferParameter::kDoubleParam:
      return false;
    case InferParameter::PARAMETER_CHOICE_NOT_SET:
      return true;
  }
  return false;
}

absl::Status CheckRequestParameter(const std::string& name, const InferParameter& parameter) {
  if (absl::StartsWith(name, "sequence_")) {
    if (SaysNothing(parameter)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("parameter '", name,
                     "' is not supported: this server keeps no sequences between requests; for windows over a series "
                     "use stillwave.v1.TimeSeriesService/StreamWindows"));
  }
  if (name == "triton_enable_empty_final_response") {
    if (parameter.parameter_choice_case() == InferParameter::kBoolParam) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("parameter '", name, "' must be a bool; was of another type"));
  }
  if (absl::StartsWith(name, "triton_")) {
    return absl::InvalidArgumentError(absl::StrCat("parameter '", name.substr(0, 64),
                                                   "' is not supported: names that start with triton_ are reserved"));
  }
  return absl::OkStatus();
}

absl::Status CheckOutputParameters(const std::string& output, const Parameters& parameters) {
  if (!parameters.contains("classification")) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("parameter 'classification' of output ", Quoted(output),
                                                 " is not supported: outputs are numbers; take the largest of them"));
}

}  // namespace

absl::StatusOr<RequestOptions> ReadParameters(const inference::ModelInferRequest& request) {
  RequestOptions options;
  for (const auto& [name, parameter] : request.parameters()) {
    if (name == "timeout") {
      ASSIGN_OR_RETURN(options.timeout, ReadTimeout(parameter));
    } else if (name == "priority") {
      ASSIGN_OR_RETURN(options.priority, ReadPriority(parameter));
    } else {
      RETURN_IF_ERROR(CheckRequestParameter(name, parameter));
    }
  }
  for (const auto& output : request.outputs()) {
    RETURN_IF_ERROR(CheckOutputParameters(output.name(), output.parameters()));
  }
  return options;
}

}  // namespace stillwave::service
