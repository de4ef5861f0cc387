// A pool over a long time axis is taken in two steps: over blocks of positions, then over what those gave.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/tensor/shape.h"

namespace stillwave::passes {

// A power of two: to divide a sum by it rounds nothing.
inline constexpr int64_t kPooledBlock = 4;

// pool(x) = pool(pool(x[0 … 3]), pool(x[4 … 7]), …), for means and maxima of {N,C,L}.
//
// Windows of a series that overlap by whole blocks share what the first step gives, a quarter of what would be kept of
// x (overlap/local_prefix.h). A mean that is summed in another order has other last bits, so that windows by themselves
// take the same steps. Short axes stay whole: they are read as fast as the blocks' results.
bool IsPooledInBlocks(const graph::GlobalPool& pool, const tensor::Shape& x);

// Splits the GlobalPool nodes that `where` selects, and means and maxima over time that are Reduce nodes until they are
// specialized. The first step's output has a shape where x has one.
bool SplitGlobalPools(graph::Graph& graph, absl::FunctionRef<bool(const graph::Node&)> where);

// Those whose IsPooledInBlocks, in a specialized graph.
bool SplitGlobalPools(graph::Graph& graph);

}  // namespace stillwave::passes
