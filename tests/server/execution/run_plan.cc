#include "tests/server/execution/run_plan.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/execution/onednn/weight_cache.h"
#include "server/execution/plan_compiler.h"
#include "server/passes/specialize.h"

namespace stillwave::execution {

using tensor::Shape;
using tensor::Tensor;
using test_support::RefTensor;

absl::StatusOr<std::shared_ptr<const ExecutionPlan>> Compile(const graph::Graph& graph,
                                                             absl::Span<const Shape> input_shapes) {
  onednn::WeightCache weights;
  return CompilePlan(graph, input_shapes, weights);
}

absl::StatusOr<std::vector<Tensor>> RunPlan(const ExecutionPlan& plan, ExecutionContext& context,
                                            absl::Span<const Tensor> inputs,
                                            absl::Span<const tensor::DataType> output_types) {
  std::vector<const void*> sources;
  for (const Tensor& input : inputs) sources.push_back(input.data());
  std::vector<Tensor> outputs;
  std::vector<void*> targets;
  for (size_t j = 0; j < plan.output_shapes().size(); ++j) {
    ASSIGN_OR_RETURN(Tensor output, Tensor::Create(output_types[j], plan.output_shapes()[j]));
    outputs.push_back(std::move(output));
    targets.push_back(outputs.back().mutable_data());
  }
  RETURN_IF_ERROR(plan.Run(context, sources, absl::MakeSpan(targets)));
  return outputs;
}

absl::StatusOr<std::vector<RefTensor>> CompileAndRun(const graph::Graph& graph, const std::vector<RefTensor>& inputs) {
  std::vector<Shape> shapes;
  std::vector<Tensor> tensors;
  for (const RefTensor& input : inputs) {
    shapes.push_back(input.shape);
    tensors.push_back(test_support::ToTensor(input));
  }
  ASSIGN_OR_RETURN(const graph::Graph specialized, passes::Specialize(graph, shapes));
  std::vector<tensor::DataType> types;
  for (const graph::ValueId id : specialized.outputs()) types.push_back(specialized.value(id).data_type);
  ASSIGN_OR_RETURN(const auto plan, Compile(graph, shapes));
  ExecutionContext context;
  ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, RunPlan(*plan, context, tensors, types));
  std::vector<RefTensor> results;
  for (const Tensor& output : outputs) results.push_back(test_support::ToRefTensor(output.view()));
  return results;
}

std::string StepsText(const ExecutionPlan& plan) {
  std::string text;
  for (const Step& step : plan.steps()) {
    const StepInfo& info = step.info;
    absl::StrAppend(&text, info.name, " ", info.op, " ", info.attributes, " ", info.output_shape, " ", info.primitive,
                    " ", info.implementation, info.in_place ? " in place" : "", "\n");
  }
  return text;
}

}  // namespace stillwave::execution
