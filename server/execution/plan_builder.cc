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
using onednn::Element;
using onednn::Layout;
using tensor::Shape;

// No multiple of a vector, but of what scalars and SSE are aligned to.
constexpr size_t kMisalignment = 16;

size_t Index(ValueId id) { return static_cast<size_t>(id); }

Layout Other(Layout layout) { return layout == Layout::kRowMajor ? Layout::kChannelsLast : Layout::kRowMajor; }
Element Other(Element element) { return element == Element::kFp32 ? Element::kBf16 : Element::kFp32; }

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

PlanBuilder::PlanBuilder(const graph::Graph& graph, onednn::WeightCache& weights, Element element)
    : graph_(graph),
      weights_(weights),
      element_(element),
      places_(graph.values().size()),
      remaining_reads_(graph.UseCounts()) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const ValueId id = graph.inputs()[i];
    const size_t bytes = static_cast<size_t>(shape(id).num_elements()) * tensor::SizeOf(value(id).data_type);
    Slot(id, {}) = NewBuffer({Buffer::Kind::kInput, bytes, 0, static_cast<int>(i), nullptr});
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

int& PlanBuilder::Slot(ValueId id, Form form) {
  return places_[Index(id)].buffers[static_cast<size_t>(form.layout) * kElements + static_cast<size_t>(form.element)];
}

int PlanBuilder::Lookup(ValueId id, Form form) const {
  const auto slot = [&](Layout layout) {
    return places_[Index(id)].buffers[static_cast<size_t>(layout) * kElements + static_cast<size_t>(form.element)];
  };
  const int buffer = slot(form.layout);
  if (buffer != kNoBuffer || !onednn::LayoutsCoincide(shape(id))) return buffer;
  return slot(Other(form.layout));
}

int PlanBuilder::NewBuffer(Buffer buffer) {
  parts_.buffers.push_back(buffer);
  residents_.emplace_back();
  misaligned_.push_back(false);
  return static_cast<int>(parts_.buffers.size()) - 1;
}

bool PlanBuilder::HasForms(ValueId id) const {
  return value(id).data_type == tensor::DataType::kFloat32 && shape(id).rank() >= 2 && shape(id).rank() <= 5;
}

bool PlanBuilder::IsAvailable(ValueId id, Layout layout, Element element) const {
  if (Lookup(id, {layout, element}) != kNoBuffer) return true;
  return value(id).constant != nullptr && layout == Layout::kRowMajor && element == Element::kFp32;
}

bool PlanBuilder::LiesIn(ValueId id, Layout layout) const {
  return IsAvailable(id, layout, Element::kFp32) || IsAvailable(id, layout, Element::kBf16);
}

Element PlanBuilder::ElementOf(ValueId id) const {
  const auto lies_in = [&](Element element) {
    return IsAvailable(id, Layout::kRowMajor, element) || IsAvailable(id, Layout::kChannelsLast, element);
  };
  return lies_in(Element::kBf16) && !lies_in(Element::kFp32) ? Element::kBf16 : Element::kFp32;
}

Element PlanBuilder::ElementToWrite(ValueId id) const {
  return output_targets_[Index(id)] < 0 && HasForms(id) ? element_ : Element::kFp32;
}

PlanBuilder::Form PlanBuilder::SourceFor(ValueId id, Form form) const {
  const Form other_layout{Other(form.layout), form.element};
  const Form other_element{form.layout, Other(form.element)};
  for (const Form& source : {other_layout, other_element}) {
    if (Lookup(id, source) != kNoBuffer) return source;
  }
  return {Other(form.layout), Other(form.element)};
}

absl::StatusOr<int> PlanBuilder::Read(ValueId id, Layout layout, Element element) {
  if (value(id).constant != nullptr && Lookup(id, {}) == kNoBuffer) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const tensor::Tensor> constant, weights_.Elements(value(id).constant));
    Slot(id, {}) = NewBuffer({Buffer::Kind::kConstant, constant->byte_size(), 0, 0, constant->data()});
    parts_.constants.push_back(constant);
  }
  if (const int buffer = Lookup(id, {layout, element}); buffer != kNoBuffer) return buffer;
  const Form source = SourceFor(id, {layout, element});
  const int from = Lookup(id, source);
  SW_CHECK(from != kNoBuffer);
  if (!HasForms(id)) {
    return absl::UnimplementedError(
        absl::StrCat("no channels-last form of '", value(id).name, "' ", shape(id).ToString()));
  }
  ASSIGN_OR_RETURN(onednn::Primitive reorder,
                   onednn::MakeReorder(onednn::ImageDesc(shape(id), source.layout, source.element),
                                       onednn::ImageDesc(shape(id), layout, element)));
  const int to = Write(id, layout, graph::kNoValue, element);
  graph::Node node;
  node.name = value(id).name;
  node.outputs = {id};
  StepInfo& info = AddPrimitive(node, std::move(reorder), {from, to});
  info.op = "Reorder";
  info.attributes = layout == Layout::kChannelsLast ? "to channels last" : "to row-major";
  if (element != source.element) info.attributes += element == Element::kBf16 ? " bf16" : " fp32";
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

