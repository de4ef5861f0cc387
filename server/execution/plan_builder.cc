#include "server/execution/plan_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/execution/memory_planner.h"
#include "server/execution/onednn/primitives.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Layout;
using tensor::Shape;

size_t Index(ValueId id) { return static_cast<size_t>(id); }

Layout Other(Layout layout) { return layout == Layout::kRowMajor ? Layout::kChannelsLast : Layout::kRowMajor; }

// Both layouts survive a view that only adds or drops spatial axes of length 1 (Unsqueeze around a Keras convolution).
bool KeepsChannelsLast(const Shape& from, const Shape& to) {
  if (from.rank() < 3 || to.rank() < 3 || from[0] != to[0] || from[1] != to[1]) return false;
  const auto spatial = [](const Shape& shape) {
    Shape dims;
    for (int axis = 2; axis < shape.rank(); ++axis) {
      if (shape[axis] != 1) dims.Append(shape[axis]);
    }
    return dims;
  };
  return spatial(from) == spatial(to);
}

}  // namespace

bool IsView(const graph::Op& op) {
  return std::holds_alternative<graph::Reshape>(op) || std::holds_alternative<graph::Flatten>(op) ||
         std::holds_alternative<graph::Squeeze>(op) || std::holds_alternative<graph::Unsqueeze>(op) ||
         std::holds_alternative<graph::Identity>(op) || std::holds_alternative<graph::Dropout>(op);
}

PlanBuilder::PlanBuilder(const graph::Graph& graph, onednn::WeightCache& weights)
    : graph_(graph), weights_(weights), places_(graph.values().size()), remaining_reads_(graph.UseCounts()) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const ValueId id = graph.inputs()[i];
    const size_t bytes = static_cast<size_t>(shape(id).num_elements()) * tensor::SizeOf(value(id).data_type);
    Slot(id, Layout::kRowMajor) = NewBuffer({Buffer::Kind::kInput, bytes, 0, static_cast<int>(i), nullptr});
    parts_.input_shapes.push_back(shape(id));
  }
  for (const ValueId id : graph.outputs()) parts_.output_shapes.push_back(shape(id));
  ChooseOutputTargets();
}

// A value that becomes a graph output, directly or through views, is written straight into the caller's memory.
void PlanBuilder::ChooseOutputTargets() {
  output_targets_.assign(graph_.values().size(), -1);
  for (size_t j = 0; j < graph_.outputs().size(); ++j) {
    int& target = output_targets_[Index(graph_.outputs()[j])];
    if (target < 0) target = static_cast<int>(j);
  }
  for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node) {
    if (!IsView(node->op)) continue;
    int& target = output_targets_[Index(node->inputs[0])];
    if (target < 0) target = std::exchange(output_targets_[Index(node->outputs[0])], -1);
  }
}

int& PlanBuilder::Slot(ValueId id, Layout layout) { return places_[Index(id)].buffers[static_cast<size_t>(layout)]; }

int PlanBuilder::Lookup(ValueId id, Layout layout) const {
  const Place& place = places_[Index(id)];
  const int buffer = place.buffers[static_cast<size_t>(layout)];
  if (buffer != kNoBuffer || !onednn::LayoutsCoincide(shape(id))) return buffer;
  return place.buffers[static_cast<size_t>(Other(layout))];
}

int PlanBuilder::NewBuffer(Buffer buffer) {
  parts_.buffers.push_back(buffer);
  residents_.emplace_back();
  return static_cast<int>(parts_.buffers.size()) - 1;
}

bool PlanBuilder::IsAvailable(ValueId id, Layout layout) const {
  return Lookup(id, layout) != kNoBuffer || (value(id).constant != nullptr && layout == Layout::kRowMajor);
}

absl::StatusOr<int> PlanBuilder::Read(ValueId id, Layout layout) {
  if (value(id).constant != nullptr && Lookup(id, Layout::kRowMajor) == kNoBuffer) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const tensor::Tensor> constant, weights_.Elements(value(id).constant));
    Slot(id, Layout::kRowMajor) = NewBuffer({Buffer::Kind::kConstant, constant->byte_size(), 0, 0, constant->data()});
    parts_.constants.push_back(constant);
  }
  if (const int buffer = Lookup(id, layout); buffer != kNoBuffer) return buffer;
  const int from = Lookup(id, Other(layout));
  SW_CHECK(from != kNoBuffer);
  if (shape(id).rank() > 5 || value(id).data_type != tensor::DataType::kFloat32) {
    return absl::UnimplementedError(
        absl::StrCat("no channels-last form of '", value(id).name, "' ", shape(id).ToString()));
  }
  ASSIGN_OR_RETURN(onednn::Primitive reorder, onednn::MakeReorder(onednn::ImageDesc(shape(id), Other(layout)),
                                                                  onednn::ImageDesc(shape(id), layout)));
  const int to = Write(id, layout);
  graph::Node node;
  node.name = value(id).name;
  node.outputs = {id};
  StepInfo& info = AddPrimitive(node, std::move(reorder), {from, to});
  info.op = "Reorder";
  info.attributes = layout == Layout::kChannelsLast ? "to channels last" : "to row-major";
  return to;
}

