#include "server/onnx/frozen_check.h"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

using graph::Graph;
using graph::ValueId;
using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using tensor::DataType;
using tensor::Shape;
using tensor::Tensor;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kNotFrozen = absl::StatusCode::kFailedPrecondition;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Tensor Floats(const Shape& shape, const std::vector<float>& values) { return Tensor::FromValues<float>(shape, values); }

// A BatchNormalization over x {N, 2, 8}; tests put one thing wrong.
struct Norm {
  float epsilon = 1e-5F;
  Shape input = {-1, 2, 8};
  std::vector<Tensor> parameters;  // scale, bias, mean, variance
  int computed = -1;               // this parameter is a graph input instead

  Norm() {
    for (const float first : {1.0F, 0.0F, 0.5F, 2.0F}) parameters.push_back(Floats({2}, {first, 1}));
  }

  absl::Status Check() {
    Graph graph;
    std::vector<ValueId> inputs = {graph.AddInput("x", DataType::kFloat32, input)};
    for (int i = 0; i < 4; ++i) {
      const std::string name = "p" + std::to_string(i);
      inputs.push_back(i == computed ? graph.AddInput(name, DataType::kFloat32, {2})
                                     : graph.AddConstant(name, std::move(parameters[static_cast<size_t>(i)])));
    }
    const ValueId output = graph.AddValue("y");
    graph.AddNode({"bn", graph::BatchNormalization{epsilon}, inputs, {output}});
    graph.AddOutput(output);
    return CheckFrozen(graph);
  }
};

absl::Status WithParameter(size_t index, Tensor tensor) {
  Norm norm;
  norm.parameters[index] = std::move(tensor);
  return norm.Check();
}

absl::Status WithEpsilon(float epsilon) {
  Norm norm;
  norm.epsilon = epsilon;
  return norm.Check();
}

TEST(CheckFrozenBatchNormalization, TakesGoodParameters) {
  EXPECT_THAT(Norm().Check(), IsOk());
  EXPECT_THAT(WithEpsilon(0), IsOk());
  EXPECT_THAT(WithParameter(3, Floats({2}, {0, 0})), IsOk());  // epsilon keeps the root positive
}

TEST(CheckFrozenBatchNormalization, ParametersMustBeConstant) {
  constexpr absl::string_view kNames[] = {"scale", "bias", "mean", "variance"};
  for (int i = 0; i < 4; ++i) {
    Norm norm;
    norm.computed = i;
    EXPECT_THAT(norm.Check(), StatusIs(kNotFrozen, AllOf(HasSubstr("node 'bn' (BatchNormalization): "),
                                                         HasSubstr(std::string(kNames[i]) + " must be constant"),
                                                         HasSubstr("model.eval()"))));
  }
}

TEST(CheckFrozenBatchNormalization, ParametersMustHaveOneValueForEachChannel) {
  const auto wrong = [](const std::string& shapes) {
    return StatusIs(kInvalid, HasSubstr("must have one value for each channel (2); have shapes " + shapes));
  };
  EXPECT_THAT(WithParameter(0, Floats({3}, {1, 1, 1})), wrong("[3], [2], [2], [2]"));
  EXPECT_THAT(WithParameter(2, Floats({1, 2, 1}, {1, 1})), wrong("[2], [2], [1,2,1], [2]"));
  EXPECT_THAT(WithParameter(1, Floats({}, {1})), wrong("[2], [], [2], [2]"));
  for (const Shape& unknown : {Shape{-1, -1, 8}, Shape{}}) {
    Norm norm;
    norm.input = unknown;
    norm.parameters[3] = Floats({3}, {1, 1, 1});
    EXPECT_THAT(norm.Check(), StatusIs(kInvalid, HasSubstr("for each channel; have shapes [2], [2], [2], [3]")));
  }
}

TEST(CheckFrozenBatchNormalization, ParametersMustBeFiniteFloats) {
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(WithParameter(i, Floats({2}, {1, kNan})),
                StatusIs(kInvalid, HasSubstr("must be finite; element 1 was")));
    EXPECT_THAT(WithParameter(i, Floats({2}, {kInf, 1})),
                StatusIs(kInvalid, HasSubstr("must be finite; element 0 was")));
  }
  const std::vector<double> doubles = {1, 1};
  EXPECT_THAT(WithParameter(2, Tensor::FromValues<double>({2}, doubles)),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("mean must be FP32; was FP64")));
}

TEST(CheckFrozenBatchNormalization, TheRootMustBeOfAPositiveNumber) {
  EXPECT_THAT(WithParameter(3, Floats({2}, {1, -0.5F})),
              StatusIs(kInvalid, HasSubstr("variance must not be negative; that of channel 1 was -0.5")));
  EXPECT_THAT(WithParameter(3, Floats({2}, {-4e-6F, 1})), StatusIs(kInvalid, HasSubstr("of channel 0")));
  Norm zero;
  zero.epsilon = 0;
  zero.parameters[3] = Floats({2}, {1, 0});
  EXPECT_THAT(zero.Check(), StatusIs(kInvalid, HasSubstr("variance + epsilon must be positive; that of channel 1")));
}

