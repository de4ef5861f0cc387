#include "tests/benchmark/multiply_adds.h"

#include <gtest/gtest.h>

#include "server/passes/specialize.h"
#include "tests/support/network_builder.h"

namespace stillwave::benchmark {
namespace {

using tensor::Shape;
using test_support::NetworkBuilder;
using test_support::UniformWindow;

int64_t CountFor(NetworkBuilder& build, graph::ValueId output, const Shape& input) {
  build.Output(output);
  const auto specialized = passes::Specialize(build.graph(), {input});
  EXPECT_TRUE(specialized.ok()) << specialized.status();
  return specialized.ok() ? MultiplyAdds(*specialized) : -1;
}

TEST(MultiplyAddsTest, OfAConvolutionAreOutputsTimesWindow) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {-1, 6, -1});
  // {2,6,10} -> {2,8,8}: each of 128 outputs reads 3 steps of 6 / 2 channels.
  EXPECT_EQ(CountFor(build, build.Conv(x, 6, 8, UniformWindow(1, 3), /*group=*/2), {2, 6, 10}), 128 * 9);
}

TEST(MultiplyAddsTest, OfATransposedConvolutionAreInputsTimesWindow) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {-1, 4, -1});
  graph::ConvTranspose op;
  op.window = UniformWindow(1, 2, 2);
  op.output_padding = {0};
  const graph::ValueId weights = build.RandomConstant({4, 5, 2}, 1);
  const graph::ValueId y = build.Node(op, {x, weights});
  graph::Graph graph = build.graph();
  graph.mutable_value(x).shape = Shape({2, 4, 10});
  graph.mutable_value(y).shape = Shape({2, 5, 20});
  // Each of 2*4*10 inputs goes to 2 steps of 5 channels.
  EXPECT_EQ(MultiplyAdds(graph), 80 * 10);
}

TEST(MultiplyAddsTest, OfALinearLayerAreOutputsTimesInputs) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {-1, 7});
  EXPECT_EQ(CountFor(build, build.Linear(x, 7, 5), {3, 7}), 3 * 7 * 5);
}

TEST(MultiplyAddsTest, OfOtherOperatorsAreNone) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {-1, 4, -1});
  EXPECT_EQ(CountFor(build, build.Relu(build.BatchNorm(x, 4)), {2, 4, 10}), 0);
}

TEST(MultiplyAddsTest, AreFoundByTheNameOfTheNode) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 7});
  build.Output(build.Relu(build.Linear(x, 7, 5)));
  const auto specialized = passes::Specialize(build.graph(), {Shape({2, 7})});
  ASSERT_TRUE(specialized.ok()) << specialized.status();
  const auto counts = MultiplyAddsByNode(*specialized);
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts.begin()->first, specialized->nodes()[0].name);
  EXPECT_EQ(counts.begin()->second, 70);
}

}  // namespace
}  // namespace stillwave::benchmark
