#include <utility>
#include <vector>

#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/graph/graph_text.h"

namespace stillwave::execution {
namespace {

using onednn::Layout;

struct Dispatch {
  const graph::Node& node;
  PlanBuilder& plan;

  absl::Status operator()(const graph::Conv& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::BatchNormalization& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::Pool& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::GlobalPool& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::Gemm& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::MatMul& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::Unary& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::Binary& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::Softmax& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const auto&) const {
    if (IsView(node.op)) return plan.Alias(node.outputs[0], node.inputs[0]);
    return LowerToKernel(node, plan);
  }
};

}  // namespace

absl::Status LowerToKernel(const graph::Node& node, PlanBuilder& plan) {
  std::vector<graph::InputType> types;
  std::vector<int> inputs;
  for (const graph::ValueId id : node.inputs) {
    if (id == graph::kNoValue) {
      types.push_back({.present = false});
      inputs.push_back(kNoBuffer);
      continue;
    }
    const graph::Value& value = plan.value(id);
    types.push_back({true, value.data_type, value.shape, value.constant.get()});
    ASSIGN_OR_RETURN(const int buffer, plan.Read(id, Layout::kRowMajor));
    inputs.push_back(buffer);
  }
  const graph::Value& output = plan.value(node.outputs[0]);
  ASSIGN_OR_RETURN(kernels::Kernel kernel, kernels::MakeKernel(node.op, types, {output.data_type, output.shape}));
  const int written = plan.Write(node.outputs[0], Layout::kRowMajor);
  plan.AddKernel(node, std::move(kernel), std::move(inputs), written);
  return absl::OkStatus();
}

absl::Status LowerNode(const graph::Node& node, PlanBuilder& plan) {
  plan.BeginNode(node);
  RETURN_IF_ERROR(base::Annotate(std::visit(Dispatch{node, plan}, node.op), graph::Describe(node)));
  plan.EndNode(node);
  return absl::OkStatus();
}

}  // namespace stillwave::execution
