// A graph as text, for logs and failing tests.
#pragma once

#include <string>

#include "server/graph/graph.h"

namespace stillwave::graph {

// One line per input, constant in use, node and output:
//   input  x FP32 [-1,3,-1]
//   conv1 = Conv(x, w1) kernel=[3] pads=[1]..[1] -> h FP32 [1,64,128]
std::string ToText(const Graph& graph);

// "Conv 'conv1'": how messages name a node.
std::string Describe(const Node& node);

}  // namespace stillwave::graph
