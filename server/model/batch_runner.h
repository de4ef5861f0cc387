// What the batching layer runs; LoadedModel in the server, a puppet that a test steps by hand in tests.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/execution/execution_context.h"
#include "server/tensor/tensor.h"

namespace stillwave::model {

class BatchRunner {
 public:
  virtual ~BatchRunner() = default;

  // Computes outputs for N samples. inputs[i] is {N, …} in signature order, already validated, equal N everywhere,
  // data at any alignment. outputs[j] is {N, …} of the shape that OutputShapes gave. Thread-safe with distinct
  // contexts; deterministic, and each sample's bits do not depend on the others or on N.
  virtual absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                           absl::Span<const tensor::MutableTensorView> outputs) const = 0;

  // The output shapes, in signature order, for inputs of these shapes (batch axis included). INVALID_ARGUMENT when
  // the network cannot take them (a time axis shorter than a kernel, say), naming node and rule. Does not compile: a
  // thread that must not block may call it.
  virtual absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(
      absl::Span<const tensor::Shape> input_shapes) const = 0;

  // The part of a sample that no sample before it had, above 0 and at most 1; of a window that overlaps the one before
  // it, less than 1.
  virtual double NewPart(absl::Span<const tensor::TensorView> /*inputs*/, int64_t /*row*/) const { return 1; }

  // False: these rows build on each other, and are best computed by one call of Run.
  virtual bool MayDivide(absl::Span<const tensor::TensorView> /*inputs*/) const { return true; }
};

}  // namespace stillwave::model
