#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "server/base/status_macros.h"
#include "server/execution/channels_last.h"
#include "server/execution/lowering.h"
#include "server/graph/graph_text.h"

namespace stillwave::execution {
namespace {

using onednn::Layout;

std::vector<graph::InputType> TypesOf(const graph::Node& node, const PlanBuilder& plan) {
  std::vector<graph::InputType> types;
  for (const graph::ValueId id : node.inputs) {
    if (id == graph::kNoValue) {
      types.push_back({.present = false});
      continue;
    }
    const graph::Value& value = plan.value(id);
    types.push_back({true, value.data_type, value.shape, value.constant.get()});
  }
  return types;
}

// Only such values have a channels-last form.
bool IsImage(const graph::Value& value) {
  return value.shape.rank() >= 3 && value.shape.rank() <= 5 && value.data_type == tensor::DataType::kFloat32;
}

// True when some computed input would first have to be brought into row-major order.
bool LiesChannelsLast(const graph::Node& node, const PlanBuilder& plan) {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](graph::ValueId id) {
    return id != graph::kNoValue && IsImage(plan.value(id)) && !plan.IsAvailable(id, Layout::kRowMajor);
  });
}

// Whether all data has one rank and a channels-last form; constants of lower rank broadcast.
bool FitsChannelsLast(const graph::Node& node, const ChannelsLastOp& moved, const PlanBuilder& plan) {
  int rank = 0;
  for (size_t i = 0; i < moved.data_inputs; ++i) rank = std::max(rank, plan.shape(node.inputs[i]).rank());
  for (size_t i = 0; i < moved.data_inputs; ++i) {
    const graph::Value& value = plan.value(node.inputs[i]);
    if (value.constant == nullptr && (!IsImage(value) || value.shape.rank() != rank)) return false;
  }
  const graph::Value& output = plan.value(node.outputs[0]);
  return output.data_type == tensor::DataType::kFloat32 && (output.shape.rank() == rank || output.shape.rank() < 3);
}

// Kernels that go from element to element may write over their input.
graph::ValueId Overwritten(const graph::Node& node, const PlanBuilder& plan) {
  const bool works_in_place =
      std::holds_alternative<graph::Unary>(node.op) ||
      (std::holds_alternative<graph::Binary>(node.op) && plan.shape(node.inputs[0]) == plan.shape(node.outputs[0]));
  const graph::ValueId x = node.inputs[0];
  const bool same_type = plan.value(x).data_type == plan.value(node.outputs[0]).data_type;
  return works_in_place && same_type && !(node.inputs.size() > 1 && node.inputs[1] == x) ? x : graph::kNoValue;
}

// {N,C,T} lies as {N,T,C}: the kernel sees the latter.
absl::Status LowerChannelsLast(const graph::Node& node, const ChannelsLastOp& moved,
                               const std::vector<graph::InputType>& types, PlanBuilder& plan) {
  int rank = 0;
  for (size_t i = 0; i < moved.data_inputs; ++i) rank = std::max(rank, types[i].shape.rank());
  std::vector<graph::InputType> seen = types;
  seen.resize(std::max(seen.size(), moved.replaced.size()), graph::InputType{.present = false});
  std::vector<int> buffers(seen.size(), kNoBuffer);
  for (size_t i = 0; i < seen.size(); ++i) {
    const graph::ValueId id = i < node.inputs.size() ? node.inputs[i] : graph::kNoValue;
    if (i < moved.replaced.size() && moved.replaced[i] != nullptr) {
      const tensor::Tensor& constant = *moved.replaced[i];
      seen[i] = {true, constant.data_type(), constant.shape(), &constant};
      buffers[i] = plan.AddConstant(moved.replaced[i]);
    } else if (id == graph::kNoValue) {
      continue;
    } else if (i >= moved.data_inputs) {
      ASSIGN_OR_RETURN(buffers[i], plan.Read(id, Layout::kRowMajor));
    } else if (plan.value(id).constant != nullptr) {
      ASSIGN_OR_RETURN(const ChannelsLastConstant constant, ToChannelsLast(plan.value(id).constant, rank));
      seen[i].shape = constant.shape;
      seen[i].constant = nullptr;  // its elements may lie in another order than its shape says
      buffers[i] = plan.AddConstant(constant.tensor);
    } else {
      seen[i].shape = ChannelsLastShape(types[i].shape);
      ASSIGN_OR_RETURN(buffers[i], plan.Read(id, Layout::kChannelsLast));
    }
  }
  const graph::Value& output = plan.value(node.outputs[0]);
  const bool is_image = output.shape.rank() >= 3;
  const tensor::Shape shape = is_image ? ChannelsLastShape(output.shape) : output.shape;
  ASSIGN_OR_RETURN(kernels::Kernel kernel, kernels::MakeKernel(moved.op, seen, {output.data_type, shape}));
  const Layout layout = is_image ? Layout::kChannelsLast : Layout::kRowMajor;
  const int written = plan.Write(node.outputs[0], layout, Overwritten(node, plan));
  plan.AddKernel(node, std::move(kernel), std::move(buffers), written);
  return absl::OkStatus();
}

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
  absl::Status operator()(const graph::Transpose& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const graph::Interleave& op) const { return Lower(node, op, plan); }
  absl::Status operator()(const auto&) const {
    if (IsView(node.op)) return plan.Alias(node.outputs[0], node.inputs[0]);
    return LowerToKernel(node, plan);
  }
};

}  // namespace

absl::Status LowerToKernel(const graph::Node& node, PlanBuilder& plan) {
  const std::vector<graph::InputType> types = TypesOf(node, plan);
  if (LiesChannelsLast(node, plan)) {
    ASSIGN_OR_RETURN(const std::optional<ChannelsLastOp> moved, ToChannelsLast(node.op, types));
    if (moved.has_value() && FitsChannelsLast(node, *moved, plan)) return LowerChannelsLast(node, *moved, types, plan);
  }
  std::vector<int> inputs;
  for (const graph::ValueId id : node.inputs) {
    if (id == graph::kNoValue) {
      inputs.push_back(kNoBuffer);
      continue;
    }
    ASSIGN_OR_RETURN(const int buffer, plan.Read(id, Layout::kRowMajor));
    inputs.push_back(buffer);
  }
  const graph::Value& output = plan.value(node.outputs[0]);
  ASSIGN_OR_RETURN(kernels::Kernel kernel, kernels::MakeKernel(node.op, types, {output.data_type, output.shape}));
  const int written = plan.Write(node.outputs[0], Layout::kRowMajor, Overwritten(node, plan));
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
