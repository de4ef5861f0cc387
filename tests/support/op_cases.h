// Single operators with inputs over a grid of shapes and attributes: the common ground on which shape inference, the
// plain kernels and the oneDNN primitives are each held against the reference interpreter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::test_support {

struct OpCase {
  std::string name;  // for messages: "Conv [1,3,7] kernel=[3]"
  graph::Op op;
  std::vector<std::optional<RefTensor>> inputs;  // nothing where an optional input is left out
  size_t data_inputs = 1;                        // so many first inputs change from run to run; the rest are constants
};

// Channel counts that are no multiples of a vector's width, groups, depthwise, dilation, asymmetric pads, auto_pad,
// one, two and three spatial axes, batches of 1 to 7.
std::vector<OpCase> ConvCases();
// N×C, N×C×L and N×C×H×W; negative, zero and tiny scales, variance 0.
std::vector<OpCase> BatchNormalizationCases();
// Both kinds: ceil_mode, count_include_pad, dilation, asymmetric pads; and the global pools.
std::vector<OpCase> PoolCases();
// Groups, dilations, output_padding, output_shape, auto_pad; one, two and three spatial axes.
std::vector<OpCase> ConvTransposeCases();
// LpPool and its global form, the indices of MaxPool.
std::vector<OpCase> RarePoolCases();
// Gemm with all transpositions and broadcasts of C; MatMul from vectors to batches.
std::vector<OpCase> LinearCases();
// Every kind over shapes, near 0 and far from it; FP64 and integers where they are defined.
std::vector<OpCase> UnaryCases();
// Every kind with broadcasting, of all numbers and BOOL; Pow of mixed types.
std::vector<OpCase> BinaryCases();
std::vector<OpCase> WhereCases();
// Each type to each; what half precision rounds. CastLike.
std::vector<OpCase> CastCases();
std::vector<OpCase> SoftmaxCases();
// Every kind over axes at the front, in the middle and at the end, empty sets, integers and BOOL.
std::vector<OpCase> ReduceCases();
// ArgMax, ArgMin, CumSum.
std::vector<OpCase> AlongAxisCases();
// InstanceNormalization, GroupNormalization, LayerNormalization, LRN.
std::vector<OpCase> NormalizationCases();
// Concat, Transpose, Pad, Slice, Gather, Expand.
std::vector<OpCase> MovementCases();
// Split, Tile, DepthToSpace, SpaceToDepth, Size, Range.
std::vector<OpCase> RearrangeCases();
// All modes and coordinate transforms, by scales and by sizes, up and down, one to three axes.
std::vector<OpCase> ResizeCases();
// Reshape, Flatten, Squeeze, Unsqueeze, Shape, ConstantOfShape, Cast, Identity, Dropout.
std::vector<OpCase> ShapeCases();

// All of the above.
std::vector<OpCase> AllOpCases();

// What the reference interpreter says.
absl::StatusOr<RefTensor> Interpret(const OpCase& op_case);

// A graph of the one node: data inputs "x0", "x1", … are its inputs, the rest constants.
graph::Graph SingleNodeGraph(const OpCase& op_case);

}  // namespace stillwave::test_support
