#include "tests/support/random_graph.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/support/network_builder.h"

namespace stillwave::test_support {
namespace {

using graph::ValueId;
using tensor::Shape;

// A value with the shape of one sample: {channels, spatial…}.
struct Feature {
  ValueId id = graph::kNoValue;
  int64_t channels = 0;
  std::vector<int64_t> spatial;
};

// Grows a network layer by layer from values made before.
class NetworkGrower {
 public:
  explicit NetworkGrower(uint64_t seed) : build_(seed) {}

  RandomNetwork Grow() {
    const size_t axes = build_.Chance(0.75) ? 1 : 2;
    Feature x{graph::kNoValue, build_.Uniform(1, 7), {}};
    Shape declared({tensor::kDynamicDim, x.channels});
    Shape sample({x.channels});
    for (size_t i = 0; i < axes; ++i) {
      x.spatial.push_back(axes == 1 ? build_.Uniform(12, 40) : build_.Uniform(8, 14));
      sample.Append(x.spatial.back());
      declared.Append(tensor::kDynamicDim);
    }
    x.id = build_.Input("x", declared);
    features_.push_back(x);
    const int64_t layers = build_.Uniform(3, 10);
    for (int64_t i = 0; i < layers; ++i) features_.push_back(AddLayer(PickFeature()));
    build_.Output(AddHead(features_.back()));
    while (build_.Chance(0.2)) OutputFeature();
    return {build_.graph(), sample};
  }

 private:
  // Mostly the newest.
  const Feature& PickFeature() {
    if (build_.Chance(0.7)) return features_.back();
    return features_[static_cast<size_t>(build_.Uniform(0, static_cast<int64_t>(features_.size()) - 1))];
  }

  Feature AddLayer(Feature from) {
    switch (build_.Uniform(0, 9)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return AddConvBlock(std::move(from));
      case 4:
        from.id = AddBatchNorm(from.id, from.channels);
        return from;
      case 5:
        return AddActivation(std::move(from));
      case 6:
        return AddPool(std::move(from));
      case 7:
        return AddResidual(std::move(from));
      case 8:
        return AddConcat(std::move(from));
      default:
        from.id =
            build_.Chance(0.5) ? build_.Node(graph::Dropout{}, {from.id}) : build_.Node(graph::Identity{}, {from.id});
        return from;
    }
  }

  // Conv, often followed by batch normalization, ReLU or both, in either order.
  Feature AddConvBlock(Feature from) {
    const graph::Window window = RandomWindow(from.spatial);
    const int64_t group = build_.Chance(0.25) ? from.channels : 1;
    const int64_t out_channels = group == 1 ? build_.Uniform(1, 20) : from.channels * build_.Uniform(1, 2);
    from.id = build_.Conv(from.id, from.channels, out_channels, window, group, build_.Chance(0.5));
    from.channels = out_channels;
    Slide(window, /*ceil_mode=*/false, from.spatial);
    const bool relu_first = build_.Chance(0.15);
    if (relu_first) from.id = build_.Relu(from.id);
    if (build_.Chance(0.2)) features_.push_back(from);  // so that the convolution itself may be read elsewhere too
    if (build_.Chance(0.65)) from.id = AddBatchNorm(from.id, from.channels);
    if (build_.Chance(0.2)) features_.push_back(from);
    if (!relu_first && build_.Chance(0.65)) from.id = build_.Relu(from.id);
    if (build_.Chance(0.3)) from.id = build_.Node(graph::Dropout{}, {from.id});
    return from;
  }

  ValueId AddBatchNorm(ValueId x, int64_t channels) {
    const ValueId y = build_.BatchNorm(x, channels, build_.Chance(0.5) ? 1e-5F : 1e-3F);
    if (!build_.Chance(0.15)) return y;
    // Again, with its parameters behind Identity nodes, as PyTorch writes equal initializers.
    std::vector<ValueId> inputs = build_.graph().nodes().back().inputs;
    inputs[0] = y;
    for (size_t i = 1; i < inputs.size(); ++i) inputs[i] = build_.Node(graph::Identity{}, {inputs[i]});
    return build_.Node(graph::BatchNormalization{.epsilon = 1e-4F}, inputs);
  }

