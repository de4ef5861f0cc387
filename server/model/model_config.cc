#include "server/model/model_config.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "inference/model_config.pb.h"
#include "server/base/status_macros.h"
#include "server/model/model_config_fields.h"

namespace stillwave::model {
namespace {

constexpr int64_t kMaxBatchSize = 4096;
constexpr int64_t kMaxInstances = 4096;
constexpr int64_t kMaxWindowLength = int64_t{1} << 24;
constexpr int kMaxNesting = 32;
constexpr char kModelFile[] = "model.onnx";

// What other servers call the runtimes that take an ONNX file.
constexpr absl::string_view kPlatforms[] = {"", "onnxruntime_onnx", "onnx", "stillwave"};
constexpr absl::string_view kBackends[] = {"", "onnxruntime", "onnx", "openvino", "stillwave"};

std::string ToText(absl::string_view text) { return std::string(text.data(), text.size()); }

absl::Status Invalid(absl::string_view field, absl::string_view rule, absl::string_view value) {
  return absl::InvalidArgumentError(absl::StrCat(field, " must ", rule, "; was ", value));
}

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return Invalid(field, absl::StrCat("be ", low, " to ", high), absl::StrCat(value));
}

template <size_t N>
absl::Status CheckOneOf(absl::string_view field, const std::string& value, const absl::string_view (&known)[N]) {
  if (std::find(std::begin(known), std::end(known), value) != std::end(known)) return absl::OkStatus();
  // The first of each list is the empty one.
  const std::string names = absl::StrJoin(std::next(std::begin(known)), std::end(known), ", ");
  return Invalid(field, absl::StrCat("be one of ", names, " or left out"), absl::StrCat("'", value, "'"));
}

// Keeps the first error, with its place counted from 1.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (!message_.empty()) return;
    message_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

absl::StatusOr<inference::ModelConfig> ParseText(absl::string_view text) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(kMaxNesting);
  inference::ModelConfig config;
  if (!parser.ParseFromString(ToText(text), &config)) return absl::InvalidArgumentError(error.message());
  return config;
}

absl::Status CheckIdentity(const inference::ModelConfig& file, absl::string_view folder_name) {
  if (!file.name().empty() && file.name() != folder_name) {
    return Invalid("name", absl::StrCat("be the folder's name '", folder_name, "' or left out"),
                   absl::StrCat("'", file.name(), "'"));
  }
  RETURN_IF_ERROR(CheckOneOf("platform", file.platform(), kPlatforms));
  RETURN_IF_ERROR(CheckOneOf("backend", file.backend(), kBackends));
  if (!file.default_model_filename().empty() && file.default_model_filename() != kModelFile) {
    return Invalid("default_model_filename", absl::StrCat("be ", kModelFile, " or left out"),
                   absl::StrCat("'", file.default_model_filename(), "'"));
  }
  return absl::OkStatus();
}

// TYPE_FP32 -> kFloat32: the enum's names are the protocol's with a prefix.
absl::StatusOr<tensor::DataType> ToDataType(absl::string_view field, inference::DataType type) {
  const std::string name = inference::DataType_Name(type);
  const absl::StatusOr<tensor::DataType> data_type = tensor::ParseDataType(absl::StripPrefix(name, "TYPE_"));
  if (data_type.ok()) return data_type;
  return Invalid(field, "be a numeric type as in TYPE_FP32", name.empty() ? absl::StrCat(type) : name);
}

