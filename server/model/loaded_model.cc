#include "server/model/loaded_model.h"

#include <malloc.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/power_of_two.h"
#include "server/base/status_macros.h"
#include "server/execution/onednn/primitive.h"
#include "server/model/batch_probe.h"
#include "server/model/network_shapes.h"
#include "server/model/work_estimate.h"
#include "server/onnx/frozen_check.h"
#include "server/onnx/onnx_importer.h"
#include "server/passes/pass_pipeline.h"

namespace stillwave::model {
namespace {

// Inputs or outputs that a run keeps track of without allocating.
constexpr size_t kFewTensors = 4;

using tensor::MutableTensorView;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    SW_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void Update(const char* data, size_t size) { SW_CHECK(EVP_DigestUpdate(context_.get(), data, size) == 1); }
  std::string Hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    SW_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
    return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// In pieces, so that a file of any size takes no memory here.
std::string FileSha256(const std::string& path) {
  Sha256 hash;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(1 << 16);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    hash.Update(piece.data(), static_cast<size_t>(file.gcount()));
  }
  return hash.Hex();
}

int CountBatchNormNodes(const graph::Graph& graph) {
  return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(), [](const graph::Node& node) {
    return std::holds_alternative<graph::BatchNormalization>(node.op);
  }));
}

bool IsAligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % alignof(float) == 0; }

// One sample gives one row: anything else would not fit into what the caller has for it.
bool HasRows(const Shape& planned, const Shape& wanted, int64_t samples) {
  if (planned.rank() != wanted.rank() || planned.rank() == 0 || planned[0] != samples) return false;
  return planned.dims().subspan(1) == wanted.dims().subspan(1);
}

// What reading a file took and nothing holds any more goes back to the system, also of a file that is refused; the heap
// would keep it.
void ReturnMemory() { malloc_trim(0); }

// bf16 needs a CPU that has it: oneDNN's other ways to compute with it are slower than FP32.
absl::Status CheckPrecision(Precision precision) {
  if (precision == Precision::kFp32 || execution::onednn::HasBf16()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("precision bf16 needs a CPU with avx512_bf16 or AMX; this one offers ",
                   execution::onednn::InstructionSet(), ": set precision to fp32, or run on a CPU that has it"));
}

execution::onednn::Element ToElement(Precision precision) {
  using execution::onednn::Element;
  return precision == Precision::kBf16 ? Element::kBf16 : Element::kFp32;
}

// Bytes of one row of a {N, …} tensor.
size_t RowBytes(const TensorView& view) { return view.byte_size() / static_cast<size_t>(view.shape[0]); }

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::Load(const std::string& model_path,
                                                                     const LoadOptions& options) {
  const absl::Cleanup trim = ReturnMemory;
  RETURN_IF_ERROR(CheckNotStopped(options.stop_requested));
  onnx_import::Metadata metadata;
  ASSIGN_OR_RETURN(graph::Graph imported, onnx_import::ImportFile(model_path, &metadata));
  return Build(std::move(imported), metadata, FileSha256(model_path), options);
}

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::LoadFromBytes(absl::string_view bytes,
                                                                              const LoadOptions& options) {
  const absl::Cleanup trim = ReturnMemory;
  onnx_import::Metadata metadata;
  ASSIGN_OR_RETURN(graph::Graph imported, onnx_import::ImportBytes(bytes, /*data_folder=*/"", &metadata));
  Sha256 hash;
  hash.Update(bytes.data(), bytes.size());
  return Build(std::move(imported), metadata, hash.Hex(), options);
}

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::Build(graph::Graph imported,
                                                                      const onnx_import::Metadata& metadata,
                                                                      std::string sha256, const LoadOptions& options) {
  if (options.max_batch_size < 1) {
    return absl::InvalidArgumentError(absl::StrCat("max_batch_size must be positive; was ", options.max_batch_size));
  }
  RETURN_IF_ERROR(CheckPrecision(options.precision));
  std::vector<std::string> output_names;
  for (const graph::ValueId id : imported.outputs()) output_names.push_back(imported.value(id).name);
  graph::Graph network = std::move(imported);
  RETURN_IF_ERROR(CheckNotStopped(options.stop_requested));
  RETURN_IF_ERROR(passes::SimplifyGraph(network));
  RETURN_IF_ERROR(onnx_import::CheckFrozen(network));
  std::shared_ptr<LoadedModel> model(new LoadedModel());
  model->options_ = options;
  model->sha256_ = std::move(sha256);
  model->parameter_counts_ = CountParameters(network);
  RETURN_IF_ERROR(model->KeepNormalizing(network, metadata));
  RETURN_IF_ERROR(passes::OptimizeGraph(network, {.fold_batch_norm = options.batch_norm == BatchNormMode::kFolded}));
  model->layers_ = CountSteps(network);
  if (model->layers_ > kMaxLayers) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a network must not have more than ", kMaxLayers,
        " layers, where one of many inputs counts once more for every four of them; has ", model->layers_));
  }
  model->batch_norm_layers_ = CountBatchNormNodes(network);
  RETURN_IF_ERROR(CheckNotStopped(options.stop_requested));
  ASSIGN_OR_RETURN(NetworkShapes shapes, FindNetworkShapes(output_names, network, options.window_length));
  model->signature_ = std::move(shapes.signature);
  model->sample_shapes_ = shapes.sample_shapes;
  model->declares_one_ = shapes.declares_one;
  model->plans_ = std::make_unique<execution::PlanCache>(std::move(network), kPlanCapacity, options.plan_compiled,
                                                         ToElement(options.precision));
  RETURN_IF_ERROR(model->ProbeBatches(shapes));
  RETURN_IF_ERROR(CheckNotStopped(options.stop_requested));
  model->options_.stop_requested = nullptr;
  model->plans_->ReleasePackedWeights();
  return std::shared_ptr<const LoadedModel>(std::move(model));
}

