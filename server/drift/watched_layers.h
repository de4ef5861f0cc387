// Which layers of a network can be watched, and the part of it that has to be run for that.
//
//   network:   x ─► Conv ─► BN₁ ─► Conv ─► BN₂ ─► Linear ─► y
//   observed:  x ─► Conv ─┬► BN₁ ─► Conv ─► (output 1: what BN₂ reads)
//                         └► (output 0: what BN₁ reads)
//
// Upstream layers normalize by their stored statistics, as they do in what is served: a layer's input is what it is in
// the served network.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/drift/divergence.h"
#include "server/graph/graph.h"

namespace stillwave::drift {

struct WatchedLayer {
  std::string name;   // of the ONNX node, or of its scale where the file gives the node none; unique in the network
  size_t output = 0;  // of ObservedNetwork::graph: {N, C, …}
  StoredStatistics stored;
};

struct ObservedNetwork {
  graph::Graph graph;                // its outputs are the inputs of the layers, each once
  std::vector<WatchedLayer> layers;  // in the order in which they run
};

// Without layers, and then without nodes, where the network has no BatchNormalization with stored statistics.
ObservedNetwork ObserveBatchNorm(const graph::Graph& network);

}  // namespace stillwave::drift
