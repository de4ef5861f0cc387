// How many numbers a network holds, counted as a modeller counts them.
#pragma once

#include <cstdint>

#include "server/graph/graph.h"

namespace stillwave::model {

struct ParameterCounts {
  int64_t learnable = 0;           // weights, biases, γ and β
  int64_t batch_norm_layers = 0;   // nodes
  int64_t batch_norm_affine = 0;   // γ and β: 2×C per layer, part of learnable
  int64_t running_statistics = 0;  // running mean and variance: 2×C per layer
};

// Of a simplified, not yet optimised graph. Each constant counts once, however many nodes read it.
ParameterCounts CountParameters(const graph::Graph& graph);

}  // namespace stillwave::model
