#include "tests/support/network_builder.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace stillwave::test_support {

using graph::ValueId;
using tensor::Shape;

graph::Window UniformWindow(size_t axes, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad_begin,
                            int64_t pad_end) {
  graph::Window window;
  window.kernel.assign(axes, kernel);
  window.strides.assign(axes, stride);
  window.dilations.assign(axes, dilation);
  window.pads_begin.assign(axes, pad_begin);
  window.pads_end.assign(axes, pad_end);
  return window;
}

RefTensor RandomTensor(const Shape& shape, uint64_t seed) {
  NetworkBuilder draw(seed);
  RefTensor tensor = ZeroTensor(tensor::DataType::kFloat32, shape);
  for (double& value : tensor.reals) value = static_cast<float>(draw.Normal());
  return tensor;
}

ValueId NetworkBuilder::Input(absl::string_view name, const Shape& shape) {
  return graph_.AddInput(name, tensor::DataType::kFloat32, shape);
}

ValueId NetworkBuilder::Conv(ValueId x, int64_t channels, int64_t out_channels, graph::Window window, int64_t group,
                             bool bias) {
  Shape weights({out_channels, channels / group});
  int64_t fan_in = channels / group;
  for (const int64_t k : window.kernel) {
    weights.Append(k);
    fan_in *= k;
  }
  std::vector<ValueId> inputs = {x, RandomConstant(weights, 1 / std::sqrt(static_cast<double>(fan_in)))};
  if (bias) inputs.push_back(RandomConstant(Shape({out_channels}), 0.5));
  return Node(graph::Conv{.window = std::move(window), .group = group}, std::move(inputs));
}

ValueId NetworkBuilder::BatchNorm(ValueId x, int64_t channels, float epsilon) {
  const Shape shape({channels});
  RefTensor gamma = ZeroTensor(tensor::DataType::kFloat32, shape);
  for (double& value : gamma.reals) value = Chance(0.05) ? 0.0 : Normal();
  RefTensor variance = ZeroTensor(tensor::DataType::kFloat32, shape);
  for (double& value : variance.reals) value = std::uniform_real_distribution<double>(0.05, 2.0)(random_);
  const ValueId scale = Constant(gamma);
  const ValueId beta = RandomConstant(shape, 0.5);
  const ValueId mean = RandomConstant(shape, 0.7);
  return Node(graph::BatchNormalization{.epsilon = epsilon}, {x, scale, beta, mean, Constant(variance)});
}

ValueId NetworkBuilder::Relu(ValueId x) { return Node(graph::Unary{graph::UnaryKind::kRelu}, {x}); }

ValueId NetworkBuilder::Linear(ValueId x, int64_t inputs, int64_t outputs, bool bias) {
  std::vector<ValueId> ids = {x, RandomConstant(Shape({outputs, inputs}), 1 / std::sqrt(static_cast<double>(inputs)))};
  if (bias) ids.push_back(RandomConstant(Shape({outputs}), 0.5));
  return Node(graph::Gemm{.transpose_b = true}, std::move(ids));
}

ValueId NetworkBuilder::Add(ValueId a, ValueId b) { return Node(graph::Binary{graph::BinaryKind::kAdd}, {a, b}); }

ValueId NetworkBuilder::Node(graph::Op op, std::vector<ValueId> inputs) {
  const std::string name = absl::StrCat(graph::OpName(op), "_", graph_.nodes().size());
  const ValueId output = graph_.AddValue(name);
  graph_.AddNode({name, std::move(op), std::move(inputs), {output}});
  return output;
}

ValueId NetworkBuilder::Constant(const RefTensor& value) {
  return graph_.AddConstant(absl::StrCat("constant_", graph_.values().size()), ToTensor(value));
}

ValueId NetworkBuilder::Integers(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Constant(IntegerTensor(Shape({count}), std::move(values)));
}

ValueId NetworkBuilder::RandomConstant(const Shape& shape, double scale) {
  RefTensor values = ZeroTensor(tensor::DataType::kFloat32, shape);
  for (double& value : values.reals) value = scale * Normal();
  return Constant(values);
}

int64_t NetworkBuilder::Uniform(int64_t first, int64_t last) {
  return std::uniform_int_distribution<int64_t>(first, last)(random_);
}

double NetworkBuilder::Normal() { return std::normal_distribution<double>()(random_); }

bool NetworkBuilder::Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

}  // namespace stillwave::test_support
