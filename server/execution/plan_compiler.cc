#include "server/execution/plan_compiler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/execution/plan_builder.h"
#include "server/graph/graph_text.h"
#include "server/passes/specialize.h"
#include "server/passes/split_global_pool.h"

namespace stillwave::execution {
namespace {

size_t Bytes(const graph::Value& value) {
  return static_cast<size_t>(value.shape.num_elements()) * tensor::SizeOf(value.data_type);
}

// What the primitives of a specialised graph will hold, roughly.
size_t PrimitiveBytes(const graph::Graph& graph) {
  // A step of any kind is about 1 kB: its names, buffers and a small primitive.
  constexpr size_t kStepBytes = 1000;
  size_t bytes = graph.nodes().size() * kStepBytes;
  for (const graph::Node& node : graph.nodes()) {
    if (!std::holds_alternative<graph::Conv>(node.op)) continue;
    const tensor::Shape& output = graph.value(node.outputs[0]).shape;
    bytes += static_cast<size_t>(output[output.rank() - 1]) * onednn::kConvolutionBytesPerColumn;
  }
  return bytes;
}

// Refuses an input that is too long before any primitive is made: making them takes time and memory too.
absl::Status CheckMemory(const graph::Graph& graph) {
  if (const size_t bytes = PrimitiveBytes(graph); bytes > kMaxPrimitiveBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the input is too long: its layers would hold ", bytes,
                                                     " bytes; the limit is ", kMaxPrimitiveBytes));
  }
  for (const graph::Node& node : graph.nodes()) {
    size_t bytes = 0;
    for (const auto* list : {&node.inputs, &node.outputs}) {
      for (const graph::ValueId id : *list) {
        if (id != graph::kNoValue && graph.value(id).constant == nullptr) bytes += Bytes(graph.value(id));
      }
    }
    if (bytes > PlanBuilder::kMaxArenaBytes) {
      return absl::ResourceExhaustedError(absl::StrCat("the input is too large: ", graph::Describe(node), " needs ",
                                                       bytes, " bytes for its input and output; the limit is ",
                                                       PlanBuilder::kMaxArenaBytes));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<graph::Graph> SpecializeWithinLimits(const graph::Graph& graph,
                                                    absl::Span<const tensor::Shape> input_shapes) {
  ASSIGN_OR_RETURN(graph::Graph specialized, passes::Specialize(graph, input_shapes));
  RETURN_IF_ERROR(CheckMemory(specialized));
  return specialized;
}

}  // namespace

absl::StatusOr<std::vector<tensor::Shape>> InferOutputShapes(const graph::Graph& graph,
                                                             absl::Span<const tensor::Shape> input_shapes) {
  ASSIGN_OR_RETURN(const graph::Graph specialized, SpecializeWithinLimits(graph, input_shapes));
  std::vector<tensor::Shape> shapes;
  for (const graph::ValueId id : specialized.outputs()) shapes.push_back(specialized.value(id).shape);
  return shapes;
}

absl::StatusOr<std::shared_ptr<const ExecutionPlan>> CompilePlan(const graph::Graph& graph,
                                                                 absl::Span<const tensor::Shape> input_shapes,
                                                                 onednn::WeightCache& weights,
                                                                 onednn::Element element) {
  ExecutionContext::UseOneThread();
  ASSIGN_OR_RETURN(graph::Graph specialized, SpecializeWithinLimits(graph, input_shapes));
  // What is between two steps would be rounded to bf16.
  if (element == onednn::Element::kFp32) passes::SplitGlobalPools(specialized);
  PlanBuilder builder(specialized, weights, element);
  for (const graph::Node& node : specialized.nodes()) RETURN_IF_ERROR(LowerNode(node, builder));
  ASSIGN_OR_RETURN(ExecutionPlan::Parts parts, builder.Finish());
  parts.primitive_bytes = PrimitiveBytes(specialized);
  onednn::DropPrimitiveCache();
  return std::make_shared<const ExecutionPlan>(std::move(parts));
}

}  // namespace stillwave::execution
