#include "server/service/config_response.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"

namespace stillwave::service {
namespace {

using model::VersionPolicy;

// FP32 -> TYPE_FP32.
inference::DataType ToProto(tensor::DataType type) {
  const std::string name = absl::StrCat("TYPE_", tensor::Name(type));
  inference::DataType proto = inference::TYPE_INVALID;
  SW_CHECK(inference::DataType_Parse(name, &proto));
  return proto;
}

// Of a ModelInput or a ModelOutput. With max_batch_size, dims leave the batch axis out.
template <typename Message>
void Describe(const model::TensorSpec& spec, Message* message) {
  message->set_name(spec.name);
  message->set_data_type(ToProto(spec.data_type));
  for (size_t axis = 1; axis < spec.shape.dims().size(); ++axis) message->add_dims(spec.shape.dims()[axis]);
}

void Describe(const VersionPolicy& policy, inference::ModelVersionPolicy* message) {
  switch (policy.kind) {
    case VersionPolicy::Kind::kLatest:
      message->mutable_latest()->set_num_versions(static_cast<uint32_t>(policy.latest));
      break;
    case VersionPolicy::Kind::kAll:
      message->mutable_all();
      break;
    case VersionPolicy::Kind::kSpecific:
      for (const int64_t version : policy.specific) message->mutable_specific()->add_versions(version);
      break;
  }
}

inference::ModelQueuePolicy Describe(const model::QueuePolicy& policy, int64_t max_samples) {
  inference::ModelQueuePolicy message;
  if (policy.timeout_action == model::QueuePolicy::TimeoutAction::kDelay) {
    message.set_timeout_action(inference::ModelQueuePolicy::DELAY);
  }
  if (policy.default_timeout != absl::InfiniteDuration()) {
    message.set_default_timeout_microseconds(static_cast<uint64_t>(absl::ToInt64Microseconds(policy.default_timeout)));
  }
  message.set_allow_timeout_override(policy.allow_timeout_override);
  const int64_t samples = policy.max_samples > 0 ? policy.max_samples : max_samples;
  message.set_max_queue_size(static_cast<uint32_t>(samples));
  return message;
}

void Describe(const model::BatchingOptions& batching, int64_t max_samples, inference::ModelDynamicBatching* message) {
  for (const int64_t size : batching.preferred_batch_sizes) {
    message->add_preferred_batch_size(static_cast<int32_t>(size));
  }
  message->set_max_queue_delay_microseconds(static_cast<uint64_t>(absl::ToInt64Microseconds(batching.max_queue_delay)));
  message->set_preserve_ordering(batching.preserve_ordering);
  message->set_priority_levels(static_cast<uint64_t>(batching.priority_levels));
  message->set_default_priority_level(static_cast<uint64_t>(batching.default_priority_level));
  *message->mutable_default_queue_policy() = Describe(batching.default_queue_policy, max_samples);
  for (const auto& [level, policy] : batching.level_queue_policies) {
    (*message->mutable_priority_queue_policy())[static_cast<uint64_t>(level)] = Describe(policy, max_samples);
  }
}

void SetParameter(inference::ModelConfig* message, const char* key, const std::string& value) {
  (*message->mutable_parameters())[key].set_string_value(value);
}

}  // namespace

inference::ModelConfig DescribeConfig(const repository::ServedModel& model, int workers) {
  const model::ModelConfig& config = model.config();
  inference::ModelConfig message;
  message.set_name(model.name());
  message.set_platform("onnxruntime_onnx");
  message.set_backend("onnxruntime");
  message.set_default_model_filename("model.onnx");
  message.set_max_batch_size(static_cast<int32_t>(model.max_batch_size()));
  for (const model::TensorSpec& spec : model.signature().inputs) Describe(spec, message.add_input());
  for (const model::TensorSpec& spec : model.signature().outputs) Describe(spec, message.add_output());
  Describe(config.version_policy, message.mutable_version_policy());
  inference::ModelInstanceGroup* const instances = message.add_instance_group();
  instances->set_name(model.name());
  instances->set_kind(inference::ModelInstanceGroup::KIND_CPU);
  instances->set_count(config.max_running_batches > 0 ? config.max_running_batches : workers);
  Describe(config.batching, config.max_queue_samples, message.mutable_dynamic_batching());
  message.mutable_model_transaction_policy()->set_decoupled(false);  // one response for each request
  SetParameter(&message, "batchnorm", config.batch_norm == model::BatchNormMode::kFolded ? "folded" : "primitive");
  SetParameter(&message, "precision", Name(config.precision));
  SetParameter(&message, "drift_sample_rate", absl::StrCat(config.drift.sample_rate));
  SetParameter(&message, "drift_half_life", absl::StrCat(config.drift.half_life));
  SetParameter(&message, "drift_minimum_samples", absl::StrCat(config.drift.minimum_samples));
  SetParameter(&message, "scheduling_weight", absl::StrCat(config.batching.scheduling_weight));
  SetParameter(&message, "stream_reuse", config.stream_reuse ? "auto" : "off");
  SetParameter(&message, "stream_verify_share", absl::StrCat(config.stream_verify_share));
  if (model.window_length() > 0) SetParameter(&message, "window_length", absl::StrCat(model.window_length()));
  if (model.hop() > 0) SetParameter(&message, "hop", absl::StrCat(model.hop()));
  return message;
}

}  // namespace stillwave::service
