// BatchNormalization as a oneDNN primitive on the stored statistics, in a form that runs vectorized.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Element;
using onednn::Layout;
using tensor::Shape;
using tensor::Tensor;

// The most floats in a vector: channels that are a multiple of it fill vectors everywhere.
constexpr int64_t kVector = 16;

// Parameters that are spread over time are as large as a sample; beyond this they are not worth it.
constexpr int64_t kMaxSpread = int64_t{1} << 16;

// ONNX: scale, bias, mean, variance are inputs 1 to 4. oneDNN's arguments: mean, variance, scale, shift.
constexpr size_t kParameters[] = {3, 4, 1, 2};

bool IsVectorized(const onednn::Primitive& primitive) {
  return primitive.implementation.find("jit") != std::string::npos;
}

enum class Repeat { kEach, kAll };

// Every element of the parameter `times` times, or all of them `times` times over.
absl::StatusOr<std::shared_ptr<const Tensor>> Repeated(const Tensor& parameter, Repeat what, int64_t times) {
  ASSIGN_OR_RETURN(Tensor repeated, Tensor::Create(tensor::DataType::kFloat32, {times * parameter.num_elements()}));
  const auto from = parameter.values<float>();
  const auto to = repeated.mutable_values<float>();
  for (size_t i = 0; i < to.size(); ++i) {
    to[i] = from[what == Repeat::kEach ? i / static_cast<size_t>(times) : i % from.size()];
  }
  return std::make_shared<const Tensor>(std::move(repeated));
}

absl::StatusOr<std::vector<int>> RepeatedParameters(const graph::Node& node, Repeat what, int64_t times,
                                                    PlanBuilder& plan) {
  std::vector<int> buffers;
  for (const size_t input : kParameters) {
    ASSIGN_OR_RETURN(auto repeated, Repeated(*plan.value(node.inputs[input]).constant, what, times));
    buffers.push_back(plan.AddConstant(std::move(repeated)));
  }
  return buffers;
}

// oneDNN 2 writes past the caches where the destination is aligned to a vector. The next layer reads it at once.
StepInfo& AddStep(const graph::Node& node, onednn::Primitive primitive, int src, const std::vector<int>& parameters,
                  int dst, PlanBuilder& plan) {
  std::vector<int> buffers = {src};
  buffers.insert(buffers.end(), parameters.begin(), parameters.end());
  buffers.push_back(dst);
  plan.Misalign(dst);
  return plan.AddPrimitive(node, std::move(primitive), std::move(buffers));
}

// Row-major values stay so: {N,C,T} is {N,C·T}, whose parameters are each channel's T times.
absl::StatusOr<bool> LowerRowMajor(const graph::Node& node, const graph::BatchNormalization& op, PlanBuilder& plan) {
  const Shape& shape = plan.shape(node.inputs[0]);
  if (shape[0] == 0 || shape[1] == 0) return false;
  const int64_t length = shape.num_elements() / shape[0] / shape[1];
  if (length * shape[1] > kMaxSpread) return false;
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeBatchNormalization(op, Shape({shape[0], shape[1] * length}), Layout::kChannelsLast));
  if (!IsVectorized(primitive)) return false;
  ASSIGN_OR_RETURN(const int src, plan.Read(node.inputs[0], Layout::kRowMajor));
  ASSIGN_OR_RETURN(const std::vector<int> parameters, RepeatedParameters(node, Repeat::kEach, length, plan));
  const int dst = plan.Write(node.outputs[0], Layout::kRowMajor, /*overwritten=*/node.inputs[0]);
  AddStep(node, std::move(primitive), src, parameters, dst, plan);
  return true;
}

// oneDNN vectorizes channels last only where the channels fill vectors; 19 channels run ten times slower than 24. But
// normalization is the same computation for each element, given its channel's parameters. So `group` neighboring rows
// of C channels are seen as one row of group*C channels, whose parameters repeat:
//
//   {rows, C} = {rows/group, group*C}
//
// Rows that are left over are computed once more together with those before them: the last `group` rows, which is why
// this does not run in place. A sample's rows alone are enough for a group, so that all samples take the same path.
struct Grouping {
  int64_t rows = 0;
  int64_t group = 1;
};