TEST(CheckFrozenBatchNormalization, EpsilonMustBeFiniteAndNotNegative) {
  for (const float epsilon : {-2.0F, kNan, kInf}) {
    EXPECT_THAT(WithEpsilon(epsilon), StatusIs(kInvalid, HasSubstr("epsilon must be finite and not negative")));
  }
}

TEST(CheckFrozen, WeightsMustBeFinite) {
  const auto with = [](graph::Op op, float value) {
    Graph graph;
    const ValueId x = graph.AddInput("x", DataType::kFloat32, {-1, 1});
    const ValueId w = graph.AddConstant("w", Floats({1, 1}, {value}));
    const ValueId y = graph.AddValue("y");
    graph.AddNode({"layer", std::move(op), {x, w, graph::kNoValue}, {y}});
    graph.AddOutput(y);
    return CheckFrozen(graph);
  };
  EXPECT_THAT(with(graph::Gemm{}, 1), IsOk());
  EXPECT_THAT(with(graph::Gemm{}, kNan),
              StatusIs(kInvalid, HasSubstr("node 'layer' (Gemm): weight 'w' must be finite")));
  EXPECT_THAT(with(graph::MatMul{}, kInf), StatusIs(kInvalid, HasSubstr("must be finite")));
  EXPECT_THAT(with(graph::Conv{}, kNan), StatusIs(kInvalid, HasSubstr("must be finite")));
  // An attention mask adds minus infinity on purpose.
  EXPECT_THAT(with(graph::Binary{}, -kInf), IsOk());
}

// A Reduce of `shape`, with the given axes or none.
absl::Status CheckReduceOf(const Shape& shape, const std::optional<std::vector<int64_t>>& axes,
                           graph::Reduce reduce = {}) {
  Graph graph;
  std::vector<ValueId> inputs = {graph.AddInput("x", DataType::kFloat32, shape)};
  if (axes.has_value()) {
    inputs.push_back(
        graph.AddConstant("axes", Tensor::FromValues<int64_t>({static_cast<int64_t>(axes->size())}, *axes)));
  }
  const ValueId y = graph.AddValue("y");
  graph.AddNode({"mean", reduce, inputs, {y}});
  graph.AddOutput(y);
  return CheckFrozen(graph);
}

TEST(CheckFrozenReduce, RefusesTheBatchAxis) {
  const auto across_batch =
      StatusIs(kNotFrozen, AllOf(HasSubstr("node 'mean' (Reduce"), HasSubstr("across axis 0, the batch")));
  EXPECT_THAT(CheckReduceOf({-1, 3, 8}, {{0}}), across_batch);
  EXPECT_THAT(CheckReduceOf({-1, 3, 8}, {{2, -3}}), across_batch);
  EXPECT_THAT(CheckReduceOf({-1, 3}, std::nullopt), across_batch);
  EXPECT_THAT(CheckReduceOf({-1, 3}, {std::vector<int64_t>{}}), across_batch);
  EXPECT_THAT(CheckReduceOf({}, {{0}}), across_batch);  // a shape that is not inferred yet
}

TEST(CheckFrozenReduce, TakesOtherAxes) {
  EXPECT_THAT(CheckReduceOf({-1, 3, 8}, {{2}}), IsOk());
  EXPECT_THAT(CheckReduceOf({-1, 3, 8}, {{-1, -2}}), IsOk());
  EXPECT_THAT(CheckReduceOf({3}, {{0}}), IsOk());
  EXPECT_THAT(CheckReduceOf({-1, 3}, std::nullopt, {graph::ReduceKind::kSum, true, /*noop_with_empty_axes=*/true}),
              IsOk());
}

// A node of one operator over x {N, 3, 8}, with one more input where there is one.
absl::Status CheckNodeOf(graph::Op op, std::optional<Tensor> second = std::nullopt, const Shape& shape = {-1, 3, 8}) {
  Graph graph;
  std::vector<ValueId> inputs = {graph.AddInput("x", DataType::kFloat32, shape)};
  if (second.has_value()) inputs.push_back(graph.AddConstant("w", *std::move(second)));
  const ValueId y = graph.AddValue("y");
  graph.AddNode({"node", std::move(op), inputs, {y}});
  graph.AddOutput(y);
  return CheckFrozen(graph);
}

