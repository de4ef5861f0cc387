#include "server/model/model_config.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "inference/model_config.pb.h"
#include "server/base/status_macros.h"
#include "server/model/model_config_batching.h"
#include "server/model/model_config_checks.h"
#include "server/model/model_config_fields.h"

namespace stillwave::model {
namespace {

constexpr int64_t kMaxBatchSize = 4096;
constexpr int64_t kMaxInstances = 4096;
constexpr int64_t kMaxWindowLength = int64_t{1} << 24;
constexpr int64_t kMaxWarmUpRuns = 1000;
constexpr int64_t kMaxDriftSamples = 1'000'000'000;
constexpr int kMaxNesting = 32;
constexpr char kModelFile[] = "model.onnx";

// What other servers call the runtimes that take an ONNX file.
constexpr absl::string_view kPlatforms[] = {"", "onnxruntime_onnx", "onnx", "stillwave"};
constexpr absl::string_view kBackends[] = {"", "onnxruntime", "onnx", "openvino", "stillwave"};

std::string ToText(absl::string_view text) { return std::string(text.data(), text.size()); }

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

absl::Status ReadInteger(absl::string_view key, const std::string& text, int64_t maximum, int64_t* value) {
  if (absl::SimpleAtoi(text, value) && *value >= 1 && *value <= maximum) return absl::OkStatus();
  return Invalid(absl::StrCat("parameters.", key), absl::StrCat("be an integer from 1 to ", maximum),
                 absl::StrCat("'", text, "'"));
}

absl::Status ReadShare(absl::string_view key, const std::string& text, double* value) {
  // Not a number fails both comparisons.
  if (absl::SimpleAtod(text, value) && *value >= 0 && *value <= 1) return absl::OkStatus();
  return Invalid(absl::StrCat("parameters.", key), "be a number from 0 to 1", absl::StrCat("'", text, "'"));
}

absl::Status ReadParameter(const std::string& key, const std::string& value, ModelConfig* config) {
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
  if (key == "drift_sample_rate") return ReadShare(key, value, &config->drift.sample_rate);
  if (key == "drift_half_life") return ReadInteger(key, value, kMaxDriftSamples, &config->drift.half_life);
  if (key == "drift_minimum_samples") {
    return ReadInteger(key, value, kMaxDriftSamples, &config->drift.minimum_samples);
  }
  if (key == "window_length") return ReadInteger(key, value, kMaxWindowLength, &config->window_length);
  if (key == "hop") return ReadInteger(key, value, kMaxWindowLength, &config->hop);
  if (key == "stream_reuse") {
    if (value != "auto" && value != "off") {
      return Invalid("parameters.stream_reuse", "be auto or off", absl::StrCat("'", value, "'"));
    }
    config->stream_reuse = value == "auto";
    return absl::OkStatus();
  }
  if (key == "stream_verify_share") return ReadShare(key, value, &config->stream_verify_share);
  if (key == "scheduling_weight") {
    return ReadInteger(key, value, kMaxSchedulingWeight, &config->batching.scheduling_weight);
  }
  return absl::UnimplementedError(
      absl::StrCat("parameters.", key, " is not supported; known are batchnorm, precision, ",
                   "drift_sample_rate, drift_half_life, drift_minimum_samples, window_length, hop, stream_reuse, ",
                   "stream_verify_share and scheduling_weight"));
}

absl::StatusOr<WarmUpInput> ReadWarmUpInput(const std::string& where, const std::string& name,
                                            const inference::ModelWarmup::Input& file) {
  WarmUpInput input;
  input.tensor.name = name;
  if (file.input_data_type_case() != inference::ModelWarmup::Input::kZeroData &&
      file.input_data_type_case() != inference::ModelWarmup::Input::kRandomData) {
    return absl::UnimplementedError(absl::StrCat(where, " must have zero_data or random_data"));
  }
  input.random = file.random_data();
  ASSIGN_OR_RETURN(input.tensor.data_type, ToDataType(absl::StrCat(where, ".data_type"), file.data_type()));
  if (file.dims_size() == 0) return Invalid(absl::StrCat(where, ".dims"), "not be empty", "[]");
  if (file.dims_size() >= tensor::kMaxRank) {
    return Invalid(absl::StrCat(where, ".dims"), absl::StrCat("be fewer than ", tensor::kMaxRank),
                   absl::StrCat(file.dims_size()));
  }
  for (const int64_t dim : file.dims()) {
    RETURN_IF_ERROR(CheckRange(absl::StrCat(where, ".dims"), dim, 1, kMaxWindowLength));
    input.tensor.dims.Append(dim);
  }
  return input;
}

absl::StatusOr<WarmUpRun> ReadWarmUpRun(const inference::ModelWarmup& file, int64_t max_batch_size) {
  WarmUpRun run;
  run.name = file.name();
  RETURN_IF_ERROR(CheckRange("model_warmup.batch_size", file.batch_size(), 0, max_batch_size));
  RETURN_IF_ERROR(CheckRange("model_warmup.count", file.count(), 0, kMaxWarmUpRuns));
  run.batch_size = std::max<int64_t>(1, file.batch_size());
  run.count = std::max<int64_t>(1, file.count());
  // A map has no order; names make one, so that an error is the same each time.
  for (const auto& [name, input] :
       std::map<std::string, inference::ModelWarmup::Input>(file.inputs().begin(), file.inputs().end())) {
    ASSIGN_OR_RETURN(WarmUpInput read, ReadWarmUpInput(absl::StrCat("model_warmup.inputs '", name, "'"), name, input));
    run.inputs.push_back(std::move(read));
  }
  return run;
}

// Every model is warmed up at load, for every batch size; the file adds for how many time steps, and runs of its own.
absl::Status ReadWarmUp(const inference::ModelConfig& file, ModelConfig* config) {
  for (const inference::ModelWarmup& warm_up : file.model_warmup()) {
    ASSIGN_OR_RETURN(WarmUpRun run, ReadWarmUpRun(warm_up, config->max_batch_size));
    for (const WarmUpInput& input : run.inputs) {
      const tensor::Shape& dims = input.tensor.dims;
      const int64_t length = dims[dims.rank() - 1];
      if (config->warm_up_length != 0 && config->warm_up_length != length) {
        return absl::UnimplementedError(absl::StrCat("model_warmup.inputs '", input.tensor.name,
                                                     "' must have the same last dimension as other warm-up inputs, ",
                                                     config->warm_up_length, "; was ", length));
      }
      config->warm_up_length = length;
    }
    config->warm_ups.push_back(std::move(run));
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
  RETURN_IF_ERROR(ReadDynamicBatching(file.dynamic_batching(), config->max_batch_size, &config->batching));
  const int64_t queue_size = config->batching.default_queue_policy.max_samples;
  if (queue_size > 0) config->max_queue_samples = queue_size;
  RETURN_IF_ERROR(ReadWarmUp(file, config));
  for (const auto& [key, value] : file.parameters()) {
    RETURN_IF_ERROR(ReadParameter(key, value.string_value(), config));
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelConfig> FromMessage(const inference::ModelConfig& file, absl::string_view folder_name,
                                        const ModelConfig& defaults) {
  ModelConfig config = defaults;
  config.name = ToText(folder_name);
  RETURN_IF_ERROR(ReadFields(file, folder_name, &config));
  return config;
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
  options.keep_batch_norm = config.drift.sample_rate > 0;
  options.window_length = config.warm_up_length > 0 ? config.warm_up_length : config.window_length;
  return options;
}

absl::StatusOr<ModelConfig> ParseModelConfig(absl::string_view text, absl::string_view folder_name,
                                             const ModelConfig& defaults) {
  ASSIGN_OR_RETURN(const inference::ModelConfig file, ParseText(text));
  return FromMessage(file, folder_name, defaults);
}

absl::StatusOr<ModelConfig> ParseModelConfigJson(absl::string_view json, absl::string_view folder_name,
                                                 const ModelConfig& defaults) {
  inference::ModelConfig file;
  const auto parsed = google::protobuf::util::JsonStringToMessage(ToText(json), &file);
  if (!parsed.ok()) return absl::InvalidArgumentError(absl::StrCat("JSON: ", std::string(parsed.message())));
  return FromMessage(file, folder_name, defaults);
}

}  // namespace stillwave::model