absl::Status LoadedModel::KeepNormalizing(const graph::Graph& network, const onnx_import::Metadata& metadata) {
  if (!options_.keep_batch_norm) return absl::OkStatus();
  folded_layers_ = ReadFoldedLayers(metadata, network);
  if (folded_layers_.empty() && options_.batch_norm != BatchNormMode::kFolded) return absl::OkStatus();
  unfolded_ = network;
  for (const FoldedLayer& layer : folded_layers_) {
    // An output is not fused away.
    const std::vector<graph::ValueId>& outputs = unfolded_->outputs();
    if (std::find(outputs.begin(), outputs.end(), layer.output) == outputs.end()) unfolded_->AddOutput(layer.output);
  }
  return passes::OptimizeGraph(*unfolded_, {});
}

int64_t LoadedModel::fixed_window_length() const {
  const Shape& shape = signature_.inputs[0].shape;
  return shape.rank() < 2 ? tensor::kDynamicDim : shape[shape.rank() - 1];
}

absl::StatusOr<std::vector<Shape>> LoadedModel::OutputShapes(absl::Span<const Shape> input_shapes) const {
  std::vector<Shape> one(input_shapes.begin(), input_shapes.end());
  for (const Shape& shape : one) {
    if (shape.rank() == 0 || shape[0] < 1 || shape[0] != input_shapes[0][0]) {
      return absl::InvalidArgumentError(
          absl::StrCat("axis 0 of every input must be the same positive batch size; one input is ", shape.ToString()));
    }
  }
  ASSIGN_OR_RETURN(std::vector<Shape> outputs, plans_->OutputShapes(WithBatch(one, 1)));
  for (size_t j = 0; j < outputs.size(); ++j) {
    // A Reshape with fixed lengths can cut one longer sample into several rows.
    if (outputs[j].rank() > 0 && outputs[j][0] == 1) continue;
    return absl::InvalidArgumentError(absl::StrCat("the network must give one row per sample; output '",
                                                   signature_.outputs[j].name, "' is ", outputs[j].ToString(),
                                                   " for one sample of ", one[0].ToString()));
  }
  return WithBatch(std::move(outputs), input_shapes[0][0]);
}

absl::Status LoadedModel::ProbeBatches(const NetworkShapes& shapes) {
  const int64_t worth = std::max<int64_t>(kMaxChunkWork / std::max<int64_t>(shapes.work, 1), 1);
  int64_t largest = shapes.batches ? base::LargestPowerOfTwo(std::min({options_.max_batch_size, kMaxChunk, worth})) : 1;
  // One plan for each power of two.
  for (int64_t plans = std::bit_width(static_cast<uint64_t>(largest)); largest > 1 && plans * layers_ > kMaxSteps;
       --plans) {
    largest /= 2;
  }
  // A batch of 1 still is probed in pairs where the graph takes them: mixing rows is a fault of the network.
  const int64_t probed = shapes.batches ? std::max<int64_t>(largest, 2) : 1;
  absl::StatusOr<int64_t> independent =
      ProbeBatchIndependence(*plans_, signature_, sample_shapes_, probed, options_.stop_requested);
  if (independent.ok() && *independent > 1 && !shapes.other_sample_shapes.empty()) {
    // Rows may mix, or kernels round otherwise, at some lengths only.
    const absl::StatusOr<int64_t> elsewhere =
        ProbeBatchIndependence(*plans_, signature_, shapes.other_sample_shapes, *independent, options_.stop_requested);
    if (elsewhere.ok()) independent = std::min(*independent, *elsewhere);
    // A length that cannot be run at all is refused when a request brings it.
    if (absl::IsFailedPrecondition(elsewhere.status())) independent = elsewhere.status();
  }
  // A file that was exported for one sample is right for one sample, whatever it does to more.
  if (absl::IsFailedPrecondition(independent.status()) && shapes.declares_one) independent = 1;
  if (!independent.ok()) return independent.status();
  max_chunk_ = std::min(largest, *independent);
  row_by_row_ = !shapes.batches || *independent == 1;
  DropLargerPlans(sample_shapes_, probed);
  if (!shapes.other_sample_shapes.empty()) DropLargerPlans(shapes.other_sample_shapes, probed);
  return absl::OkStatus();
}

