#include "server/passes/split_global_pool.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/graph/graph_verifier.h"
#include "server/passes/specialize.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using graph::PoolKind;
using tensor::Shape;
using test_support::CountNodes;
using test_support::Difference;
using test_support::IsOk;
using test_support::NetworkBuilder;

// A network that is one pool over all of x.
graph::Graph PoolOver(PoolKind kind, const Shape& x) {
  NetworkBuilder build(1);
  build.Output(build.Node(graph::GlobalPool{kind}, {build.Input("x", x)}));
  auto specialized = Specialize(build.graph(), {x});
  EXPECT_THAT(specialized, IsOk());
  return *std::move(specialized);
}

TEST(SplitGlobalPoolsTest, PoolsALongAxisInBlocksToTheSameResult) {
  const Shape x = {2, 3, 512};
  const test_support::RefTensor input = test_support::RandomTensor(x, 1);
  for (const PoolKind kind : {PoolKind::kAverage, PoolKind::kMax}) {
    const graph::Graph whole = PoolOver(kind, x);
    graph::Graph split = whole;
    EXPECT_TRUE(SplitGlobalPools(split));
    EXPECT_THAT(graph::VerifyGraph(split), IsOk()) << graph::ToText(split);
    EXPECT_EQ(split.nodes().size(), 2u);
    EXPECT_EQ(split.value(split.nodes()[0].outputs[0]).shape, Shape({2, 3, 128}));
    // What inference says of it.
    const auto again = Specialize(split, {x});
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->value(again->nodes()[0].outputs[0]).shape, Shape({2, 3, 128}));
    const auto want = test_support::Interpret(whole, {input});
    const auto got = test_support::Interpret(split, {input});
    ASSERT_THAT(want, IsOk());
    ASSERT_THAT(got, IsOk());
    EXPECT_EQ(Difference((*got)[0], (*want)[0], 1e-12, 0), "");
  }
}

TEST(SplitGlobalPoolsTest, SplitsOnce) {
  graph::Graph graph = PoolOver(PoolKind::kAverage, {1, 2, 4096});
  EXPECT_TRUE(SplitGlobalPools(graph));
  EXPECT_FALSE(SplitGlobalPools(graph));
  EXPECT_EQ(CountNodes(graph, "AveragePool"), 1);
  EXPECT_EQ(CountNodes(graph, "GlobalAveragePool"), 1);
}

TEST(SplitGlobalPoolsTest, LeavesShortAxesWhatIsNoMultipleImagesAndNormsAlone) {
  for (const Shape& x : {Shape{1, 2, 508}, Shape{1, 2, 1022}, Shape{1, 2, 64, 1024}}) {
    graph::Graph graph = PoolOver(PoolKind::kAverage, x);
    EXPECT_FALSE(SplitGlobalPools(graph)) << x.ToString();
    EXPECT_EQ(graph.nodes().size(), 1u);
  }
  graph::Graph norm = PoolOver(PoolKind::kLp, {1, 2, 1024});
  EXPECT_FALSE(SplitGlobalPools(norm));
}

TEST(SplitGlobalPoolsTest, SplitsWhereItIsToldOfAGraphWithoutShapes) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {tensor::kDynamicDim, 3, tensor::kDynamicDim});
  build.Output(build.Node(graph::GlobalPool{}, {x}));
  build.Output(build.Node(graph::Reduce{graph::ReduceKind::kMax, /*keep_dims=*/false}, {x, build.Integers({-1})}));
  graph::Graph graph = build.graph();
  EXPECT_TRUE(
      SplitGlobalPools(graph, [](const graph::Node& node) { return std::holds_alternative<graph::Reduce>(node.op); }));
  EXPECT_EQ(CountNodes(graph, "MaxPool"), 1);
  EXPECT_EQ(CountNodes(graph, "AveragePool"), 0);
  auto specialized = Specialize(graph, {{2, 3, 4096}});
  ASSERT_THAT(specialized, IsOk());
  EXPECT_EQ(specialized->value(specialized->outputs()[1]).shape, Shape({2, 3}));
  // Of 1024 blocks, which are not pooled in blocks again; the other pool is.
  EXPECT_TRUE(SplitGlobalPools(*specialized));
  EXPECT_EQ(CountNodes(*specialized, "MaxPool"), 1);
  EXPECT_EQ(CountNodes(*specialized, "AveragePool"), 1);
}

}  // namespace
}  // namespace stillwave::passes
