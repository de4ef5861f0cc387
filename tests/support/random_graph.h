// Random valid convolutional networks, for properties that must hold of every graph ("outputs unchanged by a pass").
#pragma once

#include <cstdint>

#include "server/graph/graph.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::test_support {

struct RandomNetwork {
  // One input "x" of shape {dynamic N, C, dynamic spatial axes…}; one to three outputs. Has convolutions of all sorts,
  // batch normalization in and out of place, activations, pools, residual additions, concatenations, Dropout, Identity
  // (also before parameters), dead branches, shape arithmetic before a Reshape, and a linear or pooled head.
  graph::Graph graph;
  // Of one sample, {C, T} or {C, H, W}: long enough for every window in the graph.
  tensor::Shape sample_shape;
};

// The same for the same seed.
RandomNetwork MakeRandomNetwork(uint64_t seed);

// `samples` random samples for the network.
RefTensor RandomBatch(const RandomNetwork& network, int64_t samples, uint64_t seed);

}  // namespace stillwave::test_support