void LoadedModel::DropLargerPlans(const std::vector<Shape>& sample_shapes, int64_t probed) {
  for (int64_t samples = max_chunk_ * 2; samples <= probed; samples *= 2) {
    plans_->Drop(WithBatch(sample_shapes, samples));
  }
}

absl::string_view LoadedModel::batch_form() const {
  if (row_by_row_) return declares_one_ ? "declared 1, run row by row" : "run row by row";
  return declares_one_ ? "declared 1, rows are independent: run together" : "any";
}

absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> LoadedModel::PlanFor(
    absl::Span<Shape> shapes, absl::Span<const MutableTensorView> outputs, int64_t& samples) const {
  while (true) {
    for (Shape& shape : shapes) shape[0] = samples;
    absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> plan = plans_->Get(shapes);
    bool has_rows = plan.ok();
    for (size_t j = 0; has_rows && j < outputs.size(); ++j) {
      has_rows = HasRows((*plan)->output_shapes()[j], outputs[j].shape, samples);
    }
    if (has_rows) return plan;
    if (samples == 1) {
      return plan.ok() ? absl::InvalidArgumentError("the network must give one row per sample") : plan.status();
    }
    // Long samples may need more memory together than a plan may have, and at a length that was not probed the graph
    // may take one sample only.
    samples /= 2;
  }
}

// A batch of 7 runs as 4 + 2 + 1.
absl::Status LoadedModel::Run(execution::ExecutionContext& context, absl::Span<const TensorView> inputs,
                              absl::Span<const MutableTensorView> outputs) const {
  SW_CHECK(inputs.size() == signature_.inputs.size() && outputs.size() == signature_.outputs.size());
  const int64_t samples = inputs[0].shape[0];
  // A request's bytes may lie anywhere; loads of single floats must not.
  std::vector<Tensor> aligned;
  absl::InlinedVector<const char*, kFewTensors> sources;
  absl::InlinedVector<Shape, kFewTensors> shapes;
  for (const TensorView& input : inputs) {
    shapes.push_back(input.shape);
    sources.push_back(static_cast<const char*>(input.data));
    if (IsAligned(input.data)) continue;
    ASSIGN_OR_RETURN(Tensor copy, Tensor::Create(input.data_type, input.shape));
    std::memcpy(copy.mutable_data(), input.data, input.byte_size());
    sources.back() = static_cast<const char*>(copy.data());
    aligned.push_back(std::move(copy));
  }
  absl::InlinedVector<char*, kFewTensors> targets;
  for (const MutableTensorView& output : outputs) targets.push_back(static_cast<char*>(output.data));

  absl::InlinedVector<const void*, kFewTensors> chunk_inputs(inputs.size());
  absl::InlinedVector<void*, kFewTensors> chunk_outputs(outputs.size());
  for (int64_t done = 0; done < samples;) {
    int64_t chunk = base::LargestPowerOfTwo(std::min(samples - done, max_chunk_));
    ASSIGN_OR_RETURN(const std::shared_ptr<const execution::ExecutionPlan> plan,
                     PlanFor(absl::MakeSpan(shapes), outputs, chunk));
    for (size_t i = 0; i < inputs.size(); ++i) {
      chunk_inputs[i] = sources[i] + static_cast<size_t>(done) * RowBytes(inputs[i]);
    }
    for (size_t j = 0; j < outputs.size(); ++j) {
      chunk_outputs[j] = targets[j] + static_cast<size_t>(done) * RowBytes(outputs[j]);
    }
    RETURN_IF_ERROR(plan->Run(context, chunk_inputs, absl::MakeSpan(chunk_outputs)));
    done += chunk;
  }
  return absl::OkStatus();
}

}  // namespace stillwave::model
