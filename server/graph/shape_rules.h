// The shape rules, by family. Internal to this folder: callers use InferOutput of shape_inference.h.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/graph/op.h"
#include "server/graph/shape_inference.h"

namespace stillwave::graph::rules {

using Inputs = absl::Span<const InputType>;
using Result = absl::StatusOr<TensorType>;

// elementwise_rules.cc
Result Infer(const Unary& op, Inputs inputs);
Result Infer(const Binary& op, Inputs inputs);
Result Infer(const Where& op, Inputs inputs);
Result Infer(const Cast& op, Inputs inputs);
Result Infer(const CastLike& op, Inputs inputs);

// normalization_rules.cc
Result Infer(const InstanceNormalization& op, Inputs inputs);
Result Infer(const LayerNormalization& op, Inputs inputs);
Result Infer(const GroupNormalization& op, Inputs inputs);
Result Infer(const Lrn& op, Inputs inputs);
Result Infer(const Softmax& op, Inputs inputs);

// reduction_rules.cc
Result Infer(const Reduce& op, Inputs inputs);
Result Infer(const ArgReduce& op, Inputs inputs);
Result Infer(const CumSum& op, Inputs inputs);

// --- What the families share ---

// UNIMPLEMENTED unless all given inputs are FP32.
absl::Status RequireFloat(Inputs inputs);

// UNIMPLEMENTED, with the list, unless `input` is of one of these types.
absl::Status RequireOneOf(std::initializer_list<tensor::DataType> types, const InputType& input);

// INVALID_ARGUMENT unless `input` is {length}.
absl::Status RequireLength(const InputType& input, absl::string_view what, int64_t length);

inline TensorType Like(const InputType& input) { return {input.data_type, input.shape}; }

}  // namespace stillwave::graph::rules
