// One version of a model, ready to run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/execution/plan_cache.h"
#include "server/model/batch_runner.h"
#include "server/model/load_options.h"
#include "server/model/model_signature.h"

namespace stillwave::model {

// Counts for --describe and for the log.
struct ParameterCounts {
  int64_t learnable = 0;           // weights, biases, γ, β
  int64_t batch_norm_affine = 0;   // γ and β: 2×C per layer (part of learnable)
  int64_t running_statistics = 0;  // running mean and variance: 2×C per layer
};

// Immutable and thread-safe after Load.
class LoadedModel final : public BatchRunner {
 public:
  // Reads, verifies, optimises, compiles and warms up `model_path` (external data lies beside it), then probes that
  // samples of a batch do not influence each other. Refusals name the node and the fault: INVALID_ARGUMENT for a
  // broken file, FAILED_PRECONDITION for one that is not frozen, UNIMPLEMENTED for an operator that is not there.
  static absl::StatusOr<std::shared_ptr<const LoadedModel>> Load(const std::string& model_path,
                                                                 const LoadOptions& options);
  // The same from bytes (the embedded demonstration model); no external data.
  static absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadFromBytes(absl::string_view bytes,
                                                                          const LoadOptions& options);

  const ModelSignature& signature() const { return signature_; }
  const LoadOptions& options() const { return options_; }
  // Lower-case hex digest of the model file.
  const std::string& sha256() const { return sha256_; }
  const ParameterCounts& parameter_counts() const { return parameter_counts_; }
  // BatchNormalization layers that run as primitives and so can be watched.
  int batch_norm_layers() const { return batch_norm_layers_; }
  // The axis of input 0 that is time (the last), its length if fixed, else tensor::kDynamicDim.
  int64_t fixed_window_length() const;
  // True when the file's batch axis does not batch (a fixed size that the graph depends on): rows run one by one.
  bool row_by_row() const { return row_by_row_; }

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override;
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes) const override;

  // For people: inputs, outputs, parameters, and a table of layers with shapes, primitive, implementation and what
  // was fused, for one sample of the warm-up length (or `window_length`, when positive).
  absl::StatusOr<std::string> Describe(int64_t window_length = 0) const;

 private:
  LoadedModel() = default;

  static absl::StatusOr<std::shared_ptr<const LoadedModel>> Build(graph::Graph imported, std::string sha256,
                                                                  const LoadOptions& options);
  absl::Status RunRows(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                       absl::Span<const tensor::MutableTensorView> outputs, int64_t first, int64_t count) const;

  ModelSignature signature_;
  LoadOptions options_;
  std::string sha256_;
  ParameterCounts parameter_counts_;
  int batch_norm_layers_ = 0;
  bool row_by_row_ = false;
  std::vector<tensor::Shape> warm_up_shapes_;  // of the inputs, for one sample
  std::unique_ptr<execution::PlanCache> plans_;
};

}  // namespace stillwave::model
