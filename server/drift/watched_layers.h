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

#include "absl/types/span.h"
#include "server/drift/channel_moments.h"
#include "server/drift/divergence.h"
#include "server/graph/graph.h"
#include "server/model/folded_layers.h"

namespace stillwave::drift {

struct WatchedLayer {
  std::string name;   // of the ONNX node, or of its scale where the file gives the node none; unique in the network
  size_t output = 0;  // of ObservedNetwork::graph: {N, C, …}
  StoredStatistics stored;
  // Of a layer that the exporter folded, the parameters of y = scale (x - mean) / √(variance + ε) + shift: the output
  // is y then, and not x. Else empty.
  std::vector<double> scale;
  std::vector<double> shift;
};

struct ObservedNetwork {
  graph::Graph graph;  // its outputs are the inputs of the layers, each once
  std::vector<WatchedLayer> layers;
};

// Layers that the network has, in the order in which they run, then those that `folded` tells of, whose values are
// values of the network. Without layers, and then without nodes, where there are neither.
ObservedNetwork ObserveBatchNorm(const graph::Graph& network, absl::Span<const model::FoldedLayer> folded = {});

// Of what the layer reads, from those of what is observed of it. A folded layer's channel whose scale is 0, or so small
// that rounding would be measured, cannot be watched: it has the stored moments.
ChannelMoments MomentsOfInput(const WatchedLayer& layer, ChannelMoments observed);

}  // namespace stillwave::drift