int PlanBuilder::Write(ValueId id, Layout layout, ValueId overwritten, Element element) {
  const bool row_major = layout == Layout::kRowMajor || onednn::LayoutsCoincide(shape(id));
  const size_t size = element == Element::kFp32 ? tensor::SizeOf(value(id).data_type) : onednn::SizeOf(element);
  const size_t bytes = static_cast<size_t>(shape(id).num_elements()) * size;
  const int target = element == Element::kFp32 ? output_targets_[Index(id)] : -1;
  int buffer = kNoBuffer;
  if (target >= 0 && row_major) {
    buffer = NewBuffer({Buffer::Kind::kOutput, bytes, 0, target, nullptr});
  } else if (overwritten != graph::kNoValue) {
    const int candidate = Lookup(overwritten, {layout, element});
    if (candidate != kNoBuffer && parts_.buffers[static_cast<size_t>(candidate)].kind == Buffer::Kind::kArena &&
        IsLastReader(candidate, overwritten)) {
      buffer = candidate;
    }
  }
  if (buffer == kNoBuffer) buffer = NewBuffer({Buffer::Kind::kArena, bytes, 0, 0, nullptr});
  Slot(id, {layout, element}) = buffer;
  AddResident(buffer, id);
  return buffer;
}

// Those that nobody reads any more are dropped, so that a long chain in one buffer is not walked for each of its nodes.
void PlanBuilder::AddResident(int buffer, ValueId id) {
  std::vector<ValueId>& residents = residents_[static_cast<size_t>(buffer)];
  std::erase_if(residents, [&](ValueId resident) { return remaining_reads_[Index(resident)] == 0; });
  residents.push_back(id);
}

bool PlanBuilder::ShareForms(ValueId id, ValueId source) {
  const bool keeps_both = KeepsChannelsLast(shape(source), shape(id));
  bool shares = false;
  for (const Element element : {Element::kFp32, Element::kBf16}) {
    if (element != Element::kFp32 && !HasForms(id)) continue;
    for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
      const int buffer = Lookup(source, {layout, element});
      if (buffer == kNoBuffer || (layout == Layout::kChannelsLast && !keeps_both)) continue;
      Slot(id, {layout, element}) = buffer;
      AddResident(buffer, id);
      shares = true;
    }
  }
  return shares;
}

absl::Status PlanBuilder::Alias(ValueId id, ValueId source) {
  if (ShareForms(id, source)) return absl::OkStatus();
  RETURN_IF_ERROR(Read(source, Layout::kRowMajor).status());
  SW_CHECK(ShareForms(id, source));
  return absl::OkStatus();
}

void PlanBuilder::AliasLayout(ValueId id, Layout layout, ValueId source, Layout source_layout) {
  for (const Element element : {Element::kFp32, Element::kBf16}) {
    const int buffer = Lookup(source, {source_layout, element});
    if (buffer == kNoBuffer) continue;
    Slot(id, {layout, element}) = buffer;
    residents_[static_cast<size_t>(buffer)].push_back(id);
  }
}

int PlanBuilder::AddScratch(size_t bytes) { return NewBuffer({Buffer::Kind::kArena, bytes, 0, 0, nullptr}); }

void PlanBuilder::Misalign(int buffer) { misaligned_[static_cast<size_t>(buffer)] = true; }

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
      lifetimes[i].bytes = parts_.buffers[i].bytes + (misaligned_[i] ? kMisalignment : 0);
    }
  }
  const MemoryPlan memory = PlanMemory(lifetimes);
  if (memory.total_bytes > kMaxArenaBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("this input needs ", memory.total_bytes,
                                                     " bytes of scratch memory; the limit is ", kMaxArenaBytes));
  }
  for (size_t i = 0; i < parts_.buffers.size(); ++i) {
    if (parts_.buffers[i].kind != Buffer::Kind::kArena) continue;
    parts_.buffers[i].offset = memory.offsets[i] + (misaligned_[i] ? kMisalignment : 0);
  }
  parts_.arena_bytes = memory.total_bytes;
  return std::move(parts_);
}

}  // namespace stillwave::execution
