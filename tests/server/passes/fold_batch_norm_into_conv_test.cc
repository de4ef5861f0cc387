#include "server/passes/fold_batch_norm_into_conv.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using graph::ValueId;
using test_support::CountNodes;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::RealTensor;
using test_support::UniformWindow;
using ::testing::ElementsAre;

class FoldBatchNormIntoConvTest : public ::testing::Test {
 protected:
  bool Run(graph::Graph& graph) {
    const auto changed = FoldBatchNormIntoConv(graph);
    EXPECT_THAT(changed, IsOk());
    return changed.ok() && *changed;
  }

  ValueId AddConv(ValueId x) { return build_.Conv(x, 3, 3, UniformWindow(1, 3, 1, 1, 1, 1)); }

  NetworkBuilder build_{1};
  ValueId x_ = build_.Input("x", {2, 3, 5});
};

TEST_F(FoldBatchNormIntoConvTest, MultipliesWeightsAndShiftsTheBiasPerOutputChannel) {
  const ValueId w = build_.Constant(RealTensor({2, 3, 1}, {1, 2, 3, 4, 5, 6}));
  const ValueId b = build_.Constant(RealTensor({2}, {10, 20}));
  const ValueId h = build_.Node(graph::Conv{.window = UniformWindow(1, 1)}, {x_, w, b});
  const auto parameter = [&](double first, double second) { return build_.Constant(RealTensor({2}, {first, second})); };
  const ValueId y = build_.Node(graph::BatchNormalization{.epsilon = 0},
                                {h, parameter(2, -1), parameter(0.5, 0), parameter(1, 30), parameter(4, 1)});
  build_.Output(y);
  graph::Graph graph = build_.graph();
  EXPECT_TRUE(Run(graph));
  ASSERT_EQ(graph.nodes().size(), 1U) << graph::ToText(graph);
  const graph::Node& conv = graph.nodes()[0];
  EXPECT_THAT(graph.value(conv.inputs[1]).constant->values<float>(), ElementsAre(1, 2, 3, -4, -5, -6));
  EXPECT_THAT(graph.value(conv.inputs[2]).constant->values<float>(), ElementsAre(9.5, 10));
  EXPECT_THAT(conv.outputs, ElementsAre(y));
}

TEST_F(FoldBatchNormIntoConvTest, AddsABiasWhereThereWasNone) {
  build_.Output(build_.BatchNorm(build_.Conv(x_, 3, 4, UniformWindow(1, 3), 1, /*bias=*/false), 4));
  graph::Graph graph = build_.graph();
  EXPECT_TRUE(Run(graph));
  EXPECT_EQ(graph.nodes()[0].inputs.size(), 3U);
}

TEST_F(FoldBatchNormIntoConvTest, KeepsAReluThatWasFusedIntoTheNormalization) {
  build_.Output(build_.BatchNorm(AddConv(x_), 3));
  graph::Graph graph = build_.graph();
  std::get<graph::BatchNormalization>(graph.mutable_nodes()[1].op).fused_relu = true;
  EXPECT_TRUE(Run(graph));
  EXPECT_TRUE(std::get<graph::Conv>(graph.nodes()[0].op).fused_relu);
}

TEST_F(FoldBatchNormIntoConvTest, LeavesTheOriginalWeightsToOtherReaders) {
  const ValueId w = build_.RandomConstant({3, 3, 1}, 1);
  const ValueId h = build_.Node(graph::Conv{.window = UniformWindow(1, 1)}, {x_, w});
  const ValueId other = build_.Node(graph::Conv{.window = UniformWindow(1, 1)}, {x_, w});
  build_.Output(build_.Add(build_.BatchNorm(h, 3), other));
  graph::Graph graph = build_.graph();
  EXPECT_TRUE(Run(graph));
  EXPECT_EQ(graph.nodes()[1].inputs[1], w);
}

TEST_F(FoldBatchNormIntoConvTest, RefusesAConvolutionThatIsReadElsewhere) {
  const ValueId h = AddConv(x_);
  build_.Output(build_.Add(build_.BatchNorm(h, 3), h));
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));
}

TEST_F(FoldBatchNormIntoConvTest, RefusesAConvolutionThatIsAGraphOutput) {
  const ValueId h = AddConv(x_);
  build_.Output(build_.BatchNorm(h, 3));
  build_.Output(h);
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));
}

TEST_F(FoldBatchNormIntoConvTest, RefusesWhereAReluStandsBetweenOrIsFused) {
  build_.Output(build_.BatchNorm(build_.Relu(AddConv(x_)), 3));
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));

  NetworkBuilder fused(2);
  const ValueId x = fused.Input("x", {2, 3, 5});
  fused.Output(fused.BatchNorm(fused.Conv(x, 3, 3, UniformWindow(1, 1)), 3));
  graph = fused.graph();
  std::get<graph::Conv>(graph.mutable_nodes()[0].op).fused_relu = true;
  EXPECT_FALSE(Run(graph));
}

TEST_F(FoldBatchNormIntoConvTest, RefusesParametersThatAreComputed) {
  const ValueId h = AddConv(x_);
  const ValueId c = build_.RandomConstant({3}, 1);
  const ValueId computed = build_.Relu(c);
  build_.Output(build_.Node(graph::BatchNormalization{}, {h, c, c, c, computed}));
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));
}

TEST_F(FoldBatchNormIntoConvTest, NeverFoldsForwardIntoAConvolutionBehindIt) {
  build_.Output(AddConv(build_.BatchNorm(x_, 3)));
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));
  EXPECT_EQ(CountNodes(graph, "BatchNormalization"), 1);
}

// Folded weights are rounded to float once, so outputs move by a few of float's roundings.
TEST_F(FoldBatchNormIntoConvTest, LeavesTheOutputsOfRandomNetworksUnchangedUpToRounding) {
  // Two normalizations behind one convolution fold one after the other: run to the end.
  const auto to_the_end = [](graph::Graph& graph) -> absl::StatusOr<bool> {
    bool any = false;
    while (true) {
      const absl::StatusOr<bool> changed = FoldBatchNormIntoConv(graph);
      if (!changed.ok()) return changed;
      if (!*changed) return any;
      any = true;
    }
  };
  const auto counts = test_support::ExpectOutputsUnchanged(to_the_end, 150, 3e-5);
  EXPECT_EQ(counts.networks, 150);
  EXPECT_GT(counts.changed, 40);
}

}  // namespace
}  // namespace stillwave::passes