// Of a ModelInput or a ModelOutput.
template <typename Message>
absl::Status ReadTensors(absl::string_view field, const google::protobuf::RepeatedPtrField<Message>& messages,
                         std::vector<ConfiguredTensor>* tensors) {
  for (const Message& message : messages) {
    if (message.name().empty()) return Invalid(absl::StrCat(field, ".name"), "not be empty", "''");
    const std::string where = absl::StrCat(field, " '", message.name(), "'");
    ConfiguredTensor& tensor = tensors->emplace_back();
    tensor.name = message.name();
    ASSIGN_OR_RETURN(tensor.data_type, ToDataType(absl::StrCat(where, ".data_type"), message.data_type()));
    if (message.dims_size() > tensor::kMaxRank) {
      return Invalid(absl::StrCat(where, ".dims"), absl::StrCat("be at most ", tensor::kMaxRank),
                     absl::StrCat(message.dims_size()));
    }
    for (const int64_t dim : message.dims()) {
      if (dim != tensor::kDynamicDim && dim < 1) {
        return Invalid(absl::StrCat(where, ".dims"), "be -1 or positive", absl::StrCat(dim));
      }
      tensor.dims.Append(dim);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadVersionPolicy(const inference::ModelVersionPolicy& file, VersionPolicy* policy) {
  switch (file.policy_choice_case()) {
    case inference::ModelVersionPolicy::kLatest:
      policy->kind = VersionPolicy::Kind::kLatest;
      policy->latest = std::max<int64_t>(1, file.latest().num_versions());
      break;
    case inference::ModelVersionPolicy::kAll:
      policy->kind = VersionPolicy::Kind::kAll;
      break;
    case inference::ModelVersionPolicy::kSpecific:
      policy->kind = VersionPolicy::Kind::kSpecific;
      policy->specific.assign(file.specific().versions().begin(), file.specific().versions().end());
      if (policy->specific.empty()) return Invalid("version_policy.specific", "name at least one version", "none");
      for (const int64_t version : policy->specific) {
        if (version < 1) return Invalid("version_policy.specific.versions", "be positive", absl::StrCat(version));
      }
      break;
    case inference::ModelVersionPolicy::POLICY_CHOICE_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

absl::Status ReadInstances(const inference::ModelConfig& file, ModelConfig* config) {
  int64_t instances = 0;
  for (const inference::ModelInstanceGroup& group : file.instance_group()) {
    if (group.kind() != inference::ModelInstanceGroup::KIND_CPU &&
        group.kind() != inference::ModelInstanceGroup::KIND_AUTO) {
      return Invalid("instance_group.kind", "be KIND_CPU or KIND_AUTO",
                     inference::ModelInstanceGroup::Kind_Name(group.kind()));
    }
    RETURN_IF_ERROR(CheckRange("instance_group.count", group.count(), 0, kMaxInstances));
    instances += std::max(1, group.count());
  }
  RETURN_IF_ERROR(CheckRange("the sum of instance_group.count", instances, 0, kMaxInstances));
  config->max_running_batches = static_cast<int>(instances);
  return absl::OkStatus();
}

absl::Status ReadInteger(absl::string_view key, const std::string& text, int64_t* value) {
  if (absl::SimpleAtoi(text, value) && *value >= 1 && *value <= kMaxWindowLength) return absl::OkStatus();
  return Invalid(absl::StrCat("parameters.", key), absl::StrCat("be an integer from 1 to ", kMaxWindowLength),
                 absl::StrCat("'", text, "'"));
}

absl::Status ReadParameter(const std::string& key, const std::string& value, ModelConfig* config) {
  const auto refuse = [&](absl::string_view rule) {
    return absl::UnimplementedError(absl::StrCat("parameters.", key, " must ", rule, "; was '", value, "'"));
  };
  if (key == "batchnorm") {
    if (value != "primitive" && value != "folded") {
      return Invalid("parameters.batchnorm", "be primitive or folded", absl::StrCat("'", value, "'"));
    }
    config->batch_norm = value == "folded" ? BatchNormMode::kFolded : BatchNormMode::kPrimitive;
    return absl::OkStatus();
  }
  if (key == "precision") {
    if (value != "fp32" && value != "bf16") {
      return Invalid("parameters.precision", "be fp32 or bf16", absl::StrCat("'", value, "'"));
    }
    config->precision = value == "bf16" ? Precision::kBf16 : Precision::kFp32;
    return absl::OkStatus();
  }
  if (key == "drift_sample_rate") {
    double rate = 0;
    if (absl::SimpleAtod(value, &rate) && rate == 0) return absl::OkStatus();
    return refuse("be 0, as this version does not watch drift");
  }
  if (key == "window_length") return ReadInteger(key, value, &config->window_length);
  if (key == "hop") return ReadInteger(key, value, &config->hop);
  return absl::UnimplementedError(absl::StrCat("parameters.", key,
                                               " is not supported; known are batchnorm, precision, ",
                                               "drift_sample_rate, window_length and hop"));
}

// Every model is warmed up at load; what a file can add is for how many time steps.
absl::Status ReadWarmUp(const inference::ModelConfig& file, ModelConfig* config) {
  for (const inference::ModelWarmup& warm_up : file.model_warmup()) {
    RETURN_IF_ERROR(CheckRange("model_warmup.batch_size", warm_up.batch_size(), 0, config->max_batch_size));
    for (const auto& [name, input] : warm_up.inputs()) {
      const std::string where = absl::StrCat("model_warmup.inputs '", name, "'");
      if (input.input_data_type_case() != inference::ModelWarmup::Input::kZeroData &&
          input.input_data_type_case() != inference::ModelWarmup::Input::kRandomData) {
        return absl::UnimplementedError(absl::StrCat(where, " must have zero_data or random_data"));
      }
      if (input.dims_size() == 0) return Invalid(absl::StrCat(where, ".dims"), "not be empty", "[]");
      const int64_t length = input.dims(input.dims_size() - 1);
      RETURN_IF_ERROR(CheckRange(absl::StrCat(where, ".dims"), length, 1, kMaxWindowLength));
      if (config->warm_up_length != 0 && config->warm_up_length != length) {
        return absl::UnimplementedError(absl::StrCat(where,
                                                     " must have the same last dimension as other warm-up inputs, ",
                                                     config->warm_up_length, "; was ", length));
      }
      config->warm_up_length = length;
    }
  }
  return absl::OkStatus();
}

absl::Status ReadFields(const inference::ModelConfig& file, absl::string_view folder_name, ModelConfig* config) {
  RETURN_IF_ERROR(CheckFieldsAreObeyed(file));
  RETURN_IF_ERROR(CheckIdentity(file, folder_name));
  RETURN_IF_ERROR(CheckRange("max_batch_size", file.max_batch_size(), 0, kMaxBatchSize));
  if (file.max_batch_size() > 0) {
    config->max_batch_size = file.max_batch_size();
    config->dims_without_batch = true;
  }
  RETURN_IF_ERROR(ReadTensors("input", file.input(), &config->inputs));
  RETURN_IF_ERROR(ReadTensors("output", file.output(), &config->outputs));
  RETURN_IF_ERROR(ReadVersionPolicy(file.version_policy(), &config->version_policy));
  RETURN_IF_ERROR(ReadInstances(file, config));
  for (const int32_t size : file.dynamic_batching().preferred_batch_size()) {
    RETURN_IF_ERROR(CheckRange("dynamic_batching.preferred_batch_size", size, 1, config->max_batch_size));
  }
  const int64_t queue_size = file.dynamic_batching().default_queue_policy().max_queue_size();
  if (queue_size > 0) config->max_queue_samples = queue_size;
  RETURN_IF_ERROR(ReadWarmUp(file, config));
  for (const auto& [key, value] : file.parameters()) {
    RETURN_IF_ERROR(ReadParameter(key, value.string_value(), config));
  }
  return absl::OkStatus();
}

}  // namespace

ModelConfig DefaultModelConfig(absl::string_view name) {
  ModelConfig config;
  config.name = ToText(name);
  return config;
}

LoadOptions ToLoadOptions(const ModelConfig& config) {
  LoadOptions options;
  options.max_batch_size = config.max_batch_size;
  options.batch_norm = config.batch_norm;
  options.precision = config.precision;
  options.window_length = config.warm_up_length > 0 ? config.warm_up_length : config.window_length;
  return options;
}

absl::StatusOr<ModelConfig> ParseModelConfig(absl::string_view text, absl::string_view folder_name,
                                             const ModelConfig& defaults) {
  ASSIGN_OR_RETURN(const inference::ModelConfig file, ParseText(text));
  ModelConfig config = defaults;
  config.name = ToText(folder_name);
  RETURN_IF_ERROR(ReadFields(file, folder_name, &config));
  return config;
}

}  // namespace stillwave::model
