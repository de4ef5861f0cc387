#include "server/execution/execution_plan.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution {
namespace {

uint64_t NextPlanId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

// The plan's memory objects for one context: made once, pointed to the caller's memory on each run.
class ExecutionPlan::Binding final : public ExecutionContext::Binding {
 public:
  explicit Binding(const Parts& parts) : stream_(onednn::CpuEngine()), pointers_(parts.buffers.size(), nullptr) {
    arguments_.resize(parts.steps.size());
    for (size_t i = 0; i < parts.steps.size(); ++i) {
      const auto* step = std::get_if<PrimitiveStep>(&parts.steps[i].work);
      if (step == nullptr) {
        kernel_inputs_.emplace_back(std::get<KernelStep>(parts.steps[i].work).inputs.size());
        continue;
      }
      kernel_inputs_.emplace_back();
      for (size_t a = 0; a < step->buffers.size(); ++a) {
        const onednn::Argument& argument = step->primitive.arguments[a];
        memories_.push_back({dnnl::memory(argument.desc, onednn::CpuEngine(), nullptr), step->buffers[a]});
        arguments_[i].push_back({argument.index, memories_.back().memory.get()});
      }
    }
  }

  void Point(const Parts& parts, std::byte* arena, absl::Span<const void* const> inputs,
             absl::Span<void* const> outputs) {
    const bool moved = std::exchange(arena_, arena) != arena || !bound_;
    bound_ = true;
    for (size_t i = 0; i < parts.buffers.size(); ++i) {
      const Buffer& buffer = parts.buffers[i];
      switch (buffer.kind) {
        case Buffer::Kind::kArena:
          pointers_[i] = arena + buffer.offset;
          break;
        case Buffer::Kind::kConstant:
          // oneDNN's handles are not const; primitives only read their weights.
          pointers_[i] = const_cast<void*>(buffer.constant);
          break;
        case Buffer::Kind::kInput:
          pointers_[i] = const_cast<void*>(inputs[static_cast<size_t>(buffer.index)]);
          break;
        case Buffer::Kind::kOutput:
          pointers_[i] = outputs[static_cast<size_t>(buffer.index)];
          break;
        case Buffer::Kind::kPart:
          pointers_[i] = static_cast<std::byte*>(pointers_[static_cast<size_t>(buffer.whole)]) + buffer.offset;
          break;
      }
    }
    for (Bound& bound : memories_) {
      const Buffer& buffer = parts.buffers[static_cast<size_t>(bound.buffer)];
      const Buffer::Kind kind = buffer.whole < 0 ? buffer.kind : parts.buffers[static_cast<size_t>(buffer.whole)].kind;
      if (!moved && (kind == Buffer::Kind::kArena || kind == Buffer::Kind::kConstant)) continue;
      onednn::PointTo(bound.memory, pointers_[static_cast<size_t>(bound.buffer)], stream_);
    }
  }

  absl::Status RunStep(const Step& step, size_t index) {
    if (const auto* primitive = std::get_if<PrimitiveStep>(&step.work)) {
      const std::vector<dnnl_exec_arg_t>& arguments = arguments_[index];
      const dnnl_status_t status = dnnl_primitive_execute(primitive->primitive.primitive.get(), stream_.get(),
                                                          static_cast<int>(arguments.size()), arguments.data());
      if (status == dnnl_success) return absl::OkStatus();
      return absl::InternalError(absl::StrCat(step.info.op, " '", step.info.name, "' failed in oneDNN with status ",
                                              static_cast<int>(status)));
    }
    const auto& kernel = std::get<KernelStep>(step.work);
    std::vector<const void*>& inputs = kernel_inputs_[index];
    for (size_t i = 0; i < inputs.size(); ++i) {
      inputs[i] = kernel.inputs[i] < 0 ? nullptr : pointers_[static_cast<size_t>(kernel.inputs[i])];
    }
    kernel.kernel(inputs, pointers_[static_cast<size_t>(kernel.output)]);
    return absl::OkStatus();
  }

 private:
  struct Bound {
    dnnl::memory memory;
    int buffer;
  };

  dnnl::stream stream_;
  bool bound_ = false;
  std::byte* arena_ = nullptr;
  std::vector<void*> pointers_;                          // by buffer
  std::vector<Bound> memories_;                          // of all primitive steps
  std::vector<std::vector<dnnl_exec_arg_t>> arguments_;  // by step
  std::vector<std::vector<const void*>> kernel_inputs_;  // by step
};

ExecutionPlan::ExecutionPlan(Parts parts) : parts_(std::move(parts)), id_(NextPlanId()) {}

absl::Status ExecutionPlan::Run(ExecutionContext& context, absl::Span<const void* const> inputs,
                                absl::Span<void* const> outputs) const {
  return RunSteps(context, inputs, outputs, [](size_t) {});
}

absl::Status ExecutionPlan::RunObserved(ExecutionContext& context, absl::Span<const void* const> inputs,
                                        absl::Span<void* const> outputs,
                                        absl::FunctionRef<void(size_t)> before_step) const {
  return RunSteps(context, inputs, outputs, before_step);
}

template <typename BeforeStep>
absl::Status ExecutionPlan::RunSteps(ExecutionContext& context, absl::Span<const void* const> inputs,
                                     absl::Span<void* const> outputs, BeforeStep before_step) const {
  SW_CHECK(inputs.size() == parts_.input_shapes.size() && outputs.size() == parts_.output_shapes.size());
  ExecutionContext::UseOneThread();
  return onednn::CatchErrors("a run", [&]() -> absl::Status {
    ExecutionContext::Binding* kept = context.FindBinding(id_);
    if (kept == nullptr) kept = &context.KeepBinding(id_, std::make_unique<Binding>(parts_));
    auto& binding = static_cast<Binding&>(*kept);
    std::byte* const arena = context.Arena(parts_.arena_bytes);
    if (arena == nullptr) {
      return absl::ResourceExhaustedError(absl::StrCat("no memory for ", parts_.arena_bytes, " bytes of scratch"));
    }
    binding.Point(parts_, arena, inputs, outputs);
    for (size_t i = 0; i < parts_.steps.size(); ++i) {
      before_step(i);
      if (absl::Status status = binding.RunStep(parts_.steps[i], i); !status.ok()) return status;
    }
    before_step(parts_.steps.size());
    return absl::OkStatus();
  });
}

}  // namespace stillwave::execution
