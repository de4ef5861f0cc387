// The arithmetic that a network asks for, whatever computes it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "server/graph/graph.h"

namespace stillwave::benchmark {

// Of Conv, ConvTranspose, Gemm and MatMul: the products of their definition, those with padding included. Of anything
// else 0. The graph of `node` has concrete shapes.
int64_t MultiplyAdds(const graph::Graph& graph, const graph::Node& node);

// Of all nodes.
int64_t MultiplyAdds(const graph::Graph& graph);

// By the node's name; nodes without any are left out.
absl::flat_hash_map<std::string, int64_t> MultiplyAddsByNode(const graph::Graph& graph);

}  // namespace stillwave::benchmark