absl::StatusOr<int> PlanBuilder::ReadDerivedWeights(const std::shared_ptr<const tensor::Tensor>& constant,
                                                    absl::string_view how, onednn::WeightCache::Derive derive,
                                                    const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  ASSIGN_OR_RETURN(const onednn::PackedWeights packed, weights_.PackDerived(constant, how, derive, from, to));
  parts_.constants.push_back(packed.bytes);
  return NewBuffer({Buffer::Kind::kConstant, packed.bytes->byte_size(), 0, 0, packed.data()});
}

int PlanBuilder::AddConstant(std::shared_ptr<const tensor::Tensor> constant) {
  const int buffer = NewBuffer({Buffer::Kind::kConstant, constant->byte_size(), 0, 0, constant->data()});
  parts_.constants.push_back(std::move(constant));
  return buffer;
}

absl::StatusOr<int> PlanBuilder::ReadWeights(const std::shared_ptr<const tensor::Tensor>& constant,
                                             const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  ASSIGN_OR_RETURN(const onednn::PackedWeights packed, weights_.Pack(constant, from, to));
  parts_.constants.push_back(packed.bytes);
  return NewBuffer({Buffer::Kind::kConstant, packed.bytes->byte_size(), 0, 0, packed.data()});
}

// True when nothing but the current node's reading of `id` is still to come for what lies in `buffer`.
bool PlanBuilder::IsLastReader(int buffer, ValueId id) const {
  const auto reads_now = static_cast<int>(std::count(node_->inputs.begin(), node_->inputs.end(), id));
  int remaining = 0;
  for (const ValueId resident : residents_[static_cast<size_t>(buffer)]) remaining += remaining_reads_[Index(resident)];
  return remaining == reads_now;
}

int PlanBuilder::Write(ValueId id, Layout layout, ValueId overwritten) {
  const bool row_major = layout == Layout::kRowMajor || onednn::LayoutsCoincide(shape(id));
  const size_t bytes = static_cast<size_t>(shape(id).num_elements()) * tensor::SizeOf(value(id).data_type);
  const int target = output_targets_[Index(id)];
  int buffer = kNoBuffer;
  if (target >= 0 && row_major) {
    buffer = NewBuffer({Buffer::Kind::kOutput, bytes, 0, target, nullptr});
  } else if (overwritten != graph::kNoValue) {
    const int candidate = Lookup(overwritten, layout);
    if (candidate != kNoBuffer && parts_.buffers[static_cast<size_t>(candidate)].kind == Buffer::Kind::kArena &&
        IsLastReader(candidate, overwritten)) {
      buffer = candidate;
    }
  }
  if (buffer == kNoBuffer) buffer = NewBuffer({Buffer::Kind::kArena, bytes, 0, 0, nullptr});
  Slot(id, layout) = buffer;
  AddResident(buffer, id);
  return buffer;
}

// Those that nobody reads any more are dropped, so that a long chain in one buffer is not walked for each of its nodes.
void PlanBuilder::AddResident(int buffer, ValueId id) {
  std::vector<ValueId>& residents = residents_[static_cast<size_t>(buffer)];
  std::erase_if(residents, [&](ValueId resident) { return remaining_reads_[Index(resident)] == 0; });
  residents.push_back(id);
}

absl::Status PlanBuilder::Alias(ValueId id, ValueId source) {
  const bool keeps_both = KeepsChannelsLast(shape(source), shape(id));
  if (!keeps_both || Lookup(source, Layout::kChannelsLast) == kNoBuffer) {
    RETURN_IF_ERROR(Read(source, Layout::kRowMajor).status());
  }
  for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
    const int buffer = Lookup(source, layout);
    if (buffer == kNoBuffer || (layout == Layout::kChannelsLast && !keeps_both)) continue;
    Slot(id, layout) = buffer;
    AddResident(buffer, id);
  }
  return absl::OkStatus();
}

void PlanBuilder::AliasLayout(ValueId id, Layout layout, ValueId source, Layout source_layout) {
  const int buffer = Lookup(source, source_layout);
  SW_CHECK(buffer != kNoBuffer);
  Slot(id, layout) = buffer;
  residents_[static_cast<size_t>(buffer)].push_back(id);
}

int PlanBuilder::AddScratch(size_t bytes) { return NewBuffer({Buffer::Kind::kArena, bytes, 0, 0, nullptr}); }

int PlanBuilder::AddPart(int whole, size_t offset, size_t bytes) {
  SW_CHECK(parts_.buffers[static_cast<size_t>(whole)].kind != Buffer::Kind::kPart);
  return NewBuffer({Buffer::Kind::kPart, bytes, offset, 0, nullptr, whole});
}