TEST(CheckFrozenReduce, RefusesWhateverElseWorksAcrossTheBatch) {
  const auto refused = [](absl::string_view deed) {
    return StatusIs(kNotFrozen, HasSubstr(std::string("it ") + std::string(deed) + " across axis 0, the batch"));
  };
  const auto axis_of = [](int64_t axis) { return Tensor::FromValues<int64_t>({}, {&axis, 1}); };
  const auto short_axis_of = [](int32_t axis) { return Tensor::FromValues<int32_t>({1}, {&axis, 1}); };
  for (const int64_t axis : {0, -3}) {
    EXPECT_THAT(CheckNodeOf(graph::ArgReduce{.axis = axis}), refused("compares"));
    EXPECT_THAT(CheckNodeOf(graph::CumSum{}, axis_of(axis)), refused("adds up"));
    EXPECT_THAT(CheckNodeOf(graph::LayerNormalization{.axis = axis}, Floats({8}, std::vector<float>(8, 1))),
                refused("normalizes"));
    EXPECT_THAT(CheckNodeOf(graph::Softmax{.axis = axis}), refused("normalizes"));
  }
  EXPECT_THAT(CheckNodeOf(graph::CumSum{}, short_axis_of(0)), refused("adds up"));
  EXPECT_THAT(CheckNodeOf(graph::Softmax{.axis = 0, .flatten_to_2d = true}), refused("normalizes"));
  EXPECT_THAT(CheckNodeOf(graph::Reduce{graph::ReduceKind::kLogSumExp}, short_axis_of(0)), refused("reduces"));
}

TEST(CheckFrozenReduce, TakesWhatWorksWithinASample) {
  const int64_t last = -1;
  EXPECT_THAT(CheckNodeOf(graph::ArgReduce{.axis = 1}), IsOk());
  EXPECT_THAT(CheckNodeOf(graph::CumSum{}, Tensor::FromValues<int64_t>({}, {&last, 1})), IsOk());
  EXPECT_THAT(CheckNodeOf(graph::LayerNormalization{.axis = 1}, Floats({}, {1})), IsOk());
  EXPECT_THAT(CheckNodeOf(graph::Softmax{.axis = -1}), IsOk());
  EXPECT_THAT(CheckNodeOf(graph::Softmax{.axis = 0}, std::nullopt, {5}), IsOk());
}

TEST(CheckFrozenReduce, TakesReductionsOfConstantsAndShapes) {
  Graph graph;
  const ValueId x = graph.AddInput("x", DataType::kFloat32, {-1, 3});
  const ValueId shape = graph.AddValue("shape");
  const ValueId product = graph.AddValue("product");
  const ValueId mean = graph.AddValue("mean");
  const ValueId w = graph.AddConstant("w", Floats({2, 2}, {1, 2, 3, 4}));
  graph.AddNode({"shape", graph::ShapeOf{}, {x}, {shape}});
  graph.AddNode({"product", graph::Reduce{}, {shape}, {product}});
  graph.AddNode({"mean", graph::Reduce{}, {w}, {mean}});
  graph.AddOutput(product);
  graph.AddOutput(mean);
  EXPECT_THAT(CheckFrozen(graph), IsOk());
}

TEST(CheckFrozenReduce, FollowsActivationsThroughOtherNodes) {
  Graph graph;
  const ValueId x = graph.AddInput("x", DataType::kFloat32, {-1, 3});
  const ValueId r = graph.AddValue("r");
  const ValueId y = graph.AddValue("y");
  graph.AddNode({"relu", graph::Unary{}, {x}, {r}});
  graph.AddNode({"mean", graph::Reduce{}, {r}, {y}});
  graph.AddOutput(y);
  EXPECT_THAT(CheckFrozen(graph), StatusIs(kNotFrozen, HasSubstr("across axis 0")));
}

// (x - mean) / sqrt(var + eps) with mean and variance over batch and time: a BatchNorm in training mode as an exporter
// without the operator, or a decomposition, writes it.
TEST(CheckFrozenReduce, RefusesBatchStatisticsThatAreWrittenOutWithTheCure) {
  Graph graph;
  const ValueId x = graph.AddInput("x", DataType::kFloat32, {-1, 3, 8});
  const ValueId axes = graph.AddConstant("axes", Tensor::FromValues<int64_t>({2}, std::vector<int64_t>{0, 2}));
  const ValueId epsilon = graph.AddConstant("epsilon", Floats({}, {1e-5F}));
  const auto add = [&](const std::string& name, graph::Op op, std::vector<ValueId> inputs) {
    const ValueId output = graph.AddValue(name);
    graph.AddNode({name, std::move(op), std::move(inputs), {output}});
    return output;
  };
  const graph::Reduce mean_of{graph::ReduceKind::kMean};
  const ValueId mean = add("mean", mean_of, {x, axes});
  const ValueId centered = add("centered", graph::Binary{graph::BinaryKind::kSub}, {x, mean});
  const ValueId square = add("square", graph::Binary{graph::BinaryKind::kMul}, {centered, centered});
  const ValueId variance = add("variance", mean_of, {square, axes});
  const ValueId regular = add("regular", graph::Binary{graph::BinaryKind::kAdd}, {variance, epsilon});
  const ValueId root = add("root", graph::Unary{graph::UnaryKind::kSqrt}, {regular});
  graph.AddOutput(add("y", graph::Binary{graph::BinaryKind::kDiv}, {centered, root}));
  EXPECT_THAT(CheckFrozen(graph),
              StatusIs(kNotFrozen, AllOf(HasSubstr("node 'mean' (ReduceMean): it reduces across axis 0, the batch"),
                                         HasSubstr("call `model.eval()` before torch.onnx.export"),
                                         HasSubstr("track_running_stats=True"))));
}

}  // namespace
}  // namespace stillwave::onnx_import
