// One version of a model, ready to run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/execution/plan_cache.h"
#include "server/model/batch_runner.h"
#include "server/model/folded_layers.h"
#include "server/model/load_options.h"
#include "server/model/model_signature.h"
#include "server/model/parameter_counts.h"

namespace stillwave::model {

struct NetworkShapes;

// Immutable and thread-safe after Load.
class LoadedModel final : public BatchRunner {
 public:
  // Reads, verifies, optimises, compiles and warms up `model_path` (external data lies beside it), then probes that
  // samples of a batch do not influence each other. Refusals name the node and the fault: INVALID_ARGUMENT for a broken
  // file, FAILED_PRECONDITION for one that is not frozen or mixes its rows, or for a precision that this CPU has not,
  // UNIMPLEMENTED for an operator that is not there, NOT_FOUND for a missing file, CANCELLED when
  // options.stop_requested said so.
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
  // Resident weights, packed ones included: about what the file holds.
  size_t weight_bytes() const { return plans_->weight_bytes(); }
  // BatchNormalization layers that run as primitives and so can be watched.
  int batch_norm_layers() const { return batch_norm_layers_; }
  // The length of input 0's last axis (time) if it is fixed, else tensor::kDynamicDim.
  int64_t fixed_window_length() const;
  // True when rows run one by one: the graph takes nothing but its declared batch of 1, or the bits of a row would
  // depend on the batch.
  bool row_by_row() const { return row_by_row_; }
  // For people: "any", or what became of a declared batch of 1.
  absl::string_view batch_form() const;

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override;
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes) const override;

  // For tools that measure. What the plans are compiled from: the network after all passes.
  const graph::Graph& network() const { return plans_->graph(); }
  // The same with its BatchNormalization layers, also where they are folded, if options().keep_batch_norm asked for it,
  // and with the values of folded_layers(). CompilePart takes parts of it.
  const graph::Graph& normalizing_network() const { return unfolded_.has_value() ? *unfolded_ : network(); }
  // Those that the exporter folded and the file tells of. Empty unless options().keep_batch_norm.
  const std::vector<FoldedLayer>& folded_layers() const { return folded_layers_; }
  // Weights may be stand-ins without elements: use it for its shapes, and compile through CompileAnew.
  absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> CompileAnew(
      absl::Span<const tensor::Shape> input_shapes) const {
    return plans_->CompileAnew(input_shapes);
  }
  // A plan of a graph that was made of network(), with its weights.
  absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> CompilePart(
      const graph::Graph& part, absl::Span<const tensor::Shape> input_shapes) const {
    return plans_->CompilePart(part, input_shapes);
  }
  // Of the inputs for one sample of the warm-up length.
  const std::vector<tensor::Shape>& sample_shapes() const { return sample_shapes_; }
  // Samples that run at once at most; a larger batch runs in several such chunks.
  int64_t max_chunk() const { return max_chunk_; }
  // What Run runs for a chunk of these shapes.
  absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> Plan(
      absl::Span<const tensor::Shape> input_shapes) const {
    return plans_->Get(input_shapes);
  }

  // For people: inputs, outputs, parameters, and a table of layers with shapes, primitive, implementation and what was
  // fused, for one sample of the warm-up length (or `window_length`, when positive).
  absl::StatusOr<std::string> Describe(int64_t window_length = 0) const;

 private:
  // A batch runs in chunks of powers of two up to this: more buys no arithmetic on a CPU.
  static constexpr int64_t kMaxChunk = 32;
  // See EstimateWork; about a tenth of a second on one core, which a batch would make its first row wait.
  static constexpr int64_t kMaxChunkWork = int64_t{1} << 32;
  // Steps of the plans that one length needs, over all chunk sizes: 7 µs and 1 kB each.
  static constexpr int64_t kMaxSteps = 40'000;
  // After simplification. Ten times the deepest networks that are served like this.
  static constexpr int64_t kMaxLayers = 20'000;
  // Shapes for which plans are kept: six chunk sizes for about twenty lengths.
  static constexpr size_t kPlanCapacity = 128;

  LoadedModel() = default;

  static absl::StatusOr<std::shared_ptr<const LoadedModel>> Build(graph::Graph imported,
                                                                  const onnx_import::Metadata& metadata,
                                                                  std::string sha256, const LoadOptions& options);

  // Keeps what options_.keep_batch_norm asks for of the simplified network.
  absl::Status KeepNormalizing(const graph::Graph& network, const onnx_import::Metadata& metadata);

  // Finds out how many samples may run at once; compiles and warms up the plans for them.
  absl::Status ProbeBatches(const NetworkShapes& shapes);

  // Drops the plans that the probe made for more samples than max_chunk_.
  void DropLargerPlans(const std::vector<tensor::Shape>& sample_shapes, int64_t probed);

  // The plan for `samples` samples of these shapes (axis 0 is set), or for fewer where so many cannot run at once:
  // `samples` becomes what the plan takes.
  absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> PlanFor(
      absl::Span<tensor::Shape> shapes, absl::Span<const tensor::MutableTensorView> outputs, int64_t& samples) const;

  ModelSignature signature_;
  LoadOptions options_;
  std::string sha256_;
  ParameterCounts parameter_counts_;
  int batch_norm_layers_ = 0;
  bool row_by_row_ = false;
  bool declares_one_ = false;
  int64_t max_chunk_ = 1;
  int64_t layers_ = 0;
  std::vector<tensor::Shape> sample_shapes_;  // of the inputs, for one sample of the warm-up length
  std::unique_ptr<execution::PlanCache> plans_;
  std::optional<graph::Graph> unfolded_;
  std::vector<FoldedLayer> folded_layers_;
};

}  // namespace stillwave::model