Grouping GroupRows(const Shape& shape) {
  int64_t rows_of_sample = 1;
  for (int axis = 2; axis < shape.rank(); ++axis) rows_of_sample *= shape[axis];
  const int64_t group = kVector / std::gcd(kVector, shape[1]);
  return {shape[0] * rows_of_sample, shape.rank() >= 3 && rows_of_sample >= group ? group : 1};
}

absl::StatusOr<bool> LowerGrouped(const graph::Node& node, const graph::BatchNormalization& op, Element element,
                                  PlanBuilder& plan) {
  const Shape& shape = plan.shape(node.inputs[0]);
  const Grouping grouping = GroupRows(shape);
  const int64_t rows = grouping.rows;
  const int64_t group = grouping.group;
  if (group == 1) return false;
  const int64_t channels = shape[1];
  const Shape whole({rows / group, group * channels});
  const Shape rest({1, group * channels});
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeBatchNormalization(op, whole, Layout::kChannelsLast, element));
  ASSIGN_OR_RETURN(onednn::Primitive last, onednn::MakeBatchNormalization(op, rest, Layout::kChannelsLast, element));
  if (!IsVectorized(primitive) || !IsVectorized(last)) return false;

  ASSIGN_OR_RETURN(const int src, plan.Read(node.inputs[0], Layout::kChannelsLast, element));
  ASSIGN_OR_RETURN(const std::vector<int> parameters, RepeatedParameters(node, Repeat::kAll, group, plan));
  const bool divides = rows % group == 0;
  const ValueId overwritten = divides ? node.inputs[0] : graph::kNoValue;
  const int dst = plan.Write(node.outputs[0], Layout::kChannelsLast, overwritten, element);
  AddStep(node, std::move(primitive), src, parameters, dst, plan);
  if (divides) return true;
  const size_t bytes = static_cast<size_t>(group * channels) * onednn::SizeOf(element);
  const size_t offset = static_cast<size_t>(rows * channels) * onednn::SizeOf(element) - bytes;
  const int from = plan.AddPart(src, offset, bytes);
  const int to = plan.AddPart(dst, offset, bytes);
  AddStep(node, std::move(last), from, parameters, to, plan).attributes += " last rows";
  return true;
}

}  // namespace

// {N,C,…}, each channel normalized by its stored statistics; in place where nobody else reads the input.
absl::Status Lower(const graph::Node& node, const graph::BatchNormalization& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const int rank = plan.shape(x).rank();
  const bool has_stored_statistics = std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                                                 [&](ValueId id) { return plan.value(id).constant != nullptr; });
  if (rank < 2 || rank > 5 || !has_stored_statistics) return LowerToKernel(node, plan);
  const Element element = plan.ElementOf(x);
  if (rank > 2 && plan.IsAvailable(x, Layout::kRowMajor) && !plan.IsAvailable(x, Layout::kChannelsLast)) {
    ASSIGN_OR_RETURN(const bool done, LowerRowMajor(node, op, plan));
    if (done) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeBatchNormalization(op, plan.shape(x), Layout::kChannelsLast, element));
  if (!IsVectorized(primitive)) {
    ASSIGN_OR_RETURN(const bool done, LowerGrouped(node, op, element, plan));
    if (done) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast, element));
  std::vector<int> parameters;
  for (const size_t input : kParameters) {
    ASSIGN_OR_RETURN(const int parameter, plan.Read(node.inputs[input], Layout::kRowMajor));
    parameters.push_back(parameter);
  }
  const int dst = plan.Write(node.outputs[0], Layout::kChannelsLast, /*overwritten=*/x, element);
  AddStep(node, std::move(primitive), src, parameters, dst, plan);
  return absl::OkStatus();
}

}  // namespace stillwave::execution
