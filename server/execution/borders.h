// Zeros written around an input, so that a convolution without padding can run over it.
#pragma once

#include "absl/status/statusor.h"
#include "server/execution/plan_builder.h"

namespace stillwave::execution {

bool IsPadded(const graph::ResolvedWindow& window);

// {N,C,…} with the window's padding added to its spatial axes.
tensor::Shape BorderedShape(tensor::Shape shape, const graph::ResolvedWindow& window);

// The buffer of a copy of `src` with its borders. `src` holds the node's first input channels last, and so does the
// copy.
absl::StatusOr<int> AddBorders(const graph::Node& node, int src, const graph::ResolvedWindow& window,
                               onednn::Element element, PlanBuilder& plan);

}  // namespace stillwave::execution
