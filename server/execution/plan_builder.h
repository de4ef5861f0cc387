// Collects the steps, buffers and weights of a plan while its nodes are lowered one after the other.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/execution/execution_plan.h"
#include "server/execution/onednn/layout.h"
#include "server/execution/onednn/weight_cache.h"
#include "server/graph/graph.h"

namespace stillwave::execution {

// No buffer.
inline constexpr int kNoBuffer = -1;

// A value lies in memory in one or more forms (a layout and an element type), each in a buffer; views share the buffer
// of what they look at.
//
//   value  ──► row-major ──► buffer 3 ◄── row-major ◄── its Reshape
//          ├─► channels last ──► buffer 1
//          └─► channels last, bf16 ──► buffer 4
class PlanBuilder {
 public:
  // `graph` is specialised; both outlive the builder. `element`: what layers work in where oneDNN can.
  PlanBuilder(const graph::Graph& graph, onednn::WeightCache& weights,
              onednn::Element element = onednn::Element::kFp32);

  onednn::Element element() const { return element_; }

  const graph::Value& value(graph::ValueId id) const { return graph_.value(id); }
  const tensor::Shape& shape(graph::ValueId id) const { return graph_.value(id).shape; }

  // --- Reading. A step is added when the value lies only in other forms. ---
  absl::StatusOr<int> Read(graph::ValueId id, onednn::Layout layout, onednn::Element element = onednn::Element::kFp32);
  // Whether a value can lie in other forms than row-major FP32 (or whatever its type is).
  bool HasForms(graph::ValueId id) const;
  // True when Read needs no step.
  bool IsAvailable(graph::ValueId id, onednn::Layout layout, onednn::Element element = onednn::Element::kFp32) const;
  // The same in any element type.
  bool LiesIn(graph::ValueId id, onednn::Layout layout) const;
  // bf16 for a value that lies in no other element type: what an operator that keeps its input's type works in.
  onednn::Element ElementOf(graph::ValueId id) const;
  // A constant reordered to what a primitive wants.
  absl::StatusOr<int> ReadWeights(const std::shared_ptr<const tensor::Tensor>& constant, const dnnl::memory::desc& from,
                                  const dnnl::memory::desc& to);

  // The same of what `derive` makes of the constant; made once for each `how` and shared by all plans.
  absl::StatusOr<int> ReadDerivedWeights(const std::shared_ptr<const tensor::Tensor>& constant, absl::string_view how,
                                         onednn::WeightCache::Derive derive, const dnnl::memory::desc& from,
                                         const dnnl::memory::desc& to);
  // A constant that is no value of the graph.
  int AddConstant(std::shared_ptr<const tensor::Tensor> constant);

  // --- Writing ---
  // The buffer for `id`. When `overwritten` (an input of the node being lowered) is not read again, its buffer is used:
  // the caller's step must be able to work in place.
  int Write(graph::ValueId id, onednn::Layout layout, graph::ValueId overwritten = graph::kNoValue,
            onednn::Element element = onednn::Element::kFp32);
  // What a layer that may choose should write `id` in: element(), but FP32 for what the caller gets.
  onednn::Element ElementToWrite(graph::ValueId id) const;
  // `id` has the same elements in the same order as `source`.
  absl::Status Alias(graph::ValueId id, graph::ValueId source);
  // What lies in memory as `source` in `source_layout` is `id` in `layout` (a Transpose that only renames axes).
  // REQUIRES: LiesIn(source, source_layout), and `source` is no constant.
  void AliasLayout(graph::ValueId id, onednn::Layout layout, graph::ValueId source, onednn::Layout source_layout);
  // Memory between two steps of one node.
  int AddScratch(size_t bytes);
  // Lays a buffer of the arena off the boundaries of vectors, for primitives that write past the caches where what they
  // write to is aligned. Others are left as they are.
  void Misalign(int buffer);
  // `bytes` of a buffer from `offset` on; lives as long as it.
  int AddPart(int whole, size_t offset, size_t bytes);

  // --- Steps. `buffers` are in the order of the primitive's arguments, without its scratchpad. ---
  // The returned description may be edited until the next step is added.
  StepInfo& AddPrimitive(const graph::Node& node, onednn::Primitive primitive, std::vector<int> buffers);
  StepInfo& AddKernel(const graph::Node& node, kernels::Kernel kernel, std::vector<int> inputs, int output);

  // Called before and after each node, in order.
  void BeginNode(const graph::Node& node);
  void EndNode(const graph::Node& node);

  // After the last node. RESOURCE_EXHAUSTED when the plan wants more scratch than kMaxArenaBytes.
  absl::StatusOr<ExecutionPlan::Parts> Finish();
  static constexpr size_t kMaxArenaBytes = size_t{256} << 20;

 private:
  static constexpr size_t kLayouts = 2;
  static constexpr size_t kElements = 2;
  // Buffers by form.
  struct Place {
    Place() { buffers.fill(kNoBuffer); }
    std::array<int, kLayouts * kElements> buffers;
  };
  struct Form {
    onednn::Layout layout = onednn::Layout::kRowMajor;
    onednn::Element element = onednn::Element::kFp32;
  };

  int& Slot(graph::ValueId id, Form form);
  int Lookup(graph::ValueId id, Form form) const;
  // The form, of those that `id` lies in, from which to make `form`.
  Form SourceFor(graph::ValueId id, Form form) const;
  // True when `id`, whose bytes are `source`'s, lies in one form of the source at least.
  bool ShareForms(graph::ValueId id, graph::ValueId source);
  int NewBuffer(Buffer buffer);
  bool IsLastReader(int buffer, graph::ValueId id) const;
  void AddResident(int buffer, graph::ValueId id);
  void ChooseOutputTargets();
  StepInfo Describe(const graph::Node& node) const;

  const graph::Graph& graph_;
  onednn::WeightCache& weights_;
  const onednn::Element element_;
  const graph::Node* node_ = nullptr;
  std::vector<Place> places_;                           // by ValueId
  std::vector<int> remaining_reads_;                    // by ValueId
  std::vector<int> output_targets_;                     // by ValueId: graph output that it may write to, or -1
  std::vector<std::vector<graph::ValueId>> residents_;  // by buffer: values that lie in it and are still read
  std::vector<bool> misaligned_;                        // by buffer
  ExecutionPlan::Parts parts_;
};

// True for operators whose output is their input's elements under another shape.
bool IsView(const graph::Op& op);

}  // namespace stillwave::execution
