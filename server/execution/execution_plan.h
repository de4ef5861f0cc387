// A network compiled for one set of input shapes: a list of prepared steps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/execution/execution_context.h"
#include "server/execution/onednn/primitive.h"
#include "server/graph/graph.h"
#include "server/kernels/kernel.h"
#include "server/tensor/shape.h"

namespace stillwave::execution {

// Where a step reads or writes.
struct Buffer {
  enum class Kind : uint8_t { kArena, kInput, kOutput, kConstant, kPart };
  Kind kind = Kind::kArena;
  size_t bytes = 0;
  size_t offset = 0;               // kArena; kPart: from the beginning of its whole
  int index = 0;                   // kInput, kOutput
  const void* constant = nullptr;  // kConstant; kept alive by the plan's weights
  int whole = -1;                  // kPart: the buffer that this one is a part of; stands before it
};

// For people.
struct StepInfo {
  std::string name;            // of the node
  std::string op;              // ONNX's name; "Reorder" for a change of layout
  std::string attributes;      // with what was fused
  std::string output_shape;    // of the logical output
  std::string primitive;       // oneDNN's primitive kind, or "kernel" for one of ours
  std::string implementation;  // oneDNN's implementation string
  bool in_place = false;
};

struct PrimitiveStep {
  onednn::Primitive primitive;
  std::vector<int> buffers;  // one per argument of the primitive
};

struct KernelStep {
  kernels::Kernel kernel;
  std::vector<int> inputs;  // -1 where left out
  int output = 0;
};

struct Step {
  StepInfo info;
  std::variant<PrimitiveStep, KernelStep> work;
};

// Immutable and shared: any number of threads may run it, each with its own context.
class ExecutionPlan {
 public:
  // What plan_compiler.h puts together.
  struct Parts {
    std::vector<Step> steps;
    std::vector<Buffer> buffers;
    size_t arena_bytes = 0;
    // What the primitives hold, roughly: for the bound of the cache.
    size_t primitive_bytes = 0;
    std::vector<tensor::Shape> input_shapes;
    std::vector<tensor::Shape> output_shapes;
    // Weights, kept alive for kConstant buffers.
    std::vector<std::shared_ptr<const void>> constants;
  };
  explicit ExecutionPlan(Parts parts);

  // inputs[i] and outputs[j] point to row-major data of input_shapes()[i] and output_shapes()[j]. Inputs are aligned
  // for their element type; outputs do not overlap anything. INTERNAL when a primitive fails.
  absl::Status Run(ExecutionContext& context, absl::Span<const void* const> inputs,
                   absl::Span<void* const> outputs) const;

  // As Run; calls before_step(i) before each of steps(), and once more with steps().size() after the last. For tools
  // that measure: their clock readings are what lies between.
  absl::Status RunObserved(ExecutionContext& context, absl::Span<const void* const> inputs,
                           absl::Span<void* const> outputs, absl::FunctionRef<void(size_t)> before_step) const;

  const std::vector<tensor::Shape>& input_shapes() const { return parts_.input_shapes; }
  const std::vector<tensor::Shape>& output_shapes() const { return parts_.output_shapes; }
  const std::vector<Step>& steps() const { return parts_.steps; }
  size_t arena_bytes() const { return parts_.arena_bytes; }
  size_t primitive_bytes() const { return parts_.primitive_bytes; }

 private:
  class Binding;

  // The two ways to run differ in `before_step` alone; a template leaves nothing of it in Run.
  template <typename BeforeStep>
  absl::Status RunSteps(ExecutionContext& context, absl::Span<const void* const> inputs,
                        absl::Span<void* const> outputs, BeforeStep before_step) const;

  Parts parts_;
  uint64_t id_;  // distinguishes plans in a context, also after one was destroyed
};

}  // namespace stillwave::execution
