// Builds small networks in tests: one call a layer, parameters drawn at random from a seed.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/graph/graph.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::test_support {

// A window over `axes` spatial axes with equal kernel, stride, dilation and padding on each.
graph::Window UniformWindow(size_t axes, int64_t kernel, int64_t stride = 1, int64_t dilation = 1,
                            int64_t pad_begin = 0, int64_t pad_end = 0);

// Normally distributed FP32 values (each exactly a float), the same for the same seed.
RefTensor RandomTensor(const tensor::Shape& shape, uint64_t seed);

// Not thread-safe. Node names are "<operator>_<number>"; values are named after the node that makes them.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(uint64_t seed) : random_(seed) {}

  // `shape` may have dynamic dimensions.
  graph::ValueId Input(absl::string_view name, const tensor::Shape& shape);
  // x has `channels` channels; weights are {out_channels, channels / group, kernel…}.
  graph::ValueId Conv(graph::ValueId x, int64_t channels, int64_t out_channels, graph::Window window, int64_t group = 1,
                      bool bias = true);
  // Some gammas are negative, some zero; variances lie between 0.05 and 2.
  graph::ValueId BatchNorm(graph::ValueId x, int64_t channels, float epsilon = 1e-5F);
  graph::ValueId Relu(graph::ValueId x);
  // x is {M, inputs}; weights are {outputs, inputs}, as PyTorch writes a linear layer.
  graph::ValueId Linear(graph::ValueId x, int64_t inputs, int64_t outputs, bool bias = true);
  graph::ValueId Add(graph::ValueId a, graph::ValueId b);

  // Any operator.
  graph::ValueId Node(graph::Op op, std::vector<graph::ValueId> inputs);

  graph::ValueId Constant(const RefTensor& value);
  graph::ValueId Integers(std::vector<int64_t> values);  // an INT64 constant of rank 1
  graph::ValueId RandomConstant(const tensor::Shape& shape, double scale);

  void Output(graph::ValueId value) { graph_.AddOutput(value); }
  const graph::Graph& graph() const { return graph_; }

  std::mt19937_64& random() { return random_; }
  // From first to last, both included.
  int64_t Uniform(int64_t first, int64_t last);
  double Normal();
  bool Chance(double probability);

 private:
  graph::Graph graph_;
  std::mt19937_64 random_;
};

}  // namespace stillwave::test_support
