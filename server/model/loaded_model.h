// One version of a model, ready to run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/execution/plan_cache.h"
#include "server/model/batch_runner.h"
#include "server/model/load_options.h"
#include "server/model/model_signature.h"
#include "server/model/parameter_counts.h"

namespace stillwave::model {

// Immutable and thread-safe after Load.
class LoadedModel final : public BatchRunner {
 public:
  // Reads, verifies, optimises, compiles and warms up `model_path` (external data lies beside it), then probes that
  // samples of a batch do not influence each other. Refusals name the node and the fault: INVALID_ARGUMENT for a broken
  // file, FAILED_PRECONDITION for one that is not frozen or mixes its rows, UNIMPLEMENTED for an operator that is not
  // there, NOT_FOUND for a missing file.
  static absl::StatusOr<std::shared_ptr<const LoadedModel>> Load(const std::string& model_path,
                                                                 const LoadOptions& options);
  // The same from bytes (the embedded demonstration model); no external data.
  static absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadFromBytes(absl::string_view bytes,
                                                                          const LoadOptions& options);

  const ModelSignature& signature() const { return signature_; }
  const LoadOptions& options() const { return options_; }
  // Lower-case hex digest of the model file (not of external data).
  const std::string& sha256() const { return sha256_; }
  const ParameterCounts& parameter_counts() const { return parameter_counts_; }
  // BatchNormalization layers that run as primitives and so can be watched.
  int batch_norm_layers() const { return batch_norm_layers_; }
  // The length of input 0's last axis (time) if it is fixed, else tensor::kDynamicDim.
  int64_t fixed_window_length() const;
  // True when rows run one by one: the graph takes nothing but its declared batch of 1, or the bits of a row would
  // depend on the batch.
  bool row_by_row() const { return row_by_row_; }

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override;
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes) const override;

  // For people: inputs, outputs, parameters, and a table of layers with shapes, primitive, implementation and what was
  // fused, for one sample of the warm-up length (or `window_length`, when positive).
  absl::StatusOr<std::string> Describe(int64_t window_length = 0) const;

 private:
  // A batch runs in chunks of powers of two up to this: more buys no arithmetic on a CPU.
  static constexpr int64_t kMaxChunk = 32;
  // Shapes for which plans are kept: six chunk sizes for about twenty lengths.
  static constexpr size_t kPlanCapacity = 128;

  LoadedModel() = default;

  static absl::StatusOr<std::shared_ptr<const LoadedModel>> Build(graph::Graph imported, std::string sha256,
                                                                  const LoadOptions& options);

  // The plan for inputs of these shapes with axis 0 set to `samples`.
  absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> PlanFor(std::vector<tensor::Shape>& shapes,
                                                                          int64_t samples) const;

  ModelSignature signature_;
  LoadOptions options_;
  std::string sha256_;
  ParameterCounts parameter_counts_;
  int batch_norm_layers_ = 0;
  bool row_by_row_ = false;
  int64_t max_chunk_ = 1;
  std::vector<tensor::Shape> sample_shapes_;  // of the inputs, for one sample of the warm-up length
  std::unique_ptr<execution::PlanCache> plans_;
};

}  // namespace stillwave::model
