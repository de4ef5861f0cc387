#include "server/model/model_config_fields.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "server/base/status_macros.h"

namespace stillwave::model {
namespace {

// Paths of the fields that are read in model_config.cc. A message that stands here without any of its fields
// (optimization) may be written down as long as nothing in it is set.
constexpr absl::string_view kObeyed[] = {
    "name",
    "platform",
    "backend",
    "max_batch_size",
    "default_model_filename",
    "input",
    "input.name",
    "input.data_type",
    "input.dims",
    "output",
    "output.name",
    "output.data_type",
    "output.dims",
    "version_policy",
    "version_policy.latest",
    "version_policy.latest.num_versions",
    "version_policy.all",
    "version_policy.specific",
    "version_policy.specific.versions",
    "instance_group",
    "instance_group.name",
    "instance_group.kind",
    "instance_group.count",
    "dynamic_batching",
    "dynamic_batching.preferred_batch_size",
    "dynamic_batching.max_queue_delay_microseconds",
    "dynamic_batching.preserve_ordering",
    "dynamic_batching.priority_levels",
    "dynamic_batching.default_priority_level",
    "dynamic_batching.default_queue_policy",
    "dynamic_batching.default_queue_policy.timeout_action",
    "dynamic_batching.default_queue_policy.default_timeout_microseconds",
    "dynamic_batching.default_queue_policy.allow_timeout_override",
    "dynamic_batching.default_queue_policy.max_queue_size",
    "dynamic_batching.priority_queue_policy",
    "model_warmup",
    "model_warmup.name",
    "model_warmup.batch_size",
    "model_warmup.count",
    "model_warmup.inputs",
    "parameters",
    "optimization",
    "model_transaction_policy",
    "response_cache",
};

bool IsObeyed(const std::string& path) {
  return std::find(std::begin(kObeyed), std::end(kObeyed), path) != std::end(kObeyed);
}

absl::Status CheckMessage(const google::protobuf::Message& message, const std::string& prefix);

absl::Status CheckField(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                        const std::string& path) {
  if (!IsObeyed(path)) {
    return absl::UnimplementedError(absl::StrCat("field '", path, "' is not supported; remove it"));
  }
  // The entries of maps (parameters, warm-up inputs) are checked where they are read.
  if (field.is_map() || field.cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
    return absl::OkStatus();
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!field.is_repeated()) return CheckMessage(reflection.GetMessage(message, &field), path);
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    RETURN_IF_ERROR(CheckMessage(reflection.GetRepeatedMessage(message, &field, i), path));
  }
  return absl::OkStatus();
}

absl::Status CheckMessage(const google::protobuf::Message& message, const std::string& prefix) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    const std::string path = prefix.empty() ? field->name() : absl::StrCat(prefix, ".", field->name());
    RETURN_IF_ERROR(CheckField(message, *field, path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFieldsAreObeyed(const inference::ModelConfig& config) { return CheckMessage(config, ""); }

}  // namespace stillwave::model
