// Networks whose strips are not to be had from the small models, as ONNX files written by hand.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/network_builder.h"
#include "tests/support/onnx_file.h"

namespace stillwave::overlap {

inline std::vector<float> SmallWeights(const tensor::Shape& shape, uint64_t seed) {
  const auto fan_in = static_cast<double>(shape.num_elements() / shape[0]);
  std::vector<float> weights;
  for (const double value : test_support::RandomTensor(shape, seed).reals) {
    weights.push_back(static_cast<float>(value / std::sqrt(fan_in)));
  }
  return weights;
}

// Adds a convolution over time and a ReLU; returns the name of what they make.
inline std::string AddConvRelu(test_support::OnnxFile& file, const std::string& x, int64_t channels, int64_t kernel,
                               int64_t dilation, int64_t pad_begin, int64_t pad_end, uint64_t seed) {
  const std::string name = absl::StrCat("conv", seed);
  file.Weight(absl::StrCat(name, ".w"), {channels, channels, kernel}, SmallWeights({channels, channels, kernel}, seed));
  file.Node("Conv", {x, absl::StrCat(name, ".w")}, name,
            {{"kernel_shape", {kernel}}, {"dilations", {dilation}}, {"pads", {pad_begin, pad_end}}});
  file.Node("Relu", {name}, absl::StrCat(name, ".relu"));
  return absl::StrCat(name, ".relu");
}

// {N, 16, T} -> {N, 16}: five convolutions with kernels of 39, as InceptionTime has, a shortcut around three of them,
// and the mean over time.
inline std::string WideKernelsFile() {
  test_support::OnnxFile file;
  file.Input("x", {-1, 16, -1});
  std::string x = "x";
  std::string shortcut;
  for (uint64_t layer = 0; layer < 5; ++layer) {
    x = AddConvRelu(file, x, 16, 39, 1, 19, 19, layer);
    if (layer == 0) shortcut = x;
    if (layer == 3) {
      file.Node("Add", {x, shortcut}, "joined");
      x = "joined";
    }
  }
  file.Node("GlobalAveragePool", {x}, "pooled");
  file.Node("Flatten", {"pooled"}, "y");
  file.Output("y");
  return file.Bytes();
}

// {N, 16, T} -> {N, 16}: six causal convolutions with dilations of 1 to 32, of which the last step is read.
inline std::string CausalFile() {
  test_support::OnnxFile file;
  file.Input("x", {-1, 16, -1});
  std::string x = "x";
  for (uint64_t layer = 0; layer < 6; ++layer) {
    const int64_t dilation = int64_t{1} << layer;
    x = AddConvRelu(file, x, 16, 3, dilation, 2 * dilation, 0, layer);
  }
  file.Integers("last", {-1});
  file.Node("Gather", {x, "last"}, "step", {}, {{"axis", 2}});
  file.Node("Flatten", {"step"}, "y");
  file.Output("y");
  return file.Bytes();
}

}  // namespace stillwave::overlap