  Feature AddActivation(Feature from) {
    using Kind = graph::UnaryKind;
    constexpr Kind kKinds[] = {Kind::kRelu, Kind::kRelu,    Kind::kLeakyRelu, Kind::kElu,
                               Kind::kTanh, Kind::kSigmoid, Kind::kAbs,       Kind::kNeg};
    const Kind kind = kKinds[build_.Uniform(0, 7)];
    from.id = build_.Node(graph::Unary{kind, kind == Kind::kElu ? 1.0F : 0.1F}, {from.id});
    return from;
  }

  Feature AddPool(Feature from) {
    graph::Pool pool;
    pool.kind = build_.Chance(0.5) ? graph::PoolKind::kMax : graph::PoolKind::kAverage;
    pool.window = UniformWindow(from.spatial.size(), 1);
    for (size_t i = 0; i < from.spatial.size(); ++i) {
      if (from.spatial[i] < 3) continue;
      pool.window.kernel[i] = build_.Uniform(2, 3);
      pool.window.strides[i] = build_.Uniform(1, 2);
      pool.window.pads_begin[i] = build_.Uniform(0, 1);
      pool.window.pads_end[i] = build_.Uniform(0, 1);
    }
    pool.ceil_mode = build_.Chance(0.3);
    // Counted padding and ceil_mode together is a form that the engine may refuse.
    pool.count_include_pad = pool.kind == graph::PoolKind::kAverage && !pool.ceil_mode && build_.Chance(0.5);
    from.id = build_.Node(pool, {from.id});
    Slide(pool.window, pool.ceil_mode, from.spatial);
    return from;
  }

  // Adds (or multiplies by) another value of the same shape, or a per-channel constant.
  Feature AddResidual(Feature from) {
    ValueId other = from.id;
    for (const Feature& feature : features_) {
      if (feature.id != from.id && feature.channels == from.channels && feature.spatial == from.spatial) {
        other = feature.id;
      }
    }
    if (other == from.id && build_.Chance(0.7)) {
      Shape shape({from.channels});
      for (size_t i = 0; i < from.spatial.size(); ++i) shape.Append(1);
      other = build_.RandomConstant(shape, 1.0);
    }
    const auto kind = build_.Chance(0.8) ? graph::BinaryKind::kAdd : graph::BinaryKind::kMul;
    from.id = build_.Node(graph::Binary{kind}, {from.id, other});
    return from;
  }

  // Along the channels, with values of the same length.
  Feature AddConcat(Feature from) {
    std::vector<ValueId> inputs = {from.id};
    int64_t channels = from.channels;
    for (const Feature& feature : features_) {
      if (feature.spatial != from.spatial || channels + feature.channels > 32 || build_.Chance(0.5)) continue;
      inputs.push_back(feature.id);
      channels += feature.channels;
    }
    from.id = build_.Node(graph::Concat{1}, inputs);
    from.channels = channels;
    return from;
  }

  ValueId AddHead(const Feature& from) {
    if (build_.Chance(0.2)) return from.id;
    const auto kind = build_.Chance(0.7) ? graph::PoolKind::kAverage : graph::PoolKind::kMax;
    ValueId x = build_.Node(graph::GlobalPool{kind}, {from.id});
    x = build_.Chance(0.5) ? build_.Node(graph::Flatten{1}, {x}) : ReshapeByArithmetic(x);
    int64_t channels = from.channels;
    if (build_.Chance(0.4)) {
      const int64_t hidden = build_.Uniform(2, 17);
      x = build_.Linear(x, channels, hidden);
      x = AddBatchNorm(x, hidden);
      x = build_.Relu(x);
      channels = hidden;
    }
    x = build_.Linear(x, channels, build_.Uniform(1, 6), build_.Chance(0.8));
    return build_.Chance(0.4) ? build_.Node(graph::Softmax{.axis = -1, .log = build_.Chance(0.5)}, {x}) : x;
  }