StepInfo PlanBuilder::Describe(const graph::Node& node) const {
  StepInfo info;
  info.name = node.name;
  info.op = std::string(graph::OpName(node.op));
  info.attributes = graph::OpAttributes(node.op);
  info.output_shape = shape(node.outputs[0]).ToString();
  return info;
}

StepInfo& PlanBuilder::AddPrimitive(const graph::Node& node, onednn::Primitive primitive, std::vector<int> buffers) {
  Step step;
  step.info = Describe(node);
  step.info.primitive = primitive.kind;
  step.info.implementation = primitive.implementation;
  step.info.in_place = std::count(buffers.begin(), buffers.end(), buffers.back()) > 1;
  if (primitive.scratchpad_bytes > 0) {
    buffers.push_back(NewBuffer({Buffer::Kind::kArena, primitive.scratchpad_bytes, 0, 0, nullptr}));
  }
  SW_CHECK(buffers.size() == primitive.arguments.size());
  step.work = PrimitiveStep{std::move(primitive), std::move(buffers)};
  parts_.steps.push_back(std::move(step));
  return parts_.steps.back().info;
}

StepInfo& PlanBuilder::AddKernel(const graph::Node& node, kernels::Kernel kernel, std::vector<int> inputs, int output) {
  Step step;
  step.info = Describe(node);
  step.info.primitive = "kernel";
  step.info.implementation = "stillwave";
  step.work = KernelStep{std::move(kernel), std::move(inputs), output};
  parts_.steps.push_back(std::move(step));
  return parts_.steps.back().info;
}

void PlanBuilder::BeginNode(const graph::Node& node) { node_ = &node; }

void PlanBuilder::EndNode(const graph::Node& node) {
  for (const ValueId id : node.inputs) {
    if (id != graph::kNoValue) --remaining_reads_[Index(id)];
  }
  node_ = nullptr;
}

absl::StatusOr<ExecutionPlan::Parts> PlanBuilder::Finish() {
  // What did not land in the caller's memory by itself is copied there.
  for (size_t j = 0; j < graph_.outputs().size(); ++j) {
    const ValueId id = graph_.outputs()[j];
    ASSIGN_OR_RETURN(const int buffer, Read(id, Layout::kRowMajor));
    const Buffer& source = parts_.buffers[static_cast<size_t>(buffer)];
    if (source.kind == Buffer::Kind::kOutput && source.index == static_cast<int>(j)) continue;
    const size_t bytes = source.bytes;
    graph::Node node;
    node.name = value(id).name;
    node.op = graph::Identity{};
    node.outputs = {id};
    const int target = NewBuffer({Buffer::Kind::kOutput, bytes, 0, static_cast<int>(j), nullptr});
    AddKernel(
        node,
        [bytes](absl::Span<const void* const> sources, void* dst) {
          if (bytes > 0) std::memcpy(dst, sources[0], bytes);
        },
        {buffer}, target);
  }
  std::vector<BufferLifetime> lifetimes(parts_.buffers.size(), {0, -1, -1});
  const auto touch = [&](int buffer, int step) {
    if (buffer == kNoBuffer) return;
    if (const int whole = parts_.buffers[static_cast<size_t>(buffer)].whole; whole >= 0) buffer = whole;
    BufferLifetime& lifetime = lifetimes[static_cast<size_t>(buffer)];
    if (lifetime.first < 0) lifetime.first = step;
    lifetime.last = step;
  };
  for (size_t i = 0; i < parts_.steps.size(); ++i) {
    const int step = static_cast<int>(i);
    if (const auto* primitive = std::get_if<PrimitiveStep>(&parts_.steps[i].work)) {
      for (const int buffer : primitive->buffers) touch(buffer, step);
    } else {
      const auto& kernel = std::get<KernelStep>(parts_.steps[i].work);
      for (const int buffer : kernel.inputs) touch(buffer, step);
      touch(kernel.output, step);
    }
  }
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    if (parts_.buffers[i].kind == Buffer::Kind::kArena && lifetimes[i].first >= 0) {
      lifetimes[i].bytes = parts_.buffers[i].bytes;
    }
  }
  const MemoryPlan memory = PlanMemory(lifetimes);
  if (memory.total_bytes > kMaxArenaBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("this input needs ", memory.total_bytes,
                                                     " bytes of scratch memory; the limit is ", kMaxArenaBytes));
  }
  for (size_t i = 0; i < parts_.buffers.size(); ++i) {
    if (parts_.buffers[i].kind == Buffer::Kind::kArena) parts_.buffers[i].offset = memory.offsets[i];
  }
  parts_.arena_bytes = memory.total_bytes;
  return std::move(parts_);
}

}  // namespace stillwave::execution
