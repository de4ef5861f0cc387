#include "server/model/loaded_model.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/model/batch_probe.h"
#include "server/model/network_shapes.h"
#include "server/onnx/frozen_check.h"
#include "server/onnx/onnx_importer.h"
#include "server/passes/pass_pipeline.h"

namespace stillwave::model {
namespace {

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

int64_t LargestPowerOfTwo(int64_t limit) {
  int64_t power = 1;
  while (power * 2 <= limit) power *= 2;
  return power;
}

bool IsAligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % alignof(float) == 0; }

// Bytes of one row of a {N, …} tensor.
size_t RowBytes(const TensorView& view) { return view.byte_size() / static_cast<size_t>(view.shape[0]); }

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::Load(const std::string& model_path,
                                                                     const LoadOptions& options) {
  ASSIGN_OR_RETURN(graph::Graph imported, onnx_import::ImportFile(model_path));
  return Build(std::move(imported), FileSha256(model_path), options);
}

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::LoadFromBytes(absl::string_view bytes,
                                                                              const LoadOptions& options) {
  ASSIGN_OR_RETURN(graph::Graph imported, onnx_import::ImportBytes(bytes, /*data_folder=*/""));
  Sha256 hash;
  hash.Update(bytes.data(), bytes.size());
  return Build(std::move(imported), hash.Hex(), options);
}

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadedModel::Build(graph::Graph imported, std::string sha256,
                                                                      const LoadOptions& options) {
  if (options.max_batch_size < 1) {
    return absl::InvalidArgumentError(absl::StrCat("max_batch_size must be positive; was ", options.max_batch_size));
  }
  graph::Graph network = imported;
  RETURN_IF_ERROR(passes::SimplifyGraph(network));
  RETURN_IF_ERROR(onnx_import::CheckFrozen(network));
  std::shared_ptr<LoadedModel> model(new LoadedModel());
  model->options_ = options;
  model->sha256_ = std::move(sha256);
  model->parameter_counts_ = CountParameters(network);
  RETURN_IF_ERROR(passes::OptimizeGraph(network, {.fold_batch_norm = options.batch_norm == BatchNormMode::kFolded}));
  model->batch_norm_layers_ = CountBatchNormNodes(network);
  ASSIGN_OR_RETURN(NetworkShapes shapes, FindNetworkShapes(imported, network, options.window_length));
  model->signature_ = std::move(shapes.signature);
  model->sample_shapes_ = std::move(shapes.sample_shapes);
  model->plans_ = std::make_unique<execution::PlanCache>(std::move(network), kPlanCapacity);
  const int64_t largest = shapes.batches ? LargestPowerOfTwo(std::min(options.max_batch_size, kMaxChunk)) : 1;
  // A batch of 1 still is probed in pairs where the graph takes them: mixing rows is a fault of the network.
  const int64_t probed = shapes.batches ? std::max<int64_t>(largest, 2) : 1;
  ASSIGN_OR_RETURN(const int64_t independent,
                   ProbeBatchIndependence(*model->plans_, model->signature_, model->sample_shapes_, probed));
  model->max_chunk_ = std::min(largest, independent);
  model->row_by_row_ = !shapes.batches || independent == 1;
  return std::shared_ptr<const LoadedModel>(std::move(model));
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
  ASSIGN_OR_RETURN(std::vector<Shape> outputs, plans_->OutputShapes(WithBatch(std::move(one), 1)));
  return WithBatch(std::move(outputs), input_shapes[0][0]);
}

absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> LoadedModel::PlanFor(std::vector<Shape>& shapes,
                                                                                     int64_t samples) const {
  for (Shape& shape : shapes) shape[0] = samples;
  return plans_->Get(shapes);
}

// A batch of 7 runs as 4 + 2 + 1.
absl::Status LoadedModel::Run(execution::ExecutionContext& context, absl::Span<const TensorView> inputs,
                              absl::Span<const MutableTensorView> outputs) const {
  SW_CHECK(inputs.size() == signature_.inputs.size() && outputs.size() == signature_.outputs.size());
  const int64_t samples = inputs[0].shape[0];
  // A request's bytes may lie anywhere; loads of single floats must not.
  std::vector<Tensor> aligned;
  std::vector<const char*> sources;
  std::vector<Shape> shapes;
  for (const TensorView& input : inputs) {
    shapes.push_back(input.shape);
    sources.push_back(static_cast<const char*>(input.data));
    if (IsAligned(input.data)) continue;
    ASSIGN_OR_RETURN(Tensor copy, Tensor::Create(input.data_type, input.shape));
    std::memcpy(copy.mutable_data(), input.data, input.byte_size());
    sources.back() = static_cast<const char*>(copy.data());
    aligned.push_back(std::move(copy));
  }
  std::vector<char*> targets;
  for (const MutableTensorView& output : outputs) targets.push_back(static_cast<char*>(output.data));

  std::vector<const void*> chunk_inputs(inputs.size());
  std::vector<void*> chunk_outputs(outputs.size());
  for (int64_t done = 0; done < samples;) {
    int64_t chunk = LargestPowerOfTwo(std::min(samples - done, max_chunk_));
    absl::StatusOr<std::shared_ptr<const execution::ExecutionPlan>> plan = PlanFor(shapes, chunk);
    // Long samples may need more memory together than a plan may have.
    for (; absl::IsResourceExhausted(plan.status()) && chunk > 1; plan = PlanFor(shapes, chunk)) chunk /= 2;
    if (!plan.ok()) return plan.status();
    for (size_t i = 0; i < inputs.size(); ++i) {
      chunk_inputs[i] = sources[i] + static_cast<size_t>(done) * RowBytes(inputs[i]);
    }
    for (size_t j = 0; j < outputs.size(); ++j) {
      chunk_outputs[j] = targets[j] + static_cast<size_t>(done) * RowBytes(outputs[j]);
    }
    RETURN_IF_ERROR((*plan)->Run(context, chunk_inputs, chunk_outputs));
    done += chunk;
  }
  return absl::OkStatus();
}

}  // namespace stillwave::model