  // view(size(0), -1) as exporters write it: Shape -> Gather -> Unsqueeze -> Concat -> Reshape.
  ValueId ReshapeByArithmetic(ValueId x) {
    const ValueId shape = build_.Node(graph::ShapeOf{}, {x});
    const ValueId zero = build_.Constant(IntegerTensor(Shape({}), {0}));
    const ValueId batch = build_.Node(graph::Gather{0}, {shape, zero});
    const ValueId batch_vector = build_.Node(graph::Unsqueeze{}, {batch, build_.Integers({0})});
    const ValueId target = build_.Node(graph::Concat{0}, {batch_vector, build_.Integers({-1})});
    return build_.Node(graph::Reshape{}, {x, target});
  }

  // Makes a value in the middle an output of the graph too.
  void OutputFeature() {
    const Feature& feature =
        features_[static_cast<size_t>(build_.Uniform(1, static_cast<int64_t>(features_.size()) - 1))];
    const std::vector<ValueId>& outputs = build_.graph().outputs();
    if (std::find(outputs.begin(), outputs.end(), feature.id) == outputs.end()) build_.Output(feature.id);
  }

  // A convolution's window that fits the given lengths.
  graph::Window RandomWindow(const std::vector<int64_t>& spatial) {
    graph::Window window = UniformWindow(spatial.size(), 1);
    for (size_t i = 0; i < spatial.size(); ++i) {
      window.kernel[i] = build_.Uniform(1, std::min<int64_t>(spatial[i], 5));
      const bool fits_twice = (window.kernel[i] - 1) * 2 + 1 <= spatial[i];
      window.dilations[i] = fits_twice ? build_.Uniform(1, 2) : 1;
      window.strides[i] = build_.Chance(0.8) ? 1 : 2;
    }
    if (build_.Chance(0.15)) {
      window.auto_pad = build_.Chance(0.5) ? graph::AutoPad::kSameUpper : graph::AutoPad::kSameLower;
      return window;
    }
    for (size_t i = 0; i < spatial.size(); ++i) {
      const int64_t same = (window.kernel[i] - 1) * window.dilations[i];
      window.pads_begin[i] = build_.Chance(0.6) ? same / 2 : build_.Uniform(0, same);
      window.pads_end[i] = same - window.pads_begin[i];
    }
    return window;
  }

  // The spatial lengths after a window slid over them.
  static void Slide(const graph::Window& window, bool ceil_mode, std::vector<int64_t>& spatial) {
    for (size_t i = 0; i < spatial.size(); ++i) {
      const int64_t stride = window.strides[i];
      if (window.auto_pad != graph::AutoPad::kNotSet) {
        spatial[i] = (spatial[i] + stride - 1) / stride;
        continue;
      }
      const int64_t padded = spatial[i] + window.pads_begin[i] + window.pads_end[i];
      const int64_t room = padded - ((window.kernel[i] - 1) * window.dilations[i] + 1);
      int64_t output = (ceil_mode ? room + stride - 1 : room) / stride + 1;
      if (ceil_mode && (output - 1) * stride >= spatial[i] + window.pads_begin[i]) --output;
      spatial[i] = output;
    }
  }

  NetworkBuilder build_;
  std::vector<Feature> features_;
};

}  // namespace

RandomNetwork MakeRandomNetwork(uint64_t seed) { return NetworkGrower(seed).Grow(); }

RefTensor RandomBatch(const RandomNetwork& network, int64_t samples, uint64_t seed) {
  Shape shape({samples});
  for (const int64_t dim : network.sample_shape.dims()) shape.Append(dim);
  return RandomTensor(shape, seed);
}

}  // namespace stillwave::test_support
