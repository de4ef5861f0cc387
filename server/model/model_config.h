// config.pbtxt: what a model's owner sets beside the ONNX file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/model/batching_options.h"
#include "server/model/drift_options.h"
#include "server/model/load_options.h"
#include "server/model/model_signature.h"
#include "server/tensor/data_type.h"
#include "server/tensor/shape.h"

namespace stillwave::model {

// Which of the versions that lie in the model's folder are served.
struct VersionPolicy {
  enum class Kind { kLatest, kAll, kSpecific };
  Kind kind = Kind::kLatest;
  int64_t latest = 1;             // kLatest: that many of the highest; positive
  std::vector<int64_t> specific;  // kSpecific
};

// An input or output as the file states it.
struct ConfiguredTensor {
  std::string name;
  tensor::DataType data_type = tensor::DataType::kFloat32;
  tensor::Shape dims;  // without the batch axis when ModelConfig::dims_without_batch
};

// What model_warmup asks to run before the model is ready.
struct WarmUpInput {
  ConfiguredTensor tensor;
  bool random = false;  // else zeros
};
struct WarmUpRun {
  std::string name;
  int64_t batch_size = 1;  // samples at once, where dims leave the batch axis out
  int64_t count = 1;       // how often
  std::vector<WarmUpInput> inputs;
};

struct ModelConfig {
  std::string name;
  // Samples that one request or batch may have. Where the file says 0 or nothing, the default.
  int64_t max_batch_size = 32;
  // As in Triton: with max_batch_size > 0 in the file, dims leave the batch axis out.
  bool dims_without_batch = false;
  std::vector<ConfiguredTensor> inputs;   // may be empty: as the ONNX file says
  std::vector<ConfiguredTensor> outputs;  // may be empty
  VersionPolicy version_policy;
  // dynamic_batching.default_queue_policy.max_queue_size, counted in samples: for each priority level whose own queue
  // policy has none.
  int64_t max_queue_samples = 4096;
  BatchingOptions batching;
  // Batches that may run at the same time (instance_group counts). 0: as many as there are workers.
  int max_running_batches = 0;
  BatchNormMode batch_norm = BatchNormMode::kPrimitive;
  Precision precision = Precision::kFp32;
  DriftOptions drift;
  // Samples per window that a stream gets when it asks for none, and samples between windows. 0: not configured.
  int64_t window_length = 0;
  int64_t hop = 0;
  // Windows of streams keep what they share with the one before, where that pays; false: all are computed in full.
  bool stream_reuse = true;
  // Of the windows that keep something, the part that is computed in full too and compared; 0 to 1.
  double stream_verify_share = 0.001;
  // Time steps that model_warmup asks to warm up for. 0: none said.
  int64_t warm_up_length = 0;
  std::vector<WarmUpRun> warm_ups;
};

// What holds for a model without a file.
ModelConfig DefaultModelConfig(absl::string_view name);

// How to load a model that is configured so.
LoadOptions ToLoadOptions(const ModelConfig& config);

// Reads the text form of inference.ModelConfig. `folder_name` is the model's name; the file may repeat it or leave it
// out. INVALID_ARGUMENT with line and column for a text that cannot be read, and naming field, rule and value for a
// value out of its range; UNIMPLEMENTED naming the field for one that would change results or speed and is not
// supported. What the file does not say is as in `defaults` (the server's flags).
absl::StatusOr<ModelConfig> ParseModelConfig(absl::string_view text, absl::string_view folder_name,
                                             const ModelConfig& defaults = ModelConfig());

// The same from protobuf's JSON form, in which a client gives a configuration in place of the file's.
absl::StatusOr<ModelConfig> ParseModelConfigJson(absl::string_view json, absl::string_view folder_name,
                                                 const ModelConfig& defaults = ModelConfig());

// The signature that is served: the file's own, narrowed by fixed dims of the configuration. INVALID_ARGUMENT when the
// configuration names a tensor that the model has not, or another data type, rank or dimension.
absl::StatusOr<ModelSignature> ApplyToSignature(const ModelConfig& config, const ModelSignature& signature);

}  // namespace stillwave::model
