// The shape rules of windows and of movement. Internal to this folder: callers use InferOutput of shape_inference.h.
#pragma once

#include "server/graph/shape_rules.h"

namespace stillwave::graph::rules {

// window_rules.cc
Result Infer(const Conv& op, Inputs inputs);
Result Infer(const ConvTranspose& op, Inputs inputs);
Result Infer(const Pool& op, Inputs inputs);
Result Infer(const MaxPoolIndices& op, Inputs inputs);
Result Infer(const GlobalPool& op, Inputs inputs);

// movement_rules.cc
Result Infer(const SplitPart& op, Inputs inputs);
Result Infer(const Tile& op, Inputs inputs);
Result Infer(const DepthToSpace& op, Inputs inputs);
Result Infer(const SpaceToDepth& op, Inputs inputs);
Result Infer(const Interleave& op, Inputs inputs);
Result Infer(const Resize& op, Inputs inputs);
Result Infer(const SizeOf& op, Inputs inputs);
Result Infer(const Range& op, Inputs inputs);

}  // namespace stillwave::graph::rules
